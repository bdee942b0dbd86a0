//! Lines in which two members mean the same column: a key that comes twice, or `"a.b"` beside `{"a": {"b": …}}`. Readers
//! disagree on such lines, so that one value could hide another from rules. They are rare, and are read a second time.
//!
//! The member that is nested less deeply counts (a literal key before a path); of several that are nested alike all values
//! are kept, as an array that says so by the tag `duplicate_key`.

use std::collections::BTreeMap;
use std::ops::Range;

use event::builder::BatchBuilder;
use event::{FieldId, ValueTag};

use super::escapes::{as_json, push_text};
use super::reader::{PATH_BYTES_MAX, Reader, Result1, put_value};

/// Values that are kept of one key.
const VALUES_MAX: usize = 64;

/// A value in the line.
struct Leaf {
    depth: usize,
    at: Range<usize>,
}

/// The values of a name, the least deep ones only.
#[derive(Default)]
struct Doubled {
    leaves: Vec<Leaf>,
    hidden: u64,
}

impl Doubled {
    fn add(&mut self, leaf: Leaf) {
        match self.leaves.first().map(|known| known.depth) {
            Some(depth) if leaf.depth > depth => self.hidden += 1,
            Some(depth) if leaf.depth == depth => self.leaves.push(leaf),
            _ => {
                self.hidden += self.leaves.len() as u64;
                self.leaves = vec![leaf];
            }
        }
    }
}

/// Puts what the columns of `doubled` hold, for a line that has been read as a whole before.
pub(super) fn settle(reader: &mut Reader<'_, '_>, doubled: &[FieldId], rows: &mut BatchBuilder) -> Result1<()> {
    let mut found: BTreeMap<String, Doubled> = BTreeMap::new();
    (reader.at, reader.doubled) = (0, Vec::new());
    reader.scratch.path.clear();
    collect(reader, 0, &mut found)?;
    let end = reader.at;
    let names = found.into_iter().filter(|(_, doubled)| doubled.leaves.len() > 1 || doubled.hidden > 0);
    for (name, found) in names {
        reader.scratch.path.clear();
        reader.scratch.path.push_str(&name);
        let Some(id) = reader.place(rows).column.filter(|id| doubled.contains(id)) else { continue };
        (0..found.hidden).for_each(|_| rows.count_field_dropped());
        let mut texts: Vec<&[u8]> = found.leaves.iter().map(|leaf| &reader.text[leaf.at.clone()]).collect();
        if texts.len() > 1 {
            rows.mark("duplicate_key");
        }
        let before = texts.len();
        texts.dedup();
        texts.truncate(VALUES_MAX);
        if let ([_], Some(leaf)) = (texts.as_slice(), found.leaves.first()) {
            reader.at = leaf.at.start;
            let (text, tag) = reader.leaf(leaf.depth)?;
            put_value(id, &text, tag, rows);
        } else {
            (VALUES_MAX..before).for_each(|_| rows.count_field_dropped());
            let array = [b"[", texts.join(&b',').as_slice(), b"]"].concat();
            rows.tagged_owned(id, &as_json(&array), ValueTag::Array);
        }
    }
    reader.at = end;
    Ok(())
}

/// The values of an object under their paths.
fn collect(reader: &mut Reader<'_, '_>, depth: usize, found: &mut BTreeMap<String, Doubled>) -> Result1<()> {
    reader.members(|reader, key| {
        let before = reader.scratch.path.len();
        if depth > 0 {
            reader.scratch.path.push('.');
        }
        push_text(&mut reader.scratch.path, key.bytes());
        if reader.scratch.path.len() > PATH_BYTES_MAX {
            return Err("a JSON path is longer than 1024 bytes");
        }
        if reader.has_members()? {
            collect(reader, depth + 1, found)?;
        } else {
            let start = reader.at;
            reader.leaf(depth)?;
            let leaf = Leaf { depth, at: start..reader.at };
            found.entry(reader.scratch.path.clone()).or_default().add(leaf);
        }
        reader.scratch.path.truncate(before);
        Ok(())
    })
}
