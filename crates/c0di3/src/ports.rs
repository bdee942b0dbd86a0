//! What every service does with its ports: bind, answer with bounds, drain. SIGTERM: not ready first, then no new
//! connections, then an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use anyhow::Context;
use api::ingest::Peer;
use api::{HangUp, Surroundings};
use axum::response::Response;
use axum::{Extension, Router};
use event::Network;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use ingest::proxy;
use ingest::spoken::{Spoken, misdirected};
use ingest::tls::{Stream, TlsPort};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tower_service::Service;

use crate::outcome::Usage;
use crate::tls::TlsPorts;

/// Between "not ready" and the end of accepting, so that load balancers notice.
const DRAIN_NOTICE: Duration = Duration::from_millis(300);
/// Longest that open requests are waited for.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Longest that the store is waited for with what the audit log has not written yet.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Longest that a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are open at once, on each port.
const CONNECTIONS_MAX: usize = 1024;
/// Connections that the kernel keeps until they are taken, as far as its own limit allows: after a restart all shippers come
/// at once, and each one that finds no room tries again a second later.
const WAITING_MAX: u32 = 4096;
/// How often flags are looked at.
pub(crate) const STOP_POLL: Duration = Duration::from_millis(50);

/// The ports of one process, all told to drain at once.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) draining: Arc<AtomicBool>,
    surroundings: Surroundings,
    tls: TlsPorts,
    tasks: Vec<JoinHandle<()>>,
}

impl Ports {
    /// Must run inside the runtime.
    pub(crate) fn new(surroundings: Surroundings, tls: TlsPorts) -> Self {
        tokio::spawn(surroundings.audit.clone().run());
        Ports { draining: Arc::new(AtomicBool::new(false)), surroundings, tls, tasks: Vec::new() }
    }

    /// `key`: the setting that opened it; with TLS where that is set so.
    pub(crate) fn serve(&mut self, listener: TcpListener, key: &'static str, router: Router) {
        self.serve_behind(listener, key, router, Arc::default());
    }

    /// As `serve`, and proxies of these networks say for whom they speak.
    pub(crate) fn serve_behind(
        &mut self,
        listener: TcpListener,
        key: &'static str,
        router: Router,
        proxies: Arc<[Network]>,
    ) {
        let router = api::surrounded(router, self.surroundings.clone());
        let port = HttpPort { key, tls: self.tls.of(key, true), proxies, router };
        self.tasks.push(tokio::spawn(answer(listener, port, Arc::clone(&self.draining))));
    }

    /// Waits for the stop flag, then drains.
    pub(crate) async fn run_until(self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(STOP_POLL).await;
        }
        tracing::info!("stopping: no longer ready, answering what is open");
        self.draining.store(true, Ordering::Relaxed);
        let all = async {
            for task in self.tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a port ended in an unexpected way");
                }
            }
        };
        if tokio::time::timeout(DRAIN_MAX, all).await.is_err() {
            tracing::warn!(seconds = DRAIN_MAX.as_secs(), "requests were still open and have been cut off");
        }
        self.surroundings.audit.flush_last(FLUSH_MAX).await;
    }
}

/// Without tokens nobody outside this machine may reach the service.
pub(crate) fn check_exposure(addresses: &[SocketAddr], tokens: bool) -> Result<(), Usage> {
    match addresses.iter().find(|address| !tokens && !address.ip().is_loopback()) {
        Some(address) => {
            let reason = "is not a loopback address; without tokens the service must not be reachable from outside";
            Err(Usage(format!("{address} {reason}: set auth.tokens = true and make tokens with `c0di3 token create`")))
        }
        None => Ok(()),
    }
}

pub(crate) fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    listen(address).with_context(|| not_bound(address, key))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

pub(crate) fn not_bound(address: SocketAddr, key: &str) -> String {
    let name = format!("C0DI3_{}", key.replace('.', "_").to_uppercase());
    format!("cannot listen on {address}; choose another address with {key} in the configuration or {name}")
}

