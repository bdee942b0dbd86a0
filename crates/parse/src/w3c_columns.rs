//! Columns of W3C extended logs: what each name means, and which columns a line of IIS or CloudFront has that no heading names.

use event::catalog::field;

use crate::address::{decimal, is_ip};
use crate::values::{TimeForm, Value};

/// Names are compared without regard to case. What no rule asks for is left in the line.
#[rustfmt::skip]
const NAMES: &[(&str, Value)] = &[
    ("date", Value::Date),
    ("time", Value::Time),
    ("gmttime", Value::Stamp(TimeForm::Any)),
    ("date-time", Value::Stamp(TimeForm::Any)),
    ("c-ip", Value::Peer),
    ("src-ip", Value::Peer),
    ("c-port", Value::Number(field::SOURCE_PORT)),
    ("src-port", Value::Number(field::SOURCE_PORT)),
    ("x-forwarded-for", Value::Forwarded),
    ("cs(x-forwarded-for)", Value::Forwarded),
    ("s-ip", Value::Ip(field::DESTINATION_IP)),
    ("r-ip", Value::Ip(field::DESTINATION_IP)),
    ("dst-ip", Value::Ip(field::DESTINATION_IP)),
    ("s-port", Value::Number(field::DESTINATION_PORT)),
    ("r-port", Value::Number(field::DESTINATION_PORT)),
    ("dst-port", Value::Number(field::DESTINATION_PORT)),
    ("cs-uri-port", Value::Number(field::URL_PORT)),
    ("protocol", Value::Text(field::NETWORK_TRANSPORT)),
    ("action", Value::Action),
    ("cs-method", Value::Text(field::HTTP_REQUEST_METHOD)),
    ("cs-uri-stem", Value::Stem),
    ("cs-uri-path", Value::Stem),
    ("cs-uri", Value::Stem),
    ("cs-uri-query", Value::Query),
    ("cs-uri-scheme", Value::Text(field::URL_SCHEME)),
    ("cs-protocol", Value::Text(field::URL_SCHEME)),
    ("cs-uri-extension", Value::Text(field::URL_EXTENSION)),
    ("cs-host", Value::Host),
    ("cs(host)", Value::Host),
    ("x-host-header", Value::Host),
    ("cs-username", Value::Text(field::USER_NAME)),
    ("cs-user", Value::Text(field::USER_NAME)),
    ("cs(user-agent)", Value::Escaped(field::USER_AGENT_ORIGINAL)),
    ("cs(referer)", Value::Escaped(field::HTTP_REQUEST_REFERRER)),
    ("cs(cookie)", Value::Escaped(field::HTTP_REQUEST_HEADERS_COOKIE)),
    ("cs-version", Value::Version),
    ("cs-protocol-version", Value::Version),
    ("sc-status", Value::Number(field::HTTP_RESPONSE_STATUS_CODE)),
    ("sc-substatus", Value::Number(field::IIS_ACCESS_SUB_STATUS)),
    ("sc-win32-status", Value::Number(field::IIS_ACCESS_WIN32_STATUS)),
    ("sc-bytes", Value::Number(field::HTTP_RESPONSE_BYTES)),
    ("cs-bytes", Value::Number(field::HTTP_REQUEST_BYTES)),
    ("time-taken", Value::Duration(1_000_000)),
    ("s-sitename", Value::Text(field::IIS_ACCESS_SITE_NAME)),
    ("s-computername", Value::Text(field::IIS_ACCESS_SERVER_NAME)),
    ("s-reason", Value::Text(field::EVENT_REASON)),
    ("s-siteid", Value::Skip), ("s-queuename", Value::Skip), ("x-edge-location", Value::Skip), ("x-edge-result-type", Value::Skip),
    ("x-edge-request-id", Value::Skip), ("ssl-protocol", Value::Skip), ("ssl-cipher", Value::Skip),
    ("x-edge-response-result-type", Value::Skip), ("fle-status", Value::Skip), ("fle-encrypted-fields", Value::Skip),
    ("time-to-first-byte", Value::Skip), ("x-edge-detailed-result-type", Value::Skip), ("sc-content-type", Value::Skip),
    ("sc-content-len", Value::Skip), ("sc-range-start", Value::Skip), ("sc-range-end", Value::Skip), ("size", Value::Skip),
    ("tcpflags", Value::Skip), ("tcpsyn", Value::Skip), ("tcpack", Value::Skip), ("tcpwin", Value::Skip), ("icmptype", Value::Skip),
    ("icmpcode", Value::Skip), ("info", Value::Skip), ("path", Value::Skip), ("pid", Value::Number(field::PROCESS_PID)),
];

/// The column of a name; `None` where it is not known.
pub(crate) fn named(name: &[u8]) -> Option<Value> {
    NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(_, column)| *column)
}

