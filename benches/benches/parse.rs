//! Parsing to finished batches on one core: `cargo bench -p benches --bench parse`.
//! Each rate is also given as a share of the machine's own memchr line-splitting rate in the same run.
#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

use std::fmt::Write;

use benches::corpus::{Access, Random, Sshd};
use benches::measure::{best_of, split_rate};
use benches::web;
use event::{Block, Timestamp};
use parse::{FormatChoice, FormatDefinition, Options, Parser, UserFormats};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BLOCK_BYTES: usize = 1 << 20;
const LINES: usize = 600_000;
const RUNS: usize = 7;

fn blocks(text: &str) -> Vec<Vec<u8>> {
    let (mut blocks, mut rest) = (Vec::new(), text.as_bytes());
    while !rest.is_empty() {
        let limit = rest.len().min(BLOCK_BYTES);
        let end = memchr::memrchr(b'\n', &rest[..limit]).map_or(rest.len(), |at| at + 1);
        blocks.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    blocks
}

/// Every line with the prefix in front.
fn enveloped(prefix: &str, lines: &str) -> String {
    lines.lines().flat_map(|line| [prefix, line, "\n"]).collect()
}

fn measure(name: &str, text: &str, format: &str, target: f64) {
    let reference = Timestamp::from_unix_seconds(1_800_000_000);
    let blocks = blocks(text);
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as f64;
    let mut rows = 0;
    let mine = FormatDefinition {
        name: "mine".to_owned(),
        nginx: Some(web::LOG_FORMAT.to_owned()),
        ..FormatDefinition::default()
    };
    let user_formats = std::sync::Arc::new(UserFormats::compile(&[mine]).unwrap_or_default());
    let Ok(format) = FormatChoice::named(format, &user_formats) else { return };
    let mut parser = Parser::new(Options { format, user_formats, ..Options::default() });
    let seconds = best_of(RUNS, || {
        rows = 0;
        for bytes in &blocks {
            // The copy stands for the read of a block from its source.
            let batch = parser.parse(Block::detached("bench", bytes.clone(), reference));
            rows += std::hint::black_box(&batch).rows();
            assert_eq!(batch.counts().rejected, 0, "every line is parsed");
        }
    });
    assert_eq!(rows as f64, lines);
    let rate = lines / seconds;
    let split = split_rate(text.as_bytes(), RUNS);
    println!(
        "{name:<22} {:5.2} M lines/s  {:6.0} MB/s  {:4.0} bytes/line  {:4.1} % of memchr splitting ({:.1} M lines/s)  target {:.1}",
        rate / 1e6,
        text.len() as f64 / seconds / 1e6,
        text.len() as f64 / lines,
        100.0 * rate / split,
        split / 1e6,
        target,
    );
}

/// A line of Caddy's access log, about 800 bytes.
fn caddy_line(random: &mut Random, out: &mut String) -> std::fmt::Result {
    let (host, page, size) = (random.below(250), random.below(5000), random.below(90_000));
    writeln!(
        out,
        r#"{{"level":"info","ts":1772618401.{page:04},"logger":"http.log.access.log0","msg":"handled request","request":{{"remote_ip":"203.0.113.{host}","remote_port":"{size}","client_ip":"203.0.113.{host}","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/products/item-{page}?ref=mail","headers":{{"User-Agent":["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"],"Accept-Encoding":["gzip, deflate, br"],"Accept":["text/html,application/xhtml+xml"],"Accept-Language":["de-DE,de;q=0.9"],"Referer":["https://shop.example/start"]}},"tls":{{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"shop.example"}}}},"bytes_read":0,"user_id":"","duration":0.0012,"size":{size},"status":200,"resp_headers":{{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"]}}}}"#
    )
}

fn main() -> std::fmt::Result {
    let (mut access, mut sshd) = (String::new(), String::new());
    let (mut caddy, mut random) = (String::new(), Random::new(2));
    let (mut maker, mut ssh_maker) = (Access::new(1, 50), Sshd::new(1));
    for _ in 0..LINES {
        maker.line(&mut access)?;
        ssh_maker.line(&mut sshd)?;
        caddy_line(&mut random, &mut caddy)?;
    }
    measure("combined, auto", &access, "auto", 2.5);
    measure("combined", &access, "access", 2.5);
    measure("rfc3164 sshd, auto", &sshd, "auto", 2.0);
    measure("rfc3164 sshd", &sshd, "syslog", 2.0);
    for (kind, format) in web::KINDS {
        measure(kind, &web::lines(kind, LINES / 4), format, 1.0);
        if *format != "mine" {
            measure(&format!("{kind}, auto"), &web::lines(kind, LINES / 4), "auto", 1.0);
        }
    }
    for (name, prefix, target) in
        [("CRI, access", "2026-11-23T10:00:00.123456789Z stdout F ", 1.0), ("docker-compose, access", "web-1  | ", 1.0)]
    {
        measure(name, &enveloped(prefix, &access), "auto", target);
    }
    let packages = "2026-11-23 10:00:00 status installed libssl3:amd64 3.0.2-1\n".repeat(LINES);
    measure("dpkg", &packages, "auto", 1.0);
    let logins =
        "btmp [6] [97] [] [root] [ssh:notty] [client.example] [203.0.113.9] [2026-11-23T10:00:02Z]\n".repeat(LINES);
    measure("btmp", &logins, "auto", 1.0);
    measure("caddy JSON, auto", &caddy, "auto", 0.7);
    Ok(())
}
