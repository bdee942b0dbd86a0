//! `c0di3 token create|list|revoke`. A token is shown once, when it is made.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use anyhow::Context;
use event::Timestamp;
use event::time::parse_span_us;
use store::Use;
use store::audit::By;
use store::people::Role;
use tokio::runtime::Runtime;

use crate::cli::TokenCommand;
use crate::clock;
use crate::config::Config;
use crate::outcome::{Outcome, Usage, tell};

pub(crate) fn run(config: &Config, command: &TokenCommand) -> anyhow::Result<Outcome> {
    super::name_store(&config.store.url);
    if !matches!(command, TokenCommand::Create { .. }) {
        super::check_is_there(&config.store.url)?;
    }
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let store = store::open(&config.store.url, Use::Ask).await?;
        match command {
            TokenCommand::Create { role, name, expires } => {
                let role: Role = role.parse().map_err(|reason| Usage(format!("--role: {reason}")))?;
                let now = clock::now();
                let expires_at = expires.as_deref().map(|text| expiry(text, now)).transpose()?;
                let name = name.clone().unwrap_or_else(|| role.name().to_owned());
                let (text, token) = api::auth::new_token(&name, role, now, expires_at)?;
                store.add_token_by(&token, &by("c0di3 token create")).await.context("cannot keep the token")?;
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
                if !store.revoke_token_by(id, &by("c0di3 token revoke"), clock::now()).await? {
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

/// Whoever runs the command, as the operating system knows them.
pub(super) fn by(command: &str) -> By {
    // The process's own folder belongs to its user, whatever its environment says.
    let actor = match std::fs::metadata("/proc/self").map(|own| own.uid()) {
        Ok(uid) => user_name(&std::fs::read_to_string("/etc/passwd").unwrap_or_default(), uid),
        Err(_) => "unknown".to_owned(),
    };
    By { actor: format!("os:{actor}"), method: "command".to_owned(), route: command.to_owned(), ..By::default() }
}

/// The name in front of the number; the number where it has none.
fn user_name(accounts: &str, uid: u32) -> String {
    let number = uid.to_string();
    let account = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut names = account.filter(|parts| parts.get(2) == Some(&number.as_str()));
    names.next().map_or_else(|| format!("uid {uid}"), |parts| parts[0].to_owned())
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Usage> {
    let span = parse_span_us(text).filter(|span| *span > 0);
    let span = span.ok_or_else(|| Usage(format!("--expires: `{text}` is not a time span such as 90d")))?;
    Ok(now.saturating_add_us(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_the_command_is_named_by_the_system() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbroken\n";
        assert_eq!((user_name(accounts, 1000), user_name(accounts, 7)), ("ann".to_owned(), "uid 7".to_owned()));
        let by = by("c0di3 token create");
        assert!(by.actor.starts_with("os:") && by.actor != "os:unknown", "{by:?}");
    }
}
