//! Access logs: Common and Combined Log Format, their virtual-host forms, nginx's default, and trailing extras.
//!
//! `[vhost[:port] ] client ident user [time] "request" status bytes [ "referer" "user agent" [extras …]]`
//! A request that is not HTTP (TLS hello, garbage) keeps its text in `url.original`; no line is refused for it.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memchr_iter, memchr2};
use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::{eof, peek, recognize};

use crate::address::{decimal, endpoint, put_endpoint};
use crate::client::Client;
use crate::context::{Context, Refusal};
use crate::proxies::TrustedProxies;
use crate::request::{Quoted, put_quoted, put_request, quoted, split_word};
use crate::{rfc3164, rfc5424};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    split_time(text).is_some_and(|(head, ..)| head.len() >= 3)
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if starts_like_another_format(text) || text.starts_with(b"[pod/") {
        return Err(Refusal::Other("not an access line: it starts like JSON or syslog"));
    }
    let text = without_blanks(text);
    let (head, stamp, rest) = split_time(text).ok_or(Refusal::Other("not an access line: no time in brackets"))?;
    let time = context.times.clf(stamp).or_else(|| context.times.bracketed(stamp));
    let time = time.ok_or(Refusal::Other("not an access line: the time in brackets cannot be read"))?;
    let client = Client::read(head).ok_or(Refusal::Other("not an access line: no client in front of the time"))?;
    let rest = rest.strip_prefix(b" \"").ok_or(Refusal::Other("not an access line: no quoted request"))?;
    let (request, rest) =
        request_text(rest).ok_or(Refusal::Other("not an access line: no status after the request"))?;
    let (status, bytes, rest) =
        status_and_bytes(rest).ok_or(Refusal::Other("not an access line: no status after the request"))?;
    rows.date(field::TIMESTAMP, time);
    client.put(&context.proxies, rows);
    put_request(request, rows);
    if let Some(status) = status {
        rows.long(field::HTTP_RESPONSE_STATUS_CODE, status);
    }
    if let Some(bytes) = bytes {
        rows.long(field::HTTP_RESPONSE_BODY_BYTES, bytes);
    }
    put_tail(rest, &client, &context.proxies, rows);
    Ok(dataset::ACCESS)
}

/// Without blanks in front, that of other alphabets among them: copying has put them there.
#[inline]
fn without_blanks(text: &[u8]) -> &[u8] {
    const NO_BREAK: &[u8] = "\u{a0}".as_bytes();
    match text.first() {
        // Behind a tabulator stands what goes on with another line.
        Some(b' ') => text.trim_ascii_start(),
        Some(first) if *first == NO_BREAK[0] => text.strip_prefix(NO_BREAK).unwrap_or(text),
        _ => text,
    }
}

/// A user name may hold blanks, so that the start of a syslog line could pass for a client: those lines are not ours.
#[inline]
fn starts_like_another_format(text: &[u8]) -> bool {
    match text.first() {
        // Directives of W3C logs.
        Some(b'{' | b'<' | b'#') => true,
        Some(b'0'..=b'9' | b'a'..=b'f') if starts_with_owner(text) => true,
        Some(b'0'..=b'9') => rfc3164::looks_like(rfc3164::before_stamp(text)) || rfc5424::starts_like_file_form(text),
        _ => text.trim_ascii_start().first() == Some(&b'{') || rfc3164::looks_like(rfc3164::before_stamp(text)),
    }
}

/// The id of a bucket's owner, in front of each line that S3 writes.
#[inline]
fn starts_with_owner(text: &[u8]) -> bool {
    const BYTES: usize = 64;
    text.get(BYTES) == Some(&b' ') && text[..BYTES].iter().all(u8::is_ascii_hexdigit)
}

/// Text before the bracketed time, the time, and what follows the bracket.
#[inline]
fn split_time(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    for open in memchr_iter(b'[', text) {
        let inside = &text[open + 1..];
        let clf = inside.len() > 26 && inside[2] == b'/' && inside[6] == b'/' && inside[26] == b']';
        let close = if clf { 26 } else { unusual_close(inside).unwrap_or(0) };
        // A user name may hold brackets and times: the time is the one that a quoted request follows.
        let followed = inside.get(close + 1..).is_some_and(|rest| rest.starts_with(b" \""));
        if close > 0 && open > 0 && text[open - 1] == b' ' && followed {
            return Some((&text[..open - 1], &inside[..close], &inside[close + 1..]));
        }
    }
    None
}

