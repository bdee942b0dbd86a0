//! A log file as a source: who it is (by content, not by name), where to go on, and its blocks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use event::block::{digest, heading_after};
use event::{Position, Source, SourceId, Timestamp};

use crate::block_reader::BlockReader;
use crate::content::{self, Content};
use crate::decompress::Compression;

/// Bytes from the start of the (decompressed) file that tell it from others, if it has as many.
pub const FINGERPRINT_BYTES: usize = 64 << 10;

/// What is remembered of a file's start, so that it is known again under another name, compressed, or grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many bytes it covers: fewer than [`FINGERPRINT_BYTES`] where the file was shorter when first seen.
    pub bytes: usize,
    /// First 128 bits of SHA-256 over those bytes.
    pub hash: u128,
}

impl Fingerprint {
    /// Of a source that begins with `start`.
    pub fn of(start: &[u8]) -> Self {
        Fingerprint { bytes: start.len(), hash: digest(&[start]) }
    }

    /// Whether a source that begins with `start` is the one that this was made of.
    pub fn is_of(self, start: &[u8]) -> bool {
        start.get(..self.bytes).is_some_and(|start| digest(&[start]) == self.hash)
    }
}

/// Identity of a source that is seen for the first time, by its beginning. Short ones may begin alike: they are told apart by
/// their name as well.
pub(crate) fn new_id(start: &[u8], name: &[u8]) -> SourceId {
    let name = if start.len() < 1024 { name } else { b"" };
    SourceId(digest(&[b"file", start, name]))
}

