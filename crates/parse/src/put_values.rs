//! Values that a line was cut into are put to its row: what W3C logs, layouts and formats of operators share. Cuts nothing.
//!
//! Which of the addresses is the client, and what target and time are made of, is known when all values are there. Nothing is put
//! where the time cannot be read.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, Timestamp};
use memchr::memchr;

use crate::address::{decimal, endpoint, is_host_name, put_endpoint, put_ip};
use crate::clock::Times;
use crate::context::Context;
use crate::layout::{Layout, VALUES_MAX};
use crate::request::{Quoted, put_host, put_quoted, put_request, put_target, unescape};
use crate::values::{Dialect, Escapes, Own, TimeForm, Value};

/// The parts of a line that are put together.
#[derive(Default)]
struct Parts<'a> {
    date: &'a [u8],
    time: &'a [u8],
    stamp: Option<(TimeForm, &'a [u8])>,
    peer: &'a [u8],
    forwarded: &'a [u8],
    stem: &'a [u8],
    query: &'a [u8],
    scheme: &'a [u8],
    host: &'a [u8],
}

impl<'a> Parts<'a> {
    #[inline]
    fn of(values: &[Value], words: &[&'a [u8]]) -> Self {
        let mut parts = Parts::default();
        for (value, word) in values.iter().zip(words) {
            if matches!(*word, b"-" | b"") {
                continue;
            }
            // The first of two columns counts.
            let slot = match value {
                Value::Stamp(stamp) if parts.stamp.is_none() => {
                    parts.stamp = Some((*stamp, word));
                    continue;
                }
                Value::Date => &mut parts.date,
                Value::Time => &mut parts.time,
                Value::Peer => &mut parts.peer,
                Value::Forwarded => &mut parts.forwarded,
                Value::Stem => &mut parts.stem,
                Value::Query => &mut parts.query,
                Value::Text(field::URL_SCHEME) => &mut parts.scheme,
                Value::Host => &mut parts.host,
                _ => continue,
            };
            if slot.is_empty() {
                *slot = word;
            }
        }
        parts
    }

    /// The time; `None` where it cannot be read, `Some(None)` where there is none.
    fn at(&self, dialect: Dialect, times: &mut Times) -> Option<Option<Timestamp>> {
        if let Some((stamp, word)) = self.stamp {
            return read_stamp(stamp, word, times).map(Some);
        }
        if self.date.is_empty() && self.time.is_empty() {
            return Some(None);
        }
        match dialect.is_local {
            true => times.local(self.date, self.time),
            false => Times::utc(self.date, self.time),
        }
        .map(Some)
    }

    fn put_client(&self, context: &Context, rows: &mut BatchBuilder) {
        if !self.forwarded.is_empty() {
            rows.text(field::NETWORK_FORWARDED_IP, self.forwarded);
        }
        if !self.peer.is_empty() && self.peer != b"unix:" {
            let is_known = self.forwarded.is_empty();
            put_endpoint(rows, if is_known { self.peer } else { context.proxies.client(self.peer, self.forwarded) });
        } else if !self.forwarded.is_empty() && !context.proxies.is_empty() {
            // Without the peer that sent it a list is believed only from proxies that are known.
            put_endpoint(rows, context.proxies.client_of_list(self.forwarded));
        }
    }

    /// Path and query stand apart, and are one target.
    fn put_target(&self, dialect: Dialect, joined: &mut Vec<u8>, rows: &mut BatchBuilder) {
        let is_whole = dialect.is_proxy && self.stem.starts_with(b"/") && !self.host.is_empty();
        let query = self.query.strip_prefix(b"?").unwrap_or(self.query);
        // `CONNECT host:port`
        if dialect.is_proxy && !self.stem.contains(&b'/') && !self.stem.is_empty() {
            rows.text(field::URL_ORIGINAL, self.stem);
            put_host(self.stem, rows);
            return;
        }
        if query.is_empty() && !is_whole {
            if dialect.escapes == Escapes::Backslash && memchr(b'\\', self.stem).is_some() {
                put_target(unescape(self.stem).as_bytes(), rows);
            } else {
                put_target(self.stem, rows);
            }
            return;
        }
        joined.clear();
        // What was asked of a proxy is a whole address.
        if is_whole {
            joined.extend_from_slice(if self.scheme.is_empty() { b"http" } else { self.scheme });
            joined.extend_from_slice(b"://");
            joined.extend_from_slice(self.host);
        }
        joined.extend_from_slice(self.stem);
        if !query.is_empty() {
            joined.push(b'?');
            joined.extend_from_slice(query);
        }
        rows.text(field::URL_ORIGINAL, joined);
        if !self.stem.is_empty() {
            rows.text(field::URL_PATH, self.stem);
        }
        if !query.is_empty() {
            rows.text(field::URL_QUERY, query);
        }
    }
}

fn read_stamp(stamp: TimeForm, word: &[u8], times: &mut Times) -> Option<Timestamp> {
    match stamp {
        TimeForm::Any => times
            .clf(word)
            .or_else(|| times.bracketed(word))
            .or_else(|| times.slashed(word).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| time))
            .or_else(|| times.of_c(word))
            .or_else(|| times.bsd(word).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| time)),
        TimeForm::Since(units) => {
            let (whole, fraction) = memchr(b'.', word).map_or((word, &b""[..]), |at| (&word[..at], &word[at + 1..]));
            let micros = decimal(whole)?.checked_mul(1_000_000 / units)?;
            let (part, rest) = event::time::parse_fraction(fraction);
            rest.is_empty().then(|| Timestamp(micros.saturating_add(i64::from(part) / units)).within_years())
        }
    }
}

