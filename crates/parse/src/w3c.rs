//! W3C extended logs: IIS, CloudFront, HTTP.sys, Windows Firewall, proxies. A `#Fields:` line names the columns of the lines below.
//!
//! The last such line counts. It comes with the block where it stands in front of it (`Block::heading`), so that blocks of one
//! source may be parsed by different threads; without any, lines of IIS and CloudFront are known by their shape.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, dataset};
use memchr::{memchr, memchr_iter};

use crate::address::{decimal, put_endpoint, put_ip};
use crate::clock::Times;
use crate::context::{Context, Refusal};
use crate::request::put_host;
use crate::w3c_columns::{CLOUDFRONT, Column, named, of_iis};

/// Columns that are read; what stands behind them stays in the line.
const COLUMNS_MAX: usize = 96;

/// What the headings of a block say, and what lines are taken apart in.
#[derive(Debug, Default)]
pub(crate) struct W3c {
    columns: Vec<Column>,
    names: Vec<String>,
    /// Ids of the columns of no known name, in the batch at hand.
    ids: Vec<Option<FieldId>>,
    kind: Kind,
    guessed: Vec<Column>,
    joined: String,
}

/// Who writes the log, as far as its columns tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Iis,
    CloudFront,
    Proxy,
    Firewall,
}

impl Kind {
    fn dataset(self) -> DatasetId {
        match self {
            Kind::Iis => dataset::IIS,
            Kind::CloudFront => dataset::CLOUDFRONT,
            Kind::Proxy => dataset::PROXY,
            Kind::Firewall => dataset::WINDOWS_FIREWALL,
        }
    }
}

const DIRECTIVES: &[&[u8]] = &[
    b"#Fields:",
    b"#Version:",
    b"#Software:",
    b"#Date:",
    b"#Start-Date:",
    b"#End-Date:",
    b"#Remark:",
    b"#Time Format:",
];

fn is_directive(text: &[u8]) -> bool {
    text.first() == Some(&b'#') && DIRECTIVES.iter().any(|directive| text.starts_with(directive))
}

/// `2026-03-04 10:00:01` or with a tab between them, and a blank or tab behind.
fn is_dated(text: &[u8]) -> bool {
    text.len() > 20
        && text[4] == b'-'
        && text[7] == b'-'
        && matches!(text[10], b' ' | b'\t')
        && text[13] == b':'
        && text[16] == b':'
        && text[19] == text[10]
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    if is_directive(text) {
        return true;
    }
    // Nearly every line has a column without a value.
    is_dated(text)
        && memchr_iter(text[10], text).take(9).count() == 9
        && memchr::memmem::find(text, &[text[10], b'-', text[10]]).is_some()
}

impl W3c {
    pub(crate) fn begin_block(&mut self, heading: Option<&[u8]>) {
        self.columns.clear();
        self.names.clear();
        self.kind = Kind::Iis;
        self.ids.clear();
        if let Some(heading) = heading {
            self.take_heading(heading);
        }
    }

