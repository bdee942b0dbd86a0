//! Reading the lines around some evidence out of files of a folder: groups of rows that cannot hold them are told by their statistics, of
//! others two columns say which rows they are, and all columns of those rows alone make the lines.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use event::ArchiveFile;

use crate::error::ArchiveError;
use crate::hunt::found_lines_of;
use crate::passage::{FoundLine, Passage};
use crate::place::ArchivePlace;
use crate::read::StoredFile;
use crate::restore::originals;
use crate::schema::{LINE, SOURCE_NAME};

/// The lines of the passages, by source and number. `None`: the place is one that questions reach better.
pub fn lines_around(
    place: &ArchivePlace,
    files: &[ArchiveFile],
    passages: &[Passage],
) -> Result<Option<Vec<FoundLine>>, ArchiveError> {
    if !matches!(place, ArchivePlace::Folder(_)) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for file in files {
        let stored = StoredFile::open(place, &file.path)?;
        for group in 0..stored.groups() {
            read_group(&stored, group, passages, &mut all)?;
        }
    }
    all.sort_by(|a, b| (&a.name, a.number).cmp(&(&b.name, b.number)));
    Ok(Some(all))
}

fn read_group(
    stored: &StoredFile,
    group: usize,
    passages: &[Passage],
    all: &mut Vec<FoundLine>,
) -> Result<(), ArchiveError> {
    let lines = stored.numbers(group, LINE);
    let names = stored.texts(group, SOURCE_NAME);
    let possible = |passage: &&Passage| {
        let lies = lines.is_none_or(|(first, last)| passage.reaches(first.max(0) as u64, last.max(0) as u64));
        let is_named = names.is_none_or(|(first, last)| {
            let name = passage.source.as_bytes();
            first <= name && (name <= last || name.starts_with(last))
        });
        lies && is_named
    };
    let possible: Vec<&Passage> = passages.iter().filter(possible).collect();
    if possible.is_empty() {
        return Ok(());
    }
    let (mut chosen, mut row) = (Vec::new(), 0);
    for rows in stored.read(group, Some(&[SOURCE_NAME, LINE]), None)? {
        let rows = rows?;
        let names = rows.column_by_name(SOURCE_NAME).and_then(|column| column.as_string_view_opt());
        let numbers = rows.column_by_name(LINE).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(names), Some(numbers)) = (names, numbers) else { return Ok(()) };
        for at in 0..rows.num_rows() {
            let number = numbers.value(at).max(0) as u64;
            // Numbers are compared first: few rows have one of them.
            if possible.iter().any(|one| one.reaches(number, number) && one.source == names.value(at)) {
                chosen.push(row + at as u32);
            }
        }
        row += rows.num_rows() as u32;
    }
    if chosen.is_empty() {
        return Ok(());
    }
    for rows in stored.read(group, None, Some(&chosen))? {
        let rows = rows?;
        all.extend(found_lines_of(&rows, &originals(&rows)));
    }
    Ok(())
}
