//! Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, one signature for each key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Value of `webhook-signature`.
pub(crate) fn signatures(secrets: &[Zeroizing<Vec<u8>>], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let sign = |secret: &Zeroizing<Vec<u8>>| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    };
    secrets.iter().filter_map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_an_independent_implementation() {
        // python3: base64(hmac.new(bytes(range(32)), b"msg_1.1700000000.{\"a\":1}", "sha256").digest())
        let secret = Zeroizing::new((0..32).collect::<Vec<u8>>());
        let signed = signatures(&[secret.clone(), secret], "msg_1", 1_700_000_000, b"{\"a\":1}");
        let one = "v1,AMaOha7DUT/0J0JMycRuYOBSvbx3WtwLd2khXXbaVj4=";
        assert_eq!(signed, format!("{one} {one}"));
    }
}
