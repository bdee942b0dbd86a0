//! Definitions of operators: what their lines give, and what is said of wrong ones.

use std::sync::Arc;

use event::{Block, Timestamp};
use proptest::prelude::*;

use crate::{FormatChoice, FormatDefinition, Options, Parser, TrustedProxies, UserFormats};

fn definition(name: &str, change: impl FnOnce(&mut FormatDefinition)) -> FormatDefinition {
    let mut definition = FormatDefinition { name: name.to_owned(), ..FormatDefinition::default() };
    change(&mut definition);
    definition
}

fn options(definitions: &[FormatDefinition]) -> Options {
    Options { user_formats: Arc::new(UserFormats::compile(definitions).unwrap()), ..Options::default() }
}

fn events(options: Options, source: &str, lines: &str) -> Vec<serde_json::Value> {
    let block = Block::detached(source, lines.as_bytes().to_vec(), Timestamp::from_unix_seconds(1_800_000_000));
    let batch = Parser::new(options).parse(block);
    let event = |row| {
        let mut text = String::new();
        event::json::write_row(&batch, row, &mut text);
        serde_json::from_str(&text).unwrap()
    };
    (0..batch.rows()).map(event).collect()
}

#[test]
fn a_log_format_of_nginx_reads_the_files_that_it_is_for() {
    let shop = definition("shop", |shop| {
        shop.nginx = Some(
            "$http_x_forwarded_for|$remote_addr|$time_iso8601|$request_method ${request_uri} $status $request_time \"$http_user_agent\" $upstream_addr"
                .to_owned(),
        );
        shop.files = vec!["/var/log/shop/*.log".to_owned()];
    });
    let line = "203.0.113.7|10.0.0.4|2026-03-04T10:00:01+00:00|GET /a?b=%27 200 0.250 \"x \\x22y\\x22\" 10.0.0.9:80\n";
    let read = events(options(std::slice::from_ref(&shop)), "/var/log/shop/access.log", line);
    let expected = serde_json::json!({
        "@timestamp": "2026-03-04T10:00:01Z", "event.kind": "event", "event.dataset": "http.access",
        "event.original": line.trim_end(), "source.ip": "10.0.0.4", "source.address": "10.0.0.4",
        "network.forwarded_ip": "203.0.113.7", "http.request.method": "GET", "url.original": "/a?b=%27", "url.path": "/a",
        "url.query": "b=%27", "http.response.status_code": 200, "event.duration": 250_000_000,
        "user_agent.original": "x \"y\"", "nginx.upstream_addr": "10.0.0.9:80",
    });
    assert_eq!(read[0], expected);
    // Behind a proxy that is known the list counts; files of other names are read as ever.
    let behind = Options {
        trusted_proxies: TrustedProxies::from(vec!["10.0.0.0/8".parse().unwrap()]),
        ..options(std::slice::from_ref(&shop))
    };
    assert_eq!(events(behind, "/var/log/shop/access.log", line)[0]["source.ip"], "203.0.113.7");
    assert_eq!(events(options(&[shop]), "/var/log/other.log", line)[0]["event.dataset"], "text");
}

