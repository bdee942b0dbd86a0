//! One file for each command, and what several of them need.

pub(crate) mod agent;
pub(crate) mod analyzer;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod detect;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod forget;
pub(crate) mod formats;
pub(crate) mod hunt;
pub(crate) mod input;
pub(crate) mod live;
pub(crate) mod manual;
pub(crate) mod parse;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod service;
pub(crate) mod tasks;
pub(crate) mod token;

use crate::outcome::tell;

/// Rustls with ring: one provider for every connection of the process.
pub(crate) fn install_tls() {
    // Another caller in this process may have been first.
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
}

/// Whether the store is a server.
pub(crate) fn is_server(url: &str) -> bool {
    !url.starts_with("sqlite:")
}

/// Says on which store a command works: with a configuration that was forgotten it is another than people think.
pub(crate) fn name_store(url: &str) {
    tell(&format!("store: {}", store::without_password(url)));
}

/// A store that is not there would be made and found in order: after a restore to another place, or where nobody named the
/// configuration, that reads as success.
pub(crate) fn check_is_there(url: &str) -> anyhow::Result<()> {
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    if let Some(path) = path.filter(|path| !std::path::Path::new(path).exists()) {
        anyhow::bail!(
            "there is no store at {path}: name the right one as store.url (C0DI3_CONFIG, C0DI3_STORE_URL_FILE), or make one with \
             `c0di3 db migrate`"
        );
    }
    Ok(())
}
