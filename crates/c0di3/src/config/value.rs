//! Single settings that the command line names as well: what they may be.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::outcome::Usage;

/// Whether the text names a store that this version has.
pub(crate) fn check_store_url(url: &str) -> Result<(), Usage> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    let server = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if path.is_some() || server {
        return Ok(());
    }
    let reason = "is no store that this version knows: use sqlite:PATH or postgres://USER@HOST/DATABASE";
    Err(Usage(format!("`{}` {reason}", store::without_password(url))))
}

/// An address as written; `localhost` is the loopback address.
pub(crate) fn address(text: &str) -> Option<SocketAddr> {
    text.replace("localhost", "127.0.0.1").parse().ok()
}

/// The path, where there is any.
pub(super) fn filled_path(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

/// The text, where there is any.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
