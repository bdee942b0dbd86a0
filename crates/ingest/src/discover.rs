//! From arguments to files: folders are walked in a fixed order; what is not a log is left out with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::content::Content;

/// Deepest folder below an argument.
const DEPTH_MAX: usize = 32;
/// Most files of one run.
pub const FILES_MAX: usize = 100_000;
/// Bytes that are looked at to tell text from binary files.
const SNIFF_BYTES: u64 = 4096;
/// Bytes of a hole that are read over at once.
const HOLE_BYTES: u64 = 1 << 20;

/// A file or folder that is not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What is not read.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
    /// Named by the caller or unreadable: the run has not done what was asked. Else it merely is no log.
    pub is_failure: bool,
}

/// What arguments mean.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Logs, in the order in which they were found.
    pub files: Vec<PathBuf>,
    /// What is left out.
    pub skipped: Vec<Skipped>,
}

/// Every log file that the arguments mean, each once, sorted within its folder.
pub fn discover(arguments: &[PathBuf]) -> Discovered {
    let mut walk = Discovery { found: Discovered::default(), seen: BTreeSet::new() };
    for argument in arguments {
        walk.visit(argument, 0);
    }
    walk.found
}

struct Discovery {
    found: Discovered,
    /// Device and inode of what was visited: links must not lead in circles or to a file twice.
    seen: BTreeSet<(u64, u64)>,
}

impl Discovery {
    fn skip(&mut self, path: &Path, reason: impl Into<String>, is_failure: bool) {
        self.found.skipped.push(Skipped { path: path.to_owned(), reason: reason.into(), is_failure });
    }

    fn visit(&mut self, path: &Path, depth: usize) {
        let named = depth == 0;
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                return self.skip(path, error.to_string(), named || error.kind() != std::io::ErrorKind::NotFound);
            }
        };
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return self.skip(path, "the same file was already found under another name", false);
        }
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.visit_folder(path, depth);
        } else if !kind.is_file() {
            let what = if kind.is_fifo() { "a FIFO" } else { "not a regular file" };
            self.skip(path, format!("{what}: replay reads regular files; pipe a stream into `c0di3 replay -`"), named);
        } else if self.found.files.len() >= FILES_MAX {
            self.skip(path, format!("more than {FILES_MAX} files in one run"), true);
        } else if metadata.len() == 0 {
            self.skip(path, "the file is empty", false);
        } else {
            self.visit_file(path, named);
        }
    }

    fn visit_file(&mut self, path: &Path, named: bool) {
        // Notes that lie beside logs. Whoever names one gets it read.
        if !named && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md")) {
            return self.skip(path, "a Markdown document, not a log", false);
        }
        match (binary_kind(path), named) {
            (Err(error), _) => self.skip(path, error.to_string(), true),
            (Ok(Some(kind)), false) => self.skip(path, format!("not text: {kind}"), false),
            _ => self.found.files.push(path.to_owned()),
        }
    }

    fn visit_folder(&mut self, path: &Path, depth: usize) {
        if depth >= DEPTH_MAX {
            return self.skip(path, format!("nested deeper than {DEPTH_MAX} folders"), true);
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.skip(path, error.to_string(), true),
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.skip(path, error.to_string(), true),
            }
        }
        paths.sort();
        for path in paths {
            self.visit(&path, depth + 1);
        }
    }
}

/// What kind of binary file this is, if it is one. Compressed files count as text: they are looked into when read.
pub(crate) fn binary_kind(path: &Path) -> std::io::Result<Option<&'static str>> {
    let mut first = Vec::new();
    let mut file = fs::File::open(path)?;
    file.by_ref().take(SNIFF_BYTES).read_to_end(&mut first)?;
    let known: [(&[u8], &str); 5] = [
        (b"LPKSHHRH", "a systemd journal, read it with journalctl -o json"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x7fELF", "a program"),
        (b"PK\x03\x04", "a zip archive, unpack it first"),
        (b"PAR1", "a Parquet file"),
    ];
    if let Some((_, kind)) = known.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Ok(Some(kind));
    }
    if crate::decompress::Compression::detect(&first) != crate::decompress::Compression::None {
        return Ok(None);
    }
    // Records and encodings that are read as lines.
    if Content::detect(path, &first) != Content::Text {
        return Ok(None);
    }
    let tar = first.get(257..262) == Some(b"ustar");
    behind_hole(&mut first, &mut file)?;
    let odd = first.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    // A damaged log may hold more runs of NUL; a binary file is mostly that.
    Ok(if tar {
        Some("a tar archive, unpack it first")
    } else if first.is_empty() {
        Some("nothing but NULs")
    } else if odd * 10 > first.len() * 3 {
        Some("more than 30 % of its first bytes are control characters")
    } else {
        None
    })
}

/// Steps over the hole that a log begins with where it was truncated while it was written.
fn behind_hole(first: &mut Vec<u8>, file: &mut fs::File) -> std::io::Result<()> {
    while !first.is_empty() && first.iter().all(|byte| *byte == 0) {
        first.clear();
        file.by_ref().take(HOLE_BYTES).read_to_end(first)?;
    }
    let hole = first.iter().take_while(|byte| **byte == 0).count();
    first.drain(..hole);
    first.truncate(SNIFF_BYTES as usize);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_what_is_no_log_is_named() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("b.log"), "line\n").unwrap();
        fs::write(at("sub/a.log"), "line\n").unwrap();
        fs::write(at("README.md"), "about these logs\n").unwrap();
        fs::write(at("empty.log"), "").unwrap();
        fs::write(at("wtmp"), [0_u8; 400]).unwrap();
        fs::write(at("sub/hole.log"), [&[0; 9000][..], b"line\n"].concat()).unwrap();
        std::os::unix::fs::symlink(root.path(), at("sub/circle")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", at("dangling")).unwrap();
        let found = discover(&[root.path().to_owned(), at("missing")]);
        assert_eq!(found.files, [at("b.log"), at("sub/a.log"), at("sub/hole.log")]);
        let skipped: Vec<_> = found
            .skipped
            .iter()
            .map(|skipped| (skipped.path.file_name().unwrap().to_str().unwrap(), skipped.is_failure))
            .collect();
        assert_eq!(
            skipped,
            [
                ("README.md", false),
                ("dangling", false),
                ("empty.log", false),
                ("circle", false),
                ("wtmp", false),
                ("missing", true)
            ]
        );
    }

    #[test]
    fn a_fifo_is_not_opened() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let found = discover(&[path]);
        assert!(found.skipped[0].reason.contains("FIFO") && found.skipped[0].is_failure);
    }
}
