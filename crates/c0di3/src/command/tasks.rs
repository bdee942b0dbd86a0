//! `c0di3 tasks daily|weekly|monthly`: does what is due and can be done from here, and prints the rest as commands. It changes
//! nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use store::{Look, Use};
use tokio::runtime::Runtime;

use crate::cli::When;
use crate::clock;
use crate::config::Config;
use crate::outcome::Outcome;

const DAY_US: i64 = 86_400_000_000;
const DAY: Duration = Duration::from_secs(86_400);
/// Days after which a rotated log file is old.
const LOG_DAYS: u32 = 14;
/// Longest wait for `/health`.
const PATIENCE: Duration = Duration::from_secs(3);
/// Days that a disk should last.
const LAST_DAYS: f64 = 60.0;

/// What became of a task.
enum Became {
    /// Done, and all is well.
    Well(String),
    /// Done, and somebody should look.
    Look(String),
    /// To be done by a person, or by another program.
    Todo(String),
}

struct Task {
    name: &'static str,
    done: Became,
}

fn task(name: &'static str, done: Became) -> Task {
    Task { name, done }
}

fn todo(name: &'static str, command: &str) -> Task {
    task(name, Became::Todo(command.to_owned()))
}

pub(crate) fn run(config: &Config, when: When) -> anyhow::Result<Outcome> {
    super::name_store(&config.store.url);
    super::install_tls();
    let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
    let now = clock::now();
    let look = runtime.block_on(store::look(&config.store.url, now));
    let look = look.map_err(|error| format!("the store cannot be looked at: {error}"));
    let tasks = match when {
        When::Daily => daily(config, &look),
        When::Weekly => runtime.block_on(weekly(config, &look)),
        When::Monthly => monthly(config, &look),
    };
    let mut out = std::io::stdout().lock();
    for Task { name, done } in &tasks {
        let (word, text) = match done {
            Became::Well(text) => ("done", text),
            Became::Look(text) => ("LOOK", text),
            Became::Todo(text) => ("todo", text),
        };
        writeln!(out, "{word}  {name}: {text}")?;
    }
    let ill = tasks.iter().any(|task| matches!(task.done, Became::Look(_)));
    Ok(if ill { Outcome::Failed } else { Outcome::Done })
}

fn daily(config: &Config, look: &Result<Look, String>) -> Vec<Task> {
    vec![
        task("error log", errors(config)),
        task("health", health(config.agent.health_listen)),
        task("backup", last(look, "backup", 26)),
        task("disk", disk(config)),
        todo("resources", "kubectl top pods -n core-agent, docker stats, or the board C0Di3 operations"),
    ]
}

async fn weekly(config: &Config, look: &Result<Look, String>) -> Vec<Task> {
    vec![
        task("store", recount(config).await),
        task("restore", last(look, "drill", 192)),
        task("old logs", old_logs(config)),
        todo("performance", "the board C0Di3 operations, over seven days; c0di3 doctor"),
        todo("dependencies", "make deny, in a checkout of this version"),
        todo("security alerts", &asked(config, "incidents?severity=P0,P1&status=new")),
    ]
}

fn monthly(config: &Config, look: &Result<Look, String>) -> Vec<Task> {
    vec![
        task("capacity", capacity(config, look)),
        task("tokens", tokens(look)),
        todo("security audit", &format!("{}; c0di3 token list", asked(config, "audit?outcome=refused"))),
        todo("performance", "the boards, over thirty days; c0di3 rules backtest on logs of one's own"),
        todo("disaster drill", "RUNBOOK.md, Database corruption, on a machine that is not needed"),
        todo("documentation", "RUNBOOK.md against what was done this month; addresses and people of the on-call table"),
    ]
}

/// A question to the API as people type it. The name in the certificate is theirs to know.
fn asked(config: &Config, question: &str) -> String {
    let port = config.agent.listen.port();
    let host = match config.access.tls.ports.contains(&"api.listen") {
        true => format!("https://NODE:{port}"),
        false => format!("localhost:{port}"),
    };
    format!("curl -H \"Authorization: Bearer $TOKEN\" '{host}/api/v1/{question}'")
}

fn errors(config: &Config) -> Became {
    let Some(folder) = &config.log.folder else {
        return Became::Todo("journalctl -u core-agent -u log-analyzer -p warning --since yesterday".to_owned());
    };
    let path = folder.join("error.log");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Became::Look(format!("cannot read {}", path.display()));
    };
    let since = event::Timestamp(clock::now().0 - DAY_US).to_string();
    // Lines begin with their time, in JSON behind `"timestamp":"`; both sort as text.
    let time = |line: &str| line.trim_start_matches("{\"timestamp\":\"").get(..19).map(str::to_owned);
    let fresh = text.lines().filter(|line| time(line).is_some_and(|time| *time >= since[..19])).count();
    match fresh {
        0 => Became::Well("nothing within a day".to_owned()),
        lines => Became::Look(format!("{lines} lines within a day: {}", path.display())),
    }
}

