//! What lists and parameters must not do: answer an empty page where a filter was not understood.

use http_body::Frame;

use super::*;

async fn count(router: &Router, path: &str) -> usize {
    let (status, _, page) = get_json(router, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {page}");
    page["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn lists_by_title_and_by_network_find_what_is_there() {
    let (_folder, router, _) = service(vec![]).await;
    for filter in [
        "rule=title",
        "rule=TITLE",
        "rule=r",
        "rule=other,title",
        "source.ip=192.0.2.0/24",
        "source.ip=192.0.2.1/32",
        "source.ip=198.51.100.0/24,192.0.2.0/30",
        "source.ip=::ffff:192.0.2.1",
        "source.ip=0.0.0.0/0",
    ] {
        assert_eq!(count(&router, &format!("/api/v1/findings?{filter}")).await, 3, "{filter}");
        if filter.starts_with("source.ip") {
            assert_eq!(count(&router, &format!("/api/v1/incidents?{filter}")).await, 1, "{filter}");
        }
    }
    for filter in ["source.ip=198.51.100.0/24", "source.ip=2001:db8::/32", "source.ip=::/0"] {
        assert_eq!(count(&router, &format!("/api/v1/findings?{filter}")).await, 0, "{filter}");
        assert_eq!(count(&router, &format!("/api/v1/incidents?{filter}")).await, 0, "{filter}");
    }
    // Pages of a network go on with its cursor.
    let (_, _, first) = get_json(&router, "/api/v1/findings?limit=2&source.ip=192.0.2.0/24").await;
    let next = format!(
        "/api/v1/findings?limit=2&source.ip=192.0.2.0/24&cursor={}",
        first["next_cursor"].as_str().expect("there is more")
    );
    assert_eq!(count(&router, &next).await, 1);
}

#[tokio::test]
async fn filters_that_cannot_find_anything_are_refused_with_the_reason() {
    let (_folder, router, _) = service(vec![]).await;
    for (path, words) in [
        ("/api/v1/findings?source.ip=gateway", "source.ip: `gateway` is no address and no network"),
        ("/api/v1/findings?source.ip=192.0.2.1:80", "is no address and no network"),
        ("/api/v1/findings?source.ip=192.0.2.0/33", "is no address and no network"),
        ("/api/v1/incidents?source.ip=10.0.0", "is no address and no network"),
        ("/api/v1/findings?host.name=web*", "host.name: `web*` holds a wildcard"),
        ("/api/v1/findings?user.name=adm*", "user.name: `adm*` holds a wildcard"),
        ("/api/v1/incidents?host.name=web*", "holds a wildcard"),
        ("/api/v1/findings?severity=,", "severity: the parameter has no value"),
        ("/api/v1/findings?rule=,", "rule: the parameter has no value"),
        ("/api/v1/incidents?stage=,", "stage: the parameter has no value"),
        ("/api/v1/findings?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until: it is not after since"),
        (
            "/api/v1/findings?since=2026-01-02T00:00:00Z&since=2026-01-03T00:00:00Z",
            "since: the parameter is given twice",
        ),
        ("/api/v1/findings?limit=1&limit=2", "limit: the parameter is given twice"),
        ("/api/v1/incidents?limit=1&limit=2", "limit: the parameter is given twice"),
        ("/api/v1/incidents?assignee=ann&assignee=bob", "assignee: the parameter is given twice"),
        ("/api/v1/deliveries?state=dead&state=pending", "state: the parameter is given twice"),
        ("/api/v1/entities/source.ip/192.0.2.0%2F24", "is no address"),
    ] {
        let (status, kind, problem) = get_json(&router, path).await;
        assert_eq!((status.as_u16(), kind.as_str()), (400, "application/problem+json"), "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    let many = format!("/api/v1/findings?rule={}", "a,".repeat(2_000));
    let (status, _, problem) = get_json(&router, &many).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("at most 100 rules"), "{problem}");
    // A name that holds a star itself can still be asked for.
    assert_eq!(count(&router, "/api/v1/findings?user.name=adm%5C*").await, 0);
}

#[tokio::test]
async fn an_empty_page_says_which_filter_nothing_is_known_of() {
    let (_folder, router, _) = service(vec![]).await;
    for (path, words) in [
        ("/api/v1/findings?rule=No+such+rule", "rule `No such rule`"),
        ("/api/v1/findings?host.name=WEB1", "host.name `WEB1`"),
        ("/api/v1/findings?source.ip=198.51.100.0/24", "source.ip `198.51.100.0/24`"),
        ("/api/v1/incidents?user.name=Root", "user.name `Root`"),
    ] {
        let (_, _, page) = get_json(&router, path).await;
        assert_eq!(page["data"].as_array().unwrap().len(), 0, "{path}");
        assert!(page["notes"][0].as_str().unwrap_or("").contains(words), "{path}: {page}");
    }
    let (_, _, page) = get_json(&router, "/api/v1/findings?rule=r&severity=P0").await;
    assert!(page.get("notes").is_none(), "the rule is known: {page}");
}

#[tokio::test]
async fn any_version_of_an_incident_is_changed_where_the_tag_says_so() {
    let (_folder, router, _) = service(vec![]).await;
    let (_, _, page) = get_json(&router, "/api/v1/incidents").await;
    let path = format!("/api/v1/incidents/{}", page["data"][0]["id"].as_str().unwrap());
    for comment in ["one", "two"] {
        let body = format!("{{\"comment\": \"{comment}\"}}");
        let (status, headers, changed) = send(&router, patch(&path, Some("*"), &body)).await;
        assert_eq!(status, StatusCode::OK, "{changed}");
        assert_eq!(headers["etag"].to_str().unwrap(), format!("\"{}\"", changed["version"]));
    }
    // A list holds the current version or it does not.
    let (_, headers, _) = send(&router, Request::get(&path).body(Body::empty()).unwrap()).await;
    let list = format!("\"900\", {}", headers["etag"].to_str().unwrap());
    assert_eq!(send(&router, patch(&path, Some(&list), "{\"comment\": \"three\"}")).await.0, StatusCode::OK);
    let (status, _, problem) = send(&router, patch(&path, Some("\"900\", \"901\""), "{\"comment\": \"x\"}")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PRECONDITION_FAILED, &Value::from("stale")));
    let missing = "/api/v1/incidents/ffffffffffffffffffffffffffffffff";
    let (status, _, _) = send(&router, patch(missing, Some("*"), "{\"comment\": \"x\"}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn parameters_that_nobody_reads_are_refused() {
    let (_folder, agent, state) = service(vec![]).await;
    let (_spool, analyzer) = analyzer(&state);
    let incident = {
        let (_, _, page) = get_json(&agent, "/api/v1/incidents").await;
        page["data"][0]["id"].as_str().unwrap().to_owned()
    };
    for (router, method, path) in [
        (&analyzer, "POST", "/ingest?pipeline=x".to_owned()),
        (&analyzer, "POST", "/admin/rules/reload?force=1".to_owned()),
        (&analyzer, "POST", "/api/v1/rules/known/explain?lines=1".to_owned()),
        (&analyzer, "GET", "/api/v1/rules?x=1".to_owned()),
        (&agent, "GET", "/api/v1/stats?since=2026-01-01T00:00:00Z".to_owned()),
        (&agent, "GET", format!("/api/v1/incidents/{incident}?full=1")),
        (&agent, "GET", format!("/api/v1/incidents/{incident}/timeline?limit=1")),
        (&agent, "PATCH", format!("/api/v1/incidents/{incident}?force=1")),
        (&agent, "POST", "/admin/cache/clear?only=hot".to_owned()),
    ] {
        let request = Request::builder().method(method).uri(&path).header("if-match", "*");
        let (status, _, problem) = send(router, request.body(Body::from("one\n")).unwrap()).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &Value::from("bad_request")), "{path}: {problem}");
        let name = path.split_once('?').unwrap().1.split('=').next().unwrap();
        let words = format!("{name}: unknown parameter; this path takes none");
        assert!(problem["detail"].as_str().unwrap().contains(&words), "{path}: {problem}");
    }
    assert_eq!(send(&analyzer, Request::post("/ingest").body(Body::from("one\n")).unwrap()).await.0, StatusCode::OK);
    assert_eq!(send(&agent, Request::get("/live?probe=1").body(Body::empty()).unwrap()).await.0, StatusCode::OK);
}

/// A body of which a part comes, and then nothing for ever.
pub(super) fn stalled() -> Body {
    Body::new(Half(Some(axum::body::Bytes::from_static(b"{\"comment\""))))
}

struct Half(Option<axum::body::Bytes>);

impl axum::body::HttpBody for Half {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.0.take().map_or(std::task::Poll::Pending, |part| std::task::Poll::Ready(Some(Ok(Frame::data(part)))))
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408_as_a_problem() {
    let (_folder, agent, state) = service(vec![]).await;
    let (_spool, analyzer) = analyzer(&state);
    // Not before: the store's threads know nothing of a clock that stands still.
    tokio::time::pause();
    for (router, request) in [
        (&agent, Request::patch("/api/v1/incidents/ffffffffffffffffffffffffffffffff").header("if-match", "*")),
        (&analyzer, Request::post("/ingest")),
        (&analyzer, Request::post("/api/v1/rules/known/explain")),
    ] {
        let response = router.clone().oneshot(request.body(stalled()).unwrap()).await.unwrap();
        let kind = response.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
        assert_eq!((response.status().as_u16(), kind.as_str()), (408, "application/problem+json"));
        let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!((&body["code"], &body["status"]), (&Value::from("stalled"), &Value::from(408)), "{body}");
    }
}
