//! TLS of this process: one set of certificates for all of its ports, which are looked at again and again, and the trust in
//! servers that are elsewhere. It opens no port.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ingest::tls::{Tls, TlsPort};

use crate::config::TlsConfig;

/// Who speaks TLS. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct TlsPorts {
    /// `None`: nobody.
    tls: Option<Arc<Tls>>,
    config: Arc<TlsConfig>,
}

impl TlsPorts {
    /// Reads the certificates, and looks at them from now on. Must run inside the runtime.
    pub(crate) fn open(config: &TlsConfig) -> anyhow::Result<Self> {
        let tls = config.files.clone().map(Tls::open).transpose().context("tls.certificate cannot be used")?;
        let tls = tls.map(Arc::new);
        if let Some(tls) = &tls {
            tokio::spawn(Arc::clone(tls).watch());
        }
        Ok(TlsPorts { tls, config: Arc::new(config.clone()) })
    }

    /// For the port that this setting opens; `None`: it speaks none. `http`: what is spoken is HTTP.
    pub(crate) fn of(&self, key: &'static str, http: bool) -> Option<TlsPort> {
        let tls = self.tls.as_ref().filter(|_| self.config.ports.contains(&key))?;
        Some(tls.port(key, self.config.client_ports.contains(&key), http))
    }
}

/// Asks an analyzer in another process, past any proxy.
pub(crate) fn analyzer_client(authorities: Option<&Path>) -> anyhow::Result<reqwest::Client> {
    client("agent.analyzer_ca", authorities, None)
}

/// A client that trusts the public authorities and those in the file that the setting `key` names.
pub(crate) fn client(
    key: &'static str,
    authorities: Option<&Path>,
    timeout: Option<Duration>,
) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    if let Some(timeout) = timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(path) = authorities {
        let unusable = || format!("{key}: {} holds no certificates", path.display());
        let pem = std::fs::read(path).with_context(|| format!("{key}: cannot read {}", path.display()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).with_context(unusable)?;
        anyhow::ensure!(!authorities.is_empty(), unusable());
        builder = builder.tls_certs_merge(authorities);
    }
    builder.build().context("cannot make an HTTP client")
}
