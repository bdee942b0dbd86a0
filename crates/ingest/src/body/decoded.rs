//! Bodies without their content encoding: gzip, zstd, deflate (zlib or bare), snappy (framed or one block) or none, within limits of
//! output and memory. Knows no lines.

use std::io::{self, BufRead, BufReader, Read};

/// Largest window of a zstd stream, as the power of two: RFC 9659 allows HTTP bodies no more, and each body takes so much memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Largest window, as the power of two, of a body that is unpacked at once: only few larger ones are unpacked side by side.
const ZSTD_WINDOW_LOG_SMALL: u32 = 20;

/// The encoding of bodies whose sender says nothing that can be relied on: their first bytes tell.
pub const SNIFFED: &str = "sniffed";
/// The message of a unary gRPC call in its frame; behind it, as `grpc+gzip`, the encoding of a message that says it is compressed.
pub const GRPC: &str = "grpc+";
/// Longest snappy block, unpacked, in bytes: it is unpacked at once.
pub const SNAPPY_BLOCK_BYTES_MAX: u64 = 20 << 20;
/// What a snappy stream in frames begins with.
const SNAPPY_FRAMES: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// Why a body cannot be taken. Causes are part of the message, not the error's source.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The encoding, cut to 32 letters.
    #[error("the content encoding `{0}` is not one of gzip, zstd, deflate, snappy, identity")]
    UnknownEncoding(String),
    /// It cannot be read or decompressed to its end.
    #[error("the body is no sound {encoding} stream: {cause}")]
    Damaged {
        /// What it was said to be.
        encoding: &'static str,
        /// What the decompressor, or the sender's connection, said.
        cause: io::Error,
    },
    /// It unpacks to more than is taken.
    #[error("the body is larger than {limit} bytes when decompressed: send smaller batches")]
    TooLarge {
        /// Bytes that it may have.
        limit: u64,
    },
    /// It was kept for a second reading, which failed. It may be sent again.
    #[error("the body could not be read again ({cause}): send it again")]
    Unread {
        /// Why the file that held it cannot be read.
        cause: io::Error,
    },
}

/// The body as it was before it was compressed; `None` where it has more than `small` bytes, or wants more memory than that to be
/// unpacked.
pub fn decompress_small(encoding: &str, body: &[u8], small: u64) -> Result<Option<Vec<u8>>, BodyError> {
    let mut out = Vec::new();
    let mut decoded = Decoded::with_window(encoding, body, small, ZSTD_WINDOW_LOG_SMALL)?;
    match decoded.read_to_end(&mut out).map_err(|error| BodyError::of(encoding, error)) {
        Ok(_) => Ok(Some(out)),
        // A window that is too large and damage look alike: the thorough way tells.
        Err(BodyError::TooLarge { .. } | BodyError::Damaged { encoding: "zstd", .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl BodyError {
    /// What an error while reading means.
    pub fn of(encoding: &str, error: io::Error) -> Self {
        match error.downcast::<BodyError>() {
            Ok(error) => error,
            Err(cause) => BodyError::Damaged { encoding: known(encoding), cause },
        }
    }
}

fn known(encoding: &str) -> &'static str {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => "gzip",
        "deflate" => "deflate",
        "zstd" => "zstd",
        "snappy" => "snappy",
        SNIFFED => "compressed",
        encoding if encoding.starts_with(GRPC) => "gRPC",
        _ => "plain",
    }
}

/// A body that is decompressed as it is read, within its limits.
pub struct Decoded<'a> {
    inner: Box<dyn Read + 'a>,
    /// What it was compressed with, if it was.
    packed: Option<&'static str>,
    given: u64,
    bytes_max: u64,
}

impl<'a> Decoded<'a> {
    /// Bounded by its output alone: lines that an attacker repeats compress a thousand times, and must not get the batch that they
    /// are in refused.
    pub fn new(encoding: &str, raw: impl Read + 'a, bytes_max: u64) -> Result<Self, BodyError> {
        Self::with_window(encoding, raw, bytes_max, ZSTD_WINDOW_LOG_MAX)
    }

    #[allow(clippy::disallowed_methods, reason = "`read` caps the output")]
    fn with_window(encoding: &str, raw: impl Read + 'a, bytes_max: u64, window_log: u32) -> Result<Self, BodyError> {
        let encoding = encoding.trim().to_ascii_lowercase();
        let inner: Box<dyn Read + 'a> = match encoding.as_str() {
            "" | "identity" => Box::new(raw),
            "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(raw)),
            "deflate" => deflated(raw)?,
            "snappy" | "x-snappy" | "x-snappy-framed" => snappy(raw, bytes_max)?,
            "zstd" => {
                let failed = |cause| BodyError::Damaged { encoding: "zstd", cause };
                let mut decoder = zstd::Decoder::new(raw).map_err(failed)?;
                decoder.window_log_max(window_log).map_err(failed)?;
                Box::new(decoder)
            }
            encoding if encoding.starts_with(GRPC) => {
                let message = OneMessage::open(raw).map_err(|error| BodyError::of(encoding, error))?;
                let within = if message.is_compressed { &encoding[GRPC.len()..] } else { "" };
                // Boxed, or its type would go on without end.
                let message: Box<dyn Read + 'a> = Box::new(message);
                return Self::with_window(within, message, bytes_max, window_log);
            }
            encoding if encoding == SNIFFED || encoding.contains(',') => {
                let mut raw = BufReader::new(raw);
                let told = sniff(raw.fill_buf().map_err(|error| BodyError::of("", error))?);
                // Boxed, or its type would go on without end.
                let raw: Box<dyn Read + 'a> = Box::new(raw);
                return Self::with_window(told, raw, bytes_max, window_log);
            }
            other => return Err(BodyError::UnknownEncoding(other.chars().take(32).collect())),
        };
        let packed = (!matches!(encoding.as_str(), "" | "identity")).then(|| known(&encoding));
        Ok(Decoded { inner, packed, given: 0, bytes_max })
    }
}

