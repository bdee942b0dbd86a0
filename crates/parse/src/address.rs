//! Telling addresses from names, and putting either to the right field.

use event::{BatchBuilder, FieldId, catalog::field};

/// Mark of events of which the client was guessed.
pub(crate) const GUESSED: &str = event::GUESSED_SOURCE;
/// Mark of events that name several clients, of which none counts.
pub(crate) const AMBIGUOUS: &str = "ambiguous_source";

/// Whether the text is an IPv4 address in dotted decimals or an IPv6 address.
#[inline]
pub(crate) fn is_ip(text: &[u8]) -> bool {
    match text.first() {
        Some(b'0'..=b'9') if text.len() <= 15 && is_ipv4(text) => true,
        Some(b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':') => is_ipv6(text),
        _ => false,
    }
}

#[inline]
fn is_ipv4(text: &[u8]) -> bool {
    let (mut dots, mut digits, mut value) = (0, 0, 0_u32);
    for byte in text {
        match byte {
            // No zeros in front: to some it is an octal number then.
            b'0'..=b'9' if digits < 3 && (digits == 0 || value > 0) => {
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && value <= 255 && dots < 3 => {
                dots += 1;
                digits = 0;
                value = 0;
            }
            _ => return false,
        }
    }
    dots == 3 && digits > 0 && value <= 255
}

fn is_ipv6(text: &[u8]) -> bool {
    memchr::memchr(b':', text).is_some()
        && std::str::from_utf8(text).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Puts a peer: an address to `source.ip`, a name to `source.address` and `source.domain`; `-`, nothing and what sshd
/// writes where it does not know the peer go nowhere. The batch completes `source.address` with the addresses.
/// Brackets and an IPv6 zone are taken off; an IPv4 address mapped into IPv6 counts as IPv4.
#[inline]
pub(crate) fn put_peer(rows: &mut BatchBuilder, text: &[u8]) {
    if is_ip(text) {
        put_address(rows, text);
    } else {
        put_unusual(rows, text, field::SOURCE_IP, true);
    }
}

/// As [`put_peer`], for what is known to be an address.
#[inline]
pub(crate) fn put_address(rows: &mut BatchBuilder, address: &[u8]) {
    match address.first() {
        Some(b':') | None => put_unusual(rows, address, field::SOURCE_IP, true),
        Some(_) => rows.text(field::SOURCE_IP, address),
    }
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, `fe80::1%eth0`.
pub(crate) fn endpoint(text: &[u8]) -> Option<(&[u8], Option<i64>)> {
    if let Some(inside) = text.strip_prefix(b"[") {
        let close = memchr::memchr(b']', inside).filter(|at| is_ip(without_zone(&inside[..*at])))?;
        let port = match &inside[close + 1..] {
            b"" => None,
            rest => Some(decimal(rest.strip_prefix(b":")?)?),
        };
        return Some((&inside[..close], port));
    }
    let Some(colon) = memchr::memchr(b':', text) else { return is_ip(text).then_some((text, None)) };
    // One colon stands in front of a port, several in an IPv6 address.
    let is_one = memchr::memchr(b':', &text[colon + 1..]).is_none();
    if !is_one && is_ip(without_zone(text)) {
        return Some((text, None));
    }
    endpoint_with_port(text).map(|(address, port)| (address, Some(port)))
}

/// An address and a port with a colon between them, where there always is a port: `2001:db8::1:80`.
pub(crate) fn endpoint_with_port(text: &[u8]) -> Option<(&[u8], i64)> {
    let colon = memchr::memrchr(b':', text)?;
    let port = decimal(&text[colon + 1..]).filter(|port| *port <= 65_535)?;
    let address = &text[..colon];
    let bare = address.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(address);
    is_ip(without_zone(bare)).then_some((address, port))
}

fn without_zone(text: &[u8]) -> &[u8] {
    memchr::memchr(b'%', text).map_or(text, |at| &text[..at])
}

/// Puts a peer that may have a port: the port goes to `source.port`.
pub(crate) fn put_endpoint(rows: &mut BatchBuilder, text: &[u8]) {
    match endpoint(text) {
        Some((address, port)) => {
            put_peer(rows, address);
            if let Some(port) = port {
                rows.long(field::SOURCE_PORT, port);
            }
        }
        None => put_peer(rows, text),
    }
}

/// Puts an address to `field`; a name is left out.
pub(crate) fn put_ip(rows: &mut BatchBuilder, id: FieldId, text: &[u8]) {
    put_unusual(rows, text, id, false);
}

/// An IPv4 address of which each number has three digits, as some devices write it, without the zeros in front.
fn without_zeros(text: &[u8]) -> Option<String> {
    let is_padded = text.len() == 15 && text.split(|byte| *byte == b'.').all(|part| part.len() == 3);
    let part = |part: &[u8]| decimal(part).filter(|number| *number <= 255).map(|number| number.to_string());
    let parts: Option<Vec<String>> =
        if is_padded { text.split(|byte| *byte == b'.').map(part).collect() } else { None };
    parts.filter(|parts| parts.len() == 4).map(|parts| parts.join("."))
}

fn put_unusual(rows: &mut BatchBuilder, text: &[u8], id: FieldId, keep_name: bool) {
    let bare = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(text);
    let bare = memchr::memchr(b'%', bare).filter(|at| is_ip(&bare[..*at])).map_or(bare, |at| &bare[..at]);
    let mapped = bare.get(..7).filter(|head| head.eq_ignore_ascii_case(b"::ffff:")).map(|_| &bare[7..]);
    if let Some(ipv4) = mapped.filter(|rest| is_ipv4(rest)) {
        rows.text(id, ipv4);
    } else if is_ip(bare) {
        rows.text(id, bare);
    } else if let Some(address) = without_zeros(bare) {
        rows.owned(id, &address);
    } else if keep_name && !matches!(text, b"" | b"-" | b"?" | b"UNKNOWN") {
        rows.text(field::SOURCE_ADDRESS, text);
        if is_host_name(text) {
            rows.text(field::SOURCE_DOMAIN, text);
        }
    }
}

/// RFC 1123 §2.1 and RFC 1035 §2.3.4, with the underscore that names in use have.
pub(crate) fn is_host_name(text: &[u8]) -> bool {
    text.len() <= 253 && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Unsigned decimal number that is the whole text.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_names() {
        for yes in ["1.2.3.4", "255.255.255.255", "::1", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1", "0:0:0:0:0:0:0:1"]
        {
            assert!(is_ip(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "-",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "host",
            "1.2.3.4:80",
            "abcd",
            "::g",
            "1..2.3",
            "0001.2.3.4",
            "01.2.3.4",
        ] {
            assert!(!is_ip(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn zeros_in_front_are_left_out_where_each_number_has_them() {
        assert_eq!(without_zeros(b"203.000.113.007").as_deref(), Some("203.0.113.7"));
        assert_eq!((without_zeros(b"203.0.113.007"), without_zeros(b"203.000.113.999")), (None, None));
    }

    #[test]
    fn numbers_are_whole_texts() {
        assert_eq!(decimal(b"0042"), Some(42));
        assert_eq!(decimal(b"4294967296000"), Some(4_294_967_296_000));
        assert_eq!(
            (decimal(b""), decimal(b"-1"), decimal(b"1 "), decimal(b"9999999999999999999")),
            (None, None, None, None)
        );
    }
}
