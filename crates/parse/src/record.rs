//! Lines that belong together: stack traces and indented lines behind a line that some format reads, parts of one line of a
//! container, entries of the journal. The fields come from the first line alone; `message` and `event.original` hold it all.
//!
//! A line that a format would read by itself never goes on with another, so that no unrelated line is swallowed.

use event::catalog::field;
use event::record::{
    CriLine, DockerLine, EXPORT_START, RECORD_BYTES_MAX, RECORD_LINES_MAX, export_rest, is_indented, is_trace_line,
};
use event::time::parse_date_time;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memmem};

use crate::day_names::starts_with_month;
use crate::format::FORMATS;
use crate::host::{apt, boot};
use crate::needle::find;
use crate::{line, modsec_serial, ossec_alert, windows_xml};

/// How far a record reaches behind its first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whole lines behind the first one.
    pub(crate) lines: usize,
    /// Bytes of those lines, with their endings.
    pub(crate) bytes: usize,
}

/// Kinds of log whose records have one line.
const ONE_LINE: [DatasetId; 5] =
    [dataset::JSON, dataset::ACCESS, dataset::AUDITD, dataset::AUDITD_RUN, dataset::UNPARSED];

/// A record that a format has to see as a whole: the text that it has to read. `apart`: where lines of it begin in `follows` that
/// stand behind other lines than its own.
#[inline]
pub(crate) fn spread(head: &[u8], follows: &[u8], apart: &mut Vec<usize>) -> Option<(Vec<u8>, Record)> {
    match head.first()? {
        b'<' if windows_xml::goes_on(head) => whole_up_to(head, follows, windows_xml::next_start, windows_xml::END),
        b'S' if head.starts_with(apt::HISTORY) => {
            whole_up_to(head, follows, |text| find!(text, apt::HISTORY), apt::HISTORY_END)
        }
        b'L' if head.starts_with(apt::TERM) => whole_up_to(head, follows, |text| find!(text, apt::TERM), apt::TERM_END),
        b'_' if head.starts_with(EXPORT_START) => export(head, follows),
        b'-' if modsec_serial::looks_like(head) => modsecurity(head, follows),
        b'*' if head.starts_with(ossec_alert::START) => ossec(head, follows),
        b'[' if is_samba(head) => samba(head, follows),
        b'{' => docker(DockerLine::read_partial(head)?, follows, apart),
        b'0'..=b'9' if head.get(4) == Some(&b'-') => partial(head, follows, apart),
        _ => None,
    }
}

/// Up to the line that holds the end. Where that is not near, the lines do not belong together.
#[cold]
fn whole_up_to(
    head: &[u8],
    follows: &[u8],
    next_start: impl Fn(&[u8]) -> Option<usize>,
    end: &[u8],
) -> Option<(Vec<u8>, Record)> {
    let follows = &follows[..follows.len().min(RECORD_BYTES_MAX)];
    // Where another one begins in front of the end, this one was never ended. Many that are not are looked at once each.
    let at = memmem::find(&follows[..next_start(follows).unwrap_or(follows.len())], end)?;
    let bytes = memchr(b'\n', &follows[at..]).map_or(follows.len(), |line| at + line + 1);
    let lines = line::lines(&follows[..bytes]).count();
    // Lines of another log between start and end: whoever wrote those two hides nothing.
    let is_one = || !line::lines(&follows[..bytes]).any(|line| is_read_alone(line.text));
    (lines <= RECORD_LINES_MAX && is_one()).then(|| {
        let whole = [head, b"\n", line::without_ending(&follows[..bytes])].concat();
        (whole, Record { lines, bytes })
    })
}

#[cold]
fn export(head: &[u8], follows: &[u8]) -> Option<(Vec<u8>, Record)> {
    let bytes = export_rest(follows).filter(|bytes| head.len() + bytes < RECORD_BYTES_MAX)?;
    let lines = memchr::memchr_iter(b'\n', &follows[..bytes]).count();
    (lines > 0).then(|| ([head, b"\n", &follows[..bytes]].concat(), Record { lines, bytes }))
}

