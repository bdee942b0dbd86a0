//! SQL as tokens: what a server would read, comments left out. The text is in lower case, its encodings undone.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Number(&'a str),
    /// A quoted text, and whether it ends.
    Text(bool),
    Name(&'a str),
    /// `@x`, `@@version`, `:x`, `?`.
    Variable,
    /// `or`, `and`, `xor`, `||`, `&&`.
    Logic(&'a str),
    /// `=`, `<`, `like`, `in`, `between`, `->`, `@>` …
    Compare(&'a str),
    /// `::`, behind which a type stands.
    Cast,
    /// `:=`.
    Assign,
    Math(u8),
    Open,
    Close,
    Comma,
    Semicolon,
    /// Everything behind is nothing; true where nothing but blanks and signs stands there.
    Comment(bool),
    /// `{`.
    Brace,
    Other,
}

const LOGIC: [&str; 3] = ["or", "and", "xor"];
const COMPARE: [&str; 12] =
    ["like", "rlike", "regexp", "in", "between", "is", "ilike", "glob", "sounds", "similar", "overlaps", "member"];
/// Operators of several characters, the longer ones first.
const OPERATORS: [&str; 25] = [
    "<=>", "->>", "#>>", "!~*", "!~~", "~~*", "<=", ">=", "!=", "<>", "==", "^=", "!<", "!>", "->", "#>", "@>", "<@",
    "?|", "?&", "@?", "!~", "~*", "~~", "=*",
];

#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    /// The text behind a quote that may open anywhere: past its end. `escapes`: a backslash takes the quote behind it
    /// into the text.
    pub(super) fn skip_text(&mut self, quote: u8, escapes: bool) -> bool {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            self.at += 1;
            if *byte == b'\\' && escapes {
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
                // What stands in `/*!50000 … */` is run.
                (b'/', b'*') if rest.get(2) == Some(&b'!') => {
                    self.at += 3;
                    self.take_while(|byte| byte.is_ascii_digit());
                }
                (b'/', b'*') => match memchr::memmem::find(&rest[2..], b"*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.comment(2),
                },
                (b'*', b'/') => self.at += 2,
                (b'#', b'>') => return self.token(first, second),
                (b'-', b'-') | (b'#', _) | (0, _) => {
                    // A line comment ends with its line.
                    match memchr::memchr(b'\n', rest) {
                        Some(end) if first != 0 => self.at += end + 1,
                        _ => return self.comment(if first == b'-' { 2 } else { 1 }),
                    }
                }
                _ => return self.token(first, second),
            }
        }
    }

    fn comment(&mut self, length: usize) -> Option<Token<'a>> {
        self.at += length;
        let is_nothing = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'-' | b'+' | b'#' | b'*' | b'/' | 0);
        let clean = self.rest().iter().all(is_nothing);
        self.at = self.text.len();
        Some(Token::Comment(clean))
    }

    fn one(&mut self, length: usize, token: Token<'a>) -> Option<Token<'a>> {
        self.at += length;
        Some(token)
    }

    fn operator(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let known = OPERATORS.iter().find(|known| rest.starts_with(known.as_bytes()));
        let blank = |byte: &&u8| **byte == b' ';
        let known = known.or_else(|| {
            let second = rest.iter().skip(1).find(|byte| !blank(byte));
            (rest.first() == Some(&b'?') && matches!(second, Some(b'\'' | b'"'))).then_some(&"?")
        });
        let known = known.or_else(|| ["=", "<", ">"].iter().find(|known| rest.starts_with(known.as_bytes())))?;
        // `<<` and `>>` shift.
        if rest.starts_with(b"<<") || rest.starts_with(b">>") {
            return self.one(2, Token::Math(b'<'));
        }
        self.one(known.len(), Token::Compare(known))
    }

    fn token(&mut self, first: u8, second: u8) -> Option<Token<'a>> {
        if let Some(operator) = self.operator() {
            return Some(operator);
        }
        match (first, second) {
            (b'|', b'|') => self.one(2, Token::Logic("||")),
            (b'&', b'&') => self.one(2, Token::Logic("&&")),
            (b':', b':') => self.one(2, Token::Cast),
            (b':', b'=') => self.one(2, Token::Assign),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'~' | b'!', _) => self.one(1, Token::Math(first)),
            (b'(', _) => self.one(1, Token::Open),
            (b')', _) => self.one(1, Token::Close),
            (b'{', _) => self.one(1, Token::Brace),
            (b',', _) => self.one(1, Token::Comma),
            (b';', _) => self.one(1, Token::Semicolon),
            (b'\'' | b'"', _) => self.quoted(first),
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
            // `\N` is nothing, to MySQL.
            (b'\\', b'n') => self.one(2, Token::Name("null")),
            (b'$', _) if self.dollar_text() => Some(Token::Text(true)),
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => Some(self.number()),
            _ if is_word(first) => Some(self.word()),
            _ => self.one(1, Token::Other),
        }
    }

    fn quoted(&mut self, quote: u8) -> Option<Token<'a>> {
        self.at += 1;
        let ends = self.skip_text(quote, true);
        Some(Token::Text(ends))
    }

    /// `$$text$$`, `$x$text$x$`: moves behind it.
    fn dollar_text(&mut self) -> bool {
        let rest = self.rest();
        let tag = rest.iter().skip(1).take(16).position(|byte| *byte == b'$').map(|end| &rest[..end + 2]);
        let Some(tag) = tag.filter(|tag| tag[1..tag.len() - 1].iter().all(|byte| is_word(*byte))) else { return false };
        let Some(end) = memchr::memmem::find(&rest[tag.len()..], tag) else { return false };
        self.at += end + 2 * tag.len();
        true
    }

    fn number(&mut self) -> Token<'a> {
        let start = self.at;
        if self.rest().starts_with(b"0x") {
            self.at += 2;
            self.take_while(|byte| byte.is_ascii_hexdigit());
            return Token::Number(self.text.get(start..self.at).unwrap_or(""));
        }
        self.take_while(|byte| byte.is_ascii_digit() || byte == b'.');
        let rest = self.rest();
        let signed = usize::from(matches!(rest.get(1), Some(b'-' | b'+')));
        let ends_with_dot = self.text.get(start..self.at).is_some_and(|number| number.ends_with('.'));
        if rest.first() == Some(&b'e') && rest.get(1 + signed).is_some_and(u8::is_ascii_digit) {
            self.at += 1 + signed;
            self.take_while(|byte| byte.is_ascii_digit());
        } else if ends_with_dot && rest.first() == Some(&b'e') && !rest.get(1).copied().is_some_and(is_word) {
            // `1.e(…)`: an exponent without digits is read past.
            self.at += 1;
        }
        Token::Number(self.text.get(start..self.at).unwrap_or(""))
    }

    fn word(&mut self) -> Token<'a> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            // `select.1` is two tokens.
            let in_name = *byte == b'.' && bytes.get(self.at + 1).is_some_and(|next| is_word(*next));
            if !(is_word(*byte)
                || byte.is_ascii_digit()
                || in_name
                || *byte == b'.' && bytes.get(self.at + 1) == Some(&b'.'))
            {
                break;
            }
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or("");
        // `n'…'`, `x'…'`, `_utf8'…'`: one text.
        let next = self.rest().first().copied();
        if let Some(quote @ (b'\'' | b'"')) = next
            && (matches!(word, "n" | "x" | "b" | "e" | "u") || word.starts_with("_utf") || word == "_latin1")
        {
            self.at += 1;
            return Token::Text(self.skip_text(quote, true));
        }
        match word {
            word if LOGIC.contains(&word) => Token::Logic(word),
            word if COMPARE.contains(&word) => Token::Compare(word),
            word => Token::Name(word),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}
