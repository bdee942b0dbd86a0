//! SQL injection by structure: a value is read as SQL would read it, behind a number, or behind the quote that ends the
//! text it was put into. Words alone prove nothing, neither `select` in a search phrase nor the apostrophe of a name:
//! what counts is that the value goes on as a statement does. The text is in lower case, its encodings undone.

/// Longest value that is read, in tokens; an injection shows its intent early.
const TOKENS_MAX: usize = 400;

use crate::Part;
use crate::grammar::{Grammar, Reading};
use crate::sql_tokens::{Lexer, Token};

/// Texts of which each injection has one.
const NEEDS: [&str; 34] = [
    "'",
    "\"",
    "select ",
    "select(",
    "select/",
    "select*",
    "select@",
    "select+",
    "select\t",
    "select\n",
    "select`",
    "select~",
    "select!",
    "select\u{b}",
    "select\u{c}",
    "select\r",
    " or ",
    ")or",
    "(or",
    "or(",
    " and ",
    ")and",
    "and(",
    "||",
    "&&",
    " xor ",
    "xor(",
    ";",
    "order by",
    "group by",
    "having",
    "rlike",
    "/**/",
    "\n",
];

/// The language of databases.
#[derive(Debug)]
pub(crate) struct SqlGrammar;

impl Grammar for SqlGrammar {
    fn needs(&self) -> Vec<String> {
        NEEDS.map(str::to_owned).to_vec()
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        let found = if part == Part::Path { injection_in_path(text) } else { injection(text) };
        found.map(|what| Reading::new(5, what))
    }
}

const STATEMENTS: [(&str, &[&str]); 22] = [
    ("select", &[]),
    ("insert", &["into"]),
    ("update", &[]),
    ("delete", &["from"]),
    ("drop", &["table", "database", "view", "user", "schema", "index", "procedure", "function", "column", "all"]),
    ("alter", &["table", "database", "user", "session", "system", "login"]),
    ("create", &["table", "database", "user", "function", "procedure", "view", "or", "login", "trigger", "alias"]),
    ("truncate", &["table"]),
    ("exec", &[]),
    ("execute", &[]),
    ("declare", &[]),
    ("shutdown", &[]),
    ("waitfor", &["delay", "time"]),
    ("grant", &["all", "select", "dba", "connect"]),
    ("merge", &["into"]),
    ("call", &[]),
    ("handler", &[]),
    ("backup", &["database", "log"]),
    ("load", &["data"]),
    ("copy", &[]),
    ("vacuum", &[]),
    ("begin", &["declare", "dbms_lock"]),
];

/// How a path would go on as SQL, if that is what it does: a value may begin with any of its segments.
pub(crate) fn injection_in_path(path: &str) -> Option<&'static str> {
    let begins = |segment: &&str| segment.starts_with(|first: char| first.is_ascii_digit() || "-()'\"".contains(first));
    let segments = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..)).filter(begins);
    injection(path).or_else(|| segments.take(SEGMENTS_MAX).find_map(|segment| judge(segment, None)))
}

/// Segments of a path that are tried as the beginning of a value.
const SEGMENTS_MAX: usize = 16;

/// How the value would go on as SQL, if that is what it does.
pub(crate) fn injection(text: &str) -> Option<&'static str> {
    let found = judge(text, None);
    found.or_else(|| judge(text, Some(b'\''))).or_else(|| judge(text, Some(b'"')))
}

/// How the value would go on as SQL where it stands inside of the quote, or by itself.
fn judge(text: &str, quote: Option<u8>) -> Option<&'static str> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    if let Some(quote) = quote {
        if !lexer.skip_text(quote) {
            return None;
        }
        tokens.push(Token::Text(true));
    }
    while tokens.len() < TOKENS_MAX
        && let Some(token) = lexer.next()
    {
        tokens.push(token);
    }
    Value { tokens: &tokens, quoted: quote.is_some() }.injection()
}

/// A value as tokens; where it is quoted, the first one is the text that it ends.
struct Value<'a> {
    tokens: &'a [Token<'a>],
    quoted: bool,
}

