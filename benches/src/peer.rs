//! Our program and `rsigma` on the same rules and events: how both are started, timed and compared. Both run as programs,
//! with one thread; loading is measured apart and taken off.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use rules::{Loaded, Terms};
use serde_json::Value;

/// Two engines and a folder for what they read.
#[derive(Debug)]
pub struct Bench {
    pub program: PathBuf,
    pub peer: PathBuf,
    pub folder: tempfile::TempDir,
    /// What `rsigma` is told beside rules and events.
    pub peer_options: Vec<String>,
}

/// A match: number of the event, id of the rule.
pub type Match = (u64, String);

/// Every rule file below the folder, sorted.
pub fn rule_files(folder: &Path, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
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
    pub fn new(program: &Path, peer: &Path) -> anyhow::Result<Self> {
        let (program, peer) = (program.canonicalize()?, peer.canonicalize()?);
        Ok(Bench { program, peer, folder: tempfile::tempdir()?, peer_options: Vec::new() })
    }

    /// `format` is ours; `rsigma` always reads JSON.
    pub fn ours(&self, rules: &Path, events: &Path, format: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["detect", "--no-default-rules", "--format", format, "--rules"]).arg(rules).arg(events);
        command
    }

    pub fn theirs(&self, rules: &Path, events: &Path) -> Command {
        let mut command = Command::new(&self.peer);
        command.args(["engine", "eval", "--input-format", "json", "--no-stats", "--output-format", "ndjson"]);
        command.args(&self.peer_options).arg("-r").arg(rules).arg("-e").arg(format!("@{}", events.display()));
        command
    }

    fn seconds(mut command: Command) -> anyhow::Result<f64> {
        let started = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "{command:?} failed");
        Ok(started.elapsed().as_secs_f64())
    }

    /// Best of three, without the time that one event takes: loading.
    pub fn net_seconds(command: impl Fn(&Path) -> Command, events: &Path, one: &Path) -> anyhow::Result<(f64, f64)> {
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

    pub fn matches(mut command: Command, read: impl Fn(&Value) -> Option<Match>) -> anyhow::Result<BTreeSet<Match>> {
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
    pub fn agree(
        &self,
        rules: &Path,
        events: &Path,
        field: &str,
        titles: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let ours = Self::matches(self.ours(rules, events, "json"), |found| {
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

    pub fn write(&self, name: &str, lines: impl Iterator<Item = String>) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        let mut out = BufWriter::new(File::create(&path)?);
        for line in lines {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        Ok(path)
    }

    /// Copies rules that load into a folder of their own; placeholder rules stay out, for neither has their lists.
    pub fn copy(&self, name: &str, files: &[PathBuf]) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder)?;
        for (at, file) in files.iter().enumerate() {
            fs::copy(file, folder.join(format!("{at:05}.yml")))?;
        }
        Ok(folder)
    }
}

/// The rules of the files, and the files whose rules all load.
pub fn load(files: &[PathBuf]) -> anyhow::Result<(Loaded, Vec<PathBuf>)> {
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| Ok((path.display().to_string(), fs::read_to_string(path)?)))
        .collect::<anyhow::Result<_>>()?;
    let given = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let loaded = rules::load(given, &Terms::default());
    let rejected: BTreeSet<&str> = loaded.rejected().map(|problem| problem.path.as_str()).collect();
    let kept = files.iter().filter(|path| !rejected.contains(path.display().to_string().as_str())).cloned().collect();
    Ok((loaded, kept))
}
