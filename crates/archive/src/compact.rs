//! Many small files of one partition become one: a live archive writes a file with every checkpoint. The new file holds the
//! same events in the same order; the catalogue changes from the old ones to it in one step.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::ArchiveFile;

use crate::columns::Columns;
use crate::error::ArchiveError;
use crate::read::FileReader;
use crate::segment::Partition;
use crate::write::Writer;

/// Files of this length and more are left as they are, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Events of one file after compaction: all of them are in memory at once.
const EVENTS_MAX: u64 = 500_000;

/// Fewer files than this are not worth the rewriting.
const FILES_MIN: usize = 8;

/// Groups of files that should become one each, of those in the catalogue; `is_done`: nothing is written to this hour any more,
/// so that two files are worth it.
pub fn to_compact(files: &[ArchiveFile], is_done: impl Fn(&ArchiveFile) -> bool) -> Vec<Vec<ArchiveFile>> {
    let mut partitions: BTreeMap<(&str, i64), Vec<&ArchiveFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < FILE_BYTES_MAX && file.events < EVENTS_MAX / 2) {
        partitions.entry((file.dataset.as_str(), file.hour.micros())).or_default().push(file);
    }
    let mut groups = Vec::new();
    for of_partition in partitions.into_values() {
        let least = if of_partition.iter().all(|file| is_done(file)) { 2 } else { FILES_MIN };
        let mut group: Vec<ArchiveFile> = Vec::new();
        let mut events = 0;
        for file in of_partition {
            if events + file.events > EVENTS_MAX && !group.is_empty() {
                groups.push(std::mem::take(&mut group));
                events = 0;
            }
            events += file.events;
            group.push(file.clone());
        }
        groups.push(group);
        groups.retain(|group| group.len() >= least || group.len() >= FILES_MIN);
    }
    groups
}

impl Writer {
    /// Writes the events of these files of one partition into one new file.
    pub fn compact(&self, files: &[ArchiveFile]) -> Result<Option<ArchiveFile>, ArchiveError> {
        let Some(first) = files.first() else { return Ok(None) };
        let partition = Partition { dataset: first.dataset.clone(), hour: first.hour };
        let mut chunks: Vec<(i64, (Columns, usize))> = Vec::new();
        for file in files {
            for rows in FileReader::open(self.place(), &file.path, None)? {
                let rows = rows?;
                let names = rows.schema();
                let columns = names.fields().iter().zip(rows.columns());
                let columns = columns.map(|(field, column)| (field.name().clone(), Arc::clone(column))).collect();
                // Files of one partition are written one after another: their numbers do not overlap.
                chunks.push((file.sequences.0 as i64, (columns, rows.num_rows())));
            }
        }
        chunks.sort_by_key(|(first, _)| *first);
        let chunks: Vec<(Columns, usize)> = chunks.into_iter().map(|(_, chunk)| chunk).collect();
        let path = self.compacted_path(&partition, first.sequences.0);
        let raw_bytes = files.iter().map(|file| file.raw_bytes).sum();
        self.write_file(path, &partition, (&chunks, raw_bytes)).map(Some)
    }
}
