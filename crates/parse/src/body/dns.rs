//! Name servers: who asked, and for what.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use crate::address::{decimal, is_ip, put_ip, put_peer};

/// What was asked for, as far as the line tells.
struct Question<'a> {
    name: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    class: Option<&'a [u8]>,
}

/// `client [@0x…] ADDRESS#PORT (NAME): …`, and behind it one of
/// `[view VIEW: ]query: NAME CLASS TYPE FLAGS (SERVER)`, `query (cache) 'NAME/TYPE/CLASS' denied`,
/// `query failed (CODE) for NAME/CLASS/TYPE at …`, `zone transfer 'NAME/TYPE/CLASS' denied`
pub(super) fn put_named(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"client ").filter(|at| *at < 40) else { return false };
    let mut words = message[at + 7..].split(|byte| *byte == b' ');
    let Some(mut word) = words.next() else { return false };
    if word.starts_with(b"@") {
        word = words.next().unwrap_or(b"");
    }
    let Some(mark) = memchr(b'#', word).filter(|mark| is_ip(&word[..*mark])) else { return false };
    put_peer(rows, &word[..mark]);
    let port = &word[mark + 1..];
    if let Some(port) = decimal(port.strip_suffix(b":").unwrap_or(port)) {
        rows.long(field::SOURCE_PORT, port);
    }
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "dns_query");
    // The server writes blanks of names as numbers: what looks like a word of its own is one.
    if let Some(at) = memmem::find(message, b": query: ") {
        let mut words = message[at + 9..].split(|byte| *byte == b' ');
        let (name, class, kind) = (words.next(), words.next(), words.next());
        Question { name, kind, class }.put(rows);
        let server = words.nth(1).and_then(|word| word.strip_prefix(b"(")?.strip_suffix(b")"));
        put_ip(rows, field::DESTINATION_IP, server.unwrap_or_default());
    } else if let Some(at) = memmem::find(message, b": query failed (") {
        let rest = &message[at + 16..];
        let code = &rest[..memchr(b')', rest).unwrap_or(0)];
        if let Some(question) = rest[code.len()..].strip_prefix(b") for ") {
            let question = question.split(|byte| *byte == b' ').next().unwrap_or_default();
            let [name, class, kind] = three_parts(question);
            Question { name, kind, class }.put(rows);
            rows.text(field::DNS_RESPONSE_CODE, code);
        }
    } else if let Some(quoted) = super::cut::between(message, b" '", b"'") {
        let [name, kind, class] = three_parts(quoted);
        Question { name, kind, class }.put(rows);
    }
    true
}

/// `NAME/X/Y`: a name may hold slashes, what is behind it does not.
fn three_parts(text: &[u8]) -> [Option<&[u8]>; 3] {
    let mut parts = text.rsplitn(3, |byte| *byte == b'/');
    let (last, middle, name) = (parts.next(), parts.next(), parts.next());
    [name, middle, last]
}

/// `info: [query: |reply: ]ADDRESS NAME. TYPE CLASS[ CODE …]`, with the thread in brackets before it perhaps
pub(super) fn put_unbound(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"info: ").filter(|at| *at < 16) else { return false };
    let rest = &message[at + 6..];
    let rest = rest.strip_prefix(b"query: ").or(rest.strip_prefix(b"reply: ")).unwrap_or(rest);
    let mut words = rest.split(|byte| *byte == b' ');
    let Some(peer) = words.next().filter(|word| is_ip(word)) else { return false };
    let (name, kind, class) = (words.next(), words.next(), words.next());
    Question { name, kind, class }.put(rows);
    if let Some(code) = words.next().filter(|code| code.first().is_some_and(u8::is_ascii_uppercase)) {
        rows.text(field::DNS_RESPONSE_CODE, code);
    }
    put_query(rows, peer)
}

/// `[SERIAL ADDRESS/PORT ]query[TYPE] NAME from ADDRESS`
pub(super) fn put_dnsmasq(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let is_long = message.first().is_some_and(u8::is_ascii_digit);
    let start = if is_long { memmem::find(message, b" query[").map_or(0, |at| at + 1) } else { 0 };
    let Some(rest) = message[start..].strip_prefix(b"query[") else { return false };
    let (Some(end), Some(from)) = (memmem::find(rest, b"] "), memmem::rfind(rest, b" from ")) else { return false };
    let peer = &rest[from + 6..];
    if !is_ip(peer) {
        return false;
    }
    Question { name: rest.get(end + 2..from), kind: Some(&rest[..end]), class: None }.put(rows);
    put_query(rows, peer)
}

impl Question<'_> {
    /// Names are kept without the dot of the root, as rules and lists write them.
    fn put(&self, rows: &mut BatchBuilder) {
        if let Some(name) = self.name.filter(|name| !name.is_empty()) {
            let short = name.strip_suffix(b".").filter(|name| !name.is_empty());
            rows.text(field::DNS_QUESTION_NAME, short.unwrap_or(name));
        }
        for (id, word) in [(field::DNS_QUESTION_TYPE, self.kind), (field::DNS_QUESTION_CLASS, self.class)] {
            if let Some(word) = word.filter(|word| !word.is_empty()) {
                rows.text(id, word);
            }
        }
    }
}

fn put_query(rows: &mut BatchBuilder, peer: &[u8]) -> bool {
    put_peer(rows, peer);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "dns_query");
    true
}
