//! Conditions become programs over numbered predicates: equal tests of equal columns share one number, and each program
//! names triggers, predicates of which one must hold. What is searched for, and how, is decided elsewhere.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use patterns::{Input, PackCheck};
use rules::check::{Check, Number};
use rules::percent::is_url_column;
use rules::sigma::rule::{Expr, Item};
use rules::text_pattern::{Anchor, TextPattern};

use crate::predicate::{ColumnId, Direct, DirectKind, KEYWORDS, container_of};
use crate::program::Program;

/// Columns whose values are few, so that a test of one holds in many rows.
const REPETITIVE_COLUMNS: [&str; 13] = [
    "http.request.method",
    "http.response.status_code",
    "http.version",
    "event.action",
    "event.outcome",
    "network.transport",
    "Channel",
    "EventID",
    "Company",
    "IntegrityLevel",
    "Product",
    "Protocol",
    "Initiated",
];
/// The column of those whose values are as many as there are things that programs do.
const ACTION: &str = "event.action";
/// Further columns whose values are words of a short list: what rules ask of them is known by the value.
const WORD_COLUMNS: [&str; 11] = [
    "event.category",
    "event.type",
    "event.kind",
    "event.dataset",
    "event.module",
    "event.provider",
    "log.level",
    "log.syslog.appname",
    "process.name",
    "system.auth.ssh.event",
    "system.auth.ssh.method",
];
/// Columns of those that name a program: a log has many, and a rule asks for one or a few.
const PROGRAM_COLUMNS: [&str; 3] = ["process.name", "log.syslog.appname", "event.provider"];
/// Values of such columns that few rows have nevertheless, folded, and what a test for one costs.
const RARE_VALUES: [&str; 5] = ["put", "delete", "connect", "trace", "patch"];
/// Statuses of an answer that a server seldom gives.
const RARE_ANSWERS: RangeInclusive<i64> = 400..=599;
const COST_OF_RARE: u64 = 100;
/// Cost of a test for one action: a program has few, and each line of it names one of them.
const COST_OF_ACTION: u64 = 60;
/// Cost of a test for a word of a short list, and for the name of a program.
const COST_OF_WORD: u64 = 300;
const COST_OF_PROGRAM: u64 = 30;
/// Cost of a test for a whole value, however short it is.
const COST_OF_VALUE: u64 = 5;
/// Cost from which on a rule is evaluated in many rows.
pub(super) const COST_OF_FREQUENT: u64 = 50;
/// Longest text that makes a search slower than asking for it.
const SHORT_BYTES: usize = 3;
/// Cost of what holds in every row.
pub(super) const COST_MAX: u64 = 1000;

/// Distinct predicates of a group of rules.
#[derive(Debug, Default)]
pub(super) struct Predicates {
    pub(super) checks: Vec<Check>,
    /// Columns of each predicate: any of them may hold what it looks for.
    pub(super) columns: Vec<Box<[ColumnId]>>,
    /// Number of each predicate, by its columns and what its check prints.
    known: BTreeMap<String, u32>,
    /// How often rules name each predicate.
    uses: Vec<u32>,
    /// Tests that look at the row itself, each named by one program.
    pub(super) directs: Vec<Direct>,
    /// Names of all columns.
    pub(super) names: Vec<String>,
    /// Number of each column, by its name.
    numbers: BTreeMap<String, ColumnId>,
    /// Fields are parts of one another as the catalog says, because our own parser wrote them.
    pub(super) parts_hold: bool,
}

impl Predicates {
    pub(super) fn new(parts_hold: bool) -> Self {
        Predicates { parts_hold, ..Predicates::default() }
    }

