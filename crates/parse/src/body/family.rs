//! A family of messages as a table: what a program writes, line by line, as templates. Two layers: the lines that are known as
//! a whole, with their action and outcome, and the places where the program always writes the client, whatever the line
//! says. Knows no program.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use event::BatchBuilder;
use event::catalog::field;
use memchr::memmem;

use crate::template::{LateBigrams, Template, Values};

/// What a message says happened; empty words are not written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// A template.
    pub(super) text: &'static str,
    /// ECS category.
    category: &'static str,
    action: &'static str,
    outcome: &'static str,
    /// It names no client, but may quote one.
    is_quote: bool,
    /// Who writes it, in a table of several programs.
    pub(super) program: &'static str,
}

const fn line(text: &'static str, category: &'static str, action: &'static str, outcome: &'static str) -> Line {
    Line { text, category, action, outcome, is_quote: false, program: "" }
}

/// A line about an account: somebody logged in, failed to, or became somebody.
pub(crate) const fn login(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    line(text, "authentication", action, outcome)
}

/// A line about a connection or a request.
pub(crate) const fn traffic(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    line(text, "network", action, outcome)
}

/// A line about a change of settings.
pub(crate) const fn config(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    line(text, "configuration", action, outcome)
}

/// A line about an attack that a device saw.
pub(crate) const fn detection(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    line(text, "intrusion_detection", action, outcome)
}

/// A line about what a guard of the host found or did.
pub(crate) const fn found(text: &'static str, action: &'static str) -> Line {
    line(text, "intrusion_detection", action, "")
}

/// A line about an account or a group that was made, changed or removed.
pub(crate) const fn account(text: &'static str, action: &'static str) -> Line {
    line(text, "iam", action, "success")
}

/// A line about something else, in ECS's words for its category: a service, a file.
pub(crate) const fn act(category: &'static str, text: &'static str, action: &'static str) -> Line {
    line(text, category, action, "")
}

/// A line of which the values alone count.
pub(crate) const fn note(text: &'static str) -> Line {
    line(text, "", "", "")
}

impl Line {
    /// The line quotes a client without naming it: no address in it counts.
    pub(crate) const fn quote(self) -> Line {
        Line { is_quote: true, ..self }
    }

    /// The program that writes the line, in a table of several.
    pub(crate) const fn by(self, program: &'static str) -> Line {
        Line { program, ..self }
    }
}

/// Which of several places in one message counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The client writes nothing before it.
    First,
    /// The client writes nothing behind it.
    Last,
    /// The client may write anywhere: where places differ none counts.
    Only,
}

/// Where a program writes its client: a template that begins with fixed text, found anywhere in the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mention {
    pub(super) which: Which,
    pub(super) text: &'static str,
}

/// `text` is searched for in lines that no template reads, and in those that tell no source.
pub(crate) const fn mention(which: Which, text: &'static str) -> Mention {
    Mention { which, text }
}

/// The lines of one family of programs.
#[derive(Debug)]
pub(crate) struct Family {
    pub(super) lines: &'static [Line],
    pub(super) mentions: &'static [Mention],
    compiled: OnceLock<Compiled>,
}

/// The messages that a device writes under some of its numbers or names of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coded {
    codes: &'static [&'static str],
    lines: &'static [Line],
}

pub(crate) const fn coded(codes: &'static [&'static str], lines: &'static [Line]) -> Coded {
    Coded { codes, lines }
}

/// All messages of a device, by their codes.
#[derive(Debug)]
pub(crate) struct CodeTable {
    rows: &'static [Coded],
    families: OnceLock<HashMap<&'static [u8], Arc<Family>>>,
}

impl CodeTable {
    pub(crate) const fn new(rows: &'static [Coded]) -> Self {
        CodeTable { rows, families: OnceLock::new() }
    }

    pub(crate) fn families(&self) -> &HashMap<&'static [u8], Arc<Family>> {
        self.families.get_or_init(|| {
            let by_code = |row: &Coded| {
                let family = Arc::new(Family::new(row.lines, &[]));
                row.codes.iter().map(move |code| (code.as_bytes(), Arc::clone(&family)))
            };
            self.rows.iter().flat_map(by_code).collect()
        })
    }

    /// Puts a message by the code that it has. False where the table does not know it.
    pub(crate) fn put(&self, rows: &mut BatchBuilder, code: &[u8], message: &[u8]) -> bool {
        self.families().get(code).is_some_and(|family| family.put(rows, message))
    }
}

#[derive(Debug)]
struct Compiled {
    lines: Vec<(Template, Line)>,
    mentions: Vec<(Which, Template)>,
}

