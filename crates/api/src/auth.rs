//! Who may do what. A token is `c0di3_<id>_<secret>`; the store keeps the secret's hash only. Without tokens the service
//! listens on loopback addresses alone, and answers only requests that were meant for them. While the store is away, tokens
//! that it has known lately are answered from memory; of others nobody can say whether they are good.

mod offered;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use event::Timestamp;
use sha2::{Digest, Sha256};
use store::people::{Role, Token, Tokens};
use subtle::ConstantTimeEq;
use tokio::time::{Instant, timeout};

use crate::asked::{Actor, Asked};
use crate::ingest::Sender;
use crate::problem::Problem;
use crate::push_paths;
use crate::store_watch::StoreWatch;

/// How long a token that was looked up is trusted unasked: a revoked one works at most this long while the store answers.
const TRUSTED: Duration = Duration::from_secs(5);
/// Longest wait for the store to look a token up: then what is remembered decides.
const LOOK_UP_MAX: Duration = Duration::from_millis(500);
/// Tokens that are remembered; beyond it the one that was looked up longest ago is forgotten.
const REMEMBERED_MAX: usize = 1000;
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// How requests are let in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Development on one machine: whoever reaches the loopback address is admin.
    Loopback,
    /// Requests need a token, but for health, metrics and the API's description.
    Tokens(TokenAuth),
}

/// Tokens as the store knows them, with a memory for times when it is away. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenAuth {
    tokens: Arc<dyn Tokens>,
    clock: fn() -> Timestamp,
    /// How long a token that was looked up is remembered for times when the store is away.
    remembered: Duration,
    /// Tokens by id, and when the store last told of them: hashes, never secrets.
    known: Arc<Mutex<BTreeMap<String, (Token, Instant)>>>,
    watch: StoreWatch,
}

impl Auth {
    /// `remembered`: how long a token that was looked up is believed while the store is away.
    pub fn with_tokens(tokens: Arc<dyn Tokens>, clock: fn() -> Timestamp, remembered: Duration) -> Self {
        let asked = Arc::clone(&tokens);
        let watch = StoreWatch::new(move || {
            let tokens = Arc::clone(&asked);
            // No token has this id.
            async move { tokens.token("").await.map(|_| ()) }
        });
        Auth::Tokens(TokenAuth { tokens, clock, remembered, known: Arc::default(), watch })
    }
}

/// The operating system gave no random numbers. The cause is part of the message, not the error's source.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandomness(getrandom::Error);

