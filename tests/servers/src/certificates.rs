//! Certificates for tests, made by `openssl` in a temporary folder: an authority, and what it has signed. Nothing trusts them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An authority of its own.
#[derive(Debug)]
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// Makes its key and its certificate.
    pub fn new() -> Self {
        let authority = Authority { folder: tempfile::tempdir().expect("a temporary folder") };
        let [key, pem] = ["ca.key", "ca.pem"].map(|name| authority.path(name).display().to_string());
        openssl(
            authority.folder.path(),
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=authority for tests",
                "-keyout",
                &key,
                "-out",
                &pem,
            ],
        );
        authority
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its certificate.
    pub fn pem(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Signs a certificate for `localhost` and 127.0.0.1: the files of the certificate and its key, in place of those of before.
    pub fn sign(&self, name: &str) -> (PathBuf, PathBuf) {
        let [key, request, pem, about] =
            ["key", "csr", "pem", "ext"].map(|ending| self.path(&format!("{name}.{ending}")));
        let text = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
        std::fs::write(&about, text).expect("a file");
        let shown = |path: &Path| path.display().to_string();
        openssl(
            self.folder.path(),
            &[
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                &format!("/CN={name}"),
                "-keyout",
                &shown(&key),
                "-out",
                &shown(&request),
            ],
        );
        openssl(
            self.folder.path(),
            &[
                "x509",
                "-req",
                "-in",
                &shown(&request),
                "-CA",
                &shown(&self.pem()),
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "30",
                "-extfile",
                &shown(&about),
                "-out",
                &shown(&pem),
            ],
        );
        (pem, key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    let done = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output();
    let done = done.expect("openssl runs: install the package openssl");
    assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
