//! Bodies that are large, damaged, slow or too many: whole or not at all, and never more memory than allowed.

use std::io::Write;
use std::time::Duration;

use axum::http::header::CONTENT_ENCODING;
use event::{Position, Timestamp};
use ingest::spool::{Spool, SpoolOptions};

use super::memory::{LARGE_AT_ONCE, steps};
use super::*;

struct Bench {
    state: IngestState,
    _folder: tempfile::TempDir,
}

fn bench(spool_bytes_max: u64) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions {
        folder: folder.path().join("spool"),
        bytes_max: spool_bytes_max,
        segment_bytes: 1 << 20,
        reserve_bytes: 0,
    };
    let spool = Spool::open(options, Timestamp(1)).unwrap();
    Bench { state: IngestState::new(spool, 64 << 20, 0, || Timestamp(2)), _folder: folder }
}

impl Bench {
    async fn post(&self, encoding: &str, body: impl Into<Body>) -> Result<u64, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        take(&self.state, Pushed::new("http", None, &headers, Reading::Lines), &headers, body.into())
            .await
            .map(|Json(accepted)| accepted.accepted)
    }

    fn spooled(&self) -> Vec<u8> {
        let mut reader = self.state.spool.read_from(Position::default());
        let mut all = Vec::new();
        while let Some(block) = reader.next_block(Duration::from_millis(50)) {
            all.extend_from_slice(&block.bytes);
        }
        all
    }

    fn is_at_rest(&self) -> bool {
        let half = steps(BODIES_BYTES_MIN as usize / 2) as usize;
        let staged = std::fs::read_dir(self._folder.path().join("spool")).unwrap();
        let names: Vec<_> = staged.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.ends_with("staged")), "{names:?}");
        self.state.coming.available_permits() == half
            && self.state.work.available_permits() == half
            && self.state.large.available_permits() == LARGE_AT_ONCE
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

