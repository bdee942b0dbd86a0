//! Judges groups of rows of the archive, several at once. A group that cannot hold a match is read for the times of its events alone;
//! of others the columns that rules test, and all columns of the rows that match.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use archive::schema::JUDGED_AS;
use archive::{ArchiveError, ArchivePlace, Need, PassingTest, Restored, StoredFile, restore};
use event::{ArchiveFile, Hit, Timestamp};
use matcher::{MatchScratch, Matcher};

use super::needs;
use crate::pipeline::FUTURE_MAX_US;

/// Events that are handed to the correlator at once, about as many as a block of lines holds.
const CHUNK_EVENTS: u64 = 4096;

/// Where at least one row of so many matches, all columns of all rows are read at once.
const DENSE: usize = 16;

/// Some events in the order of their numbers.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) newest: Option<Timestamp>,
    pub(super) hits: Vec<(u64, Hit)>,
}

/// What judging some groups gave.
pub(super) struct Judged {
    pub(super) chunks: BTreeMap<u64, Chunk>,
    /// Times beyond it are not believed.
    pub(super) believed: Timestamp,
    pub(super) events: u64,
    /// Events of groups that were left out.
    pub(super) left_out: u64,
}

impl Default for Judged {
    fn default() -> Self {
        Judged { chunks: BTreeMap::new(), believed: Timestamp::FIRST, events: 0, left_out: 0 }
    }
}

impl Judged {
    fn take(&mut self, other: Judged) {
        self.events += other.events;
        self.left_out += other.left_out;
        self.believed = self.believed.max(other.believed);
        for (number, chunk) in other.chunks {
            let known = self.chunks.entry(number).or_default();
            known.newest = known.newest.max(chunk.newest);
            known.hits.extend(chunk.hits);
        }
    }
}

/// Rules, and what they need of the archive.
pub(super) struct Judge<'a> {
    place: &'a ArchivePlace,
    matcher: &'a Matcher,
    since: Option<Timestamp>,
    need: Need,
    /// `None`: all.
    columns: Option<BTreeSet<String>>,
    jobs: usize,
    /// Set where the work is to end: what was judged then is a part.
    stop: &'a AtomicBool,
}

/// Nobody ends the work.
static GOES_ON: AtomicBool = AtomicBool::new(false);

