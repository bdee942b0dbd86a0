//! `c0di3 agent`: the core-agent service: API on 3000, health on 3001, incidents, summaries, webhooks. It needs the store;
//! cache, model and analyzer may be away, which `/health` tells.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::auth::Auth;
use api::health::HealthCheck;
use api::{ApiState, HealthState, Metrics};
use notify::{Deliverer, Llm, Summariser};
use store::{FallbackHot, Hot, MemoryHot, RedisHot, Store, Use};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::checks::{AnalyzerCheck, DiskCheck, LlmCheck, RedisCheck, StoreCheck};
use crate::cli::ServiceArguments;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::service::{Ports, bind, check_exposure};
use crate::webhooks::WebhooksCheck;
use crate::{catch_up, clock, signals, telemetry};

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
    let store = super::open_store(&config.store.url, Use::Ask, &stop).await?;
    let auth = super::auth(&config, &store);
    let mut ports = Ports::new(super::surroundings(&config, &store));
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
        check_exposure(&[config.agent.listen], config.access.tokens)?;
        let api = bind(config.agent.listen, "api.listen").await?;
        Ok(Listeners { api, health: bind(config.agent.health_listen, "api.health_listen").await? })
    }
}

/// The agent in this process.
pub(crate) struct Agent {
    config: Config,
    store: Arc<dyn Store>,
    hot: Arc<dyn Hot>,
    /// The same, where Redis is to count.
    shared: Option<Arc<FallbackHot>>,
    llm: Option<Llm>,
    checks: Vec<Box<dyn HealthCheck>>,
}

impl Agent {
    pub(crate) fn new(config: Config, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let is_server = super::is_server(&config.store.url);
        let mut checks: Vec<Box<dyn HealthCheck>> = vec![
            Box::new(StoreCheck { store: Arc::clone(&store), is_server, is_required: true, pool: "ask" }),
            Box::new(DiskCheck::new(store_folder(&config.store.url), if is_server { "work" } else { "store" })),
        ];
        if !config.notify.endpoints.is_empty() {
            checks.push(Box::new(WebhooksCheck(Arc::clone(&store))));
        }
        let shared = match &config.agent.cache_url {
            Some(url) => {
                let own_name = format!("{}-{}", std::process::id(), clock::now().0);
                let hot = RedisHot::open(url, own_name).context("cache.url cannot be used")?;
                checks.push(Box::new(RedisCheck(hot.clone())));
                Some(Arc::new(FallbackHot::new(hot)))
            }
            None => None,
        };
        let hot: Arc<dyn Hot> = match &shared {
            Some(hot) => Arc::clone(hot) as Arc<dyn Hot>,
            None => Arc::new(MemoryHot::default()),
        };
        let llm = config.agent.llm.clone().map(Llm::new).transpose().context("llm.url cannot be used")?;
        if let Some(llm) = &llm {
            checks.push(Box::new(LlmCheck(llm.clone())));
        }
        Ok(Agent { config, store, hot, shared, llm, checks })
    }

    /// Looks after an analyzer in another process.
    fn add_analyzer_check(&mut self) -> anyhow::Result<()> {
        if let Some(url) = self.config.agent.analyzer_url.clone() {
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
        metrics: Metrics,
        auth: Auth,
    ) -> anyhow::Result<()> {
        let health = HealthState::new("core-agent", self.checks.into(), metrics, Arc::clone(&ports.draining));
        let state = ApiState {
            store: Arc::clone(&self.store),
            hot: Arc::clone(&self.hot),
            health: health.clone(),
            auth,
            clock: clock::now,
        };
        match self.shared {
            Some(shared) => {
                tokio::spawn(catch_up::in_redis(Arc::clone(&self.store), Arc::clone(&shared)));
                tokio::spawn(catch_up::in_substitute(Arc::clone(&self.store), shared));
            }
            None => drop(tokio::spawn(catch_up::in_memory(Arc::clone(&self.store), self.hot))),
        }
        tokio::spawn(Summariser::new(Arc::clone(&self.store), self.llm, clock::now).run());
        let deliverer = Deliverer::new(self.store, self.config.notify.endpoints, self.config.notify.link, clock::now);
        let deliverer = deliverer.context("the webhooks cannot be used")?.settling(self.config.notify.settle_us);
        health.metrics.with(deliverer.measure());
        tokio::spawn(deliverer.run());
        tracing::info!(api = %self.config.agent.listen, health = %self.config.agent.health_listen, "the agent is listening");
        ports.serve(listeners.api, api::router(state));
        ports.serve(listeners.health, api::health_router(health));
        Ok(())
    }
}

fn store_folder(url: &str) -> PathBuf {
    let path = std::path::Path::new(url.strip_prefix("sqlite:").unwrap_or("."));
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new(".")).to_owned()
}
