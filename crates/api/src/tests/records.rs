//! What stays of a request: a line that our own parser reads, and who changed what.

use std::sync::Mutex;

use axum::extract::Extension;
use store::audit::AuditQuery;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::access::TrustedProxies;
use crate::ingest::Peer;

/// Lines of the access log, as they come.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct LineField<'a>(&'a Lines);
        impl tracing::field::Visit for LineField<'_> {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "line" {
                    self.0.0.lock().unwrap().push(value.to_owned());
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        if event.metadata().target() == "access" {
            event.record(&mut LineField(self));
        }
    }
}

/// What our own parser reads in a line.
fn read(line: &str) -> Value {
    let block = event::Block::detached("access.log", format!("{line}\n").into_bytes(), Timestamp(9));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    let mut text = String::new();
    event::json::write_row(&batch, 0, &mut text);
    serde_json::from_str(&text).unwrap()
}

struct Setup {
    _folders: (tempfile::TempDir, tempfile::TempDir),
    agent: Router,
    analyzer: Router,
    state: ApiState,
    audit: AuditLog,
    tokens: Vec<String>,
}

/// Both services with tokens of every role, behind a proxy that is trusted.
async fn set_up() -> Setup {
    let (folder, _, state) = service(vec![]).await;
    let mut tokens = Vec::new();
    for (name, role) in
        [("ship", Role::Ingest), ("view", Role::Viewer), ("ann a", Role::Analyst), ("root", Role::Admin)]
    {
        let (text, token) = auth::new_token(name, role, Timestamp(0), None).unwrap();
        state.store.add_token(&token).await.unwrap();
        tokens.push(text);
    }
    let auth = Auth::with_tokens(
        Arc::clone(&state.store) as Arc<dyn store::Tokens>,
        || Timestamp(9),
        Duration::from_secs(300),
    );
    let state = ApiState { auth: auth.clone(), ..state };
    let audit = AuditLog::new(Arc::clone(&state.store) as Arc<dyn store::Audit>);
    let trusted_proxies = TrustedProxies(Arc::from(["10.0.0.0/8".parse().unwrap()]));
    let surroundings = Surroundings { audit: audit.clone(), trusted_proxies, clock: || Timestamp(90_000_000) };
    let with = |router| surrounded(router, surroundings.clone()).layer(Extension(Peer("10.0.0.2".parse().unwrap())));
    let (spool, ingest) = ingest_state();
    let analyzer = analyzer_router(ingest, Arc::new(NoRules), Tap::default(), state.health.clone(), auth);
    let (agent, analyzer) = (with(router(state.clone())), with(analyzer));
    Setup { _folders: (folder, spool), agent, analyzer, state, audit, tokens }
}

