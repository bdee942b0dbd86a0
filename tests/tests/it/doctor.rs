//! `c0di3 doctor` and `c0di3 tasks`: each fault that is put into an installation is found, under its setting, with what to do; a
//! sound installation has none.

use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use servers::{Postgres, Redis, free_port};

use crate::program::{PROGRAM, Run, Sandbox, finish, samples};

/// Settings with free ports and folders in the sandbox; `changes` replaces values of keys, `section.key = value`.
fn settings(sandbox: &Sandbox, changes: &[(&str, String)]) -> String {
    let root = sandbox.root().display();
    let address = || format!("\"127.0.0.1:{}\"", free_port());
    let mut all = vec![
        ("store.url".to_owned(), format!("\"sqlite:{root}/data/c0di3.db\"")),
        ("spool.folder".to_owned(), format!("\"{root}/spool\"")),
        ("spool.bytes_max".to_owned(), "134217728".to_owned()),
        ("spool.reserve_bytes".to_owned(), "1024".to_owned()),
        ("health.disk_warn_percent".to_owned(), "99".to_owned()),
        ("health.disk_fail_percent".to_owned(), "100".to_owned()),
        ("log.folder".to_owned(), format!("\"{root}/logs\"")),
        ("api.listen".to_owned(), address()),
        ("api.health_listen".to_owned(), address()),
        ("analyzer.listen".to_owned(), address()),
        ("syslog.tcp".to_owned(), address()),
        ("syslog.udp".to_owned(), address()),
    ];
    for (key, value) in changes {
        all.retain(|(known, _)| known != key);
        all.push(((*key).to_owned(), value.clone()));
    }
    let mut text = String::new();
    let mut sections: Vec<_> = all.iter().map(|(key, _)| key.split('.').next().unwrap()).collect();
    sections.sort_unstable();
    sections.dedup();
    for section in sections {
        text += &format!("[{section}]\n");
        for (key, value) in all.iter().filter(|(key, _)| key.split('.').next() == Some(section)) {
            text += &format!("{} = {value}\n", key.split_once('.').unwrap().1);
        }
    }
    text
}

fn doctor(sandbox: &Sandbox, text: &str) -> Run {
    let path = sandbox.write("c0di3.toml", text);
    sandbox.run(&["--config", &path, "doctor"])
}

/// Whether the setting is told as a fault, with a remedy behind it.
fn is_found(run: &Run, about: &str) -> bool {
    let mut lines = run.out.lines();
    lines.any(|line| line.starts_with(&format!("FAULT {about}: ")) && !line.is_empty())
        && run.out.contains("      do: ")
        && run.code == Some(1)
}

#[test]
fn a_sound_installation_has_no_fault() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &settings(&sandbox, &[]));
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.out.starts_with("0 fault(s)"), "{}", run.out);
    assert!(!sandbox.path("spool").exists() && !sandbox.path("data").exists(), "it makes nothing");
}

fn quoted(text: impl std::fmt::Display) -> String {
    format!("\"{text}\"")
}

