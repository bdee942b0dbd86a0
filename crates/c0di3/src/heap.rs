//! Heap profiles of a running service: what holds its memory, by the place in the program that asked for it. The allocator
//! takes a sample of what it gives from the start on; a profile is a gzipped pprof file, which public tools read.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use event::Timestamp;
use jemalloc_pprof::{JemallocProfCtl, PROF_CTL};

use crate::clock;

/// How names of profiles begin and end; what is between sorts by time.
const PREFIX: &str = "heap-";
const SUFFIX: &str = ".pb.gz";
/// A profile that is being written; whoever finds one left over by a crash may delete it.
const UNFINISHED: &str = "unfinished";

/// Where profiles go, and how many are kept there.
#[derive(Clone, Debug)]
pub(crate) struct Profiles {
    /// The first of them that can be written to is taken.
    folders: Vec<PathBuf>,
    /// No profile is written, and no sample taken, where this is 0.
    kept: usize,
}

/// A profile that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) bytes: usize,
    pub(crate) took_us: i64,
    /// Older ones that went for it.
    pub(crate) deleted: usize,
}

impl Profiles {
    /// Profiles go into the log folder, or where there is none into the working folder, or the one for temporary files.
    pub(crate) fn new(log_folder: Option<&Path>, kept: usize) -> Self {
        let folders = match log_folder {
            Some(folder) => vec![folder.to_owned()],
            None => vec![PathBuf::from("."), std::env::temp_dir()],
        };
        Profiles { folders, kept }
    }

    /// Begins to take samples. What was allocated before is in no profile.
    pub(crate) async fn start(&self) {
        if self.kept == 0 {
            return;
        }
        match PROF_CTL.as_ref() {
            Some(control) => {
                if let Err(error) = control.lock().await.activate() {
                    tracing::warn!(%error, "the allocator takes no samples: heap profiles will be empty");
                }
            }
            None => tracing::warn!("this build's allocator is not prepared for heap profiles"),
        }
    }

    /// Writes a profile. Blocks for as long as that takes; other threads go on.
    pub(crate) fn write(&self) -> anyhow::Result<Written> {
        anyhow::ensure!(self.kept > 0, "log.heap_profiles is 0: no heap profiles are written");
        let control = PROF_CTL.as_ref().ok_or_else(|| anyhow!("this build's allocator cannot write heap profiles"))?;
        let begun = clock::now();
        let mut failed = None;
        for folder in &self.folders {
            match self.write_into(folder, &mut control.blocking_lock(), begun) {
                Ok(written) => return Ok(Written { took_us: clock::now().0 - begun.0, ..written }),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| anyhow!("there is no folder for heap profiles")))
    }

    fn write_into(&self, folder: &Path, control: &mut JemallocProfCtl, now: Timestamp) -> anyhow::Result<Written> {
        let cannot = || format!("cannot write a heap profile into {}", folder.display());
        let folder = folder.canonicalize().with_context(cannot)?;
        let name: String = now.to_string().chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
        let path = folder.join(format!("{PREFIX}{name}-{}{SUFFIX}", std::process::id()));
        let unfinished = path.with_added_extension(UNFINISHED);
        // Before the profile is made: a folder that cannot be written to costs nothing more.
        let mut file = std::fs::File::create(&unfinished).with_context(cannot)?;
        let made = profile_in(&folder, control).and_then(|profile| {
            file.write_all(&profile).and_then(|()| file.sync_all()).with_context(cannot)?;
            std::fs::rename(&unfinished, &path).with_context(cannot)?;
            Ok(profile.len())
        });
        match made {
            Ok(bytes) => Ok(Written { bytes, took_us: 0, deleted: prune(&folder, self.kept), path }),
            Err(error) => {
                // What is left over is empty or in parts.
                drop(std::fs::remove_file(&unfinished));
                Err(error)
            }
        }
    }
}

/// The allocator writes its own form of the profile first, into a file without a name in the same folder.
fn profile_in(folder: &Path, control: &mut JemallocProfCtl) -> anyhow::Result<Vec<u8>> {
    // The first folder stays; it is one that can be written to.
    drop(tempfile::env::override_temp_dir(folder));
    anyhow::ensure!(control.activated(), "the allocator takes no samples");
    control.dump_pprof().context("the allocator cannot write its profile")
}

/// Deletes the oldest profiles beyond `kept`; how many those were.
fn prune(folder: &Path, kept: usize) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let is_profile = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_profile(name))
        .collect();
    names.sort_unstable();
    let spare = names.len().saturating_sub(kept);
    names.iter().take(spare).filter(|name| std::fs::remove_file(folder.join(name)).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_profiles_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["heap-1-9.pb.gz", "heap-3-1.pb.gz", "heap-2-5.pb.gz", "core-agent.log", "heap-0.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(prune(folder.path(), 2), 1);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["core-agent.log", "heap-0.txt", "heap-2-5.pb.gz", "heap-3-1.pb.gz"]);
    }
}