/// Why a file could not be opened; the cause is the error's source.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there, or may not be read.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not one byte of it can be read.
    #[error("cannot read the start of {path}")]
    Start {
        /// The file.
        path: PathBuf,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
    /// What stands before the place where reading goes on cannot be passed.
    #[error("cannot go on at byte {offset} of {path}")]
    Seek {
        /// The file.
        path: PathBuf,
        /// Bytes from the start of the decompressed content.
        offset: u64,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
}

/// Why no block of a file could be given. The message names the cause: it is shown to people as one line.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened, or not at the place where reading goes on.
    #[error("{0}: {cause}", cause = .0.cause())]
    Open(#[from] OpenError),
    /// It is open, and its next bytes cannot be read or decompressed.
    #[error("{0}")]
    Next(#[from] io::Error),
}

impl OpenError {
    /// What the operating system, or the decompressor, said.
    fn cause(&self) -> &io::Error {
        match self {
            OpenError::Open { source, .. } | OpenError::Start { source, .. } | OpenError::Seek { source, .. } => source,
        }
    }
}

/// A file whose start has been read, so that it can be recognised before it is read.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    compression: Compression,
    content: Content,
    start: Vec<u8>,
    /// Last modification: the reference time of its lines.
    pub reference: Timestamp,
    /// Size on disk.
    pub size: u64,
}

impl FileSource {
    /// Opens the file and reads its start. A start that is damaged behind its first byte is no error: it comes again
    /// when lines are read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Open { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let reference = Timestamp(modified.map_or(0, |since| since.as_micros() as i64));
        let mut magic = Vec::new();
        file.by_ref().take(8).read_to_end(&mut magic).map_err(failed)?;
        let compression = Compression::detect(&magic);
        let size = metadata.len();
        let content =
            content::sniff(path, compression).map_err(|source| OpenError::Start { path: path.to_owned(), source })?;
        let mut source = FileSource { path: path.to_owned(), compression, content, start: Vec::new(), reference, size };
        let mut start = Vec::new();
        let read = source.reader().and_then(|reader| reader.take(FINGERPRINT_BYTES as u64).read_to_end(&mut start));
        // A damaged start may still hold lines: the error comes again when they are read.
        if let Err(error) = read
            && start.is_empty()
        {
            return Err(OpenError::Start { path: path.to_owned(), source: error });
        }
        source.start = start;
        Ok(source)
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        content::open(&self.path, self.compression, self.content)
    }

    /// Its name when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its first bytes are those of a compression that is known.
    pub fn is_compressed(&self) -> bool {
        self.compression != Compression::None
    }

    /// What it holds, where its lines are made of something else than text in UTF-8.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Whether its lines stand in it as they are read, so that offsets are places in the file.
    pub fn is_plain(&self) -> bool {
        self.compression == Compression::None && self.content == Content::Text
    }

    /// Whether nothing stands behind the offset, as far as that can be told without reading everything: a file that gzip
    /// has made ends with the length of its content, modulo 2^32.
    pub fn is_read_to(&self, offset: u64) -> bool {
        match self.compression {
            Compression::None if self.is_plain() => offset >= self.size,
            Compression::Gzip if offset > 0 && self.content == Content::Text => {
                let mut last = [0; 4];
                let read = File::open(&self.path).and_then(|mut file| {
                    file.seek(SeekFrom::End(-4))?;
                    file.read_exact(&mut last)
                });
                read.is_ok() && u32::from_le_bytes(last) == offset as u32
            }
            _ => false,
        }
    }

    /// The first bytes of the file: for a look at its first line.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The names of columns that the file begins with, for lines behind a position: a W3C log writes them at its top, and is not
    /// read again from there.
    pub(crate) fn heading_before(&self, position: Position) -> Option<Arc<[u8]>> {
        let known = self.start.len().min(usize::try_from(position.offset).unwrap_or(usize::MAX));
        let whole = memchr::memrchr(b'\n', &self.start[..known]).map_or(0, |end| end + 1);
        heading_after(None, &self.start[..whole])
    }

    /// What is remembered of its start.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.start)
    }

    /// Whether the file begins with what the fingerprint was made of.
    pub fn is(&self, known: Fingerprint) -> bool {
        known.is_of(&self.start)
    }

    /// Whether both files begin with the same bytes, as far as the shorter beginning goes.
    pub fn begins_like(&self, other: &FileSource) -> bool {
        let common = self.start.len().min(other.start.len());
        common > 0 && self.start[..common] == other.start[..common]
    }

    /// Whether all of `other` stands at the start of this file, both decompressed. Reads both; false where one fails.
    pub fn starts_with_all_of(&self, other: &FileSource) -> bool {
        let (Ok(mut mine), Ok(mut theirs)) = (self.reader(), other.reader()) else { return false };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        loop {
            right.clear();
            let Ok(read) = theirs.by_ref().take(FINGERPRINT_BYTES as u64).read_to_end(&mut right) else { return false };
            left.clear();
            let Ok(_) = mine.by_ref().take(read as u64).read_to_end(&mut left) else { return false };
            if left != right {
                return false;
            }
            if read == 0 {
                return true;
            }
        }
    }

    /// Identity of a file that is seen for the first time, by its beginning.
    pub fn new_id(&self) -> SourceId {
        new_id(&self.start, self.path.as_os_str().as_encoded_bytes())
    }

    /// The file's blocks from `position` on. Compressed files are decompressed up to there.
    pub fn read_from(&self, id: SourceId, position: Position) -> Result<FileBlocks, OpenError> {
        let failed = |source| OpenError::Seek { path: self.path.clone(), offset: position.offset, source };
        let reader: Box<dyn Read + Send> = if self.is_plain() {
            let mut file = File::open(&self.path).map_err(failed)?;
            file.seek(SeekFrom::Start(position.offset)).map_err(failed)?;
            Box::new(file)
        } else {
            let mut reader = self.reader().map_err(failed)?;
            io::copy(&mut reader.by_ref().take(position.offset), &mut io::sink()).map_err(failed)?;
            reader
        };
        let source = Arc::new(Source { id, name: self.path.display().to_string() });
        let heading = self.heading_before(position);
        Ok(BlockReader::new(reader, source, position, self.reference).with_heading(heading))
    }
}

/// Blocks of a file, decompressed where it is compressed.
pub type FileBlocks = BlockReader<Box<dyn Read + Send>>;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_known_again_when_it_has_grown_moved_or_been_compressed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.log");
        std::fs::write(&path, "first line\n").unwrap();
        let first = FileSource::open(&path).unwrap();
        let known = first.fingerprint();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"second line\n").unwrap();
        let grown = FileSource::open(&path).unwrap();
        assert!(grown.is(known));
        let moved = root.path().join("a.log.1.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"first line\nsecond line\n").unwrap();
        std::fs::write(&moved, packed.finish().unwrap()).unwrap();
        let compressed = FileSource::open(&moved).unwrap();
        assert!(compressed.is(known));
        let position = Position { offset: 11, line: 1 };
        for source in [grown, compressed] {
            let block = source.read_from(SourceId(1), position).unwrap().next_block().unwrap().unwrap();
            assert_eq!((block.bytes.as_slice(), block.start), (&b"second line\n"[..], position));
        }
    }

    #[test]
    fn a_file_with_another_start_is_another_file() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        std::fs::write(&a, "one\n").unwrap();
        std::fs::write(&b, "two\n").unwrap();
        let (a, b) = (FileSource::open(&a).unwrap(), FileSource::open(&b).unwrap());
        assert!(!b.is(a.fingerprint()));
        assert_ne!(a.new_id(), b.new_id());
        assert!(FileSource::open(&root.path().join("gone")).is_err());
    }
}