fn request(method: &str, path: &str, token: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("x-forwarded-for", "127.0.0.1, 203.0.113.9");
    let request = request.header("user-agent", "curl/8.5 \"x\"").header("if-match", "*");
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

#[tokio::test]
async fn every_answer_leaves_a_line_that_our_own_parser_reads() {
    let Setup { agent, analyzer, tokens, .. } = &set_up().await;
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let [ship, view, ann, _] = tokens.as_slice() else { panic!() };
    let large = vec![b'x'; 200_000];
    for (router, method, path, token, body, status, user) in [
        (agent, "GET", "/api/v1/findings?rule=r&token=abc", Some(view), &b""[..], 400, Some("view")),
        (agent, "GET", "/api/v1/findings?rule=r", Some(view), b"", 200, Some("view")),
        (agent, "GET", "/api/v1/findings", None, b"", 401, None),
        (agent, "GET", "/api/v1/findings", Some(ship), b"", 403, Some("ship")),
        (agent, "POST", "/admin/cache/clear", Some(ann), b"", 403, Some("ann a")),
        (agent, "GET", "/nowhere", Some(view), b"", 404, None),
        (agent, "DELETE", "/api/v1/findings", Some(view), b"", 405, None),
        (agent, "PATCH", "/api/v1/incidents/ffffffffffffffffffffffffffffffff", Some(ann), &large, 413, Some("ann a")),
        (agent, "GET", "/health", None, b"", 200, None),
        (analyzer, "POST", "/ingest", Some(ship), b"one\n", 200, Some("ship")),
        (analyzer, "POST", "/ingest", Some(ship), &large, 413, Some("ship")),
        (analyzer, "POST", "/ingest", Some(view), b"one\n", 403, Some("view")),
        (analyzer, "POST", "/ingest?api_key=hush", None, b"one\n", 401, None),
        (analyzer, "HEAD", "/api/v1/rules", Some(view), b"", 200, Some("view")),
    ] {
        let request = request(method, path, token.map(String::as_str)).body(Body::from(body.to_vec())).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let size = response.into_body().collect().await.unwrap().to_bytes().len();
        let line = lines.0.lock().unwrap().pop().expect("a line");
        assert!(lines.0.lock().unwrap().is_empty(), "one line for each");
        let event = read(&line);
        let shown = path.replace("token=abc", "token=REDACTED").replace("api_key=hush", "api_key=REDACTED");
        assert_eq!(event["url.original"], shown, "{line}");
        assert_eq!(
            (&event["source.ip"], &event["http.request.method"]),
            (&"203.0.113.9".into(), &method.into()),
            "{line}"
        );
        assert_eq!(
            (&event["http.response.status_code"], event["user.name"].as_str()),
            (&status.into(), user),
            "{line}"
        );
        assert_eq!(event["http.response.body.bytes"], size, "{line}");
        assert_eq!(event["user_agent.original"], "curl/8.5 \"x\"", "{line}");
        assert_eq!(event["network.forwarded_ip"], "203.0.113.9, 10.0.0.2", "{line}");
        assert!(tokens.iter().all(|token| !line.contains(token.as_str())), "{line}");
    }
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_trusted_and_nobody_leaves_without_a_line() {
    let Setup { analyzer, tokens, state, .. } = &set_up().await;
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let [ship, view, ..] = tokens.as_slice() else { panic!() };
    let health = surrounded(
        health_router(state.health.clone()),
        Surroundings {
            audit: AuditLog::new(Arc::clone(&state.store) as Arc<dyn store::Audit>),
            trusted_proxies: TrustedProxies::default(),
            clock: || Timestamp(90_000_000),
        },
    );
    send(&health, Request::get("/live").body(Body::empty()).unwrap()).await;
    assert_eq!(lines.0.lock().unwrap().len(), 1, "the health port as well");
    // Nobody is believed who is not trusted.
    let direct = request("GET", "/api/v1/stats", Some(view.as_str())).extension(Peer("192.0.2.50".parse().unwrap()));
    let untrusted = surrounded(
        router(state.clone()),
        Surroundings {
            audit: AuditLog::new(Arc::clone(&state.store) as Arc<dyn store::Audit>),
            trusted_proxies: TrustedProxies(Arc::from(["10.0.0.0/8".parse().unwrap()])),
            clock: || Timestamp(90_000_000),
        },
    );
    send(&untrusted, direct.body(Body::empty()).unwrap()).await;
    let event = read(&lines.0.lock().unwrap().pop().unwrap());
    assert_eq!((&event["source.ip"], &event["network.forwarded_ip"]), (&"192.0.2.50".into(), &Value::Null));
    // A client that goes away before the answer leaves a line as well.
    lines.0.lock().unwrap().clear();
    let gone = request("POST", "/ingest", Some(ship.as_str())).body(super::filters::stalled()).unwrap();
    let gone = tokio::time::timeout(std::time::Duration::from_millis(200), analyzer.clone().oneshot(gone)).await;
    assert!(gone.is_err());
    let event = read(&lines.0.lock().unwrap().pop().expect("a line"));
    assert_eq!((&event["http.response.status_code"], &event["user.name"]), (&499.into(), &"ship".into()));
    // So does one that stops sending.
    tokio::time::pause();
    let stalled = request("POST", "/ingest", Some(ship.as_str())).body(super::filters::stalled()).unwrap();
    assert_eq!(analyzer.clone().oneshot(stalled).await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    let event = read(&lines.0.lock().unwrap().pop().expect("a line"));
    assert_eq!((&event["http.response.status_code"], &event["user.name"]), (&408.into(), &"ship".into()));
}

#[tokio::test]
async fn who_changed_what_from_where_stands_in_the_audit_log() {
    let Setup { agent, analyzer, state, tokens, .. } = &set_up().await;
    let [ship, view, ann, root] = tokens.as_slice() else { panic!() };
    let ask = async |router: &Router, method: &str, path: &str, token: Option<&String>, body: &str| {
        let request = request(method, path, token.map(String::as_str)).header("x-request-id", "my-id");
        send(router, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let (_, _, page) = ask(agent, "GET", "/api/v1/incidents", Some(view), "").await;
    let id = page["data"][0]["id"].as_str().unwrap().to_owned();
    let incident = format!("/api/v1/incidents/{id}");
    ask(agent, "PATCH", &incident, Some(ann), r#"{"stage": "assessment", "comment": "hush"}"#).await;
    ask(agent, "PATCH", &incident, Some(ann), r#"{"stage": "resolution"}"#).await;
    ask(agent, "POST", "/admin/cache/clear", Some(root), "").await;
    ask(agent, "POST", "/api/v1/deliveries/ab/ops/retry", Some(ann), "").await;
    ask(analyzer, "POST", "/admin/rules/reload", Some(root), "").await;
    ask(analyzer, "POST", "/ingest", Some(ship), "one\n").await;
    let known = [("ops".to_owned(), "target".to_owned())];
    state.store.register_endpoints(&known, Timestamp(1)).await.unwrap();
    state.store.disable_endpoint("ops", "target", "410", &[], Timestamp(2)).await.unwrap();
    let (status, _, problem) = ask(agent, "POST", "/api/v1/deliveries/ab/ops/retry", Some(ann), "").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &"conflict".into()));
    let (_, _, endpoints) = ask(agent, "GET", "/api/v1/endpoints", Some(view), "").await;
    assert_eq!((&endpoints["data"][0]["state"], &endpoints["data"][0]["reason"]), (&"disabled".into(), &"410".into()));
    assert_eq!(ask(agent, "POST", "/api/v1/endpoints/ops/enable", Some(ann), "").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(agent, "POST", "/api/v1/endpoints/ops/enable", Some(root), "").await.0, StatusCode::OK);
    assert_eq!(ask(agent, "POST", "/api/v1/endpoints/ops/enable", Some(root), "").await.0, StatusCode::NOT_FOUND);
    let (_, _, page) = ask(agent, "GET", "/api/v1/audit?limit=500", Some(root), "").await;
    let by_request: Vec<&Value> =
        page["data"].as_array().unwrap().iter().filter(|entry| entry["request_id"] == "my-id").collect();
    let mut told: Vec<String> = by_request
        .iter()
        .filter(|entry| entry["action"] != "login")
        .map(|entry| {
            let part = |name: &str| entry[name].as_str().unwrap().to_owned();
            format!("{} {} {} {} {}", part("actor"), part("action"), part("target"), part("outcome"), entry["status"])
        })
        .collect();
    told.sort();
    let mut wanted = [
        format!("ann a incident.change {id} done 200"),
        format!("ann a incident.change {id} refused 422"),
        "root cache.clear  done 200".to_owned(),
        "ann a delivery.retry ab/ops refused 404".to_owned(),
        "ann a delivery.retry ab/ops refused 409".to_owned(),
        "root rules.reload  refused 422".to_owned(),
        "root endpoint.enable ops done 200".to_owned(),
        "root endpoint.enable ops refused 404".to_owned(),
    ];
    wanted.sort();
    assert_eq!(told, wanted);
    let change =
        by_request.iter().find(|entry| entry["action"] == "incident.change" && entry["status"] == 200).unwrap();
    for (name, value) in [
        ("role", "analyst"),
        ("address", "10.0.0.2"),
        ("forwarded", "203.0.113.9"),
        ("method", "PATCH"),
        ("route", "/api/v1/incidents/{id}"),
        ("detail", "stage: detection to assessment; status: new to in_progress; comment"),
    ] {
        assert_eq!(change[name], value, "{change}");
    }
    assert!(ann.contains(change["actor_id"].as_str().unwrap()) && !page.to_string().contains("hush"));
}

#[tokio::test]
async fn refused_logins_are_one_row_for_each_address_name_and_answer() {
    let Setup { agent, analyzer, state, audit, tokens, .. } = &set_up().await;
    let [_, view, ann, _] = tokens.as_slice() else { panic!() };
    let ask = async |router: &Router, method: &str, path: &str, token: Option<&String>| {
        let request = request(method, path, token.map(String::as_str)).body(Body::empty()).unwrap();
        send(router, request).await.0
    };
    assert_eq!(ask(agent, "POST", "/api/v1/endpoints/ops/enable", Some(ann)).await, StatusCode::FORBIDDEN);
    for _ in 0..50 {
        ask(agent, "GET", "/api/v1/findings", None).await;
        ask(analyzer, "POST", "/ingest", Some(view)).await;
    }
    audit.flush().await;
    assert_eq!(ask(agent, "GET", "/api/v1/audit", Some(ann)).await, StatusCode::FORBIDDEN);
    let query = AuditQuery { action: Some("login".into()), limit: 100, ..AuditQuery::default() };
    let refused = state.store.audit(&query).await.unwrap();
    let mut counts: Vec<(u16, u64, &str)> =
        refused.iter().map(|entry| (entry.status, entry.count, entry.by.actor.as_str())).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(401, 50, ""), (403, 1, "ann a"), (403, 50, "view")]);
    assert!(refused.iter().all(|entry| entry.by.forwarded == "203.0.113.9"));
    // The one that asked for the audit log was refused after the first write.
    audit.flush().await;
    assert_eq!(state.store.audit(&query).await.unwrap().iter().map(|entry| entry.count).sum::<u64>(), 102);
}

#[tokio::test]
async fn the_audit_log_is_paged_and_filtered_and_wrong_filters_are_refused() {
    let Setup { agent, audit, tokens, .. } = &set_up().await;
    let by = |actor: &str| store::audit::By { address: "192.0.2.1".into(), ..store::audit::By::named(actor) };
    for number in 1..=25_i64 {
        let actor = if number % 2 == 0 { "ann" } else { "bob" };
        let at = Timestamp(number * 1_000_000);
        audit.record(store::audit::AuditEntry::new(at, by(actor), "x.change", "t", store::audit::Outcome::Done)).await;
    }
    let ask = async |query: String| {
        let request = request("GET", &format!("/api/v1/audit?{query}"), Some(&tokens[3]));
        send(agent, request.body(Body::empty()).unwrap()).await
    };
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let (status, _, page) = ask(format!("action=x.change&limit=10{cursor}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        seen += page["data"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 25);
    for (query, count) in [
        ("actor=ann", 12),
        ("action=x.change&outcome=refused", 0),
        ("address=192.0.2.1", 25),
        ("action=x.change&since=1970-01-01T00:00:11Z&until=1970-01-01T00:00:13Z", 2),
    ] {
        assert_eq!(ask(format!("{query}&limit=100")).await.2["data"].as_array().unwrap().len(), count, "{query}");
    }
    for (query, words) in [
        ("outcome=lost", "outcome: `lost` is not one of done"),
        ("who=x", "who: unknown parameter; known are since"),
        ("actor=a&actor=b", "actor: the parameter is given twice"),
        ("cursor=abc", "cursor: the cursor is damaged"),
        ("since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z", "until: it is not after since"),
        ("since=now", "is not a time"),
    ] {
        let (status, _, problem) = ask(query.to_owned()).await;
        assert!(status == 400 && problem["detail"].as_str().unwrap().contains(words), "{query}: {problem}");
    }
}