/// End of a time in ISO 8601, and of one without zone or with a fraction.
fn unusual_close(inside: &[u8]) -> Option<usize> {
    let dated = inside.len() > 20
        && (inside[4] == b'-' && inside[7] == b'-' && inside[13] == b':'
            || inside[2] == b'/' && inside[6] == b'/' && inside[11] == b':');
    if dated { memchr(b']', &inside[..inside.len().min(40)]) } else { None }
}

/// ` 200 ` or ` - ` behind a quote.
fn status_follows(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let digits = take_while_m_n(3, 3, |byte: u8| byte.is_ascii_digit());
    recognize((tag(&b" "[..]), alt((digits, tag(&b"-"[..]))), peek(alt((tag(&b" "[..]), eof))))).parse(text)
}

/// The request up to the quote that a status follows: clients can send quotes, and old servers do not escape them.
#[inline]
fn request_text(text: &[u8]) -> Option<(Quoted<'_>, &[u8])> {
    let (mut at, mut escaped) = (0, false);
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..)?) {
        let stop = at + found;
        if text[stop] == b'\\' {
            escaped = true;
            at = stop + 2;
        } else if status_follows(&text[stop + 1..]).is_ok() {
            return Some((Quoted { text: &text[..stop], escaped }, &text[stop + 1..]));
        } else {
            at = stop + 1;
        }
    }
    None
}

type Status<'a> = (Option<i64>, Option<i64>, &'a [u8]);

/// ` status bytes`, each of which may be `-`; the bytes may be missing at the end of the line.
#[inline]
fn status_and_bytes(text: &[u8]) -> Option<Status<'_>> {
    let text = text.strip_prefix(b" ")?;
    let (status, rest) = split_word(text);
    let (bytes, rest) = split_word(rest);
    let code = decimal(status);
    let known = status == b"-" || (status.len() == 3 && code.is_some());
    known.then(|| (code, decimal(bytes), rest))
}

/// Referer, user agent and extras. A `-` may stand without its quotes.
#[inline]
fn put_tail(text: &[u8], client: &Client<'_>, proxies: &TrustedProxies, rows: &mut BatchBuilder) {
    let mut rest = text;
    if let Some((referrer, after)) = quoted(rest) {
        put_quoted(rows, field::HTTP_REQUEST_REFERRER, referrer);
        rest = after.strip_prefix(b" ").unwrap_or(after);
    } else if let Some(after) = rest.strip_prefix(b"- ").filter(|after| after.starts_with(b"\"")) {
        rest = after;
    } else {
        put_extra(rest, client, proxies, rows);
        return;
    }
    if let Some((agent, after)) = quoted(rest) {
        put_quoted(rows, field::USER_AGENT_ORIGINAL, agent);
        rest = after;
    } else if let Some(after) = rest.strip_prefix(b"-").filter(|after| matches!(after.first(), None | Some(b' '))) {
        rest = after;
    }
    put_extra(rest, client, proxies, rows);
}

/// Extras are the operator's choice: only a list of addresses that stands first in quotes is known, and it is believed
/// where the peer is a proxy of ours.
#[cold]
fn put_more(text: &[u8], client: &Client<'_>, proxies: &TrustedProxies, rows: &mut BatchBuilder) {
    rows.text(field::ACCESS_EXTRA, text);
    if let Some((list, _)) = quoted(text)
        && endpoint(list.text.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii()).is_some()
        && client.forwarded.is_none()
    {
        rows.text(field::NETWORK_FORWARDED_IP, list.text);
        if !proxies.is_empty() {
            // Of two peers nobody knows which is the proxy.
            let known = Some(client.peer).filter(|peer| !peer.is_empty());
            known.into_iter().for_each(|peer| put_endpoint(rows, proxies.client(peer, list.text)));
        }
    }
}

#[inline]
fn put_extra(text: &[u8], client: &Client<'_>, proxies: &TrustedProxies, rows: &mut BatchBuilder) {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if !text.is_empty() {
        put_more(text, client, proxies, rows);
    }
}
