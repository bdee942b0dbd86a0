//! What a text means to those who will decode it: views of request text with its encodings undone. A view never
//! replaces the text; a pattern matches if the text or any view does. One forward pass for each step.

use memchr::{memchr, memmem};

use crate::script_text::script;
use crate::search::literals::Present;

pub use crate::base64::{base64, has_base64};
pub use crate::decode::{decode, decode_cased, decode_target, plain_ampersands, simplify};
pub use crate::script_text::{has_utf7, utf7};

/// What was undone to make a view, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// As it is, in lower case.
    Raw,
    /// Percent-decoded to a fixpoint; also `%u`, overlong UTF-8, full-width and look-alike characters, plus as space.
    Decoded,
    /// HTML entities and escapes of JavaScript and CSS, too; without control characters. Decoded from UTF-7.
    Markup,
    /// Script without comments, its texts joined and its members named.
    Script,
    /// SQL comments and runs of white space are one space.
    Sql,
    /// Without what shells take away: quotes, backslashes, carets, empty variables.
    Shell,
    /// A path with one kind of slash, without empty and dot segments and parameters.
    Path,
    /// Decoded from Base64.
    Base64,
}

impl View {
    /// Every view.
    pub const ALL: [View; 8] =
        [View::Raw, View::Decoded, View::Markup, View::Script, View::Sql, View::Shell, View::Path, View::Base64];

    /// What findings call the view.
    pub fn name(self) -> &'static str {
        match self {
            View::Raw => "as it is",
            View::Decoded => "percent-decoded",
            View::Markup => "entities and script escapes decoded",
            View::Script => "comments and joined texts of script undone",
            View::Sql => "SQL comments and white space removed",
            View::Shell => "shell quoting removed",
            View::Path => "path normalised",
            View::Base64 => "Base64 decoded",
        }
    }
}

/// Marks in a text that say which steps could change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ByteKinds(u16);

impl ByteKinds {
    const AMPERSAND: u16 = 8;
    const BACKSLASH: u16 = 16;
    const QUOTE: u16 = 64;
    const SHELL: u16 = 128;
    const SLASH: u16 = 256;
    const CONTROL: u16 = 512;
    const COMMENT: u16 = 1024;
    const MARKUP: u16 = 2048;

    /// One pass over the text.
    fn of(text: &str) -> Self {
        ByteKinds(text.bytes().fold(0, |kinds, byte| kinds | BYTE_KINDS[usize::from(byte)]))
    }

    fn any(self, of: u16) -> bool {
        self.0 & of != 0
    }
}

static BYTE_KINDS: [u16; 256] = kinds();

