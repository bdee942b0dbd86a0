//! Lines that are like those before them are read by what was found out then (frames of JSON, expected names of pairs). Here each
//! is read a second time alone, where nothing is known: both readings must be the same.

use event::{Block, Position, Timestamp};
use proptest::prelude::*;

use crate::{Options, Parser};

/// Lines with places for values.
const JSON: &[&str] = &[
    r#"{"a":$,"b":$}"#,
    r#"{"a": $, "b": {"c": $ ,"d":$}, "e":$ }"#,
    r#"{"time":$,"@timestamp":$,"user":{"name":$},"x":$}"#,
    r#"{"a":$,"a":$}"#,
    r#"{"a.b":$,"a":{"b":$}}"#,
    r#"{"k\"q":$,"e":{ },"f":{},"g":$}"#,
    r#"{"transaction":{"client_ip":$,"unix_timestamp":$,"request":{"uri":$,"headers":{"host":$}}},"messages":$}"#,
    r#"{"log":$,"stream":"stdout","time":$}"#,
    r#"{"src_ip":$,"src_port":$,"user":$,"action":$,"message":$}"#,
];
const JSON_VALUES: &[&str] = &[
    r#""a""#,
    r#""""#,
    r#""203.0.113.7""#,
    r#""login failed for ann""#,
    r#""a text that is longer than what is looked at first, with a { and a } in it""#,
    r#""x\"y\\""#,
    r#""\u00e9\n""#,
    r#""\xC3\q""#,
    r#""{\"src_ip\":\"203.0.113.9\",\"src_port\":7}""#,
    r#""2026-03-04T10:00:01Z""#,
    "1772618401",
    "12",
    "-0",
    "1.5e3",
    "123456789012345678901",
    "true",
    "null",
    "[]",
    r#"[1,"a\"]",{"b":[2]}]"#,
    r#"["\xC3"]"#,
    r#"[{"message":"x","data":{"id":7,"msg":"y"}}]"#,
    "{}",
    "{ }",
    r#"{"k":1}"#,
    " 5",
    "bad",
    r#""open"#,
    "[1",
];
const PAIRS: &[&str] = &[
    "CEF:0|V|P|1|$|n|5|src=$ msg=$ act=$ end=$",
    "CEF:0|V|P|1|7|$|5|src=$ cs1Label=L cs1=$ suser=$ request=$",
    "LEEF:1.0|V|P|1|7|src=$ usrName=$ msg=$ sev=$",
    r#"date=2026-03-04 time=$ devid="$" type="traffic" subtype=$ srcip=$ msg="$""#,
    r#"a=$ b="$" c=$, d='$' user=$"#,
    "a=$ a=$ b=$ c=$",
];
const PAIR_VALUES: &[&str] = &[
    "203.0.113.7",
    "x",
    "x y",
    "10:00:01",
    "1772618401000",
    "",
    "a=b",
    "=",
    "==",
    r"\=",
    r"C:\\x\n",
    "\"",
    "'",
    "\"q\"",
    "x, y",
    "b=1 c=2",
    " b =3",
    "-",
    "é",
];

fn filled(line: &str, values: &[&str], picks: &[prop::sample::Index]) -> String {
    let mut picks = picks.iter();
    line.split_inclusive('$')
        .map(|part| match part.strip_suffix('$') {
            Some(before) => format!("{before}{}", picks.next().map_or("", |pick| values[pick.index(values.len())])),
            None => part.to_owned(),
        })
        .collect()
}

/// Lines of few kinds, so that many are alike; some are damaged.
fn lines(kinds: &'static [&'static str], values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let picks = prop::collection::vec(any::<prop::sample::Index>(), 8);
    let line = (0..3_usize, picks, any::<prop::sample::Index>(), 0..12_u8);
    (prop::collection::vec(0..kinds.len(), 3), prop::collection::vec(line, 2..30)).prop_map(move |(chosen, lines)| {
        let line = |(kind, picks, at, damage): (usize, Vec<prop::sample::Index>, prop::sample::Index, u8)| {
            let mut line = filled(kinds[chosen[kind]], values, &picks);
            let at = 1 + at.index(line.len() - 1);
            if damage < 2 && line.is_char_boundary(at) {
                line.insert(at, [' ', '"'][usize::from(damage)]);
            }
            line
        };
        lines.into_iter().map(line).collect()
    })
}

fn events(parser: &mut Parser, text: String, start: Position) -> Vec<serde_json::Value> {
    let mut block = Block::detached("test", text.into_bytes(), Timestamp(1_795_000_000_000_000));
    block.start = start;
    let batch = parser.parse(block);
    let row = |row| {
        let mut text = String::new();
        event::json::write_row(&batch, row, &mut text);
        serde_json::from_str(&text).unwrap()
    };
    (0..batch.rows()).map(row).collect()
}

fn check(lines: &[String]) -> Result<(), TestCaseError> {
    let together = events(&mut Parser::new(Options::default()), lines.join("\n"), Position { offset: 0, line: 0 });
    let is_joined = |event: &serde_json::Value| event["event.dataset"] == "continuation";
    prop_assume!(!together.iter().any(is_joined));
    let (mut offset, mut alone) = (0, Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let start = Position { offset, line: at as u64 };
        alone.extend(events(&mut Parser::new(Options::default()), line.clone(), start));
        offset += line.len() as u64 + 1;
    }
    prop_assert_eq!(together, alone);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn json_lines_are_read_as_if_alone(lines in lines(JSON, JSON_VALUES)) {
        check(&lines)?;
    }

    #[test]
    fn pairs_are_read_as_if_alone(lines in lines(PAIRS, PAIR_VALUES)) {
        check(&lines)?;
    }
}
