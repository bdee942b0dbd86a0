//! Who may do what. A token is `c0di3_<id>_<secret>`; the store keeps the secret's hash only. Without tokens the service
//! listens on loopback addresses alone, and answers only requests that were meant for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use event::Timestamp;
use sha2::{Digest, Sha256};
use store::StoreError;
use store::people::{Role, Token, Tokens};
use subtle::ConstantTimeEq;

use crate::observe::Asked;
use crate::problem::Problem;

/// How long a token that was looked up is trusted: a revoked one works at most this long.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Tokens that are remembered.
const REMEMBERED_MAX: usize = 1000;
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// Who sent the request: named in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) name: String,
    /// Of the token; empty where there is none.
    pub(crate) id: String,
    pub(crate) role: Role,
}

/// How requests are let in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Development on one machine: whoever reaches the loopback address is admin.
    Loopback,
    Tokens(TokenAuth),
}

#[derive(Clone, Debug)]
pub struct TokenAuth {
    tokens: Arc<dyn Tokens>,
    clock: fn() -> Timestamp,
    known: Arc<Mutex<BTreeMap<String, (Token, Instant)>>>,
}

impl Auth {
    pub fn with_tokens(tokens: Arc<dyn Tokens>, clock: fn() -> Timestamp) -> Self {
        Auth::Tokens(TokenAuth { tokens, clock, known: Arc::default() })
    }
}

