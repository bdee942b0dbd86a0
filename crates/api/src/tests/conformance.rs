//! Every operation of both OpenAPI documents is called with good and bad input, and every answer held against the document:
//! status, media type, body. The documents are walked, so that what is added is covered by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::describe::closed;

/// One service and its document.
struct Walk {
    router: Router,
    document: Value,
    /// By role.
    tokens: BTreeMap<&'static str, String>,
    problems: BTreeSet<String>,
    /// Operation and status.
    seen: BTreeSet<(String, u16)>,
    validators: BTreeMap<String, jsonschema::Validator>,
}

/// An operation with what it is called with.
#[derive(Clone)]
struct Call {
    method: String,
    /// As the document has it.
    route: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

const MISSING: &str = "ffffffffffffffffffffffffffffffff";

impl Walk {
    fn new(router: Router, document: Value, tokens: &[(&'static str, String)]) -> Self {
        let tokens = tokens.iter().cloned().collect();
        let (problems, seen, validators) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Walk { router, document, tokens, problems, seen, validators }
    }

    /// Every method of every path.
    fn operations(&self) -> Vec<(String, String, Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        let of = |(route, item): (&String, &Value)| {
            let item = item.as_object().unwrap().clone();
            let route = route.clone();
            item.into_iter().map(move |(method, operation)| (method.to_uppercase(), route.clone(), operation))
        };
        paths.iter().flat_map(of).collect()
    }

    /// The path with real values where the route leaves a place: out of the list that the path begins with.
    async fn path(&self, route: &str, token: &str) -> String {
        let Some((collection, _)) = route.split_once("/{") else { return route.to_owned() };
        let request = Request::get(collection).header("authorization", format!("Bearer {token}"));
        let (_, _, list) = send(&self.router, request.body(Body::empty()).unwrap()).await;
        let first = &list["data"][0];
        let parts = route.split('/').map(|part| {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                return part.to_owned();
            };
            let otherwise = match name {
                "kind" => "source.ip",
                "value" => "192.0.2.1",
                _ => "known",
            };
            match &first[name] {
                Value::Number(number) => number.to_string(),
                other => other.as_str().unwrap_or(otherwise).to_owned(),
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }

    async fn call(&mut self, operation: &Value, call: Call) {
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.path);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let Ok(request) = request.body(Body::from(call.body.clone())) else { return };
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        let kind = parts.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
        let kind = kind.split(';').next().unwrap().to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        self.seen.insert((format!("{} {}", call.method, call.route), status));
        let shown: String = call.path.chars().take(90).collect();
        let place = format!("{} {shown} {:?} -> {status} {kind}", call.method, call.headers.last());
        let described = &operation["responses"][status.to_string()];
        if described.is_null() {
            self.problems.insert(format!("{place}: the status is not documented: {}", String::from_utf8_lossy(&body)));
            return;
        }
        let content = &described["content"][&kind];
        if content.is_null() && !(body.is_empty() && described["content"].is_null()) {
            self.problems.insert(format!("{place}: the media type is not documented: {}", described["content"]));
            return;
        }
        // Lines of JSON, of which there may be none, have no schema of their own.
        if kind.ends_with("json") && kind != "application/x-ndjson" {
            let value: Value = serde_json::from_slice(&body).expect("JSON");
            let key = format!("{} {} {status} {kind}", call.method, call.route);
            let document = &self.document;
            let validator = self
                .validators
                .entry(key)
                .or_insert_with(|| jsonschema::validator_for(&closed(document, &content["schema"])).expect("a schema"));
            for error in validator.iter_errors(&value) {
                self.problems.insert(format!("{place}: {error} at {} in {value}", error.instance_path));
            }
        }
    }

    /// Everything that can be asked of one operation.
    async fn calls(&self, operation: &Value, method: &str, route: &str) -> Vec<Call> {
        let admin = &self.tokens["admin"];
        let path = self.path(route, admin).await;
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        let any = ("if-match", "*".to_owned());
        let content = operation["requestBody"]["content"].as_object();
        let takes_json = content.is_some_and(|content| content.contains_key("application/json"));
        let good = if takes_json { &br#"{"comment": "a word"}"#[..] } else { b"a line\n" };
        let body = if content.is_some() { good.to_vec() } else { Vec::new() };
        let base = Call {
            method: method.to_owned(),
            route: route.to_owned(),
            path: path.clone(),
            headers: vec![bearer(admin), any.clone()],
            body,
        };
        let with = |headers: &[(&'static str, String)]| Call { headers: headers.to_vec(), ..base.clone() };
        let at = |path: String| Call { path, ..base.clone() };
        let mut calls = vec![base.clone(), with(std::slice::from_ref(&any)), with(&[any.clone(), bearer("c0di3_0_x")])];
        calls.extend(self.tokens.values().map(|token| with(&[any.clone(), bearer(token)])));
        for tag in ["soon", "\"999\"", "\"0\", \"1\"", ""] {
            calls.push(with(&[bearer(admin), ("if-match", tag.to_owned())]));
        }
        calls.push(with(&[bearer(admin)]));
        for value in [MISSING, "x", "%FF", "source.ip", "192.0.2.0%2F24", "unknown", "busy"] {
            let parts = route.split('/').map(|part| if part.starts_with('{') { value } else { part });
            calls.push(at(parts.collect::<Vec<_>>().join("/")));
        }
        let named = operation["parameters"].as_array().into_iter().flatten();
        let named = named.filter(|parameter| parameter["in"] == "query").map(|one| one["name"].as_str().unwrap());
        for name in named.chain(["no_such", "%FF"]) {
            let values = ["", "1", "0", "zzz", "P1", ",", "%00", "%FF%FE", "*", "dead", "new", "true", "192.0.2.0/24"];
            calls.extend(values.map(|value| at(format!("{path}?{name}={value}"))));
            calls.push(at(format!("{path}?{name}=2026-01-01T00:00:00Z&{name}=2026-01-01T00:00:00Z")));
        }
        let large = vec![b'x'; 1_100_000];
        for body in
            [&b"{"[..], b"[1]", b"{\"unknown\": 1, \"stage\": 7}", b"\xFF", b"", b"{\"stage\": \"resolution\"}", &large]
        {
            calls.push(Call { body: body.to_vec(), ..base.clone() });
        }
        for encoding in ["gzip", "br", "zstd"] {
            let call = with(&[bearer(admin), any.clone(), ("content-encoding", encoding.to_owned())]);
            calls.push(Call { body: b"no stream".to_vec(), ..call });
        }
        calls
    }

    async fn everything(&mut self) {
        for (method, route, operation) in self.operations() {
            // A live sample is answered after seconds: some calls of it are enough.
            let most = if route == "/api/v1/tap" { 8 } else { usize::MAX };
            for call in self.calls(&operation, &method, &route).await.into_iter().take(most) {
                self.call(&operation, call).await;
            }
        }
    }

    /// What the document itself lacks.
    fn check_document(&mut self) {
        for (method, route, operation) in self.operations() {
            let place = format!("{method} {route}");
            let open = ["/health", "/ready", "/live", "/metrics"].contains(&route.as_str());
            let secured = operation["security"].as_array().is_some_and(|security| !security.is_empty());
            for (status, wanted) in [("400", !open), ("401", !open), ("403", !open), ("503", true)] {
                if wanted && operation["responses"][status].is_null() {
                    self.problems.insert(format!("{place}: {status} is not documented"));
                }
            }
            if secured == open {
                self.problems.insert(format!("{place}: who may call it is not documented"));
            }
        }
        if self.document["components"]["securitySchemes"]["token"]["scheme"] != "bearer" {
            self.problems.insert("there is no security scheme".to_owned());
        }
        let mut shapeless = BTreeSet::new();
        find_shapeless(&self.document, "", &mut shapeless);
        self.problems.extend(shapeless.into_iter().map(|place| format!("{place}: an object without any shape")));
    }

    fn finish(&self) {
        for (method, route, _) in self.operations() {
            let place = format!("{method} {route}");
            let answered = self.seen.iter().any(|(known, status)| *known == place && (200..300).contains(status));
            assert!(answered || method != "GET", "{place} was never answered well: the test shows nothing of it");
        }
        let shown: Vec<&String> = self.problems.iter().take(40).collect();
        assert!(shown.is_empty(), "{} problems: {shown:#?}", self.problems.len());
    }
}

fn find_shapeless(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(parts) => {
            let shaped = ["properties", "additionalProperties", "allOf", "oneOf", "enum"];
            if parts.get("type") == Some(&json!("object")) && !shaped.iter().any(|name| parts.contains_key(*name)) {
                found.insert(place.to_owned());
            }
            parts.iter().for_each(|(name, part)| find_shapeless(part, &format!("{place}/{name}"), found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| find_shapeless(part, place, found)),
        _ => {}
    }
}

async fn tokens(state: &ApiState) -> Vec<(&'static str, String)> {
    let mut tokens = Vec::new();
    for role in Role::ALL {
        let (text, token) = auth::new_token(role.name(), role, Timestamp(0), None).unwrap();
        state.store.add_token(&token).await.unwrap();
        tokens.push((role.name(), text));
    }
    tokens
}

#[tokio::test]
async fn the_agent_answers_as_its_document_says() {
    let (_folder, _, state) = service(vec![Fixed(HealthStatus::Pass, true)]).await;
    let tokens = tokens(&state).await;
    let auth = Auth::with_tokens(
        Arc::clone(&state.store) as Arc<dyn store::Tokens>,
        || Timestamp(9),
        Duration::from_secs(300),
    );
    let state = ApiState { auth, ..state };
    // Something of everything: a summary, deliveries, a disabled endpoint, an audit log.
    let known = [("ops".to_owned(), "a".to_owned()), ("pager".to_owned(), "b".to_owned())];
    state.store.register_endpoints(&known, Timestamp(1)).await.unwrap();
    let join = Some(JoinPolicy { gap_us: 1_000, opens_from: Severity::P3, notify_age_us: Some(1 << 50) });
    let also = vec![event::AlsoFired { rule_id: "s".into(), rule_title: "another".into(), count: 2 }];
    let entities = Entities { user_name: vec!["bob".into()], ..Entities::default() };
    let one = Finding { also, entities, ..finding(9) };
    state.store.commit(&Commit { findings: vec![one], join, ..Commit::default() }).await.unwrap();
    state.store.fan_out(&[("ops".to_owned(), Severity::P3)], 0, Timestamp(2)).await.unwrap();
    state.store.disable_endpoint("ops", "a", "410", &["pager".to_owned()], Timestamp(3)).await.unwrap();
    let router = router(state.clone());
    let (_, _, document) = get_json(&router, "/openapi.json").await;
    let mut walk = Walk::new(router, document, &tokens);
    walk.check_document();
    walk.everything().await;
    state.health.draining.store(true, Ordering::Relaxed);
    state.store.close().await;
    walk.everything().await;
    walk.finish();
}

#[tokio::test]
async fn the_analyzer_answers_as_its_document_says() {
    let (_folder, _, state) = service(vec![Fixed(HealthStatus::Pass, true)]).await;
    let tokens = tokens(&state).await;
    let auth = Auth::with_tokens(
        Arc::clone(&state.store) as Arc<dyn store::Tokens>,
        || Timestamp(9),
        Duration::from_secs(300),
    );
    let (_spool, ingest) = ingest_state();
    let router = analyzer_router(ingest, Arc::new(SampleRules), Tap::default(), state.health.clone(), auth);
    let (_, _, document) = get_json(&router, "/openapi.json").await;
    assert_eq!(document, analyzer_document());
    let mut walk = Walk::new(router, document, &tokens);
    walk.check_document();
    walk.everything().await;
    state.health.draining.store(true, Ordering::Relaxed);
    state.store.close().await;
    walk.everything().await;
    walk.finish();
}

/// Rules whose answers have the form of real ones (what real ones answer is held against the document where they are).
struct SampleRules;

#[async_trait::async_trait]
impl crate::rules::RuleService for SampleRules {
    fn status(&self) -> Value {
        let loaded = json!({"detection": 1, "correlation": 1, "filter": 0, "rejected": 1, "disabled": 0});
        let problem =
            json!({"path": "a.yml", "line": 3, "column": 1, "gravity": "error", "reason": "`title` is missing"});
        json!({"generation": 1, "loaded_at": "1970-01-01T00:00:00Z", "loaded": loaded, "refused": [problem]})
    }

    async fn reload(&self) -> Result<Value, crate::rules::ReloadRefused> {
        Ok(json!({"status": "unchanged", "generation": 1}))
    }

    async fn explain(&self, rule: String, _: String) -> Option<Value> {
        let rule_name = json!({"id": "known", "title": "Known"});
        (rule == "known").then(|| json!({"rule": rule_name, "lines": [], "lines_left_out": 0}))
    }

    async fn groups(&self, rule: String, _: Wanted) -> Result<Value, Unanswered> {
        let rule_name = json!({"id": "known", "title": "Known"});
        match rule.as_str() {
            "known" => Ok(json!({"rule": rule_name, "asks_for": "event_count", "groups": []})),
            "busy" => Err(Unanswered::Busy),
            _ => Err(Unanswered::NoSuchRule),
        }
    }
}
