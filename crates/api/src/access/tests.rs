//! Lines of the access log: what they hide, and that nothing can be forged in them.

use axum::body::Body;
use event::catalog::field;
use event::{Block, FieldId};

use super::*;

fn proxies(networks: &[&str]) -> TrustedProxies {
    TrustedProxies(networks.iter().map(|network| network.parse().unwrap()).collect())
}

fn forwarded(peer: &str, lists: &[&str]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for list in lists {
        headers.append(FORWARDED_FOR, list.parse().unwrap());
    }
    let trusted = proxies(&["10.0.0.0/8", "2001:db8:1::/48"]);
    trusted.forwarded(peer.parse().unwrap(), &headers).map(|address| address.to_string())
}

#[test]
fn only_trusted_proxies_are_believed_and_only_what_they_wrote_themselves() {
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(forwarded("192.0.2.1", &["203.0.113.9"]), None, "nobody trusted says so");
    assert_eq!(forwarded("10.0.0.1", &[]), None);
    assert_eq!(forwarded("10.0.0.1", &["203.0.113.9"]), is("203.0.113.9"));
    assert_eq!(forwarded("10.0.0.1", &["127.0.0.1, 203.0.113.9"]), is("203.0.113.9"), "the client wrote the first");
    assert_eq!(forwarded("10.0.0.1", &["127.0.0.1", "203.0.113.9, 10.0.0.7"]), is("203.0.113.9"), "two proxies");
    assert_eq!(forwarded("10.0.0.1", &["127.0.0.1, 203.0.113.9", "10.0.0.7"]), is("203.0.113.9"));
    assert_eq!(forwarded("10.0.0.1", &["10.1.1.1, 10.0.0.7"]), is("10.1.1.1"), "a client of ours");
    assert_eq!(forwarded("2001:db8:1::7", &["[2001:db8::9]:4000"]), is("2001:db8::9"));
    assert_eq!(forwarded("10.0.0.1", &["203.0.113.9:55"]), is("203.0.113.9"));
    assert_eq!(forwarded("10.0.0.1", &["::ffff:203.0.113.9"]), is("203.0.113.9"));
    for unreadable in ["unknown", "203.0.113.9, _hidden", "203.0.113.9,", "203.0.113.9, 1.2.3.4.5", "a, \"x"] {
        assert_eq!(forwarded("10.0.0.1", &[unreadable]), None, "{unreadable}");
    }
}

#[test]
fn values_of_secrets_do_not_stand_in_the_log() {
    for (query, shown) in [
        ("token=abc&limit=5", "token=REDACTED&limit=5"),
        (
            "api_key=a&API-KEY=b&apikey=c;password=d",
            "api_key=REDACTED&API-KEY=REDACTED&apikey=REDACTED;password=REDACTED",
        ),
        (
            "secret=a&Authorization=b&signature=c&sig=d",
            "secret=REDACTED&Authorization=REDACTED&signature=REDACTED&sig=REDACTED",
        ),
        ("%74oken=abc&%2574oken=def", "%74oken=REDACTED&%2574oken=REDACTED"),
        ("rule=a&source.ip=192.0.2.1&cursor=xyz", "rule=a&source.ip=192.0.2.1&cursor=xyz"),
        ("access_token=a=b=c&&=x&limit", "access_token=REDACTED&&=x&limit"),
        ("user.name=bob&passwd=x%26y", "user.name=bob&passwd=REDACTED"),
    ] {
        assert_eq!(without_secrets(query), shown);
    }
    assert_eq!(without_tokens("/x/c0di3_0011_s-ec_ret/y?a=c0di3_1_2"), "/x/c0di3_REDACTED/y?a=c0di3_REDACTED");
    assert_eq!(address_without_secrets("https://u:p@h.example/a?key=1&b=2"), "https://h.example/a?key=REDACTED&b=2");
    assert_eq!(address_without_secrets("https://h.example/a@b"), "https://h.example/a@b");
}

/// The line of a request, and what our own parser reads in it.
fn line(target: &str, headers: &[(&str, &[u8])], name: Option<&str>) -> (String, Line) {
    let mut request = Request::get(target);
    for (name, value) in headers {
        request = request.header(*name, axum::http::HeaderValue::from_bytes(value).unwrap());
    }
    let request = request.body(Body::empty()).unwrap();
    let line = Line::of(&request, Timestamp(1_796_000_000_123_456), Some("192.0.2.7".parse().unwrap()), None);
    let request_id = "req\"1\\";
    let ending = Ending { user: name, status: 401, bytes: Some(187), seconds: 0.0123, request_id };
    (line.write(&ending), line)
}

