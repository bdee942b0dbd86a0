//! `c0di3 db migrate|check`: the store's tables, and whether what is in them agrees.

use std::io::Write;

use anyhow::Context;
use store::people::IncidentQuery;
use store::{Mark, Use};
use tokio::runtime::Runtime;

use crate::cli::DbCommand;
use crate::config::Config;
use crate::outcome::{Outcome, tell};

/// Findings that are read at once.
const STEP: u32 = 5_000;

pub(crate) fn run(config: &Config, command: &DbCommand) -> anyhow::Result<Outcome> {
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        // Opening brings the tables up to date.
        let store = store::open(&config.store_url, Use::Commit).await?;
        if matches!(command, DbCommand::Check) {
            let (mut findings, mut incidents, mut linked) = (0_u64, 0_u64, 0_u64);
            let mut mark = Mark::START;
            loop {
                let page = store.changed_after(mark, STEP).await?;
                findings += page.len() as u64;
                match page.last() {
                    Some(last) => mark = Mark::from(last),
                    None => break,
                }
            }
            let mut problems = Vec::new();
            let mut query = IncidentQuery { limit: 500, ..IncidentQuery::default() };
            loop {
                let page = store.incidents(&query).await?;
                for incident in &page {
                    incidents += 1;
                    linked += incident.findings;
                    let links = store.links(incident.id, u32::MAX >> 1).await?;
                    let events: u64 = links.iter().map(|link| link.events).sum();
                    if links.len() as u64 != incident.findings || events != incident.events {
                        problems.push(format!(
                            "incident {}: {} findings and {} events by its row, {} and {events} by its links",
                            incident.id,
                            incident.findings,
                            incident.events,
                            links.len()
                        ));
                    }
                    let history = store.history(incident.id, 0, u32::MAX >> 1).await?;
                    if !history.iter().enumerate().all(|(at, entry)| entry.number == at as u64 + 1) {
                        problems.push(format!("incident {}: its history has gaps", incident.id));
                    }
                }
                let Some(last) = page.last() else { break };
                query.after = Some((last.last_seen.unwrap_or(last.created_at).0, last.id));
            }
            writeln!(
                std::io::stdout(),
                "{{\"findings\":{findings},\"incidents\":{incidents},\"linked\":{linked},\"problems\":{}}}",
                problems.len()
            )?;
            problems.iter().for_each(|problem| tell(problem));
            if !problems.is_empty() {
                return Ok(Outcome::Failed);
            }
        } else {
            tell("the tables are up to date");
        }
        store.close().await;
        Ok(Outcome::Done)
    })
}