/// What is wrong, the setting that is to be told, and the settings that make it so.
type Case = (&'static str, &'static str, Vec<(&'static str, String)>);

fn cases_of_ports(held: &[TcpListener], datagrams: &UdpSocket) -> Vec<Case> {
    let port = |at: usize| quoted(held[at].local_addr().unwrap());
    let one = quoted(format!("127.0.0.1:{}", free_port()));
    vec![
        ("a port is taken: API", "api.listen", vec![("api.listen", port(0))]),
        ("a port is taken: health", "api.health_listen", vec![("api.health_listen", port(1))]),
        ("a port is taken: ingest", "analyzer.listen", vec![("analyzer.listen", port(2))]),
        ("a port is taken: syslog over TCP", "syslog.tcp", vec![("syslog.tcp", port(3))]),
        (
            "a port is taken: syslog over UDP",
            "syslog.udp",
            vec![("syslog.udp", quoted(datagrams.local_addr().unwrap()))],
        ),
        ("one port twice", "api.health_listen", vec![("api.listen", one.clone()), ("api.health_listen", one)]),
        ("open without tokens", "api.listen", vec![("api.listen", quoted(format!("0.0.0.0:{}", free_port())))]),
    ]
}

fn cases_of_places(sandbox: &Sandbox) -> Vec<Case> {
    let file = sandbox.write("file", "no folder");
    let no_database = sandbox.write("notes.db", "these are notes, not tables");
    vec![
        ("a spool that is no folder", "spool.folder", vec![("spool.folder", quoted(format!("{file}/spool")))]),
        ("logs into no folder", "log.folder", vec![("log.folder", quoted(format!("{file}/logs")))]),
        ("a store in no folder", "store.url", vec![("store.url", quoted(format!("sqlite:{file}/c0di3.db")))]),
        ("a store that is none", "store.url", vec![("store.url", quoted(format!("sqlite:{no_database}")))]),
        (
            "a full disk",
            "spool.folder",
            vec![("health.disk_warn_percent", "1".into()), ("health.disk_fail_percent", "1".into())],
        ),
        ("no room for the spool", "spool.reserve_bytes", vec![("spool.reserve_bytes", i64::MAX.to_string())]),
        ("no certificate", "health.certificates", vec![("health.certificates", format!("[\"{file}\"]"))]),
        (
            "a certificate that has ended",
            "health.certificates",
            vec![("health.certificates", format!("[\"{}\"]", ended(sandbox)))],
        ),
        ("rules that are not there", "rules.paths", vec![("rules.paths", "[\"/absent\"]".into())]),
        ("allow lists that are not there", "rules.exceptions", vec![("rules.exceptions", "[\"/absent\"]".into())]),
        (
            "a database of countries that is not there",
            "enrich.country",
            vec![("enrich.country", quoted("/absent.mmdb"))],
        ),
        ("a followed folder that is not there", "tail.paths", vec![("tail.paths", "[\"/absent/*.log\"]".into())]),
    ]
}

fn cases_of_settings() -> Vec<Case> {
    let closed = free_port();
    vec![
        ("topics without brokers", "kafka.topics", vec![("kafka.topics", "[\"logs\"]".into())]),
        (
            "no broker",
            "kafka.brokers",
            vec![("kafka.brokers", quoted(format!("127.0.0.1:{closed}"))), ("kafka.topics", "[\"logs\"]".into())],
        ),
        (
            "more from one than in all",
            "syslog.connections_per_address_max",
            vec![("syslog.connections_max", "8".into()), ("syslog.connections_per_address_max", "9".into())],
        ),
        ("everybody is a proxy", "api.trusted_proxies", vec![("api.trusted_proxies", "[\"0.0.0.0/0\"]".into())]),
        ("late longer than silent", "correlation.lateness", vec![("correlation.lateness", quoted("2h"))]),
        (
            "a receiver without a secret",
            "webhooks.endpoints",
            vec![("webhooks.endpoints", "[{name = \"desk\", url = \"https://desk.example/hook\"}]".into())],
        ),
        ("no Redis", "cache.url", vec![("cache.url", quoted(format!("redis://127.0.0.1:{closed}/")))]),
        (
            "no receiver of traces",
            "traces.endpoint",
            vec![("traces.endpoint", quoted(format!("http://127.0.0.1:{closed}")))],
        ),
        ("no model", "llm.url", vec![("llm.url", quoted(format!("http://127.0.0.1:{closed}")))]),
        (
            "no analyzer",
            "agent.analyzer_url",
            vec![("agent.analyzer_url", quoted(format!("http://127.0.0.1:{closed}")))],
        ),
        ("no PostgreSQL", "store.url", vec![("store.url", quoted(format!("postgres://x@127.0.0.1:{closed}/x")))]),
        ("logs that nobody rotates", "log.rotate_bytes", vec![("log.rotate_bytes", "0".into())]),
        ("a key that is unknown", "configuration", vec![("store.urll", quoted("x"))]),
        ("secrets that others may read", "configuration", vec![("llm.api_key", quoted("sk-hidden"))]),
    ]
}

#[test]
fn every_fault_of_settings_and_machine_is_found() {
    let sandbox = Sandbox::new();
    let held: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let cases = [cases_of_ports(&held, &datagrams), cases_of_places(&sandbox), cases_of_settings()].concat();
    assert!(cases.len() >= 25);
    let installed_rotation = std::path::Path::new("/etc/logrotate.d/core-agent").exists();
    let mut missed = Vec::new();
    for (name, about, changes) in cases {
        if about == "log.rotate_bytes" && installed_rotation {
            continue;
        }
        let run = doctor(&sandbox, &settings(&sandbox, &changes));
        if !is_found(&run, about) {
            missed.push(format!("{name}: {about}\n{}{}", run.out, run.err));
        }
        assert!(!run.out.contains("sk-hidden"), "no secret is shown");
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A certificate that ended in 2021.
fn ended(sandbox: &Sandbox) -> String {
    sandbox.write("ended.pem", include_str!("../../../crates/c0di3/src/certificates/ended.pem"))
}

#[test]
fn every_fault_of_the_servers_is_found() {
    let sandbox = Sandbox::new();
    let (postgres, redis) = (Postgres::start(), Redis::start());
    let store = postgres.database();
    let tokens = || vec![("store.url", quoted(&store)), ("auth.tokens", "true".to_owned())];
    assert_eq!(sandbox.run(&["replay", "--store", &store, &samples()]).code, Some(0));
    let run = doctor(&sandbox, &settings(&sandbox, &tokens()));
    assert!(is_found(&run, "auth.tokens"), "nobody can log in: {}", run.out);
    assert!(run.out.contains("note  backup: it has never been done"), "{}", run.out);

    let mut wrong = tokens();
    wrong[0].1 = quoted(format!("{store}_absent"));
    let run = doctor(&sandbox, &settings(&sandbox, &wrong));
    assert!(is_found(&run, "store.url") && run.out.contains("does not exist"), "{}", run.out);

    let psql = |command: &str| {
        let mut psql = Command::new("psql");
        psql.args(["--quiet", "--no-psqlrc", "--host=127.0.0.1", "--username=coreagent", "--port"]);
        psql.args([&postgres.port().to_string(), "--dbname", store.rsplit_once('/').unwrap().1, "--command", command]);
        assert!(psql.status().unwrap().success(), "{command}");
    };
    psql("INSERT INTO tasks VALUES ('drill', 4102444800000000, 'in 2100')");
    assert!(is_found(&doctor(&sandbox, &settings(&sandbox, &tokens())), "clock"), "this clock is behind");
    psql("UPDATE tasks SET at = 0, detail = 'long ago'");
    assert!(is_found(&doctor(&sandbox, &settings(&sandbox, &tokens())), "drill"), "no drill for years");

    assert!(!doctor(&sandbox, &settings(&sandbox, &tokens())).out.contains("`audit`"));
    psql("CREATE ROLE lesser LOGIN; GRANT pg_read_all_data TO lesser");
    let mut lesser = tokens();
    lesser[0].1 = quoted(store.replace("coreagent@", "lesser@"));
    let run = doctor(&sandbox, &settings(&sandbox, &lesser));
    assert!(run.out.contains("this role does not own the table `audit`"), "{}", run.out);

    let cache = vec![("cache.url", quoted(redis.url()))];
    let run = doctor(&sandbox, &settings(&sandbox, &cache));
    assert!(!run.out.contains("FAULT cache.url"), "{}", run.out);
    let port = redis.url().trim_end_matches('/').rsplit_once(':').unwrap().1.to_owned();
    let set =
        Command::new("redis-cli").args(["-p", &port, "config", "set", "maxmemory-policy", "allkeys-lru"]).status();
    assert!(set.unwrap().success());
    let run = doctor(&sandbox, &settings(&sandbox, &cache));
    assert!(is_found(&run, "cache.url") && run.out.contains("allkeys-lru"), "{}", run.out);
}

#[test]
fn too_few_open_files_are_found() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("c0di3.toml", settings(&sandbox, &[]));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n 64; exec {PROGRAM} --config {path} doctor")]).current_dir(sandbox.root());
    assert!(is_found(&finish(command), "limits"));
}

#[test]
fn tasks_do_what_can_be_done_and_print_the_rest() {
    let sandbox = Sandbox::new();
    let text = settings(&sandbox, &[]);
    let path = sandbox.write("c0di3.toml", &text);
    let store = format!("sqlite:{}/data/c0di3.db", sandbox.root().display());
    assert_eq!(sandbox.run(&["replay", "--store", &store, &samples()]).code, Some(0));
    std::fs::create_dir_all(sandbox.path("logs")).unwrap();
    sandbox.write("logs/error.log", "");
    let daily = sandbox.run(&["--config", &path, "tasks", "daily"]);
    assert!(daily.out.contains("done  error log: nothing within a day"), "{}{}", daily.out, daily.err);
    assert!(daily.out.contains("LOOK  health: nobody answers") && daily.code == Some(1), "{}", daily.out);
    assert!(daily.out.contains("LOOK  backup: it has never succeeded: c0di3 db backup"), "{}", daily.out);
    let weekly = sandbox.run(&["--config", &path, "tasks", "weekly"]);
    assert!(weekly.out.contains("done  store: 19 findings and 17 incidents add up"), "{}{}", weekly.out, weekly.err);
    assert!(weekly.out.contains("'localhost:") && weekly.err.starts_with("store: sqlite:"), "{}", weekly.err);
    let monthly = sandbox.run(&["--config", &path, "tasks", "monthly"]);
    assert!(monthly.out.contains("  capacity: ") && monthly.out.contains("todo  disaster drill"), "{}", monthly.out);
}

#[test]
fn manuals_and_completions_come_from_the_command_line() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = sandbox.run(&["completions", shell]);
        assert!(run.code == Some(0) && run.out.contains("c0di3") && run.out.contains("replay"), "{shell}: {}", run.err);
    }
    let run = sandbox.run(&["man", "pages"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let page = std::fs::read_to_string(sandbox.path("pages/c0di3-db-check.1")).unwrap();
    assert!(page.contains(".TH") && sandbox.path("pages/c0di3.1").exists());
    let version = sandbox.run(&["--version"]);
    let (number, commit) = version.out.trim().trim_start_matches("c0di3 ").split_once(' ').unwrap();
    assert!(number.split('.').count() == 3 && commit.starts_with('(') && commit.len() > 3, "{}", version.out);
}
