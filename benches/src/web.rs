//! Log lines of web servers, proxies and load balancers, of any number from a seed: one generator for each format.

use std::fmt::Write;

use crate::corpus::Random;

/// Formats, by the name that `--format` knows, with the word that the bench prints.
pub const KINDS: &[(&str, &str)] = &[
    ("clients with port", "access"),
    ("time first", "access"),
    ("nginx error", "error"),
    ("apache error", "error"),
    ("haproxy", "haproxy"),
    ("haproxy, syslog", "syslog"),
    ("iis", "w3c"),
    ("iis, no heading", "w3c"),
    ("cloudfront", "w3c"),
    ("alb", "access"),
    ("s3", "access"),
    ("squid", "squid"),
    ("envoy", "access"),
    ("uwsgi", "access"),
    ("nginx log_format", "mine"),
];

/// The `log_format` of the last kind.
pub const LOG_FORMAT: &str = "$remote_addr|$time_iso8601|$request_method $request_uri $status $body_bytes_sent $request_time \"$http_referer\" \"$http_user_agent\"";

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/";

/// So many lines of a kind.
pub fn lines(kind: &str, count: usize) -> String {
    let mut random = Random::new(7);
    let mut out = String::with_capacity(count * 260);
    if kind == "iis" {
        out.push_str("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n");
    }
    for at in 0..count {
        let text = Line { at, random: &mut random }.text(kind);
        out.push_str(&text);
        out.push('\n');
    }
    out
}

struct Line<'a> {
    at: usize,
    random: &'a mut Random,
}

/// What the lines of all kinds are made of.
struct Words {
    at: usize,
    number: u64,
    minute: usize,
    second: usize,
    port: u64,
    address: String,
    page: String,
    agent: String,
    clf: String,
    iso: String,
}

impl Line<'_> {
    fn text(&mut self, kind: &str) -> String {
        let words = self.words();
        words.of_server(kind).or_else(|| words.of_service(kind)).unwrap_or_else(|| words.of_log_format())
    }

    fn words(&mut self) -> Words {
        let (minute, second) = (self.at / 6000 % 60, self.at / 100 % 60);
        let number = self.random.below(14_000);
        let address = format!("203.0.{}.{}", self.random.below(250), self.random.below(250));
        let (page, agent) = (format!("/articles/garden-{number}.html"), format!("{AGENT}{}.0", 90 + number % 40));
        let clf = format!("04/Mar/2026:10:{minute:02}:{second:02}");
        let iso = format!("2026-03-04T10:{minute:02}:{second:02}");
        let port = 40_000 + number;
        Words { at: self.at, number, minute, second, port, address, page, agent, clf, iso }
    }
}

impl Words {
    /// Lines of web servers and of HAProxy.
    fn of_server(&self, kind: &str) -> Option<String> {
        let Words { number, minute, second, port, address, page, agent, clf, .. } = self;
        let mut out = String::new();
        let written: std::fmt::Result = match kind {
            "clients with port" => write!(
                out,
                "{address}:{port} - - [{clf} +0000] \"GET {page}?q={number} HTTP/1.1\" 200 {number} \"-\" \"{agent}\""
            ),
            "time first" => write!(
                out,
                "[{clf} +0000] - 200 200 - GET https shop.example \"{page}?q={number}\" [Client {address}] [Length {number}] [Gzip -] [Sent-to 198.51.100.2] \"{agent}\" \"-\""
            ),
            "nginx error" => write!(
                out,
                "2026/03/04 10:{minute:02}:{second:02} [error] 912#912: *{number} open() \"/srv/www{page}\" failed (2: No such file or directory), client: {address}, server: shop.example, request: \"GET {page}?q={number} HTTP/1.1\", host: \"shop.example\""
            ),
            "apache error" => write!(
                out,
                "[Wed Mar 04 10:{minute:02}:{second:02}.{number:06} 2026] [core:error] [pid 44:tid 140] [client {address}:{port}] AH00128: File does not exist: /srv/www{page}, referer: https://shop.example/"
            ),
            "haproxy" => write!(
                out,
                "{address}:{port} [{clf}.{:03}] www~ app/app1 0/0/1/9/10 200 {number} - - ---- 2/2/0/0/0 0/0 {{shop.example|curl}} \"GET {page}?q={number} HTTP/1.1\"",
                number % 1000
            ),
            "haproxy, syslog" => write!(
                out,
                "Mar  4 10:{minute:02}:{second:02} lb1 haproxy[77]: {address}:{port} [{clf}.{:03}] www~ app/app1 0/0/1/9/10 200 {number} - - ---- 2/2/0/0/0 0/0 \"GET {page}?q={number} HTTP/1.1\"",
                number % 1000
            ),
            "iis" | "iis, no heading" => write!(
                out,
                "2026-03-04 10:{minute:02}:{second:02} 198.51.100.9 GET {page} q={number} 443 - {address} {} https://shop.example/ 200 0 0 {}",
                agent.replace(' ', "+"),
                number % 900
            ),
            _ => return None,
        };
        written.ok().map(|()| out)
    }