/// The message of a call that has one (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message).
struct OneMessage<R> {
    inner: R,
    is_compressed: bool,
    left: u64,
}

impl<R: Read> OneMessage<R> {
    fn open(mut inner: R) -> io::Result<Self> {
        let mut head = [0; 5];
        inner.read_exact(&mut head)?;
        if head[0] > 1 {
            return Err(io::Error::other("it is no message of gRPC"));
        }
        let left = u64::from(u32::from_be_bytes([head[1], head[2], head[3], head[4]]));
        Ok(OneMessage { inner, is_compressed: head[0] == 1, left })
    }
}

impl<R: Read> Read for OneMessage<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return match self.inner.read(&mut [0; 1])? {
                0 => Ok(0),
                _ => Err(io::Error::other("more than one message came")),
            };
        }
        let longest = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut into[..longest])?;
        self.left -= read as u64;
        if read == 0 && longest > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}

/// Whether the bytes begin as zlib does (RFC 1950).
fn is_zlib(bytes: &[u8]) -> bool {
    let Some([method, flags]) = bytes.first_chunk::<2>() else { return false };
    method & 0x0F == 8 && method >> 4 <= 7 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31)
}

fn sniff(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x1F, 0x8B, ..] => "gzip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        bytes if bytes.starts_with(SNAPPY_FRAMES) => "snappy",
        bytes if is_zlib(bytes) => "deflate",
        _ => "",
    }
}

/// Whether the bytes begin as nothing but a compressed stream does; zlib's two bytes prove nothing.
fn is_packed(bytes: &[u8]) -> bool {
    !matches!(sniff(bytes), "" | "deflate")
}

/// `deflate` is zlib in the standard (RFC 9110, 8.4.1.2), and bare in what some clients send.
#[allow(clippy::disallowed_methods, reason = "`read` caps the output")]
fn deflated<'a>(raw: impl Read + 'a) -> Result<Box<dyn Read + 'a>, BodyError> {
    let mut raw = BufReader::new(raw);
    let is_bare = !is_zlib(raw.fill_buf().map_err(|error| BodyError::of("deflate", error))?);
    Ok(if is_bare {
        Box::new(flate2::bufread::DeflateDecoder::new(raw))
    } else {
        Box::new(flate2::bufread::ZlibDecoder::new(raw))
    })
}

/// A stream in frames, or one block.
#[allow(clippy::disallowed_methods, reason = "`read` caps the output of frames; a block says its length first")]
fn snappy<'a>(raw: impl Read + 'a, bytes_max: u64) -> Result<Box<dyn Read + 'a>, BodyError> {
    let failed = |cause| BodyError::of("snappy", cause);
    let mut raw = BufReader::new(raw);
    if raw.fill_buf().map_err(failed)?.starts_with(SNAPPY_FRAMES) {
        return Ok(Box::new(snap::read::FrameDecoder::new(raw)));
    }
    let limit = SNAPPY_BLOCK_BYTES_MAX.min(bytes_max);
    let mut block = Vec::new();
    raw.take(limit + 1).read_to_end(&mut block).map_err(failed)?;
    let damaged = |error: snap::Error| BodyError::Damaged { encoding: "snappy", cause: io::Error::other(error) };
    let length = snap::raw::decompress_len(&block).map_err(damaged)?;
    if length as u64 > limit || block.len() as u64 > limit {
        return Err(BodyError::TooLarge { limit });
    }
    let unpacked = snap::raw::Decoder::new().decompress_vec(&block).map_err(damaged)?;
    Ok(Box::new(io::Cursor::new(unpacked)))
}

impl std::fmt::Debug for Decoded<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Decoded {{ given: {} }}", self.given)
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        if let Some(encoding) = self.packed.filter(|_| self.given == 0)
            && is_packed(into.get(..read).unwrap_or_default())
        {
            let cause = io::Error::other("it holds another compressed stream: compress it once");
            return Err(io::Error::other(BodyError::Damaged { encoding, cause }));
        }
        self.given += read as u64;
        if self.given > self.bytes_max {
            return Err(io::Error::other(BodyError::TooLarge { limit: self.bytes_max }));
        }
        Ok(read)
    }
}