/// A new token: what the holder gets, once, and what is kept.
pub fn new_token(
    name: &str,
    role: Role,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(String, Token), String> {
    let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
    for bytes in [&mut id[..], &mut secret[..]] {
        getrandom::fill(bytes).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    }
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
    let text = format!("c0di3_{id}_{secret}");
    let hash = hash(&secret);
    Ok((text, Token { id, name: name.to_owned(), role, hash, created_at: now, expires_at, revoked: false }))
}

fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the path needs; `None`: anybody may ask.
pub(crate) fn needed(method: &Method, path: &str) -> Option<Role> {
    match path {
        "/" | "/health" | "/ready" | "/live" | "/metrics" | "/openapi.json" => None,
        _ if path.starts_with("/admin") || path.starts_with("/api/v1/audit") => Some(Role::Admin),
        _ if path.starts_with("/api/v1/endpoints/") => Some(Role::Admin),
        "/ingest" => Some(Role::Ingest),
        _ if method == Method::GET || method == Method::HEAD => Some(Role::Viewer),
        _ => Some(Role::Analyst),
    }
}

pub(crate) async fn authorise(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    let needed = needed(request.method(), request.uri().path());
    let actor = match &auth {
        Auth::Loopback => meant_for_loopback(request.headers(), needed),
        Auth::Tokens(auth) => match needed {
            None => Ok(Actor { name: "anonymous".to_owned(), id: String::new(), role: Role::Viewer }),
            Some(_) => auth.actor(request.headers()).await,
        },
    };
    // Who it is stands in the logs also where it is not enough.
    if let (Ok(actor), Some(asked), Some(_)) = (&actor, request.extensions().get::<Asked>(), needed) {
        asked.by_whom(actor);
    }
    match actor.and_then(|actor| permitted(actor, needed)) {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => {
            metrics::counter!("auth_refusals_total", "code" => problem.code()).increment(1);
            (*problem).into_response()
        }
    }
}

fn permitted(actor: Actor, needed: Option<Role>) -> Result<Actor, Box<Problem>> {
    match needed.filter(|needed| !actor.role.may(*needed)) {
        None => Ok(actor),
        Some(needed) => {
            let (needed, role) = (needed.name(), actor.role.name());
            Err(Box::new(Problem::forbidden(format!("this needs the role {needed}; the token has the role {role}"))))
        }
    }
}

/// A page from elsewhere must not use a browser on this machine: its requests name another host or origin.
fn meant_for_loopback(headers: &HeaderMap, needed: Option<Role>) -> Result<Actor, Box<Problem>> {
    let is_local = |text: &str| {
        let text = text.strip_prefix("http://").unwrap_or(text);
        let host = text
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map_or_else(|| text.split(':').next().unwrap_or(""), |(address, _)| address);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let foreign =
        [HOST, ORIGIN].iter().filter_map(|name| headers.get(name)).any(|value| !value.to_str().is_ok_and(is_local));
    if foreign && needed.is_some() {
        let detail = "without tokens only requests to localhost are answered; set auth.tokens = true to serve others";
        return Err(Box::new(Problem::forbidden(detail)));
    }
    Ok(Actor { name: "local".to_owned(), id: String::new(), role: Role::Admin })
}

impl TokenAuth {
    async fn actor(&self, headers: &HeaderMap) -> Result<Actor, Box<Problem>> {
        let unauthorized = |detail: &str| Box::new(Problem::unauthorized(detail));
        let header = headers.get(AUTHORIZATION).ok_or_else(|| unauthorized("send `Authorization: Bearer <token>`"))?;
        let text = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let (_, text) = text.ok_or_else(|| unauthorized("the Authorization header is not `Bearer <token>`"))?;
        let parts = text.trim().strip_prefix("c0di3_").and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or_else(|| unauthorized("the token is not one of ours: it begins with c0di3_"))?;
        let wrong = "the token is unknown, wrong, revoked or expired";
        let token =
            self.find(id).await.map_err(|error| Box::new(Problem::from(error)))?.ok_or_else(|| unauthorized(wrong))?;
        let right = hash(secret).as_bytes().ct_eq(token.hash.as_bytes());
        let expired = token.expires_at.is_some_and(|until| until <= (self.clock)());
        if !bool::from(right) || token.revoked || expired {
            return Err(unauthorized(wrong));
        }
        Ok(Actor { name: token.name, id: token.id, role: token.role })
    }

    async fn find(&self, id: &str) -> Result<Option<Token>, StoreError> {
        let remembered = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some((token, since)) = &remembered
            && since.elapsed() < REMEMBERED
        {
            return Ok(Some(token.clone()));
        }
        let found = match self.tokens.token(id).await {
            Ok(found) => found,
            // Who was let in before is let in while the store is away.
            Err(error) => match remembered {
                Some((token, _)) if error.is_passing() => return Ok(Some(token)),
                _ => return Err(error),
            },
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        match &found {
            Some(token) => drop(known.insert(id.to_owned(), (token.clone(), Instant::now()))),
            None => drop(known.remove(id)),
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_path_needs() {
        for (method, path, role) in [
            (Method::GET, "/health", None),
            (Method::GET, "/metrics", None),
            (Method::GET, "/api/v1/findings", Some(Role::Viewer)),
            (Method::PATCH, "/api/v1/incidents/1", Some(Role::Analyst)),
            (Method::POST, "/ingest", Some(Role::Ingest)),
            (Method::POST, "/admin/cache/clear", Some(Role::Admin)),
            (Method::GET, "/admin/tokens", Some(Role::Admin)),
            (Method::GET, "/api/v1/audit", Some(Role::Admin)),
            (Method::GET, "/api/v1/endpoints", Some(Role::Viewer)),
            (Method::POST, "/api/v1/endpoints/ops/enable", Some(Role::Admin)),
            (Method::GET, "/nowhere", Some(Role::Viewer)),
        ] {
            assert_eq!(needed(&method, path), role, "{method} {path}");
        }
    }

    #[test]
    fn pages_from_elsewhere_cannot_use_the_loopback_service() {
        let ask = |name, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            meant_for_loopback(&headers, Some(Role::Viewer)).is_ok()
        };
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "127.0.0.1"] {
            assert!(ask(HOST, host), "{host}");
        }
        for host in ["evil.example:3000", "localhost.evil.example", "10.0.0.1"] {
            assert!(!ask(HOST, host), "{host}");
        }
        assert!(!ask(ORIGIN, "https://evil.example") && !ask(ORIGIN, "null") && ask(ORIGIN, "http://localhost:3000"));
    }

    #[test]
    fn tokens_are_random_and_only_their_hash_is_kept() {
        let (first, kept) = new_token("ann", Role::Viewer, Timestamp(0), None).unwrap();
        let (second, _) = new_token("ann", Role::Viewer, Timestamp(0), None).unwrap();
        assert_ne!(first, second);
        let secret = first.rsplit_once('_').unwrap().1;
        assert!(first.starts_with(&format!("c0di3_{}_", kept.id)) && !kept.hash.contains(secret));
    }
}
