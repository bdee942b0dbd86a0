//! Saved hunts: files with a question and, where it is to run by itself, a schedule. It reads them and tells what is wrong with
//! which; it asks nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use archive::Search;
use event::{Level, Timestamp};
use rules::yaml::{self, Node};

/// Largest file, in bytes, and most hunts.
const FILE_BYTES_MAX: u64 = 64 << 10;
const HUNTS_MAX: usize = 500;
const DEPTH_MAX: usize = 8;

/// Shortest and longest time between two runs, and the longest wait for events that come late, in microseconds.
const MINUTE_US: i64 = 60 * event::time::SECOND_US;
const EVERY_MAX_US: i64 = 31 * 1440 * MINUTE_US;

const KEYS: [&str; 9] = ["id", "title", "description", "question", "search", "level", "every", "delay", "tags"];

/// A question that somebody keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedHunt {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) asked: Asked,
    pub(crate) level: Level,
    /// `None`: it runs when somebody asks for it.
    pub(crate) schedule: Option<HuntSchedule>,
    /// Techniques of ATT&CK, as `T1110`.
    pub(crate) techniques: Vec<String>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Question(String),
    Search(String),
}

/// When it runs: over the events of each span of event time, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HuntSchedule {
    /// Between two runs; the events of so long are looked at.
    pub(crate) every_us: i64,
    /// A run waits so long for events that come late.
    pub(crate) delay_us: i64,
}

/// All hunts that can be used, and what is wrong with others.
#[derive(Debug, Default)]
pub(crate) struct SavedHunts {
    pub(crate) hunts: Vec<SavedHunt>,
    pub(crate) problems: Vec<String>,
}

impl Asked {
    /// The question in SQL, for so many rows.
    pub(crate) fn sql(&self, rows: usize, now: Timestamp) -> Result<String, String> {
        match self {
            Asked::Question(question) => Ok(question.clone()),
            Asked::Search(search) => {
                Search::read(search, now).map(|search| search.question(rows)).map_err(|wrong| wrong.to_string())
            }
        }
    }
}

impl SavedHunts {
    /// Reads files, and those below folders that end with `.yml` or `.yaml`.
    pub(crate) fn read(paths: &[PathBuf]) -> SavedHunts {
        let (mut all, mut files) = (SavedHunts::default(), BTreeSet::new());
        for path in paths {
            if let Err(reason) = collect(path, 0, &mut files) {
                all.problems.push(format!("{}: {reason}", path.display()));
            }
        }
        let mut ids = BTreeSet::new();
        for file in files {
            let text = match std::fs::read_to_string(&file) {
                Ok(text) if text.len() as u64 <= FILE_BYTES_MAX => text,
                Ok(_) => {
                    all.problems.push(format!("{}: larger than {FILE_BYTES_MAX} bytes", file.display()));
                    continue;
                }
                Err(error) => {
                    all.problems.push(format!("{}: {error}", file.display()));
                    continue;
                }
            };
            all.take(&file.display().to_string(), &text, &mut ids);
        }
        all
    }

    fn take(&mut self, name: &str, text: &str, ids: &mut BTreeSet<String>) {
        let documents = match yaml::read(text) {
            Ok(documents) => documents,
            Err(error) => return self.problems.push(format!("{name}: {error}")),
        };
        for document in documents.iter().filter(|document| !document.is_null()) {
            match hunt(document) {
                Ok(hunt) if !ids.insert(hunt.id.clone()) => {
                    self.problems.push(format!("{name}: another hunt has the id `{}`", hunt.id));
                }
                Ok(_) if self.hunts.len() >= HUNTS_MAX => {
                    self.problems.push(format!("{name}: there are more than {HUNTS_MAX} hunts"));
                }
                Ok(hunt) => self.hunts.push(hunt),
                Err(reason) => self.problems.push(format!("{name}: {reason}")),
            }
        }
    }

    pub(crate) fn named(&self, id: &str) -> Option<&SavedHunt> {
        self.hunts.iter().find(|hunt| hunt.id == id)
    }
}

fn collect(path: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    if !path.exists() {
        return Err("is not there".to_owned());
    }
    if !path.is_dir() {
        files.insert(path.to_owned());
        return Ok(());
    }
    if depth > DEPTH_MAX {
        return Err(format!("folders are nested more than {DEPTH_MAX} deep"));
    }
    for entry in std::fs::read_dir(path).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let is_hunt = path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
        if path.is_dir() || is_hunt {
            collect(&path, depth + 1, files)?;
        }
    }
    Ok(())
}