/// Up to the section that ends the record: its ID, which no client knows, is that of the first line.
#[cold]
fn modsecurity(head: &[u8], follows: &[u8]) -> Option<(Vec<u8>, Record)> {
    let id = modsec_serial::id(head)?;
    let follows = &follows[..follows.len().min(RECORD_BYTES_MAX)];
    let end = memmem::find(follows, &[b"\n", id, b"-Z--"].concat())?;
    let bytes = memchr(b'\n', &follows[end + 1..]).map_or(follows.len(), |line| end + 1 + line + 1);
    let lines = line::lines(&follows[..bytes]).count();
    // Lines of another log are swallowed by nobody's record; those that begin as JSON may be a body.
    let is_one =
        || !line::lines(&follows[..bytes]).any(|line| !line.text.starts_with(b"{") && is_read_alone(line.text));
    (lines <= RECORD_LINES_MAX && is_one())
        .then(|| ([head, b"\n", line::without_ending(&follows[..bytes])].concat(), Record { lines, bytes }))
}

/// Up to the empty line behind the alert.
#[cold]
fn ossec(head: &[u8], follows: &[u8]) -> Option<(Vec<u8>, Record)> {
    let is_alert = |at: usize, text: &[u8]| match at {
        0 => find!(text, b"->").is_some(),
        1 => text.starts_with(b"Rule: "),
        _ => !line::is_empty(text) && !text.starts_with(ossec_alert::START),
    };
    let lines = line::lines(follows).take(RECORD_LINES_MAX).enumerate();
    let of_alert = lines.take_while(|(at, line)| is_alert(*at, line.text) && line.next < RECORD_BYTES_MAX);
    let (last, line) = of_alert.last().filter(|(last, _)| *last > 0)?;
    let whole = [head, b"\n", line::without_ending(&follows[..line.next])].concat();
    Some((whole, Record { lines: last + 1, bytes: line.next }))
}

/// Parts of one line of a container, up to the whole one (CRI, `P` and `F`), as one line. What the other stream wrote may stand
/// between them.
fn partial(head: &[u8], follows: &[u8], apart: &mut Vec<usize>) -> Option<(Vec<u8>, Record)> {
    let first = CriLine::read(head).filter(|first| first.is_partial)?;
    let mut joined = [first.time, b" ", first.stream, b" F ", first.text].concat();
    let (mut record, mut is_apart) = (Record::default(), false);
    for line in line::lines(follows).take(RECORD_LINES_MAX) {
        let Some(part) = CriLine::read(line.text) else { break };
        if part.stream != first.stream {
            is_apart = true;
            continue;
        }
        if joined.len() + part.text.len() > RECORD_BYTES_MAX {
            break;
        }
        joined.extend_from_slice(part.text);
        match is_apart {
            true => apart.push(line.at),
            false => record = Record { lines: record.lines + 1, bytes: line.next },
        }
        if !part.is_partial {
            break;
        }
    }
    Some((joined, record))
}

/// Parts of one line of a container, up to the one that a line feed ends (Docker), as one line with the time of the first.
#[cold]
fn docker(first: DockerLine<'_>, follows: &[u8], apart: &mut Vec<usize>) -> Option<(Vec<u8>, Record)> {
    let (mut joined, mut record) = ([DockerLine::START, first.text].concat(), Record::default());
    let mut is_apart = false;
    for line in line::lines(follows).take(RECORD_LINES_MAX) {
        let Some(part) = DockerLine::read(line.text) else { break };
        if !part.is_of_stream(first) {
            is_apart = true;
            continue;
        }
        if joined.len() + part.text.len() + first.tail.len() > RECORD_BYTES_MAX {
            break;
        }
        // Whoever ends no line with a line feed cuts none either.
        if !part.is_ended() && !part.is_partial() {
            apart.clear();
            return None;
        }
        joined.extend_from_slice(part.text);
        match is_apart {
            true => apart.push(line.at),
            false => record = Record { lines: record.lines + 1, bytes: line.next },
        }
        if part.is_ended() {
            break;
        }
    }
    joined.extend_from_slice(first.tail);
    (record.lines > 0 || !apart.is_empty()).then_some((joined, record))
}

/// `[2026/03/04 10:00:01.123456,  2] ../../auth/auth_log.c:635(log_event)`: the message stands in the next lines.
fn is_samba(head: &[u8]) -> bool {
    let is_time = head.get(5) == Some(&b'/') && head.get(8) == Some(&b'/') && head.get(14) == Some(&b':');
    is_time && head.ends_with(b")") && memchr(b',', &head[..head.len().min(30)]).is_some()
}

