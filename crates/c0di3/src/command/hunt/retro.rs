//! `c0di3 hunt --rule`: what rules would have found in the archive, by the same matcher and correlator that judge live events.
//! Events come in the order of their commits; nothing is stored and nobody is told.

mod judge;
mod needs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use correlate::{BatchCorrelator, CorrelatorOptions};
use event::{ArchiveFile, Timestamp};
use matcher::Matcher;

use self::judge::{Judge, Judged};
use super::open_archive::OpenArchive;
use crate::cli::{OutputFormat, TermArguments};
use crate::command::replay::report::Report;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::rule_files::RuleFiles;

pub(super) fn run(
    config: &Config,
    opened: &OpenArchive,
    rules: &[PathBuf],
    since: Option<Timestamp>,
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let loaded = RuleFiles::given(config, rules, &TermArguments::default()).load()?;
    loaded.rejected().for_each(|problem| tell(&problem.to_string()));
    let set = Arc::new(loaded.set);
    if set.heads().next().is_none() {
        return Err(Usage("--rule: these files hold no rule that could be loaded".to_owned()).into());
    }
    let declared = config.rules.logsource.clone();
    let need = needs::need(&set, declared.as_ref());
    let matcher = Matcher::new(Arc::clone(&set), declared);
    let judge = Judge::new(&opened.root, &matcher, need, since, opened.limits.jobs);
    let options = CorrelatorOptions { saved: false, ..config.correlation.options() };
    let mut counted = Counted { correlator: BatchCorrelator::new(set, options), believed: Timestamp::FIRST };
    let mut report = Report::new(OutputFormat::Ndjson, false);
    let (mut events, mut left_out) = (0, 0);
    for group in overlapping(&opened.files(since, None)?) {
        let judged = judge.files(&group)?;
        events += judged.events;
        left_out += judged.left_out;
        counted.take(judged);
        report.take(&counted.correlator.changes())?;
    }
    counted.correlator.finish();
    report.take(&counted.correlator.changes())?;
    report.print_open()?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = events as f64 / seconds.max(1e-9);
    tell(&format!(
        "{events} events, {left_out} of them left out by what files say of their values, {} findings, {seconds:.1} s, {rate:.0} events/s",
        report.printed()
    ));
    Ok(Outcome::Done)
}

/// Files whose events lie between each other, together; in the order of their numbers.
fn overlapping(files: &[ArchiveFile]) -> Vec<Vec<ArchiveFile>> {
    let mut groups: Vec<(u64, Vec<ArchiveFile>)> = Vec::new();
    for file in files {
        match groups.last_mut() {
            Some((last, group)) if file.sequences.0 <= *last => {
                *last = (*last).max(file.sequences.1);
                group.push(file.clone());
            }
            _ => groups.push((file.sequences.1, vec![file.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Correlation of what was judged.
struct Counted {
    correlator: BatchCorrelator,
    /// Times beyond it are not believed.
    believed: Timestamp,
}

impl Counted {
    /// Counts what was judged, in the order of its commits.
    fn take(&mut self, judged: Judged) {
        self.believed = self.believed.max(judged.believed);
        for mut chunk in judged.chunks.into_values() {
            chunk.hits.sort_by_key(|(sequence, _)| *sequence);
            self.correlator.next_block(chunk.newest, self.believed);
            self.correlator.observe(chunk.hits.into_iter().map(|(_, hit)| hit).collect());
        }
    }
}
