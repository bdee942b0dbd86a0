//! How every service starts and stops, whichever parts run in the process: configuration, telemetry, signals, ports, store,
//! parts; and at the end in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use api::auth::Auth;
use api::{AuditLog, HealthState, Surroundings, TrustedProxies};
use store::{Preparation, Store, StoreError, Use};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::cli::ServiceArguments;
use crate::command::agent::{Agent, Listeners};
use crate::command::analyzer::Analyzer;
use crate::config::{Config, address, check_store_url};
use crate::outcome::{Outcome, Usage};
use crate::ports::Ports;
use crate::signals::{self, told};
use crate::telemetry::Logs;
use crate::tls::TlsPorts;
use crate::traces::Traces;
use crate::{clock, telemetry, traces};

/// Longest that a service waits at the start for a file of its store that another process holds.
const STORE_WAIT: Duration = Duration::from_secs(60);
/// Between two tries to reach the store, and how often it is told that they fail.
const STORE_RETRY: Duration = Duration::from_millis(500);
const STORE_TOLD: Duration = Duration::from_secs(60);
/// Longest from being told to stop to the end of the process, whatever the servers around it do. Units, pods and
/// containers kill after 30 s.
const END_MAX: Duration = Duration::from_secs(27);
/// Longest that connections of the store are waited for: those that wait for an answer do not come back.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// The parts that run in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// `c0di3 agent`.
    Agent,
    /// `c0di3 analyzer`.
    Analyzer,
    /// `c0di3 serve`.
    Both,
}

impl Parts {
    fn has_agent(self) -> bool {
        self != Parts::Analyzer
    }

    /// What the process is called in its traces.
    fn name(self) -> &'static str {
        match self {
            Parts::Agent => "core-agent",
            Parts::Analyzer => "log-analyzer",
            Parts::Both => "c0di3",
        }
    }
}

