//! Deliveries against a receiver that takes, refuses, redirects, or is not to be reached.

use std::sync::Mutex;

use event::{Entities, Finding, FindingId, FindingRating, FindingRule, FindingSpan, Level};
use store::{Commit, JoinPolicy, Ledger, SqlStore, Use};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::endpoint::{Format, secrets, url};

const JOIN: JoinPolicy = JoinPolicy { gap_us: 1, opens_from: Severity::P3, notify_age_us: Some(86_400_000_000) };

static NOW: Mutex<i64> = Mutex::new(1_000_000_000);

fn clock() -> Timestamp {
    Timestamp(*NOW.lock().unwrap())
}

/// A receiver that answers with the given heads in turn, the last one for ever; what it was sent.
async fn receiver(heads: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&got);
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut part = vec![0; 16 << 10];
            loop {
                let read = stream.read(&mut part).await.unwrap_or(0);
                request.extend_from_slice(&part[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length: Option<usize> =
                    text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let body = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
                if read == 0 || length == Some(body) {
                    break;
                }
            }
            sent.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
            let head = heads[number.min(heads.len() - 1)];
            number += 1;
            let _written = stream
                .write_all(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
                .await;
        }
    });
    (port, got)
}

/// A finding that opens an incident.
fn finding(number: u128, title: &str, address: String) -> Finding {
    Finding {
        id: FindingId(number),
        rule: FindingRule { id: "r".into(), title: title.into(), level: Level::High },
        also: Vec::new(),
        rating: FindingRating { score: 70, parts: Vec::new(), severity: Severity::P1 },
        span: FindingSpan { first_seen: Some(clock()), last_seen: Some(clock()), count: 5 },
        entities: Entities { source_ip: vec![address], ..Entities::default() },
        techniques: Vec::new(),
        reason: "x".into(),
        response: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
        evidence: Vec::new(),
    }
}

async fn store() -> (tempfile::TempDir, Arc<SqlStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&format!("sqlite:{}/a.db", folder.path().display()), Use::Commit).await.unwrap();
    let finding = finding(1, "a rule <!channel>", "192.0.2.1".into());
    let commit = Commit { findings: vec![finding], join: Some(JOIN), now: clock(), ..Commit::default() };
    store.commit(&commit).await.unwrap();
    (folder, Arc::new(store))
}

fn endpoint(port: u16, format: Format, allow: &[&str]) -> Endpoint {
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    Endpoint {
        name: "ops".into(),
        url: url(&format!("http://localhost:{port}/hook"), true).unwrap(),
        format,
        secrets: secrets(secret).unwrap(),
        least: Severity::P3,
        allow: allow.iter().map(|network| network.parse().unwrap()).collect(),
        allow_http: true,
    }
}

fn deliverer(store: &Arc<SqlStore>, endpoint: Endpoint) -> Deliverer<SqlStore> {
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
    Deliverer::new(Arc::clone(store), vec![endpoint], Some("https://soc.example".into()), clock).unwrap()
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];

#[tokio::test]
async fn a_failed_delivery_comes_again_under_the_same_id_and_is_signed_anew() {
    let (_folder, store) = store().await;
    let (port, got) = receiver(&["503 Busy\r\nretry-after: 7", "204 No Content"]).await;
    let deliverer = deliverer(&store, endpoint(port, Format::Generic, LOOPBACK));
    assert_eq!(deliverer.step().await.unwrap(), 1);
    let waiting = store.deliveries(Some("pending"), 1).await.unwrap().remove(0);
    assert!(waiting.next_at >= clock().saturating_add_us(7_000_000), "Retry-After is honoured");
    assert_eq!(waiting.last_error.as_deref(), Some("the receiver answered 503 Service Unavailable"));
    assert_eq!(deliverer.step().await.unwrap(), 0);
    *NOW.lock().unwrap() += 10_000_000;
    assert_eq!(deliverer.step().await.unwrap(), 1);
    assert_eq!(store.deliveries(Some("delivered"), 1).await.unwrap().len(), 1);
    let requests = got.lock().unwrap().clone();
    let header = |request: &String, name: &str| {
        request.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned()
    };
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"));
    let (id, timestamp) = (header(&requests[1], "webhook-id"), header(&requests[1], "webhook-timestamp"));
    let body = requests[1].split_once("\r\n\r\n").unwrap().1;
    let secret: Vec<u8> = (0..32).collect();
    let wanted = sign::signatures(&[secret.into()], &id, timestamp.parse().unwrap(), body.as_bytes());
    assert_eq!(header(&requests[1], "webhook-signature"), wanted);
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], "incident.created");
    assert_eq!(body["what"], "opened by `a rule <!channel>`");
    assert_eq!(body["changes"][0]["field"], "opened");
    assert!(body["data"]["url"].as_str().unwrap().starts_with("https://soc.example/api/v1/incidents/"));
}

