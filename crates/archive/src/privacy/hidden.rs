//! Rows of one partition in which something must go, and their columns without it. The columns of other rows stay as they are.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, MapArray, StringViewArray};
use arrow_schema::ArrowError;
use arrow_select::nullif::nullif;
use event::EventBatch;
use event::catalog::field;
use memchr::memmem;

use super::{Hiding, Privacy, PrivateField, REMOVED};
use crate::columns::Columns;
use crate::schema::{LABEL_FIELDS, LABELS, REDACTED, is_own};

const RAW: &str = "event.original";

/// What a row must lose.
#[derive(Default)]
struct Loss {
    /// It has a query string, which may stand in a text without a `?`.
    is_query: bool,
    /// Values of private fields, and what stands for each: the longest first.
    values: Vec<(String, String)>,
    /// Names of fields that were changed.
    changed: Vec<String>,
}

/// Rows in which something must go.
pub(crate) struct Hidden<'a> {
    privacy: &'a Privacy,
    fields: Vec<&'a PrivateField>,
    /// By row; `None` where nothing must go.
    losses: Vec<Option<Loss>>,
}

impl Privacy {
    /// The rows of a batch in which something must go; `None` where there is none.
    pub(crate) fn hidden(&self, dataset: &str, batch: &EventBatch, rows: &[u32]) -> Option<Hidden<'_>> {
        let is_of = |field: &&PrivateField| field.dataset.as_deref().is_none_or(|of| of == dataset);
        let fields: Vec<&PrivateField> = self.fields.iter().filter(is_of).collect();
        let positions: Vec<usize> = fields.iter().filter_map(|private| batch.position_of(&private.field)).collect();
        let queries = batch.text(field::URL_QUERY);
        let loss = |row: &u32| {
            let row = *row as usize;
            let is_query = queries.as_ref().is_some_and(|queries| !queries.is_null(row));
            let has_value = |at: &usize| !batch.records().column(*at).is_null(row);
            let must = positions.iter().any(has_value) || self.parameters.is_in(batch.original(row), is_query);
            must.then(|| Loss { is_query, ..Loss::default() })
        };
        let losses: Vec<Option<Loss>> = rows.iter().map(loss).collect();
        losses.iter().any(Option::is_some).then_some(Hidden { privacy: self, fields, losses })
    }
}

impl Hidden<'_> {
    /// Rows that lose something keep their raw line, as far as it stays: their forms would tell the rest.
    pub(crate) fn clear(&self, forms: &mut [Option<Arc<str>>]) {
        for (form, _) in forms.iter_mut().zip(&self.losses).filter(|(_, loss)| loss.is_some()) {
            *form = None;
        }
    }

    /// Takes out of the columns what must go, and adds the column that says so.
    pub(crate) fn apply(mut self, columns: &mut Columns) -> Result<(), ArrowError> {
        self.gather(columns);
        for (name, array) in columns.iter_mut().filter(|(name, _)| name.as_str() == LABELS || !is_own(name)) {
            let private = self.private(name).map(|private| private.how);
            if let Some(texts) = array.as_string_view_opt() {
                *array = self.texts(name, texts, private);
            } else if let Some(labels) = array.as_map_opt().filter(|_| name == LABELS) {
                *array = self.labels(&labels.clone())?;
            } else if private.is_some() {
                let gone: BooleanArray = self.losses.iter().map(|loss| Some(loss.is_some())).collect();
                for (row, loss) in self.losses.iter_mut().enumerate() {
                    loss.iter_mut().filter(|_| !array.is_null(row)).for_each(|loss| loss.changed.push(name.clone()));
                }
                *array = nullif(array, &gone)?;
            }
        }
        let mut names = StringViewBuilder::new().with_deduplicate_strings();
        for loss in &self.losses {
            names.append_option(loss.as_ref().map(|loss| loss.changed.join(",")));
        }
        columns.insert(REDACTED.to_owned(), Arc::new(names.finish()));
        Ok(())
    }

    fn private(&self, name: &str) -> Option<&PrivateField> {
        self.fields.iter().copied().find(|private| private.field == name)
    }

    /// Values of private fields, which other texts of their rows may hold.
    fn gather(&mut self, columns: &Columns) {
        let privacy = self.privacy;
        for (row, loss) in self.losses.iter_mut().enumerate() {
            let Some(loss) = loss else { continue };
            for private in &self.fields {
                let value = value_of(columns, &private.field, row).filter(|value| !value.is_empty());
                if let Some(value) = value {
                    let instead = privacy.instead(&value, private.how);
                    loss.values.push((value, instead));
                }
            }
            loss.values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        }
    }

    fn texts(&mut self, name: &str, texts: &StringViewArray, private: Option<Hiding>) -> ArrayRef {
        let mut out = StringViewBuilder::with_capacity(texts.len());
        for (row, loss) in self.losses.iter_mut().enumerate() {
            let text = (!texts.is_null(row)).then(|| texts.value(row));
            let (Some(text), Some(loss)) = (text, loss) else {
                out.append_option(text);
                continue;
            };
            let kept = match private {
                Some(Hiding::Drop) => None,
                Some(Hiding::Hash) => Some(Cow::Owned(self.privacy.instead(text, Hiding::Hash))),
                None => Some(left(self.privacy, loss, name, text)),
            };
            if kept.as_deref() != Some(text) {
                loss.changed.push(name.to_owned());
            }
            out.append_option(kept);
        }
        Arc::new(out.finish())
    }

    fn labels(&mut self, maps: &MapArray) -> Result<ArrayRef, ArrowError> {
        let [entry, key, value] = LABEL_FIELDS.map(str::to_owned);
        let names = MapFieldNames { entry, key, value };
        let mut labels = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
        for row in 0..maps.len() {
            let (start, end) = (maps.value_offsets()[row] as usize, maps.value_offsets()[row + 1] as usize);
            for at in start..end {
                let (name, text) = (keys.value(at), (!values.is_null(at)).then(|| values.value(at)));
                let how = self.private(name).map(|private| private.how);
                let loss = self.losses[row].as_mut();
                let kept = match (text, loss) {
                    (Some(text), Some(loss)) => {
                        let kept = match how {
                            Some(how) => Cow::Owned(self.privacy.instead(text, how)),
                            None => left(self.privacy, loss, name, text),
                        };
                        if kept != text {
                            loss.changed.push(name.to_owned());
                        }
                        Some(kept)
                    }
                    (text, _) => text.map(Cow::Borrowed),
                };
                labels.keys().append_value(name);
                labels.values().append_option(kept);
            }
            labels.append(!maps.is_null(row))?;
        }
        Ok(Arc::new(labels.finish()))
    }
}

