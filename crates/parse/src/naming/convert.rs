//! Values of products on their way to their fields: addresses with ports, requests, times in all usual forms, arrays. A value
//! that is not what its field asks for is no value. Knows no shapes.

use event::catalog::field;
use event::time::parse_epoch;
use event::{BatchBuilder, FieldId, FieldType, Timestamp, ValueTag};
use memchr::{memchr, memrchr};

use super::{inside, stamp};
use crate::address::{decimal, is_ip, put_ip, put_peer};
use crate::clock::Times;
use crate::json::escapes::push_text;
use crate::needle::find;
use crate::proxies::client_of_unknown;
use crate::request;
use crate::shape::model::Conversion;

/// Bytes that an array of numbers may stand for.
const BYTES_MAX: usize = 65_536;
/// Longest list of arguments that is joined, in bytes.
const JOINED_MAX: usize = 8192;

/// A value as it stands in the event, and what it is in JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a [u8],
    pub(super) tag: ValueTag,
}

/// Nothing and what products write for it.
#[inline]
pub(super) fn is_nothing(text: &[u8]) -> bool {
    matches!(text, b"" | b"-" | b"--" | b"null" | b"(null)" | b"None" | b"N/A" | b"n/a")
}

/// Puts a value to its field; false where it is no value of such a field.
pub(super) fn put(
    conversion: Conversion,
    raw: Raw<'_>,
    target: FieldId,
    times: &mut Times,
    rows: &mut BatchBuilder,
) -> bool {
    if raw.tag == ValueTag::Null {
        return false;
    }
    let raw = match raw.tag {
        ValueTag::Array => inside::only_text(raw.text).map_or(raw, |text| Raw { text, tag: ValueTag::String }),
        _ => raw,
    };
    if is_nothing(raw.text) {
        return false;
    }
    match conversion {
        Conversion::Item(at) => return put_element(raw, usize::from(at), target, rows),
        Conversion::Join => return put_joined(raw, target, rows),
        Conversion::Bytes => return put_bytes(raw, target, rows),
        _ => {}
    }
    if raw.tag == ValueTag::Array && conversion != Conversion::Text {
        let Some((text, tag)) = inside::elements(raw.text).next().and_then(inside::text) else { return false };
        return tag != ValueTag::Array && put(conversion, Raw { text: &text, tag }, target, times, rows);
    }
    let text = raw.text;
    match conversion {
        Conversion::Text => put_text(raw, target, rows),
        Conversion::Lower => {
            put_lower(text, target, rows);
            true
        }
        Conversion::Address => put_address(text, target, rows),
        Conversion::Peer => put_address(text, target, rows) || put_name(text, target, rows),
        Conversion::Port => put_number(split_port(text).1.unwrap_or_default(), target, rows),
        Conversion::Number => put_number(text, target, rows),
        Conversion::Time => put_time(raw, target, times, rows),
        Conversion::Request => {
            request::put_request_line(text, rows);
            true
        }
        Conversion::Target => {
            request::put_target(text, rows);
            true
        }
        Conversion::Url => put_url(text, rows),
        Conversion::Host => put_host(text, target, rows),
        Conversion::Base => put_text(Raw { text: base(text), ..raw }, target, rows),
        Conversion::Version => {
            let rest = text.get(..5).filter(|head| head.eq_ignore_ascii_case(b"HTTP/")).map_or(text, |_| &text[5..]);
            put_text(Raw { text: rest, ..raw }, target, rows)
        }
        Conversion::Seconds => put_duration(text, 1e9, target, rows),
        Conversion::Milliseconds => put_duration(text, 1e6, target, rows),
        Conversion::Account => put_account(text, target, rows),
        Conversion::Item(_) | Conversion::Join | Conversion::Bytes => false,
    }
}

/// The text by which a table of words is searched.
pub(super) fn word<'a>(conversion: Conversion, raw: Raw<'a>) -> Option<std::borrow::Cow<'a, [u8]>> {
    if raw.tag == ValueTag::Null {
        return None;
    }
    let wanted = if let Conversion::Item(at) = conversion { usize::from(at) } else { 0 };
    if raw.tag == ValueTag::Array {
        return inside::elements(raw.text).nth(wanted).and_then(inside::text).map(|(text, _)| text);
    }
    Some(std::borrow::Cow::Borrowed(if conversion == Conversion::Base { base(raw.text) } else { raw.text }))
}