/// Time and message of an entry of Samba's log, as one line.
#[cold]
fn samba(head: &[u8], follows: &[u8]) -> Option<(Vec<u8>, Record)> {
    let time = &head[1..memchr(b',', head)?];
    let (mut joined, mut record) = (time.to_vec(), Record::default());
    for line in line::lines(follows).take(RECORD_LINES_MAX) {
        if !line.text.starts_with(b"  ") || joined.len() + line.text.len() > RECORD_BYTES_MAX {
            break;
        }
        joined.push(b' ');
        joined.extend_from_slice(line.text.trim_ascii());
        record = Record { lines: record.lines + 1, bytes: line.next };
    }
    (record.lines > 0).then_some((joined, record))
}

/// Cheap: whether it is worth to look whether the next line goes on with this one.
#[inline]
pub(crate) fn may_go_on(head: &[u8], follows: &[u8]) -> bool {
    match follows.first() {
        Some(b' ' | b'\t') => true,
        // An exception at the margin. Lines of one log mostly begin alike.
        Some(first) => first.is_ascii_alphabetic() && head.first().is_some_and(|byte| byte != first),
        None => false,
    }
}

/// The lines that go on with the first one, which was read as this kind of log; `None`: it is of no known format.
#[cold]
pub(crate) fn lines_behind(head: &[u8], follows: &[u8], dataset: Option<DatasetId>) -> Option<Record> {
    let is_single = dataset.is_some_and(|dataset| ONE_LINE.contains(&dataset));
    if is_single || head.first() == Some(&b'{') || is_indented(head) {
        return None;
    }
    // Behind text that has no time, only what is clearly a stack trace.
    let takes_any = dataset.is_some() || has_time(head);
    let (mut record, mut is_python) = (Record::default(), false);
    let mut lines = line::lines(follows).take(RECORD_LINES_MAX).peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map_or(&b""[..], |next| next.text);
        let goes_on = if is_indented(line.text) {
            (takes_any || is_python || is_trace_line(line.text))
                && !boot::is_starting(line.text)
                && (is_set_off(line.text) || !is_read_alone(line.text.trim_ascii()))
        } else if is_python && is_exception(line.text) {
            is_python = false;
            true
        } else if line.text.starts_with(b"Traceback (most recent call last):") {
            is_python = next.starts_with(b"  File \"");
            is_python
        } else {
            (record.lines > 0 && is_cause(line.text)) || (is_exception(line.text) && is_trace_line(next))
        };
        if !goes_on || line.next > RECORD_BYTES_MAX || line::is_empty(line.text) {
            break;
        }
        record = Record { lines: record.lines + 1, bytes: line.next };
    }
    (record.lines > 0).then_some(record)
}

/// Behind a tabulator programs write what follows a line end within a message, so that nobody's text looks like a line of theirs.
#[inline]
pub(crate) fn is_set_off(line: &[u8]) -> bool {
    line.first() == Some(&b'\t')
}

/// `12:34:56` near the start: the line is one of a log.
fn has_time(text: &[u8]) -> bool {
    let start = &text[..text.len().min(40)];
    start.windows(8).any(|part| {
        part[2] == b':' && part[5] == b':' && [0, 1, 3, 4, 6, 7].iter().all(|at| part[*at].is_ascii_digit())
    })
}

fn is_cause(text: &[u8]) -> bool {
    text.starts_with(b"Caused by: ") || text.starts_with(b"Suppressed: ") || text.starts_with(b"... ")
}

/// `java.lang.IllegalStateException: text`, `ValueError: text`, `KeyboardInterrupt`.
fn is_exception(text: &[u8]) -> bool {
    let name = memchr(b':', text).map_or(text, |colon| &text[..colon]);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let name = name
        .strip_prefix(b"Exception in thread ")
        .map_or(name, |rest| memchr::memrchr(b' ', rest).map_or(rest, |blank| &rest[blank + 1..]));
    !name.is_empty() && name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_name)
}

