//! SIGINT and SIGTERM: the first asks to stop in order, the second stops at once. Signals that end a process which does not
//! expect them end no service: SIGUSR2 writes a heap profile, SIGUSR1 tells that the service is there, SIGHUP opens log files
//! again and reads their level.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config;
use crate::heap::{Profiles, Written};
use crate::ports::STOP_POLL;
use crate::telemetry::Logs;

/// Exit code of a process that was told twice, as shells count it for SIGINT.
const AT_ONCE: i32 = 130;

/// Sets the flag at the first signal and ends the process at the second. Must run inside the runtime.
pub(crate) fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(AT_ONCE);
            }
        }
    });
    Ok(stop)
}

/// Ends when the process is told to stop.
pub(crate) async fn told(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
}

/// Lets the service outlive SIGHUP, SIGUSR1 and SIGUSR2. SIGPIPE is ignored from the start by the standard library. Must
/// run inside the runtime, before anything that takes time. At SIGHUP the analyzer also loads its rules again, by itself.
pub(crate) fn outlive(profiles: Profiles, logs: Logs, path: Option<PathBuf>) -> anyhow::Result<()> {
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let mut first = signal(SignalKind::user_defined1()).context("cannot listen for SIGUSR1")?;
    let mut second = signal(SignalKind::user_defined2()).context("cannot listen for SIGUSR2")?;
    tokio::spawn(async move {
        profiles.start().await;
        loop {
            tokio::select! {
                _ = hangups.recv() => renew(&logs, path.as_deref()),
                _ = first.recv() => {
                    tracing::info!("SIGUSR1: the service runs; SIGUSR2 writes a heap profile, /health tells its state");
                }
                // Signals that come while a profile is written are one.
                _ = second.recv() => write_profile(profiles.clone()).await,
            }
        }
    });
    Ok(())
}

/// Log files anew, and the level that the configuration names now; a configuration that is wrong changes no level.
fn renew(logs: &Logs, path: Option<&Path>) {
    logs.reopen();
    let level = config::load(path).map(|config| config.log.level);
    match level.and_then(|level| logs.write_from(level).map(|()| level)) {
        Ok(level) => tracing::info!(%level, "SIGHUP: the log files are opened again"),
        Err(error) => tracing::error!("SIGHUP: the level of the logs stays as it was: {error:#}"),
    }
}

async fn write_profile(profiles: Profiles) {
    let written = tokio::task::spawn_blocking(move || profiles.write()).await;
    match written.map_err(anyhow::Error::from).and_then(|written| written) {
        Ok(Written { path, bytes, took_us, deleted }) => {
            metrics::counter!("heap_profiles_total").increment(1);
            tracing::info!(path = %path.display(), bytes, took_us, deleted, "SIGUSR2: heap profile written");
        }
        Err(error) => {
            metrics::counter!("heap_profiles_failed_total").increment(1);
            tracing::error!("SIGUSR2: no heap profile: {error:#}");
        }
    }
}
