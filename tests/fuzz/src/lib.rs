//! What the fuzz targets do with arbitrary bytes, in one place: they reach every reader of lines, every definition of an operator
//! and every content of a file. What must hold of the rows stands in `check.rs`, of files and streams in `outside.rs`, of what is
//! pushed in `payloads.rs`, of lines that are alike in `alike.rs`.

mod alike;
mod beginnings;
mod check;
mod outside;
mod payloads;

use std::sync::{Arc, LazyLock};

use event::{Block, Position};
use parse::{FORMATS, FormatChoice, FormatDefinition, Options, Parser, Shapes, TrustedProxies, UserFormats};

pub use alike::parse_alike;
use check::REFERENCE;
pub use outside::{cut_blocks, cut_frames, read_bodies, read_contents, read_event_log};
pub use payloads::read_payloads;

/// Parses as one format or group, or as any.
pub fn parse_as(format: &str, bytes: &[u8]) {
    check::lines(&check::told(format), bytes);
}

/// The bytes behind the beginning of the example of a format, read as this format and as any: first which format, then how much
/// of the example. So every reader of the table is reached.
pub fn parse_each(bytes: &[u8]) {
    let [which, kept, rest @ ..] = bytes else { return };
    let format = &FORMATS[usize::from(*which) % FORMATS.len()];
    let example = format.example.as_bytes();
    let (before, behind) = example.split_at(usize::from(*kept) % (example.len() + 1));
    // An insertion leaves the line one of its format more often than another end does.
    for text in [[before, rest, behind].concat(), [before, rest].concat()] {
        check::lines(&check::told(format.name), &text);
        check::lines(&Options::default(), &text);
    }
}

/// A long text: a few bytes again and again, and then a few others, within the example of a format. No reader looks at a text again
/// for each of its parts.
pub fn read_long(bytes: &[u8]) {
    let [which, kept, first, rest @ ..] = bytes else { return };
    let format = &FORMATS[usize::from(*which) % FORMATS.len()];
    let example = format.example.as_bytes();
    let (before, behind) = example.split_at(usize::from(*kept) % (example.len() + 1));
    let parts = &rest[..rest.len().min(PARTS_BYTES_MAX)];
    let (first, second) = parts.split_at(usize::from(*first) % (parts.len() + 1));
    let repeated = |part: &[u8]| part.repeat(LONG_BYTES / 2 / part.len().max(1));
    let text = [before, &repeated(first), &repeated(second), behind].concat();
    check::speed(&check::told(format.name), &text);
    check::speed(&Options::default(), &text);
}

/// Size of a text that is timed.
const LONG_BYTES: usize = 64 << 10;
/// Bytes that are repeated, at most.
const PARTS_BYTES_MAX: usize = 64;

/// Takes the first line as the definition of a format in each of its forms, and reads the others by it.
pub fn define_format(text: &str) {
    let (definition, lines) = text.split_once('\n').unwrap_or((text, ""));
    let forms: [fn(&mut FormatDefinition, &str); 5] = [
        |format, text| format.nginx = Some(text.to_owned()),
        |format, text| format.apache = Some(text.to_owned()),
        |format, text| format.pattern = Some(text.to_owned()),
        |format, text| columns(format, ";", text),
        |format, text| {
            let first = text.chars().next().map_or(0, char::len_utf8);
            columns(format, &text[..first], &text[first..]);
        },
    ];
    for (at, form) in forms.into_iter().enumerate() {
        let mut format = FormatDefinition { name: "mine".to_owned(), ..FormatDefinition::default() };
        form(&mut format, definition);
        // Asked for by its name, or what the source has.
        format.source = (at % 2 == 0).then(|| "fuzz".to_owned());
        format.dataset = lines.split(' ').next().filter(|word| word.contains('.')).map(str::to_owned);
        read_defined(&format, lines);
        format.dataset = None;
        format.files = vec![definition.to_owned()];
        read_defined(&format, lines);
    }
}

fn columns(format: &mut FormatDefinition, delimiter: &str, text: &str) {
    format.columns = text.split(',').map(str::to_owned).collect();
    format.delimiter = Some(delimiter.to_owned());
}

