//! `c0di3 serve`: the API on one port, health on another, over the embedded stores. SIGTERM drains: not ready first,
//! then no new connections, then an orderly end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use api::ApiState;
use api::health::{CheckResult, HealthCheck, HealthStatus};
use async_trait::async_trait;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use store::{Findings, Hot, Mark, MemoryHot, SqliteStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cli::ServeArguments;
use crate::config::{self, Config};
use crate::outcome::{Outcome, Usage};
use crate::{signals, telemetry};

/// How often the hot aggregates catch up with the store.
const CATCH_UP_INTERVAL: Duration = Duration::from_millis(500);
/// Findings that are caught up with at once.
const CATCH_UP_LIMIT: u32 = 5_000;
/// Between "not ready" and the end of accepting, so that load balancers notice.
const DRAIN_NOTICE: Duration = Duration::from_millis(300);
/// Longest that open requests are waited for.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Longest that a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that are open at once, on each port.
const CONNECTIONS_MAX: usize = 1024;
/// How often the stop flag is looked at.
const STOP_POLL: Duration = Duration::from_millis(50);

pub(crate) fn run(config: Config, arguments: ServeArguments) -> anyhow::Result<Outcome> {
    let listen = match &arguments.listen {
        None => config.listen,
        Some(text) => config::address(text)
            .ok_or_else(|| Usage(format!("--listen: `{text}` is not an address such as 127.0.0.1:3000")))?,
    };
    for address in [listen, config.health_listen] {
        if !address.ip().is_loopback() {
            let reason = "is not a loopback address; without tokens the API must not be reachable from outside";
            return Err(Usage(format!("{address} {reason}: put a proxy with authentication in front")).into());
        }
    }
    let store_url = arguments.store.unwrap_or_else(|| config.store_url.clone());
    config::check_store_url(&store_url).map_err(|reason| Usage(format!("--store: {reason}")))?;
    telemetry::start_logs(&config.log)?;
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(serve(&store_url, listen, config.health_listen))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(Outcome::Done)
}

async fn serve(store_url: &str, listen: SocketAddr, health_listen: SocketAddr) -> anyhow::Result<()> {
    let metrics = telemetry::start_metrics()?;
    let api_listener = bind(listen, "api.listen").await?;
    let health_listener = bind(health_listen, "api.health_listen").await?;
    let store = SqliteStore::open(store_url).await?;
    let stop = signals::stop_flag()?;
    let findings: Arc<dyn Findings> = Arc::new(store.clone());
    let hot: Arc<dyn Hot> = Arc::new(MemoryHot::default());
    let draining = Arc::new(AtomicBool::new(false));
    let checks: Vec<Box<dyn HealthCheck>> = vec![
        Box::new(StoreCheck { findings: Arc::clone(&findings) }),
        Box::new(DiskCheck { folder: store_folder(store_url) }),
    ];
    let state = ApiState {
        findings: Arc::clone(&findings),
        hot: Arc::clone(&hot),
        checks: checks.into(),
        metrics,
        draining: Arc::clone(&draining),
    };
    tokio::spawn(catch_up(findings, hot));
    tracing::info!(api = %listen, health = %health_listen, store = store_url, "listening");
    let api = tokio::spawn(answer(api_listener, api::router(state.clone()), Arc::clone(&draining)));
    let health = tokio::spawn(answer(health_listener, api::health_router(state), Arc::clone(&draining)));
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
    tracing::info!("stopping: no longer ready, answering what is open");
    draining.store(true, Ordering::Relaxed);
    let ended = tokio::time::timeout(DRAIN_MAX, async { (api.await, health.await) }).await;
    if ended.is_err() {
        tracing::warn!(seconds = DRAIN_MAX.as_secs(), "requests were still open and have been cut off");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        let name = format!("C0DI3_{}", key.replace('.', "_").to_uppercase());
        format!("cannot listen on {address}; choose another address with {key} in the configuration or {name}")
    })
}

/// Serves until draining has been on for a moment, then finishes what is open. A client must send its request's head in
/// time, and connections are bounded, so that slow clients cannot hold the service.
async fn answer(listener: TcpListener, router: Router, draining: Arc<AtomicBool>) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut noticed = pin!(drained(draining));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &open) => accepted,
            () = &mut noticed => break,
        };
        let Some((stream, permit)) = accepted else { continue };
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// A connection, as soon as there is room for one. `None` where the system could not give it (too many open files).
async fn accept(listener: &TcpListener, open: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
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

/// Keeps the hot aggregates up with the store, whoever writes to it.
async fn catch_up(findings: Arc<dyn Findings>, hot: Arc<dyn Hot>) {
    let mut mark = Mark::START;
    let mut failing = false;
    loop {
        match findings.changed_after(mark, CATCH_UP_LIMIT).await {
            Ok(changed) => {
                failing = false;
                metrics::counter!("findings_followed_total").increment(changed.len() as u64);
                hot.record(&changed);
                mark = changed.last().map_or(mark, Mark::from);
                if changed.len() == CATCH_UP_LIMIT as usize {
                    continue;
                }
            }
            Err(error) => {
                if !failing {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot follow the store");
                }
                failing = true;
                metrics::counter!("store_errors_total").increment(1);
            }
        }
        tokio::time::sleep(CATCH_UP_INTERVAL).await;
    }
}

fn store_folder(url: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(url.strip_prefix("sqlite:").unwrap_or("."));
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new(".")).to_owned()
}

/// After every change there will be: asking costs an index look-up.
const NEVER: Mark = Mark { revision: u64::MAX, id: event::FindingId(u128::MAX) };

struct StoreCheck {
    findings: Arc<dyn Findings>,
}

#[async_trait]
impl HealthCheck for StoreCheck {
    fn name(&self) -> &'static str {
        "store"
    }

    fn is_required(&self) -> bool {
        true
    }

    async fn check(&self) -> CheckResult {
        let started = Instant::now();
        let asked = self.findings.changed_after(NEVER, 1).await;
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        match asked {
            Ok(_) => CheckResult::observed(HealthStatus::Pass, milliseconds, "ms"),
            Err(error) => CheckResult::observed(HealthStatus::Fail, milliseconds, "ms").saying(error.to_string()),
        }
    }
}

/// Share of the store's file system that is used; thresholds of the runbook.
struct DiskCheck {
    folder: std::path::PathBuf,
}

#[async_trait]
impl HealthCheck for DiskCheck {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn check(&self) -> CheckResult {
        let Ok(stat) = rustix::fs::statvfs(&self.folder) else {
            return CheckResult { status: HealthStatus::Warn, observed_value: None, observed_unit: None, output: None }
                .saying(format!("cannot look at {}", self.folder.display()));
        };
        let used = 100.0 - 100.0 * stat.f_bavail as f64 / (stat.f_blocks.max(1)) as f64;
        let used = (used * 10.0).round() / 10.0;
        match used {
            used if used > 90.0 => {
                CheckResult::observed(HealthStatus::Fail, used, "percent").saying("clean up or expand now")
            }
            used if used > 80.0 => {
                CheckResult::observed(HealthStatus::Warn, used, "percent").saying("clean up or expand")
            }
            used => CheckResult::observed(HealthStatus::Pass, used, "percent"),
        }
    }
}
