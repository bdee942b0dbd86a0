//! The token that a request offers: behind `Authorization: Bearer`, and, where shippers push, in each way that their protocols have.
//! Knows no store, and never writes a token anywhere.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::access::percent_decoded;

/// What our tokens begin with.
pub(super) const START: &str = "c0di3_";
/// Headers that hold a key and nothing else: Amazon Data Firehose, Datadog.
const KEY_HEADERS: [&str; 2] = ["x-amz-firehose-access-key", "dd-api-key"];
/// Parameters of the query that hold a key.
const KEY_PARAMETERS: [&str; 3] = ["token", "dd-api-key", "api_key"];
/// In front of a key in a path.
const KEY_PATH: &str = "/v1/input/";

/// The token, or what is wrong. `pushes`: path and query, where shippers push.
pub(super) fn token(headers: &HeaderMap, pushes: Option<(&str, &str)>) -> Result<String, &'static str> {
    let header = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
    let Some((path, query)) = pushes else {
        let text = header.ok_or("send `Authorization: Bearer <token>`")?;
        let (kind, text) = text.split_once(' ').unwrap_or((text, ""));
        let is_bearer = kind.eq_ignore_ascii_case("bearer") && !text.is_empty();
        return if is_bearer {
            Ok(text.trim().to_owned())
        } else {
            Err("the Authorization header is not `Bearer <token>`")
        };
    };
    let of_headers = KEY_HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok()).next();
    if let Some(text) = of_headers {
        return Ok(text.trim().to_owned());
    }
    if let Some(header) = header {
        return authorization(header).ok_or("the Authorization header holds no token");
    }
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut of_query = pairs.filter(|(name, _)| KEY_PARAMETERS.contains(&&*name.to_ascii_lowercase()));
    let of_query = of_query.next().map(|(_, value)| percent_decoded(value));
    let of_path = path.strip_prefix(KEY_PATH).map(percent_decoded);
    of_query.or(of_path).ok_or("a token is needed: as Bearer, Splunk, ApiKey, or as the password of Basic")
}

/// `Bearer TOKEN`, `Splunk TOKEN`, `Token TOKEN`; `Basic` with the token as password or user; `ApiKey` with the token as it is, or as
/// one of the two halves in Base64.
fn authorization(header: &str) -> Option<String> {
    let (kind, text) = header.split_once(' ')?;
    let text = text.trim();
    match kind.to_ascii_lowercase().as_str() {
        "bearer" | "splunk" | "token" => Some(text.to_owned()),
        "apikey" if text.starts_with(START) => Some(text.to_owned()),
        "basic" | "apikey" => {
            let pair = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
            let (user, password) = pair.split_once(':')?;
            let is_user = user.starts_with(START) && !password.starts_with(START);
            Some(if is_user { user } else { password }.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &str, query: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        token(&headers, Some(("/_bulk", query))).ok()
    }

    #[test]
    fn each_protocol_has_its_own_way() {
        let basic = |text: &str| BASE64_STANDARD.encode(text);
        for (name, value) in [
            ("authorization", "Bearer c0di3_a_b".to_owned()),
            ("authorization", "Splunk c0di3_a_b".to_owned()),
            ("authorization", "splunk c0di3_a_b".to_owned()),
            ("authorization", "ApiKey c0di3_a_b".to_owned()),
            ("authorization", format!("ApiKey {}", basic("id:c0di3_a_b"))),
            ("authorization", format!("Basic {}", basic("shipper:c0di3_a_b"))),
            ("authorization", format!("Basic {}", basic("c0di3_a_b:"))),
            ("dd-api-key", "c0di3_a_b".to_owned()),
            ("x-amz-firehose-access-key", "c0di3_a_b".to_owned()),
        ] {
            assert_eq!(of(name, &value, "").as_deref(), Some("c0di3_a_b"), "{value}");
        }
        assert_eq!(of("host", "h", "channel=x&token=c0di3_a%5Fb").as_deref(), Some("c0di3_a_b"));
        assert_eq!(of("host", "h", ""), None);
        assert_eq!(of("authorization", "Negotiate c0di3_a_b", "token=c0di3_a_b"), None);
        let path = token(&HeaderMap::new(), Some(("/v1/input/c0di3_a_b", "")));
        assert_eq!(path.as_deref(), Ok("c0di3_a_b"));
    }

    #[test]
    fn elsewhere_only_bearer_counts() {
        let mut headers = HeaderMap::new();
        assert!(token(&headers, None).is_err());
        headers.insert("authorization", "Splunk c0di3_a_b".parse().unwrap());
        headers.insert("dd-api-key", "c0di3_a_b".parse().unwrap());
        assert!(token(&headers, None).is_err());
        headers.insert("authorization", "bearer c0di3_a_b".parse().unwrap());
        assert_eq!(token(&headers, None).as_deref(), Ok("c0di3_a_b"));
    }
}
