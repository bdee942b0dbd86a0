//! Secrets that are planted everywhere come out nowhere: neither in logs at their most talkative, nor in answers, nor on the
//! terminal, whether what they are for works or not.

use servers::{Postgres, free_port, wait_until};

use crate::node::{Node, SOON, get, send};
use crate::otlp::Collector;
use crate::program::{Sandbox, finish};

/// Each stands for one place; all hold the word that is searched for.
const PLANTED: &str = "plantedsecret";

fn settings(sandbox: &Sandbox, store: &str, traces: u16) -> String {
    let (place, closed) = (store.split_once('@').unwrap().1, free_port());
    // whsec_ and base64 of something that holds the word.
    let webhook = format!("whsec_{PLANTED}AAA{PLANTED}AAA");
    format!(
        "[store]\nurl = \"postgres://coreagent:{PLANTED}1@{place}\"\n\
         [cache]\nurl = \"redis://user:{PLANTED}2@127.0.0.1:{closed}/\"\n\
         [llm]\nurl = \"http://127.0.0.1:{closed}\"\napi_key = \"{PLANTED}3\"\n\
         [archive]\naccess_key_id = \"someone\"\nsecret_access_key = \"{PLANTED}8\"\nsession_token = \"{PLANTED}9\"\n\
         hash_key = \"{PLANTED}10-of-some-length\"\n\
         [traces]\nendpoint = \"http://127.0.0.1:{traces}\"\nauthorization = \"Bearer {PLANTED}11\"\n\
         [kafka]\nbrokers = \"127.0.0.1:{closed}\"\ntopics = [\"logs\"]\ntls = true\nsasl = \"plain\"\nuser = \"someone\"\n\
         password = \"{PLANTED}12\"\n\
         [auth]\ntokens = true\n[notify]\nage = \"3650d\"\n[log]\nlevel = \"trace\"\nfolder = \"{}/logs\"\nstderr = true\n\
         [webhooks]\nendpoints = [{{name = \"desk\", url = \"http://127.0.0.1:{closed}/hook\", secret = \"{webhook}\", \
         allow = [\"127.0.0.0/8\"], allow_http = true}}]\n",
        sandbox.root().display()
    )
}

/// Every file below the folder, as text.
fn texts(folder: &std::path::Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else {
            into.push((
                path.display().to_string(),
                String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned(),
            ));
        }
    }
}

/// What was shown, each with the place where.
type Said = Vec<(String, String)>;

/// What commands say, also where a setting is wrong.
fn say_commands(sandbox: &Sandbox, config: &str, said: &mut Said) {
    let talks = [
        &["config", "check"][..],
        &["config", "show"],
        &["doctor"],
        &["tasks", "daily"],
        &["token", "list"],
        &["db", "check"],
    ];
    for arguments in talks {
        let run = sandbox.run(&[&["--config", config], arguments].concat());
        said.push((arguments.join(" "), format!("{}{}", run.out, run.err)));
    }
    for (name, value) in [
        ("C0DI3_LLM_TIMEOUT", "x"),
        ("C0DI3_STORE_URL_FILE", "/absent"),
        ("C0DI3_STORE_URL", "mysql://u:plantedsecret6@h/d"),
        ("C0DI3_CACHE_URL", "rediss://u:plantedsecret7@h/"),
    ] {
        let mut command = sandbox.command(&["--config", config, "agent"]);
        command.env(name, value);
        let run = finish(command);
        assert_eq!(run.code, Some(2), "{name} is refused: {}", run.err);
        said.push((name.to_owned(), format!("{}{}", run.out, run.err)));
    }
}