/// Puts the values of a line. False where its time cannot be read: nothing has been put then.
pub(crate) fn put(
    values: &[Value],
    words: &[&[u8]],
    dialect: Dialect,
    own: &mut Own,
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> bool {
    let parts = Parts::of(values, words);
    let Some(time) = parts.at(dialect, &mut context.times) else { return false };
    if let Some(time) = time {
        rows.date(field::TIMESTAMP, time);
    }
    let mut joined = std::mem::take(&mut context.joined);
    parts.put_client(context, rows);
    parts.put_target(dialect, &mut joined, rows);
    for (value, word) in values.iter().zip(words) {
        if !matches!(*word, b"-" | b"") {
            put_value(*value, word, dialect, &mut joined, own, rows);
        }
    }
    context.joined = joined;
    true
}

fn put_value(
    value: Value,
    word: &[u8],
    dialect: Dialect,
    joined: &mut Vec<u8>,
    own: &mut Own,
    rows: &mut BatchBuilder,
) {
    match value {
        Value::Skip | Value::Date | Value::Time | Value::Stamp(_) | Value::Peer | Value::Forwarded => {}
        Value::Stem | Value::Query => {}
        Value::Ip(id) => put_ip(rows, id, word),
        Value::Server => {
            if let Some((address, port)) = endpoint(word) {
                put_ip(rows, field::DESTINATION_IP, address);
                if let Some(port) = port {
                    rows.long(field::DESTINATION_PORT, port);
                }
            }
        }
        Value::Text(field::NETWORK_TRANSPORT) => put_transport(word, rows),
        Value::Text(id) => rows.text(id, word),
        Value::Escaped(id) => put_escaped(id, word, dialect.escapes, joined, rows),
        Value::Number(id) => {
            // A connection that was given up has no status.
            let number = decimal(word).filter(|number| id != field::HTTP_RESPONSE_STATUS_CODE || *number != 0);
            if let Some(number) = number {
                rows.long(id, number);
            }
        }
        // A connection without a request.
        Value::Request if word.starts_with(b"- ") => {}
        Value::Request => put_request(Quoted { text: word, escaped: memchr(b'\\', word).is_some() }, rows),
        Value::Host => put_host(word, rows),
        Value::Version => rows.text(field::HTTP_VERSION, word.strip_prefix(b"HTTP/").unwrap_or(word)),
        Value::Duration(nanoseconds) => {
            if let Some(duration) = duration(word, nanoseconds) {
                rows.long(field::EVENT_DURATION, duration);
            }
        }
        Value::Action => put_action(word, rows),
        Value::Own(at) => own.put(usize::from(at), word, rows),
    }
}

/// A number of units with a fraction perhaps, in nanoseconds.
fn duration(word: &[u8], nanoseconds: i64) -> Option<i64> {
    let (whole, fraction) = memchr(b'.', word).map_or((word, &b""[..]), |at| (&word[..at], &word[at + 1..]));
    let (part, rest) = event::time::parse_fraction(fraction);
    let whole = decimal(whole).filter(|_| rest.is_empty())?;
    Some(whole.saturating_mul(nanoseconds).saturating_add(i64::from(part).saturating_mul(nanoseconds) / 1_000_000))
}

fn put_escaped(id: FieldId, word: &[u8], escapes: Escapes, joined: &mut Vec<u8>, rows: &mut BatchBuilder) {
    let mark = match escapes {
        Escapes::Backslash => {
            put_quoted(rows, id, Quoted { text: word, escaped: memchr(b'\\', word).is_some() });
            return;
        }
        Escapes::Percent => b'%',
        Escapes::Plus => b'+',
    };
    // A value with blanks has none that are written otherwise.
    if memchr(mark, word).is_none() || memchr(b' ', word).is_some() {
        rows.text(id, word);
        return;
    }
    joined.clear();
    if escapes == Escapes::Plus {
        joined.extend(word.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }));
    } else {
        let mut rest = word;
        while let Some(at) = memchr(mark, rest) {
            joined.extend_from_slice(&rest[..at]);
            let is_blank = rest[at..].starts_with(b"%20");
            joined.push(if is_blank { b' ' } else { mark });
            rest = &rest[at + if is_blank { 3 } else { 1 }..];
        }
        joined.extend_from_slice(rest);
    }
    rows.text(id, joined);
}

