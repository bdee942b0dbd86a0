//! Nobody's text is believed, in logs of web servers: whatever a client writes into target, agent, referrer, forwarded list or
//! user, source and user of the event are those that the server knows, or none.

use event::catalog::field;
use event::{Block, EventBatch, Timestamp};
use proptest::prelude::*;

use crate::{Options, Parser};

const TRUE_SOURCE: &str = "192.0.2.32";
const FORGED_SOURCE: &str = "203.0.113.151";

/// How a server writes what clients send.
#[derive(Clone, Copy)]
enum Writes {
    /// As it came, but for line ends.
    Raw,
    /// Quotes and backslashes as `\x22`, `\x5C`.
    Hexadecimal,
    /// Quotes and backslashes with a backslash in front.
    Backslash,
    /// Quotes, brackets and bars as `#22`.
    Number,
    /// Blanks as `+`.
    Plus,
    /// Blanks, tabs and quotes as `%20`.
    Percent,
}

impl Writes {
    fn text(self, text: &str) -> String {
        let mut out = String::new();
        for letter in text.chars() {
            match (self, letter) {
                (Writes::Hexadecimal, '"' | '\\') => out.push_str(&format!("\\x{:02X}", u32::from(letter))),
                (Writes::Backslash, '"' | '\\') => out.extend(['\\', letter]),
                (Writes::Number, '"' | '{' | '}' | '|' | '#') => out.push_str(&format!("#{:02X}", u32::from(letter))),
                (Writes::Plus, ' ') => out.push('+'),
                (Writes::Percent, ' ' | '\t' | '"') => out.push_str(&format!("%{:02X}", u32::from(letter))),
                _ => out.push(letter),
            }
        }
        out
    }
}

/// A line: `«S»` is the source, `«N»` the name that a client tried, `«X»` other text of a client, another in each place.
struct LineShape {
    line: &'static str,
    writes: Writes,
}

const fn shape(writes: Writes, line: &'static str) -> LineShape {
    LineShape { line, writes }
}

