//! What rsyslog has compressed (omfwd `compression.mode`): single messages, a `z` and a zlib stream each, which ends where it
//! says; and connections that are one zlib stream. What they unpack to is bounded.

use flate2::{Decompress, FlushDecompress, Status};

/// Room to unpack into, in bytes.
const ROOM_BYTES: usize = 16 << 10;
/// A message that unpacks to more than so many times the limit is given up.
const LIMITS_MAX: usize = 64;

/// Whether a zlib stream begins here, at any of its levels. `None` where more bytes would tell.
pub(crate) fn is_zlib(input: &[u8]) -> Option<bool> {
    match input {
        [] | [0x78] => None,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(true),
        _ => Some(false),
    }
}

/// Whether a compressed message begins here. `None` where more bytes would tell.
pub(crate) fn is_packed(input: &[u8]) -> Option<bool> {
    match input.split_first() {
        Some((b'z', rest)) => is_zlib(rest),
        Some(_) => Some(false),
        None => None,
    }
}

/// What became of a compressed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpacked {
    /// Its text, whether that was cut, and the bytes that it took.
    Whole { text: Vec<u8>, cut: bool, used: usize },
    /// More bytes are needed.
    More,
    /// It is none after all.
    Broken,
    /// It never ends.
    Bomb,
}

/// Unpacks the message that begins with the `z`.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Unpacked {
    let mut inflate = Decompress::new(true);
    let (input, mut text, mut cut) = (&packed[1..], Vec::new(), false);
    let mut room = [0; ROOM_BYTES];
    loop {
        let (used, made) = (inflate.total_in() as usize, inflate.total_out() as usize);
        if made > limit.saturating_mul(LIMITS_MAX) {
            return Unpacked::Bomb;
        }
        let Ok(status) = inflate.decompress(&input[used..], &mut room, FlushDecompress::None) else {
            return Unpacked::Broken;
        };
        let come = &room[..inflate.total_out() as usize - made];
        let kept = come.len().min(limit - text.len());
        text.extend_from_slice(&come[..kept]);
        cut |= kept < come.len();
        match status {
            Status::StreamEnd => return Unpacked::Whole { text, cut, used: 1 + inflate.total_in() as usize },
            _ if come.is_empty() && inflate.total_in() as usize == used => return Unpacked::More,
            _ => {}
        }
    }
}

/// A connection that is one zlib stream, or several, one behind the other.
#[derive(Debug)]
pub(crate) struct Inflating {
    inflate: Decompress,
}

impl Inflating {
    pub(crate) fn new() -> Self {
        Inflating { inflate: Decompress::new(true) }
    }

    /// Hands what comes of the bytes to `take`. `Err`: they are no zlib stream, or no longer one.
    pub(crate) fn push(&mut self, mut input: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), ()> {
        let mut room = [0; ROOM_BYTES];
        loop {
            let (used, made) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, &mut room, FlushDecompress::None).map_err(drop)?;
            let (used, made) = (self.inflate.total_in() - used, self.inflate.total_out() - made);
            take(&room[..made as usize]);
            input = &input[used as usize..];
            if status == Status::StreamEnd {
                self.inflate.reset(true);
                if input.is_empty() {
                    return Ok(());
                }
            } else if used == 0 && made == 0 {
                return if input.is_empty() { Ok(()) } else { Err(()) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn zlib(text: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_message_ends_where_its_stream_ends_and_is_bounded() {
        for level in 0..=9 {
            let packed = [b"z", &zlib(b"<38>one message", level)[..], b"<38>next"].concat();
            assert_eq!(is_packed(&packed), Some(true), "{level}");
            let used = packed.len() - 8;
            assert_eq!(unpack(&packed, 100), Unpacked::Whole { text: b"<38>one message".to_vec(), cut: false, used });
            assert_eq!(unpack(&packed, 7), Unpacked::Whole { text: b"<38>one".to_vec(), cut: true, used });
            (3..used).for_each(|end| assert_eq!(unpack(&packed[..end], 100), Unpacked::More, "{level} {end}"));
        }
        assert_eq!(unpack(b"zx\x9c\x07 and more", 100), Unpacked::Broken, "no kind of block");
        let bomb = [b"z", &zlib(&vec![b'a'; 1 << 20], 9)[..]].concat();
        assert_eq!(unpack(&bomb, 1000), Unpacked::Bomb);
        assert!([&b"zebra"[..], b"<38>", b"zxc"].iter().all(|text| is_packed(text) == Some(false)));
        assert_eq!((is_packed(b"z"), is_packed(b"zx"), is_packed(b"")), (None, None, None));
    }

    #[test]
    fn a_stream_is_unpacked_however_it_comes() {
        let text = b"<38>one\n<38>two\n".repeat(5000);
        let stream = [zlib(&text, 6), zlib(b"<38>behind\n", 1)].concat();
        for chunk in [1, 7, 4096, stream.len()] {
            let (mut unpacking, mut out) = (Inflating::new(), Vec::new());
            for chunk in stream.chunks(chunk) {
                unpacking.push(chunk, |bytes| out.extend_from_slice(bytes)).unwrap();
            }
            assert_eq!(out, [&text[..], b"<38>behind\n"].concat());
        }
        assert!(Inflating::new().push(b"x\x9c\x07 and more", |_| {}).is_err());
    }
}