/// A hunt as written, or why it is none.
fn hunt(document: &Node) -> Result<SavedHunt, String> {
    let keys = document.map().ok_or("a hunt is a map of keys such as id, title, question")?;
    for (key, _) in keys {
        let known = KEYS.contains(&key.text.as_str());
        known.then_some(()).ok_or_else(|| format!("unknown key `{}`; known are {}", key.text, KEYS.join(", ")))?;
    }
    let text = |key: &str| document.get(key).and_then(Node::text).map(str::trim).filter(|text| !text.is_empty());
    let id = text("id").ok_or("it needs an id")?;
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if id.len() > 100 || !id.bytes().all(is_id) {
        return Err(format!("id `{id}`: letters, digits and - _ . alone, at most 100"));
    }
    let about = |reason: String| format!("`{id}`: {reason}");
    let asked = match (text("question"), text("search")) {
        (Some(question), None) => Asked::Question(question.to_owned()),
        (None, Some(search)) => Asked::Search(search.to_owned()),
        _ => return Err(about("it needs a question in SQL, or a search".to_owned())),
    };
    asked.sql(1, Timestamp(0)).map_err(about)?;
    let level = text("level").unwrap_or("medium").parse::<Level>().map_err(|wrong| about(wrong.to_string()))?;
    let schedule = text("every").map(|every| schedule(every, text("delay"))).transpose().map_err(about)?;
    let tags = document.get("tags").map(Node::one_or_many).unwrap_or_default();
    let technique =
        |tag: &Node| tag.text()?.strip_prefix("attack.").filter(|tag| tag.starts_with('t')).map(str::to_uppercase);
    Ok(SavedHunt {
        title: text("title").ok_or_else(|| about("it needs a title".to_owned()))?.to_owned(),
        description: text("description").unwrap_or_default().to_owned(),
        asked,
        level,
        schedule,
        techniques: tags.iter().filter_map(technique).collect(),
        id: id.to_owned(),
    })
}

fn schedule(every: &str, delay: Option<&str>) -> Result<HuntSchedule, String> {
    let span = |key: &str, text: &str| {
        event::time::parse_span_us(text).ok_or_else(|| format!("{key}: `{text}` is not a time span such as 15m"))
    };
    let every_us = span("every", every)?;
    if !(MINUTE_US..=EVERY_MAX_US).contains(&every_us) {
        return Err("every: from 1m to 31d".to_owned());
    }
    let delay_us = span("delay", delay.unwrap_or("2m"))?;
    if !(0..=EVERY_MAX_US).contains(&delay_us) {
        return Err("delay: at most 31d".to_owned());
    }
    Ok(HuntSchedule { every_us, delay_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunts_are_read_and_mistakes_named() {
        let mut all = SavedHunts::default();
        let text = "id: a\ntitle: A\nquestion: SELECT 1\nlevel: high\nevery: 15m\ntags: [attack.t1110, attack.credential_access]\n\
                    ---\nid: b\ntitle: B\nsearch: status>=500\n---\nid: a\ntitle: C\nquestion: SELECT 2\n\
                    ---\nid: d\ntitle: D\n---\nid: e\ntitle: E\nquestion: SELECT 1\nevery: 1s\n---\nid: f\ntitel: F\n\
                    ---\nid: g\ntitle: G\nsearch: 'sorce.ip:1'\n";
        all.take("h.yml", text, &mut BTreeSet::new());
        let ids: Vec<_> = all.hunts.iter().map(|hunt| (hunt.id.as_str(), hunt.schedule.is_some())).collect();
        assert_eq!(ids, [("a", true), ("b", false)]);
        assert_eq!((all.hunts[0].level, all.hunts[0].techniques.as_slice()), (Level::High, &["T1110".to_owned()][..]));
        for words in [
            "another hunt has the id `a`",
            "question in SQL, or a search",
            "from 1m to 31d",
            "unknown key `titel`",
            "source.ip",
        ] {
            assert!(all.problems.iter().any(|problem| problem.contains(words)), "{words}: {:?}", all.problems);
        }
    }
}
