//! What stays of requests and changes, with real processes: access.log in combined format that our own parser reads, and the
//! audit log over the API.

use serde_json::Value;
use servers::wait_until;

use crate::node::{Node, SOON, send};
use crate::program::Sandbox;

/// Tokens of the roles, made on the command line.
fn tokens(sandbox: &Sandbox) -> Vec<String> {
    let make = |role: &str, name: &str| {
        let run = sandbox.run(&["--config", "c0di3.toml", "token", "create", "--role", role, "--name", name]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.out.trim().to_owned()
    };
    vec![make("ingest", "ship [1]"), make("viewer", "view"), make("admin", "root")]
}

#[test]
fn the_access_log_is_read_by_our_own_parser_and_changes_stand_in_the_audit_log() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "c0di3.toml",
        "[store]\nurl = \"sqlite:a.db\"\n[auth]\ntokens = true\n[log]\nfolder = \"logs\"\nformat = \"json\"\n\
         [api]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[rules]\nwatch = \"\"\n",
    );
    let tokens = tokens(&sandbox);
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let [ship, view, root] = tokens.as_slice() else { panic!() };
    let ask = |port: u16, method: &str, path: &str, token: Option<&String>, body: &[u8]| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("X-Forwarded-For", "127.0.0.1, 203.0.113.77"), ("User-Agent", "tool/1 \" 200 \"")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        send(port, method, path, &headers, body).expect("an answer")
    };
    let large = vec![b'x'; 100_000];
    let incident = "/api/v1/incidents/ffffffffffffffffffffffffffffffff";
    let mut wanted = Vec::new();
    for (port, method, path, token, body, status, user) in [
        (node.api, "GET", "/api/v1/findings?rule=x", Some(view), &b""[..], 200, Some("view")),
        (node.api, "GET", "/api/v1/findings?token=hush", None, b"", 401, None),
        (node.api, "GET", "/api/v1/findings", Some(ship), b"", 403, Some("ship [1]")),
        (node.api, "PATCH", incident, Some(root), &large, 413, Some("root")),
        (node.api, "GET", "/%22%20200", Some(view), b"", 404, None),
        (node.api, "DELETE", "/api/v1/findings", Some(view), b"", 405, None),
        (node.health, "GET", "/health", None, b"", 200, None),
        (node.ingest, "POST", "/ingest", Some(ship), b"one\ntwo\n", 200, Some("ship [1]")),
        (node.ingest, "POST", "/admin/rules/reload", Some(root), b"", 200, Some("root")),
        (node.api, "POST", "/admin/cache/clear", Some(root), b"", 200, Some("root")),
    ] {
        let (found, _, answer) = ask(port, method, path, token, body);
        assert_eq!(found, status, "{path}: {answer}");
        wanted.push((path.replace("hush", "REDACTED"), i64::from(found), user, answer.len() as i64));
    }
    node.signal("serve", "-HUP");
    let audit = || {
        let (_, _, text) = ask(node.api, "GET", "/api/v1/audit?limit=100", Some(root), b"");
        serde_json::from_str::<Value>(&text).unwrap()["data"].as_array().unwrap().clone()
    };
    let has = |action: &str, actor: &str, outcome: &str| {
        audit().iter().any(|entry| entry["action"] == action && entry["actor"] == actor && entry["outcome"] == outcome)
    };
    wait_until(SOON, "a reload by signal in the audit log", || has("rules.reload", "signal", "done"));
    wait_until(SOON, "refused logins in the audit log", || has("login", "", "refused"));
    assert!(has("rules.reload", "root", "done") && has("cache.clear", "root", "done"));
    assert!(has("incident.change", "root", "refused") && has("login", "ship [1]", "refused"));
    let entries = audit();
    let created: Vec<&Value> = entries.iter().filter(|entry| entry["action"] == "token.create").collect();
    assert_eq!(created.len(), 3);
    assert!(created.iter().all(|entry| entry["actor"].as_str().unwrap().starts_with("os:")), "{created:?}");
    let cleared = entries.iter().find(|entry| entry["action"] == "cache.clear").unwrap();
    assert_eq!((&cleared["address"], &cleared["forwarded"]), (&"127.0.0.1".into(), &"203.0.113.77".into()));
    assert_eq!(node.stop("serve"), Some(0));
    let parsed = sandbox.run(&["parse", "logs/access.log"]).lines();
    let text = std::fs::read_to_string(sandbox.path("logs/access.log")).unwrap();
    assert_eq!((parsed.len(), text.contains("hush")), (text.lines().count(), false), "{text}");
    assert!(tokens.iter().all(|token| !text.contains(token.as_str())));
    let asked = parsed.iter().filter(|event| event["user_agent.original"] == "tool/1 \" 200 \"");
    for (event, (path, status, user, size)) in asked.zip(&wanted) {
        assert_eq!(event["event.dataset"], "http.access", "{event}");
        assert_eq!(
            (&event["source.ip"], event["url.original"].as_str()),
            (&"203.0.113.77".into(), Some(path.as_str()))
        );
        assert_eq!((event["http.response.status_code"].as_i64(), event["user.name"].as_str()), (Some(*status), *user));
        assert_eq!(event["http.response.body.bytes"].as_i64(), Some(*size), "{event}");
    }
}