impl Family {
    /// Compiled on first use; a text that is no template is left out, which a test of the table finds.
    pub(crate) const fn new(lines: &'static [Line], mentions: &'static [Mention]) -> Self {
        Family { lines, mentions, compiled: OnceLock::new() }
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let lines = self.lines.iter().filter_map(|line| Some((Template::read(line.text).ok()?, *line)));
            let mentions = self.mentions.iter().filter_map(|mention| {
                let template = Template::read(mention.text).ok()?.with_rest();
                (!template.head().is_empty()).then_some((mention.which, template))
            });
            Compiled { lines: lines.collect(), mentions: mentions.collect() }
        })
    }

    /// Whether its lines are those of several programs.
    pub(super) fn is_collection(&self) -> bool {
        self.lines.iter().any(|line| !line.program.is_empty())
    }

    /// Whether the program writes the line: where nothing else is said, all programs of the family do.
    pub(super) fn is_written_by(&self, line: usize, program: &str) -> bool {
        let known = self.compiled().lines.get(line);
        known.is_some_and(|(_, line)| line.program.is_empty() || line.program == program)
    }

    /// For each line, by its number, texts of which all its messages hold one.
    pub(super) fn keys(&self) -> impl Iterator<Item = (usize, Vec<&[u8]>)> {
        self.compiled().lines.iter().enumerate().map(|(at, (template, _))| (at, template.keys()))
    }

    /// The text with which every message of the line begins, letters as they stand; empty where they may be of either case.
    pub(super) fn head(&self, line: usize) -> &[u8] {
        self.compiled().lines.get(line).map_or(b"", |(template, _)| template.exact_head())
    }

    /// Whether the text may hold a message of the line.
    pub(super) fn may_be_in(&self, line: usize, text: &[u8], known: &mut LateBigrams) -> bool {
        self.compiled().lines.get(line).is_some_and(|(template, _)| template.may_be_in(text, known))
    }

    /// Of few lines it costs less to read each than to find a message's pairs of bytes.
    fn bigrams(&self) -> LateBigrams {
        if self.lines.len() < LINES_MIN { LateBigrams::unknown() } else { LateBigrams::default() }
    }

    /// Puts what the message says. False where no line of the family is known to read so; its client counts all the same.
    pub(crate) fn put(&self, rows: &mut BatchBuilder, message: &[u8]) -> bool {
        if message.len() > MESSAGE_BYTES_MAX {
            rows.mark("long_message");
            return false;
        }
        let known = self.put_among(rows, message, 0..self.lines.len(), &mut self.bigrams());
        // Where a line that names its client leaves open who it is, other places do not tell.
        if known.is_none_or(|(template, line)| !line.is_quote && !template.has(field::SOURCE_IP)) {
            let mut found = self.compiled().mentions.iter().filter_map(|mention| mentioned(mention, message));
            if let Some(mut values) = found.next() {
                found.for_each(|other| values.doubt(&other));
                values.put(rows);
            }
        }
        known.is_some()
    }

    /// Puts what the message says where a line of the family reads so; false where none does.
    pub(crate) fn put_known(&self, rows: &mut BatchBuilder, message: &[u8]) -> bool {
        self.put_among(rows, message, 0..self.lines.len(), &mut self.bigrams()).is_some()
    }

    /// Puts what the message says where one of these lines reads so. `bigrams`: those of the message, or of a text that it is a
    /// part of. A client's words may make a message that several lines
    /// read: the first one counts, but for values that another one takes from elsewhere.
    pub(crate) fn put_among(
        &self,
        rows: &mut BatchBuilder,
        message: &[u8],
        lines: impl Iterator<Item = usize>,
        bigrams: &mut LateBigrams,
    ) -> Option<(&Template, &Line)> {
        if message.len() > MESSAGE_BYTES_MAX {
            return None;
        }
        let known = &self.compiled().lines;
        let mut read = lines.filter_map(|at| {
            let (template, line) = known.get(at)?;
            Some((template.read_message(message, bigrams)?, (template, line)))
        });
        let (mut values, (template, line)) = read.next()?;
        read.for_each(|(other, _)| values.doubt(&other));
        values.put(rows);
        line.put_words(rows);
        Some((template, line))
    }
}

impl Line {
    fn put_words(&self, rows: &mut BatchBuilder) {
        for (id, word) in [
            (field::EVENT_CATEGORY, self.category),
            (field::EVENT_ACTION, self.action),
            (field::EVENT_OUTCOME, self.outcome),
        ] {
            if !word.is_empty() {
                rows.literal(id, word);
            }
        }
    }
}

/// Longest message that tables read, in bytes. What programs write is shorter, and a client's words that go on and on must not
/// cost more.
const MESSAGE_BYTES_MAX: usize = 16 << 10;
/// Lines of a family for which a message's pairs of bytes are looked for.
const LINES_MIN: usize = 5;
/// Places of one kind that are looked at in one message.
const MENTIONS_MAX: usize = 32;

fn mentioned<'a>((which, template): &(Which, Template), message: &'a [u8]) -> Option<Values<'a>> {
    let places = memmem::find_iter(message, template.head()).take(MENTIONS_MAX + 1);
    let mut found = places.filter_map(|at| template.read_message(&message[at..], &mut LateBigrams::unknown()));
    let mut values = found.next()?;
    for (count, later) in found.enumerate() {
        match which {
            Which::First => break,
            Which::Last => values = later,
            Which::Only => values.doubt(&later),
        }
        if count + 2 > MENTIONS_MAX {
            return None;
        }
    }
    Some(values)
}
