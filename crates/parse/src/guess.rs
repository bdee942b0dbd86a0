//! What a message of a program that nobody described says of its client: an address that it names as such, whether a login
//! failed, and the account. A guess, and marked as one: what of an unknown program's text a client wrote cannot be known.
//!
//! An address counts only where it is the only one in the message, stands outside of quotes, the words before it name a
//! client, and they are a sentence of the program: nobody's words that it repeats. Messages of known programs are never guessed at.

use event::BatchBuilder;
use event::catalog::field;

use crate::address::{AMBIGUOUS, GUESSED, decimal, is_ip, put_peer};
use crate::level::is_level;
use crate::needle;

/// Bytes of a message that are looked at.
const LOOKED_AT_BYTES_MAX: usize = 2048;
/// Addresses of one message that are looked at.
const ADDRESSES_MAX: usize = 16;

/// Words before an address that make it a client's, without what stands between.
const CLIENT_WORDS: &[&str] = &[
    "from",
    "ip",
    "ipaddress",
    "ipaddr",
    "addr",
    "address",
    "client",
    "clientip",
    "clientaddress",
    "remote",
    "remoteip",
    "remoteaddr",
    "remoteaddress",
    "remotehost",
    "rhost",
    "raddr",
    "peer",
    "peerip",
    "peeraddress",
    "source",
    "sourceip",
    "sourceaddress",
    "src",
    "srcip",
    "by",
    "oip",
    "rip",
    "origin",
    "attacker",
    "ipv4",
    "ipv6",
];

/// Words of messages about logins.
const LOGIN_WORDS: &[&str] = &[
    "login",
    "log in",
    "log-in",
    "logon",
    "logged in",
    "sign in",
    "sign-in",
    "signin",
    "signed in",
    "auth",
    "password",
    "passwd",
    "credential",
    "passcode",
    "2fa",
    "otp",
    "username",
    "invalid user",
    "unknown user",
];
/// Words of messages about what was refused.
const FAILURE_WORDS: &[&str] = &[
    "fail",
    "invalid",
    "incorrect",
    "wrong",
    "bad ",
    "denied",
    "unauthorized",
    "unauthorised",
    "reject",
    "refused",
    "not allowed",
    "unknown user",
    "no such user",
    "does not exist",
    "not exist",
    "not found",
    "mismatch",
    "unsuccessful",
    "illegal",
    "not authorized",
    "not valid",
];
const SUCCESS_WORDS: &[&str] =
    &["success", "accepted", "logged in", "signed in", "authenticated", "login ok", "session opened", "granted"];
/// Words that take the meaning away from those above.
const NO_EVENT_WORDS: &[&str] =
    &["no failed", "0 failed", "attempting", "failover", "try again later", "debug", "authorization header"];

/// Keys in front of an account's name.
const USER_KEYS: &[&str] = &["username", "user name", "user", "account", "login name"];

/// Puts what can be told of the client; false where nothing can.
pub(crate) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let text = &message[..message.len().min(LOOKED_AT_BYTES_MAX)];
    if rows.has(field::SOURCE_IP) || rows.has(field::SOURCE_ADDRESS) {
        return false;
    }
    let address = match only_address(text) {
        Some(address) if is_clients(text, address) => address,
        Some(_) => return false,
        None => {
            if names_several(text) {
                rows.mark(AMBIGUOUS);
            }
            return false;
        }
    };
    put_peer(rows, address.bytes(text));
    if let Some(port) = address.port {
        rows.long(field::SOURCE_PORT, port);
    }
    rows.mark(GUESSED);
    let lower = text.to_ascii_lowercase();
    put_login(rows, &lower);
    put_account(rows, text, &lower, address);
    true
}

/// An address in a text, and the port behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mentioned {
    start: usize,
    end: usize,
    port: Option<i64>,
}

impl Mentioned {
    fn bytes(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.end]
    }
}

