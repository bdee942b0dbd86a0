//! What the fuzz targets check, in one place.

use event::{Block, Timestamp};
use parse::{FormatChoice, FormatDefinition, Options, Parser, UserFormats};

/// A fixed reference time, so that a crash can be repeated.
const REFERENCE: Timestamp = Timestamp(1_800_000_000_000_000);

/// Parses as one format and looks at every value of the batch.
pub fn parse_as(format: &str, bytes: &[u8]) {
    let options = Options { format: format.parse().expect("a known format"), ..Options::default() };
    let batch = Parser::new(options).parse(Block::detached("fuzz", bytes.to_vec(), REFERENCE));
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    let open = usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
    assert_eq!(batch.rows(), ends + open, "one event for each line");
    let mut text = String::new();
    for row in 0..batch.rows() {
        assert!(batch.offset(row) < bytes.len() as u64 + 1, "offsets lie inside the input");
        event::json::write_row(&batch, row, &mut text);
        text.clear();
    }
    assert_eq!(batch.span().1.offset, bytes.len() as u64);
}

/// Takes the first line as the definition of a format in each of its forms, and reads the others by it.
pub fn define_format(text: &str) {
    let (definition, lines) = text.split_once('\n').unwrap_or((text, ""));
    let forms: [fn(&mut FormatDefinition, String); 4] = [
        |format, text| format.nginx = Some(text),
        |format, text| format.apache = Some(text),
        |format, text| format.pattern = Some(text),
        |format, text| {
            format.columns = text.split(',').map(str::to_owned).collect();
            format.delimiter = Some(";".to_owned());
        },
    ];
    for form in forms {
        let mut format = FormatDefinition { name: "mine".to_owned(), ..FormatDefinition::default() };
        form(&mut format, definition.to_owned());
        match UserFormats::compile(&[format]) {
            Ok(formats) => {
                let user_formats = std::sync::Arc::new(formats);
                let format = FormatChoice::named("mine", &user_formats).expect("it is defined");
                let options = Options { format, user_formats, ..Options::default() };
                let batch = Parser::new(options).parse(Block::detached("fuzz", lines.as_bytes().to_vec(), REFERENCE));
                let mut text = String::new();
                for row in 0..batch.rows() {
                    event::json::write_row(&batch, row, &mut text);
                    text.clear();
                }
            }
            Err(problems) => assert!(problems.iter().all(|problem| !problem.to_string().is_empty())),
        }
    }
}

/// Reads arbitrary text as a rule file, and runs what was loaded on a line of each kind.
pub fn read_rules(text: &str) {
    let loaded = rules::load([("fuzz.yml", text)], &rules::Terms::default());
    for problem in &loaded.diagnostics {
        assert!(!problem.reason.is_empty());
    }
    let set = std::sync::Arc::new(loaded.set);
    let lines = "{\"a\":1,\"b\":[\"x\"]}\n192.0.2.1 - - [23/Nov/2026:10:00:00 +0000] \"GET /a%20b?x=1 HTTP/1.1\" 200 1 \"-\" \"-\"\n";
    let batch = Parser::new(Options::default()).parse(Block::detached("fuzz", lines.into(), REFERENCE));
    let matcher = matcher::Matcher::new(std::sync::Arc::clone(&set), None);
    let found = matcher.matches(&batch, &mut matcher::MatchScratch::default()).to_vec();
    for (row, rule) in found {
        let explanation = rules::explain::explain(&set.rules[rule as usize], &batch, row as usize, None);
        assert!(explanation.matched, "the naive evaluator agrees");
    }
}

/// Reads arbitrary text as a file of shapes, and reads lines by what was loaded.
pub fn read_shapes(text: &str) {
    let shapes = match parse::Shapes::with(&[("fuzz.yaml".to_owned(), text.to_owned())]) {
        Ok(shapes) => shapes,
        Err(problems) => {
            assert!(problems.iter().all(|problem| problem.line > 0 && !problem.reason.is_empty()), "{problems:?}");
            return;
        }
    };
    let examples: Vec<String> = shapes.about().map(|about| about.example.clone()).collect();
    let lines = examples.join("\n");
    let batch = Parser::new(Options { shapes, ..Options::default() }).parse(Block::detached("fuzz", lines.into(), REFERENCE));
    let mut text = String::new();
    for row in 0..batch.rows() {
        event::json::write_row(&batch, row, &mut text);
        text.clear();
    }
}

