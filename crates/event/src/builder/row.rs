//! The row at hand of a batch under construction: looking at what it has, and putting texts that many rows get. Ends no row.

use std::borrow::Cow;

use arrow_buffer::Buffer;

use super::{BatchBuilder, KeptText, ValueNow};
use crate::catalog::{FieldId, field};
use crate::column::{ColumnBuilder, ValueTag, Values};
use crate::dataset::Dataset;
use crate::views;

impl BatchBuilder {
    /// Names the numbers of one column in another, for all rows that have a number and no name: once for a batch, in place of
    /// a text in each row. `names` has at most 12 bytes for each number, from 0.
    pub fn name_numbers(&mut self, from: FieldId, to: FieldId, names: &[&'static str]) {
        let Some(numbers) = &self.columns[usize::from(from.0)] else { return };
        let named = self.columns[usize::from(to.0)].as_ref();
        if named.is_none()
            && let Some(only) = numbers.only_number(self.row())
            && let Some(name) = usize::try_from(only).ok().and_then(|at| names.get(at))
        {
            self.later.constants.push((to, name));
            return;
        }
        let views: Vec<u128> = names.iter().map(|name| views::inline(name.as_bytes())).collect();
        if named.is_none()
            && let Some(all) = numbers.mapped(&views)
        {
            self.columns[usize::from(to.0)] = Some(all);
            return;
        }
        let mut all = ColumnBuilder::text(self.row());
        for row in 0..numbers.len().max(named.map_or(0, ColumnBuilder::len)) {
            let known = named.and_then(|named| named.view_at(row));
            let name = || views.get(usize::try_from(numbers.number_at(row)?).ok()?).copied();
            if let Some((view, tag)) = known.or_else(|| name().map(|view| (view, ValueTag::String))) {
                all.seek(row);
                all.push_tagged(view, tag);
            }
        }
        self.columns[usize::from(to.0)] = Some(all);
    }

    /// Writes the name of every row's dataset: its own, or that of the table.
    pub(super) fn name_datasets(&mut self) {
        if let Some(first) = self.datasets.first().copied()
            && self.later.datasets.is_empty()
            && self.datasets.iter().all(|id| *id == first)
        {
            self.later.constants.push((field::EVENT_DATASET, Dataset::of(first).name));
            return;
        }
        let mut of_table = [None; 256];
        let mut names = Vec::with_capacity(self.row());
        for at in 0..self.row() {
            let id = self.datasets[at];
            let name = &mut of_table[usize::from(id.0)];
            names.push(*name.get_or_insert_with(|| self.copied(Dataset::of(id).name)));
        }
        for (row, name) in &self.later.datasets {
            names[*row] = *name;
        }
        self.columns[usize::from(field::EVENT_DATASET.0)] = Some(ColumnBuilder::full(names));
    }

    /// Whether the current row has a value in `id`.
    #[inline]
    pub fn has(&self, id: FieldId) -> bool {
        let row = self.row();
        self.columns.get(usize::from(id.0)).and_then(Option::as_ref).is_some_and(|column| column.is_valid(row))
    }

    /// What the current row has in `id`: a text with what it was in JSON, or the number of a column of numbers or times.
    #[inline]
    pub fn value_now(&self, id: FieldId) -> Option<ValueNow<'_>> {
        let row = self.row();
        let column = self.columns.get(usize::from(id.0))?.as_ref()?;
        match &column.values {
            Values::Text { .. } => {
                let (view, tag) = column.view_at(row)?;
                let length = views::length(view);
                if length <= views::INLINE_BYTES_MAX {
                    return Some(ValueNow::Short(view.to_le_bytes(), length, tag));
                }
                let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32 as usize);
                let buffer = if buffer == 0 { self.block.as_slice() } else { &self.scratch };
                Some(ValueNow::Text(buffer.get(offset..offset + length)?, tag))
            }
            Values::Long(values) | Values::Date(values) => {
                values.get(row).filter(|_| column.is_valid(row)).map(|value| ValueNow::Number(*value))
            }
        }
    }

    /// Puts what the current row has in the text column `from` to `to`, too, as a string, where `accept` takes the text and what it
    /// was in JSON; nothing is copied. `None` where the row has no text there.
    #[inline]
    pub fn share_where<T>(
        &mut self,
        from: FieldId,
        to: FieldId,
        accept: impl FnOnce(&[u8], ValueTag) -> Result<(), T>,
    ) -> Option<Result<(), T>> {
        let row = self.row();
        let column = self.columns.get(usize::from(from.0))?.as_ref()?;
        let (view, tag) = column.view_at(row)?;
        let length = views::length(view);
        let shared = if length <= views::INLINE_BYTES_MAX {
            accept(view.to_le_bytes().get(4..4 + length)?, tag)
        } else {
            let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32 as usize);
            let buffer = if buffer == 0 { self.block.as_slice() } else { &self.scratch };
            accept(buffer.get(offset..offset + length)?, tag)
        };
        if shared.is_ok() {
            self.put_view(to, view);
        }
        Some(shared)
    }

    /// Writes the text that the current row has in `id`; false where it has none.
    pub fn text_now(&self, id: FieldId, into: &mut String) -> bool {
        into.clear();
        let value = self.value_now(id).filter(|_| self.has(id));
        let Some(text) = value.as_ref().and_then(ValueNow::text) else { return false };
        into.push_str(&String::from_utf8_lossy(text));
        true
    }

    /// A text that many rows of this batch will get: copied once.
    pub fn keep(&mut self, text: &str) -> KeptText {
        KeptText(self.copied(text))
    }

    /// Puts a text that [`Self::keep`] of this batch has kept.
    #[inline]
    pub fn put_kept(&mut self, id: FieldId, text: KeptText) {
        self.put_view(id, text.0);
    }

    /// Puts a kept text that was something else than a string in JSON.
    pub fn put_kept_tagged(&mut self, id: FieldId, text: KeptText, tag: ValueTag) {
        self.put_tagged(id, text.0, tag);
    }

    /// Names the dataset of the current row by a kept text, as [`Self::name_dataset`] does.
    pub fn name_dataset_kept(&mut self, name: KeptText) {
        self.later.dataset_now = Some(name.0);
    }

    /// Whether the current row has the name of its dataset.
    pub fn is_dataset_named(&self) -> bool {
        self.later.dataset_now.is_some()
    }

    /// Takes the value of a column out of the current row.
    pub fn take_out(&mut self, id: FieldId) {
        let row = self.row();
        if let Some(column) = self.columns.get_mut(usize::from(id.0)).and_then(Option::as_mut) {
            column.truncate(row);
        }
    }

    /// The column of a name that [`Self::column_named`] was asked for before; makes none.
    pub fn column_known(&self, name: &str) -> Option<FieldId> {
        self.dynamic.get(name).copied()
    }

    /// How many names [`Self::column_named`] has been asked for: as long as this stays, no column is new.
    pub fn names_known(&self) -> usize {
        self.dynamic.len()
    }

    /// The text that the current row has in `id`: as it lies in `block`, which is [`Self::buffer`], or else a copy.
    pub fn text_or_copy<'b>(&self, id: FieldId, block: &'b Buffer) -> Option<(Cow<'b, [u8]>, ValueTag)> {
        let (view, tag) = self.columns.get(usize::from(id.0))?.as_ref()?.view_at(self.row())?;
        let length = views::length(view);
        if length <= views::INLINE_BYTES_MAX {
            return Some((Cow::Owned(view.to_le_bytes().get(4..4 + length)?.to_vec()), tag));
        }
        let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32 as usize);
        if buffer == 0 && block.as_ptr() == self.block.as_ptr() {
            return Some((Cow::Borrowed(block.get(offset..offset + length)?), tag));
        }
        let buffer = if buffer == 0 { self.block.as_slice() } else { &self.scratch };
        Some((Cow::Owned(buffer.get(offset..offset + length)?.to_vec()), tag))
    }

    /// The text that the current row has in `id`, apart from the builder: as it lies in `block`, which is
    /// [`Self::buffer`], or else copied to `spare`.
    #[inline]
    pub fn text_apart<'a>(
        &self,
        id: FieldId,
        block: &'a Buffer,
        spare: &'a mut Vec<u8>,
    ) -> Option<(&'a [u8], ValueTag)> {
        let row = self.row();
        let column = self.columns.get(usize::from(id.0))?.as_ref()?;
        let Values::Text { .. } = &column.values else { return None };
        let (view, tag) = column.view_at(row)?;
        let length = views::length(view);
        spare.clear();
        if length <= views::INLINE_BYTES_MAX {
            spare.extend_from_slice(view.to_le_bytes().get(4..4 + length)?);
            return Some((spare, tag));
        }
        let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32 as usize);
        if buffer == 0 && block.as_ptr() == self.block.as_ptr() {
            return Some((block.get(offset..offset + length)?, tag));
        }
        let buffer = if buffer == 0 { self.block.as_slice() } else { &self.scratch };
        spare.extend_from_slice(buffer.get(offset..offset + length)?);
        Some((spare, tag))
    }
}