    /// Lines of load balancers, stores and proxies.
    fn of_service(&self, kind: &str) -> Option<String> {
        let Words { at, number, minute, second, port, address, page, agent, clf, iso } = self;
        let mut out = String::new();
        let written: std::fmt::Result = match kind {
            "cloudfront" => write!(
                out,
                "2026-03-04\t10:{minute:02}:{second:02}\tFRA2-C1\t{number}\t{address}\tGET\td111.cloudfront.example\t{page}\t200\t-\t{}\tq={number}\t-\tHit\tabc==\tshop.example\thttps\t23\t0.001\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0",
                agent.replace(' ', "%20")
            ),
            "alb" => write!(
                out,
                "h2 {iso}.186641Z app/shop/1a2b3c {address}:{port} 10.0.0.9:8080 0.001 0.020 0.000 200 200 51 {number} \"GET https://shop.example:443{page}?q={number} HTTP/2.0\" \"{agent}\" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:x \"Root=1\""
            ),
            "s3" => write!(
                out,
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef shop-files [{clf} +0000] {address} arn:aws:iam::123456789012:user/ann 3E57427F3EXAMPLE REST.GET.OBJECT a.pdf \"GET {page} HTTP/1.1\" 200 - {number} {number} 15 14 \"-\" \"{agent}\" -"
            ),
            "squid" => write!(
                out,
                "177261{:04}.120 {:6} {address} TCP_MISS/200 {number} GET http://shop.example{page}?q={number} ann HIER_DIRECT/198.51.100.9 text/html",
                at / 100 % 10_000,
                number % 900
            ),
            "envoy" => write!(
                out,
                "[{iso}.123Z] \"GET {page}?q={number} HTTP/2\" 200 - 0 {number} 3 2 \"{address}\" \"{agent}\" \"6a1e-{number}\" \"shop.example\" \"10.0.0.4:8080\""
            ),
            "uwsgi" => write!(
                out,
                "[pid: 99|app: 0|req: {number}/{number}] {address} () {{32 vars in 400 bytes}} [Wed Mar  4 10:{minute:02}:{second:02} 2026] GET {page}?q={number} => generated {number} bytes in 3 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on core 0)"
            ),
            _ => return None,
        };
        written.ok().map(|()| out)
    }

    /// A line of a format that an operator defines.
    fn of_log_format(&self) -> String {
        let Words { number, address, page, agent, iso, .. } = self;
        let mut out = String::new();
        let written = write!(
            out,
            "{address}|{iso}+00:00|GET {page}?q={number} 200 {number} 0.{:03} \"-\" \"{agent}\"",
            number % 1000
        );
        written.map(|()| out).unwrap_or_default()
    }
}