fn ask(port: u16, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, String) {
    let headers = [
        ("Authorization", token),
        ("tracestate", "vendor=plantedsecret12"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("baggage", "key=plantedsecret13"),
    ];
    let (status, _, answer) = send(port, method, path, &headers, body).expect("an answer");
    (status, answer)
}

/// What the services answer while a delivery and a summary are tried, and logins fail.
fn say_answers(node: &Node, bearer: &str, said: &mut Said) {
    let wrong = format!("Bearer {PLANTED}4");
    let attack = crate::program::failures("203.0.113.9", 36_000, 12);
    assert_eq!(ask(node.ingest, "POST", "/ingest", bearer, attack.as_bytes()).0, 200);
    assert_eq!(ask(node.api, "GET", "/api/v1/findings", &wrong, b"").0, 401);
    assert_eq!(ask(node.api, "GET", &format!("/api/v1/findings?token={PLANTED}5"), &wrong, b"").0, 401);
    wait_until(SOON, "a delivery is tried", || {
        ask(node.api, "GET", "/api/v1/deliveries", bearer, b"").1.contains("desk")
    });
    wait_until(SOON, "a summary is tried", || {
        get(node.health, "/metrics").is_some_and(|(_, text)| text.contains("llm_fallback_total"))
    });
    for (port, path) in [
        (node.api, "/health"),
        (node.api, "/metrics"),
        (node.ingest, "/health"),
        (node.ingest, "/metrics"),
        (node.api, "/api/v1/deliveries"),
        (node.api, "/api/v1/endpoints"),
        (node.api, "/api/v1/audit"),
        (node.api, "/api/v1/incidents"),
        (node.api, "/openapi.json"),
    ] {
        said.push((path.to_owned(), ask(port, "GET", path, bearer, b"").1));
    }
}

#[test]
fn planted_secrets_come_out_nowhere() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::start();
    let collector = Collector::start();
    let config = sandbox.write("c0di3.toml", settings(&sandbox, &postgres.database(), collector.port));
    let mut said = Said::new();
    assert_eq!(sandbox.run(&["--config", &config, "db", "migrate"]).code, Some(0));
    // A token is shown once, to whoever makes it: its last part is the secret.
    let admin = sandbox.run(&["--config", &config, "token", "create", "--role", "admin", "--name", "root"]).out;
    let bearer = format!("Bearer {}", admin.trim());
    say_commands(&sandbox, &config, &mut said);
    let mut node = Node::new();
    node.start(&sandbox, "analyzer", &[("spool.folder", sandbox.path("spool").display().to_string())]);
    node.start(&sandbox, "agent", &[]);
    say_answers(&node, &bearer, &mut said);
    for signal in ["-USR1", "-HUP", "-USR2"] {
        node.signal("agent", signal);
    }
    // And where the store goes away.
    drop(postgres);
    let _away = ask(node.api, "GET", "/api/v1/findings", &bearer, b"");
    std::thread::sleep(std::time::Duration::from_secs(2));
    node.stop("agent");
    node.stop("analyzer");
    std::fs::remove_file(&config).unwrap();
    texts(sandbox.root(), &mut said);
    let is_talkative = |(name, text): &(String, String)| name.ends_with("core-agent.log") && text.contains("TRACE");
    assert!(said.iter().any(is_talkative), "logs are at their most talkative");
    let spans = collector.spans();
    for name in ["POST /ingest", "commit", "deliver", "summarise", "GET /api/v1/findings"] {
        assert!(spans.iter().any(|span| span.name == name), "there is a span {name}");
    }
    assert!(collector.authorizations().iter().all(|sent| sent == &format!("Bearer {PLANTED}11")));
    said.extend(collector.texts().into_iter().map(|text| ("spans".to_owned(), text)));
    let secret_part = &admin.trim()[admin.trim().len() - 16..];
    let found = |(name, text): &(String, String)| {
        let lines = text.lines().filter(|line| line.contains(PLANTED) || line.contains(secret_part));
        let lines: Vec<String> = lines.map(|line| line.chars().take(300).collect()).collect();
        (!lines.is_empty()).then(|| format!("{name}:\n{}", lines[..lines.len().min(3)].join("\n")))
    };
    let found: Vec<String> = said.iter().filter_map(found).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
