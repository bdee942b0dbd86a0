//! Our engine beside `rsigma` on the same rules and events: `peer PROGRAM RSIGMA RULES_DIR…`. First whether both find the
//! same, rule by rule, over events made of what the rules look for and over process creations; then how fast they are, and
//! what more rules cost. Both run as programs; loading is measured apart and taken off.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use benches::corpus::Random;
use benches::windows;
use detect::{Loaded, Terms};
use serde_json::Value;

const SPEED_EVENTS: u64 = 200_000;
const AGREE_EVENTS: u64 = 20_000;
const EVENTS_FOR_EACH_RULE: u64 = 60;
/// Rules of the small set, when the cost of more rules is measured.
const FEW_RULES: usize = 100;

struct Bench {
    program: PathBuf,
    peer: PathBuf,
    folder: tempfile::TempDir,
}

/// A match: number of the event, id of the rule.
type Match = (u64, String);

fn rule_files(folder: &Path, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rule_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            into.push(path);
        }
    }
    Ok(())
}

impl Bench {
    fn ours(&self, rules: &Path, events: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["detect", "--no-default-rules", "--format", "json", "--rules"]).arg(rules).arg(events);
        command
    }

    fn theirs(&self, rules: &Path, events: &Path) -> Command {
        let mut command = Command::new(&self.peer);
        command.args(["engine", "eval", "--input-format", "json", "--no-stats", "--output-format", "ndjson", "-r"]);
        command.arg(rules).arg("-e").arg(format!("@{}", events.display()));
        command
    }

    fn seconds(mut command: Command) -> anyhow::Result<f64> {
        let started = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "{command:?} failed");
        Ok(started.elapsed().as_secs_f64())
    }

    /// Best of three, without the time that one event takes: loading.
    fn net_seconds(command: impl Fn(&Path) -> Command, events: &Path, one: &Path) -> anyhow::Result<(f64, f64)> {
        let best = |events: &Path| -> anyhow::Result<f64> {
            let mut best = f64::INFINITY;
            for _ in 0..3 {
                best = best.min(Self::seconds(command(events))?);
            }
            Ok(best)
        };
        let load = best(one)?;
        Ok((best(events)? - load, load))
    }

    fn matches(mut command: Command, read: impl Fn(&Value) -> Option<Match>) -> anyhow::Result<BTreeSet<Match>> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = child.stdout.take().context("no output")?;
        let mut found = BTreeSet::new();
        for line in BufReader::new(out).lines() {
            found.extend(read(&serde_json::from_str(&line?)?));
        }
        ensure!(child.wait()?.success(), "{command:?} failed");
        Ok(found)
    }

    /// Matches of both, compared. `field` numbers the events from 0, in their order.
    fn agree(&self, rules: &Path, events: &Path, field: &str, titles: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let ours = Self::matches(self.ours(rules, events), |found| {
            Some((found["line_no"].as_u64()? - 1, found["rule.id"].as_str()?.to_owned()))
        })?;
        let mut theirs = self.theirs(rules, events);
        theirs.arg("--include-event");
        let theirs = Self::matches(theirs, |found| {
            Some((found["event"][field].as_u64()?, found["rule_id"].as_str()?.to_owned()))
        })?;
        let rules: BTreeSet<&String> = ours.iter().chain(&theirs).map(|(_, rule)| rule).collect();
        println!("  {} matches of {} rules; theirs {}", ours.len(), rules.len(), theirs.len());
        for (who, one, other) in [("only ours", &ours, &theirs), ("only theirs", &theirs, &ours)] {
            let mut by_rule: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
            for (number, rule) in one.difference(other) {
                by_rule.entry(rule).or_insert((0, *number)).0 += 1;
            }
            println!(
                "  {who}: {} matches of {} rules",
                by_rule.values().map(|(count, _)| count).sum::<u64>(),
                by_rule.len()
            );
            for (rule, (count, example)) in by_rule.iter().take(40) {
                let title = titles.get(*rule).map_or("", String::as_str);
                println!("    {rule} {title}: {count}, such as event {example}");
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, lines: impl Iterator<Item = String>) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        let mut out = BufWriter::new(File::create(&path)?);
        for line in lines {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        Ok(path)
    }

    /// Copies rules that load into a folder of their own; placeholder rules stay out, for neither has their lists.
    fn copy(&self, name: &str, files: &[PathBuf]) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder)?;
        for (at, file) in files.iter().enumerate() {
            fs::copy(file, folder.join(format!("{at:05}.yml")))?;
        }
        Ok(folder)
    }
}