const fn kinds() -> [u16; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'&' => ByteKinds::AMPERSAND,
            b'\\' => ByteKinds::BACKSLASH,
            b'\'' | b'"' | b'`' => ByteKinds::QUOTE,
            b'$' | b'^' | b'{' => ByteKinds::SHELL,
            b'/' => ByteKinds::SLASH,
            0..=31 | 127 => ByteKinds::CONTROL,
            b'*' | b'#' | b'-' => ByteKinds::COMMENT,
            b'<' | b'>' | b':' => ByteKinds::MARKUP,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

/// Whether a decoded text can have views that show something else: quick, and true too often rather than never.
pub fn has_views(decoded: &str, present: &Present) -> bool {
    // Without branches, so that many are compared at once.
    let is_pair = |a: u8, b: u8| {
        (a == b'/' && (b == b'/' || b == b'.' || b == b'*'))
            | (a == b && (a == b'-' || a == b' ' || a == b'.'))
            | (a == b'&' && b == b'#')
    };
    present.has_any(b"'\"`\\$^{")
        || present.has_control()
        || present.has(b'&') && present.has(b';')
        || decoded.as_bytes().windows(2).fold(false, |any, pair| any | is_pair(pair[0], pair[1]))
}

/// Other views of a decoded text, as far as its characters can need them; those that change nothing are left out.
pub fn views(decoded: &str, visit: &mut impl FnMut(View, &str)) {
    let kinds = ByteKinds::of(decoded);
    let has = |text: &str| memmem::find(decoded.as_bytes(), text.as_bytes()).is_some();
    let mut give = |view: View, text: Option<String>| {
        if let Some(text) = text.filter(|text| text != decoded) {
            visit(view, &text);
        }
    };
    if kinds.any(ByteKinds::AMPERSAND | ByteKinds::BACKSLASH)
        || kinds.any(ByteKinds::CONTROL) && kinds.any(ByteKinds::MARKUP)
    {
        give(View::Markup, Some(markup(decoded)));
    }
    if kinds.any(ByteKinds::CONTROL) || kinds.any(ByteKinds::COMMENT) && (has("/*") || has("*/")) || has("  ") {
        give(View::Sql, sql(decoded));
    }
    if kinds.any(ByteKinds::QUOTE) || kinds.any(ByteKinds::COMMENT) && has("/*") {
        give(View::Script, script(decoded));
    }
    if kinds.any(ByteKinds::QUOTE | ByteKinds::BACKSLASH | ByteKinds::SHELL) {
        give(View::Shell, Some(shell(decoded)));
    }
    if kinds.any(ByteKinds::BACKSLASH) || kinds.any(ByteKinds::SLASH) && (has("//") || has("/.") || has("..")) {
        give(View::Path, Some(path(decoded)));
    }
}

const ENTITIES: [(&str, char); 22] = [
    ("lt", '<'),
    ("gt", '>'),
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("colon", ':'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("tab", '\t'),
    ("newline", '\n'),
    ("lpar", '('),
    ("rpar", ')'),
    ("comma", ','),
    ("period", '.'),
    ("equals", '='),
    ("semi", ';'),
    ("grave", '`'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("dollar", '$'),
    ("num", '#'),
];

/// A character that an entity at the start of the text (behind its `&`) stands for, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix, before) = match number.strip_prefix('x') {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let length = digits.bytes().take_while(|digit| (*digit as char).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..length)?.trim_start_matches('0'), radix).ok()?;
        let end = before + length;
        let semicolon = usize::from(text.as_bytes().get(end) == Some(&b';'));
        return char::from_u32(code).map(|character| (character.to_ascii_lowercase(), end + semicolon));
    }
    let (name, character) =
        ENTITIES.iter().find(|(name, _)| text.starts_with(name) && text.as_bytes().get(name.len()) == Some(&b';'))?;
    Some((*character, name.len() + 1))
}

/// A character that an escape at the start of the text (behind its backslash) stands for, and the escape's length.
fn script_escape(text: &str) -> Option<(char, usize)> {
    let code = |from: usize, most: usize, least: usize, radix: u32| {
        let digits = text.get(from..)?;
        let length = digits.bytes().take(most).take_while(|digit| (*digit as char).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..length).filter(|_| length >= least)?, radix).ok()?;
        Some((char::from_u32(code)?.to_ascii_lowercase(), from + length))
    };
    match text.bytes().next()? {
        b'x' => code(1, 2, 2, 16),
        b'u' if text.as_bytes().get(1) == Some(&b'{') => {
            let (character, end) = code(2, 6, 1, 16)?;
            (text.as_bytes().get(end) == Some(&b'}')).then_some((character, end + 1))
        }
        b'u' => code(1, 4, 4, 16),
        b'0'..=b'7' => match code(0, 3, 2, 8) {
            // CSS: up to six hexadecimal digits and a space.
            Some((character, _)) if !character.is_ascii_alphanumeric() && text.starts_with("00") => code(0, 6, 2, 16),
            found => found,
        },
        _ => None,
    }
}

