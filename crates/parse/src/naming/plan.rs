//! Shapes made ready for the columns of one block: which columns hold what a shape wants to know, and what is done with them.
//! Made anew where the block brings a column that was not known. Reads no lines.

use event::builder::KeptText;
use event::catalog::field;
use event::{BatchBuilder, FieldId, FieldType};

use crate::address::decimal;
use crate::shape::model::{Belongs, Conversion, EventShape, Filled, Table, Wanted, Way};

/// A constant, or the word that takes the place of another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fixed {
    Text(KeptText),
    Number(i64),
}

impl Fixed {
    fn new(target: FieldId, text: &str, rows: &mut BatchBuilder) -> Self {
        match BatchBuilder::kind_of(target) {
            FieldType::Long => Fixed::Number(decimal(text.as_bytes()).unwrap_or_default()),
            _ => Fixed::Text(rows.keep(text)),
        }
    }

    #[inline]
    pub(super) fn put(self, target: FieldId, rows: &mut BatchBuilder) {
        match self {
            Fixed::Text(text) => rows.put_kept(target, text),
            Fixed::Number(number) => rows.long(target, number),
        }
    }
}

/// A table of words with what is put for each.
#[derive(Debug)]
pub(super) struct Words {
    words: Vec<(Wanted, Fixed)>,
    otherwise: Option<Fixed>,
}

impl Words {
    pub(super) fn new(table: &Table, target: FieldId, rows: &mut BatchBuilder) -> Self {
        let words = table.words.iter().map(|(word, meant)| (word.clone(), Fixed::new(target, meant, rows))).collect();
        Words { words, otherwise: table.otherwise.as_ref().map(|word| Fixed::new(target, word, rows)) }
    }

    pub(super) fn find(&self, text: &[u8]) -> Option<Fixed> {
        let known = self.words.iter().find(|(word, _)| word.accepts(text)).map(|(_, fixed)| *fixed);
        known.or(self.otherwise)
    }
}

/// What mostly is all there is to do with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usual {
    /// The text becomes the field's as it stands.
    Same,
    /// So does an address in its plain form.
    Address,
    /// Digits become a number.
    Number,
    /// The time of the event, which may be known already.
    Time,
    /// It has to be looked at.
    Other,
}

impl Usual {
    fn new(target: FieldId, conversion: Conversion) -> Self {
        match (conversion, BatchBuilder::kind_of(target)) {
            (Conversion::Text, FieldType::Keyword) => Usual::Same,
            (Conversion::Address | Conversion::Peer, FieldType::Ip) => Usual::Address,
            (Conversion::Text | Conversion::Number, FieldType::Long) => Usual::Number,
            (Conversion::Time, _) if target == field::TIMESTAMP => Usual::Time,
            _ => Usual::Other,
        }
    }
}

/// One value on its way from a column to another.
#[derive(Debug)]
pub(super) struct NamingStep {
    pub(super) from: FieldId,
    /// Path within the value, which is an array or an object in raw text.
    pub(super) inside: Option<Box<str>>,
    pub(super) target: FieldId,
    pub(super) conversion: Conversion,
    pub(super) words: Option<Words>,
    pub(super) usual: Usual,
    /// Steps behind this one that are left out where it gives a value.
    pub(super) others: u8,
}

impl NamingStep {
    pub(super) fn new(from: FieldId, target: FieldId, conversion: Conversion, words: Option<Words>) -> Self {
        let usual = if words.is_some() { Usual::Other } else { Usual::new(target, conversion) };
        NamingStep { from, inside: None, target, conversion, words, usual, others: 0 }
    }
}

/// What is done with an event of a shape.
#[derive(Debug)]
pub(super) struct Plan {
    names_known: usize,
    /// Columns and what they must hold; a column that is not there holds nothing.
    pub(super) conditions: Vec<(Option<FieldId>, Vec<Wanted>)>,
    pub(super) steps: Vec<NamingStep>,
    pub(super) constants: Vec<(FieldId, Fixed)>,
    pub(super) dataset: Option<KeptText>,
    /// Columns of the log source; `None`: nothing is known, and the event's own value goes.
    pub(super) logsource: Vec<(FieldId, Option<KeptText>)>,
    /// Columns of a text that is read on, the best first, and of the program that wrote it.
    pub(super) text: Vec<FieldId>,
    pub(super) program: Vec<FieldId>,
}

impl Plan {
    pub(super) fn new(shape: &EventShape, rows: &mut BatchBuilder) -> Self {
        let known = |key: &String, rows: &BatchBuilder| rows.column_known(key);
        let conditions = shape.signature.conditions.iter();
        let conditions = conditions.map(|wanted| (known(&wanted.key, rows), wanted.values.clone())).collect();
        let steps = shape.fields.iter().flat_map(|filled| steps(filled, &shape.tables, rows)).collect();
        let constants = shape.constants.iter();
        let constants = constants.filter_map(|(name, text)| {
            let id = rows.column_named(name).ok()?;
            Some((id, Fixed::new(id, text, rows)))
        });
        let constants = constants.collect();
        let dataset = match &shape.belongs {
            Belongs::Known(_) => None,
            Belongs::Named(name) => Some(rows.keep(name)),
        };
        let columns =
            |keys: &[String], rows: &BatchBuilder| keys.iter().filter_map(|key| rows.column_known(key)).collect();
        let (text, program) = match &shape.text {
            Some(carried) => (columns(&carried.keys, rows), columns(&carried.program, rows)),
            None => (Vec::new(), Vec::new()),
        };
        let logsource = logsource(shape, rows);
        let names_known = rows.names_known();
        Plan { names_known, conditions, steps, constants, dataset, logsource, text, program }
    }

    /// Whether the block has no column that was not known when the plan was made.
    pub(super) fn is_current(&self, rows: &BatchBuilder) -> bool {
        self.names_known == rows.names_known()
    }
}

/// Where a shape says where its events come from, parts that it leaves out are no sender's to say.
fn logsource(shape: &EventShape, rows: &mut BatchBuilder) -> Vec<(FieldId, Option<KeptText>)> {
    let parts = &shape.about.logsource;
    if parts.iter().all(Option::is_none) {
        return Vec::new();
    }
    let names = ["logsource.product", "logsource.category", "logsource.service"];
    let columns = names.iter().zip(parts).filter_map(|(name, part)| {
        let id = if part.is_some() { rows.column_named(name).ok()? } else { rows.column_known(name)? };
        Some((id, part.as_ref().map(|part| rows.keep(part))))
    });
    columns.collect()
}

fn steps(filled: &Filled, tables: &[Table], rows: &mut BatchBuilder) -> Vec<NamingStep> {
    let found: Vec<(FieldId, Option<Box<str>>, &Way)> = filled
        .ways
        .iter()
        .filter_map(|way| match way.key.split_once("[]") {
            Some((key, inside)) => Some((rows.column_known(key)?, Some(inside.trim_start_matches('.').into()), way)),
            None => Some((rows.column_known(&way.key)?, None, way)),
        })
        .collect();
    if found.is_empty() {
        return Vec::new();
    }
    let Ok(target) = rows.column_named(&filled.target) else { return Vec::new() };
    let count = found.len();
    let step = |(at, (from, inside, way)): (usize, (FieldId, Option<Box<str>>, &Way))| {
        let table = way.table.and_then(|table| tables.get(usize::from(table)));
        let words = table.map(|table| Words::new(table, target, rows));
        let others = (count - 1 - at).min(255) as u8;
        NamingStep { inside, others, ..NamingStep::new(from, target, way.conversion, words) }
    };
    found.into_iter().enumerate().map(step).collect()
}