fn health(address: SocketAddr) -> Became {
    let mut answer = String::new();
    let asked = TcpStream::connect_timeout(&address, PATIENCE).and_then(|mut stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    match asked {
        Err(error) => Became::Look(format!("nobody answers at {address}: {error}")),
        Ok(_) if answer.contains("{\"status\":\"pass\"") => Became::Well("all parts pass".to_owned()),
        Ok(_) => Became::Look(format!("not all parts pass: curl http://{address}/health | jq .checks")),
    }
}

fn last(look: &Result<Look, String>, name: &str, hours: i64) -> Became {
    let look = match look {
        Ok(look) => look,
        Err(error) => return Became::Look(error.clone()),
    };
    match look.tasks.iter().find(|task| task.name == name) {
        None => Became::Look(format!("it has never succeeded: c0di3 db {name} FOLDER")),
        Some(task) if clock::now().0 - task.at.0 > hours * (DAY_US / 24) => {
            Became::Look(format!("it last succeeded at {}, more than {hours} hours ago", task.at))
        }
        Some(task) => Became::Well(format!("{} at {}", task.detail, task.at)),
    }
}

fn disk(config: &Config) -> Became {
    let folder = nearest(&config.analyzer.spool.folder);
    match rustix::fs::statvfs(&folder) {
        Err(error) => Became::Look(format!("cannot look at {}: {error}", folder.display())),
        Ok(stat) => {
            let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64;
            let share = 100.0 * used / (used + stat.f_bavail as f64).max(1.0);
            let words = format!("{share:.0} % of the spool's disk is used");
            if share > config.disk.warn { Became::Look(words) } else { Became::Well(words) }
        }
    }
}

fn nearest(path: &Path) -> std::path::PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// Counts what is kept again, as `c0di3 db check` does.
async fn recount(config: &Config) -> Became {
    if let Err(error) = super::check_is_there(&config.store.url) {
        return Became::Look(error.to_string());
    }
    let counted = async {
        let store = store::open(&config.store.url, Use::Commit).await?;
        let recount = store.recount(false, config.correlation.thresholds, clock::now()).await;
        store.close().await;
        recount
    };
    match counted.await {
        Err(error) => Became::Look(format!("it cannot be counted again: {error}")),
        Ok(recount) if recount.faults.is_empty() => {
            Became::Well(format!("{} findings and {} incidents add up", recount.findings, recount.incidents))
        }
        Ok(recount) => Became::Look(format!("{} faults: c0di3 db check", recount.faults.len() as u64 + recount.more)),
    }
}

fn old_logs(config: &Config) -> Became {
    let Some(folder) = &config.log.folder else { return Became::Todo("journalctl --vacuum-time=14d".to_owned()) };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Became::Look(format!("cannot read {}", folder.display()));
    };
    let is_old = |entry: &std::fs::DirEntry| {
        let changed = entry.metadata().and_then(|about| about.modified());
        let age = changed.ok().and_then(|changed| changed.elapsed().ok());
        age.is_some_and(|age| age > DAY * LOG_DAYS) && entry.file_name().to_string_lossy().contains(".log")
    };
    match entries.filter_map(Result::ok).filter(is_old).count() {
        0 => Became::Well(format!("none in {} is older than {LOG_DAYS} days", folder.display())),
        count => Became::Look(format!("{count} files in {} are older than {LOG_DAYS} days", folder.display())),
    }
}

fn capacity(config: &Config, look: &Result<Look, String>) -> Became {
    let size = match look {
        Ok(look) => look.size,
        Err(error) => return Became::Look(error.clone()),
    };
    let days = (clock::now().0 - size.since.0) as f64 / DAY_US as f64;
    if size.findings == 0 || days < 1.0 {
        return Became::Well(format!("{} bytes; there are not enough days to tell how it grows", size.bytes));
    }
    let daily = size.bytes as f64 / days;
    let words = format!("{} bytes, {} findings in {days:.0} days: {daily:.0} bytes a day", size.bytes, size.findings);
    let Some(path) = config.store.url.strip_prefix("sqlite:") else {
        return Became::Well(format!("{words}; df on the server tells how long its disk lasts"));
    };
    let Ok(stat) = rustix::fs::statvfs(nearest(Path::new(path))) else { return Became::Look(words) };
    let left = (stat.f_bavail * stat.f_frsize) as f64 / daily;
    let words = format!("{words}; its disk lasts {left:.0} days");
    if left < LAST_DAYS { Became::Look(words) } else { Became::Well(words) }
}

fn tokens(look: &Result<Look, String>) -> Became {
    match look {
        Ok(look) => Became::Todo(format!("{} are valid: c0di3 token list, and revoke what nobody needs", look.tokens)),
        Err(error) => Became::Look(error.clone()),
    }
}
