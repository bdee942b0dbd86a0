//! What following remembers of names between two looks at their files, and why a file is not followed. Opens nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::followed::{Inode, inode};
use crate::file::ReadError;

/// Notes on names, each kept until it no longer holds.
#[derive(Debug, Default)]
pub(super) struct NameNotes {
    /// Names whose file was written anew and has not been taken up yet.
    pub(super) rewritten: BTreeSet<PathBuf>,
    /// Files that are not followed, as they were when that was decided (inode, bytes, change time in seconds and
    /// nanoseconds), until the next look for new ones.
    pub(super) left: BTreeMap<PathBuf, (Inode, u64, i64, i64)>,
    /// Names beside which rotated files were looked for since their file was taken up.
    pub(super) looked_beside: BTreeSet<PathBuf>,
    /// Names whose file is not followed, because there is none or nothing in it: a file may come and go between two looks.
    pub(super) vacant: BTreeMap<PathBuf, Vacancy>,
}

/// Why a file is not followed, as health shows it behind the file's name.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotFollowed {
    #[error("{0}")]
    Unreadable(#[from] ReadError),
    #[error("is compressed: it does not grow; read it with `c0di3 replay`")]
    Compressed,
    /// What the file holds.
    #[error("holds {0}: its lines are made while it is read, and it is not followed; read it with `c0di3 replay`")]
    Translated(&'static str),
    /// The name of the file that is followed under the identity which both have.
    #[error("begins like {0}, which is followed")]
    BeginsLike(String),
    /// It became another file in between: the next look tells.
    #[error("changes while it is looked at")]
    Changing,
}

impl From<std::io::Error> for NotFollowed {
    fn from(error: std::io::Error) -> Self {
        NotFollowed::Unreadable(error.into())
    }
}

/// The file under a name, if any, and when its folder changed.
pub(super) type Vacancy = (Option<Inode>, Option<(i64, i64)>);

pub(super) fn vacancy(path: &Path) -> Vacancy {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let changed = std::fs::metadata(folder).map(|folder| (folder.mtime(), folder.mtime_nsec()));
    (std::fs::metadata(path).ok().map(|file| inode(&file)), changed.ok())
}