/// Entities, escapes of scripts and style sheets, and no control characters.
fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        let found = match character {
            '&' => entity(after),
            '\\' => script_escape(after),
            _ => None,
        };
        match found {
            Some((character, length)) => {
                if !character.is_control() {
                    out.push(character);
                }
                rest = &after[length..];
            }
            None => {
                // A backslash before a letter that is no escape is nothing: `ja\vascript`.
                let is_nothing = character.is_control()
                    || character == '\\' && after.bytes().next().is_some_and(|next| next.is_ascii_alphanumeric());
                if !is_nothing {
                    out.push(character);
                }
                rest = after;
            }
        }
    }
    out
}

/// `/* … */` and line comments that end are one space, as is every run of white space. What stands in `/*! … */` is
/// kept: servers run it. `None` where there is nothing of the kind.
fn sql(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut start = 0;
    let space = |out: &mut String| {
        if !out.ends_with(' ') {
            out.push(' ');
        }
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"/*!") {
            3 + rest.iter().skip(3).take_while(|byte| byte.is_ascii_digit()).count()
        } else if rest.starts_with(b"/*") {
            memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4)
        } else if rest.starts_with(b"*/") {
            2
        } else if rest.starts_with(b"--") || rest[0] == b'#' {
            match memchr(b'\n', rest) {
                Some(end) => end + 1,
                None => {
                    at += 1;
                    continue;
                }
            }
        } else if rest[0].is_ascii_whitespace() || rest[0] == 0 || rest[0] == 0x0B {
            rest.iter().take_while(|byte| byte.is_ascii_whitespace() || matches!(**byte, 0 | 0x0B)).count()
        } else {
            at += 1;
            continue;
        };
        out.push_str(&text[start..at]);
        space(&mut out);
        at += end;
        start = at;
    }
    if start == 0 {
        return None;
    }
    out.push_str(&text[start..]);
    Some(out)
}

/// Forms of the variable that holds a blank.
const BLANKS: [&str; 4] = ["${ifs}", "$ifs$9", "$ifs", "${ifs%??}"];
/// Variables that are empty where nobody set them.
const NOTHINGS: [&str; 6] = ["$@", "$*", "$!", "${@}", "${*}", "$()"];

/// What a shell reads: quotes and backslashes go, empty variables too, `{a,b}` is `a b`.
fn shell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let has_braces = memchr(b'{', text.as_bytes()).is_some();
    while let Some(character) = rest.chars().next() {
        if character == '$' {
            if let Some(blank) = BLANKS.iter().find(|blank| rest.starts_with(**blank)) {
                out.push(' ');
                rest = &rest[blank.len()..];
                continue;
            }
            if let Some(nothing) = NOTHINGS.iter().find(|nothing| rest.starts_with(**nothing)) {
                rest = &rest[nothing.len()..];
                continue;
            }
            // The first character of PATH, PWD and HOME is a slash.
            let slash = ["${path:0:1}", "${pwd:0:1}", "${home:0:1}", "${path%%u*}"];
            if let Some(slash) = slash.iter().find(|slash| rest.starts_with(**slash)) {
                out.push('/');
                rest = &rest[slash.len()..];
                continue;
            }
            if let Some(digit) = rest.as_bytes().get(1).filter(|digit| digit.is_ascii_digit()) {
                rest = &rest[1 + usize::from(digit.is_ascii_digit())..];
                continue;
            }
        }
        match character {
            '\'' | '"' | '\\' | '^' => {}
            '{' if braces(rest) => out.push(' '),
            ',' if has_braces && out.ends_with(|last: char| last.is_ascii_alphanumeric()) => out.push(' '),
            other => out.push(other),
        }
        rest = &rest[character.len_utf8()..];
    }
    out
}

/// Longest brace list that is read, in bytes.
const BRACES_BYTES_MAX: usize = 512;

/// A brace list: `{cat,/etc/passwd}`. `text` begins with its brace.
fn braces(text: &str) -> bool {
    let inside = &text.as_bytes()[1..text.len().min(BRACES_BYTES_MAX)];
    let Some(end) = memchr::memchr3(b'}', b'{', b':', inside).filter(|end| inside[*end] == b'}') else { return false };
    let inside = &inside[..end];
    inside.first().is_some_and(u8::is_ascii_alphabetic) && inside.contains(&b',') && !inside.contains(&b'"')
}