/// Longest word that is made lower case without room of its own, in bytes.
const WORD_BYTES_MAX: usize = 32;

fn put_lower(text: &[u8], target: FieldId, rows: &mut BatchBuilder) {
    let mut lower = [0; WORD_BYTES_MAX];
    if let Some(lower) = lower.get_mut(..text.len())
        && text.is_ascii()
    {
        lower.copy_from_slice(text);
        lower.make_ascii_lowercase();
        return rows.owned(target, std::str::from_utf8(lower).unwrap_or_default());
    }
    rows.owned(target, &String::from_utf8_lossy(text).to_lowercase());
}

fn put_text(raw: Raw<'_>, target: FieldId, rows: &mut BatchBuilder) -> bool {
    if is_nothing(raw.text) {
        return false;
    }
    match BatchBuilder::kind_of(target) {
        FieldType::Long => return put_number(raw.text, target, rows),
        FieldType::Ip if !is_ip(raw.text) => return false,
        _ => {}
    }
    if raw.tag != ValueTag::Array {
        rows.text(target, raw.text);
        return true;
    }
    let mut elements = inside::elements(raw.text);
    match (elements.next(), elements.next()) {
        (None, _) => false,
        (Some(only), None) => put_element_text(only, target, rows),
        _ => {
            rows.tagged(target, raw.text, ValueTag::Array);
            true
        }
    }
}

fn put_element_text(element: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    let Some((text, tag)) = inside::text(element) else { return false };
    if tag == ValueTag::Array || is_nothing(&text) {
        return false;
    }
    put_text(Raw { text: &text, tag }, target, rows)
}

fn put_element(raw: Raw<'_>, at: usize, target: FieldId, rows: &mut BatchBuilder) -> bool {
    if raw.tag != ValueTag::Array {
        return at == 0 && put_text(raw, target, rows);
    }
    inside::elements(raw.text).nth(at).is_some_and(|element| put_element_text(element, target, rows))
}

fn put_joined(raw: Raw<'_>, target: FieldId, rows: &mut BatchBuilder) -> bool {
    if raw.tag != ValueTag::Array {
        return put_text(raw, target, rows);
    }
    let mut joined = String::with_capacity(raw.text.len().min(JOINED_MAX));
    for (text, _) in inside::elements(raw.text).filter_map(inside::text) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        push_text(&mut joined, &text);
        if joined.len() > JOINED_MAX {
            break;
        }
    }
    if !joined.is_empty() {
        rows.owned(target, &joined);
    }
    !joined.is_empty()
}

/// `[104,105]`, as the journal writes text that is not UTF-8 or has control characters.
fn put_bytes(raw: Raw<'_>, target: FieldId, rows: &mut BatchBuilder) -> bool {
    match bytes(raw) {
        Some(bytes) => rows.owned(target, &String::from_utf8_lossy(&bytes)),
        None => return put_text(raw, target, rows),
    }
    true
}

/// The bytes that an array of numbers stands for; `None` for any other value.
pub(super) fn bytes(raw: Raw<'_>) -> Option<Vec<u8>> {
    if raw.tag != ValueTag::Array {
        return None;
    }
    let inside = raw.text.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
    let numbers = inside.split(|byte| *byte == b',').take(BYTES_MAX);
    numbers.map(|number| u8::try_from(decimal(number.trim_ascii())?).ok()).collect()
}

/// An address and the port behind it.
fn split_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(inside) = text.strip_prefix(b"[")
        && let Some(end) = memchr(b']', inside)
    {
        let port = inside[end + 1..].strip_prefix(b":");
        return (&inside[..end], port);
    }
    match memrchr(b':', text).filter(|at| memchr(b':', text) == Some(*at)) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Field of the port that goes with an address.
