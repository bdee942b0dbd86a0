//! Queries and statements within a value: unions, second statements, subqueries, whole statements. What a value goes on
//! with behind its first operand is read elsewhere.

use crate::grammar::Reading;
use crate::sql_tokens::Token;
use crate::sql_value::Value;

/// Words that begin a statement, and those of which one follows; none where more than a word decides.
const STATEMENTS: &[(&str, &[&str])] = &[
    ("select", &[]),
    ("insert", &["into", "ignore", "overwrite"]),
    ("replace", &["into"]),
    ("update", &[]),
    ("delete", &["from"]),
    (
        "drop",
        &[
            "table",
            "database",
            "view",
            "user",
            "schema",
            "index",
            "procedure",
            "function",
            "column",
            "all",
            "role",
            "trigger",
            "event",
            "login",
            "extension",
            "sequence",
        ],
    ),
    (
        "alter",
        &[
            "table",
            "database",
            "user",
            "session",
            "system",
            "login",
            "role",
            "server",
            "schema",
            "index",
            "function",
            "procedure",
        ],
    ),
    (
        "create",
        &[
            "table",
            "database",
            "user",
            "function",
            "procedure",
            "view",
            "or",
            "login",
            "trigger",
            "alias",
            "extension",
            "role",
            "schema",
            "index",
            "event",
            "temporary",
            "temp",
            "unique",
            "sequence",
            "server",
            "certificate",
            "assembly",
        ],
    ),
    ("truncate", &["table"]),
    ("rename", &["table", "user"]),
    ("lock", &["table", "tables"]),
    ("exec", &[]),
    ("execute", &[]),
    ("declare", &[]),
    ("shutdown", &[]),
    ("waitfor", &["delay", "time"]),
    ("grant", &["all", "select", "dba", "connect", "insert", "execute", "create", "usage", "resource"]),
    ("revoke", &["all", "select", "connect", "execute"]),
    ("merge", &["into"]),
    ("call", &[]),
    ("handler", &[]),
    ("backup", &["database", "log"]),
    ("restore", &["database", "log"]),
    ("load", &["data"]),
    ("copy", &[]),
    ("vacuum", &[]),
    ("analyze", &[]),
    ("analyse", &[]),
    ("reconfigure", &[]),
    ("begin", &["declare", "dbms_lock", "dbms_lock.sleep", "execute", "transaction", "tran"]),
    ("attach", &["database"]),
    ("detach", &["database"]),
    ("pragma", &[]),
    ("prepare", &[]),
    ("deallocate", &["prepare", "all"]),
    ("set", &["global", "session", "persist", "names", "role", "local", "password"]),
    ("dbcc", &["checkdb", "addextendedproc", "traceon", "traceoff", "shrinkdatabase"]),
    ("bulk", &["insert"]),
    ("openrowset", &[]),
    ("flush", &["privileges", "tables", "logs", "hosts"]),
    ("reset", &["master", "slave", "query"]),
    ("install", &["plugin", "soname", "component"]),
    ("optimize", &["table"]),
    ("repair", &["table"]),
    ("check", &["table"]),
    ("show", &["tables", "databases", "variables", "grants", "columns", "processlist", "schemas"]),
    ("with", &["recursive"]),
    ("values", &[]),
    ("if", &[]),
    ("while", &[]),
    ("do", &[]),
    ("print", &[]),
];

impl<'a> Value<'a> {
    /// The surest of what stands anywhere in the value.
    pub(super) fn queries(&self) -> Option<Reading> {
        let sure = self.union().or_else(|| self.stacked()).or_else(|| self.select_inside());
        match sure {
            Some(what) => Some(Reading::new(5, what)),
            None => self.begun_union(),
        }
    }

