//! Batches whose sender gave them a name: a batch that is sent again after it was acknowledged is known, also after a crash. Two
//! files of records, the older of which is forgotten when the newer is full. Holds no events.
//!
//! A record is written and synced before its batch is acknowledged, and says where in the spool the batch ends. After a crash it
//! counts only where the spool reaches so far: a batch that was lost before it was durable was never acknowledged.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::spool::batch::Ticket;

/// Records of one file.
const RECORDS_MAX: usize = 65_536;
/// Name 16 · end in the spool 8 · events 8 · checksum 4 · zero 4 (little endian).
const RECORD_BYTES: usize = 40;
const NAMES: [&str; 2] = ["batch-ids", "batch-ids.old"];

/// What is known of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeenBatch {
    /// Somebody is about to take it.
    Pending,
    /// It is on disk, with so many events.
    Taken { end: u64, events: u64 },
}

/// What becomes of a batch with a name.
#[derive(Debug)]
pub enum Begun {
    /// It is new: whoever holds the claim takes it.
    New(Claim),
    /// It was taken before, with so many events.
    Taken(u64),
    /// It is being taken.
    Pending,
}

/// The names of the last batches. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Seen(Arc<SeenFiles>);

#[derive(Debug)]
struct SeenFiles {
    folder: PathBuf,
    state: Mutex<SeenState>,
}

#[derive(Debug, Default)]
struct SeenState {
    known: HashMap<u128, SeenBatch>,
    /// Names in the newer file, and in the older one.
    newer: Vec<u128>,
    older: Vec<u128>,
    file: Option<File>,
}

impl Seen {
    /// `end`: how far the spool reaches.
    pub(super) fn open(folder: &Path, end: u64) -> io::Result<Self> {
        let mut state = SeenState::default();
        for (name, is_newer) in [(NAMES[1], false), (NAMES[0], true)] {
            for (id, known) in read(&folder.join(name), end)? {
                if state.known.insert(id, known).is_none() {
                    if is_newer { state.newer.push(id) } else { state.older.push(id) }
                }
            }
        }
        // Offsets are given again where the spool lost its end: records beyond it must not come to count.
        let seen = Seen(Arc::new(SeenFiles { folder: folder.to_owned(), state: Mutex::new(state) }));
        let mut state = seen.lock();
        for (name, ids) in [(NAMES[0], &state.newer), (NAMES[1], &state.older)] {
            let bytes: Vec<u8> = ids.iter().filter_map(|id| record(*id, state.known.get(id)?)).flatten().collect();
            super::segment::write_whole(folder, name, &bytes)?;
        }
        state.file = Some(OpenOptions::new().append(true).open(folder.join(NAMES[0]))?);
        drop(state);
        Ok(seen)
    }