/// The address that is named in the text, once or several times; `None` where others are named, too.
fn only_address(text: &[u8]) -> Option<Mentioned> {
    let mut found = addresses(text).take(ADDRESSES_MAX + 1);
    let first = found.next()?;
    let mut count = 1;
    let is_only = found.all(|other| {
        count += 1;
        count <= ADDRESSES_MAX && plain(other.bytes(text)) == plain(first.bytes(text))
    });
    is_only.then_some(first)
}

/// Whether several addresses are named as a client's.
fn names_several(text: &[u8]) -> bool {
    let mut found = addresses(text).take(ADDRESSES_MAX).filter(|address| is_clients(text, *address));
    let Some(first) = found.next() else { return false };
    found.any(|other| plain(other.bytes(text)) != plain(first.bytes(text)))
}

/// Without what marks an IPv4 address as one of IPv6.
fn plain(address: &[u8]) -> &[u8] {
    match address.get(..7) {
        Some(head) if head.eq_ignore_ascii_case(b"::ffff:") => &address[7..],
        _ => address,
    }
}

/// Bytes that addresses consist of.
const OF_ADDRESS: [bool; 256] = needle::bytes_of(b"0123456789abcdefABCDEF.:", false);
/// Bytes of a word that goes on.
const OF_WORD: [bool; 256] = needle::bytes_of(b"_", true);

/// Every address in the text.
fn addresses(text: &[u8]) -> impl Iterator<Item = Mentioned> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let is_part = |byte: &u8| OF_ADDRESS[usize::from(*byte)];
            let start = at + text[at..].iter().position(is_part)?;
            let end = start + text[start..].iter().position(|byte| !is_part(byte)).unwrap_or(text.len() - start);
            at = end;
            // A word that goes on is none.
            let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| OF_WORD[usize::from(*byte)]);
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            if is_word(before) || is_word(text.get(end)) {
                continue;
            }
            if let Some(found) = address_in(text, start, end) {
                return Some(found);
            }
        }
        None
    })
}

/// The address that a run of hexadecimal digits, dots and colons is, with the port or the punctuation behind it.
fn address_in(text: &[u8], start: usize, end: usize) -> Option<Mentioned> {
    // `IP:192.0.2.1` leaves a colon in front.
    let mut start = start;
    if text[start] == b':' && text.get(start + 1) != Some(&b':') {
        start += 1;
    }
    let mut last = end;
    while last > start && matches!(text[last - 1], b'.' | b':') && !text[..last].ends_with(b"::") {
        last -= 1;
    }
    if is_ip(&text[start..last]) {
        return Some(Mentioned { start, end: last, port: None });
    }
    let colon = memchr::memrchr(b':', &text[start..last])? + start;
    let port = decimal(&text[colon + 1..last]).filter(|port| (1..=65_535).contains(port))?;
    let is_address = is_ip(&text[start..colon]) && !text[start..colon].contains(&b':');
    is_address.then_some(Mentioned { start, end: colon, port: Some(port) })
}

/// Whether the words before the address name a client, and it is no part of a quoted text.
fn is_clients(text: &[u8], address: Mentioned) -> bool {
    let head = &text[..address.start];
    if is_quoted(head, &text[address.end..]) || !is_own_sentence(head) {
        return false;
    }
    let word = words_before(head);
    // A message may begin with the client.
    word.is_empty() && head.iter().all(|byte| matches!(byte, b'[' | b'(' | b'<' | b' '))
        || CLIENT_WORDS.iter().any(|known| word == known.as_bytes())
}

/// Whether the text in front of an address is the program's own, as far as it shows: not what stands behind `somebody wrote: `,
/// and not words behind the value of a key, which may be its last words.
fn is_own_sentence(head: &[u8]) -> bool {
    // The line of another program.
    if matches!(head, [b'<', b'0'..=b'9', ..]) {
        return false;
    }
    let mut rest = head;
    while let Some(colon) = COLON.find(rest) {
        if !is_own_heading(rest[..colon].trim_ascii()) {
            return false;
        }
        rest = &rest[colon + COLON.len()..];
    }
    let before = head.iter().rposition(|byte| !matches!(byte, b'"' | b'\'' | b'[' | b'(' | b'<')).map(|at| head[at]);
    before == Some(b'=') || !has_open_value(head)
}