/// Cuts arbitrary bytes into blocks through a reader that gives them in odd pieces.
pub fn cut_blocks(bytes: &[u8]) {
    let source = Block::detached("fuzz", Vec::new(), REFERENCE).source;
    let mut reader = ingest::BlockReader::new(bytes, source, event::Position::default(), REFERENCE);
    let mut position = event::Position::default();
    while let Some(block) = reader.next_block().expect("reading from memory does not fail") {
        assert_eq!(block.start, position, "blocks follow each other without gap");
        position = Parser::new(Options::default()).parse(block).span().1;
    }
    assert_eq!(position.offset, bytes.len() as u64);
}

/// Beginnings of envelopes and of records over several lines.
const ENVELOPES: [&str; 10] = [
    "2026-11-12T11:15:58.792703123Z stdout F ",
    "2026-11-12T11:15:58.792703123Z stdout P ",
    "2026-11-12T11:15:58.792703123Z ",
    "web-1  | ",
    "[pod/a/b] ",
    "99 <38>",
    "<38>Nov 28 10:00:00 relay <38>1 ",
    "\u{1b}[32m",
    "__CURSOR=s\n__REALTIME_TIMESTAMP=1772618401000000\nMESSAGE",
    "2026-11-28 10:00:00\tAuth.Info\t192.0.2.9\tOriginal Address=192.0.2.10 ",
];

/// Beginnings of lines of `/var/log`.
const HOST: [&str; 12] = [
    "2026-03-04 10:00:01 install ",
    "update-alternatives 2026-03-04 10:00:01: ",
    "Start-Date: 2026-03-04  10:00:01\n",
    "2026-03-04T10:00:01+0000 SUBDEBUG Installed: ",
    "Mar 04 10:00:01 Installed: ",
    "[2026-03-04T10:00:01+0000] [ALPM] installed ",
    "2026-03-04 10:00:01|install|",
    "[   12.345678] ",
    "btmp [6] [97] [",
    "lastlog [1] [",
    "<Event xmlns='x'><System>",
    "2026-03-04 10:00:01 [root:useradd] ",
];

fn parse_behind(beginnings: &[&str], bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let beginning = beginnings[usize::from(*which) % beginnings.len()].as_bytes();
    let mut text = [beginning, rest].concat();
    parse_as("auto", &text);
    // Behind a line and in front of one, each of which is read alone.
    text.splice(..0, *b"Nov 28 10:00:00 h a: b\n");
    text.extend(b"\n\tat x\nNov 28 10:00:00 h a: b\n");
    parse_as("auto", &text);
}

/// Arbitrary bytes in envelopes.
pub fn parse_enveloped(bytes: &[u8]) {
    parse_behind(&ENVELOPES, bytes);
}

/// Arbitrary bytes behind the beginnings of a host's own logs.
pub fn parse_host(bytes: &[u8]) {
    parse_behind(&HOST, bytes);
}

/// Arbitrary bytes as each kind of file that holds no text.
pub fn read_contents(bytes: &[u8]) {
    let beginnings: [(&str, &[u8]); 7] = [
        ("a.evtx", b"ElfFile\0"),
        ("a.log", b"\xFF\xFE"),
        ("a.log", b"\xFE\xFF"),
        ("wtmp", b"\x07\0"),
        ("btmp", b""),
        ("lastlog", b""),
        ("tallylog", b""),
    ];
    for (name, beginning) in beginnings {
        let stream = std::io::Cursor::new([beginning, bytes].concat());
        let Ok(source) = ingest::StreamSource::open(name, stream, REFERENCE) else { continue };
        let Ok(mut blocks) = source.read_from(event::SourceId(1), event::Position::default()) else { continue };
        while let Ok(Some(block)) = blocks.next_block() {
            Parser::new(Options::default()).parse(block);
        }
    }
}
