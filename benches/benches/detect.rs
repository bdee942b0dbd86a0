//! Matching alone, on one core, over batches that are parsed beforehand: `cargo bench -p benches --bench detect`.
//! All own rules; the hits are counted so that no optimisation can lose one unseen.
#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use benches::corpus::{Access, Sshd};
use benches::measure::best_of;
use event::{Block, EventBatch, Timestamp};
use matcher::{MatchScratch, Matcher};
use parse::{Options, Parser};
use rules::RuleSet;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const LINES: usize = 400_000;
const LINES_PER_BLOCK: usize = 4_500;
const RUNS: usize = 5;

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

fn own_rules() -> anyhow::Result<(RuleSet, f64)> {
    let mut paths = Vec::new();
    rule_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"), &mut paths)?;
    paths.sort();
    let read = |path: &PathBuf| Ok((path.display().to_string(), std::fs::read_to_string(path)?));
    let files: Vec<(String, String)> = paths.iter().map(read).collect::<std::io::Result<_>>()?;
    let started = std::time::Instant::now();
    let loaded = rules::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), &rules::Terms::default());
    anyhow::ensure!(loaded.rejected().count() == 0, "every own rule loads");
    Ok((loaded.set, started.elapsed().as_secs_f64()))
}

fn batches(mut line: impl FnMut(&mut String) -> std::fmt::Result) -> anyhow::Result<Vec<EventBatch>> {
    let mut parser = Parser::new(Options::default());
    let mut batches = Vec::new();
    for _ in 0..LINES / LINES_PER_BLOCK {
        let mut text = String::new();
        for _ in 0..LINES_PER_BLOCK {
            line(&mut text)?;
        }
        let reference = Timestamp::from_unix_seconds(1_800_000_000);
        batches.push(parser.parse(Block::detached("bench", text.into_bytes(), reference)));
    }
    Ok(batches)
}

fn measure(name: &str, matcher: &Matcher, batches: &[EventBatch]) {
    let mut scratch = MatchScratch::default();
    let mut hits = 0;
    let seconds = best_of(RUNS, || {
        hits = batches.iter().map(|batch| matcher.matches(batch, &mut scratch).len()).sum();
    });
    let events: usize = batches.iter().map(EventBatch::rows).sum();
    println!("{name:<22} {:5.2} M events/s, {hits} matches in {events} events", events as f64 / seconds / 1e6);
}

fn main() -> anyhow::Result<()> {
    let (set, seconds) = own_rules()?;
    println!("loading {} rules: {:.1} ms (target 1000)", set.heads().count(), seconds * 1e3);
    let matcher = Matcher::new(Arc::new(set), None);
    let (mut access, mut sshd) = (Access::new(1, 50), Sshd::new(1));
    measure("access, own rules", &matcher, &batches(|text| access.line(text))?);
    measure("sshd, own rules", &matcher, &batches(|text| sshd.line(text))?);
    Ok(())
}