impl<'a> Value<'a> {
    fn at(&self, at: usize) -> Option<Token<'a>> {
        self.tokens.get(at).copied()
    }

    fn is_name(&self, at: usize, name: &str) -> bool {
        self.at(at) == Some(Token::Name(name))
    }

    fn skip(&self, mut at: usize, of: impl Fn(Token<'a>) -> bool) -> usize {
        while self.at(at).is_some_and(&of) {
            at += 1;
        }
        at
    }

    fn injection(&self) -> Option<&'static str> {
        if let Some(found) = self.union().or_else(|| self.stacked()).or_else(|| self.select_inside()) {
            return Some(found);
        }
        // What the value is joined to stands in the statement already: `or 1=1`.
        if !self.quoted && self.at(0) == Some(Token::Logic) {
            return self.condition(1);
        }
        let after = self.after_first_operand()?;
        let next = self.at(after)?;
        match next {
            Token::Comment if self.quoted => Some("a comment right behind the end of a text"),
            Token::Logic => self.condition(after + 1),
            Token::Compare if self.quoted => self.compared(after + 1),
            Token::Math(_) if self.quoted => self.joined(after + 1),
            Token::Compare => self.compared_to_select(after + 1),
            Token::Name("order" | "group") if self.is_name(after + 1, "by") => self.ordered(after + 2),
            Token::Name(word) if self.quoted && self.is_statement(word, after) => {
                let reads = word != "select" || self.tokens.contains(&Token::Name("from"));
                reads.then_some("a statement behind the end of a text")
            }
            Token::Name("having" | "procedure" | "limit") if self.quoted => Some("a clause behind the end of a text"),
            Token::Name("having") if self.operand(after + 1).is_some() => Some("a clause behind a number"),
            Token::Name("rlike" | "div" | "mod") => self.condition(after + 1),
            _ => None,
        }
    }

    /// Behind the operand that the value begins with, and what closes it.
    fn after_first_operand(&self) -> Option<usize> {
        let closes = |token| matches!(token, Token::Close);
        if self.quoted {
            return Some(self.skip(1, closes));
        }
        let opens = |token| matches!(token, Token::Open | Token::Math(b'-' | b'+' | b'~' | b'!'));
        let start = self.skip(0, opens);
        let after = match self.at(start)? {
            Token::Number | Token::Text(true) | Token::Variable => start + 1,
            Token::Name("null" | "true" | "false") => start + 1,
            // `) or (1=1`: what the value stood in is closed.
            Token::Close => start,
            _ => return None,
        };
        Some(self.skip(after, closes))
    }

    /// Behind an operand at this place, and whether it is a constant or something computed; a name could be a word.
    fn operand(&self, at: usize) -> Option<(usize, bool)> {
        let at = self.skip(at, |token| {
            matches!(
                token,
                Token::Open | Token::Math(b'-' | b'+' | b'~' | b'!') | Token::Name("not" | "binary" | "n" | "x")
            )
        });
        match self.at(at)? {
            Token::Number | Token::Text(_) | Token::Variable => Some((at + 1, true)),
            Token::Name("null" | "true" | "false" | "current_user" | "user" | "sysdate") => Some((at + 1, true)),
            Token::Name(_) if self.at(at + 1) == Some(Token::Open) => Some((self.after_call(at + 1), true)),
            Token::Name("select" | "exists" | "case" | "if") => Some((at + 1, true)),
            Token::Name(_) => Some((at + 1, false)),
            _ => None,
        }
    }

    /// Behind the parenthesis that closes the one at this place.
    fn after_call(&self, open: usize) -> usize {
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

    /// A condition behind `or` or `and`.
    fn condition(&self, at: usize) -> Option<&'static str> {
        let first = self.skip(at, |token| matches!(token, Token::Open | Token::Name("not") | Token::Math(_)));
        match self.at(first)? {
            Token::Name("select" | "exists" | "case") => return Some("a condition with a subquery"),
            Token::Name(_) if self.at(first + 1) == Some(Token::Open) => return Some("a condition with a function"),
            _ => {}
        }
        let (after, constant) = self.operand(at)?;
        let after = self.skip(after, |token| matches!(token, Token::Close | Token::Math(_) | Token::Number));
        match self.at(after) {
            Some(Token::Compare) => {
                let (_, other) = self.operand(after + 1)?;
                (self.quoted || constant && other).then_some("a condition that was added")
            }
            Some(Token::Comment | Token::Semicolon) if self.quoted || constant => Some("a condition before a comment"),
            Some(Token::Logic) if self.quoted && constant => Some("a condition that was added"),
            // `' or 'x`: the text's own quote ends it.
            None if self.quoted => {
                let open_text = matches!(self.tokens.last(), Some(Token::Text(false)));
                (open_text || constant).then_some("a condition that was added")
            }
            _ => None,
        }
    }

    /// `'='`, `' like '%`: the text is compared with something.
    fn compared(&self, at: usize) -> Option<&'static str> {
        let (after, constant) = self.operand(at)?;
        let goes_on = match self.at(after) {
            None => matches!(self.at(after - 1), Some(Token::Text(_))),
            Some(Token::Comment | Token::Logic | Token::Semicolon) => true,
            _ => false,
        };
        (constant && goes_on).then_some("a text compared behind its end")
    }

    fn compared_to_select(&self, at: usize) -> Option<&'static str> {
        let at = self.skip(at, |token| token == Token::Open);
        (at > 0 && self.is_name(at, "select")).then_some("a comparison with a subquery")
    }

    /// `'||x||'`, `'+(select …)+'`, `'-'`: the text is computed with.
    fn joined(&self, at: usize) -> Option<&'static str> {
        let at = self.skip(at, |token| token == Token::Open);
        match self.at(at)? {
            Token::Name("select") => Some("a text joined with a subquery"),
            Token::Name(_) if self.at(at + 1) == Some(Token::Open) && self.at(at + 2).is_some() => {
                Some("a text joined with a function")
            }
            Token::Text(false) if self.at(at + 1).is_none() => Some("a text computed with another"),
            _ => None,
        }
    }

    fn ordered(&self, at: usize) -> Option<&'static str> {
        let mut rest = self.tokens.iter().skip(at);
        if self.quoted && rest.any(|token| *token == Token::Name("having")) {
            return Some("a clause behind the end of a text");
        }
        if self.at(at) != Some(Token::Number) && !self.quoted {
            return None;
        }
        let end = self.at(self.skip(at, |token| matches!(token, Token::Number | Token::Comma | Token::Name(_))));
        let ends = matches!(end, None | Some(Token::Comment)) || self.quoted && matches!(end, Some(Token::Math(b'-')));
        ends.then_some("an order that was added")
    }

    /// What stands behind the quote is no word that the quote is an apostrophe of.
    fn goes_on_as_sql(&self) -> bool {
        const FIRST: [&str; 8] = ["union", "order", "group", "having", "limit", "procedure", "into", "except"];
        !matches!(self.at(1), Some(Token::Name(word)) if !FIRST.contains(&word))
    }

    /// `union select` with a list, or behind an operand.
    fn union(&self) -> Option<&'static str> {
        for at in 0..self.tokens.len() {
            if !matches!(self.at(at), Some(Token::Name("union" | "except" | "intersect" | "minus"))) {
                continue;
            }
            let next = self.skip(at + 1, |token| matches!(token, Token::Open | Token::Name("all" | "distinct")));
            if !self.is_name(next, "select") && !self.is_name(next, "values") {
                continue;
            }
            let list =
                self.skip(next + 1, |token| matches!(token, Token::Open | Token::Name("distinct" | "top" | "all")));
            let breaks_out = self.quoted && self.goes_on_as_sql();
            let (after, constant) = match self.at(list) {
                Some(Token::Math(b'*')) => (list + 1, true),
                _ => match self.operand(list) {
                    Some(operand) => operand,
                    None if breaks_out => return Some("a union with another query"),
                    None => continue,
                },
            };
            let next = self.at(after);
            let is_list = matches!(next, Some(Token::Comma | Token::Name("from" | "into")));
            let ends = matches!(next, None | Some(Token::Comment | Token::Close | Token::Semicolon | Token::Math(_)));
            let begins = breaks_out || self.after_first_operand().is_some_and(|at| at > 0 && !self.quoted);
            if is_list || ends && (begins || constant && next == Some(Token::Comment)) {
                return Some("a union with another query");
            }
        }
        None
    }

    /// A second statement behind a semicolon.
    fn stacked(&self) -> Option<&'static str> {
        for at in 0..self.tokens.len() {
            if self.at(at) != Some(Token::Semicolon) {
                continue;
            }
            let Some(Token::Name(word)) = self.at(at + 1) else { continue };
            if self.is_statement(word, at + 1) {
                return Some("a second statement");
            }
        }
        None
    }

    /// Whether the word at a place begins a statement that goes on as one.
    fn is_statement(&self, word: &str, at: usize) -> bool {
        let Some((word, objects)) = STATEMENTS.iter().find(|(known, _)| *known == word) else { return false };
        let after = |from: usize, most: usize| self.tokens.iter().skip(from).take(most);
        match *word {
            "select" => self.operand(at + 1).is_some_and(|(end, constant)| {
                constant || self.tokens.iter().skip(end).any(|token| *token == Token::Name("from"))
            }),
            "update" => after(at + 2, 4).any(|token| *token == Token::Name("set")),
            "exec" | "execute" => match self.at(at + 1) {
                Some(Token::Open | Token::Variable | Token::Name("immediate")) => true,
                Some(Token::Name(name)) => ["xp_", "sp_", "master"].iter().any(|part| name.contains(part)),
                _ => false,
            },
            "declare" => self.at(at + 1) == Some(Token::Variable),
            "shutdown" | "vacuum" => {
                let ends = [Token::Comment, Token::Semicolon, Token::Name("with"), Token::Name("abort")];
                self.at(at + 1).is_none_or(|token| ends.contains(&token))
            }
            "call" | "handler" => after(at + 1, 3).any(|token| *token == Token::Open),
            "copy" => after(at + 1, 5).any(|token| matches!(token, Token::Name("from" | "to" | "program"))),
            _ => matches!(self.at(at + 1), Some(Token::Name(name)) if objects.contains(&name)),
        }
    }

    /// `(select x from y)` or `(select version())` anywhere.
    fn select_inside(&self) -> Option<&'static str> {
        for at in 1..self.tokens.len() {
            if !self.is_name(at, "select") || self.at(at - 1) != Some(Token::Open) {
                continue;
            }
            let end = self.after_call(at - 1);
            let inside = self.tokens.get(at + 1..end).unwrap_or(&[]);
            let has_from = inside.contains(&Token::Name("from"));
            let computes = matches!(
                inside,
                [Token::Number | Token::Variable | Token::Text(_), ..] | [Token::Name(_), Token::Open, ..]
            );
            if has_from || computes {
                return Some("a subquery");
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_as_a_statement_is_found() {
        for text in [
            "1 or 1=1",
            "1' or '1'='1",
            "' or 1=1--",
            "' or 'a'='a",
            "\" or \"\"=\"",
            "admin'--",
            "admin') -- -",
            "x' or true#",
            "1) or (1=1",
            "1 and sleep(5)",
            "1' and (select 1 from users limit 1)='1",
            "1 union select 1,2,3",
            "-1 union all select null,null--",
            "x' union select password from users where ''='",
            "1e0union select 1",
            "1/*!50000union*/select version()",
            "1;drop table users--",
            "1'; exec xp_cmdshell('dir')--",
            "1; waitfor delay '0:0:5'",
            "'||(select banner from v$version)||'",
            "'+convert(int,@@version)+'",
            "'='",
            "1 order by 10--",
            "1' order by 3#",
            "1 and 1=2",
            "1 and ascii(substring(user(),1,1))>64",
            "(select 1)",
            "1' and 1=1 and 'a'='a",
            "1 xor 1=2",
            "' or username like 'a%",
            "1 or\n1=1",
            "1 || 1=1",
            "5 and not 1=2",
            "or 1=1",
            "' select name from syscolumns where id=1--",
            "x' and email is null; --",
        ] {
            assert!(injection(text).is_some(), "{text}");
        }
    }

    #[test]
    fn words_and_apostrophes_prove_nothing() {
        for text in [
            "o'brien or smith",
            "o'reilly and sons",
            "credit union select committee",
            "select a colour from the list",
            "rock 'n' roll",
            "'jazz' or 'blues'",
            "\"jazz\" and \"blues\"",
            "1 or 2 people",
            "5 and 6",
            "10 and under",
            "drop table lamp; update",
            "it's -- well -- fine",
            "5'-6'",
            "children's books; order by mail",
            "order by phone",
            "how to use group by in sql",
            "l'amour et l'amitie",
            "c# and f#",
            "a=b",
            "where is the union; select one",
            "price < 10 and size > 5",
            "1-800-555-0199",
            "2024-11-23t10:00:00",
            "(select one)",
            "don't",
            "users'",
            "rock & roll",
            "q&a",
            "union select 2485",
            "and 5 more",
            "i'd like union select guide",
            "don't delete it",
            "name eq 'select'",
        ] {
            assert_eq!(injection(text), None, "{text}");
        }
    }
}
