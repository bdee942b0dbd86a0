//! TLS for every listener: certificates from files, taken up when they change; handshakes bounded in time and number. A new
//! file that is broken changes nothing. It opens no port, and knows no protocol above it.

mod files;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::{AlertDescription, Error, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use files::{TlsError, TlsFiles};
pub use stream::Stream;

use crate::spoken::{Spoken, misdirected};
use crate::told::tell_rarely;
use files::{Contents, Wants};

/// Longest that a client may take for its handshake, the wait for its turn included.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes that are worked on at once.
const HANDSHAKES_MAX: usize = 256;
/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// First bytes of a connection that are looked at.
const FIRST_BYTES: usize = 16;
/// Bytes of a request without TLS that are read before it is answered.
const REQUEST_BYTES: usize = 4096;
/// For who speaks HTTP without TLS.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n\
    Connection: close\r\n\r\nthis port speaks TLS: begin with https:\n";

/// Certificates in force.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    in_force: RwLock<Arc<Configs>>,
    /// What was read last, whether or not it is in force.
    seen: Mutex<Contents>,
    handshakes: Semaphore,
}

/// One for each way in which ports want it.
#[derive(Debug)]
struct Configs {
    plain: Arc<ServerConfig>,
    plain_http: Arc<ServerConfig>,
    client: Arc<ServerConfig>,
    client_http: Arc<ServerConfig>,
}

impl Configs {
    fn new(contents: &Contents) -> Result<Self, TlsError> {
        let make = |client, http| contents.config(Wants { client, http }).map(Arc::new);
        Ok(Configs {
            plain: make(false, false)?,
            plain_http: make(false, true)?,
            client: make(true, false)?,
            client_http: make(true, true)?,
        })
    }

    fn of(&self, wants: Wants) -> Arc<ServerConfig> {
        let config = match (wants.client, wants.http) {
            (false, false) => &self.plain,
            (false, true) => &self.plain_http,
            (true, false) => &self.client,
            (true, true) => &self.client_http,
        };
        Arc::clone(config)
    }
}

/// What a look at the files has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// They are as they were.
    Same,
    /// New connections get what they hold now.
    Taken,
    /// They cannot be used: what was in force stays so.
    Broken,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// One that names the file that cannot be used.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = files.read()?;
        let in_force = RwLock::new(Arc::new(Configs::new(&contents)?));
        let handshakes = Semaphore::new(HANDSHAKES_MAX);
        Ok(Tls { files, in_force, seen: Mutex::new(contents), handshakes })
    }

    /// Takes up what has changed. Connections that are open keep what they began with.
    pub fn look(&self) -> Looked {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match self.files.read() {
            Ok(contents) if contents == *seen => return Looked::Same,
            Ok(contents) => {
                let made = Configs::new(&contents);
                *seen = contents;
                made
            }
            // Told once, and again when a file that can be read is broken.
            Err(error) if seen.is_missing() => {
                tracing::debug!(%error, "certificates still cannot be read");
                return Looked::Same;
            }
            Err(error) => {
                *seen = Contents::missing();
                Err(error)
            }
        };
        let looked = match made {
            Ok(configs) => {
                *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configs);
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate has been renewed: new connections get it");
                Looked::Taken
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used: the old one stays in force");
                Looked::Broken
            }
        };
        let result = if looked == Looked::Taken { "taken" } else { "broken" };
        metrics::counter!("tls_reloads_total", "result" => result).increment(1);
        looked
    }

    /// Looks at the files for ever, a little apart.
    pub async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let tls = Arc::clone(&self);
            // Files may lie on a disk that stands still.
            if let Err(error) = tokio::task::spawn_blocking(move || tls.look()).await {
                tracing::error!(%error, "the look at the certificates ended in an unexpected way");
            }
        }
    }

    /// For the port that this setting opens. `client`: only clients with a certificate of our authority are let in;
    /// `http`: clients may agree on HTTP/2.
    pub fn port(self: &Arc<Self>, key: &'static str, client: bool, http: bool) -> TlsPort {
        let wants = Wants { client: client && self.files.client_ca.is_some(), http };
        TlsPort { tls: Arc::clone(self), key, wants }
    }
}

/// TLS on one port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TlsPort {
    tls: Arc<Tls>,
    key: &'static str,
    wants: Wants,
}

impl TlsPort {
    /// The connection behind its handshake; `None` where there is none: that is counted and told.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr) -> Option<TlsStream<TcpStream>> {
        let (result, words) = match timeout(HANDSHAKE_TIMEOUT, self.shake(stream)).await {
            Ok(Ok(stream)) => {
                metrics::counter!("tls_handshakes_total", "port" => self.key, "result" => "done").increment(1);
                return Some(stream);
            }
            Ok(Err(NoTls::Plain(spoken))) => {
                misdirected(
                    self.key,
                    spoken,
                    peer,
                    "and this port speaks TLS: set TLS on in the client, or send to the plain port",
                );
                return None;
            }
            Ok(Err(NoTls::Failed(error))) => (reason(&error), error.to_string()),
            Err(_) => ("timeout", "the client has not finished its handshake in time".to_owned()),
        };
        metrics::counter!("tls_handshakes_total", "port" => self.key, "result" => result).increment(1);
        if tell_rarely(self.key, result) {
            tracing::warn!(port = self.key, %peer, result, words, "a TLS handshake failed");
        }
        None
    }

    async fn shake(&self, mut stream: TcpStream) -> Result<TlsStream<TcpStream>, NoTls> {
        let mut first = [0; FIRST_BYTES];
        let came = stream.peek(&mut first).await.map_err(NoTls::Failed)?;
        match Spoken::of(&first[..came]) {
            _ if came == 0 => return Err(NoTls::Failed(io::ErrorKind::UnexpectedEof.into())),
            Some(Spoken::Tls) => {}
            spoken => {
                if self.wants.http {
                    // What stays unread would make the end a reset, and the answer be lost.
                    let mut unread = [0; REQUEST_BYTES];
                    let _gone = stream.try_read(&mut unread).is_err() || stream.write_all(PLAIN_HTTP).await.is_err();
                }
                return Err(NoTls::Plain(spoken.unwrap_or(Spoken::Plain)));
            }
        }
        let config = self.tls.in_force.read().unwrap_or_else(PoisonError::into_inner).of(self.wants);
        let _turn = self.tls.handshakes.acquire().await;
        TlsAcceptor::from(config).accept(stream).await.map_err(NoTls::Failed)
    }
}

/// Why there is no TLS.
enum NoTls {
    /// The client does not speak it.
    Plain(Spoken),
    Failed(io::Error),
}

/// A handshake's failure, as a word.
fn reason(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else { return "gone" };
    match error {
        Error::NoCertificatesPresented => "no_client_certificate",
        Error::InvalidCertificate(_) => "wrong_client_certificate",
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => "refused_ours",
        Error::AlertReceived(_) => "alert",
        Error::PeerIncompatible(_) => "incompatible",
        _ => "broken",
    }
}

#[cfg(test)]
mod tests;
