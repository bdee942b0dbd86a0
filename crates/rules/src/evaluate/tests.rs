//! Tables for each part of the oracle: what goes in, and what must come out.

use event::{Block, EventBatch, Network, Timestamp};

use super::read::without_json_escapes;
use super::*;
use crate::check::{Number, Order, RegexCheck, TimePart, network};
use crate::text_pattern::{Anchor, Piece, TextPattern, read_pieces, with_dashes};
use crate::{Terms, load};

fn parse(text: &str) -> EventBatch {
    let reference = Timestamp::from_unix_seconds(1_800_000_000);
    parse::Parser::new(parse::Options::default()).parse(Block::detached("test", text.as_bytes().to_vec(), reference))
}

fn pattern(written: &str, anchor: Anchor, is_cased: bool) -> Check {
    Check::Text(TextPattern::new(read_pieces(written), anchor, is_cased))
}

fn whole(written: &str) -> Check {
    pattern(written, Anchor::Whole, false)
}

fn regex(written: &str) -> Check {
    Check::Regex(RegexCheck {
        regex: patterns::Expression::new(written, false, 1 << 20).unwrap().0,
        required: Vec::new(),
    })
}

/// Whether the line matches a rule with this detection.
fn matches(detection: &str, line: &str) -> bool {
    let rule = format!(
        "title: t\nid: t\nlevel: low\nlogsource: {{category: webserver}}\ndetection:\n  s: {detection}\n  condition: s\n"
    );
    let loaded = load([("rule.yml", rule.as_str())], &Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    evaluate(&loaded.set.rules[0].condition, &parse(line), 0)
}

#[test]
fn json_escapes_stand_for_what_the_standard_says() {
    for (written, expected) in [
        ("plain é", "plain é"),
        (r"a\nb\tc\rd\be\ff", "a\nb\tc\rd\u{8}e\u{c}f"),
        (r#"\"\\\/"#, "\"\\/"),
        (r"\\n", "\\n"),
        (r"\u0061\u00e9\u00E9", "aéé"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83dx", "\u{fffd}x"),
        (r"\ud83d\u0061", "\u{fffd}a"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\u006", r"\u006"),
        (r"\u00g1", r"\u00g1"),
        (r"\x61b", "ab"),
        (r"\xc3\xa9", "é"),
        (r"\xff", "\u{fffd}"),
        (r"\xc3\x6", "\u{fffd}\\x6"),
        (r"\q\", r"\q\"),
        (r"\", r"\"),
        ("", ""),
    ] {
        assert_eq!(without_json_escapes(written), expected, "{written}");
    }
}

#[test]
fn urls_are_decoded_up_to_three_times() {
    for (written, expected) in [
        ("plain", &[][..]),
        ("100%", &[]),
        ("%4", &[]),
        ("%zz", &[]),
        ("a%20b", &["a b"]),
        ("%2E%2e", &[".."]),
        ("%252e", &["%2e", "."]),
        ("%25252e", &["%252e", "%2e", "."]),
        ("%2525252e", &["%25252e", "%252e", "%2e"]),
        ("%c3%a9", &["é"]),
        ("%ff", &["\u{fffd}"]),
        ("%%341", &["%41", "A"]),
    ] {
        assert_eq!(views(written), expected, "{written}");
    }
}

#[test]
fn values_are_read_as_their_columns_hold_them() {
    let batch = parse(
        r#"{"t":"x","n":7,"b":true,"z":null,"e":"","l":[1,"two",[null,"3"],{"k":"v"},false],"@timestamp":"1970-01-01T00:00:01Z"}"#,
    );
    for (column, expected) in [
        ("t", &["x"][..]),
        ("n", &["7"]),
        ("b", &["true"]),
        ("z", &[]),
        ("e", &[""]),
        ("l", &["1", "two", "3", "v", "false"]),
        ("@timestamp", &["1000000"]),
        ("other", &[]),
    ] {
        let texts = given(&batch, column, 0).map_or_else(Vec::new, Given::texts);
        assert_eq!(texts, expected, "{column}");
    }
    for (column, is_there) in [("t", true), ("e", true), ("z", true), ("l", true), ("other", false)] {
        assert_eq!(read::exists(&batch, column, 0), is_there, "{column}");
    }
    assert_eq!(Given::List("no json").texts(), Vec::<String>::new());
    let sender: Vec<_> = read::values_of_sender(&batch, 0);
    assert!(sender.contains(&Given::Text("x")) && !sender.iter().any(|value| *value == Given::Text(batch.original(0))));
}

#[test]
fn patterns_match_as_the_specification_says() {
    use Anchor::{Contains, EndsWith, StartsWith, Whole};
    for (written, anchor, is_cased, text, expected) in [
        ("abc", Whole, false, "ABC", true),
        ("abc", Whole, true, "ABC", false),
        ("abc", Whole, false, "abcd", false),
        ("b", Contains, false, "aBc", true),
        ("ab", StartsWith, false, "abc", true),
        ("ab", StartsWith, false, "xab", false),
        ("bc", EndsWith, false, "abc", true),
        ("bc", EndsWith, false, "bcx", false),
        ("a?c", Whole, false, "aéc", true),
        ("a?c", Whole, false, "ac", false),
        ("a*c*e", Whole, false, "abcde", true),
        ("a*c*e", Whole, false, "abcd", false),
        ("a*bc", Whole, false, "abcbc", true),
        ("*", Whole, false, "", true),
        ("?", Whole, false, "", false),
        ("", Whole, false, "", true),
        ("", Whole, false, "x", false),
        (r"a\*", Whole, false, "a*", true),
        (r"a\*", Whole, false, "ab", false),
        ("É\u{212A}", Whole, false, "ék", true),
        ("ß", Whole, false, "ss", false),
        ("a*b", Whole, false, "a\nb", true),
    ] {
        assert_eq!(
            text_passes(&pattern(written, anchor, is_cased), text),
            expected,
            "{written} {anchor:?} on {text:?}"
        );
    }
    let dashed =
        |written: &str| Check::Text(TextPattern::new(with_dashes(read_pieces(written)), Anchor::Contains, false));
    for (text, expected) in [
        ("x -enc", true),
        ("x /ENC", true),
        ("x \u{2013}enc", true),
        ("x +enc", false),
        ("x enc", false),
        ("-enc", false),
    ] {
        assert_eq!(text_passes(&dashed(" -enc"), text), expected, "{text}");
    }
}

#[test]
fn numbers_truth_values_and_networks_are_compared_as_what_they_are() {
    let integer = |number| Check::Number(Number::Integer(number));
    let compare = Check::Compare;
    let cidr = |written: &str| Check::Cidr(network(written).unwrap());
    for (check, text, expected) in [
        (integer(404), "404", true),
        (integer(404), "404.0", true),
        (integer(404), "0404", true),
        (integer(404), " 404", false),
        (integer(404), "404x", false),
        (integer(i64::MAX), "9223372036854775807", true),
        (integer(i64::MAX), "9223372036854775806", false),
        (Check::Number(Number::Float(1.5)), "1.50", true),
        (Check::Number(Number::Float(1.5)), "1,5", false),
        (compare(Order::Less, 5.0), "4.9", true),
        (compare(Order::Less, 5.0), "5", false),
        (compare(Order::LessOrEqual, 5.0), "5", true),
        (compare(Order::Greater, 5.0), "5", false),
        (compare(Order::GreaterOrEqual, -5.0), "-5", true),
        (compare(Order::Greater, 0.0), "inf", false),
        (compare(Order::Greater, 0.0), "1e999", false),
        (compare(Order::Greater, 0.0), "", false),
        (Check::Boolean(true), "TRUE", true),
        (Check::Boolean(true), "1", false),
        (Check::Boolean(false), "False", true),
        (cidr("10.0.0.0/8"), "10.255.0.1", true),
        (cidr("10.0.0.0/8"), "11.0.0.0", false),
        (cidr("10.0.0.0/8"), "::ffff:10.1.2.3", true),
        (cidr("10.0.0.0/8"), "10.1.2", false),
        (cidr("0.0.0.0/0"), "1.2.3.4", true),
        (cidr("0.0.0.0/0"), "::1", false),
        (cidr("192.0.2.7"), "192.0.2.7", true),
        (cidr("2001:db8::/33"), "2001:db8:7fff::1", true),
        (cidr("2001:db8::/33"), "2001:db8:8000::1", false),
        (regex("^a.c$"), "abc", true),
        (regex("^a.c$"), "ABC", false),
        (Check::Null, "", false),
    ] {
        assert_eq!(text_passes(&check, text), expected, "{check:?} on {text:?}");
        assert_eq!(
            check.passes(crate::check::Value::Text(text, event::ValueTag::String)),
            expected,
            "{check:?} on {text:?}, fast"
        );
    }
    assert_eq!(Network::new("10.0.0.0".parse().unwrap(), 8), Some(network("10.0.0.0/8").unwrap()));
}

#[test]
fn columns_of_numbers_are_compared_as_numbers_or_by_their_digits() {
    let micros = 1_790_000_000_000_000; // 2026-09-21T14:13:20Z, a Monday
    for (check, number, expected) in [
        (Check::Number(Number::Integer(404)), 404, true),
        (Check::Number(Number::Float(404.0)), 404, true),
        (Check::Number(Number::Float(404.5)), 404, false),
        (Check::Compare(Order::GreaterOrEqual, 400.0), 404, true),
        (whole("4?4"), 404, true),
        (regex("^40"), 404, true),
        (Check::Boolean(true), 1, false),
        (Check::Cidr(network("0.0.0.0/0").unwrap()), 16_909_060, false),
        (Check::Time(TimePart::Hour, None, 14), micros, true),
        (Check::Time(TimePart::Minute, Some(Order::Greater), 13), micros, false),
        (Check::Time(TimePart::Week, None, 39), micros, true),
    ] {
        assert_eq!(passes::passes(&check, Given::Number(number)), expected, "{check:?} on {number}");
        assert_eq!(check.passes(crate::check::Value::Long(number)), expected, "{check:?} on {number}, fast");
    }
}

#[test]
fn a_list_passes_where_an_element_does_at_any_depth() {
    for (check, list, expected) in [
        (whole("two"), r#"[1,"Two"]"#, true),
        (whole("1"), r#"[1,"Two"]"#, true),
        (whole("12"), "[1,2]", false),
        (whole("x"), r#"[["a",["x"]],null]"#, true),
        (whole("null"), "[null]", false),
        (whole("true"), "[true]", true),
        (whole("*"), "[]", false),
        (whole("*"), "[null,[]]", false),
        (whole("*b*"), r#"[{"a":"b"}]"#, true),
        (whole("a\"b"), r#"["a\"b"]"#, true),
        (whole("é"), r#"["\u00c9"]"#, true),
        (whole("[broken"), "[broken", true),
        (Check::Number(Number::Integer(7)), r#"[1,["x",7],null]"#, true),
        (Check::Number(Number::Integer(7)), "[17]", false),
    ] {
        assert_eq!(passes::passes(&check, Given::List(list)), expected, "{check:?} on {list}");
        assert_eq!(
            check.passes(crate::check::Value::Text(list, event::ValueTag::Array)),
            expected,
            "{check:?} on {list}, fast"
        );
    }
}

#[test]
fn parts_of_dates_are_taken_as_written() {
    use TimePart::{Day, Hour, Minute, Month, Week, Year};
    for (part, text, expected) in [
        (Hour, "2026-11-24T23:15:00+02:00", Some(23)),
        (Minute, "2026-11-24 23:15", Some(15)),
        (Minute, " 2026-11-24t23:05Z", Some(5)),
        (Day, "2026/11/24", Some(24)),
        (Month, "2026-11-24", Some(11)),
        (Year, "2026-11-24", Some(2026)),
        (Hour, "2026-11-24", None),
        (Day, "2026/11-24", None),
        (Day, "2026-02-29", None),
        (Day, "2024-02-29", Some(29)),
        (Day, "1900-02-29", None),
        (Day, "2000-02-29", Some(29)),
        (Month, "2026-13-01", None),
        (Hour, "2026-11-24T24:00", None),
        (Hour, "2026-11-24T1x:00", None),
        (Day, "2026-11-24x", None),
        (Year, "yesterday", None),
        (Year, "20é6-11-24", None),
        (Week, "2005-01-01", Some(53)),
        (Week, "2007-12-31", Some(1)),
        (Week, "2009-12-31", Some(53)),
        (Week, "2010-01-03", Some(53)),
        (Week, "2026-11-24", Some(48)),
    ] {
        assert_eq!(date::part(part, text), expected, "{part:?} of {text}");
        assert_eq!(crate::date::part_of_text(part, text), expected, "{part:?} of {text}, fast");
    }
    // Every day of 28 years, in which weekdays and leap years come in all combinations, both ways.
    for (year, month, day) in
        (1996..2024).flat_map(|year| (1..=12).flat_map(move |month| (1..=31).map(move |day| (year, month, day))))
    {
        let text = format!("{year}-{month:02}-{day:02}");
        assert_eq!(date::part(Week, &text), crate::date::part_of_text(Week, &text), "{text}");
    }
}

#[test]
fn a_reference_compares_with_the_other_field() {
    use Anchor::{Contains, EndsWith, StartsWith, Whole};
    for (anchor, cased, value, other, expected) in [
        (Whole, false, "Host", "hOST", true),
        (Whole, true, "Host", "hOST", false),
        (Whole, false, "404", "404.0", true),
        (Whole, false, "1e999", "2e999", false),
        (Contains, false, "www.example.org", "EXAMPLE", true),
        (Contains, false, "example", "www.example", false),
        (StartsWith, false, "www.example", "www", true),
        (StartsWith, true, "www.example", "WWW", false),
        (EndsWith, false, "www.example", "\u{212A}", false),
        (EndsWith, false, "mark", "\u{212A}", true),
        (EndsWith, false, "x", "", true),
    ] {
        let reference = FieldRef { field: "o".to_owned(), columns: Vec::new(), anchor, cased };
        assert_eq!(passes::refers(&reference, value, other), expected, "{anchor:?} {value} {other}");
        assert_eq!(reference.holds(value, other), expected, "{anchor:?} {value} {other}, fast");
    }
    for (line, expected) in [
        (r#"{"a":"x","b":"X"}"#, true),
        (r#"{"a":["y",["x"]],"b":{"c":1}}"#, false),
        (r#"{"a":["y",["x"]],"b":["z","x"]}"#, true),
        (r#"{"a":4,"b":"4.0"}"#, true),
        (r#"{"a":null,"b":null}"#, false),
        (r#"{"a":"x"}"#, false),
    ] {
        assert_eq!(matches("{'a|fieldref': b}", line), expected, "{line}");
    }
}

#[test]
fn presence_and_absence_tell_null_from_nothing() {
    for (line, absent, exists, has_value) in [
        (r#"{"a":"x"}"#, false, true, true),
        (r#"{"a":""}"#, false, true, true),
        (r#"{"a":null}"#, true, true, false),
        (r#"{"b":1}"#, true, false, false),
        (r#"{"a":[]}"#, false, true, false),
        (r#"{"a":[null,"x"]}"#, false, true, true),
        (r#"{"a":0}"#, false, true, true),
    ] {
        assert_eq!(matches("{a: null}", line), absent, "null on {line}");
        assert_eq!(matches("{'a|exists': true}", line), exists, "exists on {line}");
        assert_eq!(matches("{'a|exists': false}", line), !exists, "exists not on {line}");
        assert_eq!(matches("{a: '*'}", line), has_value, "any value on {line}");
    }
}

#[test]
fn urls_match_raw_or_decoded_and_other_fields_raw_alone() {
    for (detection, line, expected) in [
        ("{'cs-uri|contains': '../'}", r#"{"cs-uri":"/../x"}"#, true),
        ("{'cs-uri|contains': '../'}", r#"{"cs-uri":"/%2e%2e/x"}"#, true),
        ("{'cs-uri|contains': '../'}", r#"{"cs-uri":"/%25252e./x"}"#, true),
        ("{'cs-uri|contains': '../'}", r#"{"cs-uri":"/%2525252e./x"}"#, false),
        ("{'cs-uri|contains': '%2e'}", r#"{"cs-uri":"/%2e"}"#, true),
        ("{'cs-uri|contains': '../'}", r#"{"cs-uri":["a","/%2e./x"]}"#, true),
        ("{'own|contains': '../'}", r#"{"own":"/%2e%2e/x"}"#, false),
    ] {
        assert_eq!(matches(detection, line), expected, "{detection} on {line}");
    }
}

#[test]
fn keywords_are_looked_for_in_the_line_its_plain_form_and_its_values() {
    for (detection, line, expected) in [
        ("[foo]", r#"{"a":"xFOOx"}"#, true),
        ("['x\"y']", r#"{"a":"x\"y"}"#, true),
        ("['x\\\"y']", r#"{"a":"x\"y"}"#, true),
        ("['hÉ']", r#"{"a":"h\u00e9"}"#, true),
        ("['ab']", r#"{"a":"\x61\x62"}"#, true),
        ("{'|startswith': foo}", r#"{"a":"foox"}"#, true),
        ("{'|startswith': foo}", r#"{"a":"xfoo"}"#, false),
        ("{'|startswith': '{'}", r#"{"a":"x"}"#, true),
        ("{'|endswith': foo}", r#"{"a":{"b":["bar",["foo"]]}}"#, true),
        ("{'|endswith': foo}", r#"{"a":"fo","b":"o"}"#, false),
        ("{'|re': '^foo$'}", r#"{"a":"\u0066oo"}"#, true),
        ("{'|re': '^40$'}", r#"{"a":40}"#, true),
        ("{'|startswith': foo}", "foo and more", true),
        ("{'|startswith': more}", "foo and more", false),
        ("['\\\\u0041']", "plain \\u0041 text", true),
        ("[A]", "q\\u0041", false),
    ] {
        assert_eq!(matches(detection, line), expected, "{detection} on {line}");
    }
}

#[test]
fn only_a_keyword_with_a_place_is_looked_for_in_each_value() {
    for (check, expected) in [
        (pattern("a", Anchor::Contains, false), false),
        (pattern("a", Anchor::StartsWith, false), true),
        (pattern("a", Anchor::EndsWith, false), true),
        (whole("a"), true),
        (whole("*"), false),
        (Check::Text(TextPattern::new(vec![Piece::Many, Piece::One], Anchor::Whole, false)), true),
        (regex("a"), false),
        (regex("^a"), true),
        (regex("a$"), true),
        (regex(r"\Aa"), true),
        (regex(r"a\z"), true),
        (Check::Boolean(true), false),
    ] {
        assert_eq!(passes::place_matters(&check), expected, "{check:?}");
    }
}

#[test]
fn conditions_are_logic() {
    let line = r#"{"a":"x","b":"y"}"#;
    for (condition, expected) in [
        ("a", true),
        ("c", false),
        ("a and b", true),
        ("a and c", false),
        ("a or c", true),
        ("not a", false),
        ("not c", true),
        ("a and not (b and c)", true),
        ("1 of them", true),
        ("all of them", false),
    ] {
        let rule = format!(
            "title: t\nid: t\nlevel: low\nlogsource: {{category: x}}\ndetection:\n  a: {{a: x}}\n  b: {{b: y}}\n  c: {{c: z}}\n  condition: {condition}\n"
        );
        let loaded = load([("rule.yml", rule.as_str())], &Terms::default());
        assert_eq!(evaluate(&loaded.set.rules[0].condition, &parse(line), 0), expected, "{condition}");
    }
}
