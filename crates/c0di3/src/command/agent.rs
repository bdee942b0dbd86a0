//! `c0di3 agent`: the core-agent service: API on 3000, health on 3001, incidents, summaries, webhooks. It needs the store;
//! cache, model and analyzer may be away, which `/health` tells.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::auth::Auth;
use api::health::HealthCheck;
use api::{ApiState, HealthState};
use metrics_exporter_prometheus::PrometheusHandle;
use notify::{Deliverer, Llm, Summariser};
use store::{Hot, Mark, MemoryHot, RedisHot, Store, Use};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::checks::{AnalyzerCheck, DiskCheck, LlmCheck, RedisCheck, StoreCheck};
use crate::cli::ServiceArguments;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::service::{Ports, bind, check_exposure};
use crate::{clock, signals, telemetry};

/// How often the hot aggregates catch up with the store.
const CATCH_UP_INTERVAL: Duration = Duration::from_millis(500);
/// Findings that are caught up with at once.
const CATCH_UP_LIMIT: u32 = 2_000;

pub(crate) fn run(config: Config, arguments: &ServiceArguments) -> anyhow::Result<Outcome> {
    let config = super::with_arguments(config, arguments, super::Port::Api)?;
    super::install_tls();
    telemetry::start_logs(&config.log)?;
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let outcome = runtime.block_on(serve(config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map(|()| Outcome::Done)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let metrics = telemetry::start_metrics()?;
    let stop = signals::stop_flag()?;
    signals::outlive(config.log.profiles(), signals::Hangup::Nothing)?;
    let listeners = Listeners::bind(&config).await?;
    let store = super::open_store(&config.store_url, Use::Ask, &stop).await?;
    let auth = super::auth(&config, &store);
    let mut ports = Ports::new();
    let mut agent = Agent::new(config, Arc::clone(&store))?;
    agent.add_analyzer_check()?;
    agent.serve(&mut ports, listeners, metrics, auth)?;
    ports.run_until(&stop).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The agent's ports, bound before anything else is done.
pub(crate) struct Listeners {
    api: TcpListener,
    health: TcpListener,
}

impl Listeners {
    pub(crate) async fn bind(config: &Config) -> anyhow::Result<Self> {
        check_exposure(&[config.listen], config.tokens)?;
        let api = bind(config.listen, "api.listen").await?;
        Ok(Listeners { api, health: bind(config.health_listen, "api.health_listen").await? })
    }
}

/// The agent in this process.
pub(crate) struct Agent {
    config: Config,
    store: Arc<dyn Store>,
    hot: Arc<dyn Hot>,
    llm: Option<Llm>,
    checks: Vec<Box<dyn HealthCheck>>,
}

impl Agent {
    pub(crate) fn new(config: Config, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let is_server = super::is_server(&config.store_url);
        let mut checks: Vec<Box<dyn HealthCheck>> = vec![
            Box::new(StoreCheck { store: Arc::clone(&store), is_server, is_required: true }),
            Box::new(DiskCheck { folder: store_folder(&config.store_url) }),
        ];
        let hot: Arc<dyn Hot> = match &config.cache_url {
            Some(url) => {
                let own_name = format!("{}-{}", std::process::id(), clock::now().0);
                let hot = RedisHot::open(url, own_name).context("cache.url cannot be used")?;
                checks.push(Box::new(RedisCheck(hot.clone())));
                Arc::new(hot)
            }
            None => Arc::new(MemoryHot::default()),
        };
        let llm = config.llm.clone().map(Llm::new).transpose().context("llm.url cannot be used")?;
        if let Some(llm) = &llm {
            checks.push(Box::new(LlmCheck(llm.clone())));
        }
        Ok(Agent { config, store, hot, llm, checks })
    }

    /// Looks after an analyzer in another process.
    fn add_analyzer_check(&mut self) -> anyhow::Result<()> {
        if let Some(url) = self.config.analyzer_url.clone() {
            let client = reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
            self.checks.push(Box::new(AnalyzerCheck { client, url }));
        }
        Ok(())
    }

    pub(crate) fn add_checks(&mut self, checks: Vec<Box<dyn HealthCheck>>) {
        self.checks.extend(checks);
    }

    /// Opens the ports and starts everything that works in the background.
    pub(crate) fn serve(
        self,
        ports: &mut Ports,
        listeners: Listeners,
        metrics: PrometheusHandle,
        auth: Auth,
    ) -> anyhow::Result<()> {
        let health = HealthState {
            service: "core-agent",
            checks: self.checks.into(),
            metrics,
            draining: Arc::clone(&ports.draining),
        };
        let state = ApiState {
            store: Arc::clone(&self.store),
            hot: Arc::clone(&self.hot),
            health: health.clone(),
            auth,
            clock: clock::now,
        };
        tokio::spawn(catch_up(Arc::clone(&self.store), self.hot));
        tokio::spawn(Summariser::new(Arc::clone(&self.store), self.llm, clock::now).run());
        let deliverer = Deliverer::new(self.store, self.config.endpoints, self.config.link, clock::now);
        tokio::spawn(deliverer.context("the webhooks cannot be used")?.run());
        tracing::info!(api = %self.config.listen, health = %self.config.health_listen, "the agent is listening");
        ports.serve(listeners.api, api::router(state));
        ports.serve(listeners.health, api::health_router(health));
        Ok(())
    }
}

/// Keeps the hot aggregates up with the store, whoever writes to it. What they were told last stands with them, so that
/// they are rebuilt from the start when they have been lost.
async fn catch_up(store: Arc<dyn Store>, hot: Arc<dyn Hot>) {
    let mut failing = false;
    loop {
        let wait = match follow(&*store, &*hot).await {
            Ok(more) => {
                if failing {
                    tracing::info!("the hot aggregates are followed again");
                }
                failing = false;
                !more
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the hot aggregates cannot be followed");
                }
                failing = true;
                metrics::counter!("hot_errors_total").increment(1);
                true
            }
        };
        if wait {
            tokio::time::sleep(CATCH_UP_INTERVAL).await;
        }
    }
}

/// True where more is waiting.
async fn follow(store: &dyn Store, hot: &dyn Hot) -> Result<bool, store::StoreError> {
    if !hot.leads().await? {
        return Ok(false);
    }
    let mark = hot.mark().await?;
    let changed = store.changed_after(mark, CATCH_UP_LIMIT).await?;
    if let Some(last) = changed.last() {
        metrics::counter!("findings_followed_total").increment(changed.len() as u64);
        hot.record(&changed, Mark::from(last)).await?;
    }
    Ok(changed.len() == CATCH_UP_LIMIT as usize)
}

fn store_folder(url: &str) -> PathBuf {
    let path = std::path::Path::new(url.strip_prefix("sqlite:").unwrap_or("."));
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new(".")).to_owned()
}
