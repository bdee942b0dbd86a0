//! A family of messages as a table: what a program writes, line by line, as templates. Two layers: the lines that are known as
//! a whole, with their action and outcome, and the places where the program always writes the client, whatever the line
//! says. Knows no program.

use std::sync::OnceLock;

use event::BatchBuilder;
use event::catalog::field;
use memchr::memmem;

use crate::template::{Choices, Piece, Template};

/// What a message says happened; empty words are not written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// A template.
    pub(super) text: &'static str,
    /// ECS category.
    category: &'static str,
    action: &'static str,
    outcome: &'static str,
}

/// A line about an account: somebody logged in, failed to, or became somebody.
pub(crate) const fn login(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    Line { text, category: "authentication", action, outcome }
}

/// A line about a connection or a request.
pub(crate) const fn traffic(text: &'static str, action: &'static str, outcome: &'static str) -> Line {
    Line { text, category: "network", action, outcome }
}

/// A line about an account or a group that was made, changed or removed.
pub(crate) const fn account(text: &'static str, action: &'static str) -> Line {
    Line { text, category: "iam", action, outcome: "success" }
}

/// A line about something else, in ECS's words for its category: a service, a file.
pub(crate) const fn act(category: &'static str, text: &'static str, action: &'static str) -> Line {
    Line { text, category, action, outcome: "" }
}

/// A line of which the values alone count.
pub(crate) const fn note(text: &'static str) -> Line {
    Line { text, category: "", action: "", outcome: "" }
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

#[derive(Debug)]
struct Compiled {
    lines: Vec<(Choices, Line)>,
    mentions: Vec<(Which, Vec<u8>, Choices)>,
}

impl Family {
    /// Compiled on first use; a text that is no template is left out, which a test of the table finds.
    pub(crate) const fn new(lines: &'static [Line], mentions: &'static [Mention]) -> Self {
        Family { lines, mentions, compiled: OnceLock::new() }
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let lines = self.lines.iter().filter_map(|line| Some((Choices::read(line.text).ok()?, *line)));
            let mentions = self.mentions.iter().filter_map(|mention| {
                let choices = Choices::read(mention.text).ok()?;
                let Some(Piece::Literal(first)) = choices.all().first()?.pieces().first() else { return None };
                let first = first.clone();
                let open = choices.all().iter().cloned().map(Template::with_rest).collect();
                Some((mention.which, first, Choices::of(open)))
            });
            Compiled { lines: lines.collect(), mentions: mentions.collect() }
        })
    }

    /// Puts what the message says. False where no line of the family is known to read so; its client counts all the same.
    pub(crate) fn put(&self, rows: &mut BatchBuilder, message: &[u8]) -> bool {
        let is_known = self.put_known(rows, message);
        if !rows.has(field::SOURCE_IP) && !rows.has(field::SOURCE_ADDRESS) {
            self.compiled().mentions.iter().any(|mention| put_mention(mention, rows, message));
        }
        is_known
    }

    /// Puts what the message says where a line of the family reads so. A client's words may make a message that several lines
    /// read: the first one counts, but for values that another one takes from elsewhere.
    pub(crate) fn put_known(&self, rows: &mut BatchBuilder, message: &[u8]) -> bool {
        let mut read =
            self.compiled().lines.iter().filter_map(|(choices, line)| Some((choices.read_message(message)?, line)));
        let Some((mut values, line)) = read.next() else { return false };
        read.for_each(|(other, _)| values.doubt(&other));
        values.put(rows);
        line.put_words(rows);
        true
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

/// Places of one kind that are looked at in one message.
const MENTIONS_MAX: usize = 32;

fn put_mention((which, first, choices): &(Which, Vec<u8>, Choices), rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let places = memmem::find_iter(message, first).take(MENTIONS_MAX + 1);
    let mut found = places.filter_map(|at| choices.read_message(&message[at..]));
    let Some(mut values) = found.next() else { return false };
    for (count, later) in found.enumerate() {
        match which {
            Which::First => break,
            Which::Last => values = later,
            Which::Only => values.doubt(&later),
        }
        if count + 2 > MENTIONS_MAX {
            return false;
        }
    }
    values.put(rows);
    true
}
