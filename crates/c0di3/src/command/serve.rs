//! `c0di3 serve`: analyzer and agent in one process, on the embedded stores unless told otherwise.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::HealthState;
use store::Use;
use tokio::runtime::Runtime;

use crate::cli::ServiceArguments;
use crate::command::agent::{Agent, Listeners};
use crate::command::analyzer::Analyzer;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::service::Ports;
use crate::{signals, telemetry};

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
    signals::outlive(config.log.profiles(), signals::Hangup::LoadsRules)?;
    let listeners = Listeners::bind(&config).await?;
    // People and the committer do not share connections.
    let asked = super::open_store(&config.store.url, Use::Ask, &stop).await?;
    let written = super::open_store(&config.store.url, Use::Commit, &stop).await?;
    let auth = super::auth(&config, &asked);
    let mut ports = Ports::new(super::surroundings(&config, &asked));
    let mut analyzer = Analyzer::start(config.clone(), Arc::clone(&written), Arc::clone(&stop)).await?;
    let mut agent = Agent::new(config, Arc::clone(&asked))?;
    agent.add_checks(analyzer.checks(false));
    let checks = analyzer.checks(true).into();
    let health = HealthState::new("log-analyzer", checks, metrics.clone(), Arc::clone(&ports.draining));
    analyzer.serve(&mut ports, health, auth.clone())?;
    agent.serve(&mut ports, listeners, metrics, auth)?;
    ports.run_until(&stop).await;
    analyzer.finish().await?;
    asked.close().await;
    written.close().await;
    tracing::info!("stopped");
    Ok(())
}