#[tokio::test]
async fn receivers_that_want_no_more_and_redirects_are_not_followed() {
    for (heads, state, error) in [
        (&["410 Gone"][..], "dead", "wants no more"),
        (&["302 Found\r\nlocation: http://127.0.0.1:1/"][..], "pending", "answered 302"),
        (&["400 Bad"][..], "pending", "answered 400"),
    ] {
        let (_folder, store) = store().await;
        let (port, got) = receiver(heads).await;
        deliverer(&store, endpoint(port, Format::Generic, LOOPBACK)).step().await.unwrap();
        let delivery = store.deliveries(None, 1).await.unwrap().remove(0);
        assert_eq!((delivery.state.as_str(), got.lock().unwrap().len()), (state, 1), "{heads:?}");
        assert!(delivery.last_error.unwrap().contains(error));
    }
}

/// Another finding at another address, so that there is another notice.
async fn another_incident(store: &SqlStore, number: u128) {
    let finding = finding(number, "another", format!("198.51.100.{number}"));
    let commit = Commit { findings: vec![finding], join: Some(JOIN), now: clock(), ..Commit::default() };
    store.commit(&commit).await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_answers_410_gets_nothing_more_and_the_others_are_told() {
    let (_folder, store) = store().await;
    let (gone_port, gone) = receiver(&["410 Gone"]).await;
    let (other_port, other) = receiver(&["204 No Content"]).await;
    let (slack_port, slack) = receiver(&["204 No Content"]).await;
    let endpoints = || {
        let other =
            Endpoint { name: "other".into(), least: Severity::P0, ..endpoint(other_port, Format::Generic, LOOPBACK) };
        let slack = Endpoint { name: "slack".into(), ..endpoint(slack_port, Format::Slack, LOOPBACK) };
        vec![endpoint(gone_port, Format::Generic, LOOPBACK), other, slack]
    };
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
    let make = |endpoints| Deliverer::new(Arc::clone(&store), endpoints, None, clock).unwrap();
    let deliverer = make(endpoints());
    for number in 2..5 {
        for _ in 0..4 {
            deliverer.step().await.unwrap();
        }
        another_incident(&store, number).await;
    }
    for _ in 0..4 {
        deliverer.step().await.unwrap();
    }
    assert_eq!(gone.lock().unwrap().len(), 1, "after 410 nothing is sent there");
    let told = other.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "it wants P0 only, but is told of this: {told:?}");
    let body: serde_json::Value = serde_json::from_str(told[0].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&body["type"], &body["data"]["endpoint"]), (&"endpoint.disabled".into(), &"ops".into()), "{body}");
    assert!(body["data"]["reason"].as_str().unwrap().contains("410"), "{body}");
    let told = slack.lock().unwrap().join("\n");
    assert!(told.contains("endpoint ops is disabled") && told.contains("410 Gone"), "{told}");
    let given_up: Vec<_> = store.deliveries(Some("dead"), 10).await.unwrap();
    assert_eq!(given_up.iter().filter(|one| one.endpoint == "ops").count(), 4, "what was not sent can be sent later");
    // A restart changes nothing; another address does.
    assert_eq!(make(endpoints()).step().await.unwrap(), 0);
    assert!(store.endpoints().await.unwrap().iter().any(|state| state.disabled.is_some()));
    let mut changed = endpoints();
    changed[0].url = url(&format!("http://localhost:{gone_port}/another"), true).unwrap();
    make(changed).step().await.unwrap();
    assert!(store.endpoints().await.unwrap().iter().all(|state| state.disabled.is_none()));
}

#[tokio::test]
async fn a_closed_address_is_never_connected_to() {
    let (_folder, store) = store().await;
    let (port, got) = receiver(&["204 No Content"]).await;
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let mut endpoint = endpoint(port, Format::Generic, &[]);
        endpoint.url = url(&format!("http://{host}:{port}/"), true).unwrap();
        deliverer(&store, endpoint).step().await.unwrap();
        *NOW.lock().unwrap() += 3_600_000_000;
    }
    let error = store.deliveries(None, 1).await.unwrap().remove(0).last_error.unwrap();
    assert!(error.contains("loopback"), "{error}");
    assert_eq!(got.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn slack_gets_blocks_without_mentions() {
    let (_folder, store) = store().await;
    let (port, got) = receiver(&["200 OK"]).await;
    deliverer(&store, endpoint(port, Format::Slack, LOOPBACK)).step().await.unwrap();
    let request = got.lock().unwrap()[0].clone();
    let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let text = body["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(text.contains("New incident P1: a rule &lt;!channel&gt;") && !text.contains("<!"), "{text}");
}

#[test]
fn the_last_attempt_is_followed_by_none() {
    let retry = |attempts| next_attempt(attempts, "x".into(), None, Timestamp(0));
    for attempts in 1..=PAUSES_S.len() as u64 {
        assert!(matches!(retry(attempts), Attempt::Retry { .. }), "{attempts}");
    }
    assert!(matches!(retry(PAUSES_S.len() as u64 + 1), Attempt::Dead { .. }));
}
