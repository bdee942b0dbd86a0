//! How a value goes on behind its first operand: behind the number it begins with, the quote that ends the text it was
//! put into, or the bracket that it closes. The more of it only a statement could hold, the more points.

use crate::grammar::Reading;
use crate::sql_tokens::Token;
use crate::sql_value::Value;

/// Nothing else is meant.
fn sure(what: &'static str) -> Option<Reading> {
    Some(Reading::new(5, what))
}

fn graded(points: u32, what: &'static str) -> Option<Reading> {
    (points > 0).then(|| Reading::new(points, what))
}

impl<'a> Value<'a> {
    /// What the value goes on with.
    pub(super) fn tail(&self) -> Option<Reading> {
        if !self.quoted && self.is_name(0, "group") && self.is_name(1, "by") {
            let having = self.tokens.contains(&Token::Name("having"));
            return graded(if having { 4 } else { 0 }, "a clause that a value cannot begin with");
        }
        if !self.quoted && self.is_name(0, "order") && self.is_name(1, "by") && self.ends(3) {
            let number = matches!(self.at(2), Some(Token::Number(_)));
            return graded(if number { 3 } else { 0 }, "an order by the number of a column");
        }
        // What the value is joined to stands in the statement already: `or 1=1`.
        if !self.quoted && matches!(self.at(0), Some(Token::Logic(_))) {
            let read = self.condition(1, true);
            return Reading::surer(read, self.half_condition(1, 3));
        }
        let (after, closed) = self.after_first_operand()?;
        let read = self.goes_on(after, closed > 0);
        // `'like' button`: a pair of quotes around a word.
        let most = if self.is_quoted_word { 2 } else { 5 };
        read.map(|read| Reading { points: read.points.min(most), ..read })
    }

    fn goes_on(&self, after: usize, closed: bool) -> Option<Reading> {
        let quoted = self.quoted;
        let Some(next) = self.at(after) else { return self.lone_quote(after) };
        if let Some((operand, signs)) = self.comparison(after).filter(|_| quoted) {
            return Reading::surer(self.full_text(after), self.compared(operand, signs));
        }
        match next {
            // `'1`: the quote alone stands before.
            Token::Number(_) if quoted && after == 1 && self.before.is_empty() && self.at(2).is_none() => {
                graded(2, "a lone quote")
            }
            Token::Comment(clean) if quoted => {
                graded(if clean { 5 } else { 3 }, "a comment right behind the end of a text")
            }
            Token::Comment(true) if closed && !quoted => graded(3, "a comment behind a bracket"),
            Token::Semicolon if quoted => self.ended_statement(after + 1),
            Token::Semicolon => match self.at(after + 1) {
                Some(Token::Comment(true)) => graded(4, "a comment behind the end of a statement"),
                None => graded(u32::from(after == 1), "the end of a statement"),
                _ => None,
            },
            Token::Logic(_) => {
                let found = self.condition(after + 1, closed);
                Reading::surer(found, self.half_condition(after + 1, if quoted { 4 } else { 3 }))
            }
            Token::Math(_) if quoted => self.joined(after + 1),
            Token::Cast if quoted => match self.at(after + 1) {
                Some(Token::Name(kind)) if self.words.types.has(kind) => {
                    graded(if self.at(after + 2).is_some() { 5 } else { 4 }, "a cast behind the end of a text")
                }
                _ => None,
            },
            Token::Compare(_) => Reading::surer(self.full_text(after), self.compared_number(after, closed)),
            Token::Name("not") if !quoted => self.compared_number(after, closed),
            Token::Name(word) => self.clause(word, after, closed),
            _ => None,
        }
    }

    /// A quote and nothing behind it.
    fn lone_quote(&self, after: usize) -> Option<Reading> {
        if !self.quoted || after > 1 && !self.before.is_empty() && self.before.contains('(') {
            return None;
        }
        let digit = self.before.ends_with(|last: char| last.is_ascii_digit());
        let short = self.before.len() <= 24 && !self.before.contains(['\'', '"', '`']);
        let compared = ["like ", "regexp ", "rlike ", "glob "].iter().any(|word| self.before.ends_with(word));
        let points = match (digit, after > 1 || compared) {
            (_, true) => 3,
            (true, _) => 2,
            _ => 1,
        };
        graded(if short { points } else { 0 }, "a lone quote")
    }