fn read_defined(format: &FormatDefinition, lines: &str) {
    let formats = match UserFormats::compile(std::slice::from_ref(format)) {
        Ok(formats) => Arc::new(formats),
        Err(problems) => {
            assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.to_string().is_empty()));
            return;
        }
    };
    let choice = match format.source {
        Some(_) => FormatChoice::default(),
        None => FormatChoice::named("mine", &formats).expect("it is defined"),
    };
    let proxies = "192.0.2.0/24".parse().map_or_else(|_| TrustedProxies::default(), |network| vec![network].into());
    for trusted_proxies in [TrustedProxies::default(), proxies] {
        let options = Options {
            format: choice.clone(),
            user_formats: Arc::clone(&formats),
            trusted_proxies,
            ..Options::default()
        };
        check::lines(&options, lines.as_bytes());
    }
}

/// Reads arbitrary text as a rule file, and runs what was loaded on a line of each kind.
pub fn read_rules(text: &str) {
    let loaded = rules::load([("fuzz.yml", text)], &rules::Terms::default());
    for problem in &loaded.diagnostics {
        assert!(!problem.reason.is_empty());
    }
    let set = Arc::new(loaded.set);
    let lines = "{\"a\":1,\"b\":[\"x\"]}\n192.0.2.1 - - [23/Nov/2026:10:00:00 +0000] \"GET /a%20b?x=1 HTTP/1.1\" 200 1 \"-\" \"-\"\n";
    let batch = Parser::new(Options::default()).parse(Block::detached("fuzz", lines.into(), REFERENCE));
    let matcher = matcher::Matcher::new(Arc::clone(&set), None);
    let found = matcher.matches(&batch, &mut matcher::MatchScratch::default()).to_vec();
    for (row, rule) in found {
        let explanation = rules::explain::explain(&set.rules[rule as usize], &batch, row as usize, None);
        assert!(explanation.matched, "the naive evaluator agrees");
    }
}

/// Events of every shape that the program knows.
static EXAMPLES: LazyLock<String> = LazyLock::new(|| {
    let examples: Vec<&str> = Shapes::standard().about().map(|about| about.example.as_str()).collect();
    examples.join("\n")
});

/// Reads arbitrary text as a file of shapes, and reads lines by what was loaded: its own examples, and those that we know.
pub fn read_shapes(text: &str) {
    let shapes = match Shapes::with(&[("fuzz.yaml".to_owned(), text.to_owned())]) {
        Ok(shapes) => shapes,
        Err(problems) => {
            assert!(problems.iter().all(|problem| problem.line > 0 && !problem.reason.is_empty()), "{problems:?}");
            return;
        }
    };
    let known = Shapes::standard().about().count();
    let own = shapes.about().count().saturating_sub(known) + 1;
    let mut lines: Vec<&str> = shapes.about().take(own).map(|about| about.example.as_str()).collect();
    lines.push(&EXAMPLES);
    check::lines(&Options { shapes: Arc::clone(&shapes), ..Options::default() }, lines.join("\n").as_bytes());
}

/// Blocks that follow each other, read by one parser as a worker reads them.
pub(crate) fn parse_blocks(mut next: impl FnMut() -> Option<Block>) -> Position {
    let mut position = Position::default();
    let mut parser = Parser::new(Options::default());
    while let Some(block) = next() {
        assert_eq!(block.start, position, "blocks follow each other without gap");
        let bytes = block.bytes.clone();
        let is_cut = block.cut_line_bytes.is_some();
        let batch = parser.parse(block);
        if !is_cut {
            check::rows(&batch, &bytes);
        }
        position = batch.span().1;
    }
    position
}

/// The bytes in envelopes and in records over several lines.
pub fn parse_enveloped(bytes: &[u8]) {
    parse_behind(&beginnings::ENVELOPES, bytes);
}

/// The bytes behind the beginnings of a host's own logs.
pub fn parse_host(bytes: &[u8]) {
    parse_behind(&beginnings::HOST, bytes);
}

/// The bytes as values of one entry of the journal, whose lengths are true, and as text of such entries.
pub fn parse_journal(bytes: &[u8]) {
    check::lines(&Options::default(), &beginnings::journal(bytes));
    check::lines(&Options::default(), &[b"__CURSOR=s\n".as_slice(), bytes].concat());
}

fn parse_behind(beginnings: &[&str], bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let beginning = beginnings[usize::from(*which) % beginnings.len()].as_bytes();
    let mut text = [beginning, rest].concat();
    check::lines(&Options::default(), &text);
    // Behind a line and in front of one, each of which is read alone.
    text.splice(..0, *b"Nov 28 10:00:00 h a: b\n");
    text.extend(b"\n\tat x\nNov 28 10:00:00 h a: b\n");
    check::lines(&Options::default(), &text);
}
