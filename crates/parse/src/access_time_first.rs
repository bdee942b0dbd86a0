//! Access lines that begin with their time: Nginx Proxy Manager, Apache's `ssl_request_log`, and others whose words in front of the
//! request are known by their shape.
//!
//! `[time] status - METHOD scheme host "target" [Client address] [Length n] …`, `[time] client protocol cipher "request" bytes`,
//! `[time] [host] client … "request" status bytes …`. A word that a client may have written is no source.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use crate::address::{decimal, endpoint, put_endpoint};
use crate::context::{Context, Refusal};
use crate::needle::rfind;
use crate::request::{
    Quoted, closed_by, put_escaped, put_host, put_quoted, put_request, put_target, quoted, split_word,
};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    matches!(text, [b'[', b'0'..=b'9', _, b'/', _, _, _, b'/', ..]) && split(text).is_some()
}

/// The time and what follows it; Apache's error log may begin with the same time, and a bracket behind it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', inside.get(..40.min(inside.len()))?).filter(|at| *at >= 20)?;
    let rest = inside[close + 1..].strip_prefix(b" ").filter(|rest| !matches!(rest.first(), Some(b'[' | b'"')))?;
    Some((&inside[..close], rest))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const NO_TIME: Refusal = Refusal::Other("not an access line: no time in brackets at the start");
    let (stamp, rest) = split(text).ok_or(NO_TIME)?;
    let time = context.times.bracketed(stamp).ok_or(NO_TIME)?;
    let quote = memchr(b'"', rest).ok_or(Refusal::Other("not an access line: no quoted request"))?;
    let (head, tail) = (rest[..quote].trim_ascii_end(), &rest[quote + 1..]);
    let (request, tail) = closed_by(tail, b'"').ok_or(Refusal::Other("not an access line: no quoted request"))?;
    let read = match rfind!(head, b" - ") {
        Some(at) if tail.starts_with(b" [Client ") => {
            put_proxy_manager(&head[..at], &head[at + 3..], request, tail, rows)
        }
        _ => put_words(head, request, tail, rows),
    };
    read.ok_or(Refusal::Other("not an access line: the words in front of the request are not known"))?;
    rows.date(field::TIMESTAMP, time);
    Ok(dataset::ACCESS)
}

/// `[cache upstream-]status - METHOD scheme host "target" [Client A] [Length N] [Gzip G] [Sent-to S] "agent" "referer"`
fn put_proxy_manager(
    statuses: &[u8],
    request_words: &[u8],
    target: Quoted<'_>,
    tail: &[u8],
    rows: &mut BatchBuilder,
) -> Option<()> {
    let mut words = request_words.splitn(3, |byte| *byte == b' ');
    let (method, _scheme, host) = (words.next()?, words.next()?, words.next()?);
    let status = statuses.rsplit(|byte| *byte == b' ').find_map(decimal);
    let mut rest = tail;
    let mut bracketed = |name: &[u8]| -> Option<&[u8]> {
        let inside = rest.strip_prefix(b" [")?.strip_prefix(name)?;
        let close = memchr(b']', inside)?;
        rest = &inside[close + 1..];
        Some(&inside[..close])
    };
    // The server writes the client right behind the target, in which it has replaced the quotes.
    put_endpoint(rows, bracketed(b"Client ")?);
    let length = bracketed(b"Length ");
    let _ratio = bracketed(b"Gzip ");
    let _server = bracketed(b"Sent-to ");
    rows.text(field::HTTP_REQUEST_METHOD, method);
    put_host(host, rows);
    if target.escaped {
        put_target(crate::request::unescape(target.text).as_bytes(), rows);
    } else {
        put_target(target.text, rows);
    }
    put_numbers(status, length.and_then(decimal), rows);
    let (agent, rest) = quoted(rest.strip_prefix(b" ").unwrap_or(rest)).unzip();
    if let Some(agent) = agent {
        put_quoted(rows, field::USER_AGENT_ORIGINAL, agent);
    }
    if let Some((referrer, _)) = rest.and_then(|rest| quoted(rest.strip_prefix(b" ")?)) {
        put_quoted(rows, field::HTTP_REQUEST_REFERRER, referrer);
    }
    Some(())
}

/// Which of the words in front of the request is the client, which the host, which the user.
fn put_words(head: &[u8], request: Quoted<'_>, tail: &[u8], rows: &mut BatchBuilder) -> Option<()> {
    let words: Vec<&[u8]> = head.split(|byte| *byte == b' ').take(6).collect();
    let is_number = |word: &[u8]| word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let (host, client, user) = match words.as_slice() {
        [client] => (None, *client, None),
        [client, b"-"] => (None, *client, None),
        [client, b"-", user] => (None, *client, Some(*user)),
        [client, tls, _cipher] if tls.starts_with(b"TLS") || tls.starts_with(b"SSL") || *tls == b"-" => {
            (None, *client, None)
        }
        [host, client, took] if is_number(took) && endpoint(took).is_none() => (Some(*host), *client, None),
        [host, client] if endpoint(client).is_some() && endpoint(host).is_none() => (Some(*host), *client, None),
        _ => return None,
    };
    if host.is_none() && words.len() < 3 && endpoint(client).is_none() {
        return None;
    }
    put_endpoint(rows, client);
    if let Some(host) = host.filter(|host| *host != b"-") {
        put_host(host, rows);
    }
    if let Some(user) = user.filter(|user| *user != b"-") {
        put_escaped(rows, field::USER_NAME, user);
    }
    put_request(request, rows);
    let (first, rest) = split_word(tail.strip_prefix(b" ").unwrap_or(tail));
    let (second, after) = split_word(rest);
    // A log of TLS requests has no status.
    let is_status = first.len() == 3 && decimal(first).is_some() && (decimal(second).is_some() || second == b"-");
    if !is_status {
        put_numbers(None, decimal(first), rows);
        return Some(());
    }
    put_numbers(decimal(first), decimal(second), rows);
    put_last_words(after, rows);
    Some(())
}

fn put_numbers(status: Option<i64>, bytes: Option<i64>, rows: &mut BatchBuilder) {
    if let Some(status) = status {
        rows.long(field::HTTP_RESPONSE_STATUS_CODE, status);
    }
    if let Some(bytes) = bytes {
        rows.long(field::HTTP_RESPONSE_BODY_BYTES, bytes);
    }
}

/// `[number …] referer agent`, each in quotes or not; a referer without quotes has no blanks, an agent ends the line.
fn put_last_words(text: &[u8], rows: &mut BatchBuilder) {
    let mut rest = text;
    while let (word, after) = split_word(rest)
        && !word.is_empty()
        && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        rest = after;
    }
    let (referrer, agent) = match quoted(rest) {
        Some((referrer, after)) => (referrer, after.strip_prefix(b" ").unwrap_or(after)),
        None => {
            let (referrer, after) = split_word(rest);
            (Quoted { text: referrer, escaped: memchr(b'\\', referrer).is_some() }, after)
        }
    };
    put_quoted(rows, field::HTTP_REQUEST_REFERRER, referrer);
    match quoted(agent) {
        Some((agent, _)) => put_quoted(rows, field::USER_AGENT_ORIGINAL, agent),
        None => put_quoted(
            rows,
            field::USER_AGENT_ORIGINAL,
            Quoted { text: agent, escaped: memchr(b'\\', agent).is_some() },
        ),
    }
}
