//! Configuration: as written (file and environment), then as meant. All problems are reported at once.

use std::path::Path;

use anyhow::Context;

use crate::outcome::Usage;

mod analyzer;
mod check;
mod file;
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

/// Reads defaults, then the file, then the environment, and checks the result.
pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Config> {
    let written = match path {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())),
        None => Ok(String::new()),
    };
    let name = path.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
    let text = written.map_err(|error| Usage(format!("{error:#}")))?;
    let file = file::merge(&text, file::environment()).map_err(|reason| Usage(format!("{name}: {reason}")))?;
    let checked = check::check(file).map(|config| Config { path: path.map(Path::to_owned), ..config });
    checked.map_err(|problems| {
        let placed: Vec<String> = problems.iter().map(|problem| place::placed(&name, &text, problem)).collect();
        Usage(placed.join("\n       ")).into()
    })
}
