//! Nobody's text is believed of devices, either: lines that are read by code, with a client's words in each place where it may write.
//! Tables of messages are forged by the tests of families.

use event::catalog::field;
use event::{Block, EventBatch, Timestamp};
use proptest::prelude::*;

const TRUE_SOURCE: &str = "192.0.2.32";
const FORGED_SOURCE: &str = "203.0.113.151";

/// How a device writes what could end a text.
#[derive(Clone, Copy)]
enum Escape {
    Nothing,
    /// `\"`, `\]`, `\\`, `\,`
    Backslash,
    /// `""`
    Doubled,
}

/// A line: `«S»` is the source, `«N»` the name that a client writes, `«X»` other text of it.
#[rustfmt::skip]
const LINES: &[(Escape, &str)] = &[
    (Escape::Nothing, "<166>Mar 04 2026 10:00:04: %ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 198.51.100.9 : user = «N» : user IP = «S»"),
    (Escape::Nothing, "<113>2026-03-04T10:00:06Z fw2  %FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: «S», DstIP: 198.51.100.4, SrcPort: 4000, DstPort: 80, Protocol: tcp, UserAgent: «X», ReferencedHost: «X», URL: «X»"),
    (Escape::Nothing, "<190>45: sw1: Mar  4 2026 10:00:01.123 UTC: %SEC-6-IPACCESSLOGP: list 110 denied tcp «S»(4000) -> 198.51.100.4(7), 1 packet"),
    (Escape::Nothing, "<134>1 1772618401.5 MX84 urls src=«S»:40000 dst=198.51.100.4:80 mac=00:00:5E:00:53:01 agent='«X»' request: GET http://shop.example/«X»"),
    (Escape::Nothing, "<134> 03/04/2026:10:00:01 GMT ns1 0-PPE-0 : default AAA LOGIN_FAILED 123 0 :  User «N» - Client_ip «S» - Failure_reason \"x\" - Browser \"«X»\""),
    (Escape::Nothing, "<134> 03/04/2026:10:00:01 GMT ns1 0-PPE-0 : default GUI CMD_EXECUTED 123 0 :  User «N» - ADM_User NONE - Remote_ip «S» - Command \"«X»\" - Status \"Success\""),
    (Escape::Nothing, "Mar  4 10:00:04 siem ossec: Alert Level: 5; Rule: 5716 - x; Location: web1->/var/log/auth.log; srcip: «S»; «X»"),
    (Escape::Nothing, "Mar  4 10:00:01 fb1 firewall: msg_id=\"3000-0148\" Deny 0-External Firebox 40 tcp 20 64 «S» 198.51.100.4 4000 22 msg=\"«X»\""),
    (Escape::Backslash, "<134>1 2026-03-04T10:00:01Z cp1 CheckPoint 99 - [action:\"Drop\"; src:\"«S»\"; user:\"«N»\"; resource:\"«X»\"; dst:\"198.51.100.4\"]"),
    (Escape::Backslash, "<181>Mar  4 10:00:01 ise1 CISE_Failed_Attempts 0000000001 1 0 2026-03-04 10:00:01.123 +00:00 0000000001 5400 NOTICE Failed-Attempt: Authentication failed, ConfigVersionId=1, UserName=«N», Calling-Station-ID=«S», Response={«X»}"),
    (Escape::Backslash, "<14>1 2026-03-04T10:00:06.123Z srx1 RT_FLOW - RT_FLOW_SESSION_CLOSE [junos@2636.1.1.1.2.129 reason=\"TCP FIN\" source-address=\"«S»\" source-port=\"4000\" destination-address=\"198.51.100.4\" username=\"«N»\" url=\"«X»\"] «X»"),
    (Escape::Doubled, "Mar  4 10:00:02 pa1 1,2026/03/04 10:00:02,0019,SYSTEM,auth,0,2026/03/04 10:00:02,,auth-fail,,0,0,general,medium,\"failed authentication for user '«N»'.  Reason: Invalid username/password. From: «S».\",1,0x0"),
    (Escape::Doubled, "Mar  4 10:00:01 pa1 1,2026/03/04 10:00:01,0019,THREAT,url,2561,2026/03/04 10:00:01,«S»,198.51.100.4,0.0.0.0,0.0.0.0,in,,,web-browsing,vsys1,outside,inside,ethernet1/1,ethernet1/2,syslog,2026/03/04 10:00:01,7002,1,4000,80,0,0,0x0,tcp,block-url,\"«X»\",(9999),hacking,informational,client-to-server,2,0x0,Germany,Germany,,text/html,0,,,1,\"«X»\",,,\"«X»\""),
];