#[test]
fn a_log_format_of_apache_is_asked_for_by_its_name() {
    let own = definition("mine", |own| {
        own.apache = Some(
            "%v:%p %h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\" %D %{X-Id}i %k".to_owned(),
        );
    });
    let options = options(&[own]);
    let format = FormatChoice::named("mine", &options.user_formats).unwrap();
    let line = "shop.example:443 203.0.113.7 - ann [04/Mar/2026:10:00:01 +0100] \"GET /a HTTP/1.1\" 200 512 \"-\" \"curl/8.5\" 1500 id-7 0";
    let read = events(Options { format, ..options }, "x", &format!("{line}\nnot so\n"));
    let event = &read[0];
    for (name, value) in [
        ("source.ip", "203.0.113.7"),
        ("user.name", "ann"),
        ("url.domain", "shop.example"),
        ("url.original", "/a"),
        ("@timestamp", "2026-03-04T09:00:01Z"),
        ("user_agent.original", "curl/8.5"),
        ("apache.X-Id", "id-7"),
        ("apache.k", "0"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!((&event["url.port"], &event["event.duration"]), (&443.into(), &1_500_000.into()));
    assert_eq!(read[1]["error.message"], "not of the format that was asked for");
}

#[test]
fn a_delimiter_and_a_pattern_name_fields() {
    let columns = ["@timestamp:ms", "source.ip", "user.name", "-", "event.outcome", "door"];
    let doors = definition("doors", |doors| {
        doors.delimiter = Some(";".to_owned());
        doors.columns = columns.map(str::to_owned).to_vec();
        doors.source = Some("doors".to_owned());
    });
    let gate = definition("gate", |gate| {
        gate.pattern = Some("{@timestamp} <{_}{{{user.name}}} from {source.ip}: {event.reason}".to_owned());
        gate.source = Some("gate".to_owned());
    });
    let options = options(&[doors, gate]);
    let read = events(options.clone(), "doors", "1772618401120;203.0.113.7;ann;x;failure;\"north; 1\"\n1;2\n");
    assert_eq!(read[0]["@timestamp"], "2026-03-04T10:00:01.120000Z");
    assert_eq!((&read[0]["door"], &read[0]["event.dataset"]), (&"north; 1".into(), &"doors".into()));
    assert_eq!(read[1]["error.message"], "not of the format that is defined for its source");
    let read = events(options, "gate", "2026-03-04 10:00:01 <   {ann} from 203.0.113.7: closed by night\n");
    assert_eq!((&read[0]["user.name"], &read[0]["source.ip"]), (&"ann".into(), &"203.0.113.7".into()));
    assert_eq!(read[0]["event.reason"], "closed by night");
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    let wrong = [
        definition("a", |a| a.nginx = Some("$remote_addr$status $ ${request".to_owned())),
        definition("a", |a| a.apache = Some("%h %{Referer".to_owned())),
        definition("json", |b| b.pattern = Some("{source.ip} {event.duration} {no field} } {".to_owned())),
        definition("c", |c| {
            c.delimiter = Some("::".to_owned());
            c.columns = vec!["@timestamp:years".to_owned()];
            c.files = vec!["/var/***".to_owned()];
            c.dataset = Some("web".to_owned());
        }),
        definition("d", |_| {}),
    ];
    let told: Vec<String> = UserFormats::compile(&wrong).unwrap_err().iter().map(ToString::to_string).collect();
    let between = "two values follow each other without a text between them: it cannot be known where the first one ends; put a blank or another mark between them";
    let expected = [
        "format `a`: nginx, column 21: `$` without the name of a variable: nginx has no other meaning for it".to_owned(),
        "format `a`: nginx, column 23: `${request` is not closed: write `${request}`".to_owned(),
        format!("format `a`: nginx, column 13: {between}"),
        "format `a`: name: is taken by a format above: choose another one".to_owned(),
        "format `a`: apache, column 4: `%{` is not closed: write `}` behind the name".to_owned(),
        "format `json`: name: is that of a built-in format: choose another one".to_owned(),
        "format `json`: pattern, column 13: a duration needs its unit: write event.duration:s, :ms or :us".to_owned(),
        "format `json`: pattern, column 30: `no field` is no name of a field: use letters, digits, dots, `_` and `-`".to_owned(),
        "format `json`: pattern, column 41: `}` closes nothing: write `}}` for the bracket itself".to_owned(),
        "format `json`: pattern, column 43: `{` is not closed: write `}` behind the name, or `{{` for the bracket itself".to_owned(),
        "format `c`: delimiter: `::` must be one character, such as `,`, `|` or `\\t`".to_owned(),
        "format `c`: columns, column 1: `years` is no unit: use s, ms or us".to_owned(),
        "format `c`: files, column 8: `/var/***`: wildcards are either regular `*` or recursive `**`".to_owned(),
        "format `c`: dataset: `web` is no known kind of log: leave it out, or write http.access".to_owned(),
        "format `d`: nginx, apache, pattern, delimiter: exactly one of them must say how lines look".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_a_client_writes_into_its_own_values_moves_nothing() {
    let own = definition("mine", |own| {
        own.nginx = Some(
            "\"$http_user_agent\" \"$http_referer\" $remote_user $remote_addr [$time_local] \"$request\"".to_owned(),
        );
        own.source = Some("x".to_owned());
    });
    // The server writes quotes of clients as `\x22`.
    let agent = "\\x22 \\x22-\\x22 ann 203.0.113.151 [04/Mar/2026:10:00:00 +0000] \\x22GET / HTTP/1.1\\x22";
    let line =
        format!("\"{agent}\" \"{agent}\" bob 203.0.113.7 [04/Mar/2026:10:00:01 +0000] \"GET /{agent} HTTP/1.1\"\n");
    let read = events(options(&[own]), "x", &line);
    assert_eq!((&read[0]["source.ip"], &read[0]["user.name"]), (&"203.0.113.7".into(), &"bob".into()));
}

proptest! {
    #[test]
    fn arbitrary_definitions_and_lines_never_panic(
        definition in "([$%{}\\\\\"|<>!^_:*., a-zé0-9-]|\\$[a-z_]{1,12}|%[a-zA-Z]|\\{[a-z.@:]{1,14}\\}){0,24}",
        lines in "[ -~é\\n]{0,200}",
        form in 0..3_u8,
    ) {
        let format = self::definition("mine", |mine| match form {
            0 => mine.nginx = Some(definition),
            1 => mine.apache = Some(definition),
            _ => mine.pattern = Some(definition),
        });
        match UserFormats::compile(&[format]) {
            Ok(formats) => {
                let user_formats = Arc::new(formats);
                let format = FormatChoice::named("mine", &user_formats).unwrap();
                events(Options { format, user_formats, ..Options::default() }, "x", &lines);
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}

#[test]
fn a_clients_own_words_in_front_of_the_peer_name_nobody_else() {
    type Change = fn(&mut FormatDefinition);
    let cases: [(Change, &str, Option<&str>); 8] = [
        (
            |it| it.apache = Some(r#"%{X-Forwarded-For}i %h %l %u %t "%r" %>s %b"#.into()),
            r#"198.51.100.9 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 12"#,
            Some("203.0.113.7"),
        ),
        (
            |it| it.apache = Some(r#"%{X-Forwarded-For}i %h %l %u %t "%r" %>s %b"#.into()),
            r#"192.0.2.1, 198.51.100.9 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 12"#,
            None,
        ),
        (
            |it| it.nginx = Some("ua=$http_user_agent ip=$remote_addr st=$status".into()),
            "ua=x ip=198.51.100.9 st=200 ip=203.0.113.7 st=404",
            None,
        ),
        (
            |it| it.nginx = Some("ua=$http_user_agent ip=$remote_addr st=$status".into()),
            "ua=x y ip=203.0.113.7 st=404",
            Some("203.0.113.7"),
        ),
        (
            |it| it.pattern = Some("{@timestamp} {user.name} from {source.ip}: {event.reason}".into()),
            "2026-03-04T10:00:01Z ann from 198.51.100.9: x from 203.0.113.7: no",
            None,
        ),
        (
            |it| it.pattern = Some("{@timestamp} {user.name} from {source.ip}: {event.reason}".into()),
            "2026-03-04T10:00:01Z ann from 203.0.113.7: from 198.51.100.9: no",
            None,
        ),
        (|it| it.nginx = Some("$remote_addr $status".into()), "203.0.113.7 200", Some("203.0.113.7")),
        (|it| it.nginx = Some("$remote_addr $status".into()), "not;an;address nor", None),
    ];
    for (change, line, source) in cases {
        let shop = definition("shop", |it| {
            change(it);
            it.source = Some("shop".to_owned());
        });
        let event = &events(options(&[shop]), "shop", line)[0];
        assert_eq!(event["source.ip"].as_str(), source, "{line}: {event:#}");
    }
}

#[test]
fn slips_are_told_with_their_place_and_new_names_noted() {
    let pattern = |text: &str| definition("shop", |shop| shop.pattern = Some(text.to_owned()));
    let columns = |names: &[&str]| {
        definition("shop", |shop| {
            shop.delimiter = Some("|".to_owned());
            shop.columns = names.iter().map(|name| (*name).to_owned()).collect();
        })
    };
    for (wrong, expected) in [
        (
            pattern("{@timestamp} {source.ipp}"),
            "format `shop`: pattern, column 14: `source.ipp` is no known field, and `source.ip` is",
        ),
        (pattern("{source.ip} {user.name} {source.ip}"), "column 25: `source.ip` is the value of column 1 already"),
        (pattern("{source.ip} {client.ip}"), "column 13: `client.ip` is the value of column 1 already"),
        (columns(&["user.nmae", "-"]), "columns, column 1: `user.nmae` is no known field, and `user.name` is"),
        (
            columns(&["source.ip", "-", "-", "source.ip"]),
            "columns, column 4: `source.ip` is the value of column 1 already",
        ),
        (columns(&["mine", "mine"]), "columns, column 2: `mine` is the value of column 1 already"),
        (
            definition("shop", |shop| {
                shop.nginx = Some("$remote_addr".to_owned());
                shop.dataset = Some("mail.logg".to_owned());
            }),
            "`mail.logg` is no known kind of log: leave it out, or write mail.log",
        ),
    ] {
        let problems = UserFormats::compile(&[wrong]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }
    let formats = UserFormats::compile(&[
        pattern("{source.ip} {shop.cart}"),
        definition("web", |web| web.nginx = Some("$remote_addr $upstream_cache_status".to_owned())),
    ]);
    let notes: Vec<String> = formats.unwrap().notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("format `shop`: pattern: `shop.cart` is a field of its own"), "{notes:?}");
}
