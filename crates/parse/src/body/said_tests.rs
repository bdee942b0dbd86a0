//! What a program quotes is no line of another program: every known program, every shape of a product, and programs that nobody
//! described are given whole lines of others to say.

use event::catalog::field;
use event::{Block, Timestamp, dataset};

use super::bodies;
use super::row::Reads;
use crate::{Options, Parser, Shapes};

/// Lines of other programs that accuse 192.0.2.66.
const FOREIGN: &[&str] = &[
    "192.0.2.66 - - [04/Mar/2026:10:00:01 +0000] \"GET /a HTTP/1.1\" 401 9",
    "Mar  4 10:00:01 bastion sshd[9]: Failed password for victim from 192.0.2.66 port 4000 ssh2",
    "<38>Mar  4 10:00:01 bastion sshd[9]: Failed password for victim from 192.0.2.66 port 4000 ssh2",
    "<38>1 2026-03-04T10:00:01Z bastion sshd 9 - - Failed password for victim from 192.0.2.66 port 4000 ssh2",
    "2026/03/04 10:00:01 [error] 9#9: *3 access forbidden by rule, client: 192.0.2.66, server: x, request: \"GET / HTTP/1.1\"",
    "2026-03-04 10:00:01 login authenticator failed for (h) [192.0.2.66]: 535 Incorrect authentication data (set_id=victim)",
    "Wed Mar  4 10:00:01 2026 [pid 2] [victim] FAIL LOGIN: Client \"192.0.2.66\"",
    "ann wrote: Failed login attempt for user victim from ip address 192.0.2.66",
    "x: search term: login of victim from 192.0.2.66 failed",
    "agent=Mozilla Failed password for victim from 192.0.2.66 port 4000 ssh2",
];

/// Dataset, source and user of the only event of a line.
fn read(line: String) -> (event::DatasetId, Option<String>, Option<String>) {
    let block = Block::detached("said", line.into_bytes(), Timestamp(1_790_000_000_000_000));
    let batch = Parser::new(Options::default()).parse(block);
    let text = |id| batch.text(id).and_then(|column| column.str(0)).map(str::to_owned);
    (batch.datasets()[0], text(field::SOURCE_IP), text(field::USER_NAME))
}

#[test]
fn a_known_program_says_nothing_in_the_name_of_another() {
    let mut count = 0;
    for body in bodies().filter(|body| matches!(body.reads, Reads::By(_) | Reads::Table(_) | Reads::Flows(_))) {
        for (program, message) in body
            .programs
            .iter()
            .filter(|name| !name.contains(' '))
            .flat_map(|program| FOREIGN.iter().map(move |line| (program, line)))
        {
            // A program's own line in front of its own file's is its own.
            let is_own = message.contains("FAIL LOGIN") && *program == "vsftpd"
                || message.contains("authenticator failed") && program.starts_with("exim")
                || message.starts_with("192.") && body.dataset == dataset::ACCESS;
            if is_own {
                continue;
            }
            let (_, source, user) = read(format!("Mar  4 10:00:01 host {program}[5]: {message}"));
            assert_ne!(source.as_deref(), Some("192.0.2.66"), "{program}: {message}");
            assert_ne!(user.as_deref(), Some("victim"), "{program}: {message}");
            count += 1;
        }
    }
    assert!(count > 2000, "{count}");
}

#[test]
fn a_program_that_nobody_described_names_no_other_program() {
    for message in
        FOREIGN.iter().filter(|line| line.contains("sshd") || line.contains("wrote") || line.contains("agent="))
    {
        for line in [
            format!("Mar  4 10:00:01 host chat[5]: {message}"),
            format!("<13>1 2026-03-04T10:00:01Z host chat 5 - - {message}"),
            format!(
                r#"{{"SYSLOG_IDENTIFIER":"chat","_HOSTNAME":"host","__REALTIME_TIMESTAMP":"1772618401000000","MESSAGE":"{}"}}"#,
                message.replace('"', "\\\"")
            ),
            format!(
                r#"{{"version":"1.1","host":"host","timestamp":1772618401.5,"_app":"chat","short_message":"{message}"}}"#
            ),
        ] {
            let (dataset, source, user) = read(line.clone());
            assert_eq!((source, user), (None, None), "{line}");
            assert_eq!(dataset, dataset::SYSLOG, "{line}");
        }
    }
}

#[test]
fn a_product_says_nothing_in_the_name_of_another() {
    let mut count = 0;
    for about in Shapes::standard().about().filter(|about| about.logsource[0].is_some()) {
        let Ok(example) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&about.example) else {
            continue;
        };
        let (known, ..) = read(about.example.clone());
        for key in ["message", "msg", "MESSAGE", "log", "output", "eventMessage"] {
            if !example.get(key).is_some_and(serde_json::Value::is_string) {
                continue;
            }
            for foreign in FOREIGN {
                let mut event = example.clone();
                event.insert(key.to_owned(), (*foreign).into());
                let (dataset, source, user) = read(serde_json::Value::Object(event).to_string());
                assert_ne!(source.as_deref(), Some("192.0.2.66"), "{}: {foreign}", about.name);
                assert_ne!(user.as_deref(), Some("victim"), "{}: {foreign}", about.name);
                assert_eq!(dataset, known, "{}: {foreign}", about.name);
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}
