//! Calls over gRPC: which status each way to be right or wrong gets.

use axum::body::Body;
use axum::http::{HeaderMap, Request as HttpRequest};
use tower::ServiceExt;

use super::tests::{Port, SMALL_SPOOL, gzip, port};

/// A message of gRPC in its frame.
fn framed(message: &[u8], is_compressed: bool) -> Vec<u8> {
    [&[u8::from(is_compressed)][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

/// Status of a call: in the head where nothing else is answered, else behind the message.
async fn call(port: &Port, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (String, HeaderMap, Vec<u8>) {
    let mut request = HttpRequest::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = port.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let answer = http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
    let trailers = answer.trailers().cloned().unwrap_or_default();
    let status = headers.get("grpc-status").or(trailers.get("grpc-status")).unwrap().to_str().unwrap().to_owned();
    (status, headers, answer.to_bytes().to_vec())
}

#[tokio::test]
async fn calls_of_opentelemetry_are_answered_with_the_status_that_keeps_or_drops_their_records() {
    let port = self::port(SMALL_SPOOL, false);
    let export = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    // resource_logs { scope_logs { log_records { body { string_value: "three" } } } }
    let sound = b"\x0a\x0d\x12\x0b\x12\x09\x2a\x07\x0a\x05three";
    let grpc = ("content-type", "application/grpc");
    let packed = [grpc, ("grpc-encoding", "gzip")];
    for (headers, body) in [
        (&[grpc][..], framed(sound, false)),
        (&packed, framed(&gzip(sound), true)),
        (&packed, framed(sound, false)),
        (&[("content-type", "application/grpc+proto")], framed(sound, false)),
        (&[grpc], framed(b"", false)),
    ] {
        let (status, head, answer) = call(&port, export, headers, body).await;
        assert_eq!((status.as_str(), answer), ("0", vec![0; 5]));
        assert_eq!(head["content-type"], "application/grpc");
    }
    assert_eq!(port.spooled().matches("three").count(), 4);
    // A record without body and attributes cannot be kept: it is told, and not to be sent again.
    let (status, _, answer) = call(&port, export, &[grpc], framed(b"\x0a\x04\x12\x02\x12\x00", false)).await;
    assert_eq!(status, "0");
    assert!(answer[5] == 0x0A && answer[7..9] == *b"\x08\x01", "{answer:?}");
    let bomb = framed(&gzip(&vec![0; 100 << 20]), true);
    for (path, headers, body, wanted) in [
        (export, &[grpc][..], framed(b"junk", false), "3"),
        (export, &[grpc], b"\0\0".to_vec(), "3"),
        (export, &[grpc], framed(sound, false)[..9].to_vec(), "3"),
        (export, &[grpc], [framed(sound, false), framed(sound, false)].concat(), "3"),
        (export, &packed, framed(b"no gzip", true), "3"),
        (export, &[grpc, ("grpc-encoding", "lzma")], framed(sound, false), "12"),
        (export, &packed, bomb, "8"),
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", &[grpc], framed(sound, false), "12"),
    ] {
        let (status, head, answer) = call(&port, path, headers, body).await;
        assert_eq!((status.as_str(), answer.len()), (wanted, 0), "{head:?}");
        assert!(!head["grpc-message"].is_empty() && !head.contains_key("grpc-status-details-bin"));
    }
    let wrong = port.send("POST", export, &[("content-type", "application/json")], "{}").await;
    assert_eq!(wrong.status, 415);
    // Until not even a short line finds room.
    for length in [50_000, 1000, 10] {
        let line = format!("{}\n", "x".repeat(length));
        while port.send("POST", "/services/collector/raw", &[], line.clone()).await.status == 200 {}
    }
    let (status, head, _) = call(&port, export, &[grpc], framed(sound, false)).await;
    assert_eq!(status, "14", "what passes is to be sent again");
    assert_eq!(head["retry-after"], "2");
    assert!(head.contains_key("grpc-status-details-bin"));
    let guarded = self::port(64 << 20, true);
    let (status, ..) = call(&guarded, export, &[grpc], framed(sound, false)).await;
    assert_eq!(status, "16");
    let bearer = format!("Bearer {}", guarded.token);
    let (status, ..) = call(&guarded, export, &[grpc, ("authorization", &bearer)], framed(sound, false)).await;
    assert_eq!(status, "0");
}
