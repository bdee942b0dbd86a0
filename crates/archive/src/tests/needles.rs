//! A text that is looked for page by page is found in the rows in which reading every value finds it; lines around evidence are those
//! that a question gives.

use std::collections::BTreeSet;

use event::{EventId, Evidence, SourceId};

use super::*;
use crate::{Passage, lines_around, passage_question, passages};

/// Access lines and lines of another program, in which fields are absent now and then. Long paths fill the dictionary of their column.
fn mixed(count: usize) -> Vec<Arc<EventBatch>> {
    let line = |at: usize| {
        let (address, long) = (at * 7919 % 211, "x".repeat(at % 90));
        format!(
            "192.0.2.{} - {} [29/Nov/2026:10:{:02}:{:02} +0000] \"GET /p{}/{long}{at} HTTP/1.1\" 200 7 \"-\" \"agent {}\"\n",
            address,
            if at.is_multiple_of(3) { "ann" } else { "-" },
            at / 60 % 60,
            at % 60,
            at % 5,
            at % 3
        )
    };
    let access: String = (0..count).map(line).collect();
    let login = |at: usize| {
        format!("Nov 29 10:00:00 gate sshd[1]: Failed password for root from 192.0.2.{} port 22 ssh2\n", at % 9)
    };
    let sshd: String = (0..200).map(login).collect();
    vec![parsed("access.log", &access), parsed("auth.log", &sshd)]
}

fn counted(hunt: &Hunt, condition: &str) -> String {
    ask(hunt, &format!("SELECT count(*) AS n FROM events WHERE {condition}")).unwrap()
}

#[test]
fn a_needle_is_found_where_every_value_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &mixed(40_000));
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    let values = [
        ("source.ip", vec!["192.0.2.7", "192.0.2.210", "192.0.2.211", "192.0.2"]),
        ("user.name", vec!["ann", "root", "bob", ""]),
        ("user_agent.original", vec!["agent 2", "agent"]),
        ("host.hostname", vec!["gate"]),
        ("url.path", vec!["/p3/", "/p0/0", "/p4/xxxx29974", "/p1/x31"]),
    ];
    let mut found = 0;
    for (field, values) in values {
        for value in values {
            // Two conditions that no page can answer say the same.
            let slow = counted(&hunt, &format!("{field} || '' = '{value}'"));
            for condition in [format!("{field} = '{value}'"), format!("'{value}' = {field}")] {
                assert_eq!(counted(&hunt, &condition), slow, "{condition}");
            }
            let both = counted(&hunt, &format!("{field} = '{value}' AND source.ip = '192.0.2.7'"));
            let slow = counted(&hunt, &format!("{field} || '' = '{value}' AND source.ip || '' = '192.0.2.7'"));
            assert_eq!(both, slow, "{field} {value}, and an address");
            found += usize::from(!slow.ends_with("\n0\n"));
            let shown = format!("SELECT * FROM events WHERE {field} = '{value}' ORDER BY c0di3.sequence LIMIT 20");
            let slow = format!("SELECT * FROM events WHERE {field} || '' = '{value}' ORDER BY c0di3.sequence LIMIT 20");
            assert_eq!(ask(&hunt, &shown), ask(&hunt, &slow), "{field} {value}");
        }
    }
    assert!(found > 4, "{found}");
    // A column that one of the files has not.
    let host = "SELECT host.hostname FROM events WHERE source.ip = '192.0.2.7' ORDER BY c0di3.sequence";
    assert_eq!(ask(&hunt, host), ask(&hunt, &host.replace("ip =", "ip || '' =")));
    let status = "source.ip = '192.0.2.7' AND http.response.status_code = 200 AND event.original LIKE '%agent 1%'";
    assert_eq!(counted(&hunt, status), counted(&hunt, &status.replace("ip =", "ip || '' =")));
}

