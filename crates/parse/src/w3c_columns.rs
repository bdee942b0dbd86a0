//! Columns of W3C extended logs: what each name means, and which columns a line of IIS or CloudFront has that no heading names.

use event::{FieldId, catalog::field};

use crate::address::{decimal, is_ip};

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Nothing: the line keeps it.
    Skip,
    Date,
    Time,
    /// Date and time in one, or seconds since 1970.
    DateTime,
    /// The address that the server saw.
    Peer,
    /// A list of forwarded addresses.
    Forwarded,
    Ip(FieldId),
    Text(FieldId),
    /// A text in which blanks are written as `+`, or as `%20`.
    Spaced(FieldId),
    Number(FieldId),
    /// The path of the target, or the whole target.
    Stem,
    Query,
    Host,
    Version,
    Milliseconds,
    /// Seconds with a fraction.
    Seconds,
    /// What a firewall did.
    Action,
    /// A column of no known name: its place in the list of names.
    Own(u16),
}

/// Names are compared without regard to case. What no rule asks for is left in the line.
#[rustfmt::skip]
const NAMES: &[(&str, Column)] = &[
    ("date", Column::Date),
    ("time", Column::Time),
    ("gmttime", Column::DateTime),
    ("date-time", Column::DateTime),
    ("c-ip", Column::Peer),
    ("src-ip", Column::Peer),
    ("c-port", Column::Number(field::SOURCE_PORT)),
    ("src-port", Column::Number(field::SOURCE_PORT)),
    ("x-forwarded-for", Column::Forwarded),
    ("cs(x-forwarded-for)", Column::Forwarded),
    ("s-ip", Column::Ip(field::DESTINATION_IP)),
    ("r-ip", Column::Ip(field::DESTINATION_IP)),
    ("dst-ip", Column::Ip(field::DESTINATION_IP)),
    ("s-port", Column::Number(field::DESTINATION_PORT)),
    ("r-port", Column::Number(field::DESTINATION_PORT)),
    ("dst-port", Column::Number(field::DESTINATION_PORT)),
    ("cs-uri-port", Column::Number(field::URL_PORT)),
    ("protocol", Column::Text(field::NETWORK_TRANSPORT)),
    ("action", Column::Action),
    ("cs-method", Column::Text(field::HTTP_REQUEST_METHOD)),
    ("cs-uri-stem", Column::Stem),
    ("cs-uri-path", Column::Stem),
    ("cs-uri", Column::Stem),
    ("cs-uri-query", Column::Query),
    ("cs-uri-scheme", Column::Text(field::URL_SCHEME)),
    ("cs-protocol", Column::Text(field::URL_SCHEME)),
    ("cs-uri-extension", Column::Text(field::URL_EXTENSION)),
    ("cs-host", Column::Host),
    ("cs(host)", Column::Host),
    ("x-host-header", Column::Host),
    ("cs-username", Column::Text(field::USER_NAME)),
    ("cs-user", Column::Text(field::USER_NAME)),
    ("cs(user-agent)", Column::Spaced(field::USER_AGENT_ORIGINAL)),
    ("cs(referer)", Column::Spaced(field::HTTP_REQUEST_REFERRER)),
    ("cs(cookie)", Column::Spaced(field::HTTP_REQUEST_HEADERS_COOKIE)),
    ("cs-version", Column::Version),
    ("cs-protocol-version", Column::Version),
    ("sc-status", Column::Number(field::HTTP_RESPONSE_STATUS_CODE)),
    ("sc-substatus", Column::Number(field::IIS_ACCESS_SUB_STATUS)),
    ("sc-win32-status", Column::Number(field::IIS_ACCESS_WIN32_STATUS)),
    ("sc-bytes", Column::Number(field::HTTP_RESPONSE_BYTES)),
    ("cs-bytes", Column::Number(field::HTTP_REQUEST_BYTES)),
    ("time-taken", Column::Milliseconds),
    ("s-sitename", Column::Text(field::IIS_ACCESS_SITE_NAME)),
    ("s-computername", Column::Text(field::IIS_ACCESS_SERVER_NAME)),
    ("s-reason", Column::Text(field::EVENT_REASON)),
    ("s-siteid", Column::Skip), ("s-queuename", Column::Skip), ("x-edge-location", Column::Skip), ("x-edge-result-type", Column::Skip),
    ("x-edge-request-id", Column::Skip), ("ssl-protocol", Column::Skip), ("ssl-cipher", Column::Skip),
    ("x-edge-response-result-type", Column::Skip), ("fle-status", Column::Skip), ("fle-encrypted-fields", Column::Skip),
    ("time-to-first-byte", Column::Skip), ("x-edge-detailed-result-type", Column::Skip), ("sc-content-type", Column::Skip),
    ("sc-content-len", Column::Skip), ("sc-range-start", Column::Skip), ("sc-range-end", Column::Skip), ("size", Column::Skip),
    ("tcpflags", Column::Skip), ("tcpsyn", Column::Skip), ("tcpack", Column::Skip), ("tcpwin", Column::Skip), ("icmptype", Column::Skip),
    ("icmpcode", Column::Skip), ("info", Column::Skip), ("path", Column::Skip), ("pid", Column::Number(field::PROCESS_PID)),
];

