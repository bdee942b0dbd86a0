//! From what is asked for to the files that are followed: files, folders, patterns. Names alone decide; nothing is opened.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Deepest folder below one that is followed.
const DEPTH_MAX: usize = 32;
/// Names that one look goes through.
const NAMES_MAX: usize = 100_000;
/// Endings of compressed files.
const COMPRESSED: [&str; 5] = [".gz", ".zst", ".xz", ".bz2", ".zstd"];
/// Digits that make a date, as part of a name.
const DATE_DIGITS: usize = 6;

/// Something that is to be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A file, or a folder with all logs in it.
    Path(PathBuf),
    /// Names with `*`, `?`, `[…]` and `**`.
    Pattern(String),
}

/// Why a text names nothing that could be followed.
#[derive(Debug, thiserror::Error)]
pub enum BadPath {
    /// No text at all.
    #[error("an empty path")]
    Empty,
    /// A text with signs of a pattern that is none. The cause is part of the message, not the error's source.
    #[error("`{text}` is no pattern: {reason} at letter {letter}", reason = cause.msg, letter = cause.pos + 1)]
    Pattern {
        /// The text.
        text: String,
        /// What is wrong, and where.
        cause: glob::PatternError,
    },
}

impl Wanted {
    /// Whether it is no file that could be followed but a stream: standard input (`-`), or a named pipe that is there.
    pub fn is_stream(&self) -> bool {
        let Wanted::Path(path) = self else { return false };
        path.as_os_str() == "-" || fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
    }
}

impl FromStr for Wanted {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        if text.is_empty() {
            return Err(BadPath::Empty);
        }
        if !text.contains(['*', '?', '[']) {
            return Ok(Wanted::Path(PathBuf::from(text)));
        }
        match glob::Pattern::new(text) {
            Ok(_) => Ok(Wanted::Pattern(text.to_owned())),
            Err(cause) => Err(BadPath::Pattern { text: text.to_owned(), cause }),
        }
    }
}

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Each file once, in order, and whether it was named itself.
    pub(super) files: Vec<(PathBuf, bool)>,
    /// What could not be looked at, or is not there, and why.
    pub(super) troubles: Vec<(String, String)>,
}

/// The files that are wanted now.
pub(super) fn find(wanted: &[Wanted]) -> Listing {
    let mut found = Listing::default();
    let mut seen = BTreeSet::new();
    for one in wanted {
        let files = match one {
            Wanted::Path(path) if path.is_dir() => {
                let mut walk = Walk::default();
                walk.visit(path, DEPTH_MAX, false);
                found.troubles.append(&mut walk.troubles);
                let is_hidden =
                    |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                without_rotated(walk.files.into_iter().filter(|path| !is_hidden(path)).collect())
            }
            // Read by others.
            Wanted::Path(_) if one.is_stream() => continue,
            Wanted::Path(path) => {
                if !path.exists() {
                    found.troubles.push((path.display().to_string(), "there is no such file yet".to_owned()));
                }
                if seen.insert(path.clone()) {
                    found.files.push((path.clone(), true));
                }
                continue;
            }
            Wanted::Pattern(pattern) => {
                let files = matching(pattern, &mut found.troubles);
                if files.is_empty() {
                    found.troubles.push((pattern.clone(), "nothing matches yet".to_owned()));
                }
                without_rotated(files)
            }
        };
        found.files.extend(files.into_iter().filter(|path| seen.insert(path.clone())).map(|path| (path, false)));
    }
    found
}

/// Files that a pattern matches: from its last folder without a sign on, as deep as it reaches.
fn matching(text: &str, troubles: &mut Vec<(String, String)>) -> Vec<PathBuf> {
    let options =
        glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let Ok(pattern) = glob::Pattern::new(text) else { return Vec::new() };
    let signs = text.find(['*', '?', '[']).unwrap_or(text.len());
    let plain = text[..signs].rfind('/').map_or(0, |at| at + 1);
    let folder = if plain == 0 { Path::new(".") } else { Path::new(&text[..plain]) };
    let is_deep = text[plain..].contains("**");
    let depth = if is_deep { DEPTH_MAX } else { text[plain..].matches('/').count() };
    let mut walk = Walk::default();
    // Links to folders may lead in circles: they are followed where the pattern says how deep.
    walk.visit(folder, depth, !is_deep);
    troubles.append(&mut walk.troubles);
    let strip = |path: &Path| if plain == 0 { path.strip_prefix(".").ok().map(Path::to_owned) } else { None };
    let files = walk.files.into_iter().map(|path| strip(&path).unwrap_or(path));
    files.filter(|path| pattern.matches_path_with(path, options)).collect()
}

/// Files below a folder, in order.
#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    troubles: Vec<(String, String)>,
    names: usize,
}

impl Walk {
    fn visit(&mut self, folder: &Path, depth: usize, links: bool) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.troubles.push((folder.display().to_string(), error.to_string())),
        };
        let mut names = Vec::new();
        for entry in entries.take(NAMES_MAX) {
            match entry {
                Ok(entry) => names.push(entry),
                Err(error) => self.troubles.push((folder.display().to_string(), error.to_string())),
            }
        }
        names.sort_by_key(fs::DirEntry::file_name);
        for entry in names {
            self.names += 1;
            if self.names > NAMES_MAX {
                let words = format!("more than {NAMES_MAX} names are looked through");
                return self.troubles.push((folder.display().to_string(), words));
            }
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_file() || kind.is_symlink() && path.is_file() {
                self.files.push(path);
            } else if depth > 0 && (kind.is_dir() || links && kind.is_symlink() && path.is_dir()) {
                self.visit(&path, depth - 1, links);
            }
        }
    }
}

