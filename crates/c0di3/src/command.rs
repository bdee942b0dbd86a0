//! One file for each command, and what several of them need.

pub(crate) mod agent;
pub(crate) mod analyzer;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod detect;
pub(crate) mod doctor;
pub(crate) mod erase;
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

/// Rustls with ring: one provider for every connection of the process.
pub(crate) fn install_tls() {
    // Another caller in this process may have been first.
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
}

/// Whether the store is a server.
pub(crate) fn is_server(url: &str) -> bool {
    !url.starts_with("sqlite:")
}
