//! The search that people type, as a condition in SQL: `source.ip:203.0.113.7 status>=500 "union select" last 2h`. Terms that stand
//! beside each other must all hold. What is wrong is told with its place and with what was perhaps meant.

use event::time::parse_span_us;
use event::{Field, FieldType, Timestamp};
use thiserror::Error;

use crate::hunt::nearest;

/// Longest search, in bytes.
const SEARCH_BYTES_MAX: usize = 8 * 1024;

/// Terms of a search.
const TERMS_MAX: usize = 200;

/// Brackets within brackets.
const DEPTH_MAX: usize = 16;

/// Short names for what is asked for most.
const SHORT: [(&str, &str); 16] = [
    ("action", "event.action"),
    ("agent", "user_agent.original"),
    ("dataset", "event.dataset"),
    ("host", "host.hostname"),
    ("ip", "source.ip"),
    ("method", "http.request.method"),
    ("outcome", "event.outcome"),
    ("path", "url.path"),
    ("port", "source.port"),
    ("program", "process.name"),
    ("query", "url.query"),
    ("referrer", "http.request.referrer"),
    ("source", "c0di3.source.name"),
    ("status", "http.response.status_code"),
    ("time", "@timestamp"),
    ("user", "user.name"),
];

/// A search as the archive takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The condition, in SQL.
    pub condition: String,
    /// Events at or after this time.
    pub since: Option<Timestamp>,
    /// Events before this time.
    pub until: Option<Timestamp>,
}

/// What is wrong with a search, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("search, at character {place}: {reason}")]
pub struct BadSearch {
    /// Counted from 1.
    pub place: usize,
    /// With the remedy.
    pub reason: String,
}

impl Search {
    /// Reads a search; `now` is what `last 2h` counts back from.
    pub fn read(text: &str, now: Timestamp) -> Result<Search, BadSearch> {
        let mut reader = Reader { text, at: 0, terms: 0, search: Search::all(), now };
        if text.len() > SEARCH_BYTES_MAX {
            return Err(reader.wrong(format!("a search has at most {SEARCH_BYTES_MAX} bytes")));
        }
        let condition = reader.any_of(0)?;
        reader.skip_blanks();
        if reader.at < text.len() {
            return Err(reader.wrong("a bracket is closed that was not opened"));
        }
        let mut search = reader.search;
        search.condition = condition.unwrap_or_else(|| "true".to_owned());
        Ok(search)
    }

    fn all() -> Search {
        Search { condition: String::new(), since: None, until: None }
    }

    /// The whole question: the newest events first.
    pub fn question(&self, limit: usize) -> String {
        format!("SELECT * FROM events WHERE {} ORDER BY \"@timestamp\" DESC LIMIT {limit}", self.whole_condition())
    }

    /// The times alone of the newest events: what the whole question need not look behind.
    pub fn times_question(&self, limit: usize) -> String {
        let condition = self.whole_condition();
        format!("SELECT \"@timestamp\" FROM events WHERE {condition} ORDER BY \"@timestamp\" DESC LIMIT {limit}")
    }

    /// The search without events before a time.
    pub fn not_before(self, time: Timestamp) -> Search {
        Search { since: Some(self.since.map_or(time, |since| since.max(time))), ..self }
    }

    /// The condition with the bounds in time.
    pub(crate) fn whole_condition(&self) -> String {
        let mut all = vec![format!("({})", self.condition)];
        let time = |operator: &str, time: &Timestamp| format!("\"@timestamp\" {operator} TIMESTAMP '{time}'");
        all.extend(self.since.as_ref().map(|since| time(">=", since)));
        all.extend(self.until.as_ref().map(|until| time("<", until)));
        all.join(" AND ")
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
    search: Search,
    now: Timestamp,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, reason: impl Into<String>) -> BadSearch {
        self.wrong_at(self.at, reason)
    }