fn read(line: &str, id: FieldId) -> Option<String> {
    let block = Block::detached("access.log", format!("{line}\n").into_bytes(), Timestamp(1_796_000_000_000_000));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    assert_eq!(batch.rows(), 1, "{line}");
    let mut text = String::new();
    event::json::write_row(&batch, 0, &mut text);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["event.dataset"], "http.access", "{text}");
    match &value[event::Field::of(id).unwrap().name] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[test]
fn our_own_parser_reads_our_own_lines_whatever_a_client_sends() {
    let hostile = "x\" 200 1 \"-\" \"-\"\n192.0.2.99 - root [28/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1";
    let agents: [&[u8]; 6] = [
        b"curl/8.5",
        b"a\" \"b\" 200 \\\" \\x22 \\",
        b"\xff\xfe\x80 \xc3\xbc",
        b"\\\\\\\"",
        b"[28/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 500 7",
        b"\t tab",
    ];
    let targets =
        ["/api/v1/findings?rule=a", "/%22%20200", "/x?q=%0A192.0.2.9", "/a\"b", "/api/v1/entities/user.name/[x]%5D"];
    for name in ["shipper", hostile, "-", "a b", "\u{fc}ber [x] \"y\"", "\\x22", "bob\u{2028}"] {
        for agent in agents {
            for target in targets {
                let (line, _) =
                    line(target, &[("user-agent", agent), ("referer", b"http://r.example/\"x")], Some(name));
                assert!(!line.contains('\n') && line.is_ascii(), "{line}");
                assert_eq!(read(&line, field::SOURCE_IP).as_deref(), Some("192.0.2.7"), "{line}");
                assert_eq!(read(&line, field::USER_NAME).as_deref(), Some(name), "{line}");
                assert_eq!(read(&line, field::HTTP_RESPONSE_STATUS_CODE).as_deref(), Some("401"), "{line}");
                assert_eq!(read(&line, field::HTTP_RESPONSE_BODY_BYTES).as_deref(), Some("187"), "{line}");
                assert_eq!(read(&line, field::URL_ORIGINAL).as_deref(), Some(target), "{line}");
                let sent = String::from_utf8_lossy(agent);
                assert_eq!(read(&line, field::USER_AGENT_ORIGINAL).as_deref(), Some(&*sent), "{line}");
            }
        }
    }
}

#[test]
fn a_line_is_combined_log_format_and_says_for_whom_a_proxy_asked() {
    let (text, mut line) = line("/api/v1/stats", &[("user-agent", b"a/1")], Some("ann"));
    let head = "192.0.2.7 - ann [30/Nov/2026:00:53:20 +0000] ";
    assert!(text.starts_with(head), "{text}");
    assert!(
        text.ends_with("\"GET /api/v1/stats HTTP/1.1\" 401 187 \"-\" \"a/1\" \"-\" \"req\\x221\\x5C\" 0.012300"),
        "{text}"
    );
    line.forwarded = Some("203.0.113.9".parse().unwrap());
    let ending = Ending { user: None, status: 200, bytes: None, seconds: 1.0, request_id: "r" };
    let text = line.write(&ending);
    assert!(text.starts_with("203.0.113.9 - - [") && text.contains("\"203.0.113.9, 192.0.2.7\""), "{text}");
    assert_eq!(read(&text, field::SOURCE_IP).as_deref(), Some("203.0.113.9"));
    assert_eq!(read(&text, field::NETWORK_FORWARDED_IP).as_deref(), Some("203.0.113.9, 192.0.2.7"));
    assert_eq!(read(&text, field::USER_NAME), None);
    assert_eq!(read(&text, field::HTTP_RESPONSE_BODY_BYTES), None);
    let long = format!("/{}", "a".repeat(10_000));
    let (text, _) = super::tests::line(&long, &[("user-agent", &[b'u'; 5000])], None);
    assert!(text.len() < 3_000 && text.contains("aaa... HTTP/1.1\"") && text.contains("uuu...\""), "{}", text.len());
}
