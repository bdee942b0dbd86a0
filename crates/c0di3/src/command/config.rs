//! `c0di3 config check|show`. By the time these run the configuration has been read and found sound.

use std::io::Write;

use crate::config::{Config, DEFAULT_TEXT};
use crate::outcome::{Outcome, tell};

pub(crate) fn check(config: &Config) -> anyhow::Result<Outcome> {
    tell(&format!("the configuration is sound; findings are kept in {}", without_secret(&config.store_url)));
    Ok(Outcome::Done)
}

/// Prints the settings in force as a file that could be used as it is, and where the manual is.
pub(crate) fn show(config: &Config) -> anyhow::Result<Outcome> {
    let mut text = toml::to_string(&config.file)?;
    text = text.replace(&config.store_url, &without_secret(&config.store_url));
    let mut out = std::io::stdout().lock();
    writeln!(out, "# in force; the manual follows as comments\n\n{text}")?;
    for line in DEFAULT_TEXT.lines().filter(|line| !line.is_empty()) {
        writeln!(out, "#   {line}")?;
    }
    Ok(Outcome::Done)
}

/// `scheme://user:secret@host` with the secret as `***`.
fn without_secret(url: &str) -> String {
    let hidden = url.split_once("://").and_then(|(scheme, rest)| {
        let (account, host) = rest.rsplit_once('@')?;
        let (user, _) = account.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    });
    hidden.unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        assert_eq!(without_secret("postgres://u:p@ss@h/db"), "postgres://u:***@h/db");
        assert_eq!(without_secret("sqlite:data/x.db"), "sqlite:data/x.db");
    }
}