/// What ends a heading, and begins what is said.
const COLON: needle::Needle<'static> = needle::Needle::new(b": ");

/// Whether words in front of a colon are a program's: a name as of a module or a level, or words about logins and clients.
fn is_own_heading(words: &[u8]) -> bool {
    let lower = words.to_ascii_lowercase();
    let last = words_before(&lower);
    let is_name = !words.contains(&b' ') && !words.iter().all(u8::is_ascii_lowercase);
    is_name
        || is_level(&lower)
        || has_any(&lower, LOGIN_WORDS)
        || has_any(&lower, FAILURE_WORDS)
        || has_any(&lower, SUCCESS_WORDS)
        || CLIENT_WORDS.iter().chain(USER_KEYS).any(|known| last == known.as_bytes())
}

/// Whether words follow the unquoted value of a key, a number aside.
fn has_open_value(head: &[u8]) -> bool {
    memchr::memchr_iter(b'=', head).any(|at| {
        let is_key = at > 0 && (head[at - 1].is_ascii_alphanumeric() || matches!(head[at - 1], b'_' | b'-'));
        let value = &head[at + 1..];
        let end = value.iter().position(|byte| matches!(byte, b' ' | b',' | b';' | b')' | b']')).unwrap_or(value.len());
        is_key
            && value.get(end) == Some(&b' ')
            && value.first().is_some_and(|first| !matches!(first, b'"' | b'\'' | b'[' | b'('))
            && decimal(&value[..end]).is_none()
    })
}

/// Inside of quotes that hold more than the address.
fn is_quoted(head: &[u8], tail: &[u8]) -> bool {
    let odd = |quote: u8| memchr::memchr_iter(quote, head).count() % 2 == 1;
    let alone =
        head.last().zip(tail.first()).is_some_and(|(open, close)| open == close && matches!(open, b'"' | b'\''));
    odd(b'"') && !alone
}

/// The last word before an address in small letters: `client_ip=`, `Remote IP: [`, `from ip address`.
fn words_before(head: &[u8]) -> Vec<u8> {
    let is_between =
        |byte: u8| matches!(byte, b' ' | b'=' | b':' | b'"' | b'\'' | b'[' | b'(' | b'<' | b'/' | b'\t' | b'{');
    let end = head.iter().rposition(|byte| !is_between(*byte)).map_or(0, |at| at + 1);
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let start = head[..end].iter().rposition(|byte| !is_word(byte)).map_or(0, |at| at + 1);
    let word = head[start..end].iter().filter(|byte| !matches!(byte, b'_' | b'-'));
    word.map(u8::to_ascii_lowercase).collect()
}

fn has_any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| needle::find_word(text, word.as_bytes()).is_some())
}

fn put_login(rows: &mut BatchBuilder, lower: &[u8]) {
    if rows.has(field::EVENT_OUTCOME) || !has_any(lower, LOGIN_WORDS) || has_any(lower, NO_EVENT_WORDS) {
        return;
    }
    let outcome = match (has_any(lower, FAILURE_WORDS), has_any(lower, SUCCESS_WORDS)) {
        (true, _) => "failure",
        (false, true) => "success",
        (false, false) => return,
    };
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, outcome);
}

/// The name behind `user=`, `username: `, `user "…"`: quoted, or a word.
fn put_account(rows: &mut BatchBuilder, text: &[u8], lower: &[u8], address: Mentioned) {
    if rows.has(field::USER_NAME) {
        return;
    }
    let name = USER_KEYS.iter().find_map(|key| {
        memchr::memmem::find_iter(lower, key.as_bytes()).find_map(|at| {
            let is_word_start = at == 0 || !lower[at - 1].is_ascii_alphanumeric();
            is_word_start.then(|| name_after(text, at + key.len())).flatten()
        })
    });
    if let Some((start, end)) = name.filter(|(start, end)| *end <= address.start || *start >= address.end) {
        rows.text(field::USER_NAME, &text[start..end]);
    }
}

