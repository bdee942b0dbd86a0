//! How brokers are reached: TLS, and who we are to them (SASL). Secrets go to librdkafka alone and are never shown. A token is
//! read anew whenever the last one is about to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use event::Timestamp;
use rdkafka::ClientConfig;
use rdkafka::client::OAuthToken;

/// How long a token that does not tell its end is used before its file is read again, in milliseconds.
const TOKEN_SPAN_MS: i64 = 300_000;
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// How brokers are reached.
#[derive(Clone, Debug, Default)]
pub struct KafkaAccess {
    /// `None`: without TLS.
    pub tls: Option<KafkaTls>,
    /// `None`: brokers ask for no name.
    pub sasl: Option<KafkaSasl>,
}

/// TLS to brokers. Their certificates must be for the names by which they are reached.
#[derive(Clone, Debug, Default)]
pub struct KafkaTls {
    /// File of certificates (PEM) that are trusted; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key (PEM), where brokers ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Who we are to brokers.
#[derive(Clone)]
pub enum KafkaSasl {
    /// A name and a password: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    Password {
        /// Name of the mechanism, as brokers know it.
        mechanism: &'static str,
        /// Our name.
        user: String,
        /// Its password.
        password: String,
    },
    /// OAUTHBEARER with a token that something else keeps fresh in a file, as Kubernetes does for service accounts.
    Token {
        /// The file.
        file: PathBuf,
    },
}

impl std::fmt::Debug for KafkaSasl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KafkaSasl::Password { mechanism, user, .. } => write!(out, "{mechanism} as {user}"),
            KafkaSasl::Token { file } => write!(out, "OAUTHBEARER from {}", file.display()),
        }
    }
}

impl KafkaAccess {
    /// Sets what librdkafka needs to know.
    pub(super) fn apply(&self, config: &mut ClientConfig) {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => return,
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            config.set("ssl.endpoint.identification.algorithm", "https");
            // Without a file: wherever systems keep what they trust, also for a program that is linked statically.
            let ca = tls.ca.as_ref().map_or("probe".to_owned(), |ca| ca.display().to_string());
            config.set("ssl.ca.location", ca);
            if let Some((certificate, key)) = &tls.certificate {
                config.set("ssl.certificate.location", certificate.display().to_string());
                config.set("ssl.key.location", key.display().to_string());
            }
        }
        match &self.sasl {
            None => {}
            Some(KafkaSasl::Password { mechanism, user, password }) => {
                config.set("sasl.mechanism", *mechanism).set("sasl.username", user).set("sasl.password", password);
            }
            Some(KafkaSasl::Token { .. }) => {
                config.set("sasl.mechanism", "OAUTHBEARER");
            }
        }
    }

    /// The token as it is now.
    fn token(&self, now: Timestamp) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        let Some(KafkaSasl::Token { file }) = &self.sasl else { return Err("no token is configured".into()) };
        read_token(file, now)
    }
}

/// Where clients of one kind and another find the token of now.
pub(super) struct Tokens {
    access: Arc<KafkaAccess>,
    clock: fn() -> Timestamp,
}

impl Tokens {
    pub(super) fn new(access: &Arc<KafkaAccess>, clock: fn() -> Timestamp) -> Self {
        Tokens { access: Arc::clone(access), clock }
    }

    pub(super) fn next(&self) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.access.token((self.clock)())
    }
}

/// Whom a token is for and until when, where it is a JSON Web Token.
#[derive(Default, serde::Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
}

fn read_token(file: &Path, now: Timestamp) -> Result<OAuthToken, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let token = text.trim();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX || token.bytes().any(|byte| byte <= b' ' || byte >= 0x7F) {
        return Err(format!("{} does not hold one token", file.display()).into());
    }
    // Brokers check the token; from here it only has to be known when to read the next one.
    let payload = token.split('.').nth(1).and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
    let claims = payload.and_then(|payload| serde_json::from_slice::<Claims>(&payload).ok()).unwrap_or_default();
    let now_ms = now.0 / 1000;
    let until_ms = claims.exp.map_or(now_ms + TOKEN_SPAN_MS, |seconds| (seconds * 1000.0) as i64);
    if until_ms <= now_ms {
        return Err(format!("the token in {} has ended", file.display()).into());
    }
    let principal_name = claims.sub.filter(|name| !name.contains('\0')).unwrap_or_default();
    Ok(OAuthToken { token: token.to_owned(), principal_name, lifetime_ms: until_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000_000);

    fn token(text: &str) -> Result<(String, i64), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, text).unwrap();
        let access = KafkaAccess { tls: None, sasl: Some(KafkaSasl::Token { file }) };
        let token = access.token(NOW).map_err(|error| error.to_string())?;
        Ok((token.principal_name, token.lifetime_ms - NOW.0 / 1000))
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln\n", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_used_until_its_end() {
        assert_eq!(token(&jwt(r#"{"sub":"analyzer","exp":1795428060}"#)), Ok(("analyzer".to_owned(), 60_000)));
        assert_eq!(token("opaque-token"), Ok((String::new(), TOKEN_SPAN_MS)));
        assert_eq!(token(&jwt("[]")), Ok((String::new(), TOKEN_SPAN_MS)));
        for (text, why) in [
            (jwt(r#"{"exp":1795427999}"#), "has ended"),
            ("two tokens".to_owned(), "does not hold one token"),
            ("\n".to_owned(), "does not hold one token"),
        ] {
            assert!(token(&text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn what_is_shown_of_access_holds_no_secret() {
        let sasl = KafkaSasl::Password { mechanism: "PLAIN", user: "u".into(), password: "hidden".into() };
        let shown = format!("{:?}", KafkaAccess { tls: Some(KafkaTls::default()), sasl: Some(sasl) });
        assert!(shown.contains("PLAIN as u") && !shown.contains("hidden"), "{shown}");
    }
}
