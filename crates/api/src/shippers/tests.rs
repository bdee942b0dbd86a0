//! Each protocol in its own words: what is answered for what is sound, for what is poison, and for each way to be wrong.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Request as HttpRequest};
use event::{Position, Timestamp};
use ingest::spool::{Spool, SpoolOptions};
use serde_json::json;
use store::people::{Role, Token, Tokens};
use tower::ServiceExt;

use super::*;
use crate::auth::{Auth, new_token};
use crate::guard;

/// Bytes of the largest body, and of a spool that is soon full.
pub(super) const BODY_BYTES_MAX: u64 = 40 << 20;
pub(super) const SMALL_SPOOL: u64 = 200_000;

pub(super) struct Port {
    _folder: tempfile::TempDir,
    state: IngestState,
    pub(super) router: Router,
    pub(super) token: String,
}

/// One token of the role `ingest`, one of a viewer.
#[derive(Debug)]
struct Known(Vec<Token>);

#[async_trait::async_trait]
impl Tokens for Known {
    async fn token(&self, id: &str) -> Result<Option<Token>, store::StoreError> {
        Ok(self.0.iter().find(|token| token.id == id).cloned())
    }
    async fn tokens(&self) -> Result<Vec<Token>, store::StoreError> {
        Ok(Vec::new())
    }
    async fn add_token_by(&self, _: &Token, _: &store::audit::By) -> Result<(), store::StoreError> {
        Ok(())
    }
    async fn revoke_token_by(&self, _: &str, _: &store::audit::By, _: Timestamp) -> Result<bool, store::StoreError> {
        Ok(false)
    }
}

/// The layers are those of the analyzer's router.
pub(super) fn port(spool_bytes_max: u64, with_tokens: bool) -> Port {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions {
        folder: folder.path().join("spool"),
        bytes_max: spool_bytes_max,
        segment_bytes: spool_bytes_max / 2,
        reserve_bytes: 0,
    };
    let spool = Spool::open(options, Timestamp(1)).unwrap();
    let state = IngestState::new(spool, BODY_BYTES_MAX, 0, || Timestamp(2));
    let (token, known) = new_token("ship", Role::Ingest, Timestamp(0), None).unwrap();
    let auth = match with_tokens {
        true => Auth::with_tokens(Arc::new(Known(vec![known])), || Timestamp(1), Duration::from_secs(1)),
        false => Auth::Loopback,
    };
    let router = routes()
        .with_state::<()>(state.clone())
        .layer(axum::middleware::from_fn_with_state(auth, crate::auth::authorise))
        .fallback(async || Problem::not_found("there is no such path"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(axum::middleware::from_fn(guard::guard))
        .layer(axum::middleware::from_fn(speak));
    Port { _folder: folder, state, router, token }
}

pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    hangs_up: bool,
}

impl Answered {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(super) fn kind(&self) -> &str {
        self.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap())
    }
}

impl Port {
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answered {
        let mut request = HttpRequest::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let hangs_up = response.extensions().get::<HangUp>().is_some();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answered { status, headers, body: String::from_utf8_lossy(&body).into_owned(), hangs_up }
    }

