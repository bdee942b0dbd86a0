//! Records over several lines, as far as both sides need them: who cuts blocks must not cut within one where it can avoid it,
//! and who reads lines joins them. Knows shapes of lines, no log format's fields.

use memchr::{memchr, memmem};

/// Lines that one record may have.
pub const RECORD_LINES_MAX: usize = 1_024;
/// Bytes that one record may have.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Bytes of a program's line that Docker's `json-file` driver writes as one JSON line: a longer line becomes several.
const DOCKER_PART_BYTES: usize = 16 << 10;
/// What an entry of the journal's export format begins with, as `journalctl -o export` writes it.
pub const EXPORT_START: &[u8] = b"__CURSOR=";

/// Whether a line begins as one that goes on with the line before it.
#[inline]
pub fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// One line of a container's log as Kubernetes' runtimes write it (CRI): `TIME STREAM TAGS TEXT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CriLine<'a> {
    /// RFC 3339 with nanoseconds.
    pub time: &'a [u8],
    /// `stdout` or `stderr`.
    pub stream: &'a [u8],
    /// The text goes on with the next line of the stream.
    pub is_partial: bool,
    /// What the program wrote.
    pub text: &'a [u8],
}

impl<'a> CriLine<'a> {
    /// The parts of a line; `None` where it is none.
    #[inline]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        // `2026-11-12T11:15:58Z stdout F `: a date and the letter tell apart most other lines at once.
        if line.len() < 29 || line[4] != b'-' || line[10] != b'T' {
            return None;
        }
        let stamp_end = 19 + memchr(b' ', &line[19..line.len().min(40)])?;
        let rest = &line[stamp_end + 1..];
        let stream = rest.get(..6).filter(|stream| matches!(*stream, b"stdout" | b"stderr"))?;
        let rest = rest.get(6..)?.strip_prefix(b" ")?;
        let (tags, text) = match memchr(b' ', rest) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        // The first of the tags tells whether the text is whole; others may follow behind colons.
        let is_partial = match tags {
            [b'P'] | [b'P', b':', ..] => true,
            [b'F'] | [b'F', b':', ..] => false,
            _ => return None,
        };
        Some(CriLine { time: &line[..stamp_end], stream, is_partial, text })
    }
}

/// One line of a container's log as Docker's `json-file` driver writes it: `{"log":"TEXT\n","stream":"stdout","time":"TIME"}`,
/// with `attrs` in front of the time where labels are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DockerLine<'a> {
    /// What the program wrote, with its escapes.
    pub text: &'a [u8],
    /// Everything behind the text, from the quote that ends it.
    pub tail: &'a [u8],
}

impl<'a> DockerLine<'a> {
    /// What the line begins with.
    pub const START: &'static [u8] = b"{\"log\":\"";
    const OUT: &'static [u8] = b"\",\"stream\":\"stdout\",";
    const ERR: &'static [u8] = b"\",\"stream\":\"stderr\",";

    /// The parts of a line; `None` where it is none. Looks at the whole text.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let inside = line.strip_prefix(Self::START)?;
        let ends = memchr::memchr_iter(b'"', inside).find(|at| !is_escaped(inside, *at));
        let (text, tail) = inside.split_at(ends?);
        let is_stream = [Self::OUT, Self::ERR].iter().any(|stream| tail.starts_with(stream));
        let has_time = || tail.ends_with(b"\"}") && memmem::find(tail, b",\"time\":\"").is_some();
        (is_stream && has_time()).then_some(DockerLine { text, tail })
    }

    /// The line, where its text goes on with the next line of the stream. Costs nothing for lines that are too short for that.
    #[inline]
    pub fn read_partial(line: &'a [u8]) -> Option<Self> {
        let may_be = line.len() > DOCKER_PART_BYTES && line.starts_with(Self::START);
        if may_be { Self::read(line).filter(Self::is_partial) } else { None }
    }

    /// The text was cut: it is as long as a part is, and no line feed ends it. Docker writes shorter ones without a line feed where a
    /// container ends, and others write all so.
    pub fn is_partial(&self) -> bool {
        self.text.len() >= DOCKER_PART_BYTES && !self.is_ended()
    }

    /// A line feed ends the text.
    pub fn is_ended(&self) -> bool {
        self.text.last() == Some(&b'n') && is_escaped(self.text, self.text.len() - 1)
    }

    /// Whether the program wrote both to the same stream.
    pub fn is_of_stream(&self, other: DockerLine<'_>) -> bool {
        self.tail.starts_with(Self::OUT) == other.tail.starts_with(Self::OUT)
    }
}

