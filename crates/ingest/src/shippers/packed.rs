//! Entries of MessagePack one after another in a stream, such as a compressed one: one of them is held at a time. Knows nothing of what
//! they mean.

use std::io::Read;

use super::msgpack::{Scanned, ValueScan};
use crate::body::BodyError;

/// Longest entry, in bytes.
const ENTRY_BYTES_MAX: usize = 8 << 20;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Reads entries.
pub(super) struct Entries<R> {
    inner: R,
    held: Vec<u8>,
    /// Where the next entry begins.
    at: usize,
    scan: ValueScan,
}

/// Why nothing more is read.
#[derive(Debug)]
pub(super) struct BrokenEntry<'a> {
    pub(super) reason: &'static str,
    /// The stream has more bytes than it may have.
    pub(super) is_too_large: bool,
    /// What was read and is no entry.
    pub(super) rest: &'a [u8],
}

impl<R: Read> Entries<R> {
    pub(super) fn new(inner: R) -> Self {
        Entries { inner, held: Vec::new(), at: 0, scan: ValueScan::default() }
    }

    /// The next entry; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, BrokenEntry<'_>> {
        let mut is_too_large = false;
        let reason = loop {
            match self.scan.advance(&self.held[self.at..]) {
                Ok(Scanned::Whole(length)) => {
                    let start = self.at;
                    self.at += length;
                    return Ok(Some(&self.held[start..self.at]));
                }
                Ok(Scanned::Need(need)) if need > ENTRY_BYTES_MAX => break "too_long",
                Ok(Scanned::Need(_)) => {}
                Err(fault) => break fault.reason(),
            }
            self.held.drain(..std::mem::take(&mut self.at));
            let before = self.held.len();
            self.held.resize(before + READ_BYTES, 0);
            let read = self.inner.read(&mut self.held[before..]);
            self.held.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) if before == 0 => return Ok(None),
                Ok(0) => break "ends_early",
                Ok(_) => {}
                Err(error) => {
                    is_too_large = matches!(BodyError::of("", error), BodyError::TooLarge { .. });
                    break "bad_compression";
                }
            }
        };
        Err(BrokenEntry { reason, is_too_large, rest: &self.held[self.at..] })
    }
}
