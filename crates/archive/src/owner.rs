//! Whose the files of a place are, and which of them nobody names.

use std::collections::BTreeSet;

use event::Timestamp;

use crate::error::ArchiveError;
use crate::place::{ArchivePlace, FoundFile};

/// Name of the file that says whose archive a place holds.
const OWNER: &str = "ARCHIVE";

/// Begins the names of files that are written beside the instance that the archive belongs to.
pub(crate) const BESIDE: &str = "beside";

/// Makes the place that of the archive, or refuses it: what another store knows would be taken for left over. `has_files`: the
/// store knows files, which must lie in this place.
pub(crate) fn claim(place: &ArchivePlace, archive: &str, has_files: bool) -> Result<(), ArchiveError> {
    let is_ours = |owner: &[u8]| owner.trim_ascii() == archive.as_bytes();
    match place.get(OWNER)? {
        Some(owner) if is_ours(&owner) => Ok(()),
        Some(_) => Err(ArchiveError::OfAnother(place.to_string())),
        None if has_files => Err(ArchiveError::Elsewhere(place.to_string())),
        None => {
            place.put_first(OWNER, archive.as_bytes())?;
            // Two may have come at once, and the reply of a first try may have been lost.
            match place.get(OWNER)? {
                Some(owner) if is_ours(&owner) => Ok(()),
                _ => Err(ArchiveError::OfAnother(place.to_string())),
            }
        }
    }
}

/// Makes the place that of the archive where it is nobody's yet, whatever the store knows: somebody has said that what is not
/// there is lost.
pub fn adopt(place: &ArchivePlace, archive: &str) -> Result<(), ArchiveError> {
    place.make()?;
    claim(place, archive, false)
}

/// Refuses the place of another archive. True: it is the archive's own; false: it is nobody's yet, or is not there.
pub fn is_owned(place: &ArchivePlace, archive: &str) -> Result<bool, ArchiveError> {
    match place.get(OWNER)? {
        Some(owner) if owner.trim_ascii() == archive.as_bytes() => Ok(true),
        Some(_) => Err(ArchiveError::OfAnother(place.to_string())),
        None => Ok(false),
    }
}

/// Those of the paths at which the place has no file.
pub fn missing(place: &ArchivePlace, paths: Vec<String>) -> Result<Vec<String>, ArchiveError> {
    let found = if place.is_there() { place.list()? } else { Vec::new() };
    let found: BTreeSet<String> = found.into_iter().map(|found| found.path).collect();
    Ok(paths.into_iter().filter(|path| !found.contains(path)).collect())
}

/// Removes files of this instance that are not known, finished or not, and says how many. Files of other instances stay:
/// they may be on their way into a commit.
pub(crate) fn remove_orphans(
    place: &ArchivePlace,
    instance: &str,
    known: &BTreeSet<String>,
) -> Result<u64, ArchiveError> {
    remove_unnamed(place, known, |found| is_of(name_of(&found.path), instance))
}

/// Removes files of those who wrote beside, which are not known and were last written before a time.
pub(crate) fn remove_left_over(
    place: &ArchivePlace,
    known: &BTreeSet<String>,
    before: Timestamp,
) -> Result<u64, ArchiveError> {
    remove_unnamed(place, known, |found| is_of(name_of(&found.path), BESIDE) && found.written_at < before)
}

fn remove_unnamed(
    place: &ArchivePlace,
    known: &BTreeSet<String>,
    is_meant: impl Fn(&FoundFile) -> bool,
) -> Result<u64, ArchiveError> {
    let found = place.list()?.into_iter().filter(|found| !known.contains(&found.path) && is_meant(found));
    let orphans: Vec<String> = found.map(|found| found.path).collect();
    place.remove(&orphans)?;
    Ok(orphans.len() as u64)
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file was written by this instance: `INSTANCE-EPOCH-NUMBER.parquet`, with `-NUMBER` behind it where compaction wrote
/// it, or an unfinished one. The name of another instance may begin like this one.
fn is_of(name: &str, instance: &str) -> bool {
    let Some(rest) = name.strip_prefix(instance).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let Some(stem) = rest.strip_suffix(".parquet").or_else(|| rest.strip_suffix(".parquet.tmp")) else { return false };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = stem.split('-').collect();
    match parts.as_slice() {
        [epoch, first] | [epoch, first, _] => {
            let is_epoch = epoch.bytes().all(|byte| byte.is_ascii_digit()) && !epoch.is_empty();
            is_epoch && first.len() == 12 && parts[1..].iter().all(|part| is_number(part))
        }
        _ => false,
    }
}
