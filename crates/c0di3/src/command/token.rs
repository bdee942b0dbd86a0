//! `c0di3 token create|list|revoke`. A token is shown once, when it is made.

use std::io::Write;

use anyhow::Context;
use event::Timestamp;
use event::time::parse_span_us;
use store::Use;
use store::people::Role;
use tokio::runtime::Runtime;

use crate::cli::TokenCommand;
use crate::clock;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};

pub(crate) fn run(config: &Config, command: &TokenCommand) -> anyhow::Result<Outcome> {
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let store = store::open(&config.store_url, Use::Ask).await?;
        match command {
            TokenCommand::Create { role, name, expires } => {
                let role: Role = role.parse().map_err(|reason| Usage(format!("--role: {reason}")))?;
                let now = clock::now();
                let expires_at = expires.as_deref().map(|text| expiry(text, now)).transpose()?;
                let name = name.clone().unwrap_or_else(|| role.name().to_owned());
                let (text, token) = api::auth::new_token(&name, role, now, expires_at).map_err(anyhow::Error::msg)?;
                store.add_token(&token).await.context("cannot keep the token")?;
                writeln!(std::io::stdout(), "{text}")?;
                tell(&format!("the token `{name}` may do what {} may; it is not shown again", role.name()));
            }
            TokenCommand::List => {
                for token in store.tokens().await? {
                    let until = token.expires_at.map_or_else(|| "never".to_owned(), |time| time.to_string());
                    let state = if token.revoked { "revoked" } else { "valid" };
                    let created = token.created_at;
                    writeln!(
                        std::io::stdout(),
                        "{}\t{}\t{}\t{created}\t{until}\t{state}",
                        token.id,
                        token.role.name(),
                        token.name
                    )?;
                }
            }
            TokenCommand::Revoke { id } => {
                if !store.revoke_token(id).await? {
                    return Err(
                        Usage(format!("there is no valid token with the id `{id}`: see `c0di3 token list`")).into()
                    );
                }
                tell("revoked; services notice within seconds");
            }
        }
        store.close().await;
        Ok(Outcome::Done)
    })
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Usage> {
    let span = parse_span_us(text).filter(|span| *span > 0);
    let span = span.ok_or_else(|| Usage(format!("--expires: `{text}` is not a time span such as 90d")))?;
    Ok(now.saturating_add_us(span))
}