    /// Behind a quote and a semicolon.
    fn ended_statement(&self, at: usize) -> Option<Reading> {
        let alone = !self.before.contains(['\'', '"', '`']);
        match self.at(at) {
            Some(Token::Comment(true)) => sure("a comment behind the end of a statement"),
            None if alone => graded(4, "the end of a statement"),
            Some(Token::Variable | Token::Semicolon) if alone => graded(3, "the end of a statement"),
            _ => None,
        }
    }

    /// A clause behind the operand.
    fn clause(&self, word: &str, at: usize, closed: bool) -> Option<Reading> {
        let breaks_out = self.quoted || closed;
        let what = "a clause behind the end of a text";
        match word {
            "as" => {
                let alias = matches!(self.at(at + 1), Some(Token::Name(_) | Token::Text(_)));
                let Some(Token::Name(next)) = self.at(at + 2).filter(|_| alias) else { return None };
                match next {
                    "from" if !breaks_out => sure("a column behind a number"),
                    "where" | "order" | "group" | "having" | "limit" | "union" => self.clause(next, at + 2, true),
                    _ => None,
                }
            }
            "where" => self.condition(at + 1, breaks_out),
            "in" => None,
            "with" if self.is_name(at + 1, "query") && self.is_name(at + 2, "expansion") => {
                graded(if breaks_out { 5 } else { 4 }, what)
            }
            "order" | "group" if self.is_name(at + 1, "by") => self.ordered(at + 2, breaks_out),
            "having" => {
                let operand = self.operand(at + 1);
                match (self.quoted, operand) {
                    (_, Some((_, true))) => sure("a clause behind a number or text"),
                    (true, Some((end, false))) if self.comparison(end).is_some() || self.ends(end) => graded(4, what),
                    _ => None,
                }
            }
            "limit" | "offset" => self.limited(at + 1, breaks_out),
            "procedure" if self.is_name(at + 1, "analyse") || self.quoted && self.at(at + 2) == Some(Token::Open) => {
                sure(what)
            }
            "into" if matches!(self.at(at + 1), Some(Token::Name("outfile" | "dumpfile") | Token::Variable)) => {
                sure(what)
            }
            "for" if matches!(self.at(at + 1), Some(Token::Name("update" | "share" | "xml" | "json"))) => {
                self.closing(at + 2, breaks_out)
            }
            "lock" if self.is_compare(at + 1, "in") && self.is_name(at + 2, "share") => {
                graded(if breaks_out { 5 } else { 4 }, what)
            }
            "fetch" if matches!(self.at(at + 1), Some(Token::Name("first" | "next"))) => {
                self.closing(at + 3, breaks_out)
            }
            "collate" if matches!(self.at(at + 1), Some(Token::Name(_))) => self.closing(at + 2, breaks_out),
            "escape" | "returning" | "window" if self.quoted => {
                self.operand(at + 1).and_then(|(end, _)| self.closing(end, true).filter(|_| self.at(end).is_some()))
            }
            "on" if self.is_name(at + 1, "duplicate") => graded(if breaks_out { 5 } else { 3 }, what),
            "asc" | "desc" if self.quoted && matches!(self.at(at + 1), Some(Token::Comma | Token::Comment(_))) => {
                graded(5, what)
            }
            "rlike" | "div" | "mod" => self.condition(at + 1, closed),
            "isnull" | "notnull" => self.closing(at + 1, true),
            "union" | "except" | "intersect" if self.quoted && self.at(at + 1).is_none() => {
                graded(3, "the beginning of a union")
            }
            _ if self.quoted && self.is_statement(word, at) => {
                let reads = word != "select" || self.tokens.contains(&Token::Name("from"));
                graded(if reads { 5 } else { 4 }, "a statement behind the end of a text")
            }
            _ => None,
        }
    }