/// Whether a backslash that counts stands in front of this byte.
fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// One field of an entry in the journal's export format: name, value, bytes that it takes.
fn export_field(bytes: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let name = bytes.iter().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_');
    let length = name.count();
    let (name, rest) = bytes.split_at(length);
    if name.is_empty() {
        return None;
    }
    match rest.first()? {
        b'=' => {
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            Some((name, &rest[1..end], length + (end + 1).min(rest.len())))
        }
        // A value that holds line feeds or other bytes stands behind its length, 64 bits, little endian.
        b'\n' => {
            let size = rest.get(1..9)?.try_into().ok().map(u64::from_le_bytes)?;
            let size = usize::try_from(size).ok().filter(|size| *size <= RECORD_BYTES_MAX)?;
            let value = rest.get(9..9 + size)?;
            (rest.get(9 + size) == Some(&b'\n')).then_some((name, value, length + 10 + size))
        }
        _ => None,
    }
}

/// The fields of the entry that the text begins with, in the order in which they stand there.
pub fn export_fields(entry: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = entry;
    std::iter::from_fn(move || {
        let (name, value, length) = export_field(rest)?;
        rest = &rest[length..];
        Some((name, value))
    })
}

/// Length of the entry that the text begins with, without the empty line behind it. `None` where it begins with none, or with
/// one that is not whole, broken or too long.
pub fn export_entry(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(EXPORT_START) {
        return None;
    }
    let head = memchr(b'\n', bytes)? + 1;
    let length = head + export_rest(&bytes[head..])?;
    (length <= RECORD_BYTES_MAX).then_some(length)
}

/// Length of what stands behind the first line of an entry; `None` as for [`export_entry`].
pub fn export_rest(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some((_, _, length)) = export_field(&bytes[at..]) {
        // An entry has one cursor: this is the next one, and an empty line is missing.
        if bytes[at..].starts_with(EXPORT_START) || at + length > RECORD_BYTES_MAX {
            return None;
        }
        at += length;
    }
    (bytes.get(at) == Some(&b'\n') && (at == 0 || bytes[at - 1] == b'\n')).then_some(at)
}

/// Where a block that ends at `end`, behind a line feed, better ends, so that no record is cut: at `end`, or a little before
/// it. Never at the start.
pub fn block_end(bytes: &[u8], end: usize) -> usize {
    if bytes.starts_with(EXPORT_START) {
        return export_end(&bytes[..end]).unwrap_or(end);
    }
    let least = end.saturating_sub(RECORD_BYTES_MAX);
    let mut at = end;
    for _ in 0..RECORD_LINES_MAX {
        let before = line_before(bytes, at);
        // Within a record what comes next may stand at the margin, too: `Caused by:`.
        let goes_on = is_indented(&bytes[at..]) || is_indented(before);
        at = match goes_on {
            true => at - before.len() - 1,
            false => match open_part(bytes, at, least) {
                Some(start) => start,
                None => return at,
            },
        };
        if at <= least {
            break;
        }
    }
    end
}

/// Where the last line of a stream begins that goes on behind `at`, as containers' logs have two of, line by line between each other.
fn open_part(bytes: &[u8], at: usize, least: usize) -> Option<usize> {
    let (mut end, mut ended) = (at, [false; 2]);
    for _ in 0..RECORD_LINES_MAX {
        let line = line_before(bytes, end);
        let (is_error, is_partial) = match CriLine::read(line) {
            Some(line) => (line.stream == b"stderr", line.is_partial),
            None => DockerLine::read(line).map(|line| (line.tail.starts_with(DockerLine::ERR), line.is_partial()))?,
        };
        end -= line.len() + 1;
        let is_ended = &mut ended[usize::from(is_error)];
        if is_partial && !*is_ended {
            return Some(end);
        }
        *is_ended = true;
        if ended == [true; 2] || end <= least {
            return None;
        }
    }
    None
}