/// Without what a rotation has left beside a file that is found, too, and without what is compressed: neither grows.
fn without_rotated(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let all: BTreeSet<PathBuf> = files.iter().cloned().collect();
    let is_rotated = |path: &PathBuf| {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let packed = COMPRESSED.iter().any(|ending| name.ends_with(ending));
        packed || bases(name).iter().any(|base| all.contains(&path.with_file_name(base)))
    };
    files.into_iter().filter(|path| !is_rotated(path)).collect()
}

/// Whether a rotation of a file `name` makes the name `other` of it.
pub(super) fn is_rotation(name: &str, other: &str) -> bool {
    bases(other).iter().any(|base| base == name)
}

/// The names that a file may have had before a rotation named it: `a.log.1`, `a.log-20261129.gz`, `a.1.log`,
/// `a-2026-11-29.log.zst`.
fn bases(name: &str) -> Vec<String> {
    let name = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let mut bases: Vec<String> = before_number(name).map(|(base, _)| base.to_owned()).into_iter().collect();
    if let Some((stem, ending)) = name.rsplit_once('.')
        && let Some((base, number)) = before_number(stem)
    {
        // `web-1.log` may well be the log of another server.
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        if number.starts_with('.') || digits >= DATE_DIGITS {
            bases.push(format!("{base}.{ending}"));
        }
    }
    bases
}

/// What stands before a number or a date at the end, and that with its mark.
fn before_number(name: &str) -> Option<(&str, &str)> {
    let base = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || "-_.:T".contains(letter));
    let number = name.get(base.len()..).filter(|number| number.bytes().any(|byte| byte.is_ascii_digit()))?;
    // The number begins with the mark, or the name itself ends in digits before it.
    let mark = number.find(['-', '_', '.'])?;
    let (base, number) = name.split_at(base.len() + mark);
    let is_number = number.len() > 1 && number.ends_with(|letter: char| letter.is_ascii_digit());
    (is_number && base.bytes().any(|byte| byte.is_ascii_alphabetic())).then_some((base, number))
}

/// Files beside one that a rotation may have made of it, the newest first; and whether their names say so for certain.
pub(super) fn beside(path: &Path) -> Vec<(PathBuf, bool)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut others = Vec::new();
    for entry in entries.filter_map(Result::ok).take(NAMES_MAX) {
        let other = entry.file_name();
        let Some(other) = other.to_str().filter(|other| *other != name) else { continue };
        let certain = is_rotation(name, other);
        if (certain || other.starts_with(name))
            && let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            others.push((metadata.modified().ok(), path.with_file_name(other), certain));
        }
    }
    others.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    others.into_iter().map(|(_, path, certain)| (path, certain)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotations_make_are_told_from_other_logs() {
        for other in ["a.log.1", "a.log.2.gz", "a.log-20261129", "a.log-20261129.zst", "a.log.2026-11-29_10.xz"] {
            assert!(is_rotation("a.log", other), "{other}");
        }
        for other in ["a.1.log", "a-2026-11-29.log", "a-20261129.log.gz", "a.log.1-20261129"] {
            assert!(is_rotation("a.log", other), "{other}");
        }
        for other in ["a.log.old", "b.log.1", "a-1.log", "a2.log", "a.log.bak.1x", "a.login", "a.log."] {
            assert!(!is_rotation("a.log", other), "{other}");
        }
        assert!(bases("10.0.0.1").is_empty() && bases("20261129").is_empty() && bases("").is_empty());
        assert!(is_rotation("web1", "web1.3") && is_rotation("messages", "messages-20261129"));
    }

    #[test]
    fn folders_and_patterns_find_logs_and_leave_what_was_rotated() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        for name in ["a.log", "a.log.1", "a.log.2.gz", "b.txt", "sub/c.log", "d-20261129.log", ".hidden.log"] {
            fs::write(at(name), "x\n").unwrap();
        }
        std::os::unix::fs::symlink(root.path(), at("sub/circle")).unwrap();
        let found = |text: &str| {
            let wanted: Wanted = format!("{}{text}", root.path().display()).parse().unwrap();
            let files = find(&[wanted]).files.into_iter();
            let names = files.map(|(path, _)| path.strip_prefix(root.path()).unwrap().display().to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(found(""), ["a.log", "b.txt", "d-20261129.log", "sub/c.log"]);
        assert_eq!(found("/*.log*"), ["a.log", "d-20261129.log"]);
        assert_eq!(found("/**/c.log"), ["sub/c.log"]);
        assert_eq!(found("/a.log.1"), ["a.log.1"], "what is named itself is followed");
        let troubles = find(&["/nowhere/*.log".parse().unwrap()]).troubles;
        assert!(troubles.iter().any(|(_, words)| words.contains("nothing matches")), "{troubles:?}");
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_with_its_place() {
        let error = "/var/log/[a".parse::<Wanted>().unwrap_err().to_string();
        assert!(error.contains("/var/log/[a") && error.contains("letter"), "{error}");
        assert!("/var/log/a**b".parse::<Wanted>().is_err());
        assert!("".parse::<Wanted>().is_err());
    }
}
