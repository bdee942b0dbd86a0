//! Large bodies to lines in pieces of bounded size: read once to know what form they have and that they are sound, and once
//! more to write them. Gives the lines that [`super::lines`] gives; a line over [`LINE_BYTES_MAX`] becomes several.

use std::cell::Cell;
use std::io::{self, BufReader, Read};

use memchr::{memchr, memchr_iter, memmem, memrchr};
use serde::de::Deserializer as _;
use serde_json::value::RawValue;

use super::decoded::{BodyError, Decoded};
use super::forms::{is_ndjson, written_to};
use super::holder::{self, ElementKind, Elements};
use super::unfold::{Folds, Unfolder};
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
    /// An object with a list of events.
    Holder,
}

/// What is known of a body that was read to its end.
#[derive(Clone, Copy, Debug)]
pub struct Survey {
    form: Form,
    /// Lines may hold many events each.
    is_folded: bool,
    /// Bytes that its lines have at most.
    pub bytes: u64,
}

/// Takes pieces of whole lines.
type Take<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Reads the body, once or a few times; `open` begins anew.
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
    let is_folded = matches!(look.first, Some(b'{' | b'[')) && look.folds.may_be();
    let forms: &[Form] = match look.first {
        Some(b'[') => &[Form::Array],
        Some(b'{') if is_folded && look.ndjson => &[Form::Holder],
        Some(b'{') if is_folded => &[Form::Holder, Form::Objects],
        Some(b'{') if !look.ndjson => &[Form::Objects],
        _ => &[],
    };
    // What is no JSON is lines.
    let plain = Form::Plain { clean: look.clean };
    let mut survey = Survey { form: plain, is_folded, bytes: look.bytes + 3 * look.nuls + 1 };
    for form in forms {
        let mut count = 0;
        let sound = json(*form, open()?, &mut |_, _| {
            count += 1;
            Ok(())
        });
        if sound.is_ok() {
            survey = Survey { form: *form, bytes: look.bytes + count, ..survey };
            break;
        }
    }
    if is_folded {
        let mut bytes = 0;
        write(survey, encoding, open()?, &mut |piece| {
            bytes += piece.len() as u64;
            Ok(())
        })?;
        survey.bytes = bytes;
    }
    Ok(survey)
}

/// Hands over the lines of a body that was surveyed. How many there were.
pub fn write(survey: Survey, encoding: &str, body: Decoded<'_>, take: Take<'_>) -> Result<u64, BodyError> {
    let mut lines = 0;
    let mut counted = |piece: &[u8]| {
        lines += memchr_iter(b'\n', piece).count() as u64;
        take(piece)
    };
    let written = if survey.is_folded {
        unfolded(survey.form, body, &mut counted)
    } else {
        folded(survey.form, body, &mut counted)
    };
    written.map_err(|error| BodyError::of(encoding, error))?;
    Ok(lines)
}

/// The lines as they are.
fn folded(form: Form, mut body: Decoded<'_>, take: Take<'_>) -> io::Result<()> {
    let mut out = Vec::new();
    match form {
        Form::Plain { clean: true } => whole_lines(&mut body, &mut |piece| {
            if piece.ends_with(b"\n") {
                return take(piece);
            }
            out.clear();
            out.extend_from_slice(piece);
            out.push(b'\n');
            take(&out)
        }),
        Form::Plain { clean: false } => whole_lines(&mut body, &mut |piece| {
            out.clear();
            for line in piece.split(|byte| *byte == b'\n') {
                push_line(line, &mut out);
            }
            if out.is_empty() { Ok(()) } else { take(&out) }
        }),
        form => {
            json(form, body, &mut |_, element| {
                written_to(element, &mut out);
                if out.len() < PIECE_BYTES {
                    return Ok(());
                }
                take(&out)?;
                out.clear();
                Ok(())
            })?;
            if out.is_empty() { Ok(()) } else { take(&out) }
        }
    }
}

