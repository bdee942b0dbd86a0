//! Parsing of every format, shape and program that can be read, from its own example, on one core:
//! `cargo bench -p benches --bench formats [WORD]`, which is a kind, a name or a part of names. The slowest come first; `missed` marks
//! those below the target.
#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]

use std::fmt::Write;

use benches::corpus::{Access, Random, Sshd};
use benches::measure::best_of;
use event::{Block, Timestamp};
use parse::{Options, Parser, Readable, readable};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BLOCK_BYTES: usize = 1 << 20;
/// A run takes a few milliseconds: of so many, one is not interrupted where others use the machine.
const RUNS: usize = 25;
/// Lines per second that a format of text, a program's messages and a shape should reach, in millions.
const TEXT_TARGET: f64 = 1.0;
const SHAPE_TARGET: f64 = 0.7;

/// Rows per second, in millions.
fn rate(text: &str) -> f64 {
    let mut parser = Parser::new(Options::default());
    let mut rows = 0;
    let seconds = best_of(RUNS, || {
        let block = Block::detached("bench", text.as_bytes().to_vec(), Timestamp::from_unix_seconds(1_795_000_000));
        rows = std::hint::black_box(parser.parse(block)).rows();
    });
    rows as f64 / seconds / 1e6
}

/// The example again and again, from other addresses and ports.
fn lines(known: &Readable, random: &mut Random) -> Result<String, std::fmt::Error> {
    let mut text = String::with_capacity(BLOCK_BYTES + known.example.len());
    while text.len() < BLOCK_BYTES {
        let example = known
            .example
            .replace("203.0.113.7", &format!("203.0.113.{}", random.below(256)))
            .replace("40112", &format!("{}", 1024 + random.below(60_000)));
        if known.kind == "program" {
            let program = known.name.split(',').next().unwrap_or_default();
            writeln!(text, "Mar  4 10:00:01 host {program}[99]: {example}")?;
        } else {
            writeln!(text, "{example}")?;
        }
    }
    Ok(text)
}

fn main() -> std::fmt::Result {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let is_name = readable().iter().any(|known| known.name == wanted);
    let (mut access, mut sshd) = (String::new(), String::new());
    let (mut maker, mut ssh_maker) = (Access::new(1, 50), Sshd::new(1));
    while access.len() < BLOCK_BYTES {
        maker.line(&mut access)?;
    }
    while sshd.len() < BLOCK_BYTES {
        ssh_maker.line(&mut sshd)?;
    }
    println!("for comparison: combined access {:.2}, RFC 3164 sshd {:.2} M rows/s", rate(&access), rate(&sshd));
    let mut random = Random::new(3);
    let mut rates = Vec::new();
    for known in readable() {
        if known.kind == wanted || if is_name { known.name == wanted } else { known.name.contains(&wanted) } {
            let text = lines(&known, &mut random)?;
            rates.push((rate(&text), text.len() / text.lines().count(), known));
        }
    }
    rates.sort_by(|left, right| left.0.total_cmp(&right.0));
    for (rate, bytes, known) in &rates {
        let target = if known.kind == "shape" { SHAPE_TARGET } else { TEXT_TARGET };
        let mark = if *rate < target { "missed" } else { "" };
        println!("{rate:6.2} M rows/s  {bytes:5} bytes/line  {:<7} {:<40.40} {mark}", known.kind, known.name);
    }
    for kind in ["format", "shape", "program"] {
        let target = if kind == "shape" { SHAPE_TARGET } else { TEXT_TARGET };
        let of_kind = || rates.iter().filter(|(.., known)| known.kind == kind);
        println!(
            "{kind}: {} of {} reach {target} M rows/s",
            of_kind().filter(|(rate, ..)| *rate >= target).count(),
            of_kind().count()
        );
    }
    Ok(())
}
