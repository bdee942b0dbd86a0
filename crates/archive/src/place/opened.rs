//! A file that is open for reading. Readers of one file share its handle: each says where it reads, so that threads do not move each
//! other's place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

/// An open file.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    /// With its length.
    Local(Arc<File>, u64),
    /// Files of an archive have at most some tens of megabytes: one request is cheaper than one for each column.
    Fetched(Bytes),
}

impl Opened {
    pub(super) fn local(file: File) -> Opened {
        let length = Length::len(&file);
        Opened::Local(Arc::new(file), length)
    }
}

impl Length for Opened {
    fn len(&self) -> u64 {
        match self {
            Opened::Local(_, length) => *length,
            Opened::Fetched(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Opened::Local(file, _) => Ok(Box::new(BufReader::new(FromHere { file: Arc::clone(file), at: start }))),
            Opened::Fetched(bytes) => Ok(Box::new(bytes.get_read(start)?)),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Opened::Local(file, _) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes.into())
            }
            Opened::Fetched(bytes) => bytes.get_bytes(start, length),
        }
    }
}

/// Reads a file from a place of its own.
struct FromHere {
    file: Arc<File>,
    at: u64,
}

impl Read for FromHere {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