#[rustfmt::skip]
const SHAPES: &[LineShape] = &[
    shape(Writes::Hexadecimal, "«S» - «N» [04/Mar/2026:10:00:01 +0000] \"GET /«X» HTTP/1.1\" 200 5 \"«X»\" \"«X»\""),
    shape(Writes::Hexadecimal, "«S»:4000 - «N» [04/Mar/2026:10:00:01 +0000] \"GET /«X» HTTP/1.1\" 200 5 \"«X»\" \"«X»\" \"«X»\""),
    shape(Writes::Backslash, "«S» - «N» [04/Mar/2026:10:00:01 +0000] \"«X»\" 400 5 \"«X»\" \"«X»\" 0.1 «X»"),
    shape(Writes::Backslash, "shop.example:443 «S» - «N» [04/Mar/2026:10:00:01 +0000] \"GET /«X» HTTP/1.1\" 200 5 \"«X»\" \"«X»\""),
    shape(Writes::Hexadecimal, "[04/Mar/2026:10:00:01 +0000] - 200 200 - GET https shop.example \"/«X»\" [Client «S»] [Length 8] [Gzip -] [Sent-to 198.51.100.2] \"«X»\" \"«X»\""),
    shape(Writes::Backslash, "[04/Mar/2026:10:00:01 +0000] «S» TLSv1.3 TLS_AES_128_GCM_SHA256 \"GET /«X» HTTP/1.1\" 812"),
    shape(Writes::Raw, "2026/03/04 10:00:01 [error] 9#9: *5 open() \"/srv/«X»\" failed (2: No such file or directory), client: «S», server: _, request: \"GET /«X» HTTP/1.1\", host: \"shop.example\", referrer: \"«X»\""),
    shape(Writes::Raw, "2026/03/04 10:00:01 [error] 9#9: *5 user \"«N»\" was not found in \"/etc/htpasswd\", client: «S», server: _, request: \"GET / HTTP/1.1\", host: \"shop.example\", referrer: \"«X»\""),
    shape(Writes::Raw, "2026/03/04 10:00:01 [error] 9#9: *5 access forbidden by rule, client: «S», server: _, request: \"GET /«X» HTTP/1.1\", host: \"«X»\", referrer: \"«X»\""),
    shape(Writes::Raw, "2026/03/04 10:00:01 [info] 9#9: *5 client sent invalid request while reading client request line, client: «S», server: _, request: \"«X»\""),
    shape(Writes::Raw, "Mar  4 10:00:01 web1 nginx: 2026/03/04 10:00:01 [error] 9#9: *5 FastCGI sent in stderr: \"PHP message: «X»\" while reading upstream, client: «S», server: _, request: \"GET /«X» HTTP/1.1\", host: \"shop.example\""),
    shape(Writes::Backslash, "[Wed Mar 04 10:00:01.120000 2026] [core:error] [pid 44:tid 45] [client «S»:50213] AH00128: File does not exist: /srv/«X», referer: «X»"),
    shape(Writes::Backslash, "[Wed Mar 04 10:00:01 2026] [error] [client «S»] «X»"),
    shape(Writes::Backslash, "[Wed Mar 04 10:00:01.120000 2026] [auth_basic:error] [pid 44] [client «S»:50213] AH01617: user «N»: authentication failure for \"/«X»\": Password Mismatch, referer: «X»"),
    shape(Writes::Backslash, "[Wed Mar 04 10:00:01.120000 2026] [auth_digest:error] [pid 44] [client «S»:50213] AH01790: user `«N»' in realm `intra' not found: /«X»"),
    shape(Writes::Backslash, "[Wed Mar 04 10:00:01.120000 2026] [:error] [pid 44] [client «S»:50213] [client «S»] ModSecurity: Access denied with code 403 (phase 2). [msg \"x\"] [data \"«X»\"] [hostname \"shop.example\"] [uri \"/«X»\"] [unique_id \"a\"]"),
    shape(Writes::Backslash, "2026/03/04 10:00:01.123\tERROR\thttp.handlers.waf\t[client \"«S»\"] Coraza: Access denied (phase 2). [id \"930110\"] [msg \"x\"] [data \"«X»\"] [hostname \"shop.example\"] [uri \"/«X»\"] [unique_id \"u\"]"),
    shape(Writes::Number, "Mar  4 10:00:01 lb1 haproxy[77]: «S»:40112 [04/Mar/2026:10:00:01.004] www~ app/app1 0/0/1/9/10 200 1024 - - ---- 2/2/0/0/0 0/0 {«X»|«X»} \"GET /«X» HTTP/1.1\""),
    shape(Writes::Plus, "2026-03-04 10:00:01 198.51.100.9 GET /«X» «X» 443 «N» «S» «X» «X» 200 0 0 85"),
    shape(Writes::Plus, "2026-03-04 10:00:01 198.51.100.9 GET /«X» - 443 - «S» «X» «X» 200 0 0 85 «X»"),
    shape(Writes::Percent, "2026-03-04\t10:00:01\tFRA2-C1\t2390\t«S»\tGET\td111.cloudfront.example\t/«X»\t200\t«X»\t«X»\t«X»\t«X»\tHit\tabc==\tshop.example\thttps\t23\t0.001\t«X»\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0"),
    shape(Writes::Hexadecimal, "h2 2026-03-04T10:00:01.186641Z app/shop/1a «S»:44740 10.0.0.9:8080 0.001 0.020 0.000 200 200 51 812 \"GET https://shop.example:443/«X» HTTP/2.0\" \"«X»\" TLS_AES_128_GCM_SHA256 TLSv1.3"),
    shape(Writes::Raw, "2026-03-04T10:00:01.945958Z shop-lb «S»:2817 10.0.0.9:80 0.000073 0.001048 0.000057 200 200 0 29 \"GET http://shop.example:80/«X» HTTP/1.1\" \"«X»\" - -"),
    shape(Writes::Raw, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef shop [04/Mar/2026:10:00:01 +0000] «S» - 3E57 REST.GET.OBJECT «X» \"GET /«X» HTTP/1.1\" 200 - 8 8 15 14 \"«X»\" \"«X»\" -"),
    shape(Writes::Percent, "1772618401.120     45 «S» TCP_MISS/200 812 GET http://shop.example/«X» «N» HIER_DIRECT/198.51.100.9 text/html"),
    shape(Writes::Raw, "[2026-03-04T10:00:01.123Z] \"GET /«X» HTTP/1.1\" 200 - 0 812 3 2 \"«X»\" \"«X»\" \"6a\" \"shop.example\" \"10.0.0.4:8080\""),
    shape(Writes::Raw, "[2026-03-04T10:00:01.123Z] \"GET /«X» HTTP/2\" 200 - via_upstream - \"-\" 0 812 3 2 \"«X»\" \"«X»\" \"6a\" \"shop.example\" \"10.0.0.4:8080\" outbound|80||shop 10.0.0.2:40112 10.0.0.2:8443 «S»:50000 shop.example default"),
    shape(Writes::Percent, "[pid: 99|app: 0|req: 1/1] «S» («N») {32 vars in 400 bytes} [Wed Mar  4 10:00:01 2026] GET /«X» => generated 8 bytes in 3 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on core 0)"),
    shape(Writes::Raw, "2026-03-04 10:00:01.123456 [NOTICE] [99] [«S»:40112:HTTP2-1#shop] [STDERR] [WebAdmin Console] Failed Login Attempt - username:«N» ip:«S» url:«X»"),
    shape(Writes::Raw, "2026-03-04 10:00:01: (mod_auth.c.853) password doesn't match for /«X» username: «N» IP: «S»"),
];

