//! `c0di3 top` and `c0di3 tap`: what a running analyzer says of its senders, and samples of what passes its stages. Both ask its HTTP port; data
//! goes to standard output.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::cli::{LiveArguments, TapArguments, TopArguments};
use crate::config::Config;
use crate::outcome::{Outcome, Usage};

/// Longest wait for an answer: a tap waits for samples.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Rows that are shown where no terminal says how many fit.
const ROWS: usize = 40;

/// Who is asked, and how.
struct AskedAnalyzer {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl AskedAnalyzer {
    fn new(config: &Config, arguments: &LiveArguments) -> anyhow::Result<Self> {
        super::install_tls();
        let url = match &arguments.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", config.analyzer.http.listen),
        };
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build().context("no HTTP client")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
        Ok(AskedAnalyzer { runtime, client, url, token: arguments.token.clone() })
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<String> {
        let mut url =
            format!("{}{path}", self.url).parse::<reqwest::Url>().map_err(|error| Usage(error.to_string()))?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let mut answer = request.send().await.with_context(|| format!("no analyzer answers at {}", self.url))?;
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await.context("the answer broke off")? {
                anyhow::ensure!(body.len() + part.len() <= ANSWER_BYTES_MAX, "the answer is too long");
                body.extend_from_slice(&part);
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            anyhow::ensure!(answer.status().is_success(), "{}: {body}", answer.status());
            Ok(body)
        })
    }
}

/// Shows senders until it is interrupted; once where nobody watches.
pub(crate) fn top(config: &Config, arguments: &TopArguments) -> anyhow::Result<Outcome> {
    let analyzer = AskedAnalyzer::new(config, &arguments.live)?;
    let is_watched = std::io::stdout().is_terminal() && !arguments.once;
    loop {
        let told: Value = serde_json::from_str(&analyzer.ask("/api/v1/sources", &[])?).context("no answer of ours")?;
        let table = table(&told, if is_watched { ROWS } else { usize::MAX });
        let mut out = std::io::stdout().lock();
        if !is_watched {
            out.write_all(table.as_bytes())?;
            return Ok(Outcome::Done);
        }
        // To the first place of an empty screen.
        write!(out, "\u{1B}[H\u{1B}[2J{table}")?;
        out.flush()?;
        drop(out);
        std::thread::sleep(Duration::from_secs(arguments.every.max(1)));
    }
}

/// The busiest first.
fn table(told: &Value, rows: usize) -> String {
    let empty = Vec::new();
    let mut senders: Vec<&Value> = told["data"].as_array().unwrap_or(&empty).iter().collect();
    let number = |sender: &Value, key: &str| sender[key].as_u64().unwrap_or(0);
    senders.sort_by_key(|sender| {
        let last_minute = sender["pace"]["last_minute"].as_u64().unwrap_or(0);
        (
            std::cmp::Reverse((last_minute, number(sender, "received"))),
            sender["source"].as_str().unwrap_or("").to_owned(),
        )
    });
    let mut out = format!(
        "{:<40} {:>9} {:>9} {:>11} {:>11} {:>9} {:>8} {:>8} {:>8} {:>7}  {}\n",
        "SOURCE",
        "LAST MIN",
        "USUAL",
        "RECEIVED",
        "COMMITTED",
        "IN FLIGHT",
        "LAG s",
        "LOST",
        "UNPARSED",
        "SKEW s",
        "LAST"
    );
    for sender in senders.iter().take(rows) {
        let lost = sender["lost"].as_object().into_iter().flatten().filter_map(|(_, by)| by.as_object()).flatten();
        let lost: u64 = lost.filter_map(|(_, number)| number.as_u64()).sum();
        let skew = sender["clock_skew_seconds"].as_f64().map_or_else(|| "-".to_owned(), |skew| format!("{skew:.0}"));
        // Senders name nothing themselves but their addresses; and yet nothing may move the cursor.
        let name: String =
            sender["source"].as_str().unwrap_or("").chars().filter(|letter| !letter.is_control()).collect();
        out.push_str(&format!(
            "{name:<40} {:>9} {:>9.1} {:>11} {:>11} {:>9} {:>8.1} {lost:>8} {:>8} {skew:>7}  {}\n",
            sender["pace"]["last_minute"].as_u64().unwrap_or(0),
            sender["pace"]["usual_minute"].as_f64().unwrap_or(0.0),
            number(sender, "received"),
            number(sender, "committed"),
            number(sender, "in_flight"),
            sender["lag_seconds"].as_f64().unwrap_or(0.0),
            number(sender, "unparsed"),
            sender["last_event"].as_str().unwrap_or("-"),
        ));
    }
    if senders.len() > rows {
        out.push_str(&format!("and {} more\n", senders.len() - rows));
    }
    out
}

/// Prints samples until there are enough, or the time is over.
pub(crate) fn tap(config: &Config, arguments: &TapArguments) -> anyhow::Result<Outcome> {
    let analyzer = AskedAnalyzer::new(config, &arguments.live)?;
    let until = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut left = arguments.limit;
    while left > 0 {
        let wait = until.map_or(10, |until| until.saturating_duration_since(Instant::now()).as_secs().clamp(1, 10));
        let (limit, wait) = (left.min(1000).to_string(), wait.to_string());
        let mut parameters = vec![("stage", arguments.stage.as_str()), ("limit", &limit), ("wait", &wait)];
        parameters.extend(arguments.filter.as_deref().map(|filter| ("filter", filter)));
        let samples = analyzer.ask("/api/v1/tap", &parameters)?;
        let mut out = std::io::stdout().lock();
        out.write_all(samples.as_bytes())?;
        out.flush()?;
        left = left.saturating_sub(samples.lines().count());
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table;

    #[test]
    fn the_busiest_sender_stands_first_and_nothing_moves_the_cursor() {
        let sender = |name: &str, last_minute: u64| {
            json!({"source": name, "received": 7, "committed": 4, "duplicates": 0, "in_flight": 1, "lag_seconds": 0.25,
                "lost": {"dropped": {"spool": 2}}, "unparsed": 0, "pace": {"last_minute": last_minute, "usual_minute": 2.5},
                "clock_skew_seconds": null, "last_event": "2026-11-23T10:00:00Z"})
        };
        let told = json!({"data": [sender("a", 1), sender("b\u{1B}[2J", 5), sender("c", 0)]});
        let shown = table(&told, 2);
        let rows: Vec<&str> = shown.lines().collect();
        assert!(rows[1].starts_with("b[2J ") && rows[2].starts_with("a "), "{shown}");
        assert_eq!(rows[3], "and 1 more");
        assert!(!shown.contains('\u{1B}') && rows[2].contains(" 2 "));
    }
}