fn load(files: &[PathBuf]) -> anyhow::Result<(Loaded, Vec<PathBuf>)> {
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| Ok((path.display().to_string(), fs::read_to_string(path)?)))
        .collect::<anyhow::Result<_>>()?;
    let given = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let loaded = detect::load(given, &Terms::default());
    let rejected: BTreeSet<&str> = loaded.rejected().map(|problem| problem.path.as_str()).collect();
    let kept = files.iter().filter(|path| !rejected.contains(path.display().to_string().as_str())).cloned().collect();
    Ok((loaded, kept))
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [program, peer, folders @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: peer PROGRAM RSIGMA RULES_DIR…");
    };
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| rule_files(folder, &mut files))?;
    let (loaded, files) = load(&files)?;
    let bench = Bench { program: program.canonicalize()?, peer: peer.canonicalize()?, folder: tempfile::tempdir()? };
    let rules = bench.copy("rules", &files)?;
    let titles: BTreeMap<String, String> =
        loaded.set.heads().map(|head| (head.id.clone(), head.title.clone())).collect();
    println!("{} rules in {} files", loaded.set.rules.len(), files.len());

    let mut random = Random::new(7);
    let crafted = loaded.set.rules.iter().flat_map(|rule| std::iter::repeat_n(rule, EVENTS_FOR_EACH_RULE as usize));
    let crafted: Vec<String> =
        crafted.enumerate().map(|(at, rule)| windows::for_rule(rule, &mut random, at as u64)).collect();
    println!("agreement over {} events made of what the rules look for", crafted.len());
    let crafted = bench.write("crafted.json", crafted.into_iter())?;
    bench.agree(&rules, &crafted, "n", &titles)?;

    let mut events = (0..SPEED_EVENTS).map(|number| windows::process_creation(&mut random, number));
    let agree = bench.write("agree.json", events.by_ref().take(AGREE_EVENTS as usize))?;
    println!("agreement over {AGREE_EVENTS} process creations");
    bench.agree(&rules, &agree, "EventRecordID", &titles)?;

    let speed =
        bench.write("speed.json", (0..SPEED_EVENTS).map(|number| windows::process_creation(&mut random, number)))?;
    let one = bench.write("one.json", std::iter::once(windows::process_creation(&mut random, 0)))?;
    let size = fs::metadata(&speed)?.len() / SPEED_EVENTS;
    let few: Vec<PathBuf> = files.iter().step_by(files.len().div_ceil(FEW_RULES)).cloned().collect();
    let few_rules = bench.copy("few", &few)?;
    println!("speed over {SPEED_EVENTS} process creations of {size} bytes, one thread, loading taken off:");
    let (ours, load) = Bench::net_seconds(|events| bench.ours(&rules, events), &speed, &one)?;
    let (theirs, their_load) = Bench::net_seconds(|events| bench.theirs(&rules, events), &speed, &one)?;
    let rate = |seconds: f64| SPEED_EVENTS as f64 / seconds;
    println!(
        "  ours {:.0} events/s (loading {load:.2} s), rsigma {:.0} events/s (loading {their_load:.2} s): {:.1} times (target 5)",
        rate(ours),
        rate(theirs),
        theirs / ours
    );
    let (ours_few, _) = Bench::net_seconds(|events| bench.ours(&few_rules, events), &speed, &one)?;
    let (theirs_few, _) = Bench::net_seconds(|events| bench.theirs(&few_rules, events), &speed, &one)?;
    println!(
        "  with {} rules: ours {:.0} events/s, rsigma {:.0}; all rules keep {:.0} % of it (target 50), rsigma's {:.0} %",
        few.len(),
        rate(ours_few),
        rate(theirs_few),
        100.0 * ours_few / ours,
        100.0 * theirs_few / theirs
    );
    Ok(())
}