impl<'a> Judge<'a> {
    pub(super) fn new(
        place: &'a ArchivePlace,
        matcher: &'a Matcher,
        need: Need,
        since: Option<Timestamp>,
        jobs: usize,
    ) -> Judge<'a> {
        let columns = needs::columns(matcher.set());
        Judge { place, matcher, since, need, columns, jobs: jobs.max(1), stop: &GOES_ON }
    }

    /// Ends where the flag is set.
    pub(super) fn until(self, stop: &'a AtomicBool) -> Judge<'a> {
        Judge { stop, ..self }
    }

    /// Judges all rows of some files.
    pub(super) fn files(&self, files: &[ArchiveFile]) -> Result<Judged, ArchiveError> {
        let opened: Result<Vec<StoredFile>, ArchiveError> =
            files.iter().map(|file| StoredFile::open(self.place, &file.path)).collect();
        let opened = opened?;
        let groups: Vec<(&StoredFile, usize)> =
            opened.iter().flat_map(|file| (0..file.groups()).map(move |group| (file, group))).collect();
        let (next, all) = (AtomicUsize::new(0), Mutex::new(Ok(Judged::default())));
        let work = || {
            let mut scratch = MatchScratch::default();
            while let Some((file, group)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                let judged = self.group(file, *group, &mut scratch);
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                match (&mut *all, judged) {
                    (Ok(all), Ok(judged)) => all.take(judged),
                    (Ok(_), Err(error)) => *all = Err(error),
                    (Err(_), _) => return,
                }
            }
        };
        std::thread::scope(|scope| {
            (1..self.jobs.min(groups.len())).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn group(&self, file: &StoredFile, group: usize, scratch: &mut MatchScratch) -> Result<Judged, ArchiveError> {
        let mut judged = Judged { events: file.rows(group), ..Judged::default() };
        if !file.may_hold(group, &self.need)? {
            judged.left_out = judged.events;
            self.times(file, group, &mut judged)?;
            return Ok(judged);
        }
        let decided =
            Need::Passing(JUDGED_AS.to_owned(), PassingTest(std::sync::Arc::new(|key| !needs::is_decided(key))));
        let is_decided = !file.may_hold(group, &decided)?;
        let Some(columns) = self.columns.as_ref().filter(|_| is_decided) else {
            self.rows(file, group, None, scratch, &mut judged)?;
            return Ok(judged);
        };
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut matched: Vec<u32> = Vec::new();
        let mut row = 0;
        for rows in file.read(group, Some(&columns), None)? {
            for restored in restore(&rows?)? {
                note_times(&restored, &mut judged);
                let found = self.matcher.matches(&restored.batch, scratch).iter().map(|(at, _)| row + at);
                matched.extend(found);
                row += restored.sequences.len() as u32;
            }
        }
        matched.dedup();
        if matched.is_empty() {
            return Ok(judged);
        }
        let dense = matched.len() as u64 * DENSE as u64 >= judged.events;
        self.rows(file, group, (!dense).then_some(matched.as_slice()), scratch, &mut judged)?;
        Ok(judged)
    }

    /// Judges rows by all their columns; all rows where none are chosen.
    fn rows(
        &self,
        file: &StoredFile,
        group: usize,
        chosen: Option<&[u32]>,
        scratch: &mut MatchScratch,
        judged: &mut Judged,
    ) -> Result<(), ArchiveError> {
        for rows in file.read(group, None, chosen)? {
            for restored in restore(&rows?)? {
                if chosen.is_none() {
                    note_times(&restored, judged);
                }
                self.hits(&restored, scratch, judged);
            }
        }
        Ok(())
    }

    fn hits(&self, restored: &Restored, scratch: &mut MatchScratch, judged: &mut Judged) {
        let Restored { batch, sequences } = restored;
        let hits = self.matcher.hits(batch, scratch);
        if hits.is_empty() {
            return;
        }
        // Hits come in the order of their rows: one step through both finds each hit's number.
        let mut row = 0;
        for hit in hits {
            while row < batch.rows() && batch.event_id(row) != hit.event.id {
                row += 1;
            }
            if self.since.is_some_and(|since| hit.event.time.is_none_or(|time| time < since)) {
                continue;
            }
            let sequence = sequences.get(row).copied().unwrap_or(0);
            judged.chunks.entry(sequence / CHUNK_EVENTS).or_default().hits.push((sequence, hit));
        }
    }

    /// The times of events that cannot match: the clock of correlations goes on with them.
    fn times(&self, file: &StoredFile, group: usize, judged: &mut Judged) -> Result<(), ArchiveError> {
        for rows in file.read(group, Some(&needs::PLACE), None)? {
            restore(&rows?)?.iter().for_each(|restored| note_times(restored, judged));
        }
        Ok(())
    }
}

fn note_times(restored: &Restored, judged: &mut Judged) {
    let Restored { batch, sequences } = restored;
    let limit = batch.reference().saturating_add_us(FUTURE_MAX_US);
    judged.believed = judged.believed.max(limit);
    let times = batch.times();
    let mut row = 0;
    while let Some(first) = sequences.get(row) {
        let number = first / CHUNK_EVENTS;
        let mut newest = None;
        // Numbers ascend: rows of one chunk stand side by side.
        while sequences.get(row).is_some_and(|sequence| sequence / CHUNK_EVENTS == number) {
            let time = times.as_ref().and_then(|times| times.get(row)).map(Timestamp).filter(|time| *time <= limit);
            newest = newest.max(time);
            row += 1;
        }
        let chunk = judged.chunks.entry(number).or_default();
        chunk.newest = chunk.newest.max(newest);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use archive::{Segment, Writer};
    use event::Block;
    use parse::{Options, Parser};
    use rules::{Terms, load};

    use super::*;

    /// The lines of the cases that rules carry, in an archive.
    fn archived(root: &std::path::Path) -> Vec<ArchiveFile> {
        let now = Timestamp::parse_rfc3339(b"2026-11-29T12:00:00Z").unwrap();
        let mut segment = Segment::default();
        for (path, text) in rule_texts() {
            let set = load([(path.as_str(), text.as_str())], &Terms::default()).set;
            let tests = set.rules.iter().map(|rule| &rule.head.tests);
            let lines: String = tests
                .flat_map(|tests| tests.hits.iter().chain(&tests.ignores))
                .map(|case| format!("{case}\n"))
                .collect();
            let block = Block::detached(&path, lines.into_bytes(), now);
            segment.push(Arc::new(Parser::new(Options::default()).parse(block)), 0);
        }
        let (writer, _) = Writer::open(root, "a", ("test", 1), 1, &BTreeSet::new()).unwrap();
        writer.write(&segment, 0).unwrap()
    }

    fn rule_texts() -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut todo = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"))];
        while let Some(folder) = todo.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path);
                } else if path.extension().is_some_and(|ending| ending == "yml") {
                    all.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        all.sort();
        all
    }

    fn shown(judged: &Judged) -> (Vec<(u64, String)>, Vec<Option<Timestamp>>) {
        let mut hits: Vec<(u64, String)> = Vec::new();
        for chunk in judged.chunks.values() {
            hits.extend(chunk.hits.iter().map(|(number, hit)| (*number, format!("{:?}", hit.rule))));
        }
        hits.sort_unstable();
        (hits, judged.chunks.values().map(|chunk| chunk.newest).collect())
    }

    #[test]
    fn what_is_left_out_or_read_in_part_changes_no_hit_of_any_rule() {
        let folder = tempfile::tempdir().unwrap();
        let (files, place) = (archived(folder.path()), ArchivePlace::from(folder.path()));
        let (mut rules, mut hits, mut in_part, mut left_out) = (0, 0, 0, 0);
        // Some files at a time: a set with one rule that looks at whole lines reads all columns.
        for texts in rule_texts().chunks(4) {
            let set = load(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())), &Terms::default()).set;
            let (set, path) = (Arc::new(set), &texts[0].0);
            rules += set.rules.len();
            let matcher = Matcher::new(Arc::clone(&set), None);
            let quick = Judge::new(&place, &matcher, needs::need(&set, None), None, 2);
            let slow =
                Judge { need: Need::Unknown, columns: None, ..Judge::new(&place, &matcher, Need::Unknown, None, 1) };
            let (found, expected) = (quick.files(&files).unwrap(), slow.files(&files).unwrap());
            assert_eq!(shown(&found), shown(&expected), "{path}");
            assert_eq!(found.events, expected.events);
            hits += shown(&found).0.len();
            in_part += usize::from(quick.columns.is_some());
            left_out += usize::from(found.left_out > 0);
        }
        assert!(rules >= 300 && hits > 500, "{rules} rules, {hits} hits");
        assert!(in_part > 40 && left_out > 40, "{in_part} read in part, {left_out} left something out");
    }
}
