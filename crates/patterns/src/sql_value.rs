//! A value as tokens of SQL, and what is asked of them: operands, calls, what closes. Says nothing of what it means.

use crate::sql_tokens::{Lexer, Token};
use crate::vocabulary::{Vocabulary, WordSet};

/// Longest value that is read, in tokens; an injection shows its intent early.
const TOKENS_MAX: usize = 400;

/// Words that databases know.
#[derive(Debug)]
pub(super) struct SqlWords {
    /// Functions that wait, reach out, read files or carry data out.
    pub(super) acts: WordSet,
    /// Of those, words that mean something elsewhere.
    pub(super) acts_word: WordSet,
    /// Functions whose names only databases have.
    pub(super) only: WordSet,
    /// The same, where reporting tools send them.
    pub(super) report: WordSet,
    /// Functions whose names other languages have, too.
    pub(super) shared: WordSet,
    /// Tables and schemas of databases about themselves.
    pub(super) schema: WordSet,
    pub(super) types: WordSet,
}

impl SqlWords {
    pub(super) fn new(words: &Vocabulary) -> Self {
        SqlWords {
            acts: words.set(&["sql.act", "sql.act_word", "sql.procedure"]),
            acts_word: words.set(&["sql.act_word"]),
            only: words.set(&["sql.only"]),
            report: words.set(&["sql.report"]),
            shared: words.set(&["sql.shared"]),
            schema: words.set(&["sql.schema"]),
            types: words.set(&["sql.type"]),
        }
    }

    /// Whether a word is a function of databases, whatever else it is.
    pub(super) fn is_function(&self, name: &str) -> bool {
        let plain = name.rsplit('.').next().unwrap_or(name);
        let has = |name: &str| [&self.acts, &self.only, &self.report, &self.shared].iter().any(|set| set.has(name));
        has(name) || has(plain)
    }
}

/// Where a value stands in the statement that it is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// By itself, where a number or a name belongs.
    Statement,
    /// Inside of a text with this quote.
    Text(u8),
    /// The same, and a backslash takes nothing into the text.
    PlainText(u8),
}

/// A value as tokens; where it is quoted, the first one is the text that it ends.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) quoted: bool,
    /// The quote may be one that opens, as people write a quoted word: `'like'`.
    pub(super) is_quoted_word: bool,
    /// What stands before the quote.
    pub(super) before: &'a str,
    pub(super) words: &'a SqlWords,
}

impl<'a> Value<'a> {
    /// The value as it would be read there; `None` where it does not end the text.
    pub(super) fn read(text: &'a str, inside: Inside, words: &'a SqlWords) -> Option<Self> {
        let mut lexer = Lexer { text, at: 0 };
        let mut tokens = Vec::new();
        let (mut before, mut is_quoted_word) = ("", false);
        if let Inside::Text(quote) | Inside::PlainText(quote) = inside {
            if !lexer.skip_text(quote, matches!(inside, Inside::Text(_))) {
                return None;
            }
            tokens.push(Token::Text(true));
            before = text.get(..lexer.at - 1).unwrap_or("");
            is_quoted_word = quoted_word(before, text.get(lexer.at..).unwrap_or(""), quote);
        }
        while tokens.len() < TOKENS_MAX
            && let Some(token) = lexer.next()
        {
            tokens.push(token);
        }
        Some(Value { tokens, quoted: inside != Inside::Statement, is_quoted_word, before, words })
    }