/// Whether a format would read the text where it stood alone. Asks for the unmistakable beginnings: prose begins with a month
/// or with a word and an equals sign, too.
fn is_read_alone(text: &[u8]) -> bool {
    let stamped = || match text.first() {
        Some(b'0'..=b'9') => parse_date_time(text).is_some(),
        Some(_) => starts_with_month(text) && has_time(&text[..text.len().min(24)]),
        None => false,
    };
    stamped() || FORMATS.iter().any(|format| (format.begins_like)(text))
}

/// Puts what follows the first line behind its message. `whole` is the record, of which `head` is the first line.
pub(crate) fn put_message(head: &[u8], whole: &[u8], rows: &mut BatchBuilder) {
    let mut message = String::new();
    if !rows.text_now(field::MESSAGE, &mut message) {
        return rows.text(field::MESSAGE, whole[head.len()..].trim_ascii_start());
    }
    // A message that does not stand at the end of its line is none that goes on.
    if let Some(start) = head.strip_suffix(message.as_bytes()) {
        rows.text(field::MESSAGE, &whole[start.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use event::{Block, EventBatch, Timestamp};

    use super::*;
    use crate::{Options, Parser};

    fn parse(text: &str) -> EventBatch {
        Parser::new(Options::default()).parse(Block::detached("test", text.as_bytes().to_vec(), Timestamp(0)))
    }

    fn docker(text: &str, stream: &str) -> String {
        format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"2026-03-04T10:00:01.1Z\"}}\n")
    }

    #[test]
    fn what_one_stream_goes_on_with_is_no_line_of_its_own() {
        const REST: &str = "Mar  4 10:00:01 h sshd[9]: Failed password for root from 192.0.2.66 port 4000 ssh2";
        let line = |stream: &str, tag: &str, text: &str| format!("2026-03-04T10:00:01.1Z {stream} {tag} {text}\n");
        let text = [
            line("stdout", "P", "said: "),
            line("stderr", "P", "other "),
            line("stdout", "F", REST),
            line("stderr", "F", "text"),
            line("stdout", "F", "next"),
        ];
        let batch = parse(&text.concat());
        let messages = batch.text(field::MESSAGE).unwrap();
        let said: Vec<_> = (0..batch.rows()).map(|row| messages.str(row).map(str::to_owned)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said, [some(&format!("said: {REST}")), some("other text"), None, None, some("next")]);
        assert_eq!(batch.counts().joined, 2);
        assert!(batch.text(field::USER_NAME).is_none());
    }

    #[test]
    fn what_docker_cut_is_one_event_and_what_it_did_not_cut_is_not() {
        let (part, end) = ("a".repeat(16 << 10), docker("bc\\n", "stdout"));
        let cut = docker(&part, "stdout");
        for (text, events, joined) in [
            (format!("{cut}{end}{end}"), 2, 1),
            (format!("{cut}{cut}{cut}{end}"), 1, 3),
            // Each stream for itself, and text that nothing ends.
            (format!("{cut}{}{end}", docker("x\\n", "stderr")), 2, 1),
            (format!("{cut}{0}{cut}{0}{end}{end}", docker("x\\n", "stderr")), 4, 2),
            (format!("{cut}{}{end}", docker("x", "stdout")), 3, 0),
            (format!("{cut}{cut}"), 1, 1),
            (format!("{cut}{{\"log\":\"b\\n\"}}\n"), 2, 0),
            (format!("{cut}text\n"), 2, 0),
            // No more than a record may have.
            (format!("{}{end}", cut.repeat(40)), 3, 38),
        ] {
            let batch = parse(&text);
            let read = (batch.events() as usize, batch.rows() - batch.events() as usize);
            assert_eq!(read, (events, joined), "{}", text.replace(&part, "<part>"));
        }
        let batch = parse(&format!("{cut}{}{end}", docker("x\\n", "stderr")));
        let messages = batch.text(field::MESSAGE).unwrap();
        assert_eq!((messages.str(0), messages.str(1), messages.str(2)), (Some(&*format!("{part}bc")), Some("x"), None));
        let batch = parse(&format!("{cut}{end}"));
        let message = batch.text(field::MESSAGE).and_then(|column| column.str(0));
        assert_eq!(message, Some(&*format!("{part}bc")));
        assert_eq!(batch.original(0), format!("{cut}{}", end.trim_end()));
    }
}
