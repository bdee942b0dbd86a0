//! `c0di3 top` and `c0di3 tap` on a running analyzer: what they print where nobody watches, and that they see what passes.

use std::process::Stdio;

use servers::wait_until;

use crate::node::{Node, SOON, send};
use crate::program::Sandbox;

#[test]
fn top_and_tap_show_what_passes() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let url = format!("http://127.0.0.1:{}", node.ingest);
    let line = "Nov 23 10:00:00 gate sshd[9]: Failed password for root from 203.0.113.9 port 4000 ssh2\n";
    let push = |lines: &str| assert_eq!(send(node.ingest, "POST", "/ingest", &[], lines.as_bytes()).unwrap().0, 200);
    for (stage, wanted) in [
        ("lines", "\"line\":\"Nov 23 10:00:00 gate sshd[9]: Failed password for root"),
        ("events", "\"source.ip\":\"203.0.113.9\""),
        ("hits", "\"rule\":\""),
        ("findings", "\"SSH brute force"),
    ] {
        let mut command =
            sandbox.command(&["tap", "--url", &url, "--stage", stage, "--limit", "1", "--filter", wanted]);
        let mut tap = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        wait_until(SOON, stage, || {
            push(&line.repeat(12));
            tap.try_wait().unwrap().is_some()
        });
        let out = tap.wait_with_output().unwrap();
        let out = String::from_utf8(out.stdout).unwrap();
        assert!(out.contains(wanted) && out.ends_with("}\n"), "{stage}: {out}");
    }
    let top = sandbox.run(&["top", "--url", &url]);
    let row = top.out.lines().find(|row| row.starts_with("http://127.0.0.1")).unwrap_or_else(|| panic!("{}", top.out));
    assert!(row.split_ascii_whitespace().nth(3).unwrap().parse::<u64>().unwrap() >= 12, "{row}");
    let nobody = sandbox.run(&["top", "--url", "http://127.0.0.1:1"]);
    assert!(nobody.err.contains("no analyzer answers"), "{}", nobody.err);
    let wrong = send(node.ingest, "GET", "/api/v1/tap?stage=nothing", &[], b"").unwrap();
    assert_eq!(wrong.0, 400, "{}", wrong.2);
}
