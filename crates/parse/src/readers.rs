//! Which rows of the tables read lines, counted where somebody asks: formats, programs, shapes. Costs one test where nobody does.

use std::collections::BTreeMap;

/// How many lines each row read, by its kind and name as in the list of what can be read.
pub type ReadBy = BTreeMap<(&'static str, String), u64>;

/// The counts of one parser.
#[derive(Debug, Default)]
pub(crate) struct Readers(Option<Box<ReadBy>>);

impl Readers {
    /// Lines are counted from now on.
    pub(crate) fn count(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Counts since the last call.
    pub(crate) fn take(&mut self) -> ReadBy {
        self.0.as_deref_mut().map(std::mem::take).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn format(&mut self, name: &'static str) {
        if self.0.is_some() {
            self.add("format", name.to_owned());
        }
    }

    /// A format of the operator's own.
    #[inline]
    pub(crate) fn own(&mut self, name: &str) {
        if self.0.is_some() {
            self.add("own", name.to_owned());
        }
    }

    /// A row of programs, by the names in it.
    #[inline]
    pub(crate) fn program(&mut self, names: &[&str]) {
        if self.0.is_some() {
            self.add("program", names.join(", "));
        }
    }

    #[inline]
    pub(crate) fn shape(&mut self, name: &str) {
        if self.0.is_some() {
            self.add("shape", name.to_owned());
        }
    }

    #[cold]
    fn add(&mut self, kind: &'static str, name: String) {
        if let Some(counts) = &mut self.0 {
            *counts.entry((kind, name)).or_default() += 1;
        }
    }
}
