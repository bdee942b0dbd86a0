//! Syslog protocol (RFC 5424), sections 6.2 to 6.4; lenient about lengths, PRI (absent in files) and blanks in
//! structured data. Structured data becomes columns `log.syslog.structured_data.ID.PARAM`.
//!
//! `<PRI>VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]`

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp, ValueTag};
use memchr::{memchr, memchr2};
use nom::IResult;
use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::combinator::opt;
use nom::sequence::terminated;

use crate::body::junos;
use crate::clock::Times;
use crate::context::{Context, Refusal};
use crate::day_names::starts_with_month;
use crate::needle::NAME_BYTES_MAX;
use crate::needle::find;
use crate::rfc3164;
use crate::syslog::{Priority, Program, priority, put_host, put_message, put_origin};

#[derive(Debug)]
struct Header<'a> {
    priority: Option<Priority>,
    version: &'a [u8],
    stamp: &'a [u8],
    host: &'a [u8],
    app: &'a [u8],
    procid: &'a [u8],
    msgid: &'a [u8],
}

fn word(text: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_while1(|byte: u8| byte != b' '), opt(tag(&b" "[..]))).parse(text)
}

fn header(text: &[u8]) -> IResult<&[u8], Header<'_>> {
    let (text, priority) = opt(priority).parse(text)?;
    let version = take_while_m_n(1, 3, |byte: u8| byte.is_ascii_digit());
    let (text, version) = terminated(version, tag(&b" "[..])).parse(text)?;
    let (text, (stamp, host, app, procid, msgid)) = (word, word, word, word, word).parse(text)?;
    Ok((text, Header { priority, version, stamp, host, app, procid, msgid }))
}

/// Whether the text begins with a priority, or with a version of up to three digits and a blank.
#[inline]
fn may_begin(text: &[u8]) -> bool {
    match text.first() {
        Some(b'<') => true,
        Some(b'0'..=b'9') => text.iter().take(4).any(|byte| *byte == b' '),
        _ => false,
    }
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    may_begin(text) && header(text).is_ok_and(|(_, header)| is_stamp(header.stamp))
}

/// `VERSION TIMESTAMP …` without PRI, as files hold it.
pub(crate) fn starts_like_file_form(text: &[u8]) -> bool {
    text.iter().take(4).position(|byte| *byte == b' ').is_some_and(|at| at > 0) && looks_like(text)
}

/// NIL or a date: tells this format from an RFC 3164 message that happens to start with a number.
fn is_stamp(stamp: &[u8]) -> bool {
    stamp == b"-" || (stamp.len() >= 19 && stamp[4] == b'-' && stamp[7] == b'-')
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not RFC 5424: the header has fewer than 7 parts");
    if !may_begin(text) {
        return Err(OTHER);
    }
    let (rest, header) = header(text).map_err(|_| OTHER)?;
    if !is_stamp(header.stamp) {
        return Err(Refusal::Other("not RFC 5424: no time after the version"));
    }
    let time = time_of(header.stamp, &context.times)?;
    let (elements, message) = split_structured_data(rest)?;
    let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
    if let Some(priority) = header.priority {
        priority.put(rows);
    }
    rows.text(field::LOG_SYSLOG_VERSION, header.version);
    put_outer(&header, time, rows);
    // An IETF header around a BSD message: the inner header knows host and program.
    if header.app == b"-"
        && starts_with_month(message)
        && let Ok(dataset) = rfc3164::read(message, context, rows)
    {
        return Ok(dataset);
    }
    put_structured_data(elements, rows);
    let of_junos = junos::is_of(elements).then(|| junos::put_kind(rows, nil(header.msgid)));
    let procid = nil(header.procid);
    let program = Program { name: nil(header.app), pid: (!procid.is_empty()).then_some(procid) };
    if let Some(dataset) = of_junos {
        program.put_name(rows);
        rows.text(field::MESSAGE, message);
        return Ok(dataset);
    }
    Ok(put_message(rows, &program, message, context))
}

/// `-` stands for nothing (RFC 5424 §6, NILVALUE).
fn nil(text: &[u8]) -> &[u8] {
    if text == b"-" { b"" } else { text }
}

fn put_outer(header: &Header<'_>, time: Option<Timestamp>, rows: &mut BatchBuilder) {
    if let Some(time) = time {
        rows.date(field::TIMESTAMP, time);
    }
    put_host(rows, header.host);
    if header.msgid != b"-" {
        rows.text(field::LOG_SYSLOG_MSGID, header.msgid);
    }
}

fn time_of(stamp: &[u8], times: &Times) -> Result<Option<Timestamp>, Refusal> {
    if stamp == b"-" {
        return Ok(None);
    }
    match times.iso(stamp) {
        Some((time, b"")) => Ok(Some(time)),
        _ => Err(Refusal::Broken("RFC 5424: the time cannot be read")),
    }
}

