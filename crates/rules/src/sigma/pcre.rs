//! Regular expressions as rules write them (PCRE) in the words of the engine that runs them: what only PCRE reads so is
//! written out, what the engine cannot do is refused by name. What neither reads is left to the engine to refuse.

use crate::sigma::modifier::RegexFlags;

/// End of the text, or before a line feed that ends it.
const END: &str = "(?:\\n?\\z)";
/// Line ends of PCRE's `\R`.
const LINE_END: &str = "(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])";

const LOOK_AROUND: &str = "look-around is not supported: split the rule into two selections, one of them negated";
const BACK_REFERENCE: &str = "back-references are not supported: write out what may stand there";
const RECURSION: &str = "recursion is not supported: write the inner expression out";

/// Beginnings of groups that are refused.
static GROUPS: &[(&str, &str)] = &[
    ("(?=", LOOK_AROUND),
    ("(?!", LOOK_AROUND),
    ("(?<=", LOOK_AROUND),
    ("(?<!", LOOK_AROUND),
    ("(?P=", BACK_REFERENCE),
    ("(?P>", RECURSION),
    ("(?R", RECURSION),
    ("(?&", RECURSION),
    ("(?+", RECURSION),
    ("(?>", "atomic groups are not supported: write `(?:`"),
    ("(?|", "groups that share their numbers are not supported: write `(?:`"),
    ("(?(", "conditions inside are not supported: write one selection for each case"),
    ("(?C", "callouts are not supported: leave it out"),
    ("(?'", "this form of a name is not supported: write `(?<name>`"),
    ("(*", "verbs are not supported: leave it out"),
];

/// Letters behind a backslash that are refused, outside and inside of classes.
static ESCAPES: &[(char, &str)] = &[
    ('k', BACK_REFERENCE),
    ('g', BACK_REFERENCE),
    ('K', "`\\K` is not supported: leave it out, what is found is not cut"),
    ('G', "`\\G` is not supported: leave it out, each value is searched once"),
    ('X', "`\\X` is not supported: write `.`"),
    ('C', "`\\C` is not supported: write `.`"),
    ('Q', "`\\Q` is not supported: write a backslash before each sign"),
    ('c', "control characters are written `\\x01`"),
    ('o', "octal numbers are not supported: write `\\x41`"),
    ('0', "octal numbers are not supported: write `\\x00`"),
];

/// What holds up to the end of a group.
#[derive(Clone, Copy)]
struct Modes {
    multi_line: bool,
    /// Blanks and comments mean nothing.
    extended: bool,
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    modes: Modes,
    /// Those around the open groups.
    outer: Vec<Modes>,
    /// What stands last is a repeat.
    after_repeat: bool,
}

/// The expression in the syntax of the engine; else what of it is not supported, and what to write.
pub(crate) fn translate(written: &str, flags: RegexFlags) -> Result<String, String> {
    let modes = Modes { multi_line: flags.multi_line, extended: false };
    let out = String::with_capacity(written.len() + 8);
    let mut translator = Translator { rest: written, out, modes, outer: Vec::new(), after_repeat: false };
    while let Some(character) = translator.rest.chars().next() {
        translator.next(character)?;
    }
    Ok(translator.out)
}

/// The next character of a text, with what is escaped by a backslash, in bytes.
fn length(text: &str) -> usize {
    let mut characters = text.chars();
    let first = characters.next();
    let escaped = first.filter(|first| *first == '\\').and_then(|_| characters.next());
    first.map_or(0, char::len_utf8) + escaped.map_or(0, char::len_utf8)
}