/// The columns of CloudFront's standard log, in the only order that there is; old ones have fewer.
#[rustfmt::skip]
pub(crate) const CLOUDFRONT: &[Value] = &[
    Value::Date, Value::Time, Value::Skip, Value::Number(field::HTTP_RESPONSE_BYTES), Value::Peer,
    Value::Text(field::HTTP_REQUEST_METHOD), Value::Skip, Value::Stem, Value::Number(field::HTTP_RESPONSE_STATUS_CODE),
    Value::Escaped(field::HTTP_REQUEST_REFERRER), Value::Escaped(field::USER_AGENT_ORIGINAL), Value::Query,
    Value::Escaped(field::HTTP_REQUEST_HEADERS_COOKIE), Value::Skip, Value::Skip, Value::Host,
    Value::Text(field::URL_SCHEME), Value::Number(field::HTTP_REQUEST_BYTES), Value::Duration(1_000_000_000), Value::Forwarded,
    Value::Skip, Value::Skip, Value::Skip, Value::Version, Value::Skip, Value::Skip,
    Value::Number(field::SOURCE_PORT), Value::Skip, Value::Skip, Value::Skip, Value::Skip, Value::Skip, Value::Skip,
];

/// The columns of a line of IIS, told by their shape: IIS writes those that are chosen in one order, so that each is known by
/// what stands in front of it. Everything up to the client is one word that a client cannot split. False where it is not IIS.
///
/// `date time [site] [computer] s-ip method stem query port user c-ip [HTTP/…] [agent] [cookie] [referer] [host] status …`
pub(crate) fn of_iis(words: &[&[u8]], columns: &mut Vec<Value>) -> bool {
    columns.clear();
    columns.extend([Value::Date, Value::Time]);
    let Some(server) = words.iter().take(5).skip(2).position(|word| is_ip(word)) else { return false };
    let names = [Value::Text(field::IIS_ACCESS_SITE_NAME), Value::Text(field::IIS_ACCESS_SERVER_NAME)];
    columns.extend(&names[..server]);
    let [method, stem, _query, port, _user, client, rest @ ..] = &words[3 + server..] else { return false };
    let is_method =
        method.len() <= 32 && method.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    let is_line = is_method
        && matches!(stem.first(), Some(b'/' | b'*' | b'-'))
        && (decimal(port).is_some() || *port == b"-")
        && (is_ip(client) || *client == b"-");
    if !is_line {
        return false;
    }
    columns.extend([
        Value::Ip(field::DESTINATION_IP),
        Value::Text(field::HTTP_REQUEST_METHOD),
        Value::Stem,
        Value::Query,
        Value::Number(field::DESTINATION_PORT),
        Value::Text(field::USER_NAME),
        Value::Peer,
    ]);
    after_client(rest, columns)
}

fn after_client(words: &[&[u8]], columns: &mut Vec<Value>) -> bool {
    const AGENT: Value = Value::Escaped(field::USER_AGENT_ORIGINAL);
    const COOKIE: Value = Value::Escaped(field::HTTP_REQUEST_HEADERS_COOKIE);
    const REFERRER: Value = Value::Escaped(field::HTTP_REQUEST_REFERRER);
    let has_version = words.first().is_some_and(|word| word.starts_with(b"HTTP/"));
    if has_version {
        columns.push(Value::Version);
    }
    let words = &words[usize::from(has_version)..];
    // The status is the first number of three digits that another number follows, with four headers in front of it at most.
    let is_status = |at: usize| {
        words[at].len() == 3
            && decimal(words[at]).is_some_and(|status| (100..1000).contains(&status))
            && words.get(at + 1).is_none_or(|next| decimal(next).is_some())
    };
    let Some(status) = (0..words.len().min(5)).find(|at| is_status(*at)) else { return false };
    columns.extend(match (status, words[..status].last().copied().unwrap_or_default()) {
        (0, _) => &[][..],
        (1, _) => &[AGENT],
        (2, _) => &[AGENT, REFERRER],
        (3, last) if last.starts_with(b"http") => &[AGENT, COOKIE, REFERRER],
        (3, _) => &[AGENT, REFERRER, Value::Host],
        _ => &[AGENT, COOKIE, REFERRER, Value::Host],
    });
    let rest = &words[status..];
    let numbers = rest.iter().take_while(|word| decimal(word).is_some()).count();
    const NUMBERS: [Value; 6] = [
        Value::Number(field::HTTP_RESPONSE_STATUS_CODE),
        Value::Number(field::IIS_ACCESS_SUB_STATUS),
        Value::Number(field::IIS_ACCESS_WIN32_STATUS),
        Value::Number(field::HTTP_RESPONSE_BYTES),
        Value::Number(field::HTTP_REQUEST_BYTES),
        Value::Duration(1_000_000),
    ];
    match numbers {
        1..=3 | 5 => columns.extend(&NUMBERS[..numbers]),
        4 => columns.extend([NUMBERS[0], NUMBERS[1], NUMBERS[2], NUMBERS[5]]),
        _ => columns.extend(NUMBERS),
    }
    // What is left are headers that the operator chose; a list of addresses is the usual one.
    for word in &rest[numbers.min(rest.len())..] {
        let is_list = word
            .split(|byte| matches!(byte, b',' | b'+'))
            .all(|entry| entry.is_empty() || crate::address::endpoint(entry).is_some());
        columns.push(if is_list && columns.len() + 1 >= 14 { Value::Forwarded } else { Value::Skip });
    }
    true
}