/// Words that follow `user` in a sentence and are no name.
const NO_NAMES: &[&[u8]] = &[
    b"from",
    b"or",
    b"and",
    b"is",
    b"has",
    b"not",
    b"does",
    b"did",
    b"was",
    b"with",
    b"name",
    b"agent",
    b"failed",
    b"unknown",
    b"login",
    b"in",
    b"to",
    b"for",
    b"password",
    b"authentication",
];

fn name_after(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let gap = rest.iter().take_while(|byte| matches!(byte, b' ' | b'=' | b':')).count();
    if gap == 0 || gap > 3 {
        return None;
    }
    let start = at + gap;
    match text.get(start)? {
        quote @ (b'"' | b'\'' | b'`') => {
            let length = memchr::memchr(*quote, &text[start + 1..])?;
            (length > 0).then_some((start + 1, start + 1 + length))
        }
        open @ (b'<' | b'[' | b'(') => {
            let close = match open {
                b'<' => b'>',
                b'[' => b']',
                _ => b')',
            };
            let length = memchr::memchr(close, &text[start + 1..])?;
            (length > 0).then_some((start + 1, start + 1 + length))
        }
        _ => {
            let ends = |byte: &u8| matches!(byte, b' ' | b',' | b';' | b')' | b']' | b'"' | b'\'');
            let length = text[start..].iter().position(ends).unwrap_or(text.len() - start);
            let word = text[start..start + length].strip_suffix(b".").unwrap_or(&text[start..start + length]);
            let is_name = !word.is_empty() && !NO_NAMES.iter().any(|no| word.eq_ignore_ascii_case(no)) && !is_ip(word);
            is_name.then_some((start, start + word.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use event::{Block, FieldId, Timestamp};

    use super::*;

    fn guessed(message: &str) -> [Option<String>; 3] {
        let line = format!("<34>1 2026-03-04T10:00:01Z host unheard-of - - - {message}");
        let block = Block::detached("guess", line.into_bytes(), Timestamp(1_790_000_000_000_000));
        let batch = crate::Parser::new(crate::Options::default()).parse(block);
        let text = |id: FieldId| batch.text(id).and_then(|column| column.str(0)).map(str::to_owned);
        [text(field::SOURCE_IP), text(field::USER_NAME), text(field::EVENT_OUTCOME)]
    }

    #[test]
    fn what_names_a_client_is_one() {
        for (message, source, user, outcome) in [
            ("Failed login attempt for user bob from ip address 203.0.113.7", "203.0.113.7", "bob", "failure"),
            ("Incorrect username or password for user Test. IP=203.0.113.7", "203.0.113.7", "Test", "failure"),
            ("[AUTH] login of user \"ann b\" denied (IP: \"203.0.113.7\")", "203.0.113.7", "ann b", "failure"),
            ("failed to check credentials ip=203.0.113.7:28050 username=admin", "203.0.113.7", "admin", "failure"),
            ("LOGIN-ERROR: 203.0.113.7 - Invalid username or password entered.", "", "", ""),
            ("203.0.113.7 - Invalid username or password entered.", "203.0.113.7", "", "failure"),
            ("user 'ann' logged in from [2001:db8::7]", "2001:db8::7", "ann", "success"),
            ("Login failure: admin (Remote IP: ::ffff:203.0.113.7)", "203.0.113.7", "", "failure"),
            ("started, listening on 192.0.2.1:80", "", "", ""),
        ] {
            let found = guessed(message).map(Option::unwrap_or_default);
            assert_eq!(found, [source, user, outcome].map(str::to_owned), "{message}");
        }
    }

    #[test]
    fn another_address_or_a_quoted_one_makes_no_client() {
        for message in [
            "Failed login for user x from 203.0.113.9 from 203.0.113.7",
            "Failed login for user \"x from 203.0.113.9\"",
            "Failed login for user x from 203.0.113.9: no such user, client 203.0.113.7",
            "Failed login for user 203.0.113.9",
        ] {
            assert_eq!(guessed(message)[0], None, "{message}");
        }
    }
}
