//! `c0di3 hunt --rule`: what rules would have found in the archive, by the same matcher and correlator that judge live events.
//! Events come in the order of their commits; nothing is stored and nobody is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use archive::{FileReader, Restored, restore};
use correlate::{BatchCorrelator, CorrelatorOptions};
use event::{ArchiveFile, EventId, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};

use super::open_archive::OpenArchive;
use crate::cli::{OutputFormat, TermArguments};
use crate::command::replay::report::Report;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};
use crate::pipeline::FUTURE_MAX_US;
use crate::rule_files::RuleFiles;

/// Events that are handed to the correlator at once, about as many as a block of lines holds.
const CHUNK_EVENTS: u64 = 4096;

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
    let mut retro = Retro {
        matcher: Matcher::new(Arc::clone(&set), config.rules.logsource.clone()),
        scratch: MatchScratch::default(),
        correlator: BatchCorrelator::new(set, CorrelatorOptions { saved: false, ..config.correlation.options() }),
        chunks: BTreeMap::new(),
        believed: Timestamp::FIRST,
        events: 0,
    };
    let mut report = Report::new(OutputFormat::Ndjson, false);
    for group in overlapping(&opened.files(since, None)?) {
        for file in group {
            for rows in FileReader::open(&opened.root, &file.path, None)? {
                restore(&rows?)?.iter().for_each(|restored| retro.judge(restored, since));
            }
        }
        retro.count();
        report.take(&retro.correlator.changes())?;
    }
    retro.correlator.finish();
    report.take(&retro.correlator.changes())?;
    report.print_open()?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = retro.events as f64 / seconds.max(1e-9);
    tell(&format!("{} events, {} findings, {seconds:.1} s, {rate:.0} events/s", retro.events, report.printed()));
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

/// Some events in the order of their numbers.
#[derive(Default)]
struct Chunk {
    newest: Option<Timestamp>,
    hits: Vec<(u64, Hit)>,
}

struct Retro {
    matcher: Matcher,
    scratch: MatchScratch,
    correlator: BatchCorrelator,
    chunks: BTreeMap<u64, Chunk>,
    /// Times beyond it are not believed.
    believed: Timestamp,
    events: u64,
}

impl Retro {
    fn judge(&mut self, restored: &Restored, since: Option<Timestamp>) {
        let Restored { batch, sequences } = restored;
        self.events += sequences.len() as u64;
        let limit = batch.reference().saturating_add_us(FUTURE_MAX_US);
        self.believed = self.believed.max(limit);
        for (row, sequence) in sequences.iter().enumerate() {
            let time = batch.times().and_then(|times| times.get(row)).map(Timestamp).filter(|time| *time <= limit);
            let chunk = self.chunks.entry(sequence / CHUNK_EVENTS).or_default();
            chunk.newest = chunk.newest.max(time);
        }
        let hits = self.matcher.hits(batch, &mut self.scratch);
        if hits.is_empty() {
            return;
        }
        let rows = 0..batch.rows();
        let numbers: BTreeMap<EventId, u64> =
            rows.map(|row| batch.event_id(row)).zip(sequences.iter().copied()).collect();
        for hit in hits {
            if since.is_some_and(|since| hit.event.time.is_none_or(|time| time < since)) {
                continue;
            }
            let sequence = numbers.get(&hit.event.id).copied().unwrap_or(0);
            self.chunks.entry(sequence / CHUNK_EVENTS).or_default().hits.push((sequence, hit));
        }
    }

    /// Counts what was judged, in the order of its commits.
    fn count(&mut self) {
        for mut chunk in std::mem::take(&mut self.chunks).into_values() {
            chunk.hits.sort_by_key(|(sequence, _)| *sequence);
            self.correlator.next_block(chunk.newest, self.believed);
            self.correlator.observe(chunk.hits.into_iter().map(|(_, hit)| hit).collect());
        }
    }
}
