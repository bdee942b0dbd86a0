//! Large bodies to lines in pieces of bounded size: read once to know what form they have and that they are sound, and once
//! more to write them. Gives the lines that [`super::lines`] gives; a line over [`LINE_BYTES_MAX`] becomes several.

use std::cell::Cell;
use std::io::{self, BufReader, Read};

use memchr::{memchr, memchr_iter, memmem, memrchr};
use serde::de::{DeserializeSeed, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::decoded::{BodyError, Decoded};
use crate::framing::push_line;
use crate::spool::ENTRY_BYTES_MAX;

/// Longest line, without its line feed; and the longest element of an array.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX - 1;
/// Bytes of JSON that are written at once.
const PIECE_BYTES: usize = ENTRY_BYTES_MAX / 2;
/// Bytes that the JSON reader reads ahead.
const READ_AHEAD_BYTES: usize = 64 << 10;

/// What form a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Lines as they are; `clean`: without empty ones and without NULs.
    Plain {
        clean: bool,
    },
    Array,
    Objects,
}

/// What is known of a body that was read to its end.
#[derive(Clone, Copy, Debug)]
pub struct Survey {
    form: Form,
    /// Bytes that its lines have at most.
    pub bytes: u64,
}

/// Takes pieces of whole lines.
type Take<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Reads the body, once or twice; `open` begins anew.
pub fn survey<'a>(
    encoding: &str,
    open: &mut dyn FnMut() -> Result<Decoded<'a>, BodyError>,
) -> Result<Survey, BodyError> {
    let mut look = Look::default();
    let of = |error| BodyError::of(encoding, error);
    whole_lines(&mut open()?, &mut |piece| {
        look.at(piece);
        Ok(())
    })
    .map_err(of)?;
    let plain = Survey { form: Form::Plain { clean: look.clean }, bytes: look.bytes + 3 * look.nuls + 1 };
    let form = match look.first {
        Some(b'[') => Form::Array,
        Some(b'{') if !look.ndjson => Form::Objects,
        _ => return Ok(plain),
    };
    let mut count = 0;
    let sound = json(form, open()?, &mut |_| {
        count += 1;
        Ok(())
    });
    // What is no JSON is lines.
    Ok(if sound.is_ok() { Survey { form, bytes: look.bytes + count } } else { plain })
}

/// Hands over the lines of a body that was surveyed. How many there were.
pub fn write(survey: Survey, encoding: &str, body: Decoded<'_>, take: Take<'_>) -> Result<u64, BodyError> {
    let mut lines = 0;
    let mut out = Vec::new();
    let mut counted = |piece: &[u8]| {
        lines += memchr_iter(b'\n', piece).count() as u64;
        take(piece)
    };
    let mut body = body;
    let written = match survey.form {
        Form::Plain { clean: true } => whole_lines(&mut body, &mut |piece| {
            if piece.ends_with(b"\n") {
                return counted(piece);
            }
            out.clear();
            out.extend_from_slice(piece);
            out.push(b'\n');
            counted(&out)
        }),
        Form::Plain { clean: false } => whole_lines(&mut body, &mut |piece| {
            out.clear();
            for line in piece.split(|byte| *byte == b'\n') {
                push_line(line, &mut out);
            }
            if out.is_empty() { Ok(()) } else { counted(&out) }
        }),
        form => json(form, body, &mut |element| {
            let start = out.len();
            out.extend_from_slice(element.as_bytes());
            out[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
            out.push(b'\n');
            if out.len() < PIECE_BYTES {
                return Ok(());
            }
            counted(&out)?;
            out.clear();
            Ok(())
        })
        .and_then(|()| if out.is_empty() { Ok(()) } else { counted(&out) }),
    };
    written.map_err(|error| BodyError::of(encoding, error))?;
    Ok(lines)
}

/// What a look at all lines finds.
struct Look {
    bytes: u64,
    nuls: u64,
    clean: bool,
    /// First byte that is no white space.
    first: Option<u8>,
    ndjson: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { bytes: 0, nuls: 0, clean: true, first: None, ndjson: true }
    }
}

impl Look {
    fn at(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        // Pieces end at line ends: an empty line in front is one behind another.
        if piece.starts_with(b"\n") || memmem::find(piece, b"\n\n").is_some() {
            self.clean = false;
        }
        if memchr(0, piece).is_some() {
            self.clean = false;
            self.nuls += memchr_iter(0, piece).count() as u64;
        }
        let mut rest = piece;
        if self.first.is_none() {
            rest = piece.trim_ascii_start();
            self.first = rest.first().copied();
        }
        if self.first == Some(b'{') && self.ndjson {
            self.ndjson = rest
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::trim_ascii)
                .all(|line| line.is_empty() || (line.starts_with(b"{") && line.ends_with(b"}")));
        }
    }
}