/// In small letters, as everywhere else.
fn put_transport(word: &[u8], rows: &mut BatchBuilder) {
    match word {
        b"TCP" => rows.literal(field::NETWORK_TRANSPORT, "tcp"),
        b"UDP" => rows.literal(field::NETWORK_TRANSPORT, "udp"),
        b"ICMP" => rows.literal(field::NETWORK_TRANSPORT, "icmp"),
        _ => rows.text(field::NETWORK_TRANSPORT, word),
    }
}

fn put_action(word: &[u8], rows: &mut BatchBuilder) {
    match word {
        b"DROP" => {
            rows.literal(field::EVENT_ACTION, "blocked");
            rows.literal(field::EVENT_OUTCOME, "failure");
        }
        b"ALLOW" => {
            rows.literal(field::EVENT_ACTION, "allowed");
            rows.literal(field::EVENT_OUTCOME, "success");
        }
        _ => rows.text(field::EVENT_ACTION, word),
    }
}

/// Reads a line by the first of the layouts that it is of. None of them has values of unknown names.
pub(crate) fn read_by(
    layouts: &[Layout],
    text: &[u8],
    dataset: DatasetId,
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Option<DatasetId> {
    let mut words: [&[u8]; VALUES_MAX] = [b""; VALUES_MAX];
    layouts.iter().find_map(|layout| {
        let count = layout.cut(text, &mut words)?;
        let mut own = Own::default();
        let is_read = put(layout.values(), &words[..count], layout.dialect, &mut own, context, rows);
        is_read.then_some(dataset)
    })
}

/// Whether the values that have a form are of that form: a number, an address or the name of a host, a time.
fn fits(values: &[Value], words: &[&[u8]], times: &mut Times) -> bool {
    values.iter().zip(words).all(|(value, word)| {
        matches!(*word, b"-" | b"")
            || match value {
                Value::Peer => *word == b"unix:" || endpoint(word).is_some() || is_host_name(word),
                Value::Ip(_) => endpoint(word).is_some(),
                Value::Number(_) => decimal(word).is_some(),
                Value::Stamp(form) => read_stamp(*form, word, times).is_some(),
                _ => true,
            }
    })
}

/// Mark of lines that name several clients, by how they are read.
const UNCLEAR: &str = "unclear_source";

/// Reads a line of the operator's format that its source is bound to. Where a client's own words leave open which address the
/// server saw, none is named.
pub(crate) fn read_bound(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let at = context.bound?;
    let user = context.user.take()?;
    let mut own = context.own.get_mut(at).map(std::mem::take).unwrap_or_default();
    let mut words: [&[u8]; VALUES_MAX] = [b""; VALUES_MAX];
    let dataset = user.cut(at, text, &mut words).and_then(|cut| {
        let times = std::cell::RefCell::new(&mut context.times);
        let is_like = |values: &[Value], words: &[&[u8]]| fits(values, words, &mut times.borrow_mut());
        let is_clear = user.is_clear(at, text, &is_like);
        if is_clear && !is_like(cut.values, &words[..cut.count]) {
            return None;
        }
        if !is_clear {
            let of_client =
                |value: &Value| matches!(value, Value::Peer | Value::Forwarded | Value::Ip(field::SOURCE_IP));
            words.iter_mut().zip(cut.values).filter(|(_, value)| of_client(value)).for_each(|(word, _)| *word = b"-");
            rows.mark(UNCLEAR);
        }
        let is_read = put(cut.values, &words[..cut.count], cut.dialect, &mut own, context, rows);
        is_read.then(|| user.name_dataset(at, rows)).flatten()
    });
    if let Some(slot) = context.own.get_mut(at) {
        *slot = own;
    }
    if dataset.is_some() {
        context.readers.own(user.names().nth(at).unwrap_or_default());
    }
    context.user = Some(user);
    dataset
}
