//! The configuration and the store of a machine on which the package is installed: what commands for people take where nobody
//! names others, so that a new shell does not work on an empty store of its own. Services name theirs.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::outcome::Usage;

const CONFIG: &str = "etc/core-agent/c0di3.toml";
const STORE_URL: &str = "etc/core-agent/secrets/store_url";

/// What is taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) path: Option<PathBuf>,
    /// Holds the address of the store.
    pub(super) store_file: Option<PathBuf>,
}

/// `named`: the configuration that was asked for; `is_set`: whether a variable of the environment is. One that is there and may not
/// be read is told, not passed over.
pub(super) fn installed(
    root: &Path,
    named: Option<&Path>,
    is_set: impl Fn(&OsStr) -> bool,
) -> Result<Installed, Usage> {
    let config = root.join(CONFIG);
    let as_named = Installed { path: named.map(Path::to_owned), store_file: None };
    let is_other = named.is_some_and(|named| named != config);
    let names_store = ["C0DI3_STORE_URL", "C0DI3_STORE_URL_FILE"].iter().any(|name| is_set(OsStr::new(name)));
    if is_other || names_store || !is_readable(&config, "--config or C0DI3_CONFIG")? {
        return Ok(as_named);
    }
    let store = root.join(STORE_URL);
    let store_file = is_readable(&store, "C0DI3_STORE_URL_FILE")?.then_some(store);
    Ok(Installed { path: Some(config), store_file })
}

/// False: it is not there.
fn is_readable(path: &Path, other: &str) -> Result<bool, Usage> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let path = path.display();
            Err(Usage(format!(
                "cannot read {path}, which this machine is run by: {error}: be root, or name another by {other}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_taken_where_nothing_else_is_named() {
        let root = tempfile::tempdir().unwrap();
        let none = |_: &OsStr| false;
        assert_eq!(installed(root.path(), None, none).unwrap(), Installed::default(), "nothing is installed");
        let (config, store) = (root.path().join(CONFIG), root.path().join(STORE_URL));
        std::fs::create_dir_all(store.parent().unwrap()).unwrap();
        std::fs::write(&config, "").unwrap();
        let without = Installed { path: Some(config.clone()), store_file: None };
        assert_eq!(installed(root.path(), None, none).unwrap(), without);
        std::fs::write(&store, "postgres://u@h/d").unwrap();
        let both = Installed { path: Some(config.clone()), store_file: Some(store) };
        assert_eq!(installed(root.path(), None, none).unwrap(), both);
        assert_eq!(installed(root.path(), Some(&config), none).unwrap(), both);
        let other = Installed { path: Some("c.toml".into()), store_file: None };
        assert_eq!(installed(root.path(), Some(Path::new("c.toml")), none).unwrap(), other);
        let named = installed(root.path(), None, |name| name == "C0DI3_STORE_URL").unwrap();
        assert_eq!(named, Installed::default(), "a store that is named is not mixed with a configuration that is not");
    }

    #[test]
    fn what_may_not_be_read_is_told() {
        let root = tempfile::tempdir().unwrap();
        // A file in place of the folder: no user can look there.
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/core-agent"), "").unwrap();
        let refused = installed(root.path(), None, |_| false).unwrap_err().0;
        assert!(refused.contains("c0di3.toml") && refused.contains("C0DI3_CONFIG"), "{refused}");
    }
}
