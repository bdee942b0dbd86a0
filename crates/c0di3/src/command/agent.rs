//! The core-agent part of a service: API on 3000, health on 3001, incidents, summaries, webhooks. It needs the store;
//! cache, model and analyzer may be away, which `/health` tells.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use api::auth::Auth;
use api::event_archive::EventArchive;
use api::health::HealthCheck;
use api::{ApiState, HealthState, Metrics};
use notify::{Deliverer, Llm, Summariser};
use store::{FallbackHot, Hot, MemoryHot, RedisHot, Store};
use tokio::net::TcpListener;

use crate::asked_archive::AskedArchive;
use crate::backtests::BacktestSettings;
use crate::certificates::CertificatesCheck;
use crate::checks::{AnalyzerCheck, DiskCheck, LlmCheck, RedisCheck, StoreCheck};
use crate::config::Config;
use crate::hunt_functions::hunt_functions;
use crate::hunting::Hunting;
use crate::ports::{Ports, bind, check_exposure};
use crate::saved_hunts::SavedHunts;
use crate::tasks::TasksCheck;
use crate::tls::analyzer_client;
use crate::webhooks::WebhooksCheck;
use crate::{catch_up, clock};

/// The agent's ports, bound before anything else is done.
pub(crate) struct Listeners {
    api: TcpListener,
    health: TcpListener,
}

impl Listeners {
    pub(crate) fn bind(config: &Config) -> anyhow::Result<Self> {
        check_exposure(&[config.agent.listen], config.access.tokens)?;
        let api = bind(config.agent.listen, "api.listen")?;
        Ok(Listeners { api, health: bind(config.agent.health_listen, "api.health_listen")? })
    }
}

/// Events at rest, where they are kept.
fn event_archive(config: &Config, store: &Arc<dyn Store>) -> anyhow::Result<Option<Arc<AskedArchive>>> {
    let Some(place) = &config.store.archive.place else { return Ok(None) };
    let hunts = SavedHunts::read(&config.store.archive.hunts);
    hunts.problems.iter().for_each(|problem| tracing::warn!(problem, "a saved hunt cannot be used"));
    let asked = AskedArchive::new(place, Arc::new(hunts), Arc::clone(store), hunt_functions(config))
        .context("cannot start what answers questions to the archive")?
        .with_rules(BacktestSettings::of(config));
    Ok(Some(Arc::new(asked)))
}

/// The agent in this process.
pub(crate) struct Agent {
    config: Config,
    store: Arc<dyn Store>,
    hot: Arc<dyn Hot>,
    /// What `hot` is where Redis is configured.
    shared: Option<Arc<FallbackHot>>,
    llm: Option<Llm>,
    checks: Vec<Box<dyn HealthCheck>>,
}

impl Agent {
    /// `beside`: what an analyzer in this process looks at; `None` where it is another process.
    pub(crate) fn new(
        config: Config,
        store: Arc<dyn Store>,
        beside: Option<Vec<Box<dyn HealthCheck>>>,
    ) -> anyhow::Result<Self> {
        let is_server = super::is_server(&config.store.url);
        let mut checks: Vec<Box<dyn HealthCheck>> = vec![
            Box::new(StoreCheck::new(Arc::clone(&store), is_server, true, "ask")),
            Box::new(DiskCheck::new(
                store_folder(&config.store.url),
                if is_server { "work" } else { "store" },
                config.disk,
            )),
        ];
        if !config.notify.endpoints.is_empty() {
            checks.push(Box::new(WebhooksCheck(Arc::clone(&store))));
        }
        checks.push(Box::new(TasksCheck(Arc::clone(&store))));
        if !config.agent.certificates.is_empty() {
            checks.push(Box::new(CertificatesCheck(config.agent.certificates.clone())));
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
        match (beside, &config.agent.analyzer_url) {
            (Some(beside), _) => checks.extend(beside),
            (None, Some(url)) => checks.push(Box::new(AnalyzerCheck {
                client: analyzer_client(config.agent.analyzer_ca.as_deref())?,
                url: url.clone(),
            })),
            (None, None) => {}
        }
        Ok(Agent { config, store, hot, shared, llm, checks })
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
        let archive = event_archive(&self.config, &self.store)?;
        let state = ApiState {
            store: Arc::clone(&self.store),
            hot: Arc::clone(&self.hot),
            archive: archive.clone().map(|archive| archive as Arc<dyn EventArchive>),
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
        if let Some(archive) = archive {
            let (join, thresholds) = (self.config.store.join, self.config.correlation.thresholds);
            tokio::spawn(Hunting::new(archive, Arc::clone(&self.store), join, thresholds).run());
        }
        tokio::spawn(Summariser::new(Arc::clone(&self.store), self.llm, clock::now).run());
        let deliverer = Deliverer::new(self.store, self.config.notify.endpoints, self.config.notify.link, clock::now);
        let deliverer = deliverer.context("the webhooks cannot be used")?.settling(self.config.notify.settle_us);
        health.metrics.with(deliverer.measure());
        tokio::spawn(deliverer.run());
        tracing::info!(api = %self.config.agent.listen, health = %self.config.agent.health_listen, "the agent is listening");
        ports.serve(listeners.api, "api.listen", api::router(state));
        ports.serve(listeners.health, "api.health_listen", api::health_router(health));
        Ok(())
    }
}

fn store_folder(url: &str) -> PathBuf {
    let path = std::path::Path::new(url.strip_prefix("sqlite:").unwrap_or("."));
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new(".")).to_owned()
}
