//! Files with indicators: plain lists, read line by line, and STIX bundles. Read again only when a file has changed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use event::block::digest;
use rules::{Diagnostic, Gravity, Indicators, IndicatorsBuilder};

use crate::clock;
use crate::outcome::Usage;

/// Problems that are told of one file, each by its line; the others are counted.
const TOLD_MAX: usize = 20;
/// Largest STIX bundle in bytes.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;
const DEPTH_MAX: usize = 8;
/// Endings of files that are read in a folder; a file that is named is read whatever it is called.
const ENDINGS: [&str; 7] = ["txt", "csv", "list", "ioc", "netset", "ipset", "json"];

/// What was read from files that looked like this.
#[derive(Clone, Debug)]
struct ReadLists {
    stamp: u128,
    indicators: Arc<Indicators>,
    problems: Vec<Diagnostic>,
}

/// Where lists of indicators are.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndicatorFiles {
    paths: Vec<PathBuf>,
    last: Arc<Mutex<Option<ReadLists>>>,
}

impl IndicatorFiles {
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        IndicatorFiles { paths, last: Arc::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether the file is one of the lists.
    pub(crate) fn holds(&self, file: &Path) -> bool {
        self.paths.iter().any(|path| file.starts_with(path))
    }

    /// Every file, and a hash of their names, sizes and times of change.
    pub(crate) fn find(&self) -> Result<(Vec<PathBuf>, u128), Usage> {
        let mut files = Vec::new();
        for path in &self.paths {
            if !path.exists() {
                return Err(Usage(format!("there is no indicator file or folder {}", path.display())));
            }
            collect(path, 0, &mut files);
        }
        let mut stamp = Vec::new();
        for file in &files {
            let meta = std::fs::metadata(file).ok();
            let size = meta.as_ref().map_or(0, std::fs::Metadata::len);
            let changed = meta.and_then(|meta| meta.modified().ok());
            let changed = changed.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
            stamp.extend_from_slice(file.as_os_str().as_encoded_bytes());
            stamp.extend_from_slice(&size.to_le_bytes());
            stamp.extend_from_slice(&changed.as_nanos().to_le_bytes());
        }
        Ok((files, digest(&[&stamp])))
    }

    /// What the files hold, and what is wrong with them.
    pub(crate) fn load(&self, files: &[PathBuf], stamp: u128) -> (Arc<Indicators>, Vec<Diagnostic>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|known| known.stamp == stamp) {
            return (Arc::clone(&known.indicators), known.problems.clone());
        }
        let mut builder = IndicatorsBuilder::default();
        let mut problems = Vec::new();
        for file in files {
            read(file, &mut builder, &mut problems);
        }
        let indicators = Arc::new(builder.finish());
        *last = Some(ReadLists { stamp, indicators: Arc::clone(&indicators), problems: problems.clone() });
        (indicators, problems)
    }
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        files.push(path.to_owned());
        return;
    }
    let listed = std::fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let Ok(mut entries): Result<Vec<PathBuf>, std::io::Error> = listed else {
        // A folder that cannot be listed stands for itself: reading it will tell why.
        files.push(path.to_owned());
        return;
    };
    entries.sort();
    for entry in entries {
        let ending = entry.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if entry.is_dir() && depth < DEPTH_MAX || ENDINGS.contains(&ending) {
            collect(&entry, depth + 1, files);
        }
    }
}

/// Problems of one file, the first of them with their lines.
struct FileProblems<'a> {
    path: String,
    told: usize,
    more: usize,
    found: &'a mut Vec<Diagnostic>,
}

impl FileProblems<'_> {
    fn tell(&mut self, line: usize, gravity: Gravity, reason: String) {
        self.found.push(Diagnostic { path: self.path.clone(), line, column: 1, gravity, reason });
    }

    /// An entry that cannot be used. A list of millions may have some: the others count.
    fn add(&mut self, line: usize, reason: String) {
        if self.told == TOLD_MAX {
            self.more += 1;
            return;
        }
        self.told += 1;
        self.tell(line, Gravity::Warning, reason);
    }
}

fn read(path: &Path, builder: &mut IndicatorsBuilder, found: &mut Vec<Diagnostic>) {
    let mut problems = FileProblems { path: path.display().to_string(), told: 0, more: 0, found };
    let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let list = builder.list(&name);
    let outcome = match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => read_bundle(path, list, builder, &mut problems),
        _ => read_lines(path, list, builder, &mut problems),
    };
    if let Err(error) = outcome {
        problems.tell(1, Gravity::Error, format!("{error:#}"));
    }
    if problems.more > 0 {
        let reason = format!("{} more entries cannot be used", problems.more);
        problems.tell(1, Gravity::Warning, reason);
    }
}

fn read_lines(
    path: &Path,
    list: u32,
    builder: &mut IndicatorsBuilder,
    problems: &mut FileProblems<'_>,
) -> anyhow::Result<()> {
    let file = File::open(path)?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        if let Err(reason) = builder.line(list, &String::from_utf8_lossy(&line)) {
            problems.add(number, reason);
        }
    }
}

fn read_bundle(
    path: &Path,
    list: u32,
    builder: &mut IndicatorsBuilder,
    problems: &mut FileProblems<'_>,
) -> anyhow::Result<()> {
    let file = File::open(path)?;
    let mut text = String::new();
    let read = file.take(BUNDLE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if read as u64 > BUNDLE_BYTES_MAX {
        anyhow::bail!("the file is larger than {BUNDLE_BYTES_MAX} bytes");
    }
    let bundle = builder.bundle(list, &text, clock::now()).map_err(anyhow::Error::msg)?;
    for (name, reason) in bundle.rejected {
        problems.add(1, format!("the indicator `{name}` cannot be used: {reason}"));
    }
    if bundle.ended > 0 {
        problems.add(1, format!("{} indicators have ended or were revoked", bundle.ended));
    }
    Ok(())
}
