//! Words of a shell as it reads them: quotes and backslashes are taken away, empty variables and substitutions are
//! nothing, `${x:-cat}` is `cat`, `$'\x63at'` is `cat`. The text is in lower case, its encodings undone. Nothing is
//! looked up here, and nothing is judged.

/// Bytes of a text that one word is read from, at most.
const WORD_MAX: usize = 256;

/// How a word was written, other than plainly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Empty variables, substitutions or quotes stand inside of it, or letters as escapes: nobody writes so by accident.
    pub(crate) hidden: bool,
    /// Quotes or backslashes stand inside of it.
    pub(crate) quoted: bool,
    /// It begins with a quote.
    pub(crate) opens: bool,
    /// It has `?`, `*` or `[…]`.
    pub(crate) glob: bool,
    /// A letter of it stands in brackets, beside others: `[p]asswd`.
    pub(crate) bracket: bool,
    /// It has a variable or substitution that may hold anything.
    pub(crate) variable: bool,
    /// It has a quote that does not end, or characters that are no name's.
    pub(crate) broken: bool,
    /// A bracket follows at once, as behind the name of a function.
    pub(crate) call: bool,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShellWord {
    /// What the shell makes of it, as far as that is known.
    pub(crate) text: String,
    /// Where it ends in the text that it was read from; a variable that holds a blank belongs to it.
    pub(crate) end: usize,
    pub(crate) written: Written,
    /// A variable that holds a blank ended it.
    pub(crate) blank_variable: bool,
}

/// How much of `$name` is the name of a variable: all letters, or one where the writer meant `$u` before other letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Whole,
    OneLetter,
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0B | 0x0C | 0)
}

pub(crate) fn is_separator(byte: u8) -> bool {
    matches!(byte, b';' | b'|' | b'&' | b'\n' | b'\r')
}

/// The word that begins at a place of the text.
pub(crate) fn word(text: &str, at: usize, names: Names) -> ShellWord {
    let mut reader = Reader { bytes: text.as_bytes(), at, quote: None, out: ShellWord::default(), names };
    let limit = text.len().min(at + WORD_MAX);
    while reader.at < limit && reader.step() {}
    let mut word = reader.out;
    word.end = reader.at.min(text.len());
    word.written.call = text.as_bytes().get(word.end) == Some(&b'(');
    word
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The quote that is open.
    quote: Option<u8>,
    out: ShellWord,
    names: Names,
}