#[test]
fn a_condition_that_is_judged_for_each_text_once_finds_what_every_value_finds() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &mixed(40_000));
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    // Behind a `CASE` no page can answer.
    let slow = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END = 1");
    let mut found = 0;
    for condition in [
        "cidr_match(source.ip, '192.0.2.64/26')",
        "cidr_match(source.ip, '192.0.2.7/32')",
        "cidr_match(source.ip, '198.51.100.0/24, 192.0.2.0/30')",
        "cidr_match(user.name, '192.0.2.0/24')",
        "cidr_match(' ' || source.ip, '192.0.2.64/26')",
        "cidr_match(btrim(source.ip || ' '), '192.0.2.64/26')",
        "source.ip LIKE '192.0.2.1%'",
        "source.ip LIKE '%'",
        "url.path LIKE '%xxxx2997_'",
        "url.path ILIKE '/P3/%9'",
        "user.name IN ('ann', 'root')",
        "user.name IN ('ann', 'bob', NULL)",
        "host.hostname LIKE 'g%'",
        "regexp_like(user_agent.original, 'agent [12]$')",
        "user_agent.original ~ '^agent 0'",
        "(source.ip LIKE '%.7' OR source.ip IN ('192.0.2.9'))",
        "coalesce(user.name, 'ann') LIKE 'an%'",
        "starts_with(url.path, '/p1/xx')",
    ] {
        let (quick, all) = (counted(&hunt, condition), counted(&hunt, &slow(condition)));
        assert_eq!(quick, all, "{condition}");
        found += usize::from(!quick.ends_with("\n0\n"));
        let both = format!("{condition} AND source.ip = '192.0.2.7' AND http.response.status_code = 200");
        assert_eq!(counted(&hunt, &both), counted(&hunt, &both.replacen(condition, &slow(condition), 1)), "{both}");
        let shown = |condition: &str| {
            ask(&hunt, &format!("SELECT * FROM events WHERE {condition} ORDER BY c0di3.sequence LIMIT 20"))
        };
        assert_eq!(shown(condition), shown(&slow(condition)), "{condition}");
    }
    assert!(found > 12, "{found}");
    // What cannot be judged is told as it is without.
    let bad = ask(&hunt, "SELECT count(*) FROM events WHERE cidr_match(source.ip, 'nowhere')");
    assert!(bad.as_ref().is_err_and(|error| error.to_string().contains("cidr_match")), "{bad:?}");
}

#[test]
fn lines_around_evidence_are_those_of_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let batches = mixed(9_000);
    let files = written(folder.path(), &batches);
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    let proof = |batch: &EventBatch, row: usize| Evidence {
        event_id: batch.event_id(row),
        source: batch.source().name.clone(),
        line_no: batch.line_no(row),
        offset: batch.offset(row),
        time: None,
        original: String::new(),
    };
    let evidence = [proof(&batches[0], 0), proof(&batches[0], 5000), proof(&batches[0], 5003), proof(&batches[1], 100)];
    let asked: Vec<Passage> = passages(&evidence, 5, 5);
    let read = lines_around(&folder.path().into(), &files, &asked).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(hunt.ask(&passage_question(&asked))).unwrap();
    assert_eq!(read, answer.found_lines());
    let marked = |passage: &Passage| passage.lines(&read).iter().filter(|line| line.is_evidence).count();
    assert_eq!(asked.iter().map(marked).sum::<usize>(), evidence.len());
    assert!(asked.iter().skip(1).all(|passage| passage.is_whole(&passage.lines(&read))));
    let numbers: BTreeSet<u64> = read.iter().filter(|line| line.name == "access.log").map(|line| line.number).collect();
    assert_eq!(numbers.len(), 6 + 14);
    let nowhere =
        Evidence { event_id: EventId::derive(SourceId(1), 1), source: "no.log".to_owned(), ..evidence[0].clone() };
    assert_eq!(lines_around(&folder.path().into(), &files, &passages(&[nowhere], 5, 5)).unwrap(), Some(Vec::new()));
}

#[test]
fn a_search_tells_what_its_events_have_in_common() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &mixed(600));
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    let search = Search::read("dataset:http.access method:GET", now()).unwrap();
    let lines = |question: &str| ask(&hunt, question).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    // One more than was asked for says that there are more.
    let facet = lines(&search.facet("agent", 2).unwrap());
    assert_eq!(facet, ["value,count", "agent 0,200", "agent 1,200", "agent 2,200"]);
    assert_eq!(lines(&search.facet("status", 5).unwrap()), ["value,count", "200,600"]);
    let bars = lines(&search.histogram(300 * 1_000_000).unwrap());
    assert_eq!(bars, ["time,count", "2026-11-29T10:05:00Z,300", "2026-11-29T10:00:00Z,300"]);
    let times = ask(&hunt, &search.times_question(2)).unwrap();
    assert_eq!(times.lines().count(), 3, "{times}");
}
