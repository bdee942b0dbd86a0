//! How every service starts and stops, whichever parts run in the process: configuration, telemetry, signals, ports, store,
//! parts; and at the end in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use api::auth::Auth;
use api::{AuditLog, HealthState, Surroundings, TrustedProxies};
use store::{Store, Use};
use tokio::runtime::Runtime;

use crate::cli::ServiceArguments;
use crate::command::agent::{Agent, Listeners};
use crate::command::analyzer::Analyzer;
use crate::config::{Config, address, check_store_url};
use crate::outcome::{Outcome, Usage};
use crate::ports::{Ports, STOP_POLL};
use crate::signals;
use crate::telemetry::Logs;
use crate::tls::TlsPorts;
use crate::traces::Traces;
use crate::{clock, telemetry, traces};

/// Longest that a service waits for its store at the start.
const STORE_WAIT: Duration = Duration::from_secs(60);
/// Between two tries to reach it.
const STORE_RETRY: Duration = Duration::from_millis(500);
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

/// Ends when the process is told to stop.
async fn told(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
}

async fn serve(config: Config, parts: Parts, logs: Logs, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let metrics = telemetry::start_metrics()?;
    signals::outlive(config.log.profiles(), logs, config.path.clone())?;
    let traces = traces(&config, parts)?;
    let tls = TlsPorts::open(&config.access.tls)?;
    let listeners = if parts.has_agent() { Some(Listeners::bind(&config)?) } else { None };
    let stores = tokio::select! {
        stores = Stores::open(&config.store.url, parts) => stores?,
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
    stores.close().await;
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
}

impl Stores {
    async fn open(url: &str, parts: Parts) -> anyhow::Result<Self> {
        let first = open_store(url, if parts.has_agent() { Use::Ask } else { Use::Commit }).await?;
        let committed = match parts {
            Parts::Agent => None,
            Parts::Analyzer => Some(Arc::clone(&first)),
            Parts::Both => Some(open_store(url, Use::Commit).await?),
        };
        Ok(Stores { asked: first, committed })
    }

    /// Closes all connections but those that a store which stands still does not give back.
    async fn close(self) {
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
    }
}

/// Opens the store; a server that is still starting is waited for.
async fn open_store(url: &str, use_as: Use) -> anyhow::Result<Arc<dyn Store>> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match store::open(url, use_as).await {
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