/// What of a text stays. A raw line that holds a value of a private field in a way that is not found goes whole.
fn left<'a>(privacy: &Privacy, loss: &Loss, name: &str, text: &'a str) -> Cow<'a, str> {
    let mut kept = Cow::Borrowed(text);
    for (value, instead) in &loss.values {
        match replaced(&kept, value, instead) {
            Some(text) => kept = Cow::Owned(text),
            None if name == RAW => return Cow::Borrowed(REMOVED),
            None => {}
        }
    }
    match privacy.parameters.removed(&kept, loss.is_query) {
        Some(text) => Cow::Owned(text),
        None => kept,
    }
}

/// The text with another in place of a value, where the value is no part of a longer word; `None` where it does not occur.
fn replaced(text: &str, value: &str, instead: &str) -> Option<String> {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let (mut out, mut end) = (String::new(), 0);
    for at in memmem::find_iter(text.as_bytes(), value.as_bytes()) {
        let (before, behind) = (text.get(..at)?, text.get(at + value.len()..)?);
        if !is_word(before.chars().next_back()) && !is_word(behind.chars().next()) {
            out.push_str(&text[end..at]);
            out.push_str(instead);
            end = at + value.len();
        }
    }
    (end > 0).then(|| {
        out.push_str(&text[end..]);
        out
    })
}

/// The value of a field in a row, as text.
fn value_of(columns: &Columns, name: &str, row: usize) -> Option<String> {
    let Some(array) = columns.get(name) else {
        let maps = columns.get(LABELS)?.as_map_opt().filter(|maps| !maps.is_null(row))?;
        let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
        let (start, end) = (maps.value_offsets()[row] as usize, maps.value_offsets()[row + 1] as usize);
        let at = (start..end).find(|at| keys.value(*at) == name && !values.is_null(*at))?;
        return Some(values.value(at).to_owned());
    };
    if array.is_null(row) {
        return None;
    }
    let text = array.as_string_view_opt().map(|texts| texts.value(row).to_owned());
    text.or_else(|| Some(array.as_primitive_opt::<Int64Type>()?.value(row).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_where_it_is_a_word_of_its_own() {
        assert_eq!(replaced("alice: alice1 alice", "alice", "x").as_deref(), Some("x: alice1 x"));
        assert_eq!(replaced("malice", "alice", "x"), None);
        assert_eq!(replaced("é=alice", "alice", "x").as_deref(), Some("é=x"));
    }
}
