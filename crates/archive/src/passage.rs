//! The lines around some evidence: which lines of which source they are, one question for all of them, and whether the archive has
//! them. A name can be that of several sources, one after another: the source is known by the event that is evidence.

use event::{EventId, Evidence, SourceId};

/// Sources of one name whose lines are looked through.
const SOURCES_MAX: usize = 8;

/// Lines of one source that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The source's name.
    pub source: String,
    /// Number of the first line.
    from: u64,
    /// Number of the last line.
    to: u64,
    /// The lines that are evidence: number and event.
    evidence: Vec<(u64, EventId)>,
}

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassageLine {
    /// Its number in the source, from 1.
    pub number: u64,
    /// As it was received.
    pub text: String,
    /// It is evidence.
    pub is_evidence: bool,
}

/// A line of a source, as the archive has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLine {
    /// The source's name.
    pub name: String,
    /// Which source of this name.
    pub source: SourceId,
    /// Byte offset in it.
    pub offset: u64,
    /// Number in it, from 1.
    pub number: u64,
    /// As it was received.
    pub text: String,
}

/// The passages around evidence: so many lines before and behind each line. Those that touch are one.
pub fn passages(evidence: &[Evidence], before: u64, after: u64) -> Vec<Passage> {
    let mut all: Vec<Passage> = Vec::new();
    let mut sorted: Vec<&Evidence> = evidence.iter().collect();
    sorted.sort_by(|a, b| (&a.source, a.line_no).cmp(&(&b.source, b.line_no)));
    for line in sorted {
        let from = line.line_no.saturating_sub(before).max(1);
        let (to, proof) = (line.line_no.saturating_add(after), (line.line_no, line.event_id));
        match all.last_mut().filter(|last| last.source == line.source && from <= last.to + 1) {
            Some(last) => {
                last.to = last.to.max(to);
                last.evidence.push(proof);
            }
            None => all.push(Passage { source: line.source.clone(), from, to, evidence: vec![proof] }),
        }
    }
    all
}

/// The question for the lines of all passages.
pub fn passage_question(passages: &[Passage]) -> String {
    let one = |passage: &Passage| {
        let source = passage.source.replace('\'', "''");
        format!("(c0di3.source.name = '{source}' AND c0di3.line BETWEEN {} AND {})", passage.from, passage.to)
    };
    let any: Vec<String> = passages.iter().map(one).collect();
    let any = if any.is_empty() { "false".to_owned() } else { any.join(" OR ") };
    format!(
        "SELECT c0di3.source.name, c0di3.source.id, c0di3.offset, c0di3.line, event.original FROM events
         WHERE {any} ORDER BY c0di3.source.name, c0di3.line"
    )
}

/// How many rows the answer to [`passage_question`] can have.
pub fn passage_rows(passages: &[Passage]) -> usize {
    let lines: u64 = passages.iter().map(|passage| passage.to - passage.from + 1).sum();
    usize::try_from(lines).unwrap_or(usize::MAX).saturating_mul(SOURCES_MAX)
}

impl Passage {
    /// Whether lines between these numbers belong to it.
    pub(crate) fn reaches(&self, first: u64, last: u64) -> bool {
        first <= self.to && self.from <= last
    }

    /// The lines of this passage among those that were found, in their order.
    pub fn lines(&self, found: &[FoundLine]) -> Vec<PassageLine> {
        let is_proof = |line: &FoundLine| {
            let event = EventId::derive(line.source, line.offset);
            line.name == self.source && self.evidence.contains(&(line.number, event))
        };
        let sources: Vec<SourceId> = found.iter().filter(|line| is_proof(line)).map(|line| line.source).collect();
        let is_here = |line: &&FoundLine| {
            let is_near = line.name == self.source && (self.from..=self.to).contains(&line.number);
            is_near && sources.contains(&line.source)
        };
        let line = |line: &FoundLine| PassageLine {
            number: line.number,
            text: line.text.clone(),
            is_evidence: is_proof(line),
        };
        found.iter().filter(is_here).map(line).collect()
    }

    /// Whether every line of the passage was found. At the end of a source none is behind.
    pub fn is_whole(&self, found: &[PassageLine]) -> bool {
        let numbers: std::collections::BTreeSet<u64> = found.iter().map(|line| line.number).collect();
        numbers.len() as u64 == self.to - self.from + 1
    }

    /// Why lines of evidence are not among those that were found; `None` where all are.
    pub fn missing(&self, found: &[PassageLine]) -> Option<&'static str> {
        let shown = found.iter().filter(|line| line.is_evidence).count();
        (shown < self.evidence.len()).then_some(
            "the archive does not hold all of these lines: they are older than it keeps, or were never archived",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(source: &str, line_no: u64, event_id: EventId) -> Evidence {
        Evidence { event_id, source: source.to_owned(), line_no, offset: 0, time: None, original: String::new() }
    }

    #[test]
    fn passages_that_touch_are_one() {
        let line = |source: &str, line_no| proof(source, line_no, EventId(0));
        let all = passages(&[line("a", 9), line("b", 2), line("a", 5), line("a", 30)], 2, 1);
        let shown: Vec<_> = all.iter().map(|one| (one.source.as_str(), one.from, one.to, one.evidence.len())).collect();
        assert_eq!(shown, [("a", 3, 10, 2), ("a", 28, 31, 1), ("b", 1, 3, 1)]);
        assert_eq!(passage_rows(&all), (8 + 4 + 3) * SOURCES_MAX);
    }

    #[test]
    fn lines_of_another_file_of_the_name_are_not_shown() {
        let (mine, other) = (SourceId(7), SourceId(8));
        let found = |source, number: u64| FoundLine {
            name: "a.log".to_owned(),
            source,
            offset: number * 10,
            number,
            text: format!("{number} of {}", source.0),
        };
        let one = &passages(&[proof("a.log", 5, EventId::derive(mine, 50))], 1, 1)[0];
        let rows = [found(mine, 4), found(other, 4), found(mine, 5), found(other, 5), found(mine, 6), found(mine, 9)];
        let lines = one.lines(&rows);
        let shown: Vec<_> = lines.iter().map(|line| (line.text.as_str(), line.is_evidence)).collect();
        assert_eq!(shown, [("4 of 7", false), ("5 of 7", true), ("6 of 7", false)]);
        assert_eq!((one.missing(&lines), one.is_whole(&lines), one.is_whole(&lines[1..])), (None, true, false));
        assert!(one.missing(&one.lines(&[found(other, 5)])).is_some());
    }
}