    fn wrong_at(&self, at: usize, reason: impl Into<String>) -> BadSearch {
        BadSearch { place: self.text[..at.min(self.text.len())].chars().count() + 1, reason: reason.into() }
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word of the grammar where it stands alone.
    fn takes(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let Some(after) = self.rest().strip_prefix(word) else { return false };
        let ends = after.is_empty() || after.starts_with([' ', '\t', '(', ')', '"']);
        if ends {
            self.at = self.text.len() - after.len();
        }
        ends
    }

    /// Terms joined by `OR`.
    fn any_of(&mut self, depth: usize) -> Result<Option<String>, BadSearch> {
        if depth > DEPTH_MAX {
            return Err(self.wrong(format!("brackets stand at most {DEPTH_MAX} deep")));
        }
        let mut parts = Vec::new();
        loop {
            match self.all_of(depth)? {
                Some(part) => parts.push(part),
                None if parts.is_empty() && !self.takes("OR") => return Ok(None),
                None => return Err(self.wrong("something must stand on both sides of OR")),
            }
            if !self.takes("OR") {
                break;
            }
        }
        Ok(Some(if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(" OR ")) }))
    }

    /// Terms that must all hold.
    fn all_of(&mut self, depth: usize) -> Result<Option<String>, BadSearch> {
        let mut parts = Vec::new();
        let mut any = false;
        loop {
            self.skip_blanks();
            let start = self.at;
            if self.rest().is_empty() || self.rest().starts_with(')') || self.takes("OR") {
                self.at = start;
                break;
            }
            any = true;
            if !self.takes("AND") {
                parts.extend(self.term(depth)?);
            }
        }
        let whole = if parts.is_empty() { "true".to_owned() } else { parts.join(" AND ") };
        Ok(any.then_some(whole))
    }

    fn term(&mut self, depth: usize) -> Result<Option<String>, BadSearch> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(self.wrong(format!("a search has at most {TERMS_MAX} terms")));
        }
        if self.takes("last") {
            return self.last().map(|()| None);
        }
        for is_since in [true, false] {
            if self.takes(if is_since { "since" } else { "until" }) {
                return self.bound(is_since).map(|()| None);
            }
        }
        let negated = self.takes("NOT") || self.rest().strip_prefix('-').is_some_and(|after| !after.starts_with(' '));
        if self.rest().starts_with('-') {
            self.at += 1;
        }
        self.skip_blanks();
        let condition = if self.rest().starts_with('(') { self.bracket(depth)? } else { self.test()? };
        // What has no value is not equal either.
        Ok(Some(if negated { format!("({condition}) IS NOT TRUE") } else { condition }))
    }

    fn bracket(&mut self, depth: usize) -> Result<String, BadSearch> {
        let start = self.at;
        self.at += 1;
        let inner = self.any_of(depth + 1)?;
        self.skip_blanks();
        if !self.rest().starts_with(')') {
            return Err(self.wrong_at(start, "this bracket is not closed"));
        }
        self.at += 1;
        inner.map(|inner| format!("({inner})")).ok_or_else(|| self.wrong_at(start, "nothing stands in the brackets"))
    }

    fn last(&mut self) -> Result<(), BadSearch> {
        let (start, word) = self.word();
        let span = parse_span_us(word).filter(|span| *span > 0);
        let span = span.ok_or_else(|| self.wrong_at(start, "`last` needs a time span such as 30m, 2h or 7d"))?;
        self.search.since = Some(self.now.saturating_sub_us(span));
        Ok(())
    }

    fn bound(&mut self, is_since: bool) -> Result<(), BadSearch> {
        let (start, word) = self.word();
        let whole = if word.len() == 10 { format!("{word}T00:00:00Z") } else { word.to_owned() };
        let time = Timestamp::parse_rfc3339(whole.as_bytes());
        let time = time.ok_or_else(|| self.wrong_at(start, "a time is 2026-01-31 or 2026-01-31T08:00:00Z"))?;
        *(if is_since { &mut self.search.since } else { &mut self.search.until }) = Some(time);
        Ok(())
    }

    /// What follows up to a blank or bracket.
    fn word(&mut self) -> (usize, &'a str) {
        self.skip_blanks();
        let start = self.at;
        let word = self.rest().split([' ', '\t', ')']).next().unwrap_or("");
        self.at += word.len();
        (start, word)
    }

    /// `field:value`, `field>=value`, or a text that the raw line holds.
    fn test(&mut self) -> Result<String, BadSearch> {
        let start = self.at;
        let is_name = |byte: char| byte.is_ascii_alphanumeric() || matches!(byte, '.' | '_' | '@' | '-');
        let name = self.rest().split(|byte| !is_name(byte)).next().unwrap_or("");
        let after = &self.rest()[name.len()..];
        let operator = [">=", "<=", "!=", ":", "=", ">", "<", "~"].into_iter().find(|sign| after.starts_with(sign));
        let Some(operator) = operator.filter(|_| !name.is_empty()) else {
            let (_, text) = self.value()?;
            return Ok(format!("\"event.original\" ILIKE {}", pattern(&text, true)));
        };
        self.at += name.len() + operator.len();
        let field = self.field(start, name)?;
        let (at, value) = self.value()?;
        self.compare(&field, operator, (at, &value))
    }

    /// A value, in quotation marks or up to a blank; inside of quotation marks `\"` and `\\` stand for themselves.
    fn value(&mut self) -> Result<(usize, String), BadSearch> {
        let start = self.at;
        if !self.rest().starts_with('"') {
            let (at, word) = self.word();
            return match word.is_empty() {
                true => Err(self.wrong_at(at, "a value is missing")),
                false => Ok((at, word.to_owned())),
            };
        }
        let mut value = String::new();
        let mut letters = self.rest()[1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok((start, value));
                }
                '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                letter => value.push(letter),
            }
        }
        Err(self.wrong_at(start, "this quotation mark is not closed"))
    }

    fn field(&self, start: usize, name: &str) -> Result<KnownField, BadSearch> {
        known_field(name).map_err(|reason| self.wrong_at(start, reason))
    }

    fn compare(&self, field: &KnownField, operator: &str, (at, value): (usize, &str)) -> Result<String, BadSearch> {
        let KnownField { column, kind } = field;
        let sql = if operator == ":" { "=" } else { operator };
        match kind {
            _ if operator == ":" && value == "*" => Ok(format!("{column} IS NOT NULL")),
            FieldType::Long if operator != "~" => match value.parse::<i64>() {
                Ok(number) => Ok(format!("{column} {sql} {number}")),
                Err(_) => Err(self.wrong_at(at, format!("`{value}` is not a whole number"))),
            },
            FieldType::Date => {
                let whole = if value.len() == 10 { format!("{value}T00:00:00Z") } else { value.to_owned() };
                let time = Timestamp::parse_rfc3339(whole.as_bytes());
                let time = time.ok_or_else(|| self.wrong_at(at, "a time is 2026-01-31 or 2026-01-31T08:00:00Z"))?;
                Ok(format!("{column} {sql} TIMESTAMP '{time}'"))
            }
            FieldType::Ip if sql == "=" && value.contains('/') => match value.parse::<event::Network>() {
                Ok(_) => Ok(format!("cidr_match({column}, {})", quoted(value))),
                Err(error) => Err(self.wrong_at(at, error.to_string())),
            },
            _ if operator == "~" => Ok(format!("regexp_like({column}, {})", quoted(value))),
            _ if sql == "=" && value.contains('*') => Ok(format!("{column} ILIKE {}", pattern(value, false))),
            _ => Ok(format!("{column} {sql} {}", quoted(value))),
        }
    }
}

