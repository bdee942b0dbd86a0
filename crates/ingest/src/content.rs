//! What a file holds where it is no text in UTF-8 of one record in each line, told by its first bytes: text in UTF-16, records of
//! logins, a Windows event log, a JSON array, objects without line feeds. Each becomes lines of text while it is read, one for each record, and everything behind sees lines alone.
//!
//! Offsets are of the text that is made, as they are of what a compressed file holds. Equal files give equal text.

mod evtx;
mod handed;
pub(crate) mod json_array;
pub(crate) mod json_objects;
mod logins;
pub(crate) mod utf16;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use crate::decompress::{self, Compression};
use handed::{BOM, MadeText};
pub use logins::LoginLog;

/// First bytes that are looked at.
pub const SNIFF_BYTES: usize = 4096;
/// Largest Windows event log that is read from a compressed file or a stream: it has to be held in memory.
pub const EVTX_BYTES_MAX: u64 = 1 << 30;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text in UTF-8, or what is read as such.
    Text,
    /// Text in UTF-16, the low byte first.
    Utf16Le,
    /// Text in UTF-16, the high byte first.
    Utf16Be,
    /// wtmp and its relatives.
    Logins(LoginLog),
    /// A Windows event log (`.evtx`).
    Evtx,
    /// A JSON array of records, alone or as the member `Records`.
    JsonArray,
    /// JSON objects one after another, or records of CloudWatch Logs with many events each.
    JsonObjects,
}

impl Content {
    /// By the first bytes (decompressed), and by the name where many things may begin so.
    pub fn detect(path: &Path, first: &[u8]) -> Self {
        if first.starts_with(b"ElfFile\0") {
            return Content::Evtx;
        }
        if let Some(is_little) = utf16::detect(first) {
            return if is_little { Content::Utf16Le } else { Content::Utf16Be };
        }
        let first = first.strip_prefix(BOM).unwrap_or(first);
        if json_array::detect(first) {
            return Content::JsonArray;
        }
        if json_objects::detect(first) {
            return Content::JsonObjects;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        LoginLog::detect(&name, first).map_or(Content::Text, Content::Logins)
    }

    /// For people, where it is no plain text.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Content::Text => None,
            Content::Utf16Le | Content::Utf16Be => Some("text in UTF-16, decoded"),
            Content::Logins(_) => Some("records of logins, one line for each"),
            Content::Evtx => Some("a Windows event log, one line for each record"),
            Content::JsonArray => Some("a JSON array, one line for each element"),
            Content::JsonObjects => Some("JSON objects one after another, one line for each object or event"),
        }
    }

    /// The lines of what is read, from the start.
    pub(crate) fn lines_of(self, reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Content::Text => reader,
            Content::Utf16Le => Box::new(utf16::Decoder::new(reader, true)),
            Content::Utf16Be => Box::new(utf16::Decoder::new(reader, false)),
            Content::JsonArray => Box::new(MadeText::<_, json_array::ElementLines>::new(reader)),
            Content::JsonObjects => Box::new(MadeText::<_, json_objects::ObjectLines>::new(reader)),
            Content::Logins(log) => Box::new(logins::LoginLines::new(reader, log)),
            Content::Evtx => {
                let mut bytes = Vec::new();
                let read = reader.take(EVTX_BYTES_MAX + 1).read_to_end(&mut bytes)? as u64;
                if read > EVTX_BYTES_MAX {
                    return Err(io::Error::other("a compressed Windows event log of more than 1 GiB: decompress it"));
                }
                Box::new(evtx::EventLines::new(Cursor::new(bytes))?)
            }
        })
    }
}

/// The lines of a regular file, whatever it holds and however it is compressed.
pub fn lines(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut magic)?;
    let compression = Compression::detect(&magic);
    open(path, compression, sniff(path, compression)?)
}

/// The lines of a stream of this name, whatever it holds and however it is compressed, and what it holds.
pub fn lines_of_stream(
    name: &Path,
    mut stream: impl Read + Send + 'static,
) -> io::Result<(Box<dyn Read + Send>, Content)> {
    let mut magic = Vec::new();
    stream.by_ref().take(8).read_to_end(&mut magic)?;
    let compression = Compression::detect(&magic);
    let mut text = decompress::open(compression, BufReader::new(Cursor::new(magic).chain(stream)))?;
    let mut first = Vec::new();
    let failed = text.by_ref().take(SNIFF_BYTES as u64).read_to_end(&mut first).err();
    if let Some(error) = failed {
        if first.is_empty() {
            return Err(error);
        }
        // What was read in front of the damage counts.
        text = Box::new(Failed(Some(error)));
    }
    let content = Content::detect(name, &first);
    Ok((content.lines_of(Box::new(Cursor::new(first).chain(text)))?, content))
}

/// What cannot be read further: the error that told so, once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// What the file holds, by its first bytes behind the compression.
pub(crate) fn sniff(path: &Path, compression: Compression) -> io::Result<Content> {
    let mut first = Vec::new();
    let mut reader = decompress::open(compression, BufReader::new(File::open(path)?))?;
    // What is damaged further on is told when it is read.
    let read = reader.by_ref().take(SNIFF_BYTES as u64).read_to_end(&mut first);
    if first.is_empty() {
        read?;
    }
    Ok(Content::detect(path, &first))
}

/// The lines of a file, from the start.
pub(crate) fn open(path: &Path, compression: Compression, content: Content) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    if content == Content::Evtx && compression == Compression::None {
        return Ok(Box::new(evtx::EventLines::new(BufReader::new(file))?));
    }
    content.lines_of(decompress::open(compression, BufReader::new(file))?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_stands_in_front_of_damage_is_read() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"a line\n").unwrap();
        let damaged = [&packed.finish().unwrap()[..], b"text behind it\n"].concat();
        let (mut reader, content) = lines_of_stream(Path::new("-"), Cursor::new(damaged)).unwrap();
        let mut out = Vec::new();
        assert!(reader.read_to_end(&mut out).is_err());
        assert_eq!((content, out.as_slice()), (Content::Text, &b"a line\n"[..]));
        let mut nothing = lines_of_stream(Path::new("-"), Cursor::new(b"\x1f\x8b no gzip".to_vec()));
        assert!(nothing.as_mut().is_err_and(|error| !error.to_string().is_empty()));
    }

    #[test]
    fn a_mark_of_the_byte_order_in_front_changes_nothing() {
        for text in [r#"[{"a":1},{"a":2}]"#, r#"{"a":1}{"a":2}"#] {
            let lines = |text: String| {
                let (mut reader, content) = lines_of_stream(Path::new("x"), Cursor::new(text.into_bytes())).unwrap();
                let mut out = String::new();
                reader.read_to_string(&mut out).unwrap();
                (content, out)
            };
            let (content, out) = lines(format!("\u{feff}{text}"));
            assert_eq!((content, out.as_str()), (lines(text.to_owned()).0, "{\"a\":1}\n{\"a\":2}\n"));
            assert_ne!(content, Content::Text);
        }
    }
}