impl Reader<'_> {
    fn byte(&self, offset: usize) -> u8 {
        self.bytes.get(self.at + offset).copied().unwrap_or(0)
    }

    fn push(&mut self, byte: u8) {
        if byte.is_ascii() {
            self.out.text.push(char::from(byte));
        } else {
            self.out.written.broken = true;
        }
        self.at += 1;
    }

    /// Leaves out some bytes that the shell makes nothing of.
    fn nothing(&mut self, length: usize) {
        // Inside of a word, or before its first letter.
        let next = self.bytes.get(self.at + length).copied().unwrap_or(b' ');
        self.out.written.hidden |= next.is_ascii_alphanumeric() || !self.out.text.is_empty();
        self.at += length;
    }

    /// Reads on; false at the end of the word.
    fn step(&mut self) -> bool {
        let byte = self.byte(0);
        match byte {
            _ if is_blank(byte) || is_separator(byte) => return false,
            b'<' | b'>' | b')' | b'}' | b'(' | b'#' => return false,
            b'\'' | b'"' => return self.quote(byte),
            b'\\' => self.backslash(),
            b'$' => return self.dollar(),
            b'`' if self.byte(1) == b'`' => self.nothing(2),
            b'`' => return false,
            b'[' => self.bracket(),
            b'?' | b'*' => {
                self.out.written.glob = true;
                self.push(byte);
            }
            b'{' if self.byte(1) == b'}' => {
                self.push(byte);
                self.push(b'}');
            }
            b'{' => {
                self.out.written.broken = true;
                self.push(byte);
            }
            other => self.push(other),
        }
        true
    }

    /// A quote that ends within the word is nothing; one that does not ends it.
    fn quote(&mut self, quote: u8) -> bool {
        if self.quote == Some(quote) {
            self.quote = None;
            let next = self.byte(1);
            // `''` at the end of a word is as good as nothing, too.
            self.out.written.quoted |= next.is_ascii_alphanumeric() || next == quote;
            self.at += 1;
            return true;
        }
        let rest = &self.bytes[self.at + 1..];
        let ends = rest.iter().take(WORD_MAX).position(|byte| is_blank(*byte) || is_separator(*byte) || *byte == quote);
        let closes = ends.is_some_and(|end| rest[end] == quote);
        if self.quote.is_none() && closes {
            self.quote = Some(quote);
            self.out.written.opens |= self.out.text.is_empty();
            self.out.written.quoted |= !self.out.text.is_empty();
            self.at += 1;
            return true;
        }
        if self.out.text.is_empty() && self.quote.is_none() {
            // It opens a text of several words.
            self.out.written.opens = true;
            self.at += 1;
            return true;
        }
        self.out.written.broken |= rest.first().is_some_and(u8::is_ascii_alphanumeric);
        false
    }

    /// `[p]` is one letter, `[a-z]` any.
    fn bracket(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let ends = rest.iter().take(24).position(|byte| *byte == b']' || is_blank(*byte) || is_separator(*byte));
        let Some(length) = ends.filter(|end| rest[*end] == b']' && *end > 0) else {
            self.push(b'[');
            return;
        };
        let next = rest.get(length + 1).copied().unwrap_or(0);
        self.out.written.glob = true;
        self.out.written.bracket |=
            next.is_ascii_alphanumeric() || self.out.text.ends_with(|last: char| last.is_ascii_alphanumeric());
        let one = if length == 1 { rest[0] } else { b'?' };
        self.push(one);
        self.at += length + 1;
    }

    fn backslash(&mut self) {
        let next = self.byte(1);
        if next == b'\n' || next == b'\r' {
            self.nothing(2);
        } else if next.is_ascii_alphanumeric() {
            self.out.written.quoted = true;
            self.at += 1;
            self.push(next);
        } else {
            // The character behind it stands for itself.
            self.at += 1;
            if !is_blank(next) && self.at < self.bytes.len() {
                self.push(next);
            }
        }
    }

    fn dollar(&mut self) -> bool {
        match self.byte(1) {
            b'\'' => self.escapes(),
            b'"' => self.at += 1,
            b'(' if self.byte(2) == b')' => self.nothing(3),
            b'(' => {
                self.out.written.variable = true;
                return false;
            }
            b'{' => return self.braces(),
            b'@' | b'*' | b'!' | b'-' | b'#' | b'?' | b'$'
                if !self.out.text.is_empty() || self.byte(2).is_ascii_alphanumeric() =>
            {
                self.nothing(2);
            }
            digit if digit.is_ascii_digit() => {
                // `$5` alone is a price.
                self.out.written.hidden |= !self.out.text.is_empty() && self.byte(2).is_ascii_alphanumeric();
                self.out.written.variable = true;
                self.at += 2;
            }
            first if first.is_ascii_alphabetic() || first == b'_' => return self.name(),
            _ => self.push(b'$'),
        }
        true
    }

    /// `$name`: nobody has set it, so that it is nothing.
    fn name(&mut self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let whole = rest.iter().take(WORD_MAX).take_while(is_part).count();
        if rest.starts_with(b"ifs") {
            let tail =
                rest.get(3..5).is_some_and(|tail| tail[0] == b'$' && (tail[1].is_ascii_digit() || tail[1] == b'@'));
            self.at += if tail { 6 } else { 4 };
            return self.blank();
        }
        let length = if self.names == Names::Whole { whole } else { 1 };
        let next = rest.get(length).copied().unwrap_or(0);
        let is_inside = !self.out.text.is_empty() && (next.is_ascii_alphanumeric() || matches!(next, b'$' | b'/'));
        self.out.written.hidden |= is_inside;
        self.out.written.variable = true;
        self.at += 1 + length;
        true
    }

    fn blank(&mut self) -> bool {
        self.out.blank_variable = true;
        self.out.written.hidden = true;
        false
    }

    /// `${name}` and what may stand in it.
    fn braces(&mut self) -> bool {
        let rest = &self.bytes[self.at + 2..];
        let Some(end) = rest.iter().take(64).position(|byte| *byte == b'}') else {
            self.out.written.broken = true;
            self.at += 2;
            return true;
        };
        let inside = &rest[..end];
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'@' | b'*' | b'#' | b'!');
        let name = inside.iter().take_while(is_part).count();
        let (name, operator) = inside.split_at(name);
        if name == b"ifs" {
            self.at += 3 + end;
            return self.blank();
        }
        match operator {
            [b':', b'-' | b'=' | b'+', given @ ..] | [b'-' | b'=', given @ ..] if !name.is_empty() => {
                self.out.written.hidden = true;
                let given: String = given.iter().filter(|byte| byte.is_ascii()).map(|byte| char::from(*byte)).collect();
                self.out.text.push_str(&given);
            }
            [b':', first, ..] if first.is_ascii_digit() && matches!(name, b"path" | b"pwd" | b"home" | b"shell") => {
                self.out.written.hidden = true;
                // The first character of these is a slash.
                self.out.text.push('/');
            }
            [] | [b':' | b'%' | b'/' | b'^' | b'@' | b'[', ..] if !name.is_empty() => {
                let next = rest.get(end + 1).copied().unwrap_or(0);
                let is_inside = next.is_ascii_alphanumeric() || !operator.is_empty() || next == b'$';
                self.out.written.hidden |= !self.out.text.is_empty() && is_inside || !operator.is_empty();
                self.out.written.variable = true;
            }
            _ => self.out.written.broken = true,
        }
        self.at += 3 + end;
        true
    }

    /// `$'\x63at'`: characters as numbers.
    fn escapes(&mut self) {
        self.at += 2;
        let end = (self.at + WORD_MAX).min(self.bytes.len());
        self.out.written.hidden = true;
        while self.at < end && self.byte(0) != b'\'' {
            if self.byte(0) != b'\\' {
                let byte = self.byte(0);
                self.push(byte);
                continue;
            }
            let (radix, skip, most) = match self.byte(1) {
                b'x' => (16, 2, 2),
                b'u' => (16, 2, 4),
                b'0'..=b'7' => (8, 1, 3),
                _ => {
                    self.at += 2;
                    continue;
                }
            };
            let digits = &self.bytes[(self.at + skip).min(end)..end];
            let digit = |byte: &u8| char::from(*byte).to_digit(radix);
            let count = digits.iter().take(most).take_while(|byte| digit(byte).is_some()).count();
            let code = digits[..count].iter().filter_map(digit).fold(0, |code, digit| code * radix + digit);
            if let Some(character) = char::from_u32(code).filter(|character| matches!(character, ' '..='~')) {
                self.out.text.push(character.to_ascii_lowercase());
            }
            self.at += skip + count;
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_what_the_shell_makes_of_them() {
        for (written, meant) in [
            ("wget x", "wget"),
            ("w'ge't x", "wget"),
            ("\"wget\" x", "wget"),
            ("\"wget x\"", "wget"),
            ("w\\get", "wget"),
            ("wg\\\net", "wget"),
            ("w$@get$*", "wget"),
            ("w${x}get", "wget"),
            ("w$()ge``t", "wget"),
            ("cat$ifs$9/etc", "cat"),
            ("cat${ifs}/etc", "cat"),
            ("${x:-cat} y", "cat"),
            ("$'\\x63\\141t' y", "cat"),
            ("/bin/[c]at", "/bin/cat"),
            ("${path:0:1}bin${home:0:1}id", "/bin/id"),
            ("wget;x", "wget"),
            ("wget)", "wget"),
        ] {
            assert_eq!(word(written, 0, Names::Whole).text, meant, "{written}");
        }
        assert_eq!(word("u$nname", 0, Names::OneLetter).text, "uname");
        assert!(word("cat's", 0, Names::Whole).written.broken);
        assert!(!word("cat'", 0, Names::Whole).written.broken);
        assert!(word("i$@d", 0, Names::Whole).written.hidden);
        assert!(!word("id", 0, Names::Whole).written.hidden);
    }

    proptest! {
        #[test]
        fn no_word_goes_backwards_or_past_the_end(text in "([a-z'\"\\\\$({})`|;<>?*\\[\\] é]|\\$\\{|\\$'\\\\x6|\\$\\()[\\PC]{0,40}", at in 0usize..20) {
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            for names in [Names::Whole, Names::OneLetter] {
                let read = word(&text, at, names);
                prop_assert!(read.end >= at && read.end <= text.len());
            }
        }
    }
}