/// The events that the lines hold.
fn unfolded(form: Form, mut body: Decoded<'_>, take: Take<'_>) -> io::Result<()> {
    let (mut unfolder, mut out, mut line) = (Unfolder::in_pieces(), Vec::new(), Vec::new());
    let mut flush = |out: &mut Vec<u8>, wanted: usize| {
        let mut rest = &out[..];
        if rest.len() < wanted {
            return Ok(());
        }
        while !rest.is_empty() {
            let first = &rest[..rest.len().min(ENTRY_BYTES_MAX)];
            let end = memrchr(b'\n', first).map_or(first.len(), |end| end + 1);
            take(&rest[..end])?;
            rest = &rest[end..];
        }
        out.clear();
        Ok(())
    };
    match form {
        Form::Plain { .. } => whole_lines(&mut body, &mut |piece| {
            for line in piece.split(|byte| *byte == b'\n') {
                unfolder.put(line, &mut out);
                flush(&mut out, PIECE_BYTES)?;
            }
            Ok(())
        })?,
        form => json(form, body, &mut |held, element| {
            if held == ElementKind::Data {
                unfolder.put_data(element, &mut out);
            } else {
                line.clear();
                written_to(element, &mut line);
                unfolder.put(&line[..line.len() - 1], &mut out);
            }
            flush(&mut out, PIECE_BYTES)
        })?,
    }
    flush(&mut out, 1)
}

/// What a look at all lines finds.
struct Look {
    bytes: u64,
    nuls: u64,
    clean: bool,
    /// First byte that is no white space.
    first: Option<u8>,
    ndjson: bool,
    folds: Folds,
}

impl Default for Look {
    fn default() -> Self {
        Look { bytes: 0, nuls: 0, clean: true, first: None, ndjson: true, folds: Folds::default() }
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
        if matches!(self.first, Some(b'{' | b'[')) {
            self.folds.look(piece);
        }
        if self.first == Some(b'{') && self.ndjson {
            self.ndjson = is_ndjson(rest);
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
type TakeElement<'a> = &'a mut dyn FnMut(ElementKind, &str) -> io::Result<()>;

fn json(form: Form, body: Decoded<'_>, take: TakeElement<'_>) -> io::Result<()> {
    let since = Cell::new(0);
    let reader = Metered { inner: BufReader::with_capacity(READ_AHEAD_BYTES, body), since: &since };
    let mut reader = serde_json::Deserializer::from_reader(reader);
    let mut take = |held, element: Box<RawValue>| {
        since.set(0);
        take(held, element.get())
    };
    match form {
        Form::Array => reader.deserialize_seq(Elements(&mut |element| take(ElementKind::Event, element)))?,
        Form::Holder => holder::read(&mut reader, &mut take)?,
        _ => {
            for element in reader.into_iter::<Box<RawValue>>() {
                take(ElementKind::Event, element?)?;
            }
            return Ok(());
        }
    }
    reader.end().map_err(io::Error::from)
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
            many("{\"a\":1}{\"b\":2}", "", "\n", ""),
            many("{\"a\":1}", "{\"Records\":[", ",\n", "]}"),
            many("{\"a\":1}", "{\"Records\":[", ",", "] broken at the end"),
            many("{\"data\":\"YQpi\"}", "{\"requestId\":\"r\",\"records\":[", ",", "]}"),
            many("{\"Records\":[{\"a\":1},{\"b\":[2]}]}", "", "\n", ""),
            many("{\"messageType\":\"m\",\"logEvents\":[{\"a\":1},{\"b\":2}]}", "[", ",", "]"),
            many("[{\"a\":1}, {\"b\":2}]", "", "\n", ""),
            "{\"messageType\":\"m\",\"logEvents\":[{\"a\":\"x\0y\"}]}\n{\"Records\":[{\"a\":\"\0\"}]}".to_owned(),
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
