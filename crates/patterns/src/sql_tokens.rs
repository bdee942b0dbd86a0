//! SQL as tokens: what a server would read, comments left out. The text is in lower case, its encodings undone.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Number,
    /// A quoted text, and whether it ends.
    Text(bool),
    Name(&'a str),
    /// `@x`, `@@version`, `:x`, `?`.
    Variable,
    /// `or`, `and`, `xor`, `||`, `&&`.
    Logic,
    /// `=`, `<`, `like`, `in`, `between` …
    Compare,
    Math(u8),
    Open,
    Close,
    Comma,
    Semicolon,
    /// Everything behind is nothing.
    Comment,
    Other,
}

const LOGIC: [&str; 3] = ["or", "and", "xor"];
const COMPARE: [&str; 10] = ["like", "rlike", "regexp", "in", "between", "is", "ilike", "glob", "sounds", "similar"];
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    /// The text behind a quote that may open anywhere: past its end.
    pub(super) fn skip_text(&mut self, quote: u8) -> bool {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            self.at += 1;
            if *byte == b'\\' {
                self.at += 1;
            } else if *byte == quote {
                // Two quotes are one of the text.
                if bytes.get(self.at) != Some(&quote) {
                    return true;
                }
                self.at += 1;
            }
        }
        self.at = bytes.len();
        false
    }

    fn take_while(&mut self, of: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| of(**byte)).count();
        self.text.get(start..self.at).unwrap_or("")
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let first = *rest.first()?;
            let second = rest.get(1).copied().unwrap_or(0);
            match (first, second) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C, _) => self.at += 1,
                (b'/', b'*') => match memchr::memmem::find(&rest[2..], b"*/") {
                    // What stands in `/*!50000 … */` is run.
                    Some(_) if rest.get(2) == Some(&b'!') => {
                        self.at += 3;
                        self.take_while(|byte| byte.is_ascii_digit());
                    }
                    Some(end) => self.at += end + 4,
                    None => return self.one(2, Token::Comment),
                },
                (b'*', b'/') => self.at += 2,
                (b'-', b'-') | (b'#', _) | (0, _) => {
                    // A line comment ends with its line.
                    match memchr::memchr(b'\n', rest) {
                        Some(end) if first != 0 => self.at += end + 1,
                        _ => return self.one(2.min(rest.len()), Token::Comment),
                    }
                }
                _ => return self.token(first, second),
            }
        }
    }

    fn one(&mut self, length: usize, token: Token<'a>) -> Option<Token<'a>> {
        self.at += length;
        Some(token)
    }

    fn token(&mut self, first: u8, second: u8) -> Option<Token<'a>> {
        match (first, second) {
            (b'|', b'|') | (b'&', b'&') => self.one(2, Token::Logic),
            (b'<' | b'>' | b'!' | b':', b'=') | (b'<', b'>') => {
                let longer = usize::from(self.rest().get(2) == Some(&b'>'));
                self.one(2 + longer, Token::Compare)
            }
            (b'=' | b'<' | b'>', _) => self.one(1, Token::Compare),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'~' | b'!', _) => self.one(1, Token::Math(first)),
            (b'(', _) => self.one(1, Token::Open),
            (b')', _) => self.one(1, Token::Close),
            (b',', _) => self.one(1, Token::Comma),
            (b';', _) => self.one(1, Token::Semicolon),
            (b'\'' | b'"', _) => {
                self.at += 1;
                let ends = self.skip_text(first);
                Some(Token::Text(ends))
            }
            (b'`', _) => {
                self.at += 1;
                let name = self.take_while(|byte| byte != b'`');
                self.one(1, Token::Name(name))
            }
            (b'@' | b'?', _) => {
                self.at += 1;
                self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_' | b'.'));
                Some(Token::Variable)
            }
            (b'0', b'x') => {
                self.at += 2;
                self.take_while(|byte| byte.is_ascii_hexdigit());
                Some(Token::Number)
            }
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => {
                self.take_while(|byte| byte.is_ascii_digit() || byte == b'.');
                if self.rest().first() == Some(&b'e') && self.rest().get(1).is_some_and(u8::is_ascii_digit) {
                    self.at += 1;
                    self.take_while(|byte| byte.is_ascii_digit());
                }
                Some(Token::Number)
            }
            _ if is_word(first) => {
                let word = self.take_while(|byte| is_word(byte) || byte.is_ascii_digit() || byte == b'.');
                Some(match word {
                    word if LOGIC.contains(&word) => Token::Logic,
                    word if COMPARE.contains(&word) => Token::Compare,
                    word => Token::Name(word),
                })
            }
            _ => self.one(1, Token::Other),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}