    /// The program for one item. Equal tests of equal columns share a number.
    pub(super) fn add(&mut self, item: &Item) -> Program {
        let columns = match &item.field {
            Some(_) => item.columns.clone(),
            None => vec![KEYWORDS.to_owned()],
        };
        let direct = match &item.check {
            Check::Null => Some(DirectKind::Absent),
            Check::Exists(wanted) => Some(DirectKind::Exists(*wanted)),
            Check::FieldRef(reference) => {
                let others = self.column_ids(&reference.columns);
                Some(DirectKind::Refers(others, reference.clone()))
            }
            Check::Text(pattern) if pattern.matches_anything() => Some(DirectKind::HasValue),
            _ => None,
        };
        if let Some(kind) = direct {
            let columns = self.column_ids(&columns);
            self.directs.push(Direct { columns, kind });
            return Program::Direct(self.directs.len() as u32 - 1);
        }
        if matches!(&item.check, Check::Indicator(check) if check.indicators.is_empty()) {
            return Program::AnyOf([].into());
        }
        if let Check::Pack(PackCheck { input: Input::Path | Input::Query, .. }) = item.check
            && self.parts_hold
        {
            // Nothing to do for a part of the URL: the same pack also reads `url.original`, which contains it.
            return Program::AnyOf([].into());
        }
        let columns = if self.parts_hold { without_contained(columns, &item.check) } else { columns };
        let columns = self.column_ids(&columns);
        let key = format!("{columns:?} {:?}", item.check);
        let number = *self.known.entry(key).or_insert_with(|| {
            let mut check = item.check.clone();
            if let Check::Text(pattern) = &mut check {
                pattern.prepare();
            }
            self.checks.push(check);
            self.columns.push(columns);
            self.uses.push(0);
            self.checks.len() as u32 - 1
        });
        self.uses[number as usize] += 1;
        Program::AnyOf([number].into())
    }

    fn column_ids(&mut self, names: &[String]) -> Box<[ColumnId]> {
        let mut id = |name: &String| {
            *self.numbers.entry(name.clone()).or_insert_with(|| {
                self.names.push(name.clone());
                self.names.len() as ColumnId - 1
            })
        };
        names.iter().map(&mut id).collect()
    }

    /// How much work it is to ask for the predicate in a row, in bits that are asked. `searched`: it is known by then.
    pub(super) fn effort(&self, predicate: u32, searched: bool) -> usize {
        match &self.checks[predicate as usize] {
            _ if searched => 1,
            Check::Text(pattern) => match pattern.texts_in_place() {
                Some((_, Anchor::Contains)) | None => 32,
                Some(_) => 12,
            },
            Check::Regex(_) | Check::Indicator(_) => 128,
            Check::Pack(_) => 1024,
            _ => 12,
        }
    }

    /// Whether a search finds the predicate without looking at the value again.
    pub(super) fn is_found_in_place(&self, predicate: u32) -> bool {
        let is_line = |column: &ColumnId| self.names[*column as usize] == KEYWORDS;
        let (texts, place) = self.literals(predicate);
        place.is_some()
            && !texts.is_empty()
            && texts.iter().all(|text| text.len() > SHORT_BYTES)
            && !self.columns[predicate as usize].iter().any(is_line)
    }

    /// How often the predicate is expected to hold, in rows of 1,000: short and numeric values are frequent, and so is
    /// what many rules name, such as a shell.
    pub(super) fn cost(&self, predicate: u32) -> u64 {
        const FOR_EACH_USE: u64 = 4;
        let columns = &self.columns[predicate as usize];
        let is_of_url = columns.iter().any(|column| is_url_column(&self.names[*column as usize]));
        let by_text = |text: &String| match text.len() {
            0 => 1000,
            1 if is_of_url && text.trim().is_empty() => 5,
            1 => 400,
            2 => 150,
            3 => 50,
            4 => 20,
            5 => 8,
            6..=9 => 3,
            _ => 1,
        };
        let by_value = match &self.checks[predicate as usize] {
            Check::Text(pattern) if is_whole(pattern) => COST_OF_VALUE,
            Check::Text(pattern) => by_text(&pattern.required().unwrap_or_default()),
            Check::Regex(check) if check.required.is_empty() => by_text(&String::new()),
            Check::Regex(check) => check.required.iter().map(by_text).sum(),
            Check::Cidr(_) => 100,
            Check::Pack(_) | Check::Indicator(_) => 5,
            Check::Number(_) => 200,
            _ => 400,
        };
        if self.columns[predicate as usize].iter().any(|column| self.is_repetitive(*column)) {
            let is_rare =
                |pattern: &TextPattern| pattern.required().is_some_and(|text| RARE_VALUES.contains(&text.as_str()));
            let rare = match &self.checks[predicate as usize] {
                Check::Text(pattern) => is_rare(pattern),
                Check::Number(Number::Integer(number)) => RARE_ANSWERS.contains(number),
                _ => false,
            };
            let is_action =
                self.columns[predicate as usize].iter().any(|column| self.names[*column as usize] == ACTION);
            return match &self.checks[predicate as usize] {
                _ if rare => COST_OF_RARE,
                Check::Text(pattern) if is_action && is_whole(pattern) => COST_OF_ACTION,
                _ => COST_MAX,
            };
        }
        if self.is_on_words(predicate) {
            let is_of_program =
                columns.iter().any(|column| PROGRAM_COLUMNS.contains(&self.names[*column as usize].as_str()));
            return if is_of_program { COST_OF_PROGRAM } else { COST_OF_WORD };
        }
        by_value + FOR_EACH_USE * u64::from(self.uses[predicate as usize].saturating_sub(1))
    }

