//! The words in front of the time of an access line: host, client, forwarded list, ident and user.
//!
//! `[vhost[:port]] client [(list)] [ident] [user]`, where the client is an address with or without port, a name, or a list.
//! The user may hold blanks and is the client's own text: addresses are looked for in front of the ident only.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use crate::address::{
    AMBIGUOUS, GUESSED, decimal, endpoint, endpoint_with_port, is_ip, put_address, put_endpoint, put_peer,
};
use crate::proxies::TrustedProxies;
use crate::request::{put_escaped, put_host, split_word, word};

/// The words in front of the time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Client<'a> {
    pub(crate) host: Option<&'a [u8]>,
    /// The peer that the server saw, or a name; empty where it wrote a list alone, and where two addresses stand side by side, of which
    /// one is the host that the client asked for, whatever it wrote there.
    pub(crate) peer: &'a [u8],
    /// The whole list of forwarded addresses.
    pub(crate) forwarded: Option<&'a [u8]>,
    pub(crate) user: &'a [u8],
    /// The peer is an address, its port stands apart, and nothing else names a client.
    is_plain: bool,
    port: Option<i64>,
}

/// One word, or what stands in quotes or brackets, in the place of a client.
#[derive(Clone, Copy)]
enum Item<'a> {
    /// An address, with a port perhaps.
    One(&'a [u8]),
    /// Addresses between commas, or one that is marked as forwarded.
    List(&'a [u8]),
    Name(&'a [u8]),
}

impl<'a> Client<'a> {
    #[inline]
    pub(crate) fn read(head: &'a [u8]) -> Option<Self> {
        if let Some((first, rest)) = word(head)
            && let Some(user) = rest.strip_prefix(b"- ")
            && user.first() != Some(&b'[')
        {
            if is_ip(first) {
                return Some(Client { host: None, peer: first, forwarded: None, user, is_plain: true, port: None });
            }
            if let Some((peer, port)) = endpoint_with_port(first) {
                return Some(Client { host: None, peer, forwarded: None, user, is_plain: true, port: Some(port) });
            }
        }
        Client::read_unusual(head)
    }

    fn read_unusual(head: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = item(head)?;
        // What stands in front of the line of a container is no host.
        let is_prefix = matches!(first, Item::Name(name) if name.starts_with(b"["));
        if is_prefix || rest.trim_ascii_start().starts_with(b"| ") {
            return None;
        }
        let mut client = Client { host: None, peer: b"", forwarded: None, user: b"", is_plain: false, port: None };
        match first {
            Item::Name(name) => match item(rest) {
                Some((Item::One(peer), after)) if !after.is_empty() => {
                    (client.host, client.peer, rest) = (Some(name), peer, after);
                }
                Some((Item::List(list), after)) => {
                    (client.host, client.forwarded, rest) = (Some(name), Some(list), after);
                }
                Some((Item::Name(peer), after)) if has_port(name) && memchr(b' ', after).is_some() => {
                    (client.host, client.peer, rest) = (Some(name), peer, after);
                }
                // `NAME | ` stands in front of lines of containers.
                _ if rest.is_empty() || rest.starts_with(b" ") || rest.starts_with(b"| ") => return None,
                _ => client.peer = name,
            },
            Item::One(peer) => client.peer = peer,
            Item::List(list) => client.forwarded = Some(list),
        }
        rest = client.read_second(rest);
        let (ident, user) = split_word(rest);
        // A single word is the user, because nobody logs idents.
        client.user = if rest.len() == ident.len() { ident } else { without_repeat(user) };
        Some(client)
    }

    /// A second item of the client: the list behind the peer, the peer behind the list, the client behind a host that is an
    /// address itself.
    fn read_second(&mut self, rest: &'a [u8]) -> &'a [u8] {
        match item(rest) {
            Some((Item::List(list), after)) if self.forwarded.is_none() && endpoint(self.peer).is_some() => {
                self.forwarded = Some(list);
                after
            }
            Some((Item::One(peer), after)) if self.peer.is_empty() && !after.is_empty() => {
                self.peer = peer;
                after
            }
            Some((Item::One(peer), after))
                if self.host.is_none() && endpoint(self.peer).is_some() && memchr(b' ', after).is_some() =>
            {
                // Behind a host with its port stands the client. A host alone may stand behind it, too.
                if self.peer == peer || endpoint_with_port(self.peer).is_some() {
                    (self.host, self.peer) = (Some(self.peer), peer);
                } else {
                    self.peer = b"";
                }
                after
            }
            _ => rest,
        }
    }

    #[inline]
    pub(crate) fn put(&self, proxies: &TrustedProxies, rows: &mut BatchBuilder) {
        if self.is_plain {
            match self.port {
                None => put_address(rows, self.peer),
                Some(port) => {
                    put_peer(rows, self.peer);
                    rows.long(field::SOURCE_PORT, port);
                }
            }
        } else {
            self.put_unusual(proxies, rows);
        }
        if self.user != b"-" && !self.user.is_empty() && self.user != b"\"\"" {
            put_escaped(rows, field::USER_NAME, self.user);
        }
    }

    fn put_unusual(&self, proxies: &TrustedProxies, rows: &mut BatchBuilder) {
        let client = match self.forwarded {
            Some(list) if self.peer.is_empty() => {
                if proxies.is_empty() && memchr(b',', list).is_some() {
                    rows.mark(GUESSED);
                }
                proxies.client_of_list(list)
            }
            Some(list) => proxies.client(self.peer, list),
            None if self.peer.is_empty() => return rows.mark(AMBIGUOUS),
            None => self.peer,
        };
        // A proxy of the same machine that speaks through a socket.
        if client != b"unix:" {
            put_endpoint(rows, client);
        }
        if let Some(list) = self.forwarded.filter(|list| *list != b"-") {
            rows.text(field::NETWORK_FORWARDED_IP, list);
        }
        if let Some(host) = self.host.filter(|host| *host != b"-") {
            put_host(host, rows);
        }
    }
}

fn has_port(name: &[u8]) -> bool {
    memchr::memrchr(b':', name).is_some_and(|at| decimal(&name[at + 1..]).is_some())
}

/// Old ingress controllers write the client twice: `ADDRESS - [ADDRESS] - USER`.
fn without_repeat(user: &[u8]) -> &[u8] {
    let Some((inside, after)) = user.strip_prefix(b"[").and_then(|rest| rest.split_at_checked(memchr(b']', rest)?))
    else {
        return user;
    };
    let is_client = inside.split(|byte| *byte == b',').all(|one| is_ip(one.trim_ascii()));
    after.strip_prefix(b"] - ").filter(|_| is_client).unwrap_or(user)
}

/// The item at the start of a text, and what follows its blank.
fn item(text: &[u8]) -> Option<(Item<'_>, &[u8])> {
    for (open, close) in [(b'"', b'"'), (b'(', b')')] {
        if text.first() != Some(&open) {
            continue;
        }
        let inside = &text[1..];
        let end = memchr(close, inside)?;
        let after = &inside[end + 1..];
        let rest = after.strip_prefix(b" ").unwrap_or(after);
        let (inside, is_apart) = (&inside[..end], rest.len() < after.len() || after.is_empty());
        return match inside {
            _ if !is_apart => None,
            b"-" | b"" => Some((Item::List(b"-"), rest)),
            _ if open == b'(' && (endpoint(inside).is_some() || is_list(inside)) => Some((Item::List(inside), rest)),
            _ if endpoint(inside).is_some() => Some((Item::One(inside), rest)),
            _ if is_list(inside) => Some((Item::List(inside), rest)),
            _ => None,
        };
    }
    let mut end = memchr(b' ', text).unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    // The blank behind a comma does not end a list.
    while text[end - 1] == b',' && end < text.len() {
        end = memchr(b' ', &text[end + 1..]).map_or(text.len(), |next| end + 1 + next);
    }
    let (inside, rest) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    if endpoint(inside).is_some() {
        return Some((Item::One(inside), rest));
    }
    if memchr(b',', inside).is_some() && is_list(inside) {
        return Some((Item::List(inside), rest));
    }
    let (name, rest) = split_word(text);
    // In brackets stand pods and processes; other formats begin with keys, bars and marks, and may hold a client's text with a
    // whole access line in it.
    let is_name = name[0] != b'[' && !name.iter().any(|byte| b"=|%{}<>;#".contains(byte));
    is_name.then_some((Item::Name(name), rest))
}

/// Addresses between commas; what a proxy could not name stands as `unknown`, `-` or a name of its own.
fn is_list(text: &[u8]) -> bool {
    let entries = text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty());
    let is_known = |entry: &[u8]| endpoint(entry).is_some() || !entry.contains(&b' ');
    memchr(b',', text).is_some() && entries.clone().count() > 0 && { entries }.all(is_known)
}
