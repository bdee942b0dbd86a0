//! Messages of the Apache web server: which request was refused, whose login failed. Knows no header.
//!
//! The wordings are those of the log statements of its modules (server, mod_auth_basic, mod_auth_digest, mod_authz_core, mod_ssl)
//! and of ModSecurity and Coraza. Clients write user names and paths: a wording that stands twice names nobody.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use crate::needle::{self, find};
use crate::request::{Quoted, put_request, put_target};

/// What happened, as far as the wording says it.
#[derive(Clone, Copy)]
struct ApacheKind {
    head: &'static [u8],
    action: &'static str,
    reason: &'static str,
    is_failure: bool,
    rest: Rest,
}

/// What follows the wording.
#[derive(Clone, Copy)]
enum Rest {
    Nothing,
    /// A file.
    File,
    /// A request line.
    Request,
    /// A target in brackets.
    Target,
    /// Marks of ModSecurity.
    Marks,
}

const fn kind(
    head: &'static [u8],
    action: &'static str,
    reason: &'static str,
    is_failure: bool,
    rest: Rest,
) -> ApacheKind {
    ApacheKind { head, action, reason, is_failure, rest }
}

const KINDS: &[ApacheKind] = &[
    kind(
        b"client denied by server configuration: ",
        "access_denied",
        "denied by the server's configuration",
        false,
        Rest::File,
    ),
    kind(b"File does not exist: ", "file_missing", "the file does not exist", false, Rest::File),
    kind(b"script not found or unable to stat: ", "file_missing", "the script does not exist", false, Rest::File),
    kind(b"Cannot serve directory ", "access_denied", "the directory has no index", true, Rest::Nothing),
    kind(b"Directory index forbidden ", "access_denied", "the directory has no index", true, Rest::Nothing),
    kind(b"attempt to invoke directory as script", "access_denied", "a directory is no script", true, Rest::Nothing),
    kind(b"Invalid URI in request ", "request_rejected", "the request's target is not valid", true, Rest::Request),
    kind(b"Invalid method in request ", "request_rejected", "the request's method is not valid", true, Rest::Request),
    kind(b"invalid URI path ", "request_rejected", "the request's target is not valid", true, Rest::Target),
    kind(b"Cannot map ", "request_rejected", "the request's target names no file", true, Rest::Request),
    kind(b"request failed: ", "request_rejected", "the request cannot be read", true, Rest::Nothing),
    kind(b"client sent ", "request_rejected", "the request is not valid", true, Rest::Nothing),
    kind(b"SSL handshake failed", "tls_handshake", "the TLS handshake failed", true, Rest::Nothing),
    kind(b"client used wrong authentication scheme", "login", "wrong authentication scheme", true, Rest::Nothing),
    kind(b"invalid nonce ", "login", "the nonce is not valid", true, Rest::Nothing),
    kind(b"realm mismatch - got ", "login", "the realm is not valid", true, Rest::Nothing),
    kind(b"unknown algorithm `", "login", "the algorithm is not known", true, Rest::Nothing),
    kind(b"invalid qop `", "login", "the quality of protection is not known", true, Rest::Nothing),
    kind(b"ModSecurity: Access denied", "access_denied", "ModSecurity", true, Rest::Marks),
    kind(b"ModSecurity: ", "rule_matched", "ModSecurity", false, Rest::Marks),
    kind(b"Coraza: Access denied", "access_denied", "Coraza", true, Rest::Marks),
    kind(b"Coraza: ", "rule_matched", "Coraza", false, Rest::Marks),
];

/// Reads a message that follows the client.
pub(crate) fn put(message: &[u8], rows: &mut BatchBuilder) {
    if let Some(at) = find!(message, b", referer: ") {
        rows.text(field::HTTP_REQUEST_REFERRER, &message[at + 11..]);
    }
    let text = without_number(message);
    let text = find!(text, b", referer: ").map_or(text, |at| &text[..at]);
    if put_login(text, rows) {
        return;
    }
    rows.literal(field::EVENT_CATEGORY, "web");
    if let Some(path) =
        text.strip_prefix(b"script '").and_then(|rest| rest.strip_suffix(b"' not found or unable to stat"))
    {
        rows.text(field::FILE_PATH, path);
        put_words("file_missing", "the script does not exist", false, rows);
        return;
    }
    let Some(kind) = KINDS.iter().find(|kind| text.starts_with(kind.head)) else { return };
    put_words(kind.action, kind.reason, kind.is_failure, rows);
    let rest = &text[kind.head.len()..];
    match kind.rest {
        Rest::Nothing => {}
        Rest::File => match rest.strip_prefix(b"uri ").filter(|uri| uri.starts_with(b"/")) {
            Some(uri) => put_target(uri, rows),
            None => rows.text(field::FILE_PATH, rest),
        },
        Rest::Request => {
            let rest = rest.strip_suffix(b" to file").unwrap_or(rest);
            put_request(Quoted { text: rest, escaped: memchr(b'\\', rest).is_some() }, rows);
        }
        Rest::Target => {
            if let Some(target) = rest.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")) {
                put_target(target, rows);
            }
        }
        Rest::Marks => put_marks(rest, rows),
    }
}

