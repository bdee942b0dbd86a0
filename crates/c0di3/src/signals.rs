//! SIGINT and SIGTERM: the first asks to stop in order, the second stops at once. Signals that end a process which does not
//! expect them end no service: SIGUSR2 writes a heap profile, SIGUSR1 tells that the service is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::heap::{Profiles, Written};

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

/// What SIGHUP does beside what is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// The rules are loaded again, by whoever holds them.
    LoadsRules,
    /// Nothing.
    Nothing,
}

/// Lets the service outlive SIGHUP, SIGUSR1 and SIGUSR2. SIGPIPE is ignored from the start by the standard library. Must
/// run inside the runtime, before anything that takes time.
pub(crate) fn outlive(profiles: Profiles, hangup: Hangup) -> anyhow::Result<()> {
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let mut first = signal(SignalKind::user_defined1()).context("cannot listen for SIGUSR1")?;
    let mut second = signal(SignalKind::user_defined2()).context("cannot listen for SIGUSR2")?;
    tokio::spawn(async move {
        profiles.start().await;
        loop {
            tokio::select! {
                _ = hangups.recv() => if hangup == Hangup::Nothing {
                    tracing::info!("SIGHUP: this service has nothing to load again");
                },
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