/// The field of this name, whole or short; what is wrong with the name, and what was perhaps meant.
pub(crate) fn known_field(name: &str) -> Result<KnownField, String> {
    if let Some(key) = name.strip_prefix("labels.") {
        let column = format!("\"labels\"['{}']", key.replace('\'', "''"));
        return Ok(KnownField { column, kind: FieldType::Keyword });
    }
    let name = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, whole)| whole);
    let column = format!("\"{name}\"");
    if let Some((_, row)) = Field::named(name) {
        return Ok(KnownField { column, kind: row.kind });
    }
    let own = crate::schema::columns().into_iter().find(|own| own.name() == name);
    if let Some(own) = own {
        let is_number = *own.data_type() == arrow_schema::DataType::Int64;
        return Ok(KnownField { column, kind: if is_number { FieldType::Long } else { FieldType::Keyword } });
    }
    let near = nearest(name).map(|near| format!(": did you mean {near}?")).unwrap_or_default();
    Err(format!("there is no field `{name}`{near}"))
}

/// A field as SQL names it.
pub(crate) struct KnownField {
    pub(crate) column: String,
    kind: FieldType,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A pattern of LIKE: `*` is any text; `within`: the text may stand anywhere.
fn pattern(text: &str, within: bool) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '%' | '_' | '\\' => out.extend(['\\', letter]),
            '*' if !within => out.push('%'),
            letter => out.push(letter),
        }
    }
    quoted(&if within { format!("%{out}%") } else { out })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Search, BadSearch> {
        Search::read(text, Timestamp::parse_rfc3339(b"2026-11-29T12:00:00Z").unwrap())
    }

    #[test]
    fn searches_become_conditions() {
        let search = read(r#"source.ip:203.0.113.7 status>=500 "union select" last 2h"#).unwrap();
        assert_eq!(
            search.condition,
            r#""source.ip" = '203.0.113.7' AND "http.response.status_code" >= 500 AND "event.original" ILIKE '%union select%'"#
        );
        assert_eq!(search.since.unwrap().to_string(), "2026-11-29T10:00:00Z");
        for (text, condition) in [
            ("", "true"),
            ("user:*", r#""user.name" IS NOT NULL"#),
            ("ip:10.0.0.0/8", r#"cidr_match("source.ip", '10.0.0.0/8')"#),
            ("-user:root", r#"("user.name" = 'root') IS NOT TRUE"#),
            (
                "path:/wp-* OR (method:POST status:404)",
                r#"("url.path" ILIKE '/wp-%' OR ("http.request.method" = 'POST' AND "http.response.status_code" = 404))"#,
            ),
            ("100%_", r#""event.original" ILIKE '%100\%\_%'"#),
            ("user:o'brien", r#""user.name" = 'o''brien'"#),
        ] {
            assert_eq!(read(text).unwrap().condition, condition, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place, word) in [
            ("user:bob sorce.ip:192.0.2.1", 10, "did you mean source.ip?"),
            ("status:ok", 8, "whole number"),
            ("(user:bob", 1, "not closed"),
            ("user:bob)", 9, "was not opened"),
            ("\"open", 1, "not closed"),
            ("last week", 6, "time span"),
            ("user:bob OR", 12, "both sides"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.place, error.reason.contains(word)), (place, true), "{text}: {error}");
        }
    }
}
