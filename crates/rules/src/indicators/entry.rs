//! What a line of a list or a value of an event stands for: an address or network, a domain, a URL or a hash, each in the one
//! form that is compared.

use std::net::IpAddr;

use event::Network;

/// Fewest bits that a listed network shares.
const PREFIX_BITS_MIN: u8 = 8;

/// What an entry is, in the form that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Network(Network),
    Domain(String),
    Url(String),
    Hash(String),
}

pub(super) fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A name of at least two labels, as resolvers see it.
pub(super) fn domain(text: &str) -> Option<String> {
    let name = text.strip_prefix("*.").unwrap_or(text).trim_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii())
    };
    let known = name.len() <= 253 && name.contains('.') && name.split('.').all(is_label);
    // `1.2.3` is neither an address nor a name.
    (known && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')).then_some(name)
}

/// Scheme and host in lower case, without fragment, default port and a slash at the end.
pub(super) fn url(text: &str) -> Option<(String, String)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.len() <= 12 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_scheme {
        return None;
    }
    let rest = rest.split('#').next().unwrap_or(rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority).to_ascii_lowercase();
    let host = host.strip_suffix(if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" }).unwrap_or(&host);
    if host.is_empty() {
        return None;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    Some((format!("{}://{host}{path}", scheme.to_ascii_lowercase()), without_port(host).to_owned()))
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// What a line or a STIX value stands for, or why it stands for nothing.
pub(super) fn entry(text: &str) -> Result<Entry, String> {
    // As reports write what must not be clicked.
    let text = text.replace("[.]", ".").replace("hxxp", "http").replace("[:]", ":");
    if let Some(address) = address(&text) {
        return Ok(Entry::Network(Network::of(address)));
    }
    if let Some((whole, _)) = url(&text) {
        return Ok(Entry::Url(whole));
    }
    if let Some((start, length)) = text.split_once('/')
        && let Some(start) = address(start)
    {
        let network = length.parse().ok().and_then(|bits| Network::new(start, bits));
        // A prefix of fewer bits would list whole countries by a slip of the pen.
        return network.filter(|network| network.bits() >= PREFIX_BITS_MIN).map(Entry::Network).ok_or_else(|| {
            let most = Network::of(start).bits();
            format!("the prefix length of `{text}` is not between {PREFIX_BITS_MIN} and {most}")
        });
    }
    if is_hash(&text) {
        return Ok(Entry::Hash(text.to_ascii_lowercase()));
    }
    domain(&text).map(Entry::Domain).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        format!("`{shown}` is no address, network, domain, URL or hash (MD5, SHA-1, SHA-256, SHA-512)")
    })
}