impl<'a> Translator<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn copy(&mut self, bytes: usize) {
        let taken = self.take(bytes);
        self.out.push_str(taken);
    }

    /// Writes something else in place of so many bytes.
    fn put(&mut self, bytes: usize, instead: &str) {
        self.take(bytes);
        self.out.push_str(instead);
    }

    fn next(&mut self, character: char) -> Result<(), String> {
        let after_repeat = std::mem::take(&mut self.after_repeat);
        match character {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => self.group()?,
            ')' => {
                self.modes = self.outer.pop().unwrap_or(self.modes);
                self.copy(1);
            }
            '$' if !self.modes.multi_line => self.put(1, END),
            '#' if self.modes.extended => self.copy(self.rest.find('\n').unwrap_or(self.rest.len())),
            '+' if after_repeat => {
                return Err("possessive repeats such as `a++` are not supported: leave the last `+` out".to_owned());
            }
            '*' if after_repeat => return Err("a `*` cannot repeat a repeat: leave one of them out".to_owned()),
            '*' | '+' | '?' => {
                self.after_repeat = true;
                self.copy(1);
            }
            '{' => self.brace(),
            other => self.copy(other.len_utf8()),
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,5}` and `{,5}` are repeats, any other brace is itself.
    fn brace(&mut self) {
        let inside = self.rest[1..].split_once('}').map_or("", |(inside, _)| inside);
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(least) || !is_number(most) || least.is_empty() && most.is_empty() {
            return self.put(1, "\\{");
        }
        self.after_repeat = true;
        if least.is_empty() {
            self.put(1, "{0");
            return self.copy(inside.len() + 1);
        }
        self.copy(inside.len() + 2);
    }

    fn escape(&mut self) -> Result<(), String> {
        let bytes = length(self.rest);
        let letter = self.rest[1..].chars().next().unwrap_or('\\');
        if let '1'..='9' = letter {
            return Err(BACK_REFERENCE.to_owned());
        }
        refuse(letter)?;
        match letter {
            'Z' => self.put(bytes, END),
            'R' => self.put(bytes, LINE_END),
            'N' => self.put(bytes, "[^\\n]"),
            'h' => self.put(bytes, "[\\t\\p{Zs}]"),
            'H' => self.put(bytes, "[^\\t\\p{Zs}]"),
            _ => self.single(),
        }
        Ok(())
    }

    /// An escaped character that means the same inside of classes and outside.
    fn single(&mut self) {
        let bytes = length(self.rest);
        match self.rest[1..].chars().next() {
            Some('e') => self.put(bytes, "\\x1B"),
            // These are word boundaries for the engine.
            Some('<' | '>') => self.copy_bare(bytes),
            Some(other) if !other.is_ascii() => self.copy_bare(bytes),
            Some('x' | 'p' | 'P') if self.rest[bytes..].starts_with('{') => {
                self.copy(self.rest.find('}').map_or(bytes, |end| end + 1));
            }
            _ => self.copy(bytes),
        }
    }

    /// What is escaped, without the backslash.
    fn copy_bare(&mut self, bytes: usize) {
        self.take(1);
        self.copy(bytes - 1);
    }

    fn group(&mut self) -> Result<(), String> {
        let refused = GROUPS.iter().find(|(start, _)| self.rest.starts_with(start));
        if let Some((start, reason)) = refused {
            return Err(format!("`{start}`: {reason}"));
        }
        let Some(inside) = self.rest.strip_prefix("(?") else {
            self.outer.push(self.modes);
            self.copy(1);
            return Ok(());
        };
        if let Some((comment, _)) = inside.strip_prefix('#').and_then(|inside| inside.split_once(')')) {
            self.take(comment.len() + 4);
            return Ok(());
        }
        if inside.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit()) {
            return Err(RECURSION.to_owned());
        }
        let letters = inside.find(|letter: char| !(letter.is_ascii_alphabetic() || letter == '-')).unwrap_or(0);
        let (flags, after_flags) = inside.split_at(letters);
        let outer = self.modes;
        let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
        // `(?P<name>` has a letter that is no flag.
        if after_flags.starts_with([':', ')']) {
            let mode = |letter: char, now: bool| (now || on.contains(letter)) && !off.contains(letter);
            self.modes = Modes { multi_line: mode('m', outer.multi_line), extended: mode('x', outer.extended) };
        }
        if after_flags.starts_with(')') {
            self.copy(2 + letters + 1);
        } else {
            self.outer.push(outer);
            self.copy(2 + letters);
        }
        Ok(())
    }

    /// A class, item by item: `[`, `&&`, `--` and `~~` are operators for the engine, and nothing special in PCRE.
    fn class(&mut self) -> Result<(), String> {
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        let mut is_first = true;
        loop {
            // Not closed: the engine tells.
            if self.rest.is_empty() {
                return Ok(());
            }
            if self.rest.starts_with(']') && !is_first {
                self.copy(1);
                return Ok(());
            }
            is_first = false;
            let takes_range = self.class_item()?;
            let end = self.rest.strip_prefix('-').filter(|end| takes_range && is_end_of_range(end));
            if end.is_some() {
                self.copy(1);
                self.class_item()?;
            }
        }
    }

    /// One character or named set of a class. Whether it can begin a range.
    fn class_item(&mut self) -> Result<bool, String> {
        if let Some(bytes) = named_class(self.rest) {
            self.copy(bytes);
            return Ok(false);
        }
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        if first != '\\' {
            let is_special = matches!(first, '[' | ']' | '&' | '~' | '-' | '^');
            // With the flag x the engine leaves blanks out of classes, PCRE does not.
            if is_special || self.modes.extended && (first == '#' || first.is_ascii_whitespace()) {
                self.out.push('\\');
            }
            self.copy(first.len_utf8());
            return Ok(true);
        }
        let bytes = length(self.rest);
        let letter = self.rest[1..].chars().next().unwrap_or('\\');
        if let '1'..='9' = letter {
            return Err("octal numbers are not supported: write `\\x41`".to_owned());
        }
        refuse(letter)?;
        match letter {
            'b' => self.put(bytes, "\\x08"),
            'h' => self.put(bytes, "\\t\\p{Zs}"),
            _ => self.single(),
        }
        Ok(!is_set(letter))
    }
}

fn refuse(letter: char) -> Result<(), String> {
    let refused = ESCAPES.iter().find(|(known, _)| *known == letter);
    refused.map_or(Ok(()), |(_, reason)| Err((*reason).to_owned()))
}

/// Letters behind a backslash that stand for several characters.
fn is_set(letter: char) -> bool {
    matches!(letter, 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P' | 'h' | 'H')
}

/// Whether a character begins there, and not the end of the class or a set.
fn is_end_of_range(text: &str) -> bool {
    let set = text.strip_prefix('\\').is_some_and(|rest| rest.starts_with(is_set));
    !text.is_empty() && !text.starts_with(']') && !set && named_class(text).is_none()
}

/// Bytes of `[:alpha:]` at the beginning of a text.
fn named_class(text: &str) -> Option<usize> {
    let (name, _) = text.strip_prefix("[:")?.split_once(":]")?;
    let is_name = name.strip_prefix('^').unwrap_or(name).bytes().all(|byte| byte.is_ascii_lowercase());
    (is_name && !name.is_empty()).then_some(name.len() + 4)
}

#[cfg(test)]
mod tests {
    use regex::RegexBuilder;

    use super::*;

    #[test]
    fn what_pcre_reads_otherwise_is_written_out() {
        for (pattern, yes, no) in [
            ("^[a&&b]z$", "&z", "cz"),
            ("^[a\\--b]z$", "_z", "cz"),
            ("^[+--]z$", ",z", "*z"),
            ("^[+--]z$", "-z", ".z"),
            ("^[--/]z$", ".z", "0z"),
            ("^[a-]z$", "-z", "bz"),
            ("^[-a]z$", "-z", "bz"),
            ("^[\\d-z]y$", "-y", "ay"),
            ("^[a-\\d]y$", "-y", "by"),
            ("^[a-[:digit:]]y$", "-y", "by"),
            ("^[a~~b]z$", "~z", "cz"),
            ("^[a^]z$", "^z", "bz"),
            ("^[[x]z$", "[z", "cz"),
            ("^[[:digit:]]z$", "4z", "az"),
            ("^[[:^digit:]]z$", "az", "4z"),
            ("^[]a]z$", "]z", "bz"),
            ("^[a\\]b]z$", "]z", "cz"),
            ("^[=:]z[xy]$", ":zx", "az"),
            ("^[[:digit:]:]z[x]$", ":zx", "az"),
            ("^[[:]z[x]$", ":zx", "az"),
            ("^[[]z[x]$", "[zx", "az"),
            ("^[^]]z[x]$", "azx", "]zx"),
            ("^[\\b]z$", "\x08z", "bz"),
            ("^[\\x41-\\x{43}]z$", "Bz", "Dz"),
            ("^(?x) a [ #] b # more [ (\n c$", "a bc", "abc"),
            ("\\$\\{jndi:{x", "${jndi:{x", "${jndi:x"),
            ("^a{,2}$", "aa", "aaa"),
            ("^a{2,}{x}$", "aaa{x}", "a{x}"),
            ("^a{}$", "a{}", "a"),
            ("^a\\b{start}", "a{start}", "a"),
            ("\\<a\\>", "<a>", "a"),
            ("\\é", "é", "e"),
            ("^a\\Rb\\hc\\Nd\\ee$", "a\r\nb\tc.d\x1Be", "a\r\nb\nc.d\x1Be"),
            ("^\\H$", "a", "\t"),
            ("^a(?#what (is this)b$", "ab", "aisb"),
            ("^(?<n>a)(?P<m>b)(?i:c)$", "abC", "abd"),
            ("^a+?b??c*?$", "aabc", "bc"),
        ] {
            let translated = translate(pattern, RegexFlags::default()).unwrap();
            let regex = RegexBuilder::new(&translated).build().unwrap_or_else(|error| panic!("{translated}: {error}"));
            assert!(regex.is_match(yes) && !regex.is_match(no), "{pattern} -> {translated}");
        }
    }

    #[test]
    fn the_end_is_also_before_a_line_feed_that_ends_the_text() {
        let fits = |pattern: &str, text: &str, multi_line: bool| {
            let flags = RegexFlags { multi_line, ..RegexFlags::default() };
            let translated = translate(pattern, flags).unwrap();
            RegexBuilder::new(&translated).multi_line(multi_line).build().unwrap().is_match(text)
        };
        for pattern in ["foo$", "(foo|bar)$", "foo\\Z", "(?m:^)foo$", "((?m)x)?foo$", "(?m)(?-m)foo$"] {
            for (text, expected) in [("foo", true), ("foo\n", true), ("foo\n\n", false), ("foo\nqux", false)] {
                assert_eq!(fits(pattern, text, false), expected, "{pattern} on {text:?}");
            }
        }
        for pattern in ["(?m)foo$", "(?m:foo$)", "(x|(?m)foo$)", "(?m)(?:foo)$"] {
            assert!(fits(pattern, "foo\nbar", false), "{pattern}");
        }
        assert!(fits("foo$", "foo\nbar", true) && !fits("(?-m)foo$", "foo\nbar", true));
        assert!(!fits("foo\\z", "foo\n", false) && fits("foo\\$", "foo$", false) && fits("foo[$]", "foo$", false));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (pattern, words) in [
            ("a(?=b)", "look-around"),
            ("a(?!b)", "look-around"),
            ("(?<=a)b", "look-around"),
            ("(?<!a)b", "look-around"),
            ("(a)\\1", "back-references"),
            ("(?<n>a)\\k<n>", "back-references"),
            ("(?P<n>a)(?P=n)", "back-references"),
            ("(a)\\g{1}", "back-references"),
            ("(?>a+)b", "atomic groups"),
            ("(?|a|b)", "share their numbers"),
            ("a(?R)?b", "recursion"),
            ("(a)(?1)", "recursion"),
            ("(a)(?-1)", "recursion"),
            ("(a)(?(1)b|c)", "conditions"),
            ("a++", "possessive"),
            ("a*+b", "possessive"),
            ("a?+", "possessive"),
            ("a{2}+", "possessive"),
            ("a**", "cannot repeat a repeat"),
            ("(*UTF8)a", "verbs"),
            ("a\\Kb", "`\\K`"),
            ("\\Qa.b\\E", "`\\Q`"),
            ("[\\12]", "octal"),
            ("\\012", "octal"),
        ] {
            let reason = translate(pattern, RegexFlags::default()).unwrap_err();
            assert!(reason.contains(words), "{pattern}: {reason}");
        }
        for pattern in ["[a(?=]", "\\(?=", "\\++", "[+]+", "[\\\\]++?"] {
            let refused = translate(pattern, RegexFlags::default()).is_err();
            assert_eq!(refused, pattern.ends_with("++?"), "{pattern}");
        }
    }

    proptest::proptest! {
        /// None makes it panic, and what is escaped finds itself.
        #[test]
        fn no_expression_is_too_strange(pattern in "[\\\\\\[\\](){}?*+$^|:#<>&~,.a-e0-3mx \u{e9}-]{0,16}") {
            let flags = RegexFlags::default();
            if let Ok(translated) = translate(&pattern, flags) {
                let _read = RegexBuilder::new(&translated).build().is_ok();
            }
            let escaped = regex::escape(&pattern);
            let translated = translate(&escaped, flags).unwrap();
            proptest::prop_assert!(RegexBuilder::new(&translated).build().unwrap().is_match(&pattern));
        }
    }
}
