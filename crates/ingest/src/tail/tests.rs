//! Files that are followed while they are changed, with a memory of positions as the analyzer has it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::Mutex;

use event::block::digest;

use super::*;
use crate::input::{Pull, Pulled};
use crate::live::queue;

/// What the analyzer remembers of files: each known by the longest beginning that fits.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<SourceId, (Fingerprint, Position)>>>);

impl Known for Memory {
    fn recognise(&mut self, file: &FileSource, role: FileRole<'_>) -> Option<(SourceId, Position)> {
        let mut known = self.0.lock().unwrap();
        let best = known.iter().filter(|(_, (fingerprint, _))| file.is(*fingerprint));
        let best = best.max_by_key(|(_, (fingerprint, _))| fingerprint.bytes).map(|(id, (_, at))| (*id, *at));
        if let (Some(best), FileRole::Current | FileRole::Beside(_)) = (best, role) {
            return Some(best);
        }
        if matches!(role, FileRole::Beside(_)) {
            return None;
        }
        let id = SourceId(digest(&[file.start(), &known.len().to_be_bytes()]));
        known.insert(id, (file.fingerprint(), Position::default()));
        Some((id, Position::default()))
    }

    fn grown(&mut self, id: SourceId, fingerprint: Fingerprint) {
        self.0.lock().unwrap().get_mut(&id).unwrap().0 = fingerprint;
    }
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Written anew in place, as `echo > file` does.
fn rewrite(path: &Path, text: &str) {
    fs::OpenOptions::new().write(true).truncate(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn gzip(path: &Path, target: &Path) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&fs::read(path).unwrap()).unwrap();
    fs::write(target, packed.finish().unwrap()).unwrap();
    fs::remove_file(path).unwrap();
}

fn numbered(name: &str, numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{name} line number {number}\n")).collect()
}

/// A folder whose files are followed, stopped and followed again.
struct Folder {
    root: tempfile::TempDir,
    memory: Memory,
    files_max: usize,
}

impl Folder {
    fn new() -> Self {
        Folder { root: tempfile::tempdir().unwrap(), memory: Memory::default(), files_max: 100 }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Follows what is wanted while `change` is done, until `lines` lines have come, and a little longer; their sorted
    /// text, as it is in the order in which it came where that matters, and what health said at the end.
    fn follow(&self, wanted: &str, lines: usize, change: impl FnOnce(&Path) + Send) -> (Vec<String>, TailReport) {
        let stop = AtomicBool::new(false);
        let flag = Arc::new(AtomicBool::new(false));
        let (sender, mut input) = queue(Arc::clone(&flag));
        let wanted = vec![self.at(wanted).display().to_string().parse().unwrap()];
        let options = TailOptions { wanted, files_max: self.files_max, clock: || Timestamp(5) };
        let state = TailState::default();
        let mut text = String::new();
        std::thread::scope(|scope| {
            let memory = self.memory.clone();
            scope.spawn(|| {
                feed(&options, memory, &state, &sender, &stop);
                drop(sender);
            });
            scope.spawn(|| change(self.root.path()));
            let started = Instant::now();
            let mut quiet = Instant::now();
            while text.lines().count() < lines && started.elapsed() < Duration::from_secs(20)
                || quiet.elapsed() < POLL * 2
            {
                let Some(Pulled::Block { block, .. }) = input.pull() else { continue };
                quiet = Instant::now();
                text.push_str(std::str::from_utf8(&block.bytes).unwrap());
                let end = block.start.offset + block.bytes.len() as u64;
                let position = Position { offset: end, line: 0 };
                self.memory.0.lock().unwrap().get_mut(&block.source.id).unwrap().1 = position;
            }
            stop.store(true, Ordering::Relaxed);
            drop(input);
        });
        (text.lines().map(str::to_owned).collect(), state.report())
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn pause() {
    std::thread::sleep(POLL * 3);
}

#[test]
fn lines_come_whole_as_the_file_grows() {
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 3, |root| {
        append(&root.join("a.log"), "one\ntw");
        pause();
        append(&root.join("a.log"), "o\nthree\n");
    });
    assert_eq!(text, ["one", "two", "three"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let folder = Folder::new();
    let (mut text, _) = folder.follow("a.log", 4, |root| {
        let (path, old) = (root.join("a.log"), root.join("a.log.1"));
        append(&path, "one\n");
        pause();
        fs::rename(&path, &old).unwrap();
        append(&path, "three\n");
        append(&old, "two\n");
        pause();
        append(&path, "four\n");
    });
    text.sort_unstable();
    assert_eq!(text, ["four", "one", "three", "two"]);
}

#[test]
fn a_file_that_was_copied_and_cut_off_is_read_from_its_start() {
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 3, |root| {
        append(&root.join("a.log"), "one is a long line\ntwo\n");
        pause();
        rewrite(&root.join("a.log"), "");
        append(&root.join("a.log"), "three\n");
    });
    assert_eq!(text, ["one is a long line", "two", "three"]);
}

#[test]
fn a_file_written_anew_to_the_same_length_loses_no_line() {
    let folder = Folder::new();
    let (first, second) = (numbered("first.", 10..20), numbered("second", 10..20));
    assert_eq!(first.len(), second.len());
    let (text, _) = folder.follow("a.log", 20, |root| {
        append(&root.join("a.log"), &first);
        pause();
        rewrite(&root.join("a.log"), &second);
    });
    assert_eq!(text, lines(&(first + &second)));
}

#[test]
fn a_file_written_anew_to_a_greater_length_loses_no_line() {
    let folder = Folder::new();
    let (first, second) = (numbered("first", 0..60), numbered("second", 0..700));
    let (text, _) = folder.follow("a.log", 760, |root| {
        append(&root.join("a.log"), &first);
        pause();
        rewrite(&root.join("a.log"), &second);
    });
    assert_eq!(text, lines(&(first + &second)));
}

#[test]
fn files_with_the_same_first_lines_are_told_apart_when_written_anew() {
    let folder = Folder::new();
    let header = "#Version: 1.0\n#Fields: date time cs-method\n".repeat(40);
    let (text, _) = folder.follow("a.log", 80 * 2 + 10 + 20, |root| {
        append(&root.join("a.log"), &header);
        pause();
        append(&root.join("a.log"), &numbered("first", 0..10));
        pause();
        rewrite(&root.join("a.log"), &format!("{header}{}", numbered("second", 0..20)));
    });
    assert_eq!(text.iter().filter(|line| line.starts_with("second")).count(), 20);
    assert_eq!(text.iter().filter(|line| line.starts_with("first")).count(), 10);
}

#[test]
fn a_long_file_written_anew_behind_the_same_beginning_loses_no_line() {
    let folder = Folder::new();
    let same = numbered("the same beginning, longer than what is compared", 0..2_000);
    let (first, second) = (numbered("first", 0..300), numbered("second", 0..400));
    let (text, _) = folder.follow("a.log", 4_700, |root| {
        append(&root.join("a.log"), &format!("{same}{first}"));
        pause();
        rewrite(&root.join("a.log"), &format!("{same}{second}"));
    });
    assert_eq!(text.iter().filter(|line| line.starts_with("second")).count(), 400);
}

#[test]
fn what_came_between_the_last_look_and_the_copy_is_read_from_the_copy() {
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 6, |root| {
        let path = root.join("a.log");
        append(&path, "one\ntwo\n");
        pause();
        // Within one look: two more lines, the copy, the cut, and a line of the new file.
        append(&path, "three\nfour\n");
        fs::copy(&path, root.join("a.log.1")).unwrap();
        rewrite(&path, "five\n");
        pause();
        append(&path, "six\n");
    });
    let mut sorted = text.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["five", "four", "one", "six", "three", "two"], "{text:?}");
}

#[test]
fn a_writer_that_goes_on_behind_a_hole_is_read() {
    use std::os::unix::fs::FileExt;
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 21, |root| {
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(root.join("a.log")).unwrap();
        let first = numbered("first", 0..20);
        file.write_all_at(first.as_bytes(), 0).unwrap();
        pause();
        file.set_len(0).unwrap();
        file.write_all_at(b"behind the hole\n", first.len() as u64).unwrap();
    });
    assert_eq!(text.last().unwrap(), "behind the hole");
    assert_eq!(text.len(), 21);
}

#[test]
fn the_rest_of_a_file_that_was_rotated_and_compressed_meanwhile_is_read_from_the_archive() {
    for (archive, keep) in [("a.log.1.gz", false), ("a.log-20261129.gz", false), ("a.log.1", true)] {
        let folder = Folder::new();
        let path = folder.at("a.log");
        let (first, rest, new) = (numbered("first", 0..10), numbered("rest", 0..10), numbered("new", 0..5));
        append(&path, &first);
        assert_eq!(folder.follow("a.log", 10, |_| {}).0, lines(&first));
        append(&path, &rest);
        if keep {
            fs::rename(&path, folder.at(archive)).unwrap();
        } else {
            gzip(&path, &folder.at(archive));
        }
        append(&path, &new);
        let (mut text, _) = folder.follow("a.log", 15, |_| {});
        if keep {
            // A file that may still be written to is read beside the new one.
            text.sort_by_key(|line| line.starts_with("new"));
        }
        assert_eq!(text, lines(&format!("{rest}{new}")), "{archive}");
        assert!(folder.follow("a.log", 0, |_| {}).0.is_empty(), "{archive}: nothing is read twice");
    }
}

#[test]
fn the_rest_is_read_while_the_new_file_is_still_empty_and_what_was_missed_as_well() {
    let folder = Folder::new();
    let path = folder.at("a.log");
    append(&folder.at("a.log.4.gz"), "never followed, and older\n");
    append(&path, "one\n");
    assert_eq!(folder.follow("a.log", 1, |_| {}).0, ["one"]);
    append(&path, "two\n");
    gzip(&path, &folder.at("a.log.3.gz"));
    std::thread::sleep(Duration::from_millis(20));
    append(&path, "a whole day\n");
    gzip(&path, &folder.at("a.log.2.gz"));
    std::thread::sleep(Duration::from_millis(20));
    append(&path, "another day\n");
    fs::rename(&path, folder.at("a.log.1")).unwrap();
    append(&path, "");
    let (text, _) = folder.follow("a.log", 3, |_| {});
    assert_eq!(text, ["two", "a whole day", "another day"]);
    assert!(folder.follow("a.log", 0, |_| {}).0.is_empty(), "nothing is read twice");
}

#[test]
fn files_that_come_and_go_between_two_looks_are_read() {
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 5, |root| {
        let path = root.join("a.log");
        append(&path, "one\n");
        pause();
        for (number, line) in [(4, "two\n"), (3, "three\n"), (2, "four\n")] {
            fs::rename(&path, root.join(format!("a.log.{number}"))).unwrap();
            std::thread::sleep(Duration::from_millis(10));
            append(&path, line);
        }
        pause();
        append(&path, "five\n");
    });
    assert_eq!(text, ["one", "two", "three", "four", "five"]);
}