    /// Asks for a batch, by the digest of its name.
    pub fn begin(&self, id: u128) -> Begun {
        let mut state = self.lock();
        match state.known.get(&id) {
            Some(SeenBatch::Taken { events, .. }) => Begun::Taken(*events),
            Some(SeenBatch::Pending) => Begun::Pending,
            None => {
                state.known.insert(id, SeenBatch::Pending);
                Begun::New(Claim { seen: self.clone(), id, taken: None })
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.lock().file.as_ref().ok_or(io::ErrorKind::NotFound)?.sync_data()
    }

    fn lock(&self) -> MutexGuard<'_, SeenState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to take a batch; given back when dropped before [`Claim::done`].
#[derive(Debug)]
pub struct Claim {
    seen: Seen,
    id: u128,
    taken: Option<SeenBatch>,
}

impl Claim {
    /// Writes and syncs that the batch was appended. Blocks.
    pub fn record(&mut self, ticket: Ticket, events: u64) -> io::Result<()> {
        self.write(ticket, events)?;
        self.seen.sync()
    }

    /// Writes and syncs that several batches were appended, with one sync; each with its events. Blocks.
    pub fn record_all(claims: &mut [(Claim, u64)], ticket: Ticket) -> io::Result<()> {
        for (claim, events) in claims.iter_mut() {
            claim.write(ticket, *events)?;
        }
        claims.first().map_or(Ok(()), |(claim, _)| claim.seen.sync())
    }

    fn write(&mut self, ticket: Ticket, events: u64) -> io::Result<()> {
        let known = SeenBatch::Taken { end: ticket.0, events };
        let mut state = self.seen.lock();
        if state.newer.len() >= RECORDS_MAX {
            let folder = &self.seen.0.folder;
            if let Some(file) = &state.file {
                file.sync_data()?;
            }
            std::fs::rename(folder.join(NAMES[0]), folder.join(NAMES[1]))?;
            state.file = Some(OpenOptions::new().create(true).append(true).open(folder.join(NAMES[0]))?);
            File::open(folder)?.sync_all()?;
            let newer = std::mem::take(&mut state.newer);
            for id in std::mem::replace(&mut state.older, newer) {
                state.known.remove(&id);
            }
        }
        state.newer.push(self.id);
        let file = state.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.write_all(&record(self.id, &known).unwrap_or_default())?;
        drop(state);
        self.taken = Some(known);
        Ok(())
    }

    /// The batch is durable, and so is its record.
    pub fn done(self) {
        if let Some(known) = self.taken {
            self.seen.lock().known.insert(self.id, known);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.seen.lock();
        if state.known.get(&self.id) == Some(&SeenBatch::Pending) {
            state.known.remove(&self.id);
        }
    }
}

fn record(id: u128, known: &SeenBatch) -> Option<Vec<u8>> {
    let SeenBatch::Taken { end, events } = known else { return None };
    let mut bytes = Vec::with_capacity(RECORD_BYTES);
    bytes.extend_from_slice(&id.to_le_bytes());
    bytes.extend_from_slice(&end.to_le_bytes());
    bytes.extend_from_slice(&events.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    Some(bytes)
}

/// Whole records of batches that the spool holds or held.
fn read(path: &Path, end: u64) -> io::Result<Vec<(u128, SeenBatch)>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take((RECORDS_MAX * RECORD_BYTES) as u64 * 2).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let read = |bytes: &[u8]| {
        let is_sound = number(&bytes[32..36]) == u128::from(crc32fast::hash(&bytes[..32]));
        let (at, events) = (number(&bytes[16..24]) as u64, number(&bytes[24..32]) as u64);
        (is_sound && at <= end).then(|| (number(&bytes[..16]), SeenBatch::Taken { end: at, events }))
    };
    Ok(bytes.chunks_exact(RECORD_BYTES).filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(seen: &Seen, id: u128) -> Option<u64> {
        match seen.begin(id) {
            Begun::Taken(events) => Some(events),
            Begun::New(_) | Begun::Pending => None,
        }
    }

    fn take(seen: &Seen, id: u128, end: u64) {
        let Begun::New(mut claim) = seen.begin(id) else { panic!("{id} is known") };
        assert!(matches!(seen.begin(id), Begun::Pending));
        claim.record(Ticket(end), 3).unwrap();
        claim.done();
    }

    #[test]
    fn a_batch_is_known_again_also_after_a_crash_and_only_where_it_was_durable() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Seen::open(folder.path(), 0).unwrap();
        take(&seen, 1, 100);
        take(&seen, 2, 200);
        // Appended and recorded, but the process ended before it was durable.
        let Begun::New(mut claim) = seen.begin(3) else { panic!() };
        claim.record(Ticket(300), 1).unwrap();
        drop(claim);
        // Refused: it may come again.
        assert!(matches!(seen.begin(4), Begun::New(_)));
        assert_eq!([1, 2, 3, 4].map(|id| taken(&seen, id)), [Some(3), Some(3), None, None]);
        drop(seen);
        let mut bytes = std::fs::read(folder.path().join(NAMES[0])).unwrap();
        bytes.extend_from_slice(b"torn");
        std::fs::write(folder.path().join(NAMES[0]), bytes).unwrap();
        let seen = Seen::open(folder.path(), 250).unwrap();
        assert_eq!([1, 2, 3].map(|id| taken(&seen, id)), [Some(3), Some(3), None]);
        // The offset of the lost batch is given to another one now.
        drop(seen);
        assert_eq!(taken(&Seen::open(folder.path(), 1000).unwrap(), 3), None);
    }

    #[test]
    fn the_oldest_names_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Seen::open(folder.path(), 0).unwrap();
        {
            let mut state = seen.lock();
            for id in 1000..1000 + RECORDS_MAX as u128 {
                state.newer.push(id);
                state.known.insert(id, SeenBatch::Taken { end: 1, events: 1 });
            }
        }
        take(&seen, 1, 1);
        assert_eq!(taken(&seen, 1000), Some(1));
        let newer = seen.lock().newer.len();
        assert_eq!(newer, 1);
        seen.lock().newer.extend(2..2 + RECORDS_MAX as u128);
        take(&seen, 0, 1);
        assert_eq!((taken(&seen, 1000), taken(&seen, 1)), (None, Some(3)));
    }
}