/// Takes off `AH01234: `.
fn without_number(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"AH").and_then(|rest| rest.split_at_checked(5)) {
        Some((digits, rest)) if digits.iter().all(u8::is_ascii_digit) => rest.strip_prefix(b": ").unwrap_or(text),
        _ => text,
    }
}

fn put_words(action: &'static str, reason: &'static str, is_failure: bool, rows: &mut BatchBuilder) {
    rows.literal(field::EVENT_ACTION, action);
    rows.literal(field::EVENT_REASON, reason);
    if is_failure {
        rows.literal(field::EVENT_OUTCOME, "failure");
    }
}

/// The wordings of failed logins, with the user in front of them: `user NAME: authentication failure for "URI": …`
const LOGINS: &[(&[u8], &[u8], &str, &str)] = &[
    (b"user ", b": authentication failure for \"", "login", "password mismatch"),
    (b"user ", b" not found: ", "login", "unknown user"),
    (b"user ", b": authorization failure for \"", "access_denied", "the user has no right to it"),
    (b"user ", b": password mismatch: ", "login", "password mismatch"),
    (b"user ", b" denied by provider", "login", "denied by provider"),
    (b"Authorization of user ", b" to access ", "access_denied", "the user has no right to it"),
    (b"user `", b"' in realm `", "login", "unknown user"),
    (b"user `", b"': password mismatch: ", "login", "password mismatch"),
];

fn put_login(text: &[u8], rows: &mut BatchBuilder) -> bool {
    if !text.starts_with(b"user ") && !text.starts_with(b"Authorization of user ") {
        return false;
    }
    let found = LOGINS.iter().filter_map(|(head, tail, action, reason)| {
        let rest = text.strip_prefix(*head)?;
        let at = needle::find_word(rest, tail)?;
        let is_once = needle::find_word(&rest[at + 1..], tail).is_none();
        Some((at, is_once, &rest[..at], &rest[at + tail.len()..], *action, *reason))
    });
    // The wording that stands first ends the name, unless a name is made to look like one.
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(at, ..)| *at);
    let Some((_, is_once, name, rest, action, reason)) = found.first().copied() else { return false };
    let is_sure = is_once && (found.len() == 1 || text.starts_with(b"user `"));
    if is_sure && !name.is_empty() {
        rows.text(field::USER_NAME, name);
    }
    rows.literal(field::EVENT_CATEGORY, "authentication");
    put_words(action, reason, true, rows);
    let rest = find!(rest, b" failed, reason: ").map_or(rest, |end| &rest[..end]);
    let target = memchr(b'"', rest).map_or(rest, |end| &rest[..end]);
    if target.starts_with(b"/") {
        put_target(target, rows);
    }
    true
}

/// `[id "960015"] [msg "…"] … [uri "/x"] [unique_id "…"]`: quotes in values are escaped; the marks of the request stand last.
fn put_marks(text: &[u8], rows: &mut BatchBuilder) {
    let value = |at: usize| {
        let rest = &text[at..];
        memchr(b'"', rest).map(|end| &rest[..end])
    };
    let first = |key: &[u8]| needle::find_word(text, key).and_then(|at| value(at + key.len()));
    let last = |key: &[u8]| needle::rfind_word(text, key).and_then(|at| value(at + key.len()));
    if let Some(id) = first(b"[id \"") {
        rows.text(field::RULE_ID, id);
    }
    if let Some(reason) = first(b"[msg \"") {
        rows.text(field::EVENT_REASON, reason);
    }
    if let Some(host) = last(b"[hostname \"").filter(|host| !host.is_empty()) {
        crate::request::put_host(host, rows);
    }
    if let Some(target) = last(b"[uri \"") {
        put_target(target, rows);
    }
}