#[test]
fn a_file_that_comes_and_goes_while_there_is_none_is_read() {
    let folder = Folder::new();
    let (text, _) = folder.follow("a.log", 3, |root| {
        let path = root.join("a.log");
        append(&path, "one\n");
        pause();
        fs::rename(&path, root.join("a.log.3")).unwrap();
        pause();
        append(&path, "two\n");
        fs::rename(&path, root.join("a.log.2")).unwrap();
        pause();
        append(&path, "three\n");
    });
    assert_eq!(text, ["one", "two", "three"]);
}

#[test]
fn archives_of_a_file_that_was_never_followed_are_left_alone() {
    let folder = Folder::new();
    append(&folder.at("a.log"), "old\n");
    gzip(&folder.at("a.log"), &folder.at("a.log.1.gz"));
    append(&folder.at("a.log"), "new\n");
    assert_eq!(folder.follow("a.log", 1, |_| {}).0, ["new"]);
}

#[test]
fn an_archive_that_is_still_being_written_is_read_when_it_is_whole() {
    let folder = Folder::new();
    let path = folder.at("a.log");
    append(&path, "one\n");
    folder.follow("a.log", 1, |_| {});
    append(&path, &numbered("rest", 0..20_000));
    gzip(&path, &folder.at("whole"));
    let whole = fs::read(folder.at("whole")).unwrap();
    fs::write(folder.at("a.log.1.gz"), &whole[..whole.len() / 2]).unwrap();
    let (text, report) = folder.follow("a.log", 20_000, |root| {
        pause();
        fs::write(root.join("a.log.1.gz"), &whole).unwrap();
    });
    assert_eq!((text.len(), text.last().unwrap().as_str()), (20_000, "rest line number 19999"));
    assert!(report.troubles.iter().all(|words| !words.contains("a.log.1.gz")), "{report:?}");
}

