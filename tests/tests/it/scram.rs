//! The server's half of SCRAM (RFC 5802, RFC 7677), with SHA-256 and SHA-512: for one user, who has to prove that he knows the password.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

const SALT: &[u8] = b"sixteen and more";
const ITERATIONS: u32 = 4096;

/// How far a conversation has come.
pub(crate) struct Scram {
    is_256: bool,
    user: &'static str,
    password: &'static str,
    /// What both have said, once the client has begun.
    said: Option<(String, String)>,
}

impl Scram {
    /// `None` where the mechanism is another.
    pub(crate) fn begin(mechanism: &str, user: &'static str, password: &'static str) -> Option<Self> {
        let is_256 = match mechanism {
            "SCRAM-SHA-256" => true,
            "SCRAM-SHA-512" => false,
            _ => return None,
        };
        Some(Scram { is_256, user, password, said: None })
    }

    fn mac(&self, key: &[u8], text: &[u8]) -> Vec<u8> {
        if self.is_256 {
            Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
        } else {
            Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
        }
    }

    fn digest(&self, text: &[u8]) -> Vec<u8> {
        if self.is_256 { Sha256::digest(text).to_vec() } else { Sha512::digest(text).to_vec() }
    }

    fn salted(&self) -> Vec<u8> {
        let mut last = self.mac(self.password.as_bytes(), &[SALT, &1_u32.to_be_bytes()].concat());
        let mut all = last.clone();
        for _ in 1..ITERATIONS {
            last = self.mac(self.password.as_bytes(), &last);
            all = both(&all, &last);
        }
        all
    }

    /// What is answered, and whether the client has proved who he is; `None`: he has not, or says what nobody may say.
    pub(crate) fn answer(&mut self, message: &[u8]) -> Option<(Vec<u8>, bool)> {
        let message = std::str::from_utf8(message).ok()?;
        let Some((first, ours)) = &self.said else {
            let first = message.strip_prefix("n,,")?;
            let nonce = first.strip_prefix(&format!("n={},r=", self.user))?;
            let ours = format!("r={nonce}door,s={},i={ITERATIONS}", BASE64_STANDARD.encode(SALT));
            self.said = Some((first.to_owned(), ours.clone()));
            return Some((ours.into_bytes(), false));
        };
        let (last, proof) = message.rsplit_once(",p=")?;
        let nonce = ours.split(',').next()?;
        (last == format!("c=biws,{nonce}")).then_some(())?;
        let (said, salted) = (format!("{first},{ours},{last}"), self.salted());
        let key = self.mac(&salted, b"Client Key");
        let signature = self.mac(&self.digest(&key), said.as_bytes());
        (BASE64_STANDARD.decode(proof).ok()? == both(&key, &signature)).then_some(())?;
        let ours = self.mac(&self.mac(&salted, b"Server Key"), said.as_bytes());
        Some((format!("v={}", BASE64_STANDARD.encode(ours)).into_bytes(), true))
    }
}

fn both(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}
