//! Words of databases within a value: functions, tables about the database itself, casts, escapes, numbers and texts
//! written to hide. What they are joined to decides how much they say.

use crate::grammar::Reading;
use crate::sql_tokens::Token;
use crate::sql_value::Value;

/// Whole numbers at which types of databases and languages end.
const LIMITS: [&str; 9] = [
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0xffffffffffffffff",
];

/// Functions of numbers that every calculator has.
const CALCULATED: [&str; 18] = [
    "acos", "asin", "atan", "atan2", "cos", "cot", "degrees", "exp", "ln", "log", "log10", "log2", "mod", "pow",
    "power", "radians", "sin", "sqrt",
];

impl Value<'_> {
    /// The surest of the words that stand in the value.
    pub(super) fn words_of_databases(&self) -> Option<Reading> {
        let mut best = None;
        let mut shared = 0;
        for at in 0..self.tokens.len() {
            let found = match self.tokens[at] {
                Token::Name(name) => {
                    let found = self.call(name, at, shared);
                    let is_shared = self.words.shared.has(name) && self.at(at + 1) == Some(Token::Open);
                    shared += usize::from(is_shared);
                    Reading::surer(found, self.schema(name, at))
                }
                Token::Cast => self.cast(at),
                Token::Brace => self.escape(at),
                Token::Number(number) => self.number(number, at),
                Token::Variable => self.variable(at),
                Token::Compare(operator) => self.json(operator, at),
                _ => None,
            };
            best = Reading::surer(best, found);
            if best.as_ref().is_some_and(|best| best.points == 5) {
                return best;
            }
        }
        best
    }

    /// Whether the operand that ends before `end` and begins at `at` is part of a computation or condition.
    fn in_expression(&self, at: usize, end: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.at(at));
        let joins = matches!(
            before,
            Some(Token::Math(_) | Token::Logic(_) | Token::Compare(_) | Token::Semicolon | Token::Assign)
        ) || matches!(
            before,
            Some(Token::Name(
                "select"
                    | "by"
                    | "where"
                    | "and"
                    | "then"
                    | "else"
                    | "when"
                    | "not"
                    | "having"
                    | "rlike"
                    | "div"
                    | "xor"
            ))
        ) || matches!(before, Some(Token::Comma | Token::Open)) && at > 1;
        let goes_on = matches!(self.at(end), Some(Token::Math(_) | Token::Logic(_) | Token::Comment(_)))
            || matches!(self.at(end), Some(Token::Compare(operator)) if !matches!(operator, "in" | "is" | "like" | "->"));
        // What a whole query begins with is code, which people also discuss.
        let is_code = matches!(self.at(0), Some(Token::Name("select" | "create" | "insert" | "update")));
        (joins || goes_on) && !is_code
    }

    /// A function of databases at this place, behind as many that other languages share.
    fn call(&self, name: &str, at: usize, before: usize) -> Option<Reading> {
        let plain = name.rsplit('.').next().unwrap_or(name);
        let words = self.words;
        if name == "waitfor" && matches!(self.at(at + 1), Some(Token::Name("delay" | "time"))) {
            let sure = matches!(self.at(at + 2), Some(Token::Text(_) | Token::Variable | Token::Open));
            return sure.then(|| Reading::new(5, "a delay of SQL Server"));
        }
        if name == "match" && self.at(at + 1) == Some(Token::Open) {
            let against = self.after_call(at + 1);
            let sure = self.is_name(against, "against") && self.at(against + 1) == Some(Token::Open);
            return sure.then(|| Reading::new(4, "a search of MySQL"));
        }
        if name == "case" && self.is_name(at + 1, "when") {
            let then = self.tokens.iter().skip(at).any(|token| *token == Token::Name("then"));
            return then.then(|| Reading::new(4, "a choice by a condition"));
        }
        if self.at(at + 1) != Some(Token::Open) {
            return None;
        }
        if name == "count" && self.at(at + 2) == Some(Token::Math(b'*')) && self.at(at + 3) == Some(Token::Close) {
            // A report is asked for a list of such.
            return Some(Reading::new(if at == 0 && !self.quoted { 2 } else { 3 }, "a count of rows"));
        }
        if name == "if" && matches!(self.at(at + 2), Some(Token::Number(_) | Token::Text(true))) {
            let compares = matches!(self.at(at + 3), Some(Token::Compare("=" | "<" | ">" | "like" | "<>")));
            let chooses = self.at(at + 5) == Some(Token::Comma);
            return compares.then(|| Reading::new(if chooses { 5 } else { 4 }, "a choice by a condition"));
        }
        let end = self.after_call(at + 1);
        let has_argument = end > at + 3 || self.at(end - 1) != Some(Token::Close) && self.at(at + 2).is_some();
        let in_expression = self.in_expression(at, end);
        // With the package that it belongs to it is no word.
        if words.acts_word.has(plain) && !words.acts.has(name) || words.acts_word.has(name) {
            return self.delay(at, end, in_expression);
        }
        if words.acts.has(name) || words.acts.has(plain) {
            return Some(Reading::new(5, "a function that acts"));
        }
        if matches!(plain, "cast" | "convert" | "try_cast" | "try_convert") {
            return self.cast_call(at, end);
        }
        let whole = at == 0 || at == 1 && self.at(0) == Some(Token::Comma);
        let (only, report) =
            (words.only.has(name) || words.only.has(plain), words.report.has(name) || words.report.has(plain));
        if only || report {
            let sure = in_expression && has_argument || only && whole && self.at(end).is_none();
            return Some(Reading::new(if sure { 5 } else { 4 }, "a function of databases"));
        }
        if !words.shared.has(plain) {
            return None;
        }
        let inner = matches!(self.at(at + 2), Some(Token::Name(inner)) if words.is_function(inner))
            && self.at(at + 3) == Some(Token::Open);
        let compared = matches!(self.at(end), Some(Token::Compare("=" | "<" | ">" | "<>" | "!=" | "<=" | ">=")));
        if CALCULATED.contains(&plain) && self.is_calculation() {
            return Some(Reading::new(1, "functions of databases"));
        }
        let points = match (inner || before > 0, compared && in_expression) {
            (true, true) => 5,
            (true, false) => 4,
            (false, true) => 3,
            // Torn off behind its bracket, or the whole value.
            (false, false) if at == 0 && self.at(end).is_none() => 3,
            (false, false) => 1,
        };
        Some(Reading::new(points, "functions of databases"))
    }

    /// Whether the value computes with numbers, variables and functions of numbers only: what calculators are given.
    fn is_calculation(&self) -> bool {
        let is_part = |at: usize| match self.at(at) {
            Some(Token::Name(name)) => {
                CALCULATED.contains(&name) || name.len() == 1 && self.at(at + 1) != Some(Token::Open)
            }
            Some(Token::Number(number)) => !number.starts_with("0x"),
            Some(Token::Math(_) | Token::Open | Token::Close | Token::Comma) => true,
            _ => false,
        };
        let count = |sought: fn(&Token<'_>) -> bool| self.tokens.iter().filter(|token| sought(token)).count();
        let is_whole = count(|token| *token == Token::Open) == count(|token| *token == Token::Close);
        is_whole && count(|token| matches!(token, Token::Math(_))) > 0 && (0..self.tokens.len()).all(is_part)
    }

    /// `sleep(5)`: a word that people write, too.
    fn delay(&self, at: usize, end: usize, in_expression: bool) -> Option<Reading> {
        let argument = self.at(at + 2);
        let nested = matches!(argument, Some(Token::Name(_) | Token::Open | Token::Text(_)));
        let number = matches!(argument, Some(Token::Number(_)));
        let points = match (in_expression && (number || nested), self.at(end)) {
            (true, _) => 5,
            (false, None | Some(Token::Comment(_))) if number => 4,
            _ => 1,
        };
        Some(Reading::new(points, "a function that waits"))
    }

    /// `cast(x as int)`, `convert(int, x)`.
    fn cast_call(&self, at: usize, end: usize) -> Option<Reading> {
        let is_type = |token: Option<Token<'_>>| matches!(token, Some(Token::Name(name)) if self.words.types.has(name));
        let inside = at + 2..end;
        let casts = inside.clone().any(|at| self.is_name(at, "as") && is_type(self.at(at + 1)))
            || is_type(self.at(at + 2)) && matches!(self.at(at + 3), Some(Token::Comma | Token::Open))
            || inside.clone().any(|at| self.is_name(at, "using"));
        let computes = inside.clone().any(|at| matches!(self.at(at), Some(Token::Variable | Token::Name("select"))));
        let points = match (casts, self.in_expression(at, end) || computes) {
            (true, true) => 5,
            (true, false) => 4,
            _ => return None,
        };
        Some(Reading::new(points, "a cast of databases"))
    }

    /// `x::int`.
    fn cast(&self, at: usize) -> Option<Reading> {
        let Some(Token::Name(name)) = self.at(at + 1) else { return None };
        if !self.words.types.has(name) || at == 0 {
            return None;
        }
        let constant = matches!(self.at(at - 1), Some(Token::Number(_) | Token::Text(true) | Token::Close));
        let goes_on =
            matches!(self.at(at + 2), Some(Token::Compare(_) | Token::Math(_) | Token::Logic(_) | Token::Comment(_)));
        let points = match (constant, goes_on) {
            (true, true) => 5,
            (true, false) => 4,
            (false, true) => 3,
            // `std::string`, `foo::int`.
            (false, false) => 1,
        };
        Some(Reading::new(points, "a cast of PostgreSQL"))
    }

    /// `{fn now()}`, `{ts '…'}`.
    fn escape(&self, at: usize) -> Option<Reading> {
        let sure = match self.at(at + 1) {
            Some(Token::Name("fn" | "call")) => self.at(at + 3) == Some(Token::Open),
            Some(Token::Name("ts" | "d" | "t")) => matches!(self.at(at + 2), Some(Token::Text(_))),
            Some(Token::Name("oj")) => matches!(self.at(at + 2), Some(Token::Name(_))),
            _ => false,
        };
        sure.then(|| Reading::new(if self.in_expression(at, at + 4) { 5 } else { 4 }, "an escape of ODBC"))
    }

    /// A table or schema of the database about itself.
    fn schema(&self, name: &str, at: usize) -> Option<Reading> {
        let head = name.split('.').next().unwrap_or(name);
        let tail = name.rsplit('.').next().unwrap_or(name);
        let known = self.words.schema.has(name) || self.words.schema.has(head) || self.words.schema.has(tail);
        if !known {
            return None;
        }
        let read =
            at > 0 && matches!(self.at(at - 1), Some(Token::Name("from" | "join" | "into" | "update" | "table")));
        let is_whole = self.tokens.len() == 1;
        let points = match (read, name.len() > head.len() || is_whole) {
            (true, _) => 5,
            (false, true) => 4,
            (false, false) => 3,
        };
        Some(Reading::new(points, "a table of the database about itself"))
    }

    /// Numbers at which types end, and texts written in hexadecimal.
    fn number(&self, number: &str, at: usize) -> Option<Reading> {
        let is_whole = self.tokens.len() <= at + 1 && at <= 1;
        // Parsers of several languages did not end on these.
        if is_whole && number.starts_with("2.2250738585072") {
            return Some(Reading::new(5, "a number at which floats end"));
        }
        if is_whole && number.starts_with("1e30") && number.len() == 5 {
            return Some(Reading::new(4, "a number at which floats end"));
        }
        if is_whole && LIMITS.contains(&number) {
            return Some(Reading::new(2, "a number at which types end"));
        }
        if number.ends_with(".e") && self.at(at + 1) == Some(Token::Open) {
            return Some(Reading::new(4, "an exponent without digits before a bracket"));
        }
        let hidden = number.strip_prefix("0x").filter(|digits| digits.len() >= 6 && digits.len() % 2 == 0)?;
        let printable =
            hidden.as_bytes().chunks(2).take(64).all(|pair| matches!(pair[0], b'2'..=b'7') && pair != b"7f");
        printable.then(|| Reading::new(3, "a text in hexadecimal"))
    }

    /// `@a := 1`, `@@name`.
    fn variable(&self, at: usize) -> Option<Reading> {
        if self.at(at + 1) != Some(Token::Assign) {
            return None;
        }
        let sure = at > 0 || self.tokens.len() > 3;
        Some(Reading::new(if sure { 5 } else { 4 }, "a variable of MySQL that is set"))
    }

    /// `data->>'a'`, `'{…}' @> '{…}'`.
    fn json(&self, operator: &str, at: usize) -> Option<Reading> {
        if !matches!(operator, "->" | "->>" | "#>" | "#>>" | "@>" | "<@" | "?" | "?|" | "?&" | "@?") || at == 0 {
            return None;
        }
        let before = matches!(self.at(at - 1), Some(Token::Text(true) | Token::Close));
        let joined = match self.at(at + 1) {
            Some(Token::Text(_)) => true,
            Some(Token::Name("array")) => operator.starts_with('?'),
            _ => false,
        };
        match (before && !(self.quoted && at == 1), joined) {
            (true, true) => Some(Reading::new(4, "an operator on JSON")),
            (false, true) => Some(Reading::new(2, "an operator on JSON")),
            _ => None,
        }
    }
}