#[test]
fn a_pattern_follows_what_matches_also_what_appears_later() {
    let folder = Folder::new();
    append(&folder.at("a.log"), "a\n");
    append(&folder.at("a.log.1"), "rotated\n");
    append(&folder.at("b.txt"), "no log\n");
    let (mut text, report) = folder.follow("*.log*", 3, |root| {
        pause();
        append(&root.join("c.log"), "c\n");
        std::thread::sleep(FIND_INTERVAL);
        append(&root.join("a.log"), "more\n");
    });
    text.sort_unstable();
    assert_eq!(text, ["a", "c", "more"]);
    assert_eq!(report.troubles, [""; 0]);
}

#[test]
fn a_folder_follows_the_logs_in_it_and_no_more_than_the_limit() {
    let folder = Folder { files_max: 3, ..Folder::new() };
    fs::create_dir(folder.at("logs")).unwrap();
    fs::create_dir(folder.at("logs/sub")).unwrap();
    append(&folder.at("logs/a.log"), "a\n");
    fs::write(folder.at("logs/b.db"), [0; 500]).unwrap();
    append(&folder.at("logs/sub/c.log"), "c\n");
    let (mut text, report) = folder.follow("logs", 2, |_| {});
    text.sort_unstable();
    assert_eq!((text, report.troubles), (lines("a\nc\n"), vec![]));
    append(&folder.at("logs/sub/d.log"), "d\n");
    let (_, report) = folder.follow("logs", 0, |_| {});
    assert_eq!(report.troubles, ["1 files more than tail.files_max allows are not followed"]);
}

