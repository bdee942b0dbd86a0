//! Forward's handshake: the peer proves that it knows the shared key, and so do we, without telling it (HELO, PING, PONG of
//! github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1). Accounts of users are not part of it.

use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;

use super::intake::Refusal;
use super::msgpack::{Cursor, MsgValue, put_text};

/// Bytes of a nonce, before they are written in hexadecimal.
const NONCE_BYTES: usize = 16;

/// What one connection has been told.
#[derive(Debug)]
pub(super) struct Handshake {
    key: String,
    host: String,
    nonce: String,
}

impl Handshake {
    /// `random`: bytes that nobody can foresee.
    pub(super) fn new(key: String, host: String, random: [u8; NONCE_BYTES]) -> Self {
        let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Handshake { key, host, nonce }
    }

    /// `["HELO", {"nonce": …, "auth": "", "keepalive": true}]`
    pub(super) fn helo(&self) -> Vec<u8> {
        let mut out = vec![0x92];
        put_text("HELO", &mut out);
        out.push(0x83);
        put_text("nonce", &mut out);
        // Bytes, as fluentd writes it.
        out.extend([0xC4, self.nonce.len() as u8]);
        out.extend_from_slice(self.nonce.as_bytes());
        put_text("auth", &mut out);
        put_text("", &mut out);
        put_text("keepalive", &mut out);
        out.push(0xC3);
        out
    }

    /// The answer to `["PING", host, salt, digest, user, password]`, and whether the peer knows the key.
    pub(super) fn pong(&self, message: &[u8]) -> Result<(Vec<u8>, bool), Refusal> {
        let broken = || Refusal::new("no_handshake", "a key is asked for, and the first message is no PING");
        let mut cursor = Cursor(message);
        let mut text = |is_first: bool| match cursor.next() {
            Ok(MsgValue::Array(5..=6)) if is_first => Ok(&[][..]),
            Ok(MsgValue::Text(text)) if !is_first => Ok(text),
            _ => Err(broken()),
        };
        text(true)?;
        let [word, host, salt, digest] = [text(false)?, text(false)?, text(false)?, text(false)?];
        if word != b"PING" {
            return Err(broken());
        }
        let knows = bool::from(self.digest(salt, host).as_bytes().ct_eq(digest));
        let mut out = vec![0x95];
        put_text("PONG", &mut out);
        out.push(if knows { 0xC3 } else { 0xC2 });
        put_text(if knows { "" } else { "shared_key mismatch" }, &mut out);
        put_text(if knows { &self.host } else { "" }, &mut out);
        let ours = self.digest(salt, self.host.as_bytes());
        put_text(if knows { &ours } else { "" }, &mut out);
        Ok((out, knows))
    }

    pub(super) fn digest(&self, salt: &[u8], host: &[u8]) -> String {
        let parts = [salt, host, self.nonce.as_bytes(), self.key.as_bytes()];
        let digest = parts.iter().fold(Sha512::new(), |digest, part| digest.chain_update(part)).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
