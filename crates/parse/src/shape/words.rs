//! KnownWords that shapes of operators are compared with: fields, kinds of logs and log sources that are known, so that a slip of the
//! pen is told from what is new. Reads no files.

use event::dataset::DATASETS;

use super::model::{EventShape, Table};
use crate::near::{self, NameKind};

/// ECS's words for how something ended.
const OUTCOMES: [&str; 3] = ["success", "failure", "unknown"];

/// What the shapes that the program knows name, beside its own tables.
#[derive(Debug, Default)]
pub(super) struct KnownWords {
    fields: Vec<String>,
    datasets: Vec<String>,
    /// Products, categories, services.
    sources: [Vec<String>; 3],
}

impl KnownWords {
    pub(super) fn of(shapes: &[EventShape]) -> Self {
        let mut words = KnownWords::default();
        for row in DATASETS {
            words.datasets.push(row.name.to_owned());
            for (known, more) in words.sources.iter_mut().zip([row.products, row.categories, row.services]) {
                known.extend(more.iter().map(|word| (*word).to_owned()));
            }
        }
        for shape in shapes {
            words.datasets.push(shape.about.dataset.clone());
            words.fields.extend(shape.fields.iter().map(|filled| filled.target.clone()));
            words.fields.extend(shape.constants.iter().map(|(name, _)| name.clone()));
            for (known, word) in words.sources.iter_mut().zip(&shape.about.logsource) {
                known.extend(word.clone());
            }
        }
        words
    }

    pub(super) fn field(&self, name: &str) -> NameKind<'_> {
        near::field(name, &self.fields)
    }

    /// Why the kind of log is a slip.
    pub(super) fn dataset_slip(&self, name: &str) -> Option<String> {
        match near::of(name, self.datasets.iter().map(String::as_str)) {
            NameKind::Nearly(meant) => Some(format!(
                "dataset: `{name}` is unknown, and rules judge `{meant}`: write that, or a name that is less like it"
            )),
            _ => None,
        }
    }

    /// Why product, category or service is a slip.
    pub(super) fn source_slip(&self, part: usize, key: &str, word: &str) -> Option<String> {
        match near::of(word, self.sources.get(part)?.iter().map(String::as_str)) {
            NameKind::Nearly(meant) => Some(format!(
                "{key}: `{word}` is unknown, and `{meant}` is known: write that, or a word that is less like it"
            )),
            _ => None,
        }
    }
}

/// Why a text is no value of its field.
pub(super) fn unfit_word(name: &str, text: &str) -> Option<String> {
    (name == "event.outcome" && !OUTCOMES.contains(&text))
        .then(|| format!("`{text}` is no value of {name}: use one of {}", OUTCOMES.join(", ")))
}

/// The words that a table gives.
pub(super) fn given(table: &Table) -> impl Iterator<Item = &str> {
    table.words.iter().map(|(_, meant)| meant.as_str()).chain(table.otherwise.as_deref())
}