/// About 6 MB that do not compress to nothing.
fn lines(count: usize) -> String {
    (0..count).map(|number| format!("line {number} {:x}\n", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_taken_whole_or_not_at_all() {
    let bench = bench(40 << 20);
    let text = lines(200_000);
    let mut expected = String::new();
    for (encoding, body) in [
        ("gzip", gzip(text.as_bytes())),
        ("zstd", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("", text.clone().into_bytes()),
    ] {
        let broken = match encoding {
            "" => Body::from(body[..body.len() - 1].to_vec()),
            _ => Body::from(body[..body.len() - 3].to_vec()),
        };
        let answer = bench.post(encoding, broken).await;
        if encoding.is_empty() {
            assert_eq!(answer.unwrap(), 200_000, "plain lines cannot be broken");
            expected.push_str(&text);
        } else {
            assert_eq!(answer.unwrap_err().code(), "damaged_body");
        }
        assert!(bench.spooled() == expected.as_bytes(), "{encoding}: nothing of a damaged body was taken");
        assert_eq!(bench.post(encoding, body).await.unwrap(), 200_000);
        expected.push_str(&text);
        assert!(bench.spooled() == expected.as_bytes(), "{encoding}");
        assert!(bench.is_at_rest());
    }
    // 6.5 MB more would still fit into the spool, but not all of this.
    let large = lines(900_000);
    assert_eq!(bench.post("gzip", gzip(large.as_bytes())).await.unwrap_err().code(), "busy");
    assert!(bench.spooled() == expected.as_bytes());
    assert!(bench.is_at_rest());
    assert_eq!(bench.post("gzip", gzip(b"{\"a\":1}")).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_name_goes_on_where_a_broken_try_has_left_it() {
    use ingest::spool::Batch;
    let bench = bench(40 << 20);
    let text = lines(200_000);
    let named = async |id: u128, encoding: &str, body: Vec<u8>| {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        let mut pushed = Pushed::new("http", None, &headers, Reading::Lines);
        pushed.batch_id = Some(id);
        take(&bench.state, pushed, &headers, body.into()).await.unwrap().0.accepted
    };
    let mut expected = String::new();
    for (id, encoding, text, body) in [
        (1, "gzip", text.as_str(), gzip(text.as_bytes())),
        (2, "gzip", &text[..1000], gzip(&text.as_bytes()[..1000])),
        (3, "", &text[..1000], text.as_bytes()[..1000].to_vec()),
    ] {
        // The process ended when a part of it was on disk.
        let (part, events) = (&text[..700], text.matches('\n').count() as u64);
        let events = events + u64::from(!text.ends_with('\n'));
        let Begun::New(claim) = bench.state.spool.seen().begin(id) else { panic!() };
        let names = [claim.name(0..part.len(), None)];
        let batch = Batch { names: &names, ..Batch::new("http://unknown", part.as_bytes(), Timestamp(2)) };
        let ticket = bench.state.spool.append(batch).unwrap();
        bench.state.spool.durable(ticket).await.unwrap();
        drop(claim);
        expected.push_str(text);
        if !text.ends_with('\n') {
            expected.push('\n');
        }
        for _ in 0..2 {
            assert_eq!(named(id, encoding, body.clone()).await, events);
            assert!(bench.spooled() == expected.as_bytes(), "{id} is there once");
        }
        assert!(bench.is_at_rest());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_hold_many_events_are_counted_as_what_they_become() {
    let bench = bench(40 << 20);
    let mut expected = String::new();
    let event = |number: u32| format!("{{\"id\":\"{number}\",\"message\":\"m{number}\"}}");
    let record = |count: u32| {
        let events: Vec<_> = (0..count).map(event).collect();
        format!("{{\"messageType\":\"DATA_MESSAGE\",\"logGroup\":\"g\",\"logEvents\":[{}]}}", events.join(","))
    };
    for (count, encoding) in [(3, ""), (3, "gzip"), (20_000, "gzip"), (20_000, "")] {
        let text = format!("{}\n{{\"a\":1}}\n", record(count));
        let body = if encoding.is_empty() { text.into_bytes() } else { gzip(text.as_bytes()) };
        assert_eq!(bench.post(encoding, body).await.unwrap(), u64::from(count) + 1);
        for number in 0..count {
            expected += "{\"logGroup\":\"g\",\"messageType\":\"DATA_MESSAGE\",";
            expected += &event(number)[1..];
            expected += "\n";
        }
        expected += "{\"a\":1}\n";
        assert!(bench.spooled() == expected.as_bytes(), "{count} {encoding}");
        assert!(bench.is_at_rest());
    }
    // One object of several MiB, as the file of an audit log is.
    let records = format!("{{\"Records\":[{}]}}", vec![r#"{"a":"0123456789"}"#; 200_000].join(",\n"));
    assert!(records.len() > 3 << 20);
    assert_eq!(bench.post("gzip", gzip(records.as_bytes())).await.unwrap(), 200_000);
    // What becomes more than the spool takes is refused whole.
    let large = vec![record(5_000); 200].join("\n");
    let before = bench.spooled().len();
    assert_eq!(bench.post("gzip", gzip(large.as_bytes())).await.unwrap_err().code(), "busy");
    assert_eq!(bench.spooled().len(), before);
    assert!(bench.is_at_rest());
}

#[tokio::test]
async fn firehose_gets_the_answer_that_it_waits_for() {
    let bench = bench(40 << 20);
    let body = r#"{"requestId":"r-1","timestamp":1,"records":[{"data":"b25lCnR3bwo="},{"data":"dGhyZWU="}]}"#;
    let mut headers = HeaderMap::new();
    headers.insert(FIREHOSE_REQUEST, "r-1".parse().unwrap());
    let Json(answer) =
        take(&bench.state, Pushed::new("http", None, &headers, Reading::Lines), &headers, body.into()).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer, serde_json::json!({"accepted": 3, "requestId": "r-1", "timestamp": 0}));
    assert_eq!(bench.spooled(), b"one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_body_is_refused_before_it_is_read_when_others_take_the_memory() {
    let bench = bench(40 << 20);
    let all = bench.state.coming.available_permits();
    let taken = Arc::clone(&bench.state.coming).try_acquire_many_owned(all as u32 - 2).unwrap();
    assert_eq!(bench.post("", "small\n").await.unwrap(), 1, "two steps are left");
    drop(taken);
    let taken = Arc::clone(&bench.state.coming).try_acquire_many_owned(all as u32).unwrap();
    // Reading it would never end.
    let endless = Body::new(Endless);
    let refused = tokio::time::timeout(Duration::from_secs(2), bench.post("", endless)).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), "busy");
    drop(taken);
    assert!(bench.is_at_rest());
}

#[tokio::test]
async fn a_body_that_stops_coming_gives_its_memory_back() {
    let bench = Arc::new(bench(40 << 20));
    let posted = Arc::clone(&bench);
    let post = axum::routing::post(async move |body: Body| posted.post("", body).await.map(|_| ()));
    let router = axum::Router::new().route("/", post).layer(axum::middleware::from_fn(crate::guard::guard));
    tokio::time::pause();
    let request = axum::http::Request::post("/").body(Body::new(Endless)).unwrap();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), axum::http::StatusCode::REQUEST_TIMEOUT);
    assert!(bench.is_at_rest());
}

#[tokio::test]
async fn windows_of_zstd_are_bounded() {
    let bench = bench(40 << 20);
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packed.window_log(27).unwrap();
    packed.write_all(lines(100).as_bytes()).unwrap();
    let refused = bench.post("zstd", packed.finish().unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), "damaged_body");
}

/// A body of which nothing ever comes.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}