/// The line that ends in front of `at`, without its line feed.
fn line_before(bytes: &[u8], at: usize) -> &[u8] {
    let line = &bytes[..at - 1];
    memchr::memrchr(b'\n', line).map_or(line, |start| &line[start + 1..])
}

/// Behind the last entry that is whole.
fn export_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut whole = None;
    while let Some(length) = export_entry(&bytes[at..]) {
        at += length;
        at += bytes[at..].iter().take_while(|byte| **byte == b'\n').count();
        whole = (length > 0 && bytes[..at].ends_with(b"\n\n")).then_some(at).or(whole);
        if at >= bytes.len() {
            break;
        }
    }
    whole
}

/// Whether the text holds a line that a stack trace of Java, .NET or Node consists of.
pub fn is_trace_line(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    is_indented(line)
        && (text.starts_with(b"at ") || (text.starts_with(b"... ") && memmem::find(text, b" more").is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_containers_are_taken_apart() {
        let line = CriLine::read(b"2026-11-12T11:15:58.792703123Z stderr P a b").unwrap();
        assert_eq!((line.stream, line.is_partial, line.text), (&b"stderr"[..], true, &b"a b"[..]));
        assert_eq!(line.time, b"2026-11-12T11:15:58.792703123Z");
        assert_eq!(CriLine::read(b"2026-11-12T11:15:58+01:00 stdout F").unwrap().text, b"");
        assert!(!CriLine::read(b"2026-11-12T11:15:58+01:00 stdout F:x a").unwrap().is_partial);
        for other in [
            "2026-11-12T11:15:58Z stdout X text",
            "2026-11-12T11:15:58Z stdin F text",
            "2026-11-12T11:15:58Z h a: text",
        ] {
            assert_eq!(CriLine::read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn no_block_ends_between_parts_of_one_line_whatever_the_other_stream_wrote() {
        let line = |stream: &str, tag: &str| format!("2026-11-12T11:15:58Z {stream} {tag} text\n");
        let ends = |lines: &[(&str, &str)], keeps: usize| {
            let lines: Vec<String> = lines.iter().map(|(stream, tag)| line(stream, tag)).collect();
            let (all, kept) = (lines.concat(), lines[..keeps].concat().len());
            assert_eq!(block_end(all.as_bytes(), all.len()), kept, "{all}");
        };
        let (out, err) = ("stdout", "stderr");
        ends(&[(out, "F"), (out, "P"), (err, "F")], 1);
        ends(&[(out, "F"), (out, "P"), (err, "F"), (out, "P"), (err, "F"), (err, "F")], 1);
        ends(&[(out, "F"), (out, "P"), (err, "P"), (err, "F")], 1);
        ends(&[(out, "P"), (err, "F"), (out, "F"), (err, "F")], 4);
        ends(&[(out, "F"), (err, "F"), (out, "P")], 2);
        // It is never the start.
        ends(&[(out, "P"), (err, "F")], 2);
        let docker = |text: &str, stream: &str| {
            format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"2026-03-04T10:00:01.1Z\"}}\n")
        };
        let whole = docker("a\\n", out);
        let cut = whole.clone() + &docker(&"x".repeat(DOCKER_PART_BYTES), out) + &docker("b\\n", err);
        assert_eq!(block_end(cut.as_bytes(), cut.len()), whole.len());
        let ended = cut + &docker("y\\n", out);
        assert_eq!(block_end(ended.as_bytes(), ended.len()), ended.len());
    }

    #[test]
    fn parts_of_a_line_that_docker_cut_are_told_by_their_size_and_their_end() {
        let line = |text: &str, tail: &str| format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",{tail}}}");
        let time = r#""time":"2026-03-04T10:00:01.1Z""#;
        let long = "x".repeat(DOCKER_PART_BYTES - 4);
        let is_part = |text: &str, tail: &str| DockerLine::read_partial(line(text, tail).as_bytes()).is_some();
        assert!(is_part(&format!("{long}abcd"), time));
        assert!(is_part(&format!("{long}abcd"), &format!(r#""attrs":{{"a":"\"b\\n"}},{time}"#)));
        // A backslash and an n that the program wrote are no line feed, and a quote behind a backslash ends no text.
        assert!(is_part(&format!(r"{long}\\\\n"), time));
        assert!(is_part(&format!(r#"{long}\",\"stream\":\"stderr\",\n\""#), time));
        assert!(!is_part(&format!(r"{long}abcd\n"), time) && !is_part(&format!(r"{long}\\\n"), time));
        assert!(!is_part("short", time) && !is_part(&format!("{long}abcd"), r#""t":"""#));
        let short = line(r"a\n", time);
        let read = DockerLine::read(short.as_bytes()).unwrap();
        assert_eq!((read.text, read.is_ended()), (&br"a\n"[..], true));
        assert_eq!([read.text, read.tail].concat(), short.as_bytes()[DockerLine::START.len()..]);
    }

    #[test]
    fn entries_of_the_journal_end_where_they_end_whatever_a_value_holds() {
        let value = b"x\n\n__CURSOR=forged\n_HOSTNAME=evil\n";
        let mut entry = b"__CURSOR=s=1\n_HOSTNAME=h\nMESSAGE\n".to_vec();
        entry.extend((value.len() as u64).to_le_bytes());
        entry.extend(value);
        entry.push(b'\n');
        let length = entry.len();
        entry.extend(b"\n__CURSOR=s=2\nMESSAGE=next\n\n__CURSOR=s=3\nMES");
        assert_eq!(export_entry(&entry), Some(length));
        let names: Vec<_> = export_fields(&entry[..length]).map(|(name, _)| name).collect();
        assert_eq!(names, [&b"__CURSOR"[..], b"_HOSTNAME", b"MESSAGE"]);
        assert_eq!(export_fields(&entry).nth(2), Some((&b"MESSAGE"[..], &value[..])));
        // A cursor that no empty line stands in front of is another entry's: this one is not whole.
        assert_eq!(export_entry(b"__CURSOR=s=1\nMESSAGE=a\n__CURSOR=s=2\nMESSAGE=b\n\n"), None);
        assert_eq!(
            (export_rest(b"\n"), export_rest(b"MESSAGE=a\n\n"), export_rest(b"MESSAGE=a")),
            (Some(0), Some(10), None)
        );
        let end = entry.len() - 3;
        assert_eq!(entry[..end].last(), Some(&b'\n'));
        assert_eq!(&entry[block_end(&entry, end)..], b"__CURSOR=s=3\nMES");
    }

    #[test]
    fn a_block_ends_in_front_of_a_record_that_goes_on_and_never_at_its_own_start() {
        fn end(text: &str, at: usize) -> &str {
            &text[block_end(text.as_bytes(), at)..]
        }
        assert_eq!(end("a\nb\n c\nd", 4), "b\n c\nd");
        assert_eq!(end("a\nb\n c\nCaused by: d\n", 7), "b\n c\nCaused by: d\n");
        assert_eq!(end("a\nb\nc\n", 4), "c\n");
        assert_eq!(end(" a\n b\n c\n", 6), " c\n");
        let cri = "x\n2026-11-12T11:15:58.792703123Z stdout P a\n";
        assert_eq!(end(&format!("{cri}b"), cri.len()), &format!("{cri}b")[2..]);
        let docker = format!(
            "x\n{{\"log\":\"{}\",\"stream\":\"stdout\",\"time\":\"2026-03-04T10:00:01Z\"}}\n",
            "a".repeat(DOCKER_PART_BYTES)
        );
        assert_eq!(end(&format!("{docker}b"), docker.len()), &format!("{docker}b")[2..]);
        let long = format!("a\n{}", " b\n".repeat(2 * RECORD_LINES_MAX));
        assert_eq!(block_end(long.as_bytes(), 2 + 3 * 1500), 2 + 3 * 1500);
    }
}
