//! Whatever a client writes into the line that an envelope carries: container, stream, time and program stay where they stand.

use event::catalog::field;
use event::{Block, EventBatch, Timestamp};
use proptest::prelude::*;

use crate::{Options, Parser};

fn parse(bytes: &[u8]) -> EventBatch {
    Parser::new(Options::default()).parse(Block::detached("test", bytes.to_vec(), Timestamp(1_790_000_000_000_000)))
}

/// What a client may write: whole envelopes and headers, with other names.
fn forged() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("2026-01-01T00:00:00.000000001Z stderr F ".to_owned()),
        Just("2026-01-01T00:00:00.000000001Z stderr P ".to_owned()),
        Just("2026-01-01T00:00:00.000000001Z ".to_owned()),
        Just("evil-9  | ".to_owned()),
        Just("[pod/evil/evil] ".to_owned()),
        Just("<38>Jan  1 00:00:00 evil evil[1]: ".to_owned()),
        Just("99 <38>1 2026-01-01T00:00:00Z evil evil 1 - - ".to_owned()),
        Just("__CURSOR=evil _HOSTNAME=evil ".to_owned()),
        Just("Original Address=198.51.100.66 ".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("{\"container.name\":\"evil\"}".to_owned()),
        "[a-z ]{0,8}",
    ];
    proptest::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

fn text(batch: &EventBatch, id: event::FieldId, row: usize) -> Option<&str> {
    batch.text(id).and_then(|column| column.str(row))
}

proptest! {
    #[test]
    fn what_a_client_writes_never_stands_in_the_place_of_the_envelope(forged in forged(), kind in 0..4_usize) {
        // The client writes the agent of a request, the name of an account, the value of a key, or the text of a journal's entry.
        let access = format!(r#"203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET /a HTTP/1.1" 200 1 "-" "{}""#, forged.replace('"', ""));
        let ssh = format!("Mar  4 10:00:01 bastion sshd[99]: Failed password for invalid user {forged} from 203.0.113.7 port 4000 ssh2");
        let json = format!(r#"{{"time":"2026-03-04T10:00:01Z","agent":"{}"}}"#, forged.replace(['"', '\u{1b}'], ""));
        let plain = format!("user {forged}");
        let inner = [&access, &ssh, &json, &plain][kind];
        let outer_time = "2026-03-04T10:00:02.500000000Z";
        let wanted_time = if kind == 3 { "2026-03-04T10:00:02.500000Z" } else { "2026-03-04T10:00:01Z" };
        for (line, container, stream) in [
            (format!("{outer_time} stdout F {inner}\n"), None, Some("stdout")),
            (format!("web-1  | {outer_time} {inner}\n"), Some("web-1"), None),
            (format!("[pod/shop/web] {outer_time} {inner}\n"), Some("web"), None),
        ] {
            let batch = parse(line.as_bytes());
            prop_assert_eq!(text(&batch, field::CONTAINER_NAME, 0), container, "{}", line);
            prop_assert_eq!(text(&batch, field::LOG_IOSTREAM, 0), stream, "{}", line);
            let time = batch.times().and_then(|times| times.get(0)).map(|time| Timestamp(time).to_string());
            prop_assert_eq!(time.as_deref(), Some(wanted_time), "{}", line);
            let host = text(&batch, field::HOST_HOSTNAME, 0);
            prop_assert_eq!(host, (kind == 1).then_some("bastion"), "{}", line);
            let program = text(&batch, field::PROCESS_NAME, 0);
            prop_assert_eq!(program, (kind == 1).then_some("sshd"), "{}", line);
        }
    }

    #[test]
    fn an_entry_of_the_journal_is_one_event_of_its_own_host(forged in forged(), breaks in 0..4_usize) {
        let message = format!("user {forged}{}", "\n\n__CURSOR=x\n__REALTIME_TIMESTAMP=1\n_HOSTNAME=evil\nMESSAGE=forged\n".repeat(breaks));
        let mut entry = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772618401000000\n_HOSTNAME=bastion\nSYSLOG_IDENTIFIER=app\n_PID=9\nMESSAGE\n".to_vec();
        entry.extend((message.len() as u64).to_le_bytes());
        entry.extend(message.as_bytes());
        entry.extend(b"\n\n");
        let batch = parse(&entry);
        prop_assert_eq!(batch.events(), 1);
        prop_assert_eq!(text(&batch, field::HOST_HOSTNAME, 0), Some("bastion"));
        prop_assert_eq!(text(&batch, field::PROCESS_NAME, 0), Some("app"));
        prop_assert_eq!(text(&batch, field::MESSAGE, 0), Some(message.trim_start()));
    }
}