/// A new token: what the holder gets, once, and what is kept.
pub fn new_token(
    name: &str,
    role: Role,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(String, Token), NoRandomness> {
    let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
    for bytes in [&mut id[..], &mut secret[..]] {
        getrandom::fill(bytes).map_err(NoRandomness)?;
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
        _ if push_paths::needs_token(path).is_some() => push_paths::needs_token(path)?.then_some(Role::Ingest),
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
            Some(role) => {
                let uri = request.uri();
                let pushes = (role == Role::Ingest).then(|| (uri.path(), uri.query().unwrap_or("")));
                auth.actor(request.headers(), pushes).await
            }
        },
    };
    // Who it is stands in the logs also where it is not enough.
    if let (Ok(actor), Some(asked), Some(_)) = (&actor, request.extensions().get::<Asked>(), needed) {
        asked.by_whom(actor);
    }
    match actor.and_then(|actor| permitted(actor, needed)) {
        Ok(actor) => {
            request.extensions_mut().insert(Sender(actor.id.clone()));
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
    async fn actor(&self, headers: &HeaderMap, pushes: Option<(&str, &str)>) -> Result<Actor, Box<Problem>> {
        let unauthorized = |detail: &str| Box::new(Problem::unauthorized(detail));
        let text = offered::token(headers, pushes).map_err(unauthorized)?;
        let parts = text.trim().strip_prefix(offered::START).and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or_else(|| unauthorized("the token is not one of ours: it begins with c0di3_"))?;
        let wrong = "the token is unknown, wrong, revoked or expired";
        let token = self.find(id).await?.ok_or_else(|| unauthorized(wrong))?;
        let right = hash(secret).as_bytes().ct_eq(token.hash.as_bytes());
        let expired = token.expires_at.is_some_and(|until| until <= (self.clock)());
        if !bool::from(right) || token.revoked || expired {
            return Err(unauthorized(wrong));
        }
        Ok(Actor { name: token.name, id: token.id, role: token.role })
    }

    /// The token as the store knows it, or as it knew it lately where it is away. `None`: there is no such token.
    async fn find(&self, id: &str) -> Result<Option<Token>, Box<Problem>> {
        let known = self.known().get(id).cloned();
        if let Some((token, since)) = &known
            && since.elapsed() < TRUSTED
        {
            return Ok(Some(token.clone()));
        }
        if self.watch.away().is_none() {
            match timeout(LOOK_UP_MAX, self.tokens.token(id)).await {
                Ok(Ok(found)) => {
                    self.remember(id, found.as_ref());
                    return Ok(found);
                }
                Ok(Err(error)) if !error.is_passing() => return Err(Box::new(Problem::from(error))),
                Ok(Err(_)) | Err(_) => self.watch.suspect(),
            }
        }
        match known {
            Some((token, since)) if since.elapsed() < self.remembered => {
                metrics::counter!("auth_from_memory_total").increment(1);
                Ok(Some(token))
            }
            _ => Err(Box::new(Problem::store_away(self.watch.away().unwrap_or(LOOK_UP_MAX)))),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Token, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, id: &str, found: Option<&Token>) {
        let mut known = self.known();
        let Some(token) = found else {
            known.remove(id);
            return;
        };
        if known.len() >= REMEMBERED_MAX && !known.contains_key(id) {
            let oldest = known.iter().min_by_key(|(_, (_, since))| *since).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                known.remove(&oldest);
            }
        }
        known.insert(id.to_owned(), (token.clone(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use store::audit::By;

    use super::*;

    #[test]
    fn what_each_path_needs() {
        for (method, path, role) in [
            (Method::GET, "/health", None),
            (Method::GET, "/metrics", None),
            (Method::GET, "/api/v1/findings", Some(Role::Viewer)),
            (Method::PATCH, "/api/v1/incidents/1", Some(Role::Analyst)),
            (Method::POST, "/ingest", Some(Role::Ingest)),
            (Method::PUT, "/_bulk", Some(Role::Ingest)),
            (Method::GET, "/_license", Some(Role::Ingest)),
            (Method::POST, "/services/collector/event/1.0", Some(Role::Ingest)),
            (Method::GET, "/services/collector/health", None),
            (Method::POST, "/api/v2/logs", Some(Role::Ingest)),
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

    /// A store that may be away: then it answers nothing, as one does that stands still.
    #[derive(Debug, Default)]
    struct KeptTokens {
        token: Mutex<Option<Token>>,
        away: std::sync::atomic::AtomicBool,
    }

    #[async_trait::async_trait]
    impl Tokens for KeptTokens {
        async fn token(&self, id: &str) -> Result<Option<Token>, store::StoreError> {
            if self.away.load(std::sync::atomic::Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(self.token.lock().unwrap().clone().filter(|token| token.id == id))
        }
        async fn tokens(&self) -> Result<Vec<Token>, store::StoreError> {
            Ok(Vec::new())
        }
        async fn add_token_by(&self, _: &Token, _: &By) -> Result<(), store::StoreError> {
            Ok(())
        }
        async fn revoke_token_by(&self, _: &str, _: &By, _: Timestamp) -> Result<bool, store::StoreError> {
            Ok(false)
        }
    }

    /// Makes what is remembered older than it is.
    fn age(auth: &TokenAuth, by: Duration) {
        auth.known().values_mut().for_each(|(_, since)| *since = since.checked_sub(by).unwrap());
    }

    #[tokio::test]
    async fn known_tokens_are_answered_from_memory_while_the_store_is_away_and_unknown_ones_never_with_401() {
        let (text, token) = new_token("ship", Role::Ingest, Timestamp(0), None).unwrap();
        let (other, _) = new_token("ship", Role::Ingest, Timestamp(0), None).unwrap();
        let kept = Arc::new(KeptTokens { token: Mutex::new(Some(token.clone())), ..KeptTokens::default() });
        let remembered = Duration::from_secs(300);
        let Auth::Tokens(auth) = Auth::with_tokens(Arc::clone(&kept) as Arc<dyn Tokens>, || Timestamp(9), remembered)
        else {
            unreachable!()
        };
        let ask = async |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", format!("Bearer {text}").parse().unwrap());
            let started = Instant::now();
            let code = auth.actor(&headers, None).await.map_or_else(|problem| problem.code(), |_| "good");
            (code, started.elapsed())
        };
        assert_eq!((ask(&text).await.0, ask(&other).await.0), ("good", "unauthorized"));
        kept.away.store(true, std::sync::atomic::Ordering::Relaxed);
        age(&auth, TRUSTED);
        let (code, took) = ask(&text).await;
        assert!(code == "good" && took < LOOK_UP_MAX * 4, "the first to ask waits a bounded time: {code}, {took:?}");
        while auth.watch.away().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (code, took) = ask(&text).await;
        assert!(code == "good" && took < LOOK_UP_MAX / 2, "nobody waits for a store that is away: {code}, {took:?}");
        assert_eq!(ask(&other).await.0, "store_unavailable", "it may be good: nobody can say");
        assert_eq!(ask(&format!("{text}x")).await.0, "unauthorized", "its hash is known");
        age(&auth, remembered);
        assert_eq!(ask(&text).await.0, "store_unavailable", "remembered no longer");

        *kept.token.lock().unwrap() = Some(Token { revoked: true, ..token });
        kept.away.store(false, std::sync::atomic::Ordering::Relaxed);
        while auth.watch.away().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(ask(&text).await.0, "unauthorized", "a revocation is seen as soon as the store is back");
        kept.away.store(true, std::sync::atomic::Ordering::Relaxed);
        age(&auth, TRUSTED);
        assert_eq!(ask(&text).await.0, "unauthorized", "and is remembered as well");
    }

    #[tokio::test]
    async fn as_many_tokens_are_remembered_as_may_be_and_the_oldest_goes() {
        let tokens: Arc<dyn Tokens> = Arc::new(KeptTokens::default());
        let Auth::Tokens(auth) = Auth::with_tokens(tokens, || Timestamp(9), TRUSTED) else { unreachable!() };
        let (_, token) = new_token("ship", Role::Ingest, Timestamp(0), None).unwrap();
        for number in 0..=REMEMBERED_MAX {
            auth.remember(&format!("{number}"), Some(&token));
        }
        assert_eq!(auth.known().len(), REMEMBERED_MAX);
        assert!(!auth.known().contains_key("0") && auth.known().contains_key("1"));
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
