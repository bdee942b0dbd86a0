//! Texts of a mebibyte that a reader would look at again for each of their parts: minutes, where each part is looked at once: a
//! fraction of a second. The limit lies between, far from both.

use std::time::{Duration, Instant};

use event::{Block, Timestamp};

use super::*;

/// Bytes of a line that is kept whole, and of a block.
const TEXT_BYTES: usize = 1 << 20;
const TIME_MAX: Duration = Duration::from_secs(10);

/// The beginning, and the parts again and again.
fn long(beginning: &str, part: &str) -> Vec<u8> {
    [beginning.as_bytes(), &part.as_bytes().repeat(TEXT_BYTES / part.len())].concat()
}

fn read(bytes: Vec<u8>) -> EventBatch {
    let start = Instant::now();
    let shown = String::from_utf8_lossy(&bytes[..40]).into_owned();
    let batch = Parser::new(Options::default()).parse(Block::detached("test", bytes, Timestamp(0)));
    assert!(start.elapsed() < TIME_MAX, "{shown}… takes {} s", start.elapsed().as_secs());
    batch
}

#[test]
fn no_line_is_looked_at_again_for_each_of_its_parts() {
    for (beginning, part) in [
        // Quotes that nothing closes.
        ("a=1 b=2 c=3 ", "d=\"e"),
        ("a=1 b=2 c=3 ", "d='e"),
        ("Mar  4 10:00:01 bastion ", "<a b=\""),
        // Quotes that never pair up where one may close.
        ("203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"", "a\"b c\" d\"e f"),
        // Brackets and elements that nothing closes.
        ("2026-03-04 10:00:01 ", "["),
        ("<38>1 2026-03-04T10:00:01Z h app 1 - ", "[a b=\"c\"] "),
        ("<Event xmlns='x'><System>", "<a>b</a>"),
        ("\u{1b}[32m", "\u{1b}["),
        ("{\"a\":", "[{\"b\":"),
    ] {
        read(long(beginning, part));
    }
}

#[test]
fn no_block_is_looked_at_again_for_each_of_its_lines() {
    for line in [
        "<Event xmlns='x'>\n",
        "<Event>\n",
        "<Event>\n<Event x='y'>\n",
        "Start-Date: 2026-03-04  10:00:01\n",
        "Log started: 2026-03-04  10:00:01\n",
        "__CURSOR=s\n",
        "__CURSOR=s\nMESSAGE=text\n",
        "2026-03-04T10:00:01.120000001Z stdout P text\n",
        "Traceback (most recent call last):\n  File \"x\"\n",
    ] {
        read(long("", line));
    }
}

#[test]
fn long_names_of_structured_data_make_no_columns() {
    let id = "i".repeat(TEXT_BYTES / 2);
    let parameters: String = (0..40_000).map(|number| format!(" p{number}=\"v\"")).collect();
    let batch = read(format!("<38>1 2026-03-04T10:00:01Z h app 1 - [{id}{parameters}] text\n").into_bytes());
    assert_eq!(batch.text_named("process.name").and_then(|column| column.str(0)), Some("app"));
    assert!(batch.column_names().all(|name| name.len() < 256));
    assert_eq!(batch.counts().fields_dropped, 40_000);
}

#[test]
fn a_message_that_is_too_long_for_the_tables_says_so() {
    let message =
        |name: &str| format!("Mar  4 10:00:01 h vsftpd[9]: [{name}] FAIL LOGIN: Client \"203.0.113.7\"\n").into_bytes();
    let tagged = |bytes: Vec<u8>| {
        let batch = read(bytes);
        let has = |id| batch.text(id).and_then(|column| column.str(0)).map(str::to_owned);
        (has(field::TAGS), has(field::SOURCE_IP))
    };
    assert_eq!(tagged(message("ann")), (None, Some("203.0.113.7".to_owned())));
    assert_eq!(tagged(message(&"a".repeat(17 << 10))), (Some("long_message".to_owned()), None));
}
