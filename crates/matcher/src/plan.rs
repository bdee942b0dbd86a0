//! What is looked for in each column: the predicates of all rules on it, and the literals that nominate them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use event::Field;
use memchr::memmem;
use patterns::search::literals::Literals;
use patterns::{Engine, Input, NumberedPacks, PackCheck, PatternScratch};
use rules::check::{Check, FieldRef};
use rules::evaluate::{has_views, looks_at_values};
use rules::sigma::rule::Item;
use rules::text_pattern::{Anchor, TextPattern};

use crate::keyword_prefilter::KeywordPrefilter;
use crate::program::Program;

/// Name of the plan for keywords: the whole line.
pub(super) const KEYWORDS: &str = "";

/// Columns whose values are few, so that a test of one holds in many rows.
const FEW_VALUES: [&str; 13] = [
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
/// Values of such columns that few rows have nevertheless, folded, and what a test for one costs.
const RARE_VALUES: [&str; 5] = ["put", "delete", "connect", "trace", "patch"];
const COST_OF_RARE: u64 = 100;
/// Cost of what holds in every row.
pub(super) const COST_MAX: u64 = 1000;

/// Distinct predicates of a group of rules.
#[derive(Debug, Default)]
pub(super) struct Predicates {
    pub(super) checks: Vec<Check>,
    /// Columns of each predicate: any of them may hold what it looks for.
    pub columns: Vec<Box<[ColumnId]>>,
    known: BTreeMap<String, u32>,
    /// How often rules name each predicate.
    uses: Vec<u32>,
    pub(super) directs: Vec<Direct>,
    /// Names of all columns.
    pub(super) names: Vec<String>,
    numbers: BTreeMap<String, ColumnId>,
    /// Fields are parts of one another as the catalog says, because our own parser wrote them.
    parts_hold: bool,
}

/// Number of a column that some rule of the group reads.
pub(super) type ColumnId = u32;

/// A test that is answered by looking at the row itself.
#[derive(Debug)]
pub(super) struct Direct {
    pub columns: Box<[ColumnId]>,
    pub(super) kind: DirectKind,
}

#[derive(Clone, Debug)]
pub(super) enum DirectKind {
    /// No column has a value.
    Absent,
    /// Presence (explicit null included) is as wanted.
    Exists(bool),
    /// Some column has a value.
    HasValue,
    /// Some column has the value of one of these others where it should.
    Refers(Box<[ColumnId]>, FieldRef),
}

impl Predicates {
    pub(crate) fn new(parts_hold: bool) -> Self {
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
            // The whole target is among the pack's fields, too.
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

    /// How often the predicate is expected to hold, in rows of 1,000: short and numeric values are frequent, and so is
    /// what many rules name, such as a shell.
    pub(super) fn cost(&self, predicate: u32) -> u64 {
        const FOR_EACH_USE: u64 = 4;
        let by_length = |length: usize| match length {
            0 => 1000,
            1 => 400,
            2 => 150,
            3 => 50,
            4 => 20,
            5 => 8,
            _ => 3,
        };
        let by_value = match &self.checks[predicate as usize] {
            Check::Text(pattern) => by_length(pattern.required().map_or(0, |text| text.len())),
            Check::Regex(check) => by_length(check.required.iter().map(String::len).min().unwrap_or(0)),
            Check::Cidr(_) => 100,
            Check::Pack(_) | Check::Indicator(_) => 5,
            Check::Number(_) => 200,
            _ => 400,
        };
        let columns = &self.columns[predicate as usize];
        if columns.iter().any(|column| FEW_VALUES.contains(&self.names[*column as usize].as_str())) {
            let is_rare =
                |pattern: &TextPattern| pattern.required().is_some_and(|text| RARE_VALUES.contains(&text.as_str()));
            let rare = matches!(&self.checks[predicate as usize], Check::Text(pattern) if is_rare(pattern));
            return if rare { COST_OF_RARE } else { COST_MAX };
        }
        by_value + FOR_EACH_USE * u64::from(self.uses[predicate as usize])
    }

    /// The plans of all columns, in the order of their names, for the predicates that are searched for.
    pub(super) fn plans(&self, searched: &[bool]) -> Vec<Plan> {
        let mut by_column: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (number, columns) in self.columns.iter().enumerate().filter(|(number, _)| searched[*number]) {
            for column in columns {
                by_column.entry(&self.names[*column as usize]).or_default().push(number as u32);
            }
        }
        let names: Vec<&str> = by_column.keys().copied().collect();
        let plans = by_column.iter().map(|(column, predicates)| {
            let container = container_of(column).filter(|_| self.parts_hold);
            let container = container.and_then(|container| names.iter().position(|name| *name == container));
            // Literals that parts of this column look for: where none is found, the parts need not be searched.
            let parts = by_column.iter().filter(|(part, _)| self.parts_hold && container_of(part) == Some(column));
            let sought = parts.flat_map(|(_, predicates)| predicates.iter().copied()).collect();
            Plan::new(column, predicates.clone(), sought, container, self)
        });
        plans.collect()
    }

    /// Folded texts of which every match holds one, and where, if that decides; empty where there are none.
    fn literals(&self, predicate: u32) -> (Vec<String>, Option<Anchor>) {
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

fn container_of(column: &str) -> Option<&'static str> {
    Field::named(column).and_then(|(_, row)| row.within)
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

/// A predicate that a literal speaks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nominee {
    pub(super) predicate: u32,
    /// Where the literal must stand for the predicate to hold; `None` where only the check can tell.
    pub(super) place: Option<Anchor>,
}

impl Nominee {
    /// Whether a literal found from `start` to `end` of a text of `length` bytes is enough.
    pub(super) fn holds(place: Anchor, start: usize, end: usize, length: usize) -> bool {
        match place {
            Anchor::Contains => true,
            Anchor::StartsWith => start == 0,
            Anchor::EndsWith => end == length,
            Anchor::Whole => start == 0 && end == length,
        }
    }
}

/// How one column is searched.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) column: String,
    /// Percent-encoded text is searched decoded, too.
    pub(super) views: bool,
    /// Every predicate on the column.
    pub(super) predicates: Vec<u32>,
    /// Texts that the predicates need, folded.
    texts: Vec<Box<[u8]>>,
    /// What finds them: made when the first batch has the column.
    literals: OnceLock<Literals>,
    /// Of keywords, a first look.
    keyword_prefilter: OnceLock<Option<KeywordPrefilter>>,
    /// Predicates that each literal nominates.
    pub(super) nominated: Vec<Vec<Nominee>>,
    /// Whether each literal is looked for by a part of this column.
    pub(super) opens_parts: Vec<bool>,
    /// Of keywords: those that are also looked for in each value of a JSON line, in order.
    pub(super) of_values: Vec<u32>,
    /// Predicates without a literal: checked on every distinct value.
    pub(super) unfiltered: Vec<u32>,
    /// Plan of the column that contains this one's text: where it found nothing, there is nothing here.
    pub(super) container: Option<usize>,
    /// Some part has predicates without a literal: parts are always searched.
    pub(super) parts_always: bool,
    /// Packs of patterns, by the kind of text that they take the column for.
    packs: Vec<(Input, NumberedPacks)>,
    engines: OnceLock<Vec<Engine>>,
}

impl Plan {
    fn new(column: &str, predicates: Vec<u32>, sought: Vec<u32>, container: Option<usize>, all: &Predicates) -> Self {
        let of_values = |number: &u32| column == KEYWORDS && looks_at_values(&all.checks[*number as usize]);
        let mut literals: BTreeMap<String, (Vec<Nominee>, bool)> = BTreeMap::new();
        let mut unfiltered = Vec::new();
        let mut packs: Vec<(Input, NumberedPacks)> = Vec::new();
        for number in &predicates {
            if let Check::Pack(PackCheck { pack, input, .. }) = &all.checks[*number as usize] {
                let pack = (*number, Arc::clone(pack));
                match packs.iter_mut().find(|(known, _)| known == input) {
                    Some((_, packs)) => packs.push(pack),
                    None => packs.push((*input, vec![pack])),
                }
                continue;
            }
            let (texts, place) = all.literals(*number);
            // Its place in the line does not decide.
            let place = place.filter(|_| !of_values(number));
            if texts.is_empty() {
                unfiltered.push(*number);
            }
            for text in texts {
                literals.entry(text).or_default().0.push(Nominee { predicate: *number, place });
            }
        }
        let mut parts_always = false;
        for number in &sought {
            let (texts, _) = all.literals(*number);
            parts_always |= texts.is_empty();
            for text in texts {
                literals.entry(text).or_default().1 = true;
            }
        }
        if literals.is_empty() {
            let is_pack = |number: &u32| matches!(all.checks[*number as usize], Check::Pack(_));
            unfiltered = predicates.iter().copied().filter(|number| !is_pack(number)).collect();
            parts_always = true;
        }
        let of_values = predicates.iter().copied().filter(of_values).collect();
        let texts = literals.keys().map(|text| text.as_bytes().into()).collect();
        let (nominated, opens_parts) = literals.into_values().unzip();
        let column = column.to_owned();
        let views = has_views(&column);
        Plan {
            column,
            views,
            predicates,
            texts,
            literals: OnceLock::new(),
            keyword_prefilter: OnceLock::new(),
            nominated,
            opens_parts,
            of_values,
            unfiltered,
            container,
            parts_always,
            packs,
            engines: OnceLock::new(),
        }
    }

    /// `None` where no predicate has a literal.
    pub(super) fn literals(&self) -> Option<&Literals> {
        let made = || match self.column.as_str() {
            KEYWORDS => Literals::for_long_texts(self.texts.clone()),
            _ if self.views => Literals::for_requests(self.texts.clone()),
            _ => Literals::new(self.texts.clone()),
        };
        (!self.texts.is_empty()).then(|| self.literals.get_or_init(made))
    }

    /// What finds patterns in the column's values.
    #[inline]
    pub(super) fn engines(&self) -> &[Engine] {
        if self.packs.is_empty() {
            return &[];
        }
        self.engines
            .get_or_init(|| self.packs.iter().map(|(input, packs)| Engine::new(packs.clone(), *input)).collect())
    }

    pub(super) fn has_packs(&self) -> bool {
        !self.packs.is_empty()
    }

    pub(super) fn pattern_scratch(&self) -> Vec<PatternScratch> {
        self.engines().iter().map(Engine::scratch).collect()
    }

    /// A first look for keywords, where all of them can be looked for.
    pub(super) fn keyword_prefilter(&self) -> Option<&KeywordPrefilter> {
        self.keyword_prefilter
            .get_or_init(|| if self.unfiltered.is_empty() { KeywordPrefilter::new(&self.texts) } else { None })
            .as_ref()
    }

    /// Whether a keyword that stands in the raw line also stands in the line without its escapes, unless it reaches into an
    /// escape that does more than put a backslash before a character. Not so for those with such a pair of their own, and
    /// for those whose place in the line matters.
    pub(super) fn survives_unescaping(&self) -> bool {
        let pairs: [&[u8]; 3] = [b"\\\\", b"\\\"", b"\\/"];
        let has_pair =
            |text: &[u8]| text.ends_with(b"\\") || pairs.iter().any(|pair| memmem::find(text, pair).is_some());
        let anywhere = |nominee: &Nominee| nominee.place.is_none_or(|place| place == Anchor::Contains);
        self.unfiltered.is_empty()
            && !self.texts.iter().any(|text| has_pair(text))
            && self.nominated.iter().flatten().all(anywhere)
    }

    /// Bytes of the longest literal.
    pub(super) fn longest(&self) -> usize {
        self.texts.iter().map(|text| text.len()).max().unwrap_or(0)
    }
}