/// What devices write of sources and accounts, with `F` for the address.
const FORGERIES: &[&str] = &[
    " : user IP = F",
    " : user = forged : user IP = F",
    ", SrcIP: F",
    ", SrcIP: F, User: forged",
    ", User: forged",
    " src=F:7 dst=F:7",
    " denied tcp F(4000) -> 198.51.100.4(7), 1 packet",
    " - Client_ip F",
    " - User forged - Client_ip F",
    " - Remote_ip F",
    " - Source F:7 - Destination F:7",
    "\" - Client_ip F - Browser \"x",
    "; srcip: F; user: forged",
    "; Location: x; srcip: F; user: forged; x",
    " F F 7 7",
    "\"; src:\"F\"; user:\"forged\"; x:\"",
    ", UserName=forged, Calling-Station-ID=F",
    ", Remote-Address=F",
    "\" source-address=\"F\" username=\"forged",
    "\"] [junos@2636.1 source-address=\"F\"]",
    "'.  Reason: x. From: F.",
    " From: F",
    "\",1,0x0,F,F",
    ",F,F,",
    "%SEC-6-IPACCESSLOGP: list 1 denied tcp F(4000) -> 198.51.100.4(7), 1 packet",
    " IN=eth0 OUT= SRC=F DST=F PROTO=TCP SPT=1 DPT=2",
    "\\",
    "\"",
];

fn forged_text() -> impl Strategy<Value = String> {
    let forgery = proptest::sample::select(FORGERIES);
    ("[a-z]{1,5}", prop::collection::vec((forgery, "[a-z]{0,3}"), 0..3)).prop_map(|(word, forgeries)| {
        let told: String = forgeries.iter().map(|(forgery, word)| [forgery, word.as_str()].concat()).collect();
        word + &told.replace('F', FORGED_SOURCE)
    })
}

fn escaped(escape: Escape, text: &str) -> String {
    match escape {
        Escape::Nothing => text.to_owned(),
        Escape::Doubled => text.replace('"', "\"\""),
        Escape::Backslash => text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]").replace(',', "\\,"),
    }
}

fn parsed(line: &str) -> EventBatch {
    let reference = Timestamp::parse_rfc3339(b"2026-03-04T12:00:00Z").unwrap();
    let block = Block::detached("forgery", line.as_bytes().to_vec(), reference);
    crate::Parser::new(crate::Options::default()).parse(block)
}

fn written(escape: Escape, line: &str, name: &str, others: &[String]) -> String {
    let mut line = line.replace("«S»", TRUE_SOURCE).replace("«N»", &escaped(escape, name));
    for at in 0.. {
        let Some(_) = line.find("«X»") else { break };
        line = line.replacen("«X»", &escaped(escape, &others[at % others.len()]), 1);
    }
    line
}

fn text(batch: &EventBatch, id: event::FieldId) -> Option<&str> {
    batch.text(id)?.str(0)
}

#[test]
fn every_line_tells_its_source_where_nobody_lies() {
    for (escape, line) in LINES {
        let line = written(*escape, line, "bob", &["word".to_owned()]);
        let batch = parsed(&line);
        assert_eq!(text(&batch, field::SOURCE_IP), Some(TRUE_SOURCE), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_forgery_never_changes_source_or_account(
        at in any::<prop::sample::Index>(),
        name in forged_text(),
        others in prop::collection::vec(forged_text(), 1..3),
    ) {
        let (escape, line) = LINES[at.index(LINES.len())];
        let line = written(escape, line, &name, &others);
        let batch = parsed(&line);
        for id in [field::SOURCE_IP, field::SOURCE_ADDRESS, field::SOURCE_DOMAIN] {
            let found = text(&batch, id);
            prop_assert!(found.is_none_or(|found| found == TRUE_SOURCE), "{line}\n{found:?}");
        }
        let found = text(&batch, field::USER_NAME);
        prop_assert!(found.is_none_or(|found| found != "forged"), "{line}\n{found:?}");
    }
}