    /// `#Fields: date time …`; names are separated by blanks, tabs or commas.
    fn take_heading(&mut self, text: &[u8]) {
        let Some(names) = text.strip_prefix(b"#Fields:") else { return };
        self.columns.clear();
        self.names.clear();
        self.ids.clear();
        let is = |name: &str| names.split(|byte| byte.is_ascii_whitespace()).any(|one| one == name.as_bytes());
        self.kind = if is("x-edge-location") {
            Kind::CloudFront
        } else if is("src-ip") && is("dst-ip") {
            Kind::Firewall
        } else if is("s-action") || is("sc-filter-result") || is("x-exception-id") || is("r-host") {
            Kind::Proxy
        } else {
            Kind::Iis
        };
        let separators = |byte: &u8| byte.is_ascii_whitespace();
        for name in names.split(separators).filter(|name| !name.is_empty()).take(COLUMNS_MAX) {
            let column = match (self.kind, named(name)) {
                (Kind::CloudFront, Some(Column::Milliseconds)) => Column::Seconds,
                // The name of the distribution, beside which the host that was asked for has a column.
                (Kind::CloudFront, Some(Column::Host)) if name.eq_ignore_ascii_case(b"cs(host)") => Column::Skip,
                // A proxy's own address and port are not what was connected to.
                (Kind::Proxy, Some(Column::Ip(_) | Column::Number(field::DESTINATION_PORT)))
                    if name.starts_with(b"s-") =>
                {
                    Column::Skip
                }
                (_, Some(column)) => column,
                (_, None) => {
                    self.names.push(format!("w3c.{}", String::from_utf8_lossy(name)));
                    self.ids.push(None);
                    Column::Own(self.names.len() as u16 - 1)
                }
            };
            self.columns.push(column);
        }
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a W3C log: neither a directive nor columns as the heading names them");
    if is_directive(text) {
        context.w3c.take_heading(text.trim_ascii_end());
        rows.text(field::MESSAGE, text);
        return Ok(context.w3c.kind.dataset());
    }
    let separator = if is_dated(text) { text[10] } else { b' ' };
    let mut words: [&[u8]; COLUMNS_MAX] = [b""; COLUMNS_MAX];
    let count = split(text, separator, &mut words).ok_or(OTHER)?;
    let words = &words[..count];
    let mut w3c = std::mem::take(&mut context.w3c);
    let is_declared = !w3c.columns.is_empty() && w3c.columns.len() == count;
    let (columns, kind) = if is_declared {
        (w3c.columns.as_slice(), w3c.kind)
    } else if is_dated(text) && separator == b'\t' && (19..=CLOUDFRONT.len()).contains(&count) {
        (&CLOUDFRONT[..count], Kind::CloudFront)
    } else if is_dated(text) && of_iis(words, &mut w3c.guessed) {
        (w3c.guessed.as_slice(), Kind::Iis)
    } else {
        context.w3c = w3c;
        return Err(OTHER);
    };
    let mut line = Line { words, columns, kind, ids: &mut w3c.ids, names: &w3c.names, joined: &mut w3c.joined };
    let is_read = line.put(context, rows);
    context.w3c = w3c;
    if is_read { Ok(kind.dataset()) } else { Err(OTHER) }
}

/// Cuts a line at its separators; a value in quotes may hold them. `None` where there are too many.
fn split<'a>(text: &'a [u8], separator: u8, words: &mut [&'a [u8]; COLUMNS_MAX]) -> Option<usize> {
    let (mut rest, mut count) = (text, 0);
    loop {
        let slot = words.get_mut(count)?;
        count += 1;
        if let Some(inside) = rest.strip_prefix(b"\"")
            && let Some(close) = memchr(b'"', inside)
            && inside.get(close + 1).is_none_or(|after| *after == separator)
        {
            *slot = &inside[..close];
            match inside.get(close + 2..) {
                Some(after) => rest = after,
                None => return Some(count),
            }
            continue;
        }
        match memchr(separator, rest) {
            Some(end) => (*slot, rest) = (&rest[..end], &rest[end + 1..]),
            None => {
                *slot = rest;
                return Some(count);
            }
        }
    }
}

/// A line that is cut, and what its columns are.
struct Line<'a> {
    words: &'a [&'a [u8]],
    columns: &'a [Column],
    kind: Kind,
    ids: &'a mut [Option<FieldId>],
    names: &'a [String],
    joined: &'a mut String,
}

