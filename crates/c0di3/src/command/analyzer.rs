//! `c0di3 analyzer`: the log-analyzer service: syslog, HTTP, Kafka and followed files in; findings out to the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use api::HealthState;
use api::auth::Auth;
use api::health::HealthCheck;
use api::ingest::IngestState;
use ingest::kafka::KafkaState;
use ingest::spool::Spool;
use ingest::syslog::{self, Connections, Drain, SyslogOptions};
use ingest::tail::TailState;
use store::{Store, Use};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::checks::{
    DiskCheck, FilesCheck, KafkaCheck, ProgressCheck, RulesCheck, SpoolCheck, StoreCheck, SyslogCheck,
};
use crate::cli::{RuleArguments, ServiceArguments};
use crate::command::input;
use crate::config::Config;
use crate::engine::{Engine, Progress};
use crate::outcome::Outcome;
use crate::rule_files::RuleFiles;
use crate::rulebook::{RuleBook, RuleDesk};
use crate::service::{Ports, STOP_POLL, bind, check_exposure, not_bound};
use crate::{clock, signals, telemetry};

/// Between two looks at what the kernel dropped.
const KERNEL_POLL: Duration = Duration::from_secs(1);

pub(crate) fn run(config: Config, arguments: &ServiceArguments) -> anyhow::Result<Outcome> {
    let config = super::with_arguments(config, arguments, super::Port::Ingest)?;
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
    signals::outlive(config.log.profiles(), signals::Hangup::LoadsRules)?;
    let store = super::open_store(&config.store.url, Use::Commit, &stop).await?;
    let auth = super::auth(&config, &store);
    let mut ports = Ports::new(super::surroundings(&config, &store));
    let mut analyzer = Analyzer::start(config, Arc::clone(&store), Arc::clone(&stop)).await?;
    let checks = analyzer.checks(true).into();
    let health = HealthState::new("log-analyzer", checks, metrics, Arc::clone(&ports.draining));
    analyzer.serve(&mut ports, health, auth)?;
    ports.run_until(&stop).await;
    analyzer.finish().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The analyzer in this process.
pub(crate) struct Analyzer {
    config: Config,
    store: Arc<dyn Store>,
    spool: Spool,
    kafka: Option<Arc<KafkaState>>,
    files: Option<Arc<TailState>>,
    progress: Arc<Progress>,
    rules: Arc<RuleBook>,
    engine: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
    listener: Option<TcpListener>,
    stop: Arc<AtomicBool>,
    syslog: Syslog,
}

/// Syslog in this process: it drains when the process stops.
struct Syslog {
    connections: Option<Arc<Connections>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Analyzer {
    /// Binds every port, opens the spool, and starts the engine.
    pub(crate) async fn start(config: Config, store: Arc<dyn Store>, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let analyzer = &config.analyzer;
        let addresses: Vec<_> =
            [Some(analyzer.http.listen), analyzer.syslog.tcp, analyzer.syslog.udp].into_iter().flatten().collect();
        // Syslog has no tokens: who opens it to a network decides so by its address.
        check_exposure(&addresses[..1], config.access.tokens)?;
        let listener = bind(analyzer.http.listen, "analyzer.listen").await?;
        let tcp = match analyzer.syslog.tcp {
            Some(address) => Some(bind(address, "syslog.tcp").await?),
            None => None,
        };
        let udp = analyzer
            .syslog
            .udp
            .map(|address| syslog::bind_udp(address).with_context(|| not_bound(address, "syslog.udp")));
        let udp = udp.transpose()?;
        let spool = Spool::open(analyzer.spool.clone(), clock::now())?;
        let kafka = analyzer.kafka.as_ref().map(|_| Arc::new(KafkaState::default()));
        let tail = analyzer.tail.as_ref().map(|_| Arc::new(TailState::default()));
        let progress = Arc::new(Progress::new());
        let parse = input::parse_options(&config, None, None, None)?;
        let files = RuleFiles::of(&config, &RuleArguments::default());
        let (rules, questions) = RuleBook::open(files, config.rules.logsource.clone(), parse.clone())?;
        let rules = Arc::new(rules);
        let audit = super::surroundings(&config, &store).audit;
        tokio::spawn(audit.clone().run());
        rules.watch(config.rules.watch, &stop, audit)?;
        let engine = Engine {
            parse,
            rules: Arc::clone(&rules.in_force),
            questions,
            store: Arc::clone(&store),
            spool: spool.clone(),
            kafka: kafka.clone(),
            files: tail.clone(),
            progress: Arc::clone(&progress),
            runtime: Handle::current(),
            config: config.clone(),
        };
        let engine = Some(start_engine(engine, Arc::clone(&stop), Arc::clone(&progress))?);
        let syslog = serve_syslog(&config, &spool, tcp, udp, &stop);
        tracing::info!(
            http = %analyzer.http.listen, syslog_tcp = ?analyzer.syslog.tcp, syslog_udp = ?analyzer.syslog.udp,
            kafka = kafka.is_some(), files = tail.is_some(), "the analyzer is listening"
        );
        Ok(Analyzer {
            config,
            store,
            spool,
            kafka,
            files: tail,
            progress,
            rules,
            engine,
            listener: Some(listener),
            stop,
            syslog,
        })
    }

    /// What `/health` looks at; `alone`: the store and the disk are not looked at by an agent in the same process.
    pub(crate) fn checks(&self, alone: bool) -> Vec<Box<dyn HealthCheck>> {
        let mut checks: Vec<Box<dyn HealthCheck>> = vec![
            Box::new(SpoolCheck(self.spool.clone())),
            Box::new(RulesCheck(Arc::clone(&self.rules))),
            Box::new(ProgressCheck { progress: Arc::clone(&self.progress), spool: self.spool.clone() }),
        ];
        if let Some(connections) = &self.syslog.connections {
            checks.push(Box::new(SyslogCheck(Arc::clone(connections))));
        }
        if let Some(kafka) = &self.kafka {
            checks.push(Box::new(KafkaCheck(Arc::clone(kafka))));
        }
        if let Some(files) = &self.files {
            checks.push(Box::new(FilesCheck(Arc::clone(files))));
        }
        if alone {
            let is_server = super::is_server(&self.config.store.url);
            let (store, pool) = (Arc::clone(&self.store), "commit");
            checks.push(Box::new(StoreCheck { store, is_server, is_required: false, pool }));
            checks.push(Box::new(DiskCheck::new(self.spool_folder(), "spool")));
        }
        checks
    }

    fn spool_folder(&self) -> PathBuf {
        self.config.analyzer.spool.folder.clone()
    }

    /// Opens the HTTP port.
    pub(crate) fn serve(&mut self, ports: &mut Ports, health: HealthState, auth: Auth) -> anyhow::Result<()> {
        let listener = self.listener.take().context("the analyzer's port is already served")?;
        let analyzer = &self.config.analyzer;
        let ingest = IngestState::new(
            self.spool.clone(),
            analyzer.http.body_bytes_max,
            analyzer.http.bodies_bytes_max,
            clock::now,
        );
        let rules = Arc::new(RuleDesk(Arc::clone(&self.rules)));
        ports.serve(listener, api::analyzer_router(ingest, rules, health, auth));
        Ok(())
    }

    /// Waits for what syslog connections still send, and for the last commit.
    pub(crate) async fn finish(mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.syslog.tasks {
            // Each has a deadline of its own.
            if let Err(error) = task.await {
                tracing::error!(%error, "syslog ended in an unexpected way");
            }
        }
        let Some(engine) = self.engine.take() else { return Ok(()) };
        let ended =
            tokio::task::spawn_blocking(move || engine.join()).await.context("the engine cannot be waited for")?;
        ended.map_err(|_| anyhow::anyhow!("the engine ended with a panic"))?
    }
}

/// A thread that ends the process where its work cannot go on, so that whoever looks after it starts it again.
fn start_engine(
    engine: Engine,
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
) -> anyhow::Result<std::thread::JoinHandle<anyhow::Result<()>>> {
    let run = move || {
        let done = engine.run(&stop);
        if let Err(error) = &done {
            tracing::error!(error = format!("{error:#}"), "the analyzer cannot go on");
            progress.is_in_trouble(format!("{error:#}"));
            stop.store(true, Ordering::Relaxed);
        }
        done
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(run).context("cannot start the engine")
}

/// Serves the sockets until the process stops, and then as long as they drain.
fn serve_syslog(
    config: &Config,
    spool: &Spool,
    tcp: Option<TcpListener>,
    udp: Option<UdpSocket>,
    stop: &Arc<AtomicBool>,
) -> Syslog {
    let analyzer = &config.analyzer;
    let options =
        SyslogOptions { spool: spool.clone(), message_bytes_max: analyzer.syslog.message_bytes_max, clock: clock::now };
    let (drain, told): (_, watch::Receiver<Drain>) = watch::channel(None);
    let (stop, longest) = (Arc::clone(stop), analyzer.syslog.drain_timeout);
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(STOP_POLL).await;
        }
        drain.send_replace(Some(tokio::time::Instant::now() + longest));
        // The word stands as long as somebody may ask for it.
        drain.closed().await;
    });
    let mut tasks = Vec::new();
    let connections = tcp.map(|tcp| {
        let connections = Arc::new(Connections::new(analyzer.syslog.connections));
        let serving = syslog::serve_tcp(tcp, Arc::clone(&connections), options.clone(), told.clone());
        tasks.push(tokio::spawn(serving));
        connections
    });
    if let Some(udp) = udp {
        if let Ok(address) = udp.local_addr() {
            tokio::spawn(count_kernel_drops(address.port()));
        }
        tasks.push(tokio::spawn(syslog::serve_udp(udp, options, told)));
    }
    Syslog { connections, tasks }
}

async fn count_kernel_drops(port: u16) {
    let mut before = syslog::kernel_drops(port).unwrap_or(0);
    loop {
        tokio::time::sleep(KERNEL_POLL).await;
        if let Some(now) = syslog::kernel_drops(port) {
            let new = now.saturating_sub(before);
            if new > 0 {
                tracing::warn!(datagrams = new, "the kernel dropped datagrams that came faster than they were read");
            }
            metrics::counter!("ingest_dropped_total", "source" => "syslog_udp", "reason" => "kernel").increment(new);
            before = now;
        }
    }
}
