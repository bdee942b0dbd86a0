//! The lines around some evidence: which lines of which source they are, how they are asked for, and whether the archive has
//! them all.

use event::Evidence;

/// Lines of one source that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The source's name.
    pub source: String,
    /// Number of the first line.
    pub from: u64,
    /// Number of the last line.
    pub to: u64,
    /// Numbers of the lines that are evidence.
    pub evidence: Vec<u64>,
}

/// The passages around evidence: so many lines before and behind each line. Those that touch are one.
pub fn passages(evidence: &[Evidence], before: u64, after: u64) -> Vec<Passage> {
    let mut all: Vec<Passage> = Vec::new();
    let mut sorted: Vec<&Evidence> = evidence.iter().collect();
    sorted.sort_by(|a, b| (&a.source, a.line_no).cmp(&(&b.source, b.line_no)));
    for line in sorted {
        let from = line.line_no.saturating_sub(before).max(1);
        let to = line.line_no.saturating_add(after);
        match all.last_mut().filter(|last| last.source == line.source && from <= last.to + 1) {
            Some(last) => {
                last.to = last.to.max(to);
                last.evidence.push(line.line_no);
            }
            None => all.push(Passage { source: line.source.clone(), from, to, evidence: vec![line.line_no] }),
        }
    }
    all
}

impl Passage {
    /// How many lines there are.
    pub fn lines(&self) -> u64 {
        self.to - self.from + 1
    }

    /// The question for the lines, in their order.
    pub fn question(&self) -> String {
        let source = self.source.replace('\'', "''");
        format!(
            "SELECT c0di3.line, event.original FROM events WHERE \"c0di3.source.name\" = '{source}'
             AND c0di3.line BETWEEN {} AND {} ORDER BY c0di3.line",
            self.from, self.to
        )
    }

    /// Why lines of evidence are not among those that were found; `None` where all are.
    pub fn missing(&self, found: impl Iterator<Item = u64>) -> Option<String> {
        let found: Vec<u64> = found.collect();
        let missing = self.evidence.iter().filter(|line| !found.contains(line)).count();
        (missing > 0).then(|| {
            "the archive does not hold these lines: they are older than it keeps, or were never archived".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use event::EventId;

    use super::*;

    #[test]
    fn passages_that_touch_are_one() {
        let line = |source: &str, line_no| Evidence {
            event_id: EventId(0),
            source: source.to_owned(),
            line_no,
            offset: 0,
            time: None,
            original: String::new(),
        };
        let all = passages(&[line("a", 9), line("b", 2), line("a", 5), line("a", 30)], 2, 1);
        let shown: Vec<_> = all.iter().map(|one| (one.source.as_str(), one.from, one.to, one.evidence.len())).collect();
        assert_eq!(shown, [("a", 3, 10, 2), ("a", 28, 31, 1), ("b", 1, 3, 1)]);
        assert_eq!(all[0].missing([3, 4, 5, 6, 7, 8, 9].into_iter()), None);
        assert!(all[0].missing([3, 4].into_iter()).is_some());
    }
}
