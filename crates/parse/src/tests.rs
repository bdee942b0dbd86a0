//! Cases are files: `testdata/<group>/<case>.log` beside `<case>.jsonl`, the events that it must give.
//! A missing expectation is written on the first run, and then has to be read and committed.

use std::path::{Path, PathBuf};

use event::{Block, Timestamp};
use proptest::prelude::*;

use super::*;

const REFERENCE: &str = "2026-11-23T12:00:00Z";

fn events_of(blocks: impl IntoIterator<Item = Block>) -> Vec<String> {
    let mut parser = Parser::new(Options::default());
    let mut events = Vec::new();
    for block in blocks {
        let batch = parser.parse(block);
        for row in 0..batch.rows() {
            let mut text = String::new();
            event::json::write_row(&batch, row, &mut text);
            serde_json::from_str::<serde_json::Value>(&text).expect("every event is printed as JSON");
            events.push(text);
        }
    }
    events
}

fn block(bytes: &[u8]) -> Block {
    Block::detached("test", bytes.to_vec(), Timestamp::parse_rfc3339(REFERENCE.as_bytes()).unwrap())
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut cases: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .flat_map(|group| std::fs::read_dir(group.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn a_colour_in_front_changes_no_event() {
    let names =
        ["json", "cri", "rfc5424", "access", "nginx_error", "haproxy", "audit", "cisco", "cef", "key_value", "rfc3164"];
    for format in FORMATS.iter().filter(|format| names.contains(&format.name)) {
        let without_original = |text: &str| {
            let events = events_of([block(text.as_bytes())]);
            let mut event: serde_json::Value = serde_json::from_str(&events[0]).unwrap();
            event.as_object_mut().unwrap().remove("event.original");
            event
        };
        let coloured = format!("\u{1b}[1;32m{}\u{1b}[0m", format.example);
        assert_eq!(without_original(&coloured), without_original(format.example), "{}", format.name);
    }
}

#[test]
fn every_case_gives_the_events_beside_it() {
    let cases = cases();
    assert!(cases.len() >= 7, "the walker found its files");
    for case in cases {
        let input = std::fs::read(&case).unwrap();
        let events = events_of([block(&input)]).join("\n") + "\n";
        let expected_at = case.with_extension("jsonl");
        if !expected_at.exists() {
            std::fs::write(&expected_at, &events).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_at).unwrap();
        for (line, (found, expected)) in events.lines().zip(expected.lines()).enumerate() {
            assert_eq!(found, expected, "{} line {}", case.display(), line + 1);
        }
        assert_eq!(events.lines().count(), expected.lines().count(), "{}", case.display());
    }
}

#[test]
fn an_original_is_what_stands_there_also_where_nothing_could_be_read() {
    let events = events_of([block(b"2\xff26-03-04T10:00:04.120000001Z stdout P never ended\n  x\n")]);
    let event: serde_json::Value = serde_json::from_str(&events[0]).unwrap();
    assert!(event["event.original"].as_str().unwrap().ends_with("Z stdout P never ended"), "{event}");
}

#[test]
fn there_is_one_event_for_every_line_and_every_event_has_its_line() {
    for case in cases() {
        let input = std::fs::read(&case).unwrap();
        let batch = Parser::new(Options::default()).parse(block(&input));
        let lines: Vec<_> = line::lines(&input).map(|line| (line.at as u64, line.text)).collect();
        assert_eq!(batch.rows(), lines.len());
        for (row, (at, text)) in lines.iter().enumerate() {
            let (original, text) = (batch.original(row), String::from_utf8_lossy(text));
            let goes_on = batch.datasets().get(row + 1) == Some(&dataset::CONTINUATION);
            let is_first = goes_on && original.starts_with(&*text);
            assert!(original == text || is_first, "{} row {row}: {original:?}", case.display());
            assert_eq!((batch.offset(row), batch.line_no(row)), (*at, row as u64 + 1));
        }
        assert_eq!(batch.span().1, Position { offset: input.len() as u64, line: lines.len() as u64 });
    }
}

/// Which kinds of log carry which field is what `rules fields` and `rules check` go by.
#[test]
fn the_catalog_says_which_fields_the_parsers_write() {
    let mut written = std::collections::BTreeSet::new();
    for case in cases() {
        let batch = Parser::new(Options::default()).parse(block(&std::fs::read(&case).unwrap()));
        for row in 0..batch.rows() {
            let dataset = event::Dataset::of(batch.datasets()[row]);
            let mut text = String::new();
            event::json::write_row(&batch, row, &mut text);
            let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            for (_, field) in members.keys().filter_map(|name| event::Field::named(name)) {
                let known = ["json", "text", "unparsed", "continuation"].contains(&dataset.name)
                    || field.is_written_for(dataset);
                assert!(known, "schemas/fields.yaml: {} is also written for {}", field.name, dataset.name);
                written.insert(field.name);
            }
        }
    }
    // What is added to events is tested where it is made.
    let is_added = |name: &str| {
        name.starts_with("source.geo.")
            || name.starts_with("source.as.")
            || ["source.scope", "user_agent.type"].contains(&name)
    };
    for field in event::catalog::FIELDS.iter().filter(|field| !is_added(field.name)) {
        let is_declared = !field.datasets.is_empty();
        assert!(written.contains(field.name), "no sample has {}", field.name);
        assert!(is_declared || field.name == "error.message", "{} is written for nothing", field.name);
    }
}

#[test]
fn no_sample_line_is_read_by_two_groups_of_formats() {
    for (group, others) in
        [("access", ["json", "syslog"]), ("json", ["access", "syslog"]), ("syslog", ["access", "json"])]
    {
        let own = Options { format: group.parse().unwrap(), ..Options::default() };
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/{group}/variants.log"));
        let input = std::fs::read(case).unwrap();
        let batch = Parser::new(own).parse(block(&input));
        let read = |batch: &event::EventBatch, row| batch.datasets()[row] != dataset::UNPARSED;
        assert!((0..batch.rows()).filter(|row| read(&batch, *row)).count() > 8, "{group} reads its own samples");
        for other in others {
            let options = Options { format: other.parse().unwrap(), ..Options::default() };
            let others_view = Parser::new(options).parse(block(&input));
            for row in (0..batch.rows()).filter(|row| read(&batch, *row)) {
                assert!(!read(&others_view, row), "{other} also reads {:?}", batch.original(row));
            }
        }
    }
}

#[test]
fn an_unknown_format_is_refused_with_the_known_ones() {
    let message = "apache".parse::<FormatChoice>().unwrap_err().to_string();
    assert!(message.starts_with("unknown format `apache`: use one of auto, json, "), "{message}");
    assert!(Clock::new("Mars/Olympus", None).is_err());
}

/// Pieces that lines are made of, broken ones among them.
fn line_strategy() -> impl Strategy<Value = Vec<u8>> {
    let samples: Vec<Vec<u8>> = cases()
        .iter()
        .flat_map(|case| {
            std::fs::read(case).unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    (proptest::sample::select(samples), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8).prop_map(
        |(mut line, at, byte, kind)| {
            if !line.is_empty() {
                let at = at.index(line.len());
                match kind {
                    0 => line.truncate(at),
                    1 => line[at] = byte,
                    2 => line.insert(at, byte),
                    _ => {}
                }
            }
            line.retain(|byte| *byte != b'\n');
            line
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damaged_lines_neither_panic_nor_change_their_neighbours(lines in prop::collection::vec(line_strategy(), 1..12)) {
        let whole = lines.join(&b'\n');
        let together = events_of([block(&whole)]);
        prop_assert_eq!(together.len(), line::lines(&whole).count());
    }

    #[test]
    fn splitting_a_block_at_any_line_end_gives_the_same_events(
        lines in prop::collection::vec(line_strategy(), 2..16),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = 1 + cut.index(lines.len() - 1);
        let mut whole = lines.join(&b'\n');
        whole.push(b'\n');
        // A record that is cut is read in two parts, and so is what begins like an entry of the journal.
        prop_assume!(!lines[cut - 1].starts_with(b"_"));
        prop_assume!(!events_of([block(&whole)])[cut].contains(r#""event.dataset":"continuation""#));
        let mut first = lines[..cut].join(&b'\n');
        first.push(b'\n');
        let mut second = block(&whole[first.len()..]);
        second.start = Position { offset: first.len() as u64, line: cut as u64 };
        // Whoever cuts a source into blocks says which columns a line in front of the block has named.
        second.heading = event::block::heading_after(None, &first);
        // Columns outside the catalog come in the order of their first use: compare what the objects say.
        let meant = |events: Vec<String>| -> Vec<serde_json::Value> {
            events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
        };
        prop_assert_eq!(meant(events_of([block(&whole)])), meant(events_of([block(&first), second])));
    }

    #[test]
    fn arbitrary_bytes_are_parsed_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let expected = line::lines(&bytes).count();
        prop_assert_eq!(events_of([block(&bytes)]).len(), expected);
    }
}
