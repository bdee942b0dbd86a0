//! A folder as a place: files and folders are synced, a file appears under its name when it is whole.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use event::Timestamp;

use super::found::FoundFile;
use crate::error::ArchiveError;

/// What an unfinished file ends with.
const UNFINISHED: &str = "parquet.tmp";

pub(super) fn make(root: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(root).map_err(|error| ArchiveError::io("make the folder", root, error))
}

/// Writes and syncs a file below the root, its folder, and the folders that are made for it: after a loss of power it is there.
/// A reader of the folder sees the whole file or none.
pub(super) fn put(root: &Path, below: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
    let path = &root.join(below);
    let folder = path.parent().unwrap_or(root);
    let failed = |what: &'static str| move |error| ArchiveError::io(what, path, error);
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        for made in folder.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
            File::open(made).and_then(|made| made.sync_all()).map_err(failed("sync a folder above"))?;
        }
    }
    let unfinished = path.with_extension(UNFINISHED);
    let mut file = File::create(&unfinished).map_err(failed("create"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    fs::rename(&unfinished, path).map_err(failed("rename"))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder of"))
}

pub(super) fn get(root: &Path, below: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
    let path = root.join(below);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ArchiveError::io("read", &path, error)),
    }
}

pub(super) fn open(root: &Path, below: &str) -> Result<File, ArchiveError> {
    let path = root.join(below);
    File::open(&path).map_err(|error| ArchiveError::io("open", &path, error))
}

pub(super) fn list(root: &Path) -> Result<Vec<FoundFile>, ArchiveError> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error| ArchiveError::io("read the folder", &folder, error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(root).map(|below| below.to_string_lossy().replace('\\', "/"));
            // A file may have been renamed or removed since the folder was read.
            let written = entry.metadata().and_then(|about| about.modified()).ok();
            let since = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let written_at = Timestamp(since.map_or(i64::MAX, |since| since.as_micros() as i64));
            found.extend(below.ok().map(|path| FoundFile { path, written_at }));
        }
    }
    Ok(found)
}

/// Folders that it leaves empty go, too.
pub(super) fn remove(root: &Path, paths: &[String]) -> Result<(), ArchiveError> {
    for path in paths {
        let path = root.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ArchiveError::io("remove", &path, error));
            }
            _ => {}
        }
        // Fails where something is in it: then it stays.
        let mut folder = path.parent();
        while let Some(empty) = folder.filter(|folder| *folder != root && fs::remove_dir(folder).is_ok()) {
            folder = empty.parent();
        }
    }
    Ok(())
}