fn port_of(target: FieldId) -> Option<FieldId> {
    match target {
        field::SOURCE_IP => Some(field::SOURCE_PORT),
        field::DESTINATION_IP => Some(field::DESTINATION_PORT),
        _ => None,
    }
}

fn put_address(text: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    let text = text.trim_ascii();
    let first = match memchr(b',', text) {
        Some(_) if target == field::SOURCE_IP => client_of_unknown(text),
        Some(at) => text[..at].trim_ascii_end(),
        None => text,
    };
    let first = first.strip_prefix(b"ipv4:").unwrap_or(first);
    // Java writes addresses behind a slash, perhaps with a name in front of it.
    let first =
        memrchr(b'/', first).filter(|at| is_ip(split_port(&first[at + 1..]).0)).map_or(first, |at| &first[at + 1..]);
    let (address, port) = match first.strip_prefix(b"ipv6:") {
        // Samba writes the port behind the last colon.
        Some(rest) => memrchr(b':', rest).map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..]))),
        None if is_ip(first) => (first, None),
        None => split_port(without_interface(first)),
    };
    let bare = memchr(b'%', address).map_or(address, |at| &address[..at]);
    if !is_ip(bare) {
        return false;
    }
    put_ip(rows, target, address);
    if let (Some(port), Some(id)) = (port, port_of(target))
        && !rows.has(id)
    {
        put_number(port, id, rows);
    }
    true
}

/// SonicWall writes the interface behind the port: `203.0.113.7:40112:X1`.
fn without_interface(text: &[u8]) -> &[u8] {
    let mut colons = memchr::memchr_iter(b':', text);
    match (colons.next(), colons.next()) {
        (Some(first), Some(second)) if is_ip(&text[..first]) => &text[..second],
        _ => text,
    }
}

/// A name where an address may stand, too.
fn put_name(text: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    if text.len() > 253 || !text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(byte)) {
        return false;
    }
    let (name, _) = split_port(text);
    match target {
        field::SOURCE_IP => put_peer(rows, name),
        field::DESTINATION_IP => rows.text(field::DESTINATION_DOMAIN, name),
        _ => return false,
    }
    true
}

fn put_number(text: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    match (number(text), BatchBuilder::kind_of(target)) {
        (None, _) => false,
        (Some(number), FieldType::Long) => put_whole(number, target, rows),
        (Some(_), _) => {
            rows.text(target, text);
            true
        }
    }
}

/// Puts a number to a field of numbers; false where it is none of such a field.
#[inline]
pub(super) fn put_whole(number: i64, target: FieldId, rows: &mut BatchBuilder) -> bool {
    let is_port = matches!(target, field::SOURCE_PORT | field::DESTINATION_PORT | field::URL_PORT);
    if is_port && !(0..=65_535).contains(&number)
        || target == field::HTTP_RESPONSE_STATUS_CODE && !(100..=999).contains(&number)
    {
        return false;
    }
    rows.long(target, number);
    true
}

/// A whole number, perhaps with a fraction of zero or in hexadecimal.
fn number(text: &[u8]) -> Option<i64> {
    if let Some(hex) = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X")) {
        return i64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok();
    }
    let (digits, is_negative) = text.strip_prefix(b"-").map_or((text, false), |digits| (digits, true));
    let whole = memchr(b'.', digits).filter(|at| digits[at + 1..].iter().all(|byte| *byte == b'0'));
    let value = decimal(whole.map_or(digits, |at| &digits[..at])).or_else(|| whole_of_power(digits))?;
    Some(if is_negative { -value } else { value })
}

/// A whole number with a power of ten (`2e2`), as JSON may write it.
#[cold]
fn whole_of_power(text: &[u8]) -> Option<i64> {
    /// Above it not every whole number is a number of this kind.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let text =
        Some(text).filter(|text| text.first().is_some_and(u8::is_ascii_digit) && text.iter().all(is_of_number))?;
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.fract() == 0.0 && value.abs() <= EXACT_MAX).then_some(value as i64)
}

