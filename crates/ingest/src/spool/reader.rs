//! Durable entries to blocks. A damaged entry costs its segment's rest, which is counted; reading goes on behind it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use event::{Block, Position, Source};

use crate::block_reader::BLOCK_BYTES;
use crate::spool::entry::{HEADER_BYTES, Placed};
use crate::spool::segment;
use crate::spool::shared::Shared;

/// Names of senders that are remembered, so that equal ones are shared.
const NAMES_MAX: usize = 4096;

/// Reads durable entries in order, from a position on.
#[derive(Debug)]
pub struct SpoolReader {
    shared: Arc<Shared>,
    source: Arc<Source>,
    next: Position,
    open: Option<(u64, BufReader<File>)>,
    names: hashbrown::HashMap<Box<[u8]>, Arc<Source>>,
}

/// An entry with what stands before its lines, and the lines.
type WholeEntry = (Placed, Vec<u8>, Vec<u8>);

enum Step {
    Entry,
    /// Nothing more is durable.
    End,
    /// The block is full.
    Full,
}

impl SpoolReader {
    pub(super) fn new(shared: Arc<Shared>, source: Arc<Source>, next: Position) -> Self {
        SpoolReader { shared, source, next, open: None, names: hashbrown::HashMap::new() }
    }

    /// The next block; `None` where nothing became durable within `patience`.
    pub fn next_block(&mut self, patience: Duration) -> Option<Block> {
        self.wait(patience)?;
        let mut block = Block::new(Arc::clone(&self.source), self.next, Vec::new(), event::Timestamp(0));
        loop {
            match self.take_entry(&mut block) {
                Ok(Step::Entry) => {}
                Ok(Step::End | Step::Full) => break,
                Err(error) => {
                    if !block.bytes.is_empty() {
                        break;
                    }
                    // Only what is written wrongly is skipped; what cannot be read now is read later.
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::Other | io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound
                    ) {
                        tracing::warn!(%error, "the spool cannot be read; trying again");
                        self.open = None;
                        std::thread::sleep(patience);
                        return None;
                    }
                    self.skip_damaged(&error);
                    block.start = self.next;
                }
            }
        }
        (!block.bytes.is_empty()).then_some(block)
    }

    fn wait(&self, patience: Duration) -> Option<()> {
        let state = self.shared.lock();
        if state.durable.offset > self.next.offset {
            return Some(());
        }
        let waited = self.shared.more.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        (waited.durable.offset > self.next.offset).then_some(())
    }

    fn take_entry(&mut self, block: &mut Block) -> io::Result<Step> {
        let durable = self.shared.lock().durable.offset;
        if self.next.offset >= durable {
            return Ok(Step::End);
        }
        if !block.bytes.is_empty() && block.bytes.len() >= BLOCK_BYTES / 2 {
            return Ok(Step::Full);
        }
        let Some((placed, lead, payload)) = self.read_entry()? else { return Ok(Step::End) };
        // A position inside an entry: what is before it is done.
        let done = self.next.offset.saturating_sub(placed.start.offset) as usize;
        if done < payload.len() {
            if block.bytes.is_empty() {
                block.reference = placed.header.received;
                block.start = if done == 0 { placed.start } else { self.next };
            }
            let origin = self.named(placed.sender(&lead));
            let (end, received) = (placed.end().offset, placed.header.received);
            self.shared.accounts.found(&origin.name, &payload[done..], end, received);
            if block.layout.origins.last().is_none_or(|(_, last)| *last != origin) {
                block.layout.origins.push((block.bytes.len() as u32, origin));
            }
            block.bytes.extend_from_slice(&payload[done..]);
            if placed.is_cut && block.bytes.pop_if(|last| *last == b'\n').is_some() {
                let start = memchr::memrchr(b'\n', &block.bytes).map_or(0, |at| at + 1);
                // The length that it takes here: how long it was as sent, nobody knows.
                block.cut_line_bytes = Some((block.bytes.len() - start) as u64 + 1);
                self.next = placed.end();
                return Ok(Step::Full);
            }
        }
        self.next = placed.end();
        Ok(Step::Entry)
    }

    /// The next entry of the open segment, or of the one behind it.
    fn read_entry(&mut self) -> io::Result<Option<WholeEntry>> {
        loop {
            if self.open.is_none() && !self.open_segment()? {
                return Ok(None);
            }
            let Some((first, reader)) = &mut self.open else { return Ok(None) };
            let mut head = [0_u8; HEADER_BYTES];
            match reader.read_exact(&mut head) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let after = self.shared.lock().segments.after(*first);
                    // Durable, and yet not here: it stands in the next segment.
                    let Some(next) = after.filter(|next| *next <= self.next.offset) else { return Err(error) };
                    self.open = Some((next, self.reader(next)?));
                    continue;
                }
                Err(error) => return Err(error),
            }
            let placed = Placed::read(&head).ok_or_else(|| io::Error::other("no entry begins here"))?;
            let mut lead = vec![0; placed.lead_bytes()];
            reader.read_exact(&mut lead)?;
            let mut payload = vec![0; placed.header.payload_bytes as usize];
            reader.read_exact(&mut payload)?;
            if !placed.is_whole(&head, &lead, &payload) {
                return Err(io::Error::other("an entry's checksum is wrong"));
            }
            // Entries of the segment that are before the position.
            if placed.end().offset <= self.next.offset {
                continue;
            }
            return Ok(Some((placed, lead, payload)));
        }
    }

    fn open_segment(&mut self) -> io::Result<bool> {
        let holding = self.shared.lock().segments.holding(self.next.offset);
        let Some(first) = holding else { return Ok(false) };
        self.open = Some((first, self.reader(first)?));
        Ok(true)
    }

    fn reader(&self, first: u64) -> io::Result<BufReader<File>> {
        let file = File::open(segment::path(&self.shared.options.folder, first))?;
        Ok(BufReader::with_capacity(256 << 10, file))
    }

    /// Goes on with the next whole entry: of this segment, else of the next, else what will come.
    fn skip_damaged(&mut self, error: &io::Error) {
        let here = self.open.take().map_or(self.next.offset, |(first, _)| first);
        let state = self.shared.lock();
        let next = state.segments.after(here.max(self.next.offset)).filter(|next| *next < state.durable.offset);
        let mut to = Position { offset: next.unwrap_or(state.durable.offset), line: self.next.line };
        drop(state);
        let bytes = std::fs::read(segment::path(&self.shared.options.folder, here)).unwrap_or_else(|error| {
            tracing::warn!(%error, segment = here, "a damaged segment cannot be searched for whole entries");
            Vec::new()
        });
        if let Some((at, start)) = segment::whole_entry_behind(&bytes, 0, self.next.offset) {
            let opened = self.reader(here).and_then(|mut reader| reader.seek(SeekFrom::Start(at)).map(|_| reader));
            if let Ok(reader) = opened {
                self.open = Some((here, reader));
                to = start;
            }
        }
        let lost = to.offset.saturating_sub(self.next.offset);
        metrics::counter!("spool_lost_bytes_total").increment(lost);
        tracing::error!(%error, segment = here, bytes = lost, "a damaged part of the spool was skipped");
        self.next = to;
    }

    fn named(&mut self, name: &[u8]) -> Arc<Source> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let text = String::from_utf8_lossy(name).into_owned();
        let named = Arc::new(Source { id: self.source.id, name: text });
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        self.names.insert(name.into(), Arc::clone(&named));
        named
    }
}