    pub(super) fn spooled(&self) -> String {
        let mut reader = self.state.spool.read_from(Position::default());
        let mut all = Vec::new();
        while let Some(block) = reader.next_block(Duration::from_millis(50)) {
            all.extend_from_slice(&block.bytes);
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

const BULK: &str = "{\"create\":{\"_index\":\"logs\"}}\n{\"m\":1}\n{\"index\":{\"_id\":\"x\"}}\n{\"m\":2}\n";
const AGENT: (&str, &str) = ("user-agent", "test/1");

#[tokio::test]
async fn bulk_requests_are_answered_item_by_item_with_the_product_in_every_answer() {
    let port = port(64 << 20, false);
    let vendor = "application/vnd.elasticsearch+json; compatible-with=9";
    for (method, path, body) in [
        ("PUT", "/_bulk", BULK.as_bytes().to_vec()),
        ("POST", "/_bulk?filter_path=took,errors,items", BULK.as_bytes().to_vec()),
        ("POST", "/logs-a/_bulk?pipeline=p&refresh=false", BULK.as_bytes().to_vec()),
        ("POST", "/logs/_doc/_bulk", gzip(BULK.as_bytes())),
    ] {
        let encoding = if body[0] == 0x1F { "gzip" } else { "" };
        let headers = [AGENT, ("accept", vendor), ("content-encoding", encoding)];
        let answer = port.send(method, path, &headers, body).await;
        assert_eq!((answer.status, answer.headers["x-elastic-product"].to_str().unwrap()), (200, "Elasticsearch"));
        assert_eq!(answer.kind(), "application/vnd.elasticsearch+json;compatible-with=9");
        assert!(answer.body.contains("\"errors\":false,\"items\":["), "{}", answer.body);
        let items = answer.json()["items"].clone();
        assert_eq!((&items[0]["create"]["status"], &items[0]["create"]["_index"]), (&201.into(), &"logs".into()));
        assert_eq!((&items[1]["index"]["status"], &items[1]["index"]["_id"]), (&201.into(), &"x".into()));
    }
    assert_eq!(port.spooled(), "{\"m\":1}\n{\"m\":2}\n".repeat(4));
    let short = port.send("POST", "/_bulk?filter_path=errors%2Citems.*.error%2Citems.*.status", &[AGENT], BULK).await;
    assert_eq!(short.body, "{\"errors\":false,\"items\":[{\"create\":{\"status\":201}},{\"index\":{\"status\":201}}]}");
}

#[tokio::test]
async fn poison_costs_a_bulk_request_nothing_and_what_is_none_is_refused_in_its_words() {
    let port = port(64 << 20, false);
    let body = "{\"delete\":{\"_id\":\"a\"}}\n{\"create\":{}}\n{broken\n{\"update\":{\"_id\":\"b\"}}\n{\"doc\":{\"m\":3}}\n{\"create\":{}}\n";
    let answer = port.send("POST", "/_bulk", &[AGENT], body).await;
    let (json, kind) = (answer.json(), answer.kind());
    assert_eq!((answer.status, kind, &json["errors"]), (200, "application/json", &true.into()));
    let statuses: Vec<u64> = ["delete", "create", "update", "create"]
        .iter()
        .zip(0..)
        .map(|(action, at): (_, usize)| json["items"][at][action]["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [404, 201, 200, 400]);
    assert_eq!(port.spooled(), "{broken\n{\"m\":3}\n");
    for (path, headers, body, status, kind) in [
        ("/_bulk", AGENT, b"GET / HTTP/1.1\r\n".to_vec(), 400, "illegal_argument_exception"),
        ("/_bulk", AGENT, b"<38>Jan  1 00:00:00 h p: m\n".to_vec(), 400, "illegal_argument_exception"),
        ("/_bulk", AGENT, Vec::new(), 400, "parse_exception"),
        ("/_bulk", ("content-encoding", "gzip"), b"no gzip".to_vec(), 400, "illegal_argument_exception"),
        ("/_bulk", ("content-encoding", "br"), b"x".to_vec(), 415, "media_type_header_exception"),
        (
            "/_bulk",
            ("content-encoding", "gzip"),
            gzip(&vec![b' '; BODY_BYTES_MAX as usize + 1]),
            413,
            "content_too_long_exception",
        ),
        ("/_search", AGENT, Vec::new(), 404, "resource_not_found_exception"),
    ] {
        let answer = port.send("POST", path, &[headers, ("user-agent", "a")][..], body).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["error"]["type"], &json["status"]), (status, &kind.into(), &status.into()));
        assert!(answer.headers.contains_key("x-elastic-product") && answer.kind() == "application/json");
        assert!(!answer.hangs_up);
    }
    assert_eq!(port.send("DELETE", "/_bulk", &[AGENT], "").await.json()["status"], 405);
}

#[tokio::test]
async fn what_clients_of_elasticsearch_ask_around_bulk_requests_is_there() {
    let port = port(64 << 20, false);
    let who = port.send("GET", "/", &[("user-agent", "Elastic-Filebeat/9.1.2 (x)")], "").await.json();
    assert_eq!((&who["version"]["number"], &who["tagline"]), (&"9.1.2".into(), &"You Know, for Search".into()));
    assert_eq!(who["version"]["build_flavor"], "default");
    let who = port.send("GET", "/", &[("user-agent", "opensearch-py/3.2.0")], "").await.json();
    assert_eq!(who["version"]["distribution"], "opensearch");
    let head = port.send("HEAD", "/", &[], "").await;
    assert_eq!((head.status, head.body.as_str(), head.headers.contains_key("x-elastic-product")), (200, "", true));
    assert_eq!(port.send("GET", "/_license", &[], "").await.json()["license"]["status"], "active");
    let features = port.send("GET", "/_xpack", &[], "").await.json();
    assert_eq!(
        (&features["features"]["ilm"]["enabled"], &features["license"]["status"]),
        (&true.into(), &"active".into())
    );
    assert_eq!(port.send("GET", "/_cluster/health", &[], "").await.json()["status"], "green");
    assert!(port.send("GET", "/_cat/health", &[], "").await.body.contains("green"));
    for (path, part) in [
        ("/_ilm/policy/filebeat", "filebeat"),
        ("/_index_template/filebeat-9", "index_templates"),
        ("/_template/logstash", "logstash"),
        ("/_component_template/c", "component_templates"),
        ("/_data_stream/filebeat-9", "data_streams"),
        ("/_alias/filebeat", "filebeat"),
        ("/_ingest/pipeline/filebeat-9-system-auth", "filebeat-9-system-auth"),
        ("/_nodes/http", "nodes"),
    ] {
        let answer = port.send("GET", path, &[], "").await;
        assert!(answer.status == 200 && !answer.json()[part].is_null(), "{path}: {}", answer.body);
        if part != "nodes" {
            assert_eq!(port.send("HEAD", path, &[], "").await.status, 200, "{path}");
            assert_eq!(port.send("PUT", path, &[], "{\"a\":1}").await.json()["acknowledged"], true, "{path}");
        }
    }
}

#[tokio::test]
async fn splunk_is_answered_by_its_table_of_codes() {
    let port = port(64 << 20, false);
    let channel = "0f5ac5e8-9d1c-4b4b-8a44-26ad6b1b9a55";
    let event = "{\"event\":\"one\"}{\"event\":{\"a\":1}}";
    for (path, kind, body) in [
        ("/services/collector", "", event),
        ("/services/collector/event", "application/x-www-form-urlencoded", event),
        ("/services/collector/event/1.0", "application/json", event),
        ("/services/collector/raw", "text/plain", "one\ntwo\n"),
        ("/services/collector/raw/1.0?sourcetype=st", "", "one\ntwo\n"),
    ] {
        let answer = port.send("POST", path, &[("content-type", kind)], body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{\"text\":\"Success\",\"code\":0}"), "{path}");
    }
    assert_eq!(port.spooled().lines().count(), 10);
    let acked = port.send("POST", "/services/collector/event", &[("x-splunk-request-channel", channel)], event).await;
    let id = acked.json()["ackId"].as_u64().unwrap();
    let asked = format!("{{\"acks\":[{id}]}}");
    let acks = port.send("POST", &format!("/services/collector/ack?channel={channel}"), &[], asked.clone()).await;
    assert_eq!(acks.json()["acks"][id.to_string()], true);
    for (path, body, status, code) in [
        ("/services/collector/event", "", 400, 5),
        ("/services/collector/event", "no json", 400, 6),
        ("/services/collector/event", "{\"a\":1}", 400, 12),
        ("/services/collector/event", "{\"event\":\"\"}", 400, 13),
        ("/services/collector/raw", "", 400, 5),
        ("/services/collector/ack", asked.as_str(), 400, 10),
        ("/services/collector/ack?channel=x", asked.as_str(), 400, 11),
        ("/services/collector/nothing", "", 404, 404),
    ] {
        let answer = port.send("POST", path, &[], body.to_owned()).await;
        assert_eq!((answer.status, answer.json()["code"].as_u64()), (status, Some(code)), "{path} {body}");
        assert_eq!(answer.kind(), "application/json");
    }
    let health = port.send("GET", "/services/collector/health", &[], "").await;
    assert_eq!((health.status, health.json()["code"].as_u64()), (200, Some(17)));
}

#[tokio::test]
async fn loki_otlp_gelf_firehose_and_datadog_are_answered_as_their_clients_need() {
    let port = port(64 << 20, false);
    let loki = r#"{"streams":[{"stream":{"app":"sshd"},"values":[["1","one"]]}]}"#;
    let json = ("content-type", "application/json");
    let protobuf = ("content-type", "application/x-protobuf");
    let answer = port.send("POST", "/loki/api/v1/push", &[json, ("x-scope-orgid", "t")], loki).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    // PushRequest { streams: [{ labels: "{app=\"sshd\"}", entries: [{ timestamp: {seconds: 1}, line: "two" }] }] }
    let entry = b"\x0a\x02\x08\x01\x12\x03two";
    let stream = [b"\x0a\x0c{app=\"sshd\"}\x12\x09".as_slice(), entry].concat();
    let push = [&[0x0A, stream.len() as u8][..], &stream].concat();
    let block = snappy_literal(&push);
    for headers in [&[protobuf][..], &[protobuf, ("content-encoding", "snappy")]] {
        assert_eq!(port.send("POST", "/loki/api/v1/push", headers, block.clone()).await.status, 204);
    }
    let otlp = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"three"}},{}]}]}]}"#;
    let answer = port.send("POST", "/v1/logs", &[json], otlp).await;
    assert_eq!((answer.status, &answer.json()["partialSuccess"]["rejectedLogRecords"]), (200, &"1".into()));
    assert_eq!(port.send("POST", "/v1/logs", &[json], "{}").await.body, "{}");
    let empty = port.send("POST", "/v1/logs", &[protobuf], "").await;
    assert_eq!((empty.status, empty.body.as_str(), empty.kind()), (200, "", "application/x-protobuf"));
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(br#"{"short_message":"four","host":"h"}"#).unwrap();
    let zlib = zlib.finish().unwrap();
    assert_eq!(port.send("POST", "/gelf", &[("content-encoding", "gzip,deflate")], zlib).await.status, 202);
    let named = [("x-amz-firehose-request-id", "r-1"), ("x-amz-firehose-protocol-version", "1.0")];
    let body = r#"{"requestId":"r-1","timestamp":1,"records":[{"data":"Zml2ZQo="}]}"#;
    let answer = port.send("POST", "/firehose", &named, body).await;
    assert_eq!((answer.status, &answer.json()["requestId"]), (200, &"r-1".into()));
    assert!(answer.json()["timestamp"].is_u64() && answer.json().get("errorMessage").is_none());
    let answer = port.send("POST", "/api/v2/logs", &[], r#"[{"message":"six"},{"message":"seven"}]"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "{}"));
    assert_eq!(port.send("POST", "/v1/input", &[], r#"{"message":"eight"}"#).await.status, 200);
    assert_eq!(port.send("GET", "/api/v1/validate", &[], "").await.json()["valid"], true);
    let journal = "__CURSOR=c\n__REALTIME_TIMESTAMP=1\nMESSAGE=nine\n\n";
    let kind = ("content-type", "application/vnd.fdo.journal");
    let answer = port.send("POST", "/upload", &[kind], journal).await;
    assert_eq!((answer.status, answer.headers.contains_key("accept-encoding")), (202, true));
    let spooled = port.spooled();
    for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] {
        assert!(spooled.contains(word), "{word}: {spooled}");
    }
    for (path, headers, body, status) in [
        ("/loki/api/v1/push", &[json][..], "junk", 400),
        ("/loki/api/v1/push", &[protobuf], "junk", 400),
        ("/loki/api/v1/push", &[("content-type", "text/plain")], "junk", 415),
        ("/v1/logs", &[json], "junk", 400),
        ("/v1/logs", &[protobuf], "junk", 400),
        ("/v1/logs", &[("content-type", "text/plain")], "junk", 415),
        ("/v1/traces", &[json], "{}", 404),
        ("/gelf", &[], "", 400),
        ("/firehose", &[("x-amz-firehose-protocol-version", "2.0"), named[0]], body, 400),
        ("/upload", &[kind], "junk\n", 400),
        ("/upload", &[json], "{}", 415),
    ] {
        let answer = port.send("POST", path, headers, body).await;
        assert_eq!(answer.status, status, "{path} {}", answer.body);
        assert!(!answer.kind().contains("problem"), "{path}");
    }
}

/// A snappy block of one literal of less than 60 bytes.
fn snappy_literal(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 60);
    [&[bytes.len() as u8, (bytes.len() as u8 - 1) << 2][..], bytes].concat()
}

/// A sound request of each protocol: path, media type, body.
pub(super) const SOUND: [(&str, &str, &str); 9] = [
    ("/_bulk", "application/x-ndjson", BULK),
    ("/services/collector/event", "application/json", "{\"event\":\"x\"}"),
    ("/services/collector/raw", "text/plain", "x"),
    ("/loki/api/v1/push", "application/json", r#"{"streams":[{"stream":{},"values":[["1","x"]]}]}"#),
    (
        "/v1/logs",
        "application/json",
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#,
    ),
    ("/gelf", "application/json", r#"{"short_message":"x"}"#),
    ("/upload", "application/vnd.fdo.journal", "MESSAGE=x\n\n"),
    ("/firehose", "application/json", r#"{"requestId":"r","timestamp":1,"records":[{"data":"eAo="}]}"#),
    ("/api/v2/logs", "application/json", r#"[{"message":"x"}]"#),
];

#[tokio::test]
async fn a_full_spool_is_503_with_retry_after_and_never_a_problem_document() {
    let port = port(SMALL_SPOOL, false);
    // Until not even a short line finds room.
    for length in [90_000, 1000, 1] {
        let line = "y".repeat(length);
        while port.send("POST", "/services/collector/raw", &[], line.clone()).await.status == 200 {}
    }
    // The journal's upload is held back for longer than a test should take, and is told the same.
    for (path, kind, body) in SOUND.into_iter().filter(|(path, ..)| *path != "/upload") {
        let answer = port.send("POST", path, &[AGENT, ("content-type", kind)], body).await;
        assert_eq!((answer.status, answer.kind()), (503, "application/json"), "{path}: {}", answer.body);
        assert_eq!(answer.headers["retry-after"], "2", "{path}");
        let (pointer, word) = match path {
            "/_bulk" => ("/error/type", json!("es_rejected_execution_exception")),
            "/services/collector/event" | "/services/collector/raw" => ("/code", json!(9)),
            "/loki/api/v1/push" => ("/status", json!("error")),
            "/v1/logs" => ("/code", json!(14)),
            "/firehose" => ("/requestId", json!("")),
            "/api/v2/logs" => ("/errors/0/status", json!("503")),
            _ => ("", answer.json()),
        };
        assert_eq!(answer.json().pointer(pointer), Some(&word), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_spool_that_is_full_hangs_up_on_rsyslog_and_tells_everybody_else() {
    let port = port(SMALL_SPOOL, false);
    let document = format!("{{\"create\":{{}}}}\n{{\"m\":\"{}\"}}\n", "y".repeat(60_000));
    let mut last = port.send("POST", "/_bulk", &[AGENT], document.clone()).await;
    for _ in 0..10 {
        last = port.send("POST", "/_bulk", &[AGENT], document.clone()).await;
    }
    assert_eq!((last.status, last.json()["error"]["type"].as_str()), (503, Some("es_rejected_execution_exception")));
    assert!(last.headers.contains_key("retry-after") && last.headers.contains_key("x-elastic-product"));
    assert!(!last.hangs_up);
    // It names no agent: any answer would make it throw the batch away, and any to its probe send it again at once.
    assert!(port.send("POST", "/_bulk", &[], document).await.hangs_up);
    assert_eq!(port.send("GET", "/_cat/health", &[], "").await.hangs_up, port.state.spool.refusal().is_some());
}

#[tokio::test]
async fn tokens_come_in_each_protocols_own_way_and_wrong_ones_are_told_in_its_words() {
    let port = port(64 << 20, true);
    let token = port.token.clone();
    let basic = format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("ship:{token}")));
    let key = format!("ApiKey {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("id:{token}")));
    let (bearer, splunk) = (format!("Bearer {token}"), format!("Splunk {token}"));
    for (path, kind, body) in SOUND {
        for (name, value) in [
            ("authorization", bearer.as_str()),
            ("authorization", &splunk),
            ("authorization", &basic),
            ("authorization", &key),
            ("dd-api-key", &token),
            ("x-amz-firehose-access-key", &token),
        ] {
            let answer = port.send("POST", path, &[AGENT, (name, value), ("content-type", kind)], body).await;
            assert!(answer.status < 300, "{path} {name}: {} {}", answer.status, answer.body);
        }
        let in_query =
            port.send("POST", &format!("{path}?token={token}"), &[AGENT, ("content-type", kind)], body).await;
        assert!(in_query.status < 300, "{path}: {}", in_query.body);
        let wrong = format!("Bearer {}x", token);
        for (headers, expected) in [(&[("authorization", wrong.as_str())][..], 1), (&[], 0)] {
            let headers = [headers, &[AGENT, ("content-type", kind)]].concat();
            let answer = port.send("POST", path, &headers, body).await;
            let wanted = match (path, expected) {
                ("/services/collector/event" | "/services/collector/raw", 1) | ("/api/v2/logs", _) => 403,
                _ => 401,
            };
            assert_eq!(answer.status, wanted, "{path} {}", answer.body);
            assert_eq!(answer.kind(), "application/json", "{path}");
        }
    }
    assert!(port.send("POST", "/_bulk", &[], BULK).await.hangs_up, "rsyslog would throw the batch away");
    assert_eq!(port.send("GET", "/services/collector/health", &[], "").await.status, 200);
    assert_eq!(port.send("GET", "/", &[], "").await.status, 200);
    assert_eq!(port.send("GET", "/_license", &[AGENT], "").await.status, 401);
}

#[tokio::test]
async fn large_and_growing_bodies_are_taken_whole_or_not_at_all() {
    let port = port(256 << 20, false);
    let pairs = |count: usize| -> String {
        (0..count).map(|at| format!("{{\"create\":{{}}}}\n{{\"m\":\"{at} {}\"}}\n", "z".repeat(200))).collect()
    };
    let answer = port.send("POST", "/_bulk", &[AGENT], pairs(40_000)).await;
    assert_eq!((answer.status, answer.json()["items"].as_array().unwrap().len()), (200, 40_000));
    assert_eq!(port.spooled().lines().count(), 40_000);
    let packed = gzip(pairs(40_000).as_bytes());
    let cut = packed[..packed.len() - 5].to_vec();
    let answer = port.send("POST", "/_bulk", &[AGENT, ("content-encoding", "gzip")], cut).await;
    assert_eq!(answer.status, 400);
    assert_eq!(port.spooled().lines().count(), 40_000, "nothing of it was taken");
    let answer = port.send("POST", "/_bulk", &[AGENT, ("content-encoding", "gzip")], packed).await;
    assert_eq!(answer.status, 200);
    // Labels stand beside each of many short lines.
    let values: Vec<String> = (0..20_000).map(|at| format!("[\"{at}\",\"l{at}\"]")).collect();
    let label = "y".repeat(2000);
    let body = format!("{{\"streams\":[{{\"stream\":{{\"a\":\"{label}\"}},\"values\":[{}]}}]}}", values.join(","));
    let answer = port.send("POST", "/loki/api/v1/push", &[("content-type", "application/json")], body).await;
    assert_eq!(answer.status, 204);
    assert_eq!(port.spooled().lines().count(), 100_000);
}

#[test]
fn each_protocol_has_its_paths_and_answers_on_them() {
    for shipper in SHIPPERS {
        let paths = shipper.pushes.iter().map(|push| push.path).chain(shipper.asks.iter().map(|ask| ask.path));
        for path in paths {
            let path =
                path.replace("{index}", "logs").replace("{kind}", "_doc").replace("{name}", "n").replace("{key}", "k");
            assert_eq!(push_paths::owner(&path).map(|paths| paths.name), Some(shipper.name), "{path}");
        }
    }
}