#[test]
fn what_cannot_be_followed_is_told() {
    let folder = Folder::new();
    append(&folder.at("a.log"), "a\n");
    gzip(&folder.at("a.log"), &folder.at("a.gz"));
    let (_, report) = folder.follow("a.gz", 0, |_| {});
    assert!(report.troubles[0].contains("is compressed"), "{report:?}");
    let (_, report) = folder.follow("missing.log", 0, |_| {});
    assert!(report.troubles[0].contains("there is no such file yet"), "{report:?}");
}

#[test]
fn a_file_in_utf16_is_decoded_while_it_grows_and_goes_on_after_a_restart() {
    let folder = Folder::new();
    let path = folder.at("app.log");
    let encoded = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let add = |text: &str| {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(&encoded(text)).unwrap();
    };
    add("\u{FEFF}Jürgen 🦀 logged in\r\nhalf ");
    let (found, _) = folder.follow("app.log", 2, |_| {
        pause();
        add("a line\nmore");
    });
    assert_eq!(found, ["Jürgen 🦀 logged in", "half a line"]);
    add(" of it\n");
    let (found, report) = folder.follow("app.log", 2, |_| {
        pause();
        add("last\n");
    });
    assert_eq!(found, ["more of it", "last"]);
    assert!(report.troubles.is_empty(), "{report:?}");
}
