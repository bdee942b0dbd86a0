//! Configuration: as written (file and environment), then as meant. All problems are reported at once.

use std::path::Path;

use anyhow::Context;

use crate::outcome::{Usage, tell};

mod analyzer;
mod check;
mod file;
mod installed;
mod kafka;
mod meant;
mod place;
mod problems;
mod tls;
mod traces;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use file::DEFAULT_TEXT;
pub(crate) use meant::{AnalyzerConfig, ArchiveConfig, Config, DiskLimits, LogConfig, ShippersConfig, TlsConfig};
pub(crate) use traces::TracesConfig;
pub(crate) use value::{address, check_store_url};

/// For commands of people: where nothing else is named, the configuration and the store of this machine's package, and says so.
/// `must`: one that may not be read is an error, not passed over.
pub(crate) fn load_for_people(path: Option<&Path>, must: bool) -> anyhow::Result<Config> {
    let taken = match installed::installed(Path::new("/"), path, |name| std::env::var_os(name).is_some()) {
        Ok(taken) => taken,
        Err(_) if !must => return load(path),
        Err(refused) => return Err(refused.into()),
    };
    if let Some(taken) = taken.path.as_ref().filter(|_| path.is_none()) {
        tell(&format!("configuration: {}", taken.display()));
    }
    load_with(taken.path.as_deref(), taken.store_file.as_deref())
}

/// Reads defaults, then the file, then the environment, and checks the result.
pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Config> {
    load_with(path, None)
}

/// `store_file`: holds the address of the store, which the environment does not name.
fn load_with(path: Option<&Path>, store_file: Option<&Path>) -> anyhow::Result<Config> {
    let written = match path {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())),
        None => Ok(String::new()),
    };
    let name = path.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
    let text = written.map_err(|error| Usage(format!("{error:#}")))?;
    let store = store_file.map(|file| ("C0DI3_STORE_URL_FILE".to_owned(), file.display().to_string()));
    let file =
        file::merge(&text, file::environment().chain(store)).map_err(|reason| Usage(format!("{name}: {reason}")))?;
    let checked = check::check(file).map(|config| Config { path: path.map(Path::to_owned), ..config });
    checked.map_err(|problems| {
        let placed: Vec<String> = problems.iter().map(|problem| place::placed(&name, &text, problem)).collect();
        Usage(placed.join("\n       ")).into()
    })
}
