//! Defaults, overrides, and mistakes with their remedies.

use std::path::PathBuf;

use super::Config;
use super::check::check;
use super::file::{DEFAULT_TEXT, merge};

fn read(written: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let file = merge(written, environment).map_err(|wrong| wrong.to_string())?;
    check(file).map_err(|problems| problems.join("; "))
}

#[test]
fn the_default_file_is_sound_and_explains_every_key() {
    assert!(read("", &[]).is_ok());
    let table: toml::Table = DEFAULT_TEXT.parse().unwrap();
    let lines: Vec<_> = DEFAULT_TEXT.lines().collect();
    for key in table.values().flat_map(|section| section.as_table().unwrap().keys()) {
        let at = lines.iter().position(|line| line.starts_with(&format!("{key} ="))).unwrap();
        let explained = (0..at).rev().map(|at| lines[at]).find(|line| line.starts_with('#') || line.starts_with('['));
        assert!(explained.unwrap().starts_with('#'), "{key} has no comment");
    }
}

#[test]
fn file_and_environment_override_in_that_order() {
    let file = "[store]\nurl = \"sqlite:a.db\"\n[log]\nlevel = \"warn\"\n";
    let config =
        read(file, &[("C0DI3_STORE_URL", "sqlite:b.db"), ("C0DI3_RULES_PATHS", "a:b"), ("HOME", "/")]).unwrap();
    assert_eq!(config.store.url, "sqlite:b.db");
    assert_eq!(config.log.level, tracing::Level::WARN);
    assert_eq!(config.rules.paths, [PathBuf::from("a"), PathBuf::from("b")]);
}

#[test]
fn a_secret_is_read_from_the_file_that_a_variable_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store-url");
    std::fs::write(&path, "postgres://coreagent:hidden@127.0.0.1/core_agent\n").unwrap();
    let named = path.display().to_string();
    let config = read("", &[("C0DI3_STORE_URL_FILE", &named)]).unwrap();
    assert_eq!(config.store.url, "postgres://coreagent:hidden@127.0.0.1/core_agent");
    let absent = read("", &[("C0DI3_STORE_URL_FILE", "/absent")]).unwrap_err();
    assert!(absent.starts_with("C0DI3_STORE_URL_FILE: cannot read /absent"), "{absent}");
    let unknown = read("", &[("C0DI3_STORE_NONE_FILE", &named)]).unwrap_err();
    assert!(unknown.contains("names no setting"), "{unknown}");
}

#[test]
fn mistakes_in_how_brokers_are_reached_name_the_key_and_the_remedy() {
    for (written, words) in [
        ("sasl = \"plain\"\nuser = \"u\"\npassword = \"p\"", "kafka.sasl: `plain` shows the password"),
        ("sasl = \"oauthbearer\"", "kafka.token_file: must be set for oauthbearer"),
        ("user = \"u\"", "kafka.sasl: must say how"),
        ("ca = \"ca.pem\"", "kafka.ca: is of use with kafka.tls = true alone"),
        ("tls = true\nkey = \"key.pem\"", "kafka.certificate, kafka.key: one is of no use"),
    ] {
        let errors = read(&format!("[kafka]\n{written}"), &[]).unwrap_err();
        assert!(errors.contains(words), "{written}: {errors}");
    }
}

