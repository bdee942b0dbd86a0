//! Compressed files, told by their first bytes. Every decompressor is behind one limit: output against input.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Output that no ratio is asked for.
pub const OUTPUT_BYTES_FREE: u64 = 64 << 20;
/// Bytes of output that one byte of input may give. Logs reach 30, repetitive ones 100; bombs 1,000 and more.
pub const RATIO_MAX: u64 = 250;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, or in a way that is not known.
    None,
    /// RFC 1952, with any number of members.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// bzip2, with any number of streams.
    Bzip2,
    /// xz, with any number of streams.
    Xz,
}

impl Compression {
    /// By magic number.
    pub fn detect(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            _ => Compression::None,
        }
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops when the output grows out of proportion.
struct Capped {
    inner: Box<dyn Read + Send>,
    compressed: Arc<AtomicU64>,
    output: u64,
}

impl Read for Capped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let allowed = OUTPUT_BYTES_FREE.max(self.compressed.load(Ordering::Relaxed).saturating_mul(RATIO_MAX));
        if self.output > allowed {
            return Err(io::Error::other(format!(
                "decompresses to more than {RATIO_MAX} times its size: refused as a decompression bomb after {} MiB",
                self.output >> 20
            )));
        }
        let read = self.inner.read(into)?;
        self.output += read as u64;
        Ok(read)
    }
}

/// A reader of the decompressed bytes.
pub fn open(compression: Compression, file: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let compressed = Arc::new(AtomicU64::new(0));
    let counted = io::BufReader::with_capacity(256 << 10, Counted { inner: file, bytes: Arc::clone(&compressed) });
    let inner: Box<dyn Read + Send> = match compression {
        Compression::None => return Ok(Box::new(counted)),
        #[allow(clippy::disallowed_methods, reason = "this is the place that caps them")]
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(counted)?),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
        Compression::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(counted)),
    };
    Ok(Box::new(Capped { inner, compressed, output: 0 }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        open(Compression::detect(&bytes), io::Cursor::new(bytes))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn every_compression_is_told_by_its_first_bytes_and_read() {
        let text = b"a line\nanother\n".repeat(1000);
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&text).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&text).unwrap();
        let zstd = zstd::stream::encode_all(&text[..], 1).unwrap();
        for packed in [gzip(&text), zstd, bzip2.finish().unwrap(), xz.finish().unwrap(), text.clone()] {
            assert_eq!(read(packed).unwrap(), text);
        }
        let two_members = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(read(two_members).unwrap(), b"a\nb\n");
    }

    #[test]
    fn a_truncated_file_is_an_error_not_an_end() {
        let mut packed = gzip(&b"a line of some length\n".repeat(10_000));
        packed.truncate(packed.len() / 2);
        assert!(read(packed).is_err());
    }

    #[test]
    fn a_bomb_is_refused_in_proportion() {
        let packed = gzip(&vec![0; 200 << 20]);
        let error = read(packed).unwrap_err().to_string();
        assert!(error.contains("decompression bomb"), "{error}");
    }
}
