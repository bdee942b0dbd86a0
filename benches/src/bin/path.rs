//! Where the time of a replay goes: `path FILE [RULES_DIR]`. The real stages, one after another in one process, each over
//! all blocks of the file: read, parse, nominate, verify, hits, correlate, commit, print. What a stage is given is made
//! before its clock starts, so that caches are colder than in the program; the sum is an upper bound.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use correlate::{BatchCorrelator, CorrelatorOptions};
use event::{Block, EventBatch, Finding, Hit, Position, Source, SourceId, Timestamp};
use ingest::BlockReader;
use matcher::{MatchScratch, Matcher};
use parse::{Options, Parser};
use rules::{RuleSet, Terms};
use store::{Commit, Use};

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What one stage took.
struct Stage {
    name: &'static str,
    seconds: f64,
    allocated: u64,
}

impl Stage {
    fn take_off(&mut self, other: &Stage) {
        self.seconds = (self.seconds - other.seconds).max(0.0);
        self.allocated = self.allocated.saturating_sub(other.allocated);
    }
}

/// Runs stages and remembers what each took.
#[derive(Default)]
struct Stages(Vec<Stage>);

impl Stages {
    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let allocated = || tikv_jemalloc_ctl::thread::allocatedp::read().map(|bytes| bytes.get()).unwrap_or(0);
        let (before, started) = (allocated(), Instant::now());
        let made = work()?;
        let (seconds, allocated) = (started.elapsed().as_secs_f64(), allocated() - before);
        self.0.push(Stage { name, seconds, allocated });
        Ok(made)
    }

    fn print(&self, lines: u64) {
        let lines = lines.max(1) as f64;
        println!("{:<10} {:>12} {:>22}", "stage", "ns per line", "bytes taken per line");
        for Stage { name, seconds, allocated } in &self.0 {
            println!("{name:<10} {:>12.1} {:>22.1}", seconds * 1e9 / lines, *allocated as f64 / lines);
        }
        let seconds: f64 = self.0.iter().map(|stage| stage.seconds).sum();
        println!("{:<10} {:>12.1} {:>22}", "all", seconds * 1e9 / lines, format!("{:.0} lines/s", lines / seconds));
    }
}

fn rule_files(folder: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rule_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            into.push(path);
        }
    }
    Ok(())
}

fn load(folder: &Path) -> anyhow::Result<Arc<RuleSet>> {
    let mut paths = Vec::new();
    rule_files(folder, &mut paths).with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    let read = |path: &PathBuf| Ok((path.display().to_string(), std::fs::read_to_string(path)?));
    let files: Vec<(String, String)> = paths.iter().map(read).collect::<std::io::Result<_>>()?;
    let loaded = rules::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), &Terms::default());
    Ok(Arc::new(loaded.set))
}

fn read(file: &Path) -> anyhow::Result<Vec<Block>> {
    let source = Arc::new(Source { id: SourceId(1), name: file.display().to_string() });
    let reference = Timestamp::from_unix_seconds(1_800_000_000);
    let mut reader = BlockReader::new(File::open(file)?, source, Position::default(), reference);
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    Ok(blocks)
}

/// Everything up to the hits of each batch.
fn up_to_hits(stages: &mut Stages, matcher: &Matcher, batches: &[EventBatch]) -> anyhow::Result<Vec<Vec<Hit>>> {
    if let Some(first) = batches.first() {
        // Compiles the rules and what the first block needs of them.
        matcher.hits(first, &mut MatchScratch::default());
    }
    let mut scratch = MatchScratch::default();
    let candidates = |batch: &EventBatch| matcher.candidates(batch, &mut scratch);
    let rows: usize = stages.run("nominate", || Ok(batches.iter().map(candidates).sum()))?;
    let mut scratch = MatchScratch::default();
    let matched = |batch: &EventBatch| matcher.matches(batch, &mut scratch).len();
    let matches: usize = stages.run("verify", || Ok(batches.iter().map(matched).sum()))?;
    let mut scratch = MatchScratch::default();
    let hits = stages.run("hits", || Ok(batches.iter().map(|batch| matcher.hits(batch, &mut scratch)).collect()))?;
    // These three run together with those before them: what those took is taken off.
    let [.., nominate, verify, hits_stage] = stages.0.as_mut_slice() else { return Ok(hits) };
    hits_stage.take_off(verify);
    verify.take_off(nominate);
    println!("{rows} rows that rules look at, {matches} matches");
    Ok(hits)
}

fn correlated(set: &Arc<RuleSet>, batches: &[EventBatch], hits: Vec<Vec<Hit>>) -> Vec<Finding> {
    let mut correlator = BatchCorrelator::new(Arc::clone(set), CorrelatorOptions::default());
    let mut changes = Vec::new();
    for (batch, hits) in batches.iter().zip(hits) {
        let newest = (0..batch.rows()).filter_map(|row| batch.times()?.get(row)).max().map(Timestamp);
        correlator.next_block(newest, batch.reference());
        correlator.observe(hits);
        changes.extend(correlator.changes());
    }
    correlator.finish();
    changes.extend(correlator.changes());
    changes.into_iter().map(|change| change.finding).collect()
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let file = arguments.next().context("usage: path FILE [RULES_DIR]")?;
    let folder = arguments.next().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"));
    let set = load(&folder)?;
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut stages = Stages::default();
    let blocks = stages.run("read", || read(&file))?;
    let mut parser = Parser::new(Options::default());
    let batches: Vec<EventBatch> =
        stages.run("parse", || Ok(blocks.into_iter().map(|block| parser.parse(block)).collect()))?;
    let lines: u64 = batches.iter().map(EventBatch::events).sum();
    let hits = up_to_hits(&mut stages, &matcher, &batches)?;
    let findings = stages.run("correlate", || Ok(correlated(&set, &batches, hits)))?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("path.db").display());
    let runtime = tokio::runtime::Runtime::new()?;
    let store = runtime.block_on(store::open(&url, Use::Commit))?;
    let commit = Commit { findings, ..Commit::default() };
    stages.run("commit", || Ok(runtime.block_on(store.commit(&commit))?))?;
    let printed: usize = stages.run("print", || {
        commit.findings.iter().map(|finding| Ok(serde_json::to_string(finding)?.len())).sum::<anyhow::Result<usize>>()
    })?;
    stages.print(lines);
    println!("{lines} lines, {} findings of {printed} bytes", commit.findings.len());
    Ok(())
}