/// One kind of slash; no empty segments, no `.` segments, no parameters, no blanks and dots at the ends of segments.
fn path(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, segment) in text.split(['/', '\\']).enumerate() {
        if at > 0 && !out.ends_with('/') {
            out.push('/');
        }
        let dots = segment.split(';').next().unwrap_or("");
        let dots = dots.trim_end_matches([' ', '\0', '\t']);
        match dots {
            "." => {}
            ".." => out.push_str(".."),
            // `..;/` and `.. /` climb; any other parameter is kept, for it is part of a value.
            _ => out.push_str(segment),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(text: &str, wanted: View) -> Option<String> {
        let mut found = None;
        views(&decode(text, true), &mut |view, text| {
            if view == wanted {
                found = Some(text.to_owned());
            }
        });
        found
    }

    #[test]
    fn encodings_are_undone_to_a_fixpoint() {
        for (written, meant) in [
            ("plain", "plain"),
            ("UNION+Select", "union select"),
            ("%2527%20or", "' or"),
            ("%25252e%25252E/", "../"),
            ("%u0027%uff07", "''"),
            ("%c0%af%e0%80%af%f0%80%80%af", "///"),
            ("%c1%9c%c0%ae", "\\."),
            ("%ef%bc%9cscript%ef%bc%9e", "<script>"),
            ("se%E2%80%8Blect", "select"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("a%a0b", "a b"),
            ("1%2b1", "1+1"),
            ("O%E2%80%99Brien", "o'brien"),
        ] {
            assert_eq!(decode(written, true), meant, "{written}");
        }
    }

    #[test]
    fn views_undo_what_interpreters_undo() {
        for (wanted, written, meant) in [
            (View::Markup, "&#x3c;script&#62;", "<script>"),
            (View::Markup, "java&Tab;script&colon;alert(1)", "javascript:alert(1)"),
            (View::Markup, "\\x3cimg\\u003e\\u{3e}", "<img>>"),
            (View::Markup, "java\tscript:x", "javascript:x"),
            (View::Sql, "union/**/select", "union select"),
            (View::Sql, "/*!50000union*/ select", " union select"),
            (View::Sql, "1--x%0aunion  %0b select", "1 union select"),
            (View::Shell, "c''at${IFS}/etc\\/pas\"swd\"", "cat /etc/passwd"),
            (View::Shell, "{cat,/etc/passwd}", " cat /etc/passwd}"),
            (View::Shell, "w$@hoam$1i", "whoami"),
            (View::Path, "..\\..\\/./etc//passwd", "../../etc/passwd"),
            (View::Path, "/a/..;x=1/b", "/a/../b"),
        ] {
            assert_eq!(view(written, wanted).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(view("a plain text", View::Sql), None);
    }

    #[test]
    fn base64_is_read_where_it_holds_text() {
        let found = |text: &str| {
            let mut found = Vec::new();
            base64(text, &mut |text| found.push(text.to_owned()));
            found
        };
        assert_eq!(found("x=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="), ["<script>alert(1)</script>"]);
        assert_eq!(found("d2hvYW1pOyBjYXQgL2V0Yy9wYXNzd2Q"), ["whoami; cat /etc/passwd"]);
        assert_eq!(found("token=9f8e7d6c5b4a39281706f5e4d3c2b1a0"), Vec::<String>::new());
        assert_eq!(found("short=PHM+"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_without_growing(text in "\\PC{0,60}", bytes in "(%[0-9a-f]{2}|%u[0-9a-f]{4}|[a-z&#\\\\$'{}/.;*-]){0,40}") {
            for text in [text, bytes] {
                let decoded = decode(&text, true);
                prop_assert!(decoded.len() <= text.len() * 3);
                views(&decoded, &mut |_, _| {});
                base64(&text, &mut |_| {});
            }
        }
    }
}
