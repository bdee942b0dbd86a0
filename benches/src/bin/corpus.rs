//! Writes a corpus: `cargo run --release -p benches --bin corpus -- access|sshd|flood MEGABYTES [SEED] [ATTACKS_PER_10000] > file`.
//! Attacks of sshd are failed logins; without their number most lines are.

use std::io::{BufWriter, Write};

use anyhow::{Context, bail};
use benches::corpus::{Access, Flood, Sshd};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| -> anyhow::Result<u64> {
        arguments.get(at).map_or(Ok(default), |text| text.parse().with_context(|| format!("`{text}` is not a number")))
    };
    let bytes = number(1, 440)? * 1_000_000;
    let (seed, attacks) = (number(2, 1)?, number(3, 50)?);
    let mut make: Box<dyn FnMut(&mut String) -> std::fmt::Result> = match arguments.first().map(String::as_str) {
        Some("access") => {
            let mut access = Access::new(seed, attacks);
            Box::new(move |line| access.line(line))
        }
        Some("sshd") => {
            let mut sshd = if arguments.len() > 3 { Sshd::with_failures(seed, attacks) } else { Sshd::new(seed) };
            Box::new(move |line| sshd.line(line))
        }
        Some("flood") => {
            let mut flood = Flood::new(seed);
            Box::new(move |line| flood.line(line))
        }
        _ => bail!("usage: corpus access|sshd|flood MEGABYTES [SEED] [ATTACKS_PER_10000]"),
    };
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut line = String::new();
    let mut written = 0;
    while written < bytes {
        line.clear();
        make(&mut line)?;
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    Ok(out.flush()?)
}
