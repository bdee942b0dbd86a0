//! The API against a real store: what each path answers, and how mistakes are told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use event::{
    Entities, EventId, Evidence, Finding, FindingId, FindingRating, FindingRule, FindingSpan, Level, Severity,
    Timestamp,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::people::Role;
use store::{ChangeCursor, Commit, Findings, Hot, JoinPolicy, Ledger, MemoryHot, SqlStore, Store, Use};
use tower::ServiceExt;

use super::*;
use crate::health::{CheckResult, HealthCheck, HealthStatus};
use crate::rules::{Unanswered, Wanted};

mod conformance;
mod filters;
mod records;
mod sample_archive;

struct Fixed(HealthStatus, bool);

#[async_trait::async_trait]
impl HealthCheck for Fixed {
    fn name(&self) -> &'static str {
        if self.1 { "store" } else { "llm" }
    }
    fn is_required(&self) -> bool {
        self.1
    }
    async fn check(&self) -> CheckResult {
        CheckResult::observed(self.0, 1.0, "ms")
    }
}

fn finding(number: u64) -> Finding {
    Finding {
        id: FindingId(u128::from(number)),
        rule: FindingRule { id: "r".into(), title: "title".into(), level: Level::High },
        also: Vec::new(),
        rating: FindingRating { score: 75, parts: Vec::new(), severity: Severity::P1 },
        span: FindingSpan {
            first_seen: Some(Timestamp(number as i64)),
            last_seen: Some(Timestamp(number as i64)),
            count: 1,
        },
        entities: Entities { source_ip: vec!["192.0.2.1".into()], ..Entities::default() },
        techniques: Vec::new(),
        reason: "matched".into(),
        response: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
        evidence: vec![Evidence {
            event_id: EventId(1),
            source: "a.log".into(),
            line_no: 1,
            offset: 0,
            time: None,
            original: "raw".into(),
        }],
    }
}

async fn service(checks: Vec<Fixed>) -> (tempfile::TempDir, Router, ApiState) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&format!("sqlite:{}/t.db", folder.path().display()), Use::Commit).await.unwrap();
    let join = Some(JoinPolicy { gap_us: 1_000, opens_from: Severity::P3, notify_age_us: None });
    store.commit(&Commit { findings: (1..=3).map(finding).collect(), join, ..Commit::default() }).await.unwrap();
    let hot = MemoryHot::default();
    hot.record(&store.changed_after(ChangeCursor::START, 100).await.unwrap(), ChangeCursor::START, ChangeCursor::START)
        .await
        .unwrap();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let boxed = checks.into_iter().map(|check| Box::new(check) as Box<dyn HealthCheck>).collect::<Vec<_>>();
    let draining = Arc::new(AtomicBool::new(false));
    let health = HealthState::new("core-agent", boxed.into(), recorder.handle().into(), draining);
    let state = ApiState {
        store: Arc::new(store),
        hot: Arc::new(hot),
        archive: Some(Arc::new(sample_archive::SampleArchive)),
        health,
        auth: Auth::Loopback,
        clock: || Timestamp(9),
    };
    (folder, router(state.clone()), state)
}

/// A spool in a folder of its own.
fn ingest_state() -> (tempfile::TempDir, IngestState) {
    let folder = tempfile::tempdir().unwrap();
    let options = ::ingest::spool::SpoolOptions {
        folder: folder.path().join("spool"),
        bytes_max: 200_000,
        segment_bytes: 100_000,
        reserve_bytes: 0,
    };
    let spool = ::ingest::spool::Spool::open(options, Timestamp(1)).unwrap();
    (folder, IngestState::new(spool, 150_000, 64 << 20, || Timestamp(2)))
}

/// An analyzer with rules that are made up, and the folder of its spool.
fn analyzer(state: &ApiState) -> (tempfile::TempDir, Router) {
    let (folder, ingest) = ingest_state();
    (folder, analyzer_router(ingest, Arc::new(NoRules), Tap::default(), state.health.clone(), Auth::Loopback))
}