/// The elements (or nothing for `-`) and the message. A sender that leaves the structured data out may begin its message with a
/// bracket: what is no element is message.
fn split_structured_data(text: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Ok((b"", rest.strip_prefix(b" ").unwrap_or(rest)));
    }
    let mut at = 0;
    while text.get(at) == Some(&b'[') {
        let Some(end) = element_end(text, at).filter(|end| at > 0 || is_element(&text[at + 1..end - 1])) else {
            if at > 0 || !starts_like_element(text) {
                break;
            }
            return Err(Refusal::Broken("RFC 5424: structured data is not closed"));
        };
        at = end;
        // Some senders put a blank between elements; a message may begin with a bracket, too.
        if text[at..].starts_with(b" [")
            && element_end(text, at + 1).is_some_and(|end| has_quoted_parameters(&text[at + 2..end - 1]))
        {
            at += 1;
        }
    }
    Ok((&text[..at], text[at..].strip_prefix(b" ").unwrap_or(&text[at..])))
}

/// `ID`, or `ID name=value …`: a text with blanks and no value is a message in brackets.
fn is_element(inside: &[u8]) -> bool {
    let inside = inside.trim_ascii();
    let Some(blank) = memchr(b' ', inside) else { return true };
    memchr(b'=', &inside[..blank]).is_none() && memchr(b'=', &inside[blank..]).is_some()
}

fn has_quoted_parameters(inside: &[u8]) -> bool {
    is_element(inside) && find!(inside, b"=\"").is_some() && inside.trim_ascii_end().ends_with(b"\"")
}

/// `[ID name="…`
fn starts_like_element(text: &[u8]) -> bool {
    let equals = find!(text, b"=\"");
    equals.is_some_and(|at| text[1..at].iter().filter(|byte| **byte == b' ').count() <= 2)
}

/// Offset after the `]` that closes the element at `open`, outside quotes.
fn element_end(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        let stop = at + memchr2(b'"', b']', text.get(at..)?)?;
        if text[stop] == b']' {
            return Some(stop + 1);
        }
        at = closing_quote(text, stop + 1)? + 1;
    }
}

fn closing_quote(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let stop = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[stop] == b'"' {
            return Some(stop);
        }
        at = stop + 2;
    }
}

fn put_structured_data(elements: &[u8], rows: &mut BatchBuilder) {
    if elements.is_empty() {
        return;
    }
    rows.text(field::LOG_SYSLOG_STRUCTURED_DATA, elements);
    let mut at = 0;
    while let Some(open) = elements.get(at..).and_then(|rest| memchr(b'[', rest)).map(|found| at + found) {
        let Some(end) = element_end(elements, open) else { return };
        put_element(&elements[open + 1..end - 1], rows);
        at = end;
    }
}

/// `ID name="value" …`; values without quotes (VMware) end at a blank.
fn put_element(element: &[u8], rows: &mut BatchBuilder) {
    let element = element.trim_ascii();
    let id = memchr(b' ', element).map_or(element, |blank| &element[..blank]);
    let mut rest = element[id.len()..].trim_ascii_start();
    while let Some(equals) = memchr(b'=', rest) {
        let name = rest[..equals].trim_ascii();
        let (value, after) = parameter_value(&rest[equals + 1..]);
        put_parameter(id, name, value, rows);
        if id.starts_with(b"junos@") {
            junos::put_parameter(rows, name, value);
        }
        rest = after.trim_ascii_start();
    }
}

fn parameter_value(text: &[u8]) -> (&[u8], &[u8]) {
    if text.first() == Some(&b'"')
        && let Some(close) = closing_quote(text, 1)
    {
        return (&text[1..close], &text[close + 1..]);
    }
    memchr(b' ', text).map_or((text, &b""[..]), |blank| text.split_at(blank))
}

fn put_parameter(id: &[u8], name: &[u8], value: &[u8], rows: &mut BatchBuilder) {
    if id == b"origin" && name == b"ip" {
        put_origin(rows, value);
    }
    if id.len() > NAME_BYTES_MAX || name.len() > NAME_BYTES_MAX {
        return rows.count_field_dropped();
    }
    let (id, name) = (String::from_utf8_lossy(id), String::from_utf8_lossy(name));
    match rows.column_named(&format!("log.syslog.structured_data.{id}.{name}")) {
        Ok(column) if memchr(b'\\', value).is_some() => rows.tagged_owned(column, &unescape(value), ValueTag::String),
        Ok(column) => rows.tagged(column, value, ValueTag::String),
        Err(_) => rows.count_field_dropped(),
    }
}

/// `\"`, `\\` and `\]` (RFC 5424 §6.3.3); any other backslash stays.
fn unescape(value: &[u8]) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = bytes.next_if(|next| byte == b'\\' && matches!(next, b'"' | b'\\' | b']'));
        out.push(escaped.unwrap_or(byte));
    }
    String::from_utf8_lossy(&out).into_owned()
}
