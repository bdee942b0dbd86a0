//! A report that a person reads from the top: what is most urgent first, each kind of finding once, with who, why, proof and
//! what to do.

use std::collections::BTreeMap;
use std::io::{self, Write};

use event::Finding;

use crate::command::replay::actors::Actors;
use crate::command::replay::printable::printable;
use crate::screen::Paint;

/// Findings of one rule of which somebody is named; the others are counted.
const NAMED_MAX: usize = 8;
/// Evidence lines shown of the gravest finding of a rule.
const LINES_MAX: usize = 3;
/// Longest line shown, in characters.
const LINE_CHARS_MAX: usize = 200;

/// Findings of one rule.
#[derive(Debug)]
struct Kind {
    /// The gravest one.
    worst: Finding,
    findings: u64,
    events: u64,
    /// Titles of the rules that its findings name beside their own, with their events.
    also: BTreeMap<String, u64>,
    /// Who the first ones are about.
    named: Vec<String>,
}

/// What a run found, by rule.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    kinds: BTreeMap<String, Kind>,
    actors: Actors,
}

fn who(finding: &Finding) -> &str {
    let entities = &finding.entities;
    let first = entities.source_ip.first().or(entities.user_name.first()).or(entities.host_name.first());
    first.map_or("-", String::as_str)
}

impl Ranked {
    pub(super) fn take(&mut self, finding: &Finding) {
        self.actors.take(finding);
        let kind = self.kinds.entry(finding.rule.id.clone()).or_insert_with(|| Kind {
            worst: finding.clone(),
            findings: 0,
            events: 0,
            also: BTreeMap::new(),
            named: Vec::new(),
        });
        kind.findings += 1;
        kind.events += finding.span.count;
        for other in &finding.also {
            *kind.also.entry(other.rule_title.clone()).or_insert(0) += other.count;
        }
        if kind.named.len() < NAMED_MAX && !kind.named.iter().any(|known| known == who(finding)) {
            kind.named.push(who(finding).to_owned());
        }
        if finding.rating.score > kind.worst.rating.score {
            kind.worst = finding.clone();
        }
    }

    /// Writes the report: who did many kinds of things, then each kind, the most urgent first.
    pub(super) fn write(&self, out: &mut impl Write, paint: impl Fn(Paint, &str) -> String) -> io::Result<()> {
        self.actors.write(out)?;
        let mut kinds: Vec<&Kind> = self.kinds.values().collect();
        kinds.sort_by(|a, b| {
            let key =
                |kind: &Kind| (std::cmp::Reverse(kind.worst.rating.score), kind.worst.span.first_seen, kind.worst.id);
            key(a).cmp(&key(b))
        });
        for kind in kinds {
            kind.write(out, &paint)?;
        }
        Ok(())
    }
}

impl Kind {
    fn write(&self, out: &mut impl Write, paint: &impl Fn(Paint, &str) -> String) -> io::Result<()> {
        let Kind { worst, findings, events, also, named } = self;
        let severity = worst.rating.severity;
        let (severity, score) = (paint(Paint::Of(severity), severity.name()), worst.rating.score);
        let title = paint(Paint::Head, &printable(&worst.rule.title).to_string());
        writeln!(out, "{severity} {score:>3}  {title}")?;
        let others = (*findings as usize).saturating_sub(named.len());
        let more = if others > 0 { format!(" and {others} more findings") } else { String::new() };
        let time = |time: Option<event::Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let (first, last) = (time(worst.span.first_seen), time(worst.span.last_seen));
        let events = if *events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        writeln!(out, "     who       {}{more}; {events}", printable(&named.join(", ")))?;
        writeln!(out, "     when      {}", if first == last { first } else { format!("{first} to {last}") })?;
        writeln!(out, "     why       {}", printable(&worst.reason))?;
        if !also.is_empty() {
            let also: Vec<String> = also.iter().map(|(title, count)| format!("{title} ({count})")).collect();
            writeln!(out, "     also      {}", printable(&also.join(", ")))?;
        }
        let parts: Vec<String> =
            worst.rating.parts.iter().map(|part| format!("{} {:+}", part.part, part.points)).collect();
        writeln!(out, "     score     {}", printable(&parts.join(", ")))?;
        for (at, evidence) in worst.evidence.iter().take(LINES_MAX).enumerate() {
            let head = if at == 0 { "proof" } else { "" };
            let line: String = evidence.original.chars().take(LINE_CHARS_MAX).collect();
            writeln!(out, "     {head:<9} {}:{}  {}", printable(&evidence.source), evidence.line_no, printable(&line))?;
        }
        for (at, step) in worst.response.iter().enumerate() {
            let head = if at == 0 { "to do" } else { "" };
            writeln!(out, "     {head:<9} {}. {}", at + 1, printable(step))?;
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use event::{AlsoFired, Entities, FindingId, FindingRating, FindingRule, FindingSpan, Level, Severity};

    use super::*;

    fn finding(rule: &str, who: &str, score: u8) -> Finding {
        Finding {
            id: FindingId(u128::from(score)),
            rule: FindingRule { id: rule.into(), title: format!("title of {rule}"), level: Level::High },
            also: Vec::new(),
            rating: FindingRating { score, parts: Vec::new(), severity: Severity::P1 },
            span: FindingSpan { first_seen: None, last_seen: None, count: 2 },
            entities: Entities { source_ip: vec![who.into()], ..Entities::default() },
            techniques: Vec::new(),
            reason: format!("reason {score}"),
            response: vec!["look".into(), "act".into()],
            continues: None,
            counted: event::Counted::default(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn the_gravest_comes_first_and_copies_are_folded() {
        let mut ranked = Ranked::default();
        ranked.take(&finding("low", "192.0.2.1", 30));
        let also = |title: &str, count| AlsoFired { rule_id: "a".into(), rule_title: title.into(), count };
        for number in 0..20 {
            let names = vec![also("a scan", 1), also("other", u64::from(number % 2))];
            ranked.take(&Finding { also: names, ..finding("high", &format!("192.0.2.{number}"), 70 + number) });
        }
        let mut out = Vec::new();
        ranked.write(&mut out, |_, text| text.to_owned()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("P1  89  title of high\n"), "{text}");
        assert_eq!(text.matches("title of").count(), 2, "{text}");
        assert!(text.contains("and 12 more findings; 40 events") && text.contains("reason 89"), "{text}");
        assert!(text.contains("also      a scan (20), other (10)\n"), "{text}");
        assert!(text.contains("to do     1. look\n               2. act\n"), "{text}");
    }
}