/// Hands over whole lines, at most [`ENTRY_BYTES_MAX`] bytes at once; the last may lack its end. A line that is longer is
/// cut, each part with an end of its own.
fn whole_lines(body: &mut dyn Read, take: Take<'_>) -> io::Result<()> {
    let mut buffer = vec![0; ENTRY_BYTES_MAX];
    let mut filled = 0;
    loop {
        let read = match body.read(&mut buffer[filled..LINE_BYTES_MAX]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        filled += read;
        if filled < LINE_BYTES_MAX {
            continue;
        }
        match memrchr(b'\n', &buffer[..filled]) {
            Some(end) => {
                take(&buffer[..=end])?;
                buffer.copy_within(end + 1..filled, 0);
                filled -= end + 1;
            }
            None => {
                metrics::counter!("ingest_lines_cut_total", "source" => "http").increment(1);
                buffer[filled] = b'\n';
                take(&buffer[..=filled])?;
                filled = 0;
            }
        }
    }
    if filled > 0 { take(&buffer[..filled]) } else { Ok(()) }
}

/// Takes elements of JSON.
type TakeElement<'a> = &'a mut dyn FnMut(&str) -> io::Result<()>;

fn json(form: Form, body: Decoded<'_>, take: TakeElement<'_>) -> io::Result<()> {
    let since = Cell::new(0);
    let reader = Metered { inner: BufReader::with_capacity(READ_AHEAD_BYTES, body), since: &since };
    let mut reader = serde_json::Deserializer::from_reader(reader);
    let mut take = |element: Box<RawValue>| {
        since.set(0);
        take(element.get())
    };
    if form == Form::Array {
        reader.deserialize_seq(Elements(&mut take)).map_err(io::Error::from)?;
        return reader.end().map_err(io::Error::from);
    }
    for element in reader.into_iter::<Box<RawValue>>() {
        take(element.map_err(io::Error::from)?)?;
    }
    Ok(())
}

/// Bounds what one element may have.
struct Metered<'a, R> {
    inner: R,
    since: &'a Cell<usize>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.since.set(self.since.get() + read);
        if self.since.get() > LINE_BYTES_MAX {
            return Err(io::Error::other("one element is longer than a line may be"));
        }
        Ok(read)
    }
}

/// The elements of an array, one after another.
struct Elements<'a>(&'a mut dyn FnMut(Box<RawValue>) -> io::Result<()>);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element_seed(Raw)? {
            (self.0)(element).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

struct Raw;

impl<'de> DeserializeSeed<'de> for Raw {
    type Value = Box<RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(body: &[u8]) -> (Vec<u8>, u64) {
        let mut open = || Decoded::new("", body, u64::MAX);
        let survey = survey("", &mut open).unwrap();
        let mut out = Vec::new();
        let count = write(survey, "", open().unwrap(), &mut |piece| {
            assert!(piece.ends_with(b"\n") && piece.len() <= ENTRY_BYTES_MAX);
            out.extend_from_slice(piece);
            Ok(())
        });
        assert!(out.len() as u64 <= survey.bytes, "{} {survey:?}", out.len());
        (out, count.unwrap())
    }

    #[test]
    fn pieces_give_the_same_lines_as_the_whole() {
        let many = |element: &str, before: &str, between: &str, after: &str| {
            format!("{before}{}{element}{after}", format!("{element}{between}").repeat(40_000))
        };
        let bodies = [
            "a\nb".to_owned(),
            "a\n\n\nb\r\n".to_owned(),
            String::new(),
            "\n\n".to_owned(),
            " \n{\"a\":1}\n{\"b\":2}\n".to_owned(),
            "[{\"a\":1},\n {\"b\":\"x\\ny\"}] ".to_owned(),
            "{\"a\":\n1}{\"b\":2}".to_owned(),
            "[Mon Nov 23] no array\n".to_owned(),
            "[1,2] x".to_owned(),
            "{broken\n{\"a\":1}\n".to_owned(),
            "[]".to_owned(),
            many("a line of forty bytes, more or less, yes", "", "\n", ""),
            many("a line with a NUL\0and \0\0", "", "\r\n", ""),
            many("", "x", "\n", "y"),
            many("{\"a\": [1, \"]\",\n{}], \"b\": \"\\\"}\"}", "[", ",\n", "]"),
            many("{\"a\": [1, \"]\",\n{}], \"b\": \"\\\"}\"}", "", " ", ""),
            many("{\"a\": [1, \"]\"]}", "", "\n", ""),
            many("{\"a\": [1, \"]\"]}", "[", ",", "} broken at the end"),
            many("{\"a\":\n1}", "", " ", "{broken at the end"),
        ];
        for body in &bodies {
            let start: String = body.chars().take(60).collect();
            assert!(in_pieces(body.as_bytes()) == super::super::lines(body.as_bytes().to_vec()), "{start}");
        }
    }

    #[test]
    fn lines_and_elements_beyond_the_limit_cost_no_more_memory() {
        let long = "z".repeat(5 << 20);
        let (lines, count) = in_pieces(format!("first\n{long}\nlast").as_bytes());
        assert_eq!((count, lines.len()), (2 + 6, 5 + 1 + long.len() + 6 + 5));
        let (lines, count) = in_pieces(format!("[1,\"{long}\",3]").as_bytes());
        assert_eq!(count, 6, "lines");
        assert!(lines.starts_with(b"[1,\"zzz"));
    }
}