/// The column of a name; `None` where it is not known.
pub(crate) fn named(name: &[u8]) -> Option<Column> {
    NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(_, column)| *column)
}

/// The columns of CloudFront's standard log, in the only order that there is; old ones have fewer.
#[rustfmt::skip]
pub(crate) const CLOUDFRONT: &[Column] = &[
    Column::Date, Column::Time, Column::Skip, Column::Number(field::HTTP_RESPONSE_BYTES), Column::Peer,
    Column::Text(field::HTTP_REQUEST_METHOD), Column::Skip, Column::Stem, Column::Number(field::HTTP_RESPONSE_STATUS_CODE),
    Column::Spaced(field::HTTP_REQUEST_REFERRER), Column::Spaced(field::USER_AGENT_ORIGINAL), Column::Query,
    Column::Spaced(field::HTTP_REQUEST_HEADERS_COOKIE), Column::Skip, Column::Skip, Column::Host,
    Column::Text(field::URL_SCHEME), Column::Number(field::HTTP_REQUEST_BYTES), Column::Seconds, Column::Forwarded,
    Column::Skip, Column::Skip, Column::Skip, Column::Version, Column::Skip, Column::Skip,
    Column::Number(field::SOURCE_PORT), Column::Skip, Column::Skip, Column::Skip, Column::Skip, Column::Skip, Column::Skip,
];

/// The columns of a line of IIS, told by their shape: IIS writes those that are chosen in one order, so that each is known by
/// what stands in front of it. Everything up to the client is one word that a client cannot split. False where it is not IIS.
///
/// `date time [site] [computer] s-ip method stem query port user c-ip [HTTP/…] [agent] [cookie] [referer] [host] status …`
pub(crate) fn of_iis(words: &[&[u8]], columns: &mut Vec<Column>) -> bool {
    columns.clear();
    columns.extend([Column::Date, Column::Time]);
    let Some(server) = words.iter().take(5).skip(2).position(|word| is_ip(word)) else { return false };
    let names = [Column::Text(field::IIS_ACCESS_SITE_NAME), Column::Text(field::IIS_ACCESS_SERVER_NAME)];
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
        Column::Ip(field::DESTINATION_IP),
        Column::Text(field::HTTP_REQUEST_METHOD),
        Column::Stem,
        Column::Query,
        Column::Number(field::DESTINATION_PORT),
        Column::Text(field::USER_NAME),
        Column::Peer,
    ]);
    after_client(rest, columns)
}

fn after_client(words: &[&[u8]], columns: &mut Vec<Column>) -> bool {
    const AGENT: Column = Column::Spaced(field::USER_AGENT_ORIGINAL);
    const COOKIE: Column = Column::Spaced(field::HTTP_REQUEST_HEADERS_COOKIE);
    const REFERRER: Column = Column::Spaced(field::HTTP_REQUEST_REFERRER);
    let has_version = words.first().is_some_and(|word| word.starts_with(b"HTTP/"));
    if has_version {
        columns.push(Column::Version);
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
        (3, _) => &[AGENT, REFERRER, Column::Host],
        _ => &[AGENT, COOKIE, REFERRER, Column::Host],
    });
    let rest = &words[status..];
    let numbers = rest.iter().take_while(|word| decimal(word).is_some()).count();
    const NUMBERS: [Column; 6] = [
        Column::Number(field::HTTP_RESPONSE_STATUS_CODE),
        Column::Number(field::IIS_ACCESS_SUB_STATUS),
        Column::Number(field::IIS_ACCESS_WIN32_STATUS),
        Column::Number(field::HTTP_RESPONSE_BYTES),
        Column::Number(field::HTTP_REQUEST_BYTES),
        Column::Milliseconds,
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
        columns.push(if is_list && columns.len() + 1 >= 14 { Column::Forwarded } else { Column::Skip });
    }
    true
}