    fn is_repetitive(&self, column: ColumnId) -> bool {
        REPETITIVE_COLUMNS.contains(&self.names[column as usize].as_str())
    }

    /// Whether the predicate looks at a column whose values are few. Its other names are columns that few batches have.
    pub(super) fn is_on_repetitive_columns(&self, predicate: u32) -> bool {
        self.columns[predicate as usize].iter().any(|column| self.is_repetitive(*column))
    }

    /// Whether the predicate looks at a column whose values are few, or words of a short list.
    pub(super) fn is_on_words(&self, predicate: u32) -> bool {
        let is_of_words = |column: &ColumnId| WORD_COLUMNS.contains(&self.names[*column as usize].as_str());
        self.is_on_repetitive_columns(predicate) || self.columns[predicate as usize].iter().any(is_of_words)
    }

    /// Folded texts of which every match holds one, and where, if that decides; empty where there are none.
    pub(super) fn literals(&self, predicate: u32) -> (Vec<String>, Option<Anchor>) {
        let (texts, place) = match &self.checks[predicate as usize] {
            Check::Text(pattern) => match pattern.texts_in_place() {
                Some((texts, place)) => (texts, Some(place)),
                None => (pattern.required().into_iter().collect(), None),
            },
            Check::Regex(check) => (check.required.clone(), None),
            _ => (Vec::new(), None),
        };
        if texts.iter().any(String::is_empty) { (Vec::new(), None) } else { (texts, place) }
    }
}

/// Whether the pattern is one whole value.
fn is_whole(pattern: &TextPattern) -> bool {
    pattern.texts_in_place().is_some_and(|(_, place)| matches!(place, Anchor::Whole))
}

/// Leaves out a column whose text another column of the list contains, where finding the text anywhere is enough.
fn without_contained(columns: Vec<String>, check: &Check) -> Vec<String> {
    let anywhere = matches!(check, Check::Text(pattern) if pattern.is_contains());
    if !anywhere {
        return columns;
    }
    let inside =
        |column: &String| container_of(column).is_some_and(|container| columns.iter().any(|other| other == container));
    columns.iter().filter(|column| !inside(column)).cloned().collect()
}

impl Program {
    /// The program for a condition. Its tests are added to the predicates.
    pub(super) fn compile(expr: &Expr, predicates: &mut Predicates) -> Self {
        match expr {
            Expr::And(parts) => Program::And(parts.iter().map(|part| Self::compile(part, predicates)).collect()),
            Expr::Or(parts) => Self::compile_or(parts, predicates),
            Expr::Not(inner) => Program::Not(Box::new(Self::compile(inner, predicates))),
            Expr::Named(_, inner) => Self::compile(inner, predicates),
            Expr::Item(item) => predicates.add(item),
        }
    }

    fn compile_or(parts: &[Expr], predicates: &mut Predicates) -> Self {
        let mut any_of = Vec::new();
        let mut others = Vec::new();
        for part in parts {
            match Self::compile(part, predicates) {
                Program::AnyOf(more) => any_of.extend(more),
                other => others.push(other),
            }
        }
        if !any_of.is_empty() {
            any_of.sort_unstable();
            any_of.dedup();
            others.push(Program::AnyOf(any_of.into()));
        }
        if others.len() == 1 { others.remove(0) } else { Program::Or(others) }
    }

    /// Predicates of which at least one must hold, chosen to be rare; with the expected cost of evaluating on them.
    /// `None` where the condition can hold without any (absence, negation).
    pub(super) fn triggers(&self, predicates: &Predicates) -> Option<(u64, Vec<u32>)> {
        match self {
            Program::And(parts) => parts.iter().filter_map(|part| part.triggers(predicates)).min(),
            Program::Or(parts) => {
                let mut all: (u64, Vec<u32>) = (0, Vec::new());
                for part in parts {
                    let (cost, more) = part.triggers(predicates)?;
                    all.0 += cost;
                    all.1.extend(more);
                }
                Some((all.0.min(COST_MAX), all.1))
            }
            Program::AnyOf(any_of) => {
                let cost: u64 = any_of.iter().map(|predicate| predicates.cost(*predicate)).sum();
                Some((cost.min(COST_MAX), any_of.to_vec()))
            }
            Program::Not(_) | Program::Direct(_) => None,
        }
    }
}
