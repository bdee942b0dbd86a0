//! The files of TLS: chain, key and client authority in PEM, and what rustls makes of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;

/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Protocols that HTTP clients may choose from, the best first.
const HTTP_PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where certificates stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of clients' certificates.
    pub client_ca: Option<PathBuf>,
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("{} holds no {what} in PEM", path.display())]
    Holds {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The key is another certificate's.
    #[error("certificate and key are not a pair: {} is not the key of {}", key.display(), certificate.display())]
    NotAPair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// They are not sound.
    #[error("{} and its key cannot be used: {source}", path.display())]
    Use {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authority is not sound.
    #[error("{} cannot be used as authority of clients: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What a port wants of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) client: bool,
    pub(super) http: bool,
}

/// What the files hold. Its `Debug` form shows no key.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    files: Option<TlsFiles>,
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Contents {{ files: {:?} }}", self.files)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let bytes = std::fs::metadata(path).and_then(|about| match about.len() {
        0..=FILE_BYTES_MAX => std::fs::read(path),
        _ => Err(std::io::Error::other("it is too long for certificates")),
    });
    bytes.map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let holds = || TlsError::Holds { path: path.to_owned(), what: "certificates" };
    let read: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| holds())?;
    if read.is_empty() { Err(holds()) } else { Ok(read) }
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<Contents, TlsError> {
        let client_ca = self.client_ca.as_deref().map(read).transpose()?.unwrap_or_default();
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        Ok(Contents { files: Some(self.clone()), certificate, key, client_ca })
    }

    fn roots(&self, pem: &[u8]) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.client_ca else { return Ok(roots) };
        for certificate in certificates(path, pem)? {
            let added = roots.add(certificate);
            added.map_err(|error| TlsError::Authority { path: path.clone(), reason: error.to_string() })?;
        }
        Ok(roots)
    }
}

impl Contents {
    /// Of files that could not be read.
    pub(super) fn missing() -> Self {
        Contents { files: None, certificate: Vec::new(), key: Vec::new(), client_ca: Vec::new() }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.files.is_none()
    }

    pub(super) fn config(&self, wants: Wants) -> Result<ServerConfig, TlsError> {
        let files =
            self.files.as_ref().ok_or_else(|| TlsError::Holds { path: PathBuf::new(), what: "certificates" })?;
        let path = &files.certificate;
        let unusable = |source| TlsError::Use { path: path.clone(), source };
        let chain = certificates(path, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| TlsError::Holds { path: files.key.clone(), what: "private key" })?;
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = match &files.client_ca {
            Some(authority) if wants.client => {
                let roots = Arc::new(files.roots(&self.client_ca)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                let reason = |error: rustls::server::VerifierBuilderError| error.to_string();
                let verifier =
                    verifier.map_err(|error| TlsError::Authority { path: authority.clone(), reason: reason(error) })?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch) => {
                TlsError::NotAPair { certificate: path.clone(), key: files.key.clone() }
            }
            other => unusable(other),
        })?;
        if wants.http {
            config.alpn_protocols = HTTP_PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        }
        Ok(config)
    }
}
