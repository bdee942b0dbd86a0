//! One file for each command, and what the services share.

pub(crate) mod agent;
pub(crate) mod analyzer;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod detect;
pub(crate) mod input;
pub(crate) mod parse;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::auth::Auth;
use api::{AuditLog, Surroundings, TrustedProxies};
use store::{Store, Use};

use crate::cli::ServiceArguments;
use crate::clock;
use crate::config::Config;
use crate::outcome::Usage;

/// Longest that a service waits for its store at the start.
const STORE_WAIT: Duration = Duration::from_secs(60);
/// Between two tries to reach it.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// Rustls with ring: one provider for every connection of the process.
pub(crate) fn install_tls() {
    // Another caller in this process may have been first.
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
}

/// Whether the store is a server.
pub(crate) fn is_server(url: &str) -> bool {
    !url.starts_with("sqlite:")
}

/// The port that `--listen` is about.
#[derive(Clone, Copy, Debug)]
enum Port {
    Api,
    Ingest,
}

/// The configuration with what the command line says.
fn with_arguments(mut config: Config, arguments: &ServiceArguments, port: Port) -> Result<Config, Usage> {
    if let Some(url) = &arguments.store {
        crate::config::check_store_url(url).map_err(|reason| Usage(format!("--store: {reason}")))?;
        config.store.url.clone_from(url);
    }
    if let Some(text) = &arguments.listen {
        let address = crate::config::address(text)
            .ok_or_else(|| Usage(format!("--listen: `{text}` is not an address such as 127.0.0.1:3000")))?;
        match port {
            Port::Api => config.agent.listen = address,
            Port::Ingest => config.analyzer.http.listen = address,
        }
    }
    Ok(config)
}

/// Opens the store; a server that is still starting is waited for.
async fn open_store(url: &str, use_as: Use, stop: &AtomicBool) -> anyhow::Result<Arc<dyn Store>> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match store::open(url, use_as).await {
            Err(error) if error.is_passing() && started.elapsed() < STORE_WAIT && !stop.load(Ordering::Relaxed) => {
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