/// Serves until draining has been on for a moment, then finishes what is open. A client must send its request's head in
/// time, and connections are bounded, so that slow clients cannot hold the service.
async fn answer(listener: TcpListener, port: HttpPort, draining: Arc<AtomicBool>) {
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let (closing, _) = watch::channel(false);
    let mut noticed = pin!(drained(draining));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &open) => accepted,
            () = &mut noticed => break,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let (port, watcher, told) = (port.clone(), graceful.watcher(), closing.subscribe());
        tokio::spawn(async move {
            port.converse(stream, peer, watcher, told).await;
            drop(permit);
        });
    }
    drop(listener);
    closing.send_replace(true);
    graceful.shutdown().await;
}

/// What answers on a port. Cheap to clone.
#[derive(Clone)]
struct HttpPort {
    key: &'static str,
    tls: Option<TlsPort>,
    /// Who says with the PROXY protocol for whom he speaks.
    proxies: Arc<[Network]>,
    router: Router,
}

impl HttpPort {
    /// One connection, from its first byte to its end.
    async fn converse(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher, mut closing: watch::Receiver<bool>) {
        let begun = tokio::select! {
            begun = self.begin(stream, peer) => begun,
            // It has asked nothing yet.
            _ = closing.wait_for(|closing| *closing) => None,
        };
        let Some((stream, client)) = begun else { return };
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // Who has sent a request and closed, as clients do that look at no answer, has sent it all the same.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).half_close(true);
        builder.http2().timer(TokioTimer::new());
        let service = TowerToHyperService::new(OrHangUp(self.router.layer(Extension(Peer(client.ip())))));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "connection ended early");
        }
    }

    /// What the connection begins with: whom a proxy speaks for, TLS where the port speaks it, and anything else where it
    /// does not. The connection, and who asks.
    async fn begin(&self, mut stream: TcpStream, peer: SocketAddr) -> Option<(Stream, SocketAddr)> {
        let client = match proxy::is_trusted(&self.proxies, peer.ip()) {
            true => proxy::client(&mut stream, peer, self.key).await?,
            false => peer,
        };
        if let Some(tls) = &self.tls {
            return tls.accept(stream, client).await.map(|stream| (Stream::Tls(Box::new(stream)), client));
        }
        let mut first = [0; 3];
        match tokio::time::timeout(HEAD_TIMEOUT, stream.peek(&mut first)).await {
            Ok(Ok(came)) if Spoken::of(&first[..came]) == Some(Spoken::Tls) => {
                misdirected(
                    self.key,
                    Spoken::Tls,
                    client,
                    "which is plain HTTP: begin with http:, or name it in tls.ports",
                );
                None
            }
            Ok(Ok(_)) => Some((Stream::Plain(stream), client)),
            _ => None,
        }
    }
}

/// A router whose answers may be that the connection ends without one.
#[derive(Clone)]
struct OrHangUp(Router);

/// The connection is ended on purpose.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the connection is ended instead of an answer")
    }
}

impl std::error::Error for HungUp {}

impl<R> Service<R> for OrHangUp
where
    Router: Service<R, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = HungUp;
    type Future = Pin<Box<dyn Future<Output = Result<Response, HungUp>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), HungUp>> {
        <Router as Service<R>>::poll_ready(&mut self.0, context).map_err(|never| match never {})
    }

    fn call(&mut self, request: R) -> Self::Future {
        let answer = <Router as Service<R>>::call(&mut self.0, request);
        Box::pin(async move {
            let answer = answer.await.map_err(|never| match never {})?;
            match answer.extensions().get::<HangUp>() {
                Some(HangUp) => Err(HungUp),
                None => Ok(answer),
            }
        })
    }
}

/// A connection, as soon as there is room for one. `None` where the system could not give it (too many open files).
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            metrics::counter!("http_server_accept_errors_total").increment(1);
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(STOP_POLL).await;
            None
        }
    }
}

async fn drained(draining: Arc<AtomicBool>) {
    while !draining.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
    tokio::time::sleep(DRAIN_NOTICE).await;
}
