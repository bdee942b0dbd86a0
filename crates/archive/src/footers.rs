//! What files say of themselves, kept in memory: files never change under their names, and a file that is asked again and again need not
//! be opened at its end each time.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::reader::Length;

use crate::error::ArchiveError;
use crate::place::{ArchivePlace, Opened};

/// Files that are remembered: about 40 KB each. Beyond it one is forgotten for each that comes.
const FOOTERS_MAX: usize = 1000;

/// By place and path: the length of the file, and what it says of itself.
type Footers = BTreeMap<(String, String), (u64, ArrowReaderMetadata)>;

static KNOWN: LazyLock<Mutex<Footers>> = LazyLock::new(Mutex::default);

/// What an open file says of itself.
pub(crate) fn footer(place: &ArchivePlace, path: &str, file: &Opened) -> Result<ArrowReaderMetadata, ArchiveError> {
    let (key, length) = ((place.to_string(), path.to_owned()), file.len());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, footer)) = known().get(&key).filter(|(of, _)| *of == length) {
        return Ok(footer.clone());
    }
    let footer = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let mut known = known();
    if known.len() >= FOOTERS_MAX {
        known.pop_first();
    }
    known.insert(key, (length, footer.clone()));
    Ok(footer)
}
