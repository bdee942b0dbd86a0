//! Bodies of `POST /ingest` to lines: NDJSON, a JSON array, JSON objects one after another, or plain lines; compressed
//! or not. A body that is none of the JSON forms is lines: what cannot be parsed is kept and counted later, because an
//! error would make the sender drop the good with the bad. A line that holds many events becomes a line for each.

mod decoded;
mod forms;
mod holder;
mod pieces;
mod unfold;

use memchr::memchr_iter;

pub use decoded::{BodyError, Decoded, GRPC, SNAPPY_BLOCK_BYTES_MAX, SNIFFED, decompress_small};
use forms::folded_lines;
pub use pieces::{Survey, survey, write};
use unfold::{Folds, Unfolder};

/// Whether it is one of the encodings that cost nothing.
pub fn is_plain(encoding: &str) -> bool {
    matches!(encoding.trim(), "") || encoding.trim().eq_ignore_ascii_case("identity")
}

/// Whether lines of the body may hold many events each, so that it may become much larger.
pub fn may_unfold(body: &[u8]) -> bool {
    let is_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    is_json && {
        let mut folds = Folds::default();
        folds.look(body);
        folds.may_be()
    }
}

/// One line for each event, and how many there are.
pub fn lines(body: Vec<u8>) -> (Vec<u8>, u64) {
    let is_folded = may_unfold(&body);
    let (lines, count) = folded_lines(body);
    if !is_folded {
        return (lines, count);
    }
    let mut out = Vec::with_capacity(lines.len());
    Unfolder::held().put_lines(&lines, &mut out);
    let count = memchr_iter(b'\n', &out).count() as u64;
    (out, count)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use std::io::Read;

    use super::*;

    fn text(body: &str) -> (String, u64) {
        let (lines, count) = lines(body.as_bytes().to_vec());
        (String::from_utf8(lines).unwrap(), count)
    }

    #[test]
    fn every_form_becomes_lines() {
        for (body, wanted, count) in [
            ("a\nb", "a\nb\n", 2),
            ("a\n\n\nb\r\n", "a\nb\n", 2),
            ("", "", 0),
            ("{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n", 2),
            ("[{\"a\":1},\n {\"b\":\"x\\ny\"}]", "{\"a\":1}\n{\"b\":\"x\\ny\"}\n", 2),
            ("{\"a\":1}{\"b\":2}\n{\"c\":\"}{\"}", "{\"a\":1}\n{\"b\":2}\n{\"c\":\"}{\"}\n", 3),
            ("{\"c\":\"}{\"}\n{broken", "{\"c\":\"}{\"}\n{broken\n", 2),
            ("{\"a\":\n1}{\"b\":2}", "{\"a\": 1}\n{\"b\":2}\n", 2),
            ("[Mon Nov 23] no array\n", "[Mon Nov 23] no array\n", 1),
            ("{broken\n{\"a\":1}\n", "{broken\n{\"a\":1}\n", 2),
            ("[]", "", 0),
        ] {
            assert_eq!(text(body), (wanted.to_owned(), count), "{body}");
        }
    }

    fn decompress(encoding: &str, body: &[u8], bytes_max: u64) -> Result<Vec<u8>, BodyError> {
        let mut out = Vec::new();
        let read = Decoded::new(encoding, body, bytes_max)?.read_to_end(&mut out);
        read.map(|_| out).map_err(|error| BodyError::of(encoding, error))
    }

    #[test]
    fn compressed_bodies_are_bounded_and_damage_is_named() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"one\ntwo\n").unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(decompress("gzip", &gzip, 1000).unwrap(), b"one\ntwo\n");
        assert_eq!(decompress_small("gzip", &gzip, 8).unwrap().unwrap(), b"one\ntwo\n");
        assert!(decompress_small("gzip", &gzip, 7).unwrap().is_none());
        assert_eq!(decompress("zstd", &zstd::encode_all(&b"one\n"[..], 1).unwrap(), 1000).unwrap(), b"one\n");
        let error = |encoding: &str, body: Vec<u8>, limit| decompress(encoding, &body, limit).unwrap_err().to_string();
        assert!(error("gzip", gzip[..12].to_vec(), 1000).contains("no sound gzip stream"));
        assert!(error("zstd", b"plain".to_vec(), 1000).contains("no sound zstd stream"));
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(b"one\n").unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"one\n").unwrap();
        let mut frames = snap::write::FrameEncoder::new(Vec::new());
        frames.write_all(b"one\n").unwrap();
        let (bare, zlib, frames) = (bare.finish().unwrap(), zlib.finish().unwrap(), frames.into_inner().unwrap());
        let block = snap::raw::Encoder::new().compress_vec(b"one\n").unwrap();
        for (encoding, body) in [
            ("deflate", &bare),
            ("deflate", &zlib),
            ("snappy", &frames),
            ("snappy", &block),
            ("gzip,deflate", &zlib),
            (SNIFFED, &zlib),
            (SNIFFED, &frames),
            (SNIFFED, &b"one\n".to_vec()),
        ] {
            assert_eq!(decompress(encoding, body, 1000).unwrap(), b"one\n", "{encoding} {body:?}");
            assert!(matches!(decompress(encoding, body, 3), Err(BodyError::TooLarge { .. })), "{encoding} {body:?}");
        }
        assert!(error("snappy", b"\xff\xff\xff\xff\x0f".to_vec(), 1000).contains("larger than 1000 bytes"));
        assert!(error("snappy", block[..3].to_vec(), 1000).contains("no sound snappy stream"));
        let mut nested = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        nested.write_all(&gzip).unwrap();
        let nested = nested.finish().unwrap();
        assert!(error("gzip", nested.clone(), 1000).ends_with("it holds another compressed stream: compress it once"));
        assert!(decompress_small("gzip", &nested, 1000).is_err());
        assert_eq!(decompress("", &gzip, 1000).unwrap(), gzip, "a sender that names no encoding has sent bytes");
        assert!(error("br", b"x".to_vec(), 1000).contains("`br` is not one of gzip, zstd"));
        assert!(error("gzip", gzip, 5).contains("larger than 5 bytes"));
        assert!(error("", vec![0; 11], 10).contains("larger than 10 bytes"));
        let bomb = zstd::encode_all(&vec![b'a'; 50 << 20][..], 19).unwrap();
        assert!(error("zstd", bomb, 1 << 20).contains("larger than 1048576 bytes"));
    }

    #[test]
    fn repeated_lines_get_no_batch_refused_however_well_they_compress() {
        let repeated = format!("{}\nthe line that matters\n", "a".repeat(8000)).repeat(200);
        let packed = zstd::encode_all(repeated.as_bytes(), 9).unwrap();
        assert!(packed.len() * 1000 < repeated.len(), "{} bytes", packed.len());
        assert_eq!(decompress("zstd", &packed, 2 << 20).unwrap(), repeated.as_bytes());
    }
}