    /// A clause that is whole: what follows says whether a person would have gone on.
    fn closing(&self, at: usize, breaks_out: bool) -> Option<Reading> {
        let at = self.skip(at, |token| {
            matches!(token, Token::Number(_) | Token::Name("row" | "rows" | "only" | "path" | "auto"))
        });
        let points = match self.at(at) {
            Some(Token::Comment(_)) => 5,
            Some(Token::Logic(_) | Token::Close | Token::Semicolon | Token::Compare(_) | Token::Comma)
                if breaks_out =>
            {
                5
            }
            None if breaks_out => 4,
            _ => 0,
        };
        graded(points, "a clause behind the end of a text")
    }

    fn limited(&self, at: usize, breaks_out: bool) -> Option<Reading> {
        if !matches!(self.at(at), Some(Token::Number(_))) {
            return None;
        }
        let end = self.skip(at, |token| matches!(token, Token::Number(_) | Token::Comma | Token::Name("offset")));
        let points = match self.at(end) {
            Some(Token::Comment(_) | Token::Name("union" | "into" | "procedure")) => 5,
            None if breaks_out => 5,
            None => 2,
            _ => 0,
        };
        graded(points, "a clause behind the end of a text")
    }

    /// `in boolean mode)`, `in natural language mode`.
    fn full_text(&self, at: usize) -> Option<Reading> {
        if !self.is_compare(at, "in") {
            return None;
        }
        let end = if self.is_name(at + 1, "boolean") && self.is_name(at + 2, "mode") {
            at + 3
        } else if self.is_name(at + 1, "natural") && self.is_name(at + 2, "language") && self.is_name(at + 3, "mode") {
            at + 4
        } else {
            return None;
        };
        graded(if self.at(end) == Some(Token::Close) { 5 } else { 3 }, "the end of a full text search")
    }

    /// A condition behind `or`, `and` or `where`; `breaks_out`: a bracket was closed before it.
    fn condition(&self, at: usize, breaks_out: bool) -> Option<Reading> {
        let what = "a condition that was added";
        let first = self.skip(at, |token| matches!(token, Token::Open | Token::Name("not") | Token::Math(_)));
        match self.at(first)? {
            Token::Name("select" | "exists" | "case") => return sure("a condition with a subquery"),
            Token::Name(name) if self.at(first + 1) == Some(Token::Open) => {
                let known =
                    self.quoted || self.words.is_function(name) || matches!(name, "if" | "row" | "user" | "not");
                return graded(if known { 5 } else { 4 }, "a condition with a function");
            }
            _ => {}
        }
        let (after, constant) = self.operand(at)?;
        let computed =
            |token| matches!(token, Token::Close | Token::Math(_) | Token::Number(_)) && token != Token::Math(b'~');
        let after = self.skip(after, computed);
        if let Some((operand, signs)) = self.comparison(after) {
            if matches!(self.at(operand - 1), Some(Token::Name("isnull" | "notnull"))) {
                return graded(if self.quoted { 5 } else { 3 }, what);
            }
            let (end, other) = self.operand(operand)?;
            let breaks_out = self.quoted || breaks_out;
            let points = match (constant, other) {
                (true, true) => 5,
                (true, false) | (false, true) if self.quoted => 5,
                (false, false) if self.quoted && (signs || matches!(self.at(end), Some(Token::Comment(_)))) => 5,
                _ if matches!(self.at(end), Some(Token::Comment(_))) => 5,
                _ if self.quoted && self.at(end) == Some(Token::Semicolon) && self.at(end + 1).is_none() => 4,
                (false, true) if signs && breaks_out => 4,
                (false, false) if self.quoted => 3,
                (false, true) if signs => 3,
                _ => 0,
            };
            return graded(points, what);
        }
        match self.at(after) {
            Some(Token::Comment(_) | Token::Semicolon) if self.quoted || constant => {
                sure("a condition before a comment")
            }
            Some(Token::Logic(_)) if self.quoted && constant => sure(what),
            // `' or 'x`: the text's own quote ends it.
            None if self.quoted => {
                let open_text = matches!(self.tokens.last(), Some(Token::Text(false)));
                graded(
                    if open_text {
                        5
                    } else if constant {
                        4
                    } else {
                        2
                    },
                    what,
                )
            }
            None if constant && !self.quoted => graded(if breaks_out { 3 } else { 2 }, what),
            _ => None,
        }
    }

