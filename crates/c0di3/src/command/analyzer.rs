//! The log-analyzer part of a service: its port, its sources, its rules, and the engine that findings come from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use api::auth::Auth;
use api::health::HealthCheck;
use api::ingest::IngestState;
use api::{AuditLog, HealthState, Tap};
use ingest::spool::Spool;
use ingest::syslog::Drain;
use store::Store;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::certificates::CertificatesCheck;
use crate::checks::{DiskCheck, ProgressCheck, RulesCheck, SpoolCheck, StoreCheck};
use crate::cli::{RuleArguments, ShapeArguments};
use crate::clock;
use crate::command::input;
use crate::config::Config;
use crate::engine::{Engine, Progress};
use crate::ports::{Ports, STOP_POLL, bind, check_exposure};
use crate::rule_files::RuleFiles;
use crate::rulebook::{RuleBook, RuleDesk};
use crate::senders;
use crate::source::{LiveSources, Serving};
use crate::tls::TlsPorts;

/// The analyzer in this process.
pub(crate) struct Analyzer {
    config: Config,
    store: Arc<dyn Store>,
    spool: Spool,
    sources: Arc<LiveSources>,
    progress: Arc<Progress>,
    rules: Arc<RuleBook>,
    tap: Tap,
    engine: std::thread::JoinHandle<anyhow::Result<()>>,
    /// Until they are served.
    listeners: Vec<(&'static str, TcpListener)>,
    stop: Arc<AtomicBool>,
    /// Sources that are pushed to: they drain when the process stops.
    serving: Vec<JoinHandle<()>>,
}

impl Analyzer {
    /// Binds every port, opens the spool, and starts the engine.
    pub(crate) async fn start(
        config: Config,
        store: Arc<dyn Store>,
        stop: Arc<AtomicBool>,
        tls: TlsPorts,
    ) -> anyhow::Result<Self> {
        let analyzer = &config.analyzer;
        // Syslog has no tokens: who opens it to a network decides so by its address.
        let addresses: Vec<_> =
            std::iter::once(analyzer.http.listen).chain(analyzer.http.listen_more.clone()).collect();
        check_exposure(&addresses, config.access.tokens)?;
        let mut listeners = vec![("analyzer.listen", bind(analyzer.http.listen, "analyzer.listen")?)];
        for address in &analyzer.http.listen_more {
            listeners.push(("analyzer.listen_more", bind(*address, "analyzer.listen_more")?));
        }
        let mut sources = LiveSources::open(analyzer).await?;
        let spool = Spool::open(analyzer.spool.clone(), clock::now())?;
        let progress = Arc::new(Progress::new(clock::now()));
        let parse = input::parse_options(&config, None, None, None, &ShapeArguments::default())?;
        let files = RuleFiles::of(&config, &RuleArguments::default());
        let (rules, questions) = RuleBook::open(files, config.rules.logsource.clone(), parse.clone())?;
        let rules = Arc::new(rules);
        let audit = AuditLog::new(Arc::clone(&store) as Arc<dyn store::Audit>);
        tokio::spawn(audit.clone().run());
        rules.watch(config.rules.watch, &stop, audit)?;
        let drain = drain_when(&stop, analyzer.syslog.drain_timeout);
        tokio::spawn(senders::watch_silence(spool.clone(), analyzer.silence.clone(), drain.clone()));
        let serving = sources.serve(&Serving { spool: spool.clone(), drain, tls });
        let sources = Arc::new(sources);
        let tap = Tap::default();
        let engine = Engine {
            parse,
            rules: Arc::clone(&rules.in_force),
            questions,
            store: Arc::clone(&store),
            spool: spool.clone(),
            sources: Arc::clone(&sources),
            progress: Arc::clone(&progress),
            runtime: Handle::current(),
            tap: tap.clone(),
            config: config.clone(),
        };
        let engine = start_engine(engine, Arc::clone(&stop), Arc::clone(&progress))?;
        tracing::info!(http = %analyzer.http.listen, sources = sources.shown(), "the analyzer is listening");
        Ok(Analyzer { config, store, spool, sources, progress, rules, tap, engine, listeners, stop, serving })
    }

    /// What `/health` looks at; `alone`: the store and the disk are not looked at by an agent in the same process.
    pub(crate) fn checks(&self, alone: bool) -> Vec<Box<dyn HealthCheck>> {
        let mut checks: Vec<Box<dyn HealthCheck>> = vec![
            Box::new(SpoolCheck(self.spool.clone())),
            Box::new(RulesCheck(Arc::clone(&self.rules))),
            Box::new(ProgressCheck { progress: Arc::clone(&self.progress), spool: self.spool.clone() }),
        ];
        if alone && !self.config.agent.certificates.is_empty() {
            checks.push(Box::new(CertificatesCheck(self.config.agent.certificates.clone())));
        }
        checks.extend(self.sources.checks());
        if alone {
            let is_server = super::is_server(&self.config.store.url);
            checks.push(Box::new(StoreCheck::new(Arc::clone(&self.store), is_server, false, "commit")));
            checks.push(Box::new(DiskCheck::new(self.spool_folder(), "spool", self.config.disk)));
        }
        checks
    }

    fn spool_folder(&self) -> PathBuf {
        self.config.analyzer.spool.folder.clone()
    }

    /// Opens the HTTP ports.
    pub(crate) fn serve(&mut self, ports: &mut Ports, health: HealthState, auth: Auth) {
        let analyzer = &self.config.analyzer;
        health.metrics.with(senders::measure(self.spool.accounts()));
        let ingest = IngestState::new(
            self.spool.clone(),
            analyzer.http.body_bytes_max,
            analyzer.http.bodies_bytes_max,
            clock::now,
        );
        let rules = Arc::new(RuleDesk(Arc::clone(&self.rules)));
        let router = api::analyzer_router(ingest, rules, self.tap.clone(), health, auth);
        for (key, listener) in self.listeners.drain(..) {
            ports.serve_behind(listener, key, router.clone(), Arc::clone(&analyzer.http.proxies));
        }
    }

    /// Waits for what senders have begun to send, and for the last commit.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.serving {
            // Each has a deadline of its own.
            if let Err(error) = task.await {
                tracing::error!(%error, "a source ended in an unexpected way");
            }
        }
        let engine = self.engine;
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
        let done = unless_panic(|| engine.run(&stop));
        if let Err(error) = &done {
            tracing::error!(error = format!("{error:#}"), "the analyzer cannot go on");
            progress.is_in_trouble(format!("{error:#}"));
            stop.store(true, Ordering::Relaxed);
        }
        done
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(run).context("cannot start the engine")
}

/// A panic is an error as well: an analyzer that takes events and judges none would look well.
fn unless_panic(run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let words = "the engine ended with a panic: a fault of the program, whose message is in the log";
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(anyhow::anyhow!(words)))
}

/// Tells sources when the service stops, and then until when what senders have begun may be read.
fn drain_when(stop: &Arc<AtomicBool>, longest: Duration) -> watch::Receiver<Drain> {
    let (drain, told): (_, watch::Receiver<Drain>) = watch::channel(None);
    let stop = Arc::clone(stop);
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(STOP_POLL).await;
        }
        drain.send_replace(Some(tokio::time::Instant::now() + longest));
        // The word stands as long as somebody may ask for it.
        drain.closed().await;
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_panics_has_failed() {
        assert!(unless_panic(|| Ok(())).is_ok());
        let error = unless_panic(|| panic!("a fault")).unwrap_err();
        assert!(error.to_string().contains("ended with a panic"), "{error}");
    }
}