    pub(super) fn at(&self, at: usize) -> Option<Token<'a>> {
        self.tokens.get(at).copied()
    }

    pub(super) fn is_name(&self, at: usize, name: &str) -> bool {
        self.at(at) == Some(Token::Name(name))
    }

    pub(super) fn is_compare(&self, at: usize, operator: &str) -> bool {
        self.at(at) == Some(Token::Compare(operator))
    }

    /// The token behind those that are so.
    pub(super) fn skip(&self, mut at: usize, of: impl Fn(Token<'a>) -> bool) -> usize {
        while self.at(at).is_some_and(&of) {
            at += 1;
        }
        at
    }

    /// Behind an operand at this place, and whether it is a constant or something computed; a name could be a word.
    pub(super) fn operand(&self, at: usize) -> Option<(usize, bool)> {
        let at = self.skip(at, |token| {
            matches!(
                token,
                Token::Open
                    | Token::Brace
                    | Token::Math(b'-' | b'+' | b'~' | b'!')
                    | Token::Name("not" | "binary" | "any" | "all" | "some")
            )
        });
        match self.at(at)? {
            Token::Number(_) | Token::Text(_) | Token::Variable => Some((self.after_cast(at + 1), true)),
            Token::Name("null" | "true" | "false" | "current_user" | "user" | "sysdate" | "rownum") => {
                Some((at + 1, true))
            }
            Token::Name("exists" | "case" | "select") => Some((at + 1, true)),
            Token::Name(_) if self.at(at + 1) == Some(Token::Open) => Some((self.after_call(at + 1), true)),
            // `array['a']`.
            Token::Name("array") if self.at(at + 1) == Some(Token::Other) => Some((at + 2, true)),
            Token::Name(_) => Some((self.after_cast(at + 1), false)),
            _ => None,
        }
    }

    fn after_cast(&self, at: usize) -> usize {
        if self.at(at) == Some(Token::Cast) && matches!(self.at(at + 1), Some(Token::Name(_))) { at + 2 } else { at }
    }

    /// Behind the parenthesis that closes the one at this place.
    pub(super) fn after_call(&self, open: usize) -> usize {
        let mut depth = 0;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.tokens.len()
    }

    /// A comparison at this place, with the words that belong to it: `not like`, `is distinct from`, `sounds like`.
    /// The place behind it, and whether it is written with signs.
    pub(super) fn comparison(&self, at: usize) -> Option<(usize, bool)> {
        let start = self.skip(at, |token| token == Token::Name("not"));
        match self.at(start)? {
            Token::Compare(operator) => {
                let more = |token| {
                    matches!(
                        token,
                        Token::Name("not" | "to" | "binary" | "of" | "distinct" | "from" | "symmetric")
                            | Token::Compare("like" | "in" | "between")
                    )
                };
                Some((self.skip(start + 1, more), !operator.starts_with(|first: char| first.is_ascii_alphabetic())))
            }
            Token::Math(b'~') if matches!(self.at(start + 1), Some(Token::Text(_))) => Some((start + 1, true)),
            Token::Name("div" | "mod" | "notnull" | "isnull" | "soundex" | "match") => Some((start + 1, false)),
            _ => None,
        }
    }

    /// Behind the operand that the value begins with, and what closes it; and how many brackets it closes.
    pub(super) fn after_first_operand(&self) -> Option<(usize, usize)> {
        let closes = |token| matches!(token, Token::Close);
        if self.quoted {
            let end = self.skip(1, closes);
            return Some((end, end - 1));
        }
        let opens = |token| matches!(token, Token::Open | Token::Math(b'-' | b'+' | b'~' | b'!'));
        let start = self.skip(0, opens);
        let opened = self.tokens.iter().take(start).filter(|token| **token == Token::Open).count();
        let after = match self.at(start)? {
            Token::Number(_) | Token::Text(true) | Token::Variable => self.after_cast(start + 1),
            Token::Name("null" | "true" | "false") => start + 1,
            // `) or (1=1`: what the value stood in is closed.
            Token::Close => start,
            // `word) or (1=1`: the same behind a word.
            Token::Name(_) if self.at(start + 1) == Some(Token::Close) && start == 0 => start + 1,
            _ => return None,
        };
        let end = self.skip(after, closes);
        Some((end, (end - after).saturating_sub(opened)))
    }

    /// What stands behind the quote is no word that the quote is an apostrophe of.
    pub(super) fn goes_on_as_sql(&self) -> bool {
        const FIRST: [&str; 10] =
            ["union", "order", "group", "having", "limit", "procedure", "into", "except", "intersect", "minus"];
        !matches!(self.at(1), Some(Token::Name(word)) if !FIRST.contains(&word))
    }

    /// Whether the place is behind the end, or before a comment, a second statement or another condition.
    pub(super) fn ends(&self, at: usize) -> bool {
        matches!(self.at(at), None | Some(Token::Comment(_) | Token::Logic(_) | Token::Semicolon | Token::Close))
    }
}

/// `'like' button`: words in a pair of quotes, as people write them.
fn quoted_word(before: &str, rest: &str, quote: u8) -> bool {
    let opens = before.is_empty() || before.ends_with([' ', '(', ',', ':', '=']);
    let end = rest.bytes().take(40).position(|byte| byte == quote);
    let Some(end) = end.filter(|end| *end > 0 && opens) else { return false };
    let inside = &rest.as_bytes()[..end];
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'-');
    let edges =
        inside.first().is_some_and(u8::is_ascii_alphabetic) && inside.last().is_some_and(u8::is_ascii_alphabetic);
    let after = rest.as_bytes().get(end + 1);
    edges && inside.iter().all(is_word) && after.is_none_or(|after| b" .,;:!?)".contains(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_read_further_than_so_many_tokens() {
        let words = SqlWords::new(&Vocabulary::default());
        for text in ["(", "'", "$$", "/*!", "1 or ", "a(", "\\'", "--\n", "::", "@"] {
            let hostile = text.repeat(60_000 / text.len());
            for inside in [Inside::Statement, Inside::Text(b'\''), Inside::PlainText(b'\'')] {
                let read = Value::read(&hostile, inside, &words);
                assert!(read.is_none_or(|value| value.tokens.len() <= TOKENS_MAX), "{text}");
            }
        }
    }

    #[test]
    fn a_pair_of_quotes_around_a_word_is_told() {
        let words = SqlWords::new(&Vocabulary::default());
        let quoted = |text| Value::read(text, Inside::Text(b'\''), &words).unwrap().is_quoted_word;
        assert!(quoted("'like' button") && quoted("the 'div' element"));
        assert!(!quoted("' like '%") && !quoted("x'or'1'='1") && !quoted("'or'1'='1"));
    }
}