#[test]
fn mistakes_name_the_key_and_the_remedy() {
    for (written, words) in [
        ("[stor]\nurl = \"x\"", "unknown section [stor]: known are"),
        ("[store]\nurll = \"x\"", "unknown key `urll` in [store]: known are commit_interval_ms, url"),
        ("url = 1", "must be a section"),
        ("[store]\nurl = 5", "expected a string"),
        ("[store\n", "line 1"),
        ("[webhooks]\nendpoints = [{name = \"a\", url = \"http://x/\"}]", "webhooks.endpoints, a: plain http needs"),
        ("[webhooks]\nendpoints = [{name = \"a\", url = \"https://x/\", colour = 1}]", "unknown field `colour`"),
        ("[syslog]\ndrain_timeout = \"25s\"", "syslog.drain_timeout: must be at most 20 s"),
        ("[syslog]\nconnections_per_address_max = 0", "syslog.connections_per_address_max: must be above 0"),
        ("[analyzer]\nbodies_bytes_max = 1", "analyzer.bodies_bytes_max: must be at least"),
        ("[tls]\nports = [\"api.listen\"]", "tls.certificate, tls.key: must be set: api.listen needs them"),
        ("[syslog]\ntls = \"127.0.0.1:6514\"", "tls.certificate, tls.key: must be set: syslog.tls needs them"),
        ("[syslog]\nproxy_protocol_from = [\"lb\"]", "syslog.proxy_protocol_from: `lb` is not a network"),
        ("[tls]\ncertificate = \"a.pem\"", "tls.certificate, tls.key: need each other"),
        ("[tls]\nports = [\"5001\"]", "tls.ports: `5001` is not one of analyzer.listen"),
        ("[tls]\nclient_ports = [\"api.listen\"]", "tls.client_ports: `api.listen` speaks no TLS"),
        ("[spool]\nbytes_max = 1", "spool.bytes_max: must be at least twice"),
        ("[kafka]\nbrokers = \"b:9092\"", "kafka.topics"),
        (
            "[kafka]\nsasl = \"gssapi\"",
            "kafka.sasl: `gssapi` is not one of plain, scram-sha-256, scram-sha-512, oauthbearer",
        ),
        (
            "[kafka]\nsasl = \"scram-sha-512\"\nuser = \"u\"",
            "kafka.user, kafka.password: must be set for scram-sha-512",
        ),
        ("[kafka]\nunreadable = \"wait\"", "kafka.unreadable: `wait` is not one of dead-letter, skip"),
        ("[kafka]\ndead_letter_topic = \"a b\"", "kafka.dead_letter_topic: `a b` is no name of a topic"),
        ("[kafka]\ntopics = [\"a\"]\ndead_letter_topic = \"{topic}\"", "must not be one of kafka.topics"),
        ("[kafka]\nmessage_bytes_max = 0", "kafka.message_bytes_max: must be from 1 to"),
        ("[tail]\npaths = [\"/var/log/[a\"]", "tail.paths: `/var/log/[a` is no pattern"),
        ("[tail]\nfiles_max = 0", "tail.files_max: must be above 0"),
        ("[cache]\nurl = \"memcached://x\"", "cache.url: `memcached://x` is no cache"),
        ("[archive]\nfolder = \"gs://events\"", "archive.folder: `gs://events` is no place"),
        (
            "[archive]\nfolder = \"s3://events\"\nendpoint = \"http://127.0.0.1:9000\"",
            "archive.folder: a plain http endpoint needs allow_http",
        ),
        ("[archive]\nprivate_fields = [{field = \"user.name\", how = \"hash\"}]", "needs a key of at least 16"),
        ("[archive]\nprivate_fields = [{field = \"user.name\", how = \"hide\"}]", "`hide` is not one of drop, hash"),
        ("[archive]\nprivate_fields = [{field = \"@timestamp\", how = \"drop\"}]", "`@timestamp` cannot be left out"),
        ("[incidents]\nopens_from = \"P9\"", "incidents.opens_from: `P9` is not one of"),
        ("[correlation]\nlateness = \"soon\"", "correlation.lateness: `soon` is not a time span"),
        ("[api]\nlisten = \"here\"", "api.listen: `here` is not an address"),
        ("[api]\ntrusted_proxies = [\"proxy\"]", "api.trusted_proxies: `proxy` is not a network"),
        ("[rules]\nwatch = \"often\"", "rules.watch: `often` is not a time span"),
        ("[input]\nlogsource = \"linux\"", "input.logsource: `linux` is not product"),
        ("[input]\ntimezone = \"Mars\"", "input.timezone: unknown time zone `Mars`"),
        ("[input]\nformat = \"xml\"", "input.format: unknown format `xml`"),
        ("[input]\ntrusted_proxies = [\"proxy\"]", "input.trusted_proxies: `proxy` is not a network"),
        (
            "[[input.formats]]\nname = \"mine\"\nnginx = \"$status $\"",
            "input.formats: format `mine`: nginx, column 9: `$` without",
        ),
        ("[[input.formats]]\nname = \"mine\"", "exactly one of them must say how lines look"),
        ("[[input.formats]]\nname = \"mine\"\nregex = \"x\"", "unknown field `regex`"),
    ] {
        let reason = read(written, &[]).unwrap_err();
        assert!(reason.contains(words), "{written}: {reason}");
    }
    let reason = read("[api]\nlisten = \"x\"\n[log]\nlevel = \"loud\"", &[]).unwrap_err();
    assert!(reason.contains("api.listen") && reason.contains("log.level"), "all at once: {reason}");
    assert!(read("", &[("C0DI3_NO_SUCH", "1")]).unwrap_err().contains("C0DI3_NO_SUCH names no setting"));
    assert!(read("", &[("C0DI3_RULES_DEFAULT", "maybe")]).unwrap_err().contains("true or false"));
}

#[test]
fn formats_of_the_operators_own_can_be_asked_for() {
    let config = read(
        "[input]\nformat = \"mine\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n[[input.formats]]\nname = \"mine\"\nnginx = \"$remote_addr $status\"",
        &[],
    );
    let config = config.unwrap();
    assert_eq!(config.input.formats.names().collect::<Vec<_>>(), ["mine"]);
    assert_eq!(config.input.trusted_proxies.len(), 1);
}

#[test]
fn unknown_names_are_all_told_with_the_nearest_known_one() {
    let told = read("[store]\nurll = \"x\"\n[api]\ntcp = \"x\"\n[corelation]\nx = 1\n", &[]).unwrap_err();
    for words in ["did you mean `url`?", "[syslog] has one", "did you mean `correlation`?"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = read("", &[("C0DI3_STORE_URLL", "x")]).unwrap_err();
    assert!(told.contains("did you mean `C0DI3_STORE_URL`?"), "{told}");
    let told = read("[store]\nzzzzzz = 1\n", &[]).unwrap_err();
    assert!(!told.contains("did you mean"), "{told}");
}
