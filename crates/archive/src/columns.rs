//! Rows of one batch as columns of the archive. Texts stay views into the block; only what a file has and a batch has not is
//! made here: numbers of events, sources, forms, labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, MapBuilder, MapFieldNames, StringBuilder, StringViewBuilder};
use arrow_array::{Array, ArrayRef, StringViewArray, TimestampMicrosecondArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::take::take;
use event::{EventBatch, ValueTag};

use crate::schema::{
    FORM, INGESTED, JSON_TYPES, JUDGED_AS, LABEL_FIELDS, LABELS, LINE, OFFSET, SEQUENCE, SOURCE_ID, SOURCE_NAME,
    type_of,
};

/// Columns by name.
pub(crate) type Columns = BTreeMap<String, ArrayRef>;

/// Some rows of a batch, the number of the batch's first row, and the forms of the rows.
pub(crate) struct Rows<'a> {
    pub(crate) batch: &'a EventBatch,
    pub(crate) rows: &'a [u32],
    pub(crate) first_sequence: u64,
    pub(crate) forms: &'a [Option<Arc<str>>],
}

impl Rows<'_> {
    /// The columns that these rows have values in.
    pub(crate) fn columns(&self) -> Result<Columns, ArrowError> {
        let mut out = Columns::new();
        let chosen = UInt32Array::from(self.rows.to_vec());
        let mut labels = Vec::new();
        for (at, name) in self.batch.column_names().enumerate() {
            let Some(array) = self.batch.records().columns().get(at) else { continue };
            let field = self.batch.field_at(at);
            let is_own = field.is_some_and(|row| type_of(row.kind) == *array.data_type());
            if !is_own {
                labels.push((name, at));
                continue;
            }
            let taken = take(array, &chosen, None)?;
            if taken.null_count() < taken.len() {
                out.insert(name.to_owned(), taken);
            }
        }
        self.put_places(&mut out)?;
        self.put_forms(&mut out)?;
        self.put_json_types(&mut out);
        self.put_labels(&labels, &mut out)?;
        Ok(out)
    }

    fn each(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().map(|row| *row as usize)
    }

    /// Where the rows come from, and which rules judge them.
    fn put_places(&self, out: &mut Columns) -> Result<(), ArrowError> {
        let batch = self.batch;
        let (mut sequences, mut offsets, mut lines) = (Int64Builder::new(), Int64Builder::new(), Int64Builder::new());
        let (mut names, mut judged) = (Repeated::default(), Repeated::default());
        for row in self.each() {
            sequences.append_value((self.first_sequence + row as u64) as i64);
            offsets.append_value(batch.offset(row) as i64);
            lines.append_value(batch.line_no(row) as i64);
            names.push(Some(&batch.origin(row).name));
            judged.push(Some(batch.datasets()[row].key()));
        }
        let id = batch.source().id.to_string();
        let mut ids = Repeated::default();
        self.rows.iter().for_each(|_| ids.push(Some(&id)));
        let received = vec![batch.reference().micros(); self.rows.len()];
        let received = TimestampMicrosecondArray::from(received).with_timezone("UTC");
        let columns: [(&str, ArrayRef); 7] = [
            (SEQUENCE, Arc::new(sequences.finish())),
            (SOURCE_ID, ids.column()?),
            (SOURCE_NAME, names.column()?),
            (OFFSET, Arc::new(offsets.finish())),
            (LINE, Arc::new(lines.finish())),
            (INGESTED, Arc::new(received)),
            (JUDGED_AS, judged.column()?),
        ];
        out.extend(columns.map(|(name, column)| (name.to_owned(), column)));
        Ok(())
    }

    /// The forms; the raw line is left out where there is one.
    fn put_forms(&self, out: &mut Columns) -> Result<(), ArrowError> {
        if self.forms.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut texts = Repeated::default();
        self.forms.iter().for_each(|form| texts.push(form.as_deref()));
        out.insert(FORM.to_owned(), texts.column()?);
        let name = "event.original";
        let kept = self.forms.iter().zip(self.rows).map(|(form, row)| form.is_none().then_some(*row));
        let kept: UInt32Array = kept.collect();
        out.remove(name);
        if let Some(at) = self.batch.position_of(name).filter(|_| kept.null_count() < kept.len()) {
            out.insert(name.to_owned(), take(&self.batch.records().columns()[at], &kept, None)?);
        }
        Ok(())
    }

    fn put_json_types(&self, out: &mut Columns) {
        let tagged: Vec<(&str, usize)> = self
            .batch
            .column_names()
            .enumerate()
            .filter(|(at, _)| self.batch.text_at(*at).is_some_and(|column| column.has_tags()))
            .map(|(at, name)| (name, at))
            .collect();
        if tagged.is_empty() {
            return;
        }
        let mut texts = StringViewBuilder::new().with_deduplicate_strings();
        let mut text = String::new();
        for row in self.each() {
            text.clear();
            for (name, at) in &tagged {
                let Some(column) = self.batch.text_at(*at) else { continue };
                let tag = column.tag(row);
                if tag != ValueTag::String && column.exists(row) {
                    text.push_str(if text.is_empty() { "" } else { ";" });
                    text.extend([name, "=", tag.word()]);
                }
            }
            texts.append_option((!text.is_empty()).then_some(text.as_str()));
        }
        out.insert(JSON_TYPES.to_owned(), Arc::new(texts.finish()));
    }

    /// Values of fields outside the catalog, and those whose type is another than the field's.
    fn put_labels(&self, columns: &[(&str, usize)], out: &mut Columns) -> Result<(), ArrowError> {
        if columns.is_empty() {
            return Ok(());
        }
        let [entry, key, value] = LABEL_FIELDS.map(str::to_owned);
        let names = MapFieldNames { entry, key, value };
        let mut labels = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        let mut any = false;
        for row in self.each() {
            let mut has = false;
            for (name, at) in columns {
                let Some(text) = self.text_of(*at, row) else { continue };
                labels.keys().append_value(name);
                labels.values().append_value(text);
                has = true;
            }
            labels.append(has)?;
            any |= has;
        }
        if any {
            out.insert(LABELS.to_owned(), Arc::new(labels.finish()));
        }
        Ok(())
    }

    fn text_of(&self, at: usize, row: usize) -> Option<String> {
        if let Some(column) = self.batch.text_at(at) {
            return column.str(row).map(str::to_owned);
        }
        let number = self.batch.long_at(at).or_else(|| self.batch.date_at(at))?;
        number.get(row).map(|number| number.to_string())
    }
}

/// Texts among which one is looked for: a block can have thousands of senders.
const LATELY: usize = 16;

/// A column whose rows repeat a few texts: each is kept once, and rows point to it. A text is known again by its place in memory,
/// so that no row is hashed.
#[derive(Default)]
struct Repeated<'a> {
    texts: Vec<&'a str>,
    rows: Vec<Option<u32>>,
}

impl<'a> Repeated<'a> {
    fn push(&mut self, text: Option<&'a str>) {
        let row = text.map(|text| {
            // What came lately comes again most of the time; where it does not, a text is kept twice, which costs room alone.
            let latest = self.texts.len().saturating_sub(LATELY);
            let known = self.texts[latest..].iter().rposition(|known| std::ptr::eq(*known, text));
            let at = known.map_or(self.texts.len(), |at| latest + at);
            if known.is_none() {
                self.texts.push(text);
            }
            at as u32
        });
        self.rows.push(row);
    }

    fn column(self) -> Result<ArrayRef, ArrowError> {
        take(&StringViewArray::from_iter_values(self.texts), &UInt32Array::from(self.rows), None)
    }
}