    /// A condition that is broken off: `or`, `or x =`, `or x!`; or one that nobody can read, before a comment.
    fn half_condition(&self, at: usize, points: u32) -> Option<Reading> {
        let what = "a condition that is broken off";
        if self.quoted && matches!(self.tokens.last(), Some(Token::Comment(true))) {
            return graded(4, "a condition before a comment");
        }
        let Some((after, constant)) = self.operand(at) else {
            let opens = self.skip(at, |token| token == Token::Open);
            return graded(if self.at(opens).is_none() { points - 1 } else { 0 }, what);
        };
        let operator = match self.comparison(after) {
            Some((end, signs)) => signs && self.at(end).is_none(),
            None => matches!(self.at(after), Some(Token::Math(_) | Token::Variable)) && self.at(after + 1).is_none(),
        };
        let more = u32::from(constant && points < 4);
        graded(if operator { points + more } else { 0 }, what)
    }

    /// `'='`, `' like '%`: the text is compared with something.
    fn compared(&self, at: usize, signs: bool) -> Option<Reading> {
        let what = "a text compared behind its end";
        let Some((after, constant)) = self.operand(at) else {
            let rare = matches!(self.at(at - 1), Some(Token::Compare("regexp" | "rlike" | "glob" | "like" | "ilike")));
            return match self.at(at) {
                None | Some(Token::Close) => graded(if signs || rare { 3 } else { 1 }, what),
                // `' notnull or 1`.
                Some(Token::Comment(_)) => sure(what),
                Some(Token::Logic(_)) => self.condition(at + 1, true),
                _ => None,
            };
        };
        let text = matches!(self.at(after - 1), Some(Token::Text(_)));
        let is_null = self.is_name(after - 1, "null");
        let points = match self.at(after) {
            None if text => 5,
            None if constant => {
                if signs || is_null {
                    4
                } else {
                    3
                }
            }
            None => {
                if signs {
                    3
                } else {
                    1
                }
            }
            Some(Token::Comment(_)) => 5,
            Some(Token::Logic(_) | Token::Semicolon) if constant => 5,
            Some(Token::Logic(_) | Token::Semicolon) if signs => 4,
            Some(Token::Math(_)) if constant && signs => 4,
            Some(Token::Compare(_)) if constant => 5,
            _ => 0,
        };
        graded(points, what)
    }

    /// `1=1`, `5 = (select …)`, `) like (`: a number, or what was closed, is compared.
    fn compared_number(&self, at: usize, closed: bool) -> Option<Reading> {
        let (operand, signs) = self.comparison(at)?;
        let open = self.skip(operand, |token| token == Token::Open);
        if self.is_name(open, "select") {
            return sure("a comparison with a subquery");
        }
        if closed && at == self.skip(0, |token| token == Token::Close) && open > operand {
            return sure("a comparison between brackets that were closed and opened");
        }
        let (end, constant) = self.operand(operand)?;
        let equal =
            matches!(self.at(at), Some(Token::Compare("=" | "<=>" | "like" | "==" | "rlike" | "regexp" | "sounds")));
        match self.at(end) {
            Some(Token::Compare(_)) if constant && signs => sure("a chain of comparisons"),
            Some(Token::Comment(true)) if constant && signs => sure("a comparison before a comment"),
            Some(Token::Logic(_)) if constant && equal => self.half_or_whole(end),
            None if constant && equal => graded(4, "a constant compared with another"),
            None if constant && signs => graded(2, "a constant compared with another"),
            _ => None,
        }
    }

    fn half_or_whole(&self, logic: usize) -> Option<Reading> {
        let found = self.condition(logic + 1, true);
        Reading::surer(found, graded(4, "a constant compared with another"))
    }

