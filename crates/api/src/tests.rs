//! The API against a real store: what each path answers, and how mistakes are told.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use event::{Entities, EventId, Evidence, Finding, FindingId, Level, Severity, Timestamp};
use http_body_util::BodyExt;
use serde_json::Value;
use store::{Commit, Ledger, Mark, MemoryHot, SqliteStore};
use tower::ServiceExt;

use super::*;
use crate::health::{CheckResult, HealthStatus};

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
        rule_id: "r".into(),
        rule_title: "title".into(),
        level: Level::High,
        score: 75,
        score_parts: Vec::new(),
        severity: Severity::P1,
        first_seen: Some(Timestamp(number as i64)),
        last_seen: Some(Timestamp(number as i64)),
        count: 1,
        entities: Entities { source_ip: vec!["192.0.2.1".into()], ..Entities::default() },
        techniques: Vec::new(),
        reason: "matched".into(),
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
    let store = SqliteStore::open(&format!("sqlite:{}/t.db", folder.path().display())).await.unwrap();
    store.commit(&Commit { findings: (1..=3).map(finding).collect(), ..Commit::default() }).await.unwrap();
    let hot = MemoryHot::default();
    hot.record(&store.changed_after(Mark::START, 100).await.unwrap());
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let boxed = checks.into_iter().map(|check| Box::new(check) as Box<dyn HealthCheck>).collect::<Vec<_>>();
    let state = ApiState {
        findings: Arc::new(store),
        hot: Arc::new(hot),
        checks: Arc::from(boxed),
        metrics: recorder.handle(),
        draining: Arc::new(AtomicBool::new(false)),
    };
    (folder, router(state.clone()), state)
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
    state.draining.store(true, Ordering::Relaxed);
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
    assert_eq!(
        paths,
        ["/api/v1/findings", "/api/v1/findings/{id}", "/api/v1/stats", "/health", "/live", "/metrics", "/ready"]
    );
    let parameters = description["paths"]["/api/v1/findings"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"source.ip") && names.contains(&"cursor"), "{names:?}");
}
