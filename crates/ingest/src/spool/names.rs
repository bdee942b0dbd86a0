//! Names of batches on disk: how a name is written, and two files of records for segments that are gone or will go, the older of which is
//! forgotten when the newer is full. Only the spool's writer writes them: before a new segment begins, the names of the one before are
//! here, synced; those of the newest segment stand in its entries alone. Holds no events.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::spool::extent::{Extent, NameRecord};
use crate::spool::segment;

/// Records of one file.
pub(super) const RECORDS_MAX: usize = 65_536;
/// Name 16 · end in the spool 8 · how much 8 · checksum 4 · zero 4 (little endian).
const RECORD_BYTES: usize = 40;
const NAMES: [&str; 2] = ["batch-ids", "batch-ids.old"];

/// The two files.
#[derive(Debug)]
pub(super) struct NameFiles {
    folder: PathBuf,
    newer: Vec<NameRecord>,
    older: Vec<NameRecord>,
    file: File,
    /// Bytes of the newer file.
    bytes: u64,
}

impl NameFiles {
    /// `end`: how far the spool reaches; `found`: what its newest segment says.
    pub(super) fn open(folder: &Path, end: u64, found: Vec<NameRecord>) -> io::Result<Self> {
        let mut older = read(&folder.join(NAMES[1]), end)?;
        let mut newer = read(&folder.join(NAMES[0]), end)?;
        let known: hashbrown::HashSet<(u128, u64)> = newer.iter().map(|record| (record.id, record.end)).collect();
        newer.extend(found.into_iter().filter(|record| !known.contains(&(record.id, record.end))));
        if newer.len() > RECORDS_MAX {
            let last = newer.split_off(newer.len() - RECORDS_MAX);
            older = newer.split_off(newer.len().saturating_sub(RECORDS_MAX));
            newer = last;
        }
        // Offsets are given again where the spool lost its end: records beyond it must not come to count. The older file first: should
        // the process end in between, nothing is in neither.
        for (name, records) in [(NAMES[1], &older), (NAMES[0], &newer)] {
            segment::write_whole(folder, name, &encoded(records))?;
        }
        let file = OpenOptions::new().append(true).open(folder.join(NAMES[0]))?;
        let bytes = (newer.len() * RECORD_BYTES) as u64;
        Ok(NameFiles { folder: folder.to_owned(), newer, older, file, bytes })
    }

    /// Everything that they hold, the oldest first.
    pub(super) fn records(&self) -> impl Iterator<Item = &NameRecord> {
        self.older.iter().chain(&self.newer)
    }

    /// Writes and syncs records; what is forgotten for them. After an error it is to be tried again with all of them.
    pub(super) fn put(&mut self, records: &[NameRecord]) -> io::Result<Vec<NameRecord>> {
        let mut forgotten = Vec::new();
        for records in records.chunks(RECORDS_MAX) {
            if self.newer.len() + records.len() > RECORDS_MAX {
                forgotten.append(&mut self.rotate()?);
            }
            if let Err(error) = self.file.write_all(&encoded(records)) {
                // What was written of it goes, so that the next record does not stand behind half of one.
                self.file.set_len(self.bytes)?;
                return Err(error);
            }
            self.bytes += (records.len() * RECORD_BYTES) as u64;
            self.newer.extend_from_slice(records);
        }
        self.file.sync_data()?;
        Ok(forgotten)
    }

    fn rotate(&mut self) -> io::Result<Vec<NameRecord>> {
        self.file.sync_data()?;
        std::fs::rename(self.folder.join(NAMES[0]), self.folder.join(NAMES[1]))?;
        self.file = OpenOptions::new().create(true).append(true).open(self.folder.join(NAMES[0]))?;
        self.bytes = 0;
        segment::sync_folder(&self.folder)?;
        let newer = std::mem::take(&mut self.newer);
        Ok(std::mem::replace(&mut self.older, newer))
    }
}

fn encoded(records: &[NameRecord]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
    for NameRecord { id, extent, end } in records {
        let start = bytes.len();
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(&end.to_le_bytes());
        bytes.extend_from_slice(&extent.number().to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes[start..]).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
    }
    bytes
}

/// Whole records of batches that the spool holds or held.
fn read(path: &Path, end: u64) -> io::Result<Vec<NameRecord>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take((RECORDS_MAX * RECORD_BYTES) as u64 * 2).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let read = |bytes: &[u8]| {
        let is_sound = number(&bytes[32..36]) == u128::from(crc32fast::hash(&bytes[..32]));
        let (at, much) = (number(&bytes[16..24]) as u64, number(&bytes[24..32]) as u64);
        (is_sound && at <= end).then(|| NameRecord { id: number(&bytes[..16]), extent: Extent::of(much), end: at })
    };
    Ok(bytes.chunks_exact(RECORD_BYTES).filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u128, end: u64) -> NameRecord {
        NameRecord { id, extent: Extent::Whole { events: 3 }, end }
    }

    fn all(files: &NameFiles) -> Vec<(u128, u64)> {
        files.records().map(|record| (record.id, record.end)).collect()
    }

    #[test]
    fn records_come_back_only_where_the_spool_reaches() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = NameFiles::open(folder.path(), 0, Vec::new()).unwrap();
        let part = NameRecord { extent: Extent::Part { bytes: 7 }, ..record(2, 200) };
        assert!(files.put(&[record(1, 100), part, record(3, 300)]).unwrap().is_empty());
        drop(files);
        let path = folder.path().join(NAMES[0]);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"torn");
        std::fs::write(&path, bytes).unwrap();
        let files = NameFiles::open(folder.path(), 250, vec![part, record(4, 240)]).unwrap();
        assert_eq!(all(&files), [(1, 100), (2, 200), (4, 240)]);
        assert!(files.records().any(|known| *known == part));
        // The offset of the lost batch is given to another one now.
        drop(files);
        assert_eq!(all(&NameFiles::open(folder.path(), 1000, Vec::new()).unwrap()).len(), 3);
    }

    #[test]
    fn the_oldest_names_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = NameFiles::open(folder.path(), 0, Vec::new()).unwrap();
        let many = |first: u128| (first..first + RECORDS_MAX as u128).map(|id| record(id, 1)).collect::<Vec<_>>();
        assert!(files.put(&many(0)).unwrap().is_empty());
        assert!(files.put(&[record(1 << 20, 1)]).unwrap().is_empty());
        assert_eq!(files.put(&many(1 << 21)).unwrap().len(), RECORDS_MAX);
        assert_eq!(files.records().count(), RECORDS_MAX + 1);
        drop(files);
        // Names that only a segment holds push the oldest out as well.
        let files = NameFiles::open(folder.path(), 9, many(1 << 22)).unwrap();
        assert_eq!(files.records().count(), 2 * RECORDS_MAX);
        assert!(files.records().all(|record| record.id >= 1 << 21));
    }
}
