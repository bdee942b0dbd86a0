//! Why a correlation did or did not fire over log lines: what was counted, how near each group came, and what it lacked.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use detect::{Correlator, CorrelatorOptions, GroupView, MatchScratch, Matcher, RuleSet};
use event::{Hit, Timestamp};
use parse::Parser;

use crate::command::input;

/// Groups that are told of; those that came nearest first.
const GROUPS_MAX: usize = 50;
/// Counted lines that are told of.
const LINES_MAX: usize = 1000;

/// How near a group came.
struct Nearest {
    view: GroupView,
    /// Line at which it was there.
    line: u64,
    fired_at: Option<u64>,
}

/// Appends to `report`.
pub(super) fn explain(
    set: &Arc<RuleSet>,
    wanted: &str,
    files: &[PathBuf],
    parser: &mut Parser,
    report: &mut String,
) -> anyhow::Result<()> {
    let Some(bound) = set.find_correlation(wanted) else { return Ok(()) };
    let id = &bound.rule.head.id;
    writeln!(report, "{}: {}", bound.rule.head.title, bound.asks_for())?;
    let mut hits = hits_of(set, files, parser, |rule| set.counts(bound, rule))?;
    hits.sort_by_key(|hit| hit.event.time);
    let options = CorrelatorOptions { live: true, ..CorrelatorOptions::default() };
    let mut correlator = Correlator::new(Arc::clone(set), options);
    let mut nearest: BTreeMap<String, Nearest> = BTreeMap::new();
    let mut ungrouped = 0_usize;
    let count = hits.len();
    for (at, hit) in hits.into_iter().enumerate() {
        let title = &set.rules[hit.rule as usize].head.title;
        let line = hit.event.line_no;
        let received = hit.event.time.unwrap_or(Timestamp(0));
        correlator.observe_live(vec![hit.clone()], received);
        let Some(view) = correlator.group_of(id, &hit) else {
            ungrouped += 1;
            continue;
        };
        let group = group_text(&view);
        if at < LINES_MAX {
            let inside = view.aggregate.map_or(String::new(), |number| format!(", now {number}"));
            writeln!(report, "line {line}: {title}, counted for {group}{inside}")?;
        }
        let fired = view.firing.then_some(line);
        match nearest.get_mut(&group) {
            None => drop(nearest.insert(group, Nearest { view, line, fired_at: fired })),
            Some(known) => {
                known.fired_at = known.fired_at.or(fired);
                if known.fired_at == fired && fired.is_some() || value(&view) > value(&known.view) {
                    (known.view, known.line) = (view, line);
                }
            }
        }
    }
    if count > LINES_MAX {
        writeln!(report, "… and {} more lines", count - LINES_MAX)?;
    }
    tell_groups(&nearest, report)?;
    correlator.finish_for_good();
    for change in correlator.changes().iter().filter(|change| change.finding.rule_id == *id) {
        writeln!(report, "FIRED: {}", change.finding.reason)?;
    }
    if count == 0 {
        writeln!(
            report,
            "did not fire: no line matched a rule that it counts; `rules explain` on those rules says why"
        )?;
    } else if !report.contains("\nFIRED") {
        writeln!(report, "did not fire: {count} events were counted")?;
    }
    if ungrouped > 0 {
        writeln!(report, "{ungrouped} events were in no group: they lack a field that the rule groups by or counts")?;
    }
    Ok(())
}

fn value(view: &GroupView) -> f64 {
    view.aggregate.unwrap_or(view.events as f64)
}

fn group_text(view: &GroupView) -> String {
    let parts: Vec<String> = view.group.iter().map(|(field, value)| format!("{field}={value}")).collect();
    if parts.is_empty() { "all events together".to_owned() } else { parts.join(", ") }
}

fn tell_groups(nearest: &BTreeMap<String, Nearest>, report: &mut String) -> std::fmt::Result {
    let mut groups: Vec<(&String, &Nearest)> = nearest.iter().collect();
    groups.sort_by(|(_, one), (_, other)| value(&other.view).total_cmp(&value(&one.view)));
    for (group, Nearest { view, line, fired_at }) in groups.iter().take(GROUPS_MAX) {
        if let Some(line) = fired_at {
            writeln!(report, "{group}: reached at line {line}")?;
            continue;
        }
        let lines: Vec<String> = view.evidence.iter().map(|(_, line)| line.to_string()).collect();
        let span = match (&view.first, &view.last) {
            (Some(first), Some(last)) => format!(" from {first} to {last}"),
            _ => String::new(),
        };
        let values =
            if view.values.is_empty() { String::new() } else { format!("; values {}", view.values.join(", ")) };
        writeln!(
            report,
            "{group}: not reached; nearest at line {line}: {}; the window held {} event(s){span}, lines {}{values}",
            view.missing,
            view.events,
            lines.join(", ")
        )?;
    }
    if groups.len() > GROUPS_MAX {
        writeln!(report, "… and {} more groups", groups.len() - GROUPS_MAX)?;
    }
    Ok(())
}

fn hits_of(
    set: &Arc<RuleSet>,
    files: &[PathBuf],
    parser: &mut Parser,
    wanted: impl Fn(usize) -> bool,
) -> anyhow::Result<Vec<Hit>> {
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut scratch = MatchScratch::default();
    let mut hits = Vec::new();
    input::each_block(files, |block| {
        let batch = parser.parse(block);
        hits.extend(matcher.hits(&batch, &mut scratch).into_iter().filter(|hit| wanted(hit.rule as usize)));
        Ok(())
    })?;
    Ok(hits)
}