    /// `union select` with a list, or behind an operand.
    fn union(&self) -> Option<&'static str> {
        for at in 0..self.tokens.len() {
            let Some(next) = self.after_union(at) else { continue };
            let list = self.skip(next, |token| matches!(token, Token::Open | Token::Name("distinct" | "top" | "all")));
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
            let ends =
                matches!(next, None | Some(Token::Comment(_) | Token::Close | Token::Semicolon | Token::Math(_)));
            let begins = breaks_out || !self.quoted && self.after_first_operand().is_some_and(|(at, _)| at > 0);
            if is_list || ends && (begins || constant && matches!(next, Some(Token::Comment(_)))) {
                return Some("a union with another query");
            }
        }
        None
    }

    /// Behind `union [all] select` at this place.
    fn after_union(&self, at: usize) -> Option<usize> {
        if !matches!(self.at(at), Some(Token::Name("union" | "except" | "intersect" | "minus"))) {
            return None;
        }
        let next = self.skip(at + 1, |token| matches!(token, Token::Open | Token::Name("all" | "distinct")));
        let begins = match self.at(next) {
            Some(Token::Name("select" | "values")) => true,
            Some(Token::Name("table")) => matches!(self.at(next + 1), Some(Token::Name(_))),
            _ => false,
        };
        begins.then_some(next + 1)
    }

    /// `union select` that is torn off, or with a single name.
    fn begun_union(&self) -> Option<Reading> {
        let after = (0..self.tokens.len().min(16)).find_map(|at| self.after_union(at))?;
        match self.at(after) {
            Some(Token::Number(_)) if self.at(after + 1).is_none() => Some(Reading::new(3, "the beginning of a union")),
            Some(Token::Number(_) | Token::Open | Token::Math(_)) => {
                Some(Reading::new(4, "a union with another query"))
            }
            None => Some(Reading::new(3, "the beginning of a union")),
            _ => None,
        }
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
    pub(super) fn is_statement(&self, word: &str, at: usize) -> bool {
        let Some((word, objects)) = STATEMENTS.iter().find(|(known, _)| *known == word) else { return false };
        let after = |from: usize, most: usize| self.tokens.iter().skip(from).take(most);
        let next = self.at(at + 1);
        match *word {
            "select" => self.operand(at + 1).is_some_and(|(end, constant)| {
                constant || self.tokens.iter().skip(end).any(|token| *token == Token::Name("from"))
            }),
            "update" => after(at + 2, 4).any(|token| *token == Token::Name("set")),
            "exec" | "execute" => match next {
                Some(Token::Open | Token::Variable | Token::Name("immediate")) => true,
                Some(Token::Name(name)) => ["xp_", "sp_", "master"].iter().any(|part| name.contains(part)),
                _ => false,
            },
            "declare" => next == Some(Token::Variable) || self.is_name(at + 2, "cursor"),
            "set" if next == Some(Token::Variable) => true,
            "shutdown" | "vacuum" | "analyze" | "analyse" | "reconfigure" => {
                matches!(next, None | Some(Token::Comment(_) | Token::Semicolon | Token::Name("with" | "abort")))
            }
            "call" | "handler" => after(at + 1, 3).any(|token| *token == Token::Open),
            "openrowset" => next == Some(Token::Open),
            "values" => next == Some(Token::Open) && matches!(self.at(at + 2), Some(Token::Number(_) | Token::Text(_))),
            "if" | "while" => {
                let (end, _) = self.operand(at + 1).unwrap_or((at + 1, false));
                matches!(next, Some(Token::Open)) && self.is_compare(end, "=") && self.has_statement_from(end)
            }
            "do" => matches!(next, Some(Token::Text(true))) || next == Some(Token::Name("sleep")),
            "print" => matches!(next, Some(Token::Text(_) | Token::Variable)),
            "pragma" => matches!(self.at(at + 2), None | Some(Token::Open | Token::Compare("=") | Token::Comment(_))),
            "prepare" => matches!(self.at(at + 2), Some(Token::Name("from" | "as"))),
            "copy" => after(at + 1, 5).any(|token| matches!(token, Token::Name("from" | "to" | "program"))),
            _ => matches!(next, Some(Token::Name(name)) if objects.contains(&name)),
        }
    }

    /// Behind the object of `alter`: what is done with it.
    fn goes_on_as_statement(&self, at: usize) -> bool {
        let verbs = ["add", "alter", "change", "convert", "drop", "engine", "modify", "owner", "rename", "set", "with"];
        matches!(self.at(at), Some(Token::Name(verb)) if verbs.contains(&verb)) && self.at(at + 1).is_some()
    }

    fn has_statement_from(&self, at: usize) -> bool {
        let words = ["waitfor", "select", "sleep", "exec", "begin", "drop", "shutdown", "pg_sleep"];
        self.tokens.iter().skip(at).any(|token| matches!(token, Token::Name(name) if words.contains(name)))
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
                [Token::Number(_) | Token::Variable | Token::Text(_), ..] | [Token::Name(_), Token::Open, ..]
            );
            if has_from || computes {
                return Some("a subquery");
            }
        }
        None
    }

    /// The value is a statement from its first word on: code, which people also search for and discuss.
    pub(super) fn whole(&self) -> Option<Reading> {
        if self.quoted {
            return None;
        }
        let start = self.skip(0, |token| matches!(token, Token::Open | Token::Math(b'/')));
        let Some(Token::Name(word)) = self.at(start) else { return None };
        let code = |of: &[Token<'_>]| of.iter().any(|token| !matches!(token, Token::Name(_) | Token::Other));
        let rest = self.tokens.get(start + 1..).unwrap_or(&[]);
        match word {
            "select" => return self.whole_select(start + 1),
            "explain" | "describe" | "desc" if rest.len() == 1 => return Some(Reading::new(2, "a whole statement")),
            _ => {}
        }
        let known = |word: &str| matches!(word, "if" | "while" | "print" | "do" | "call" | "check" | "with");
        if known(word) || !self.is_statement(word, start) {
            let drops = matches!(rest, [Token::Name(_), Token::Semicolon, Token::Comment(_)]);
            return (drops && word == "drop").then(|| Reading::new(4, "a whole statement"));
        }
        let points = match (word, rest.len()) {
            ("alter", _) if self.goes_on_as_statement(start + 3) => 4,
            ("merge", _) if rest.contains(&Token::Name("using")) => 4,
            ("exec" | "execute" | "declare", 2..) if rest.contains(&Token::Variable) => 5,
            ("exec" | "execute" | "declare" | "waitfor" | "shutdown", _) => 4,
            ("vacuum" | "analyze" | "analyse" | "reconfigure", _) => 1,
            ("show", 1) => 3,
            (_, 1..=3) if code(rest) => 4,
            ("drop" | "alter" | "create" | "truncate" | "delete" | "insert" | "grant", 2) => 3,
            _ if code(rest) => 4,
            _ => 1,
        };
        Some(Reading::new(points, "a whole statement"))
    }

    /// `select * from x where …`: a list as SQL has it, and a table.
    fn whole_select(&self, start: usize) -> Option<Reading> {
        let what = "a whole query";
        let from = self.tokens.iter().position(|token| *token == Token::Name("from"));
        let is_item = |token: &Token<'_>| !matches!(token, Token::Name(_) | Token::Other);
        let Some(from) = from else {
            return match self.at(start) {
                Some(Token::Name(name)) if self.words.acts.has(name) => Some(Reading::new(5, "a function that acts")),
                Some(Token::Number(_) | Token::Text(_) | Token::Variable) => Some(Reading::new(3, what)),
                Some(Token::Name(name)) if self.at(start + 1) == Some(Token::Open) => {
                    Some(Reading::new(if self.words.is_function(name) || name == "if" { 4 } else { 2 }, what))
                }
                _ => None,
            };
        };
        let list = self.tokens.get(start..from).unwrap_or(&[]);
        let well_formed = list.len() == 1 || list.iter().any(is_item);
        let table = matches!(self.at(from + 1), Some(Token::Name(_) | Token::Open));
        let rest = self.tokens.get(from + 2..).unwrap_or(&[]);
        let clause = matches!(
            rest.first(),
            None | Some(Token::Comma | Token::Semicolon | Token::Comment(_))
                | Some(Token::Name("where" | "limit" | "order" | "group" | "join" | "inner" | "left" | "union" | "as"))
        );
        match (well_formed && table, clause) {
            (true, true) => Some(Reading::new(4, what)),
            (true, false) => Some(Reading::new(3, what)),
            _ => None,
        }
    }
}