fn put_time(raw: Raw<'_>, target: FieldId, times: &mut Times, rows: &mut BatchBuilder) -> bool {
    let Some(time) = time(raw.text, times) else { return false };
    match BatchBuilder::kind_of(target) {
        FieldType::Date => rows.date(target, time),
        _ => rows.owned(target, &time.to_string()),
    }
    true
}

/// RFC 3339 and its relatives, seconds to nanoseconds since the epoch, access logs' and syslog's stamps, and mail's.
pub(crate) fn time(text: &[u8], times: &mut Times) -> Option<Timestamp> {
    let text = text.trim_ascii();
    if text.first().is_some_and(u8::is_ascii_digit) {
        if text.get(4) == Some(&b'-') {
            return times.iso(text).filter(|(_, rest)| matches!(*rest, b"" | b" UTC" | b" Z")).map(|(time, _)| time);
        }
        if text.len() >= 9 && text.iter().all(u8::is_ascii_digit) {
            return parse_epoch(text);
        }
        // Audit records have their number behind the time.
        let number = memchr(b':', text).filter(|at| *at > 10).map_or(text, |at| &text[..at]);
        if number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
            return epoch(number);
        }
        if let Some(time) = times.clf(text) {
            return Some(time);
        }
    }
    if text.is_empty() { None } else { times.spelled(text, stamp::read) }
}

/// A number since the epoch that is no small one.
fn epoch(text: &[u8]) -> Option<Timestamp> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits < 9 { None } else { parse_epoch(text) }
}

fn put_url(text: &[u8], rows: &mut BatchBuilder) -> bool {
    if find!(text, b"://").is_some_and(|at| at < 12) {
        rows.text(field::URL_FULL, text);
    }
    request::put_target(text, rows);
    true
}

fn put_host(text: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    if target == field::URL_DOMAIN {
        request::put_host(text, rows);
        return true;
    }
    let (name, _) = if is_ip(text) { (text, None) } else { split_port(text) };
    rows.text(target, name);
    true
}

/// What stands behind the last slash or backslash.
fn base(text: &[u8]) -> &[u8] {
    memchr::memrchr2(b'/', b'\\', text).filter(|at| at + 1 < text.len()).map_or(text, |at| &text[at + 1..])
}

fn put_account(text: &[u8], target: FieldId, rows: &mut BatchBuilder) -> bool {
    let (domain, name) = memrchr(b'\\', text).map_or((None, text), |at| (Some(&text[..at]), &text[at + 1..]));
    if is_nothing(name) {
        return false;
    }
    rows.text(target, name);
    if let Some(domain) = domain.filter(|domain| target == field::USER_NAME && !is_nothing(domain)) {
        rows.text(field::USER_DOMAIN, domain);
    }
    true
}

/// Units behind a number, in nanoseconds.
const UNITS: &[(&[u8], f64)] =
    &[(b"ns", 1.0), (b"us", 1e3), ("µs".as_bytes(), 1e3), (b"ms", 1e6), (b"s", 1e9), (b"m", 6e10), (b"h", 3.6e12)];

fn put_duration(text: &[u8], unit: f64, target: FieldId, rows: &mut BatchBuilder) -> bool {
    let Some(nanoseconds) = duration(text, unit) else { return false };
    rows.long(target, nanoseconds as i64);
    true
}

/// `0.25`, `1.5ms` or `1m3.2s`, in nanoseconds.
fn duration(text: &[u8], unit: f64) -> Option<f64> {
    let (mut rest, mut sum) = (text.trim_ascii(), 0.0);
    if rest.is_empty() || rest.len() > 40 {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'-')).count();
        let number = std::str::from_utf8(&rest[..digits]).ok()?.parse::<f64>().ok().filter(|number| *number >= 0.0)?;
        rest = &rest[digits..];
        let letters = rest.iter().take_while(|byte| !byte.is_ascii_digit() && **byte != b'.').count();
        let factor = match &rest[..letters] {
            b"" => unit,
            word => UNITS.iter().find(|(known, _)| known == &word).map(|(_, factor)| *factor)?,
        };
        rest = &rest[letters..];
        sum += number * factor;
    }
    (sum < 9e18).then_some(sum)
}
