//! `c0di3 config check|show`. By the time these run the configuration has been read and found sound.

use std::io::Write;

use ingest::tls::{Tls, TlsError};
use store::without_password;

use crate::cli::ShapeArguments;
use crate::command::input;
use crate::config::{Config, DEFAULT_TEXT};
use crate::outcome::{Outcome, Usage, tell};
use crate::ports::check_exposure;
use crate::saved_hunts::SavedHunts;
use crate::screen::{Paint, Screen};

pub(crate) fn check(config: &Config) -> anyhow::Result<Outcome> {
    check_start(config)?;
    let shapes = input::shapes(config, &ShapeArguments::default())?;
    for note in config.input.formats.notes() {
        tell(&format!("note: input.formats: {note}"));
    }
    for problem in SavedHunts::read(&config.store.archive.hunts).problems {
        tell(&format!("note: archive.hunts: {problem}"));
    }
    for note in shapes.notes() {
        tell(&format!("note: {note}"));
    }
    tell(&format!("the configuration is sound; findings are kept in {}", without_password(&config.store.url)));
    Ok(Outcome::Done)
}

/// What a start refuses beside single settings. Files that this user may not read are the service's own to judge.
fn check_start(config: &Config) -> anyhow::Result<()> {
    let http = &config.analyzer.http;
    let addresses: Vec<_> = [config.agent.listen, http.listen].into_iter().chain(http.listen_more.clone()).collect();
    check_exposure(&addresses, config.access.tokens)?;
    match config.access.tls.files.clone().map(Tls::open) {
        Some(Err(error @ TlsError::Read { .. })) => {
            tell(&format!("note: tls.certificate: {error}: a service that may not read it does not start"));
        }
        Some(Err(error)) => return Err(Usage(format!("tls.certificate: {error}")).into()),
        Some(Ok(_)) | None => {}
    }
    Ok(())
}

/// Prints the settings in force as a file that could be used as it is, and where the manual is.
pub(crate) fn show(config: &Config) -> anyhow::Result<Outcome> {
    let text = toml::to_string(&without_secrets(toml::Value::try_from(&config.file)?))?;
    let mut out = Screen::open();
    writeln!(out, "# in force; the manual follows as comments\n\n{text}")?;
    for line in DEFAULT_TEXT.lines().filter(|line| !line.is_empty()) {
        let line = out.paint(Paint::Dim, &format!("#   {line}"));
        writeln!(out, "{line}")?;
    }
    Ok(Outcome::Done)
}

/// Names of settings that are secrets whole.
const SECRETS: [&str; 8] = [
    "password",
    "secret",
    "api_key",
    "authorization",
    "forward_shared_key",
    "secret_access_key",
    "session_token",
    "hash_key",
];

/// The settings with every secret as `***`, wherever it stands.
fn without_secrets(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => {
            let hide = |(name, value): (String, toml::Value)| match value {
                toml::Value::String(text) if SECRETS.contains(&name.as_str()) && !text.is_empty() => {
                    (name, toml::Value::String("***".to_owned()))
                }
                value => (name, without_secrets(value)),
            };
            toml::Value::Table(table.into_iter().map(hide).collect())
        }
        toml::Value::Array(list) => toml::Value::Array(list.into_iter().map(without_secrets).collect()),
        toml::Value::String(text) => toml::Value::String(without_password(&text)),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        assert_eq!(without_password("postgres://u:p@ss@h/db"), "postgres://u:***@h/db");
        assert_eq!(without_password("sqlite:data/x.db"), "sqlite:data/x.db");
        let written = "[cache]\nurl = \"redis://u:hidden1@h/\"\n[shippers]\nforward_shared_key = \"hidden4\"\n[llm]\napi_key = \"hidden2\"\nmodel = \"m\"\n\
                       [webhooks]\nendpoints = [{name = \"a\", secret = \"hidden3\"}]\n";
        let shown = toml::to_string(&without_secrets(written.parse::<toml::Table>().unwrap().into())).unwrap();
        assert!(!shown.contains("hidden") && shown.contains("model = \"m\""), "{shown}");
    }
}