async fn get_json(router: &Router, path: &str) -> (StatusCode, String, Value) {
    let response = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    assert!(response.headers().contains_key("x-request-id"), "{path}");
    let kind = response.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, kind, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn findings_are_listed_paged_and_shown_with_evidence() {
    let (_folder, router, _) = service(vec![]).await;
    let (status, _, first) = get_json(&router, "/api/v1/findings?limit=2&severity=P1&source.ip=192.0.2.1").await;
    assert_eq!(
        (status, first["data"].as_array().unwrap().len(), &first["has_more"]),
        (StatusCode::OK, 2, &Value::Bool(true))
    );
    assert_eq!(first["data"][0]["rule.id"], "r");
    assert!(first["data"][0].get("evidence").is_none(), "lists come without evidence");
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = format!("/api/v1/findings?limit=2&severity=P1&source.ip=192.0.2.1&cursor={cursor}");
    let (_, _, second) = get_json(&router, &next).await;
    assert_eq!((second["data"].as_array().unwrap().len(), &second["has_more"]), (1, &Value::Bool(false)));
    let id = first["data"][0]["id"].as_str().unwrap();
    let (status, _, detail) = get_json(&router, &format!("/api/v1/findings/{id}")).await;
    assert_eq!((status, &detail["evidence"][0]["original"]), (StatusCode::OK, &Value::from("raw")));
    let (_, _, none) = get_json(&router, "/api/v1/findings?severity=P0,P3").await;
    assert_eq!(none["data"].as_array().unwrap().len(), 0);
    let (_, _, by_time) = get_json(&router, "/api/v1/findings?since=1970-01-01T00:00:00.000003Z").await;
    assert_eq!(by_time["data"].as_array().unwrap().len(), 1);
    let (_, _, stats) = get_json(&router, "/api/v1/stats").await;
    assert_eq!((&stats["findings"], &stats["by_severity"]["P1"]), (&Value::from(3), &Value::from(3)));
}

#[tokio::test]
async fn mistakes_are_answered_with_a_problem_that_names_them() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, page) = get_json(&router, "/api/v1/findings?limit=1").await;
    let foreign = format!("/api/v1/findings?severity=P1&cursor={}", page["next_cursor"].as_str().unwrap());
    for (path, status, words) in [
        ("/api/v1/findings?severety=P1", 400, "severety: unknown parameter; known are since"),
        ("/api/v1/findings?severity=P9", 400, "severity: `P9` is not one of P0, P1, P2, P3"),
        ("/api/v1/findings?since=yesterday", 400, "since: `yesterday` is not a time"),
        ("/api/v1/findings?limit=0", 400, "limit: `0` is not a number from 1 to 500"),
        ("/api/v1/findings?limit=501", 400, "not a number from 1 to 500"),
        ("/api/v1/findings?status=open", 400, "status: `open` is not one of new"),
        ("/api/v1/findings?cursor=xyz", 400, "cursor: the cursor is damaged"),
        (foreign.as_str(), 400, "cursor: the cursor belongs to another filter"),
        ("/api/v1/findings?severity=", 400, "severity: the parameter has no value"),
        ("/api/v1/findings/%FF", 404, "32 hexadecimal digits"),
        ("/api/v1/findings/123", 404, "there is no finding `123`"),
        ("/api/v1/findings/ffffffffffffffffffffffffffffffff", 404, "there is no finding"),
        ("/nowhere", 404, "/openapi.json lists them all"),
    ] {
        let (found, kind, problem) = get_json(&router, path).await;
        assert_eq!((found.as_u16(), kind.as_str()), (status, "application/problem+json"), "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
        assert_eq!(problem["status"], status, "{path}");
    }
    let post = router.clone().oneshot(Request::post("/api/v1/findings").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn health_tells_the_worst_required_part_and_draining_is_not_ready() {
    let (_folder, router, state) =
        service(vec![Fixed(HealthStatus::Pass, true), Fixed(HealthStatus::Fail, false)]).await;
    let (status, kind, health) = get_json(&router, "/health").await;
    assert_eq!(
        (status, kind.as_str(), &health["status"]),
        (StatusCode::OK, "application/health+json", &Value::from("warn"))
    );
    assert_eq!(health["checks"]["llm"]["status"], "fail");
    assert_eq!(get_json(&router, "/ready").await.0, StatusCode::OK);
    state.health.draining.store(true, Ordering::Relaxed);
    assert_eq!(get_json(&router, "/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get_json(&router, "/live").await.0, StatusCode::OK);
    let (_folder, router, _) = service(vec![Fixed(HealthStatus::Fail, true)]).await;
    assert_eq!(get_json(&router, "/health").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_description_covers_every_path() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, description) = get_json(&router, "/openapi.json").await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths: Vec<_> = description["paths"].as_object().unwrap().keys().cloned().collect();
    for path in [
        "/admin/cache/clear",
        "/api/v1/audit",
        "/api/v1/endpoints",
        "/api/v1/endpoints/{name}/enable",
        "/api/v1/deliveries",
        "/api/v1/deliveries/{notice_id}/{endpoint}/retry",
        "/api/v1/entities/{kind}/{value}",
        "/api/v1/findings",
        "/api/v1/findings/{id}",
        "/api/v1/incidents",
        "/api/v1/incidents/{id}",
        "/api/v1/incidents/{id}/summary",
        "/api/v1/incidents/{id}/timeline",
        "/api/v1/mutes",
        "/api/v1/mutes/{id}",
        "/api/v1/stats",
        "/health",
        "/live",
        "/metrics",
        "/ready",
    ] {
        assert!(paths.iter().any(|known| known == path), "{path}: {paths:?}");
    }
    let parameters = description["paths"]["/api/v1/findings"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"source.ip") && names.contains(&"cursor"), "{names:?}");
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn patch(path: &str, tag: Option<&str>, body: &str) -> Request<Body> {
    let request = Request::patch(path);
    let request = match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn an_incident_is_worked_on_under_its_version() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, page) = get_json(&router, "/api/v1/incidents?severity=P1&stage=detection&source.ip=192.0.2.1").await;
    let incident = &page["data"][0];
    assert_eq!((page["data"].as_array().unwrap().len(), &incident["findings"]), (1, &Value::from(3)));
    assert_eq!((&incident["status_id"], &incident["priority_id"]), (&Value::from(1), &Value::from(3)));
    let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
    let (_, headers, _) = send(&router, Request::get(&path).body(Body::empty()).unwrap()).await;
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let body = r#"{"stage": "assessment", "assignee": "ann", "comment": "looking"}"#;
    let (status, headers, changed) = send(&router, patch(&path, Some(&tag), body)).await;
    assert_eq!((status, &changed["status"]), (StatusCode::OK, &Value::from("in_progress")));
    let (status, _, stale) = send(&router, patch(&path, Some(&tag), body)).await;
    assert_eq!((status, &stale["code"]), (StatusCode::PRECONDITION_FAILED, &Value::from("stale")));
    let tag = headers["etag"].to_str().unwrap().to_owned();
    for (tag, body, status, words) in [
        (None, r#"{"stage": "assessment"}"#, 428, "If-Match"),
        (Some("soon"), "{}", 400, "`soon` is not an ETag"),
        (
            Some(tag.as_str()),
            r#"{"stage": "resolution"}"#,
            422,
            "/stage: from assessment the next stage is communication",
        ),
        (Some(tag.as_str()), r#"{"status": "closed"}"#, 422, "/status: an incident is closed from stage post_mortem"),
        (Some(tag.as_str()), r#"{"owner": "x"}"#, 400, "/owner: unknown field; known are stage"),
        (Some(tag.as_str()), r#"{"stage": "later"}"#, 400, "/stage: `later` is not one of detection"),
        (Some(tag.as_str()), r#"{"severity": "P7"}"#, 400, "/severity: `P7` is not one of P0"),
        (Some(tag.as_str()), r#"{"comment": ""}"#, 400, "/comment: must not be empty"),
        (Some(tag.as_str()), "[1]", 400, "must be an object"),
        (Some(tag.as_str()), "{", 400, "not JSON"),
    ] {
        let (found, _, problem) = send(&router, patch(&path, tag, body)).await;
        assert_eq!(found.as_u16(), status, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{body}: {problem}");
    }
    let both = send(&router, patch(&path, Some(&tag), r#"{"a": 1, "b": 2}"#)).await.2;
    assert_eq!(both["errors"].as_array().unwrap().len(), 2, "all mistakes at once");
    let large = format!("{{\"comment\": \"{}\"}}", "x".repeat(100_000));
    let (status, _, problem) = send(&router, patch(&path, Some(&tag), &large)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &Value::from("too_large")));
    let (_, _, timeline) = get_json(&router, &format!("{path}/timeline")).await;
    let kinds: Vec<_> = timeline["data"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "finding").count(), 3);
    assert!(timeline.to_string().contains("the finding that opened the incident"));
    let (_, _, summary) = get_json(&router, &format!("{path}/summary")).await;
    assert_eq!(summary["summary"]["source"], "template");
    assert!(summary["summary"]["sentences"][0]["text"].as_str().unwrap().contains("192.0.2.1"), "{summary}");
    let (status, _, _) = get_json(&router, "/api/v1/incidents/ffffffffffffffffffffffffffffffff").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _, problem) = get_json(&router, "/api/v1/incidents?stag=x").await;
    assert_eq!(
        (status, problem["detail"].as_str().unwrap().contains("unknown parameter")),
        (StatusCode::BAD_REQUEST, true)
    );
}

#[tokio::test]
async fn a_false_positive_is_muted_until_a_stated_end_which_can_be_brought_forward() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, page) = get_json(&router, "/api/v1/incidents").await;
    let incident = &page["data"][0];
    let path = format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap());
    let tag = format!("\"{}\"", incident["version"]);
    let body = |until: &str| json!({"verdict": "false_positive", "mute_until": until}).to_string();
    let mute = async |until: &str| send(&router, patch(&path, Some(&tag), &body(until))).await;
    assert_eq!(mute("tomorrow").await.0, StatusCode::BAD_REQUEST);
    let (status, _, problem) = mute("2999-01-01T00:00:00Z").await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/mute_until")));
    let (status, _, changed) = mute("1970-01-02T00:00:00Z").await;
    assert_eq!((status, &changed["verdict"]), (StatusCode::OK, &json!("false_positive")), "{changed}");
    let (_, _, mutes) = get_json(&router, "/api/v1/mutes").await;
    let mute = &mutes["data"][0];
    assert_eq!((&mute["actor"], &mute["until"]), (&json!("local"), &json!("1970-01-02T00:00:00Z")));
    assert_eq!((&mute["findings"], &mute["incident"]), (&json!(0), &incident["id"]));
    let end = || {
        let path = format!("/api/v1/mutes/{}", mute["id"].as_str().unwrap());
        Request::delete(path).body(Body::empty()).unwrap()
    };
    assert_eq!(send(&router, end()).await.0, StatusCode::OK);
    assert_eq!(send(&router, end()).await.0, StatusCode::NOT_FOUND);
    let held = get_json(&router, "/api/v1/mutes").await.2["data"].as_array().unwrap().len();
    assert_eq!(held, mutes["data"].as_array().unwrap().len() - 1);
    assert_eq!(get_json(&router, "/api/v1/mutes?ended=true").await.2["data"][0]["ended_by"], "local");
}

#[tokio::test]
async fn an_entity_is_shown_with_its_risk_and_the_cache_can_be_cleared() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, entity) = get_json(&router, "/api/v1/entities/source.ip/192.0.2.1").await;
    assert_eq!((&entity["findings"], &entity["complete"]), (&Value::from(3), &Value::Bool(true)));
    assert_eq!((entity["incidents"].as_array().unwrap().len(), &entity["risk"]), (1, &Value::from(225.0)));
    assert_eq!(get_json(&router, "/api/v1/entities/planet/mars").await.0, StatusCode::NOT_FOUND);
    let (_, _, cleared) = send(&router, Request::post("/admin/cache/clear").body(Body::empty()).unwrap()).await;
    assert_eq!(cleared["cleared"]["hot"], 3);
    let (_, _, deliveries) = get_json(&router, "/api/v1/deliveries?state=dead").await;
    assert_eq!(deliveries["data"], Value::Array(Vec::new()));
    assert_eq!(get_json(&router, "/api/v1/deliveries?state=lost").await.0, StatusCode::BAD_REQUEST);
    let retry = Request::post("/api/v1/deliveries/x/y/retry").body(Body::empty()).unwrap();
    assert_eq!(send(&router, retry).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tokens_open_what_their_role_may_and_nothing_else() {
    let (_folder, _, state) = service(vec![]).await;
    let mut texts = Vec::new();
    for (name, role) in [("ship", Role::Ingest), ("view", Role::Viewer), ("ann", Role::Analyst), ("root", Role::Admin)]
    {
        let (text, token) = auth::new_token(name, role, Timestamp(0), None).unwrap();
        state.store.add_token(&token).await.unwrap();
        texts.push(text);
    }
    let (expired, token) = auth::new_token("old", Role::Admin, Timestamp(0), Some(Timestamp(5))).unwrap();
    state.store.add_token(&token).await.unwrap();
    let store: Arc<dyn Store> = Arc::clone(&state.store);
    let auth = Auth::with_tokens(store, || Timestamp(9), Duration::from_secs(300));
    let router = router(ApiState { auth, ..state });
    let ask = async |method: &str, path: &str, token: Option<&str>| {
        let request = Request::builder().method(method).uri(path);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        send(&router, request.body(Body::empty()).unwrap()).await
    };
    let (status, headers, problem) = ask("GET", "/api/v1/findings", None).await;
    assert_eq!((status, headers.contains_key("www-authenticate")), (StatusCode::UNAUTHORIZED, true));
    assert!(problem["detail"].as_str().unwrap().contains("Authorization: Bearer"));
    assert_eq!(ask("GET", "/health", None).await.0, StatusCode::OK);
    let wrong = texts[1][..texts[1].len() - 1].to_owned() + "!";
    for token in ["abc", wrong.as_str(), "c0di3_0000_x", expired.as_str()] {
        let (status, _, problem) = ask("GET", "/api/v1/findings", Some(token)).await;
        assert_eq!((status.as_u16(), problem["code"].as_str().unwrap()), (401, "unauthorized"), "{token}");
    }
    let codes = async |method: &str, path: &str| {
        let mut codes = Vec::new();
        for token in &texts {
            codes.push(ask(method, path, Some(token)).await.0.as_u16());
        }
        codes
    };
    assert_eq!(codes("GET", "/api/v1/findings").await, [403, 200, 200, 200]);
    assert_eq!(codes("PATCH", "/api/v1/incidents/1").await, [403, 403, 404, 404]);
    assert_eq!(codes("GET", "/api/v1/mutes").await, [403, 200, 200, 200]);
    assert_eq!(codes("DELETE", "/api/v1/mutes/0123456789abcdef0123456789abcdef").await, [403, 403, 404, 404]);
    assert_eq!(codes("POST", "/admin/cache/clear").await, [403, 403, 403, 200]);
}

#[tokio::test]
async fn events_are_taken_when_they_are_on_disk_and_mistakes_are_named() {
    let (_folder, ingest) = ingest_state();
    let spool = ingest.spool.clone();
    let (_store, _, state) = service(vec![]).await;
    let router = analyzer_router(ingest, Arc::new(NoRules), Tap::default(), state.health.clone(), Auth::Loopback);
    let post = async |encoding: &str, body: Vec<u8>| {
        let request = Request::post("/ingest").header("content-encoding", encoding).body(Body::from(body)).unwrap();
        send(&router, request).await
    };
    let (status, _, answer) = post("identity", b"one\ntwo\n".to_vec()).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &Value::from(2)));
    assert_eq!(post("", b"[{\"a\":1},{\"b\":2},{}]".to_vec()).await.2["accepted"], 3);
    assert_eq!(post("", Vec::new()).await.2["accepted"], 0);
    for (encoding, body, status, words) in [
        ("gzip", b"no gzip".to_vec(), 400, "no sound gzip stream"),
        ("br", b"x".to_vec(), 415, "`br` is not one of gzip"),
        ("", vec![b'x'; 150_001], 413, "at most 150000 bytes"),
    ] {
        let (found, _, problem) = post(encoding, body).await;
        assert_eq!(found.as_u16(), status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    assert_eq!(post("", vec![b'y'; 149_000]).await.0, StatusCode::OK);
    let (status, headers, problem) = post("", vec![b'y'; 149_000]).await;
    assert_eq!((status, headers.contains_key("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, true), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("the spool is full"));
    let block = spool.read_from(event::Position::default()).next_block(std::time::Duration::from_secs(1)).unwrap();
    assert!(block.bytes.starts_with(b"one\ntwo\n{\"a\":1}\n"));
    assert_eq!(get_json(&router, "/health").await.0, StatusCode::OK);
}

#[tokio::test]
async fn rules_are_explained_and_a_refused_reload_names_file_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let options = ::ingest::spool::SpoolOptions {
        folder: folder.path().join("spool"),
        bytes_max: 200_000,
        segment_bytes: 100_000,
        reserve_bytes: 0,
    };
    let spool = ::ingest::spool::Spool::open(options, Timestamp(1)).unwrap();
    let (_store, _, state) = service(vec![]).await;
    let ingest = IngestState::new(spool, 150_000, 0, || Timestamp(2));
    let router = analyzer_router(ingest, Arc::new(NoRules), Tap::default(), state.health.clone(), Auth::Loopback);
    let post =
        async |path: &str, body: Vec<u8>| send(&router, Request::post(path).body(Body::from(body)).unwrap()).await;
    assert_eq!(get_json(&router, "/api/v1/rules").await.2["generation"], 1);
    let (status, headers, problem) = post("/admin/rules/reload", Vec::new()).await;
    assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (422, "application/problem+json"));
    assert_eq!(problem["errors"][0], serde_json::json!({"pointer": "bad.yml:3:1", "detail": "`title` is missing"}));
    assert_eq!(post("/api/v1/rules/known/explain", b"a line".to_vec()).await.2["bytes"], 6);
    for (path, body, status) in [
        ("/api/v1/rules/unknown/explain", b"a line".to_vec(), 404),
        ("/api/v1/rules/known/explain", b" \n".to_vec(), 400),
        ("/api/v1/rules/known/explain", vec![0xFF], 400),
        ("/api/v1/rules/known/explain", vec![b'x'; (1 << 20) + 1], 413),
    ] {
        let (found, _, problem) = post(path, body).await;
        assert_eq!(found.as_u16(), status, "{problem}");
        assert!(problem["code"].is_string(), "{problem}");
    }
    assert_eq!(get_json(&router, "/api/v1/rules/known/groups?limit=5").await.2["limit"], 5);
    assert_eq!(get_json(&router, "/api/v1/rules/known/groups?group=a%3D1").await.2["group"], "a=1");
    for (path, status) in [
        ("/api/v1/rules/known/groups?limit=0", 400),
        ("/api/v1/rules/known/groups?most=1", 400),
        ("/api/v1/rules/unknown/groups", 404),
        ("/api/v1/rules/busy/groups", 503),
    ] {
        assert_eq!(get_json(&router, path).await.0.as_u16(), status, "{path}");
    }
}

/// Rules of which every change is refused.
struct NoRules;

#[async_trait::async_trait]
impl crate::rules::RuleService for NoRules {
    fn status(&self) -> serde_json::Value {
        serde_json::json!({"generation": 1})
    }

    async fn reload(&self) -> Result<serde_json::Value, crate::rules::ReloadRefused> {
        let (path, reason) = ("bad.yml".to_owned(), "`title` is missing".to_owned());
        let problem = ::rules::Diagnostic { path, line: 3, column: 1, gravity: ::rules::Gravity::Error, reason };
        Err(crate::rules::ReloadRefused::Problems(vec![problem]))
    }

    async fn explain(&self, rule: String, lines: String) -> Option<serde_json::Value> {
        (rule == "known").then(|| serde_json::json!({"bytes": lines.len()}))
    }

    async fn groups(&self, rule: String, wanted: Wanted) -> Result<serde_json::Value, Unanswered> {
        match rule.as_str() {
            "known" => Ok(serde_json::json!({"limit": wanted.limit, "group": wanted.group})),
            "busy" => Err(Unanswered::Busy),
            _ => Err(Unanswered::NoSuchRule),
        }
    }
}
