//! The files below an archive's root: whose they are, writing one, finding those that no commit names, and removing those that
//! retention gives up.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::ArchiveError;

/// Name of the file that says whose archive a folder holds.
const OWNER: &str = "ARCHIVE";

/// Makes the folder that of the archive, or refuses it: what another store knows would be taken for left over. `has_files`: the
/// store knows files, which must lie in this folder.
pub(crate) fn claim(root: &Path, archive: &str, has_files: bool) -> Result<(), ArchiveError> {
    let path = root.join(OWNER);
    match fs::read_to_string(&path) {
        Ok(owner) if owner.trim() == archive => Ok(()),
        Ok(_) => Err(ArchiveError::OfAnother(root.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound && has_files => Err(ArchiveError::Elsewhere(root.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => put(root, OWNER, archive.as_bytes()),
        Err(error) => Err(ArchiveError::io("read", &path, error)),
    }
}

/// Writes and syncs a file below the root, its folder, and the folders that are made for it: after a loss of power it is there.
/// A reader of the folder sees the whole file or none.
pub(crate) fn put(root: &Path, below: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
    let path = &root.join(below);
    let folder = path.parent().unwrap_or(root);
    let failed = |what: &'static str| move |error| ArchiveError::io(what, path, error);
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
        for made in folder.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
            File::open(made).and_then(|made| made.sync_all()).map_err(failed("sync a folder above"))?;
        }
    }
    let unfinished = path.with_extension("parquet.tmp");
    let mut file = File::create(&unfinished).map_err(failed("create"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    fs::rename(&unfinished, path).map_err(failed("rename"))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder of"))
}

/// Removes files of this instance that are not known, finished or not, and says how many. Files of other instances stay:
/// they may be on their way into a commit.
pub(crate) fn remove_orphans(root: &Path, instance: &str, known: &BTreeSet<String>) -> Result<u64, ArchiveError> {
    let mut removed = 0;
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
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = path.strip_prefix(root).map(|below| below.to_string_lossy().replace('\\', "/"));
            if is_of(&name, instance) && !below.is_ok_and(|below| known.contains(&below)) {
                fs::remove_file(&path).map_err(|error| ArchiveError::io("remove", &path, error))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Whether a file was written by this instance: `INSTANCE-EPOCH-NUMBER.parquet`, with `-NUMBER` behind it where compaction wrote
/// it, or an unfinished one. The name of another instance may begin like this one.
fn is_of(name: &str, instance: &str) -> bool {
    let Some(rest) = name.strip_prefix(instance).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let Some(stem) = rest.strip_suffix(".parquet").or_else(|| rest.strip_suffix(".parquet.tmp")) else { return false };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = stem.split('-').collect();
    match parts.as_slice() {
        [epoch, first] | [epoch, first, _] => {
            let is_epoch = epoch.bytes().all(|byte| byte.is_ascii_digit()) && !epoch.is_empty();
            is_epoch && first.len() == 12 && parts[1..].iter().all(|part| is_number(part))
        }
        _ => false,
    }
}

/// Removes files that the catalogue no longer names; one that is gone already is no fault. Folders that it leaves empty go, too.
pub fn remove(root: &Path, paths: &[String]) -> Result<(), ArchiveError> {
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