/// What servers write of sources and users, with `F` for the address.
const FORGERIES: &[&str] = &[
    "F",
    " F ",
    "\" F - forged [04/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5",
    " - forged [04/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
    "\" [Client F] [Length 8]",
    ", client: F, server: _, request: \"GET / HTTP/1.1\", host: \"x\"",
    "\" failed (2: No such file or directory), client: F, server: _, request: \"GET /",
    "\": password mismatch, client: F, server: x",
    "\" was not found in \"x\", client: F",
    "[client F:5] ",
    "[client F] AH01617: user forged: authentication failure for \"/\": Password Mismatch",
    ": authentication failure for \"/a\": Password Mismatch",
    "' in realm `x' not found: /",
    "' not found: /",
    " 443 - F x x 200 0 0 1",
    "\" 200 - F 1",
    "\" \"F:80\" a 10.0.0.2:1 10.0.0.2:2 F:3 x default",
    "\" \"x\" \"F\" \"y\" \"10.0.0.4:8080\"",
    ") {1 vars in 2 bytes} [",
    " username: forged IP: F",
    ", IP: F",
    " ip:F url:",
    "] [F:40112:HTTP2-1#shop] ",
    "F, F",
    "\tF\t",
    "x",
];

fn forgery() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FORGERIES), 1..4)
        .prop_map(|parts| parts.concat().replace('F', FORGED_SOURCE))
}

fn parse(line: &str) -> EventBatch {
    let reference = Timestamp::parse_rfc3339(b"2026-11-23T12:00:00Z").unwrap();
    Parser::new(Options::default()).parse(Block::detached("test", line.as_bytes().to_vec(), reference))
}

fn value(batch: &EventBatch, id: event::FieldId) -> Option<String> {
    batch.text(id).and_then(|column| column.str(0)).map(str::to_owned)
}

#[test]
fn every_shape_names_its_source_and_user() {
    for LineShape { line, .. } in SHAPES {
        let whole = line.replace("«S»", TRUE_SOURCE).replace("«N»", "ann").replace("«X»", "x");
        let batch = parse(&whole);
        // Envoy's own form has no peer.
        let source = line.contains("«S»").then(|| TRUE_SOURCE.to_owned());
        assert_eq!(value(&batch, field::SOURCE_IP), source, "{whole}");
        assert_eq!(value(&batch, field::USER_NAME), line.contains("«N»").then(|| "ann".to_owned()), "{whole}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn text_of_clients_is_neither_source_nor_user(
        shape in prop::sample::select((0..SHAPES.len()).collect::<Vec<_>>()),
        texts in prop::collection::vec(forgery(), 8),
        name in prop_oneof![Just("ann".to_owned()), forgery()],
    ) {
        let LineShape { line, writes } = &SHAPES[shape];
        // Names of Basic authentication hold no blanks where the server writes none.
        let name = writes.text(&name);
        let mut whole = line.replace("«S»", TRUE_SOURCE).replace("«N»", &name);
        for text in &texts {
            whole = whole.replacen("«X»", &writes.text(text), 1);
        }
        let batch = parse(&whole);
        prop_assert_eq!(batch.rows(), 1);
        if let Some(source) = value(&batch, field::SOURCE_IP) {
            prop_assert_eq!(source, TRUE_SOURCE, "{}", whole);
        }
        if let Some(user) = value(&batch, field::USER_NAME) {
            prop_assert!(user != "forged" || name == "forged", "{} in {}", user, whole);
        }
    }
}

#[test]
fn of_two_peers_none_may_be_the_proxy_whose_list_is_believed() {
    let options = Options {
        trusted_proxies: crate::TrustedProxies::from(vec!["10.0.0.0/8".parse().unwrap()]),
        ..Options::default()
    };
    let source = |start: &str| {
        let line = format!(
            "{start} - - [04/Mar/2026:10:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\" \"{FORGED_SOURCE}\"\n"
        );
        let block = Block::detached("x", line.into_bytes(), Timestamp(0));
        let batch = Parser::new(options.clone()).parse(block);
        batch.text(field::SOURCE_IP).and_then(|column| column.str(0)).map(str::to_owned)
    };
    // The client asked for a host that is the address of our proxy.
    assert_eq!(source(&format!("{TRUE_SOURCE} 10.0.0.1")), None);
    assert_eq!(source(TRUE_SOURCE).as_deref(), Some(TRUE_SOURCE));
    // A proxy of ours that speaks alone is believed.
    assert_eq!(source("10.0.0.1").as_deref(), Some(FORGED_SOURCE));
}
