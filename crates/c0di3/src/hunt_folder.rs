//! The temporary folder for answers of hunts: it goes with the process. What a killed process has left is removed by the next one; whose
//! process still runs holds a lock in its folder. Nothing here knows what the answers are.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::clock;

/// What the names of such folders begin with.
const PREFIX: &str = "c0di3-hunts-";

/// The file whose lock says that the process runs.
const LOCK: &str = "lock";

/// A folder without a lock is that of a process that has not come so far yet, or of an older version: it is left over once it is
/// so old.
const AGE_WITHOUT_LOCK: Duration = Duration::from_secs(24 * 3600);

/// The folder of this process.
#[derive(Debug)]
pub(crate) struct HuntFolder {
    folder: TempDir,
    /// Locked until the process ends, whichever way.
    _lock: File,
}

impl HuntFolder {
    /// Makes the folder below the machine's folder for temporary files; what killed processes have left there is removed and told.
    pub(crate) fn make() -> io::Result<HuntFolder> {
        let (folder, removed) = HuntFolder::below(&std::env::temp_dir())?;
        if removed > 0 {
            metrics::counter!("hunt_folders_left_total").increment(removed);
            tracing::info!(removed, "answers of hunts that killed processes have left were removed");
        }
        Ok(folder)
    }

    fn below(above: &Path) -> io::Result<(HuntFolder, u64)> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(above)?;
        // The lock gets its name when it is held: a file of that name that is not locked is left over.
        let unlocked = folder.path().join("unlocked");
        let lock = File::create_new(&unlocked)?;
        lock.lock()?;
        fs::rename(&unlocked, folder.path().join(LOCK))?;
        let removed = remove_left_over(above, folder.path())?;
        Ok((HuntFolder { folder, _lock: lock }, removed))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders of processes of this user that no longer run, and says how many.
fn remove_left_over(above: &Path, own: &Path) -> io::Result<u64> {
    let user = fs::metadata(own)?.uid();
    let mut removed = 0;
    for entry in fs::read_dir(above)?.flatten() {
        let path = entry.path();
        let is_named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let about = fs::symlink_metadata(&path);
        let is_ours = about.is_ok_and(|about| about.is_dir() && about.uid() == user);
        if !is_named || !is_ours || path == own || !is_left_over(&path) {
            continue;
        }
        match fs::remove_dir_all(&path) {
            Ok(()) => removed += 1,
            // Another process that starts may have been faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, path = %path.display(), "a left folder of hunts cannot be removed"),
        }
    }
    Ok(removed)
}

fn is_left_over(folder: &PathBuf) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => {
            let written = fs::metadata(folder).and_then(|about| about.modified());
            let age = written.ok().and_then(clock::age);
            age.is_some_and(|age| age > AGE_WITHOUT_LOCK)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_killed_processes_go_and_those_of_running_ones_stay() {
        let above = tempfile::tempdir().unwrap();
        let left = above.path().join("c0di3-hunts-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("1.arrows"), "rows").unwrap();
        let begun = above.path().join("c0di3-hunts-begun");
        let other = above.path().join("others-left");
        for folder in [&begun, &other] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(other.join(LOCK), "").unwrap();
        let (first, removed) = HuntFolder::below(above.path()).unwrap();
        assert_eq!((removed, left.exists()), (1, false));
        let (second, removed) = HuntFolder::below(above.path()).unwrap();
        assert_eq!((removed, first.path().exists(), begun.exists(), other.exists()), (0, true, true, true));
        drop(second);
        let written = fs::metadata(&begun).unwrap().modified().unwrap();
        File::open(&begun).unwrap().set_modified(written - 2 * AGE_WITHOUT_LOCK).unwrap();
        let (_third, removed) = HuntFolder::below(above.path()).unwrap();
        assert_eq!((removed, begun.exists()), (1, false));
    }
}
