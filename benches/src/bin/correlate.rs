//! What the correlator does in a second on one core: `correlate`. An event_count over many live groups, a value_count over
//! many distinct values, and the memory of a million groups. Hits are made before the clock starts.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use benches::corpus::Random;
use correlate::{BatchCorrelator, CorrelatorOptions};
use event::{EventId, EventRef, EventTexts, Hit, RuleKey, Source, SourceId, Timestamp, Whom};
use rules::{RuleSet, Terms};

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HITS: u64 = 4_000_000;
/// Hits that are made and then counted: as many as a block of log lines brings, which the matcher has just made.
const CHUNK: u64 = 5_000;
const STEP_US: i64 = 100;

fn set(correlation: &str) -> anyhow::Result<Arc<RuleSet>> {
    let text = format!(
        "title: base\nid: base\nlevel: low\nlogsource: {{product: test}}\ndetection: {{s: {{A: x}}, condition: s}}\n---\ntitle: c\nid: c\nlevel: high\ncorrelation: {correlation}\n"
    );
    let loaded = rules::load([("bench.yml", text.as_str())], &Terms::default());
    ensure!(loaded.rejected().count() == 0, "{:?}", loaded.diagnostics);
    Ok(Arc::new(loaded.set))
}

/// Hits whose captured values are `values(number)`, a tenth of a millisecond apart.
fn hits(from: u64, count: u64, mut values: impl FnMut(u64) -> Vec<String>) -> Vec<Hit> {
    let source = Arc::new(Source { id: SourceId(1), name: "bench".into() });
    let rule = RuleKey::of_id("base");
    let hit = |number: u64| Hit {
        rule,
        event: Arc::new(EventRef {
            id: EventId(u128::from(number)),
            source: Arc::clone(&source),
            offset: number,
            line_no: number,
            time: Some(Timestamp(1_790_000_000_000_000 + number as i64 * STEP_US)),
            texts: EventTexts::new(
                "<38>Nov 24 10:00:00 web01 sshd[811]: Failed password for root from 192.0.2.1 port 50011 ssh2",
                Whom::default(),
            ),
            answer: None,
            has_guessed_source: false,
        }),
        values: Arc::new(values(number).into_iter().map(|value| Some(value.into_boxed_str())).collect()),
        repeated: 1,
        patterns: None,
    };
    (from..from + count).map(hit).collect()
}

fn run(set: &Arc<RuleSet>, mut values: impl FnMut(u64) -> Vec<String>) -> (f64, BatchCorrelator) {
    let options = CorrelatorOptions { lateness_us: 1_000_000, groups_max: 2_000_000, ..CorrelatorOptions::default() };
    let mut correlator = BatchCorrelator::new(Arc::clone(set), options);
    let mut seconds = 0.0;
    for from in (0..HITS).step_by(CHUNK as usize) {
        let chunk = hits(from, CHUNK, &mut values);
        let parts = parts(chunk);
        let started = Instant::now();
        // As the pipeline does: a batch of hits, then the time that it reached.
        for part in parts {
            let newest = part.last().and_then(|hit| hit.event.time);
            correlator.observe(part);
            newest.into_iter().for_each(|newest| correlator.advance(newest));
        }
        let changes = correlator.changes();
        seconds += started.elapsed().as_secs_f64();
        drop(changes);
    }
    (HITS as f64 / seconds, correlator)
}

fn parts(mut hits: Vec<Hit>) -> Vec<Vec<Hit>> {
    let mut parts = Vec::new();
    while hits.len() > 5000 {
        let rest = hits.split_off(5000);
        parts.push(std::mem::replace(&mut hits, rest));
    }
    parts.push(hits);
    parts
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() -> anyhow::Result<()> {
    let only = std::env::args().nth(1);
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let before = resident_mb();
    let count = set("{type: event_count, rules: [base], group-by: [G], timespan: 1h, condition: {gte: 1000}}")?;
    if wanted("memory") {
        let options = CorrelatorOptions { lateness_us: 0, groups_max: 2_000_000, ..CorrelatorOptions::default() };
        let mut correlator = BatchCorrelator::new(Arc::clone(&count), options);
        for from in (0..1_000_000).step_by(CHUNK as usize) {
            let chunk =
                hits(from, CHUNK, |number| vec![format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255)]);
            correlator.observe(chunk);
            correlator.advance(Timestamp(1_790_000_000_000_000 + (from + CHUNK) as i64 * STEP_US));
        }
        let groups = correlator.open().1;
        // What was freed goes back to the system after a moment.
        std::thread::sleep(std::time::Duration::from_millis(500));
        drop(hits(0, 1000, |number| vec![number.to_string()]));
        println!("{groups} live groups of one event: {} MB (target 400 for 1 million)", resident_mb() - before);
    }
    if wanted("event_count") {
        let mut random = Random::new(3);
        let (rate, correlator) = run(&count, |_| vec![format!("10.0.{}", random.below(100_000))]);
        println!("event_count over {} live groups: {rate:.0} events/s (target 1,500,000)", correlator.open().1);
    }
    let values =
        set("{type: value_count, rules: [base], group-by: [G], timespan: 10s, condition: {gte: 19000, field: V}}")?;
    if !wanted("value_count") {
        return Ok(());
    }
    let (rate, _) = run(&values, |number| vec![format!("g{}", number % 10), format!("user{}", number / 10 % 10_000)]);
    println!(
        "value_count over 10 groups with 10,000 distinct values in the window: {rate:.0} events/s (target 500,000)"
    );
    Ok(())
}
