//! The files below an archive's root: finding those that no commit names, and removing files that retention gives up.

use std::fs;
use std::path::Path;

use crate::error::ArchiveError;

/// Removes files of this instance that are not known, finished or not, and says how many. Files of other instances stay:
/// they may be on their way into a commit.
pub(crate) fn remove_orphans(root: &Path, instance: &str, known: &impl Fn(&str) -> bool) -> Result<u64, ArchiveError> {
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
            if is_of(&name, instance) && !below.is_ok_and(|below| known(&below)) {
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
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
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
