//! The place where the files of an archive lie: a folder, or a bucket of an S3-compatible store. A file appears whole or not at all;
//! which files exist for readers is the catalogue's to say, not the place's.

mod bridge;
mod bucket;
mod counted;
mod folder;
mod found;
mod opened;
mod settings;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use tokio::runtime::Handle;

use self::bucket::Bucket;
use crate::error::ArchiveError;

pub(crate) use found::FoundFile;
pub(crate) use opened::Opened;
pub use settings::PlaceSettings;

/// Where the files of an archive lie.
#[derive(Clone, Debug)]
pub enum ArchivePlace {
    /// A folder of this machine, or one that it shares.
    Folder(PathBuf),
    /// A bucket of an S3-compatible store.
    Bucket(Arc<Bucket>),
}

impl From<&Path> for ArchivePlace {
    fn from(folder: &Path) -> ArchivePlace {
        ArchivePlace::Folder(folder.to_owned())
    }
}

impl From<&PathBuf> for ArchivePlace {
    fn from(folder: &PathBuf) -> ArchivePlace {
        ArchivePlace::Folder(folder.clone())
    }
}

impl From<&ArchivePlace> for ArchivePlace {
    fn from(place: &ArchivePlace) -> ArchivePlace {
        place.clone()
    }
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchivePlace::Folder(folder) => folder.display().fmt(out),
            ArchivePlace::Bucket(bucket) => bucket.address().fmt(out),
        }
    }
}

impl ArchivePlace {
    /// The place that the settings name. Nothing is asked of a store yet; requests to it run on this runtime, and whoever calls
    /// waits for them, so that no thread of it may call what blocks.
    pub fn of(settings: &PlaceSettings, runtime: Handle) -> Result<ArchivePlace, ArchiveError> {
        if settings.is_bucket() {
            return Ok(ArchivePlace::Bucket(Arc::new(Bucket::open(settings, runtime)?)));
        }
        Ok(ArchivePlace::Folder(PathBuf::from(&settings.folder)))
    }

    /// Whether the folder is there; of a bucket only requests tell.
    pub fn is_there(&self) -> bool {
        match self {
            ArchivePlace::Folder(folder) => folder.is_dir(),
            ArchivePlace::Bucket(_) => true,
        }
    }

    /// Makes the folder; a bucket is the operator's to make.
    pub(crate) fn make(&self) -> Result<(), ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::make(folder),
            ArchivePlace::Bucket(_) => Ok(()),
        }
    }

    /// Puts a file below the root in one step: a reader sees the whole of it or none, and after a loss of power it is there.
    pub(crate) fn put(&self, below: &str, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::put(folder, below, &bytes),
            ArchivePlace::Bucket(bucket) => bucket.put(below, bytes),
        }
    }

    /// Puts a file that must not be there yet: false where it is.
    pub(crate) fn put_first(&self, below: &str, bytes: &[u8]) -> Result<bool, ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::put(folder, below, bytes).map(|()| true),
            ArchivePlace::Bucket(bucket) => bucket.put_first(below, bytes),
        }
    }

    /// What a file holds; `None` where there is none.
    pub(crate) fn get(&self, below: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::get(folder, below),
            ArchivePlace::Bucket(bucket) => bucket.get(below).map(|bytes| bytes.map(|bytes| bytes.to_vec())),
        }
    }

    /// All files, finished or not.
    pub(crate) fn list(&self) -> Result<Vec<FoundFile>, ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::list(folder),
            ArchivePlace::Bucket(bucket) => bucket.list(),
        }
    }

    /// Removes files that the catalogue no longer names; one that is gone already is no fault.
    pub fn remove(&self, paths: &[String]) -> Result<(), ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::remove(folder, paths),
            ArchivePlace::Bucket(bucket) => bucket.remove(paths),
        }
    }

    /// A file for whoever reads it from its first row to its last.
    pub(crate) fn open(&self, below: &str) -> Result<Opened, ArchiveError> {
        match self {
            ArchivePlace::Folder(folder) => folder::open(folder, below).map(Opened::local),
            ArchivePlace::Bucket(bucket) => match bucket.get(below)? {
                Some(bytes) => Ok(Opened::Fetched(bytes)),
                None => Err(ArchiveError::Missing(format!("{self}/{below}"))),
            },
        }
    }

    /// Where questions find the files: the store that reads them, and what stands before the path of each.
    pub(crate) fn reached(&self, context: &SessionContext) -> Result<Reached, String> {
        match self {
            ArchivePlace::Folder(folder) => {
                let before = folder.canonicalize().unwrap_or_else(|_| folder.clone()).to_string_lossy().into_owned();
                Ok(Reached { url: ObjectStoreUrl::local_filesystem(), before })
            }
            ArchivePlace::Bucket(bucket) => {
                let url = ObjectStoreUrl::parse(bucket.root()).map_err(|error| error.strip_backtrace())?;
                context.register_object_store(url.as_ref(), bucket.bridge());
                Ok(Reached { url, before: bucket.prefix().to_owned() })
            }
        }
    }
}

/// How questions reach the files of a place.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) url: ObjectStoreUrl,
    before: String,
}

impl Reached {
    /// The path of a file as the store of the url knows it.
    pub(crate) fn path(&self, below: &str) -> String {
        if self.before.is_empty() { below.to_owned() } else { format!("{}/{below}", self.before) }
    }
}