/// Runs the service until it is told to stop.
pub(crate) fn run(config: Config, arguments: &ServiceArguments, parts: Parts) -> anyhow::Result<Outcome> {
    let config = with_arguments(config, arguments, parts)?;
    super::install_tls();
    let logs = telemetry::start_logs(&config.log)?;
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let outcome = runtime.block_on(async {
        let stop = signals::stop_flag()?;
        tokio::select! {
            served = serve(config, parts, logs, Arc::clone(&stop)) => served,
            () = long_after(&stop) => {
                tracing::warn!(
                    seconds = END_MAX.as_secs(),
                    "ended without waiting any longer: what was not committed is read again at the next start"
                );
                Ok(())
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map(|()| Outcome::Done)
}

/// The configuration with what the command line says. `--listen` is about the API, or where there is none about ingest.
fn with_arguments(mut config: Config, arguments: &ServiceArguments, parts: Parts) -> Result<Config, Usage> {
    if let Some(url) = &arguments.store {
        check_store_url(url).map_err(|reason| Usage(format!("--store: {reason}")))?;
        config.store.url.clone_from(url);
    }
    if let Some(text) = &arguments.listen {
        let address = address(text)
            .ok_or_else(|| Usage(format!("--listen: `{text}` is not an address such as 127.0.0.1:3000")))?;
        match parts.has_agent() {
            true => config.agent.listen = address,
            false => config.analyzer.http.listen = address,
        }
    }
    Ok(config)
}

/// Ends once the process should have ended.
async fn long_after(stop: &AtomicBool) {
    told(stop).await;
    tokio::time::sleep(END_MAX).await;
}

async fn serve(config: Config, parts: Parts, logs: Logs, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let metrics = telemetry::start_metrics()?;
    signals::outlive(config.log.profiles(), logs, config.path.clone())?;
    let traces = traces(&config, parts)?;
    let tls = TlsPorts::open(&config.access.tls)?;
    let listeners = if parts.has_agent() { Some(Listeners::bind(&config)?) } else { None };
    let stores = tokio::select! {
        stores = Stores::open(&config.store.url, parts, &stop) => stores?,
        () = told(&stop) => {
            tracing::info!("stopped before the store answered");
            return Ok(());
        }
    };
    let auth = auth(&config, &stores.asked);
    let mut ports = Ports::new(surroundings(&config, &stores.asked), tls.clone());
    let mut analyzer = match &stores.committed {
        Some(store) => Some(Analyzer::start(config.clone(), Arc::clone(store), Arc::clone(&stop), tls).await?),
        None => None,
    };
    let agent = match listeners {
        Some(listeners) => {
            let beside = analyzer.as_ref().map(|analyzer| analyzer.checks(false));
            Some((Agent::new(config, Arc::clone(&stores.asked), beside)?, listeners))
        }
        None => None,
    };
    if let Some(analyzer) = &mut analyzer {
        let checks = analyzer.checks(true).into();
        let health = HealthState::new("log-analyzer", checks, metrics.clone(), Arc::clone(&ports.draining));
        analyzer.serve(&mut ports, health, auth.clone());
    }
    if let Some((agent, listeners)) = agent {
        agent.serve(&mut ports, listeners, metrics, auth)?;
    }
    ports.run_until(&stop).await;
    if let Some(analyzer) = analyzer {
        analyzer.finish().await?;
    }
    stores.close().await?;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// The sender of spans, where there is a receiver.
fn traces(config: &Config, parts: Parts) -> anyhow::Result<Option<Traces>> {
    let traces = config.log.traces.as_ref();
    traces.map(|traces| traces::start(traces, parts.name(), &config.analyzer.instance)).transpose()
}

/// The store: people and the committer do not share connections.
struct Stores {
    /// Asked by people; where there is no agent, the committer's.
    asked: Arc<dyn Store>,
    /// Of the analyzer, if there is one.
    committed: Option<Arc<dyn Store>>,
    /// Where the server was away at the start.
    preparing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Stores {
    /// Waits for a server that answers, until its tables are up to date. One that is away is not waited for: ports open, events
    /// are spooled, and what needs the store is refused until it comes.
    async fn open(url: &str, parts: Parts, stop: &Arc<AtomicBool>) -> anyhow::Result<Self> {
        let (asked, first) = open_store(url, if parts.has_agent() { Use::Ask } else { Use::Commit }).await?;
        let mut preparations = vec![first];
        let committed = match parts {
            Parts::Agent => None,
            Parts::Analyzer => Some(Arc::clone(&asked)),
            Parts::Both => {
                let (committed, second) = open_store(url, Use::Commit).await?;
                preparations.push(second);
                Some(committed)
            }
        };
        let is_away = Arc::new(Notify::new());
        let mut preparing = tokio::spawn(prepare(preparations, Arc::clone(&is_away), Arc::clone(stop)));
        let preparing = tokio::select! {
            done = &mut preparing => {
                done.context("the store cannot be waited for")??;
                None
            }
            () = is_away.notified() => Some(preparing),
        };
        Ok(Stores { asked, committed, preparing })
    }

    /// Closes all connections but those that a store which stands still does not give back. An error is why the store could not
    /// be used when it came.
    async fn close(self) -> anyhow::Result<()> {
        let other = self.committed.filter(|committed| !Arc::ptr_eq(committed, &self.asked));
        let all = async {
            self.asked.close().await;
            if let Some(committed) = other {
                committed.close().await;
            }
        };
        if tokio::time::timeout(CLOSE_MAX, all).await.is_err() {
            tracing::warn!("the store does not answer: its connections are cut off");
        }
        match self.preparing {
            Some(preparing) if preparing.is_finished() => {
                Ok(preparing.await.context("the store cannot be waited for")??)
            }
            Some(preparing) => {
                preparing.abort();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Opens the store; a file that another process holds is waited for.
async fn open_store(url: &str, use_as: Use) -> anyhow::Result<(Arc<dyn Store>, Preparation)> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match store::open_later(url, use_as).await {
            Err(error) if error.is_passing() && started.elapsed() < STORE_WAIT => {
                if !told {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the store does not answer yet");
                }
                told = true;
                tokio::time::sleep(STORE_RETRY).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// Tries until all is prepared, and says so where that takes long. What cannot pass ends the service.
async fn prepare(all: Vec<Preparation>, is_away: Arc<Notify>, stop: Arc<AtomicBool>) -> Result<(), StoreError> {
    let mut away: Option<(Instant, Instant)> = None;
    for preparation in &all {
        while let Err(error) = preparation.attempt().await {
            if !error.is_passing() {
                // Before anything runs, the error alone ends the start.
                if away.is_some() {
                    stop.store(true, Ordering::Relaxed);
                }
                return Err(error);
            }
            metrics::counter!("store_errors_total").increment(1);
            let (since, told) = away.unwrap_or_else(|| (Instant::now(), Instant::now()));
            if away.is_none() || told.elapsed() >= STORE_TOLD {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    seconds = since.elapsed().as_secs(),
                    "the store does not answer: what needs it is refused, and events are kept in the spool, until it does"
                );
                away = Some((since, Instant::now()));
            }
            is_away.notify_one();
            tokio::time::sleep(STORE_RETRY).await;
        }
    }
    if let Some((since, _)) = away {
        tracing::info!(seconds = since.elapsed().as_secs(), "the store answers");
    }
    Ok(())
}

/// What the ports of this process have in common.
fn surroundings(config: &Config, store: &Arc<dyn Store>) -> Surroundings {
    let trusted_proxies = TrustedProxies(Arc::from(config.access.trusted_proxies.as_slice()));
    let audit = AuditLog::new(Arc::clone(store) as Arc<dyn store::Audit>);
    Surroundings { audit, trusted_proxies, clock: clock::now }
}

fn auth(config: &Config, store: &Arc<dyn Store>) -> Auth {
    if config.access.tokens {
        Auth::with_tokens(Arc::clone(store) as Arc<dyn store::Tokens>, clock::now, config.access.token_memory)
    } else {
        Auth::Loopback
    }
}