impl<'a> Line<'a> {
    /// The first value of a column that is one of these.
    fn first(&self, is: impl Fn(Column) -> bool) -> &'a [u8] {
        let found = self.columns.iter().position(|column| is(*column)).and_then(|at| self.words.get(at));
        found.copied().filter(|word| *word != b"-").unwrap_or_default()
    }

    /// False where the time cannot be read: nothing has been put then.
    fn put(&mut self, context: &Context, rows: &mut BatchBuilder) -> bool {
        let (date, time) = (self.first(|column| column == Column::Date), self.first(|column| column == Column::Time));
        let at = match self.kind {
            Kind::Firewall => context.times.local(date, time),
            _ => Times::utc(date, time),
        };
        let has_stamp = !date.is_empty() || !time.is_empty();
        match at {
            Some(at) => rows.date(field::TIMESTAMP, at),
            None if has_stamp => return false,
            None => {}
        }
        if self.kind != Kind::Firewall {
            rows.literal(field::EVENT_CATEGORY, "web");
        }
        self.put_client(context, rows);
        self.put_target(rows);
        for at in 0..self.words.len() {
            let (word, column) = (self.words[at], self.columns[at]);
            if word != b"-" && !word.is_empty() {
                self.put_value(column, word, rows);
            }
        }
        true
    }

    fn put_client(&self, context: &Context, rows: &mut BatchBuilder) {
        let peer = self.first(|column| column == Column::Peer);
        let list = self.first(|column| column == Column::Forwarded);
        if !list.is_empty() {
            rows.text(field::NETWORK_FORWARDED_IP, list);
        }
        if !peer.is_empty() {
            put_endpoint(rows, if list.is_empty() { peer } else { context.proxies.client(peer, list) });
        }
    }

    /// Path and query stand apart, and are one target.
    fn put_target(&mut self, rows: &mut BatchBuilder) {
        let stem_at = self.columns.iter().position(|column| *column == Column::Stem);
        let query_at = self.columns.iter().position(|column| *column == Column::Query);
        let words = self.words;
        let value = |at: Option<usize>| at.and_then(|at| words.get(at)).copied().filter(|word| *word != b"-");
        let (stem, query) = (value(stem_at).unwrap_or_default(), value(query_at).unwrap_or_default());
        let is_proxy = self.kind == Kind::Proxy && stem.starts_with(b"/");
        if query.is_empty() && !is_proxy {
            crate::request::put_target(stem, rows);
            return;
        }
        let query = query.strip_prefix(b"?").unwrap_or(query);
        let (scheme, host) = (
            self.first(|column| column == Column::Text(field::URL_SCHEME)),
            self.first(|column| column == Column::Host),
        );
        let mut joined = std::mem::take(self.joined);
        joined.clear();
        let mut push = |part: &[u8], mark: &str| {
            joined.push_str(&String::from_utf8_lossy(part));
            joined.push_str(mark);
        };
        // What was asked of a proxy is a whole address.
        if is_proxy && !host.is_empty() {
            push(if scheme.is_empty() { b"http" } else { scheme }, "://");
            push(host, "");
        }
        push(stem, if query.is_empty() { "" } else { "?" });
        push(query, "");
        rows.owned(field::URL_ORIGINAL, &joined);
        *self.joined = joined;
        rows.text(field::URL_PATH, stem);
        if !query.is_empty() {
            rows.text(field::URL_QUERY, query);
        }
    }

    fn put_value(&mut self, column: Column, word: &[u8], rows: &mut BatchBuilder) {
        match column {
            Column::Skip | Column::Date | Column::Time | Column::DateTime | Column::Peer | Column::Forwarded => {}
            Column::Stem | Column::Query => {}
            Column::Ip(id) => put_ip(rows, id, word),
            Column::Text(field::NETWORK_TRANSPORT) => put_transport(word, rows),
            Column::Text(id) => rows.text(id, word),
            Column::Spaced(id) => self.put_spaced(id, word, rows),
            Column::Number(id) => {
                if let Some(number) = decimal(word) {
                    rows.long(id, number);
                }
            }
            Column::Host => put_host(word, rows),
            Column::Version => rows.text(field::HTTP_VERSION, word.strip_prefix(b"HTTP/").unwrap_or(word)),
            Column::Milliseconds => {
                if let Some(milliseconds) = decimal(word) {
                    rows.long(field::EVENT_DURATION, milliseconds.saturating_mul(1_000_000));
                }
            }
            Column::Seconds => {
                if let Some(seconds) = std::str::from_utf8(word).ok().and_then(|text| text.parse::<f64>().ok()) {
                    rows.long(field::EVENT_DURATION, (seconds * 1e9) as i64);
                }
            }
            Column::Action => put_action(word, rows),
            Column::Own(at) => self.put_own(usize::from(at), word, rows),
        }
    }

    /// IIS writes blanks as `+`, CloudFront as `%20`, and some have no blanks to write.
    fn put_spaced(&mut self, id: FieldId, word: &[u8], rows: &mut BatchBuilder) {
        let (mark, is_there): (&[u8], bool) = match self.kind {
            Kind::CloudFront => (b"%20", memchr(b'%', word).is_some()),
            _ => (b"+", memchr(b'+', word).is_some()),
        };
        if !is_there || memchr(b' ', word).is_some() {
            rows.text(id, word);
            return;
        }
        self.joined.clear();
        let mut rest = word;
        while let Some(at) = memchr(mark[0], rest) {
            self.joined.push_str(&String::from_utf8_lossy(&rest[..at]));
            if rest[at..].starts_with(mark) {
                self.joined.push(' ');
                rest = &rest[at + mark.len()..];
            } else {
                self.joined.push(char::from(mark[0]));
                rest = &rest[at + 1..];
            }
        }
        self.joined.push_str(&String::from_utf8_lossy(rest));
        rows.owned(id, self.joined);
    }

    fn put_own(&mut self, at: usize, word: &[u8], rows: &mut BatchBuilder) {
        let (Some(slot), Some(name)) = (self.ids.get_mut(at), self.names.get(at)) else { return };
        if slot.is_none() {
            *slot = rows.column_named(name).ok();
        }
        match slot {
            Some(id) => rows.text(*id, word),
            None => rows.count_field_dropped(),
        }
    }
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
    rows.literal(field::EVENT_CATEGORY, "network");
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
