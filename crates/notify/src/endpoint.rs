//! Where notices go: address, format, secrets, and what is let through.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use event::{Network, Severity, UnknownWord};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Shape of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Standard Webhooks: `{type, timestamp, data}`.
    Generic,
    /// Slack's Block Kit.
    Slack,
}

impl std::str::FromStr for Format {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "generic" => Ok(Format::Generic),
            "slack" => Ok(Format::Slack),
            _ => Err(UnknownWord::new(text, ["generic", "slack"])),
        }
    }
}

/// A receiver.
#[derive(Clone)]
pub struct Endpoint {
    /// For people, metrics and the store.
    pub name: String,
    /// Where notices are posted.
    pub url: reqwest::Url,
    /// How their bodies look.
    pub format: Format,
    /// Keys of 24 to 64 bytes; with several, each signs, so that receivers can change theirs. Overwritten when they are let go.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
    /// The least severe incident that it is told of.
    pub least: Severity,
    /// Networks that may be reached although they are not public.
    pub allow: Vec<Network>,
    /// Plain http is let through.
    pub allow_http: bool,
}

impl Endpoint {
    /// What tells its address from others without giving it away: addresses of some services are secrets.
    pub fn target(&self) -> String {
        Sha256::digest(self.url.as_str().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Endpoint {{ name: {:?}, format: {:?}, least: {} }}", self.name, self.format, self.least)
    }
}

const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a text holds no secrets. No message repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// It does not begin with `whsec_`.
    #[error("a secret is written whsec_ and base64")]
    NoPrefix,
    /// What stands behind `whsec_` is not base64.
    #[error("a secret is not base64 behind whsec_")]
    NoBase64(#[source] base64::DecodeError),
    /// It is shorter or longer than Standard Webhooks asks for.
    #[error("a secret has 24 to 64 bytes")]
    Length,
}

/// `whsec_` and base64, one or several separated by blanks.
pub fn secrets(text: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, BadSecret> {
    text.split_ascii_whitespace()
        .map(|secret| {
            let encoded = secret.strip_prefix("whsec_").ok_or(BadSecret::NoPrefix)?;
            let bytes = Zeroizing::new(BASE64_STANDARD.decode(encoded).map_err(BadSecret::NoBase64)?);
            if SECRET_BYTES.contains(&bytes.len()) { Ok(bytes) } else { Err(BadSecret::Length) }
        })
        .collect()
}

/// Why no request could be sent to an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is no URL; `reason` is the URL parser's.
    #[error("`{text}` is no address: {reason}")]
    Syntax {
        /// The address.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It begins with `http:`, and that was not let through.
    #[error("plain http needs `allow_http = true`")]
    PlainHttp,
    /// The scheme, which is neither `https` nor `http`.
    #[error("`{0}` addresses cannot be called: use https")]
    Scheme(String),
    /// It holds a user name or a password, which would be shown and logged.
    #[error("an address must not hold a user name or a password")]
    Credentials,
    /// The address, which names no host.
    #[error("`{0}` names no host")]
    NoHost(String),
}

/// The address, if it is one that can be called at all.
pub fn url(text: &str, allow_http: bool) -> Result<reqwest::Url, BadAddress> {
    let url: reqwest::Url = text.parse().map_err(|error: <reqwest::Url as std::str::FromStr>::Err| {
        BadAddress::Syntax { text: text.to_owned(), reason: error.to_string() }
    })?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => return Err(BadAddress::PlainHttp),
        other => return Err(BadAddress::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::Credentials);
    }
    if url.host_str().is_none() {
        return Err(BadAddress::NoHost(text.to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_secrets_are_checked() {
        assert!(url("https://hooks.example.com/x", false).is_ok());
        for (text, words) in [
            ("http://hooks.example.com/", "needs `allow_http"),
            ("ftp://example.com/", "cannot be called"),
            ("https://user:pw@example.com/", "must not hold a user name"),
            ("nowhere", "is no address"),
        ] {
            assert!(url(text, false).unwrap_err().to_string().contains(words), "{text}");
        }
        let good = format!("whsec_{}", BASE64_STANDARD.encode([7; 32]));
        assert_eq!(secrets(&format!("{good} {good}")).unwrap().len(), 2);
        assert!(secrets("abc").unwrap_err().to_string().contains("whsec_"));
        assert!(secrets("whsec_AAAA").unwrap_err().to_string().contains("24 to 64"));
    }
}