    /// `'||x||'`, `'+(select …)+'`, `'-'`, `'^x--`: the text is computed with.
    fn joined(&self, at: usize) -> Option<Reading> {
        let at = self.skip(at, |token| matches!(token, Token::Open | Token::Math(b'-' | b'+' | b'~' | b'!')));
        match self.at(at)? {
            Token::Name("select") => sure("a text joined with a subquery"),
            Token::Name(_) if self.at(at + 1) == Some(Token::Open) && self.at(at + 2).is_some() => {
                sure("a text joined with a function")
            }
            Token::Text(false) if self.at(at + 1).is_none() => sure("a text computed with another"),
            Token::Name(_) | Token::Number(_) | Token::Variable | Token::Text(true) => match self.at(at + 1) {
                Some(Token::Comment(_)) => sure("a text computed with a name"),
                Some(Token::Compare(_)) => self.comparison(at + 1).and_then(|(operand, signs)| {
                    let (_, constant) = self.operand(operand)?;
                    graded(if constant && signs { 5 } else { 0 }, "a text computed with a number")
                }),
                Some(Token::Math(_) | Token::Logic("||")) if matches!(self.at(at + 2), Some(Token::Text(false))) => {
                    graded(
                        if matches!(self.at(at), Some(Token::Name(_))) { 4 } else { 5 },
                        "a text computed with another",
                    )
                }
                None if matches!(self.at(at), Some(Token::Variable)) => graded(4, "a text joined with a variable"),
                _ => None,
            },
            _ => None,
        }
    }

    fn ordered(&self, at: usize, breaks_out: bool) -> Option<Reading> {
        let mut rest = self.tokens.iter().skip(at);
        if breaks_out && rest.any(|token| *token == Token::Name("having")) {
            return sure("a clause behind the end of a text");
        }
        let number = matches!(self.at(at), Some(Token::Number(_)));
        if !number && !breaks_out {
            return None;
        }
        let end = self.skip(at, |token| matches!(token, Token::Number(_) | Token::Comma | Token::Name(_)));
        let points = match self.at(end) {
            Some(Token::Comment(_)) => 5,
            Some(Token::Math(b'-')) if self.quoted => 5,
            None if number => {
                if breaks_out || end == at + 1 {
                    5
                } else {
                    2
                }
            }
            None => 2,
            _ => 0,
        };
        graded(points, "an order that was added")
    }

    /// `where 7=7`, `and 2=3`, anywhere: constants that are compared say what no name could.
    pub(super) fn constants(&self) -> Option<Reading> {
        for at in 0..self.tokens.len() {
            let logic = match self.at(at) {
                Some(Token::Logic(word)) => word.as_bytes()[0].is_ascii_alphabetic(),
                Some(Token::Name("where" | "having")) => true,
                Some(Token::Comma) => self.same_number(at + 1),
                _ => false,
            };
            let first = self.skip(at + 1, |token| matches!(token, Token::Open | Token::Name("not")));
            let constant = |at: usize| matches!(self.at(at), Some(Token::Number(_) | Token::Text(true)));
            let both = logic && constant(first) && constant(first + 2);
            if both && matches!(self.at(first + 1), Some(Token::Compare("=" | "<" | ">" | "<>" | "!="))) {
                let names = self.at(0).is_some_and(|token| matches!(token, Token::Name(_))) && !self.quoted;
                let ends = self.ends(first + 3)
                    || matches!(
                        self.at(first + 3),
                        Some(Token::Name("order" | "group" | "union" | "limit" | "having"))
                    );
                let ends = ends || matches!(self.at(first + 3), Some(Token::Math(_)));
                let alone = self.at(at) == Some(Token::Comma);
                let points = match (ends, names) {
                    (true, _) if !alone => 5,
                    (_, false) => 4,
                    _ => 3,
                };
                return graded(points, "constants that are compared");
            }
        }
        None
    }

    /// `7=7`.
    fn same_number(&self, at: usize) -> bool {
        matches!((self.at(at), self.at(at + 2)), (Some(Token::Number(one)), Some(Token::Number(other))) if one == other)
    }
}
