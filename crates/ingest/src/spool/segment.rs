//! Segments on disk: files named by the offset of their first byte. Folders are synced whenever a name changes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use event::Position;

use crate::spool::batch::SpoolError;
use crate::spool::entry::{HEADER_BYTES, MAGIC_START, Placed};
use crate::spool::extent::NameRecord;

const EXTENSION: &str = "spool";

/// The segments by the offset of their first byte, with their sizes on disk.
#[derive(Debug, Default)]
pub(super) struct Segments {
    sizes: BTreeMap<u64, u64>,
}

/// Path of the segment that begins at the offset.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{EXTENSION}"))
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a small file so that it is there whole or not at all.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!("{name}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    sync_folder(folder)
}

/// Deletes segments. One that cannot be deleted costs room, nothing else.
pub(super) fn delete(folder: &Path, gone: Vec<u64>) {
    if gone.is_empty() {
        return;
    }
    for first in gone {
        if let Err(error) = fs::remove_file(path(folder, first)) {
            tracing::warn!(%error, segment = first, "cannot delete a spool segment");
        }
    }
    if let Err(error) = sync_folder(folder) {
        tracing::warn!(%error, "cannot sync the spool folder");
    }
}

impl Segments {
    /// Finds the segments, where the next entry begins, and the names of batches in the newest segment that has entries. Bytes behind the
    /// last whole entry are set aside.
    pub(super) fn recover(folder: &Path) -> Result<(Self, Position, Vec<NameRecord>), SpoolError> {
        let failed = |source| SpoolError::Folder { path: folder.to_owned(), source };
        let mut segments = Segments::default();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let first = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Some(first) = first
            {
                segments.sizes.insert(first, entry.metadata().map_err(failed)?.len());
            }
        }
        // An empty newest segment says where to go on, but not at which line: the one before does.
        let (mut next, mut names) = (Position::default(), Vec::new());
        for first in segments.sizes.keys().copied().collect::<Vec<_>>().into_iter().rev() {
            let path = path(folder, first);
            let failed = |source| SpoolError::File { path: path.clone(), source };
            let (end, whole_bytes) = scan(&path, first, &mut names).map_err(failed)?;
            let size = segments.sizes.get(&first).copied().unwrap_or(0);
            if whole_bytes < size {
                set_aside(&path, whole_bytes).map_err(failed)?;
                metrics::counter!("spool_torn_bytes_total").increment(size - whole_bytes);
                tracing::warn!(path = %path.display(), bytes = size - whole_bytes, "a half-written end was set aside");
                segments.sizes.insert(first, whole_bytes);
            }
            if let Some(end) = end {
                next = Position { offset: end.offset.max(next.offset), line: end.line };
                break;
            }
            next.offset = next.offset.max(first);
        }
        Ok((segments, next, names))
    }

    pub(super) fn first_offset(&self) -> u64 {
        self.sizes.keys().next().copied().unwrap_or(0)
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.sizes.values().sum()
    }

    pub(super) fn insert(&mut self, first: u64, bytes: u64) {
        self.sizes.insert(first, bytes);
    }

    /// The newest segment and its size.
    pub(super) fn last(&self) -> Option<(u64, u64)> {
        self.sizes.last_key_value().map(|(first, bytes)| (*first, *bytes))
    }

    /// The segment that holds the offset, else the next one after it.
    pub(super) fn holding(&self, offset: u64) -> Option<u64> {
        let at_or_before = self.sizes.range(..=offset).next_back().map(|(first, _)| *first);
        at_or_before.or_else(|| self.after(offset))
    }

    /// The next segment that begins after the offset.
    pub(super) fn after(&self, offset: u64) -> Option<u64> {
        self.sizes.range(offset + 1..).next().map(|(first, _)| *first)
    }

    /// Takes out the segments that end at or before the offset; the newest stays.
    pub(super) fn take_before(&mut self, offset: u64) -> Vec<u64> {
        let firsts: Vec<u64> = self.sizes.keys().copied().collect();
        let gone: Vec<u64> = firsts.windows(2).filter(|pair| pair[1] <= offset).map(|pair| pair[0]).collect();
        for first in &gone {
            self.sizes.remove(first);
        }
        gone
    }
}

/// End of the last whole entry, and at which byte of the file that is. Damage before it stays where it is: readers skip it.
fn scan(path: &Path, first: u64, names: &mut Vec<NameRecord>) -> io::Result<(Option<Position>, u64)> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut end, mut bytes) = (None, 0);
    let mut expected = first;
    loop {
        if let Some(placed) = read_whole(&mut reader, expected, names)? {
            bytes += placed.encoded_length();
            expected = placed.end().offset;
            end = Some(placed.end());
            continue;
        }
        let Some((at, start)) = whole_entry_behind(&fs::read(path)?, bytes as usize, expected) else {
            return Ok((end, bytes));
        };
        reader.seek(SeekFrom::Start(at))?;
        (bytes, expected) = (at, start.offset);
    }
}

/// The entry that begins here at the offset, if all of it is what was written; its names of batches.
fn read_whole(reader: &mut BufReader<File>, expected: u64, names: &mut Vec<NameRecord>) -> io::Result<Option<Placed>> {
    let mut head = [0_u8; HEADER_BYTES];
    if reader.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let Some(placed) = Placed::read(&head).filter(|placed| placed.start.offset == expected) else { return Ok(None) };
    let mut rest = Vec::new();
    let wanted = placed.encoded_length() - HEADER_BYTES as u64;
    let read = reader.by_ref().take(wanted).read_to_end(&mut rest)?;
    if read as u64 != wanted {
        return Ok(None);
    }
    let (lead, payload) = rest.split_at(placed.lead_bytes());
    if !placed.is_whole(&head, lead, payload) {
        return Ok(None);
    }
    names.extend(placed.records(lead));
    Ok(Some(placed))
}

/// The first whole entry of a segment's bytes that begins at or behind `from` and after the offset: where it stands, and
/// its start.
pub(super) fn whole_entry_behind(bytes: &[u8], from: usize, offset: u64) -> Option<(u64, Position)> {
    memchr::memmem::find_iter(bytes.get(from..)?, MAGIC_START).map(|at| from + at).find_map(|at| {
        let head: &[u8; HEADER_BYTES] = bytes.get(at..at + HEADER_BYTES)?.try_into().ok()?;
        let placed = Placed::read(head).filter(|placed| placed.start.offset > offset)?;
        let rest = bytes.get(at + HEADER_BYTES..at + placed.encoded_length() as usize)?;
        let (lead, payload) = rest.split_at(placed.lead_bytes());
        placed.is_whole(head, lead, payload).then_some((at as u64, placed.start))
    })
}

/// Keeps the bytes behind the last whole entry in a file beside, for a person to look at, and cuts the segment there.
fn set_aside(path: &Path, whole_bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.seek(SeekFrom::Start(whole_bytes))?;
    let mut aside = File::create(path.with_extension(format!("{whole_bytes}.torn")))?;
    io::copy(&mut file, &mut aside)?;
    aside.sync_all()?;
    file.set_len(whole_bytes)?;
    file.sync_all()
}
