//! Who did several kinds of things, each once: what a scan looks like to a person. One paragraph for a source, at the head of
//! the report; it tells of findings and takes none away.

use std::collections::BTreeMap;
use std::io::{self, Write};

use event::{Finding, FindingId, Timestamp};

use crate::command::replay::printable::printable;

/// Kinds of things, those that findings name beside their own among them, from which on a source has a paragraph.
const KINDS_MIN: usize = 5;
/// Paragraphs that are written; the other sources are counted.
const WRITTEN_MAX: usize = 20;
/// Actors that are remembered; findings about further ones stand in the report below all the same.
const ACTORS_MAX: usize = 10_000;

/// What was found about one source.
#[derive(Debug)]
struct Actor {
    findings: u64,
    events: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Score, severity and id of the gravest finding.
    worst: (u8, &'static str, FindingId),
    /// The most points of each kind, by its title, and whether the server answered one of its requests with success.
    kinds: BTreeMap<String, (u8, bool)>,
}

/// What a run found, by source.
#[derive(Debug, Default)]
pub(super) struct Actors {
    known: BTreeMap<String, Actor>,
}

/// Whether the server did what one of its requests asked for.
fn was_answered(finding: &Finding) -> bool {
    finding.rating.parts.iter().any(|part| part.part.starts_with("answered with status 2"))
}

impl Actors {
    /// Takes up a finding about one source; those about several are scans of nobody.
    pub(super) fn take(&mut self, finding: &Finding) {
        let [source] = finding.entities.source_ip.as_slice() else { return };
        if self.known.len() >= ACTORS_MAX && !self.known.contains_key(source) {
            return;
        }
        let rating = &finding.rating;
        let known = self.known.entry(source.clone()).or_insert_with(|| Actor {
            findings: 0,
            events: 0,
            first: None,
            last: None,
            worst: (0, "", finding.id),
            kinds: BTreeMap::new(),
        });
        known.findings += 1;
        known.events += finding.span.count;
        known.first = known.first.into_iter().chain(finding.span.first_seen).min();
        known.last = known.last.max(finding.span.last_seen);
        let (score, _, id) = known.worst;
        if rating.score > score || rating.score == score && finding.id < id {
            known.worst = (rating.score, rating.severity.name(), finding.id);
        }
        for title in std::iter::once(&finding.rule.title).chain(finding.also.iter().map(|other| &other.rule_title)) {
            let (most, answered) = known.kinds.entry(title.clone()).or_insert((0, false));
            *most = (*most).max(rating.score);
            *answered |= *title == finding.rule.title && was_answered(finding);
        }
    }

    /// Writes a paragraph for each source of several kinds, the gravest first.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut sources: Vec<_> = self.known.iter().filter(|(_, source)| source.kinds.len() >= KINDS_MIN).collect();
        sources.sort_by_key(|(name, source)| (std::cmp::Reverse((source.worst.0, source.kinds.len())), *name));
        for (name, source) in sources.iter().take(WRITTEN_MAX) {
            source.write(name, out)?;
        }
        let others = sources.len().saturating_sub(WRITTEN_MAX);
        if others > 0 {
            writeln!(out, "{others} more sources with findings of {KINDS_MIN} kinds or more\n")?;
        }
        Ok(())
    }
}

impl Actor {
    fn write(&self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let (score, severity, _) = self.worst;
        writeln!(out, "{severity} {score:>3}  {} did {} kinds of things", printable(name), self.kinds.len())?;
        let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        writeln!(out, "     when      {} to {}", time(self.first), time(self.last))?;
        writeln!(out, "     findings  {} below, {} events", self.findings, self.events)?;
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(title, (points, _))| (std::cmp::Reverse(*points), *title));
        let listed = |answered: bool| {
            let kinds = kinds.iter().filter(|(_, (_, known))| *known == answered).map(|(title, _)| title.as_str());
            kinds.collect::<Vec<_>>().join(", ")
        };
        for (head, titles) in [("answered", listed(true)), ("other", listed(false))] {
            if !titles.is_empty() {
                writeln!(out, "     {head:<9} {}", printable(&titles))?;
            }
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use event::{AlsoFired, Entities, FindingRating, FindingRule, FindingSpan, Level, ScorePart, Severity};

    use super::*;

    fn finding(title: &str, who: &[&str], score: u8) -> Finding {
        let answer = ScorePart { part: "answered with status 200".into(), points: 6 };
        Finding {
            id: FindingId(u128::from(score)),
            rule: FindingRule { id: title.into(), title: title.into(), level: Level::High },
            also: Vec::new(),
            rating: FindingRating { score, parts: vec![answer], severity: Severity::P1 },
            span: FindingSpan { first_seen: Some(Timestamp(0)), last_seen: Some(Timestamp(1_000_000)), count: 2 },
            entities: Entities { source_ip: who.iter().map(|who| (*who).to_owned()).collect(), ..Entities::default() },
            techniques: Vec::new(),
            reason: String::new(),
            response: Vec::new(),
            continues: None,
            counted: event::Counted::default(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn one_source_of_many_kinds_is_one_paragraph() {
        let scan = [("traversal", 70), ("injection", 80), ("files", 60), ("secrets", 50)];
        let mut findings: Vec<Finding> =
            scan.iter().map(|(title, score)| finding(title, &["192.0.2.9"], *score)).collect();
        findings[0].also.push(AlsoFired { rule_id: "t".into(), rule_title: "a tool".into(), count: 2 });
        findings.push(finding("one thing", &["192.0.2.1"], 90));
        findings.push(finding("many", &["192.0.2.9", "192.0.2.1"], 95));
        let written = |findings: &[Finding]| {
            let mut sources = Actors::default();
            findings.iter().for_each(|finding| sources.take(finding));
            let mut out = Vec::new();
            sources.write(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = written(&findings);
        assert!(text.starts_with("P1  80  192.0.2.9 did 5 kinds of things\n"), "{text}");
        assert!(
            text.contains("findings  4 below, 8 events\n     answered  injection, traversal, files, secrets\n"),
            "{text}"
        );
        assert!(text.contains("other     a tool\n") && !text.contains("192.0.2.1 did"), "{text}");
        findings.reverse();
        assert_eq!(written(&findings), text, "in any order");
    }
}
