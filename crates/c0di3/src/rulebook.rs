//! The rules of a running analyzer: loaded at the start, and again when somebody asks (SIGHUP, API) or a file changes.
//! A new set is read and compiled aside; one with problems that the old one did not have is refused, and the old one stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use api::AuditLog;
use api::rules::{ReloadRefused, RuleService, Unanswered, Wanted};
use async_trait::async_trait;
use correlate::{GroupView, explain_correlation};
use crossbeam_channel::{Receiver, Sender, bounded};
use event::{Block, LogSource};
use matcher::{MatchScratch, Matcher};
use parse::Parser;
use rules::explain::Explanation;
use rules::{Diagnostic, Loaded, RuleSet};
use serde_json::{Value, json};
use store::audit::{AuditEntry, By, Outcome};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinError;

use crate::clock;
use crate::pipeline::RulesInForce;
use crate::rule_files::RuleFiles;

/// Questions to the correlator that may wait.
const QUESTIONS_MAX: usize = 16;
/// Longest that a question waits for the correlator, which answers between two blocks.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Lines that one request may have explained.
const LINES_MAX: usize = 100;

/// A question to the correlator: the groups of a correlation.
pub(crate) struct Question {
    pub(crate) correlation: String,
    pub(crate) wanted: Wanted,
    pub(crate) answer: oneshot::Sender<Option<Vec<GroupView>>>,
}

/// What is in force, and how it came about.
#[derive(Debug)]
struct State {
    /// Sets that were put in force, the first one included.
    generation: u64,
    loaded_at: String,
    /// Hash of the texts that were last read, whether they came into force or not.
    seen: u128,
    /// Problems of the set in force: path and reason.
    known: ProblemCounts,
    /// Why the last attempt was refused.
    refused: Vec<Diagnostic>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    detection: usize,
    correlation: usize,
    filter: usize,
    rejected: usize,
    disabled: usize,
}

impl Counts {
    fn of(loaded: &Loaded) -> Self {
        Counts {
            detection: loaded.set.rules.len(),
            correlation: loaded.set.correlations.len(),
            filter: loaded.set.filters.len(),
            rejected: loaded.rejected().count(),
            disabled: loaded.disabled,
        }
    }

    fn shown(self) -> Value {
        json!({
            "detection": self.detection, "correlation": self.correlation, "filter": self.filter,
            "rejected": self.rejected, "disabled": self.disabled,
        })
    }
}

/// Problems by file and reason, each with how often it is there.
type ProblemCounts = BTreeMap<(String, String), usize>;

fn problems(loaded: &Loaded) -> ProblemCounts {
    let mut known = ProblemCounts::new();
    for problem in loaded.rejected() {
        *known.entry((problem.path.clone(), problem.reason.clone())).or_insert(0) += 1;
    }
    known
}

/// What a reload did.
enum Reloaded {
    /// The texts are those in force.
    Unchanged,
    Replaced(Value),
}

pub(crate) struct RuleBook {
    files: RuleFiles,
    declared: Option<LogSource>,
    parse: parse::Options,
    pub(crate) in_force: Arc<RulesInForce>,
    questions: Sender<Question>,
    state: Mutex<State>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

impl RuleBook {
    /// Loads the rules. A bad rule does not stop the others; it is told.
    pub(crate) fn open(
        files: RuleFiles,
        declared: Option<LogSource>,
        parse: parse::Options,
    ) -> anyhow::Result<(Self, Receiver<Question>)> {
        let texts = files.read()?;
        let seen = texts.digest();
        let loaded = texts.load();
        files.tell_problems(&loaded);
        let (questions, asked) = bounded(QUESTIONS_MAX);
        let state = State {
            generation: 1,
            loaded_at: clock::now().to_string(),
            seen,
            known: problems(&loaded),
            refused: Vec::new(),
            counts: Counts::of(&loaded),
        };
        metrics::gauge!("rules_generation").set(state.generation as f64);
        let in_force = Arc::new(RulesInForce::new(Matcher::new(Arc::new(loaded.set), declared.clone())));
        let (state, reloading) = (Mutex::new(state), Mutex::new(()));
        Ok((RuleBook { files, declared, parse, in_force, questions, state, reloading }, asked))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the files as they are now are not in force; `None` where they are.
    pub(crate) fn trouble(&self) -> Option<String> {
        let state = self.state();
        let first = state.refused.first()?;
        let count = state.refused.len();
        Some(format!("changed rules were refused, the old ones run on: {first} ({count} problem(s) in all)"))
    }

    /// Reads the files again and puts them in force. Blocks while rules are compiled.
    fn reload(&self, cause: &'static str) -> Result<Reloaded, Vec<Diagnostic>> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let outcome = self.try_reload(started);
        let word = match &outcome {
            Ok(Reloaded::Unchanged) => "unchanged",
            Ok(Reloaded::Replaced(_)) => "replaced",
            Err(_) => "refused",
        };
        metrics::counter!("rules_reloads_total", "cause" => cause, "outcome" => word).increment(1);
        match &outcome {
            Ok(Reloaded::Unchanged) => tracing::info!(cause, "the rules are as they were"),
            Ok(Reloaded::Replaced(report)) => tracing::info!(cause, %report, "changed rules are in force"),
            Err(refused) => {
                let problems = refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                tracing::error!(cause, problems, "changed rules were refused, the old ones run on");
            }
        }
        outcome
    }

    fn try_reload(&self, started: Instant) -> Result<Reloaded, Vec<Diagnostic>> {
        let texts = self.files.read().map_err(|error| self.refuse(0, vec![self.unreadable(&error)]))?;
        let digest = texts.digest();
        if self.state().seen == digest && self.state().refused.is_empty() {
            return Ok(Reloaded::Unchanged);
        }
        let loaded = texts.load();
        // As many of a kind as there were are no news; one more is.
        let mut known = self.state().known.clone();
        let is_new = |problem: &&Diagnostic| match known.get_mut(&(problem.path.clone(), problem.reason.clone())) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => true,
        };
        let mut new: Vec<Diagnostic> = loaded.rejected().filter(is_new).cloned().collect();
        new.extend(self.emptied(&loaded));
        if !new.is_empty() {
            return Err(self.refuse(digest, new));
        }
        let (counts, known) = (Counts::of(&loaded), problems(&loaded));
        let before = self.in_force.current();
        before.set().prepare();
        let matcher = Matcher::new(Arc::new(loaded.set), self.declared.clone());
        matcher.prepare_like(&before);
        let changes = changes(before.set(), matcher.set());
        self.in_force.replace(Arc::new(matcher));
        let mut state = self.state();
        state.generation += 1;
        state.loaded_at = clock::now().to_string();
        (state.seen, state.known, state.refused, state.counts) = (digest, known, Vec::new(), counts);
        metrics::gauge!("rules_generation").set(state.generation as f64);
        Ok(Reloaded::Replaced(json!({
            "status": "replaced", "generation": state.generation, "loaded": counts.shown(), "changes": changes,
            "seconds": (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
        })))
    }

    /// A rules folder that held rules and holds none any more is most likely about to be filled: a service without rules
    /// sees nothing.
    fn emptied(&self, loaded: &Loaded) -> Vec<Diagnostic> {
        let before = self.in_force.current();
        let lies_in = |path: &Path, set: &RuleSet| set.heads().any(|head| Path::new(&head.path).starts_with(path));
        let gone = |path: &&PathBuf| lies_in(path, before.set()) && !lies_in(path, &loaded.set);
        let problem = |path: &PathBuf| Diagnostic {
            path: path.display().to_string(),
            line: 1,
            column: 1,
            gravity: rules::Gravity::Error,
            reason: "no rule is left here: to do without its rules, take the path out of the configuration and restart"
                .to_owned(),
        };
        self.files.paths.iter().filter(gone).map(problem).collect()
    }

    fn refuse(&self, digest: u128, refused: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut state = self.state();
        state.seen = digest;
        state.refused.clone_from(&refused);
        refused
    }

    fn unreadable(&self, error: &anyhow::Error) -> Diagnostic {
        let path = self.files.paths.first().map_or_else(String::new, |path| path.display().to_string());
        Diagnostic { path, line: 1, column: 1, gravity: rules::Gravity::Error, reason: format!("{error:#}") }
    }

    /// Reloads on SIGHUP, and when the files have changed and then stayed as they are for one look.
    pub(crate) fn watch(
        self: &Arc<Self>,
        every: Option<Duration>,
        stop: &Arc<AtomicBool>,
        audit: AuditLog,
    ) -> anyhow::Result<()> {
        let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let (book, by_signal) = (Arc::clone(self), audit.clone());
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let book = Arc::clone(&book);
                let told = tokio::task::spawn_blocking(move || told("signal", &book.reload("signal"))).await;
                if let Some(entry) = unless_failed(told) {
                    by_signal.record(entry).await;
                }
            }
        });
        let Some(every) = every else { return Ok(()) };
        let (book, stop) = (Arc::clone(self), Arc::clone(stop));
        tokio::spawn(async move {
            let mut before = None;
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(every).await;
                let looking = Arc::clone(&book);
                let looked = tokio::task::spawn_blocking(move || looking.look(before)).await;
                let (now, entry) = unless_failed(looked).unwrap_or((None, None));
                before = now;
                if let Some(entry) = entry {
                    audit.record(entry).await;
                }
            }
        });
        Ok(())
    }

    /// Reads the rule files once, and reloads them where they differ from those in force and equal those of the call
    /// before, so that no half-written file is loaded. Gives their digest, and the audit entry of a reload.
    fn look(&self, before: Option<u128>) -> (Option<u128>, Option<AuditEntry>) {
        // A file that is just being replaced is looked at again.
        let now = self.files.read().map_or(0, |texts| texts.digest());
        let is_new = now != self.state().seen && before == Some(now);
        (Some(now), is_new.then(|| told("file", &self.reload("file"))))
    }

    fn explained(&self, rule: &str, lines: &str) -> Option<Value> {
        let matcher = self.in_force.current();
        let set = matcher.set();
        let block = Block::detached("request", lines.as_bytes().to_vec(), clock::now());
        let batch = Parser::new(self.parse.clone()).parse(block);
        let Some(index) = set.find(rule) else {
            let id = &set.find_correlation(rule)?.rule.head.id;
            let hits = matcher.hits(&batch, &mut MatchScratch::default());
            return Some(json!(explain_correlation(set, id, hits)?));
        };
        let rule = &set.rules[index].head;
        let shown: Vec<Value> = (0..batch.rows().min(LINES_MAX))
            .map(|row| {
                let Explanation { matched, parts } = matcher.explain(index, &batch, row);
                json!({"line_no": batch.line_no(row), "matched": matched, "parts": parts})
            })
            .collect();
        Some(json!({
            "rule": {"id": rule.id, "title": rule.title}, "lines": shown,
            "lines_left_out": batch.rows().saturating_sub(LINES_MAX),
        }))
    }
}

/// What a thread that worked on rules found. One that failed is a fault of ours, and told.
fn unless_failed<T>(worked: Result<T, JoinError>) -> Option<T> {
    worked.inspect_err(|error| tracing::error!(%error, "work on rules ended in an unexpected way")).ok()
}

/// What the audit log says of a reload that no request asked for.
fn told(cause: &str, outcome: &Result<Reloaded, Vec<Diagnostic>>) -> AuditEntry {
    let (outcome, detail) = match outcome {
        Ok(Reloaded::Unchanged) => (Outcome::Done, "the rules are as they were".to_owned()),
        Ok(Reloaded::Replaced(report)) => (Outcome::Done, format!("replaced: {}", report["changes"])),
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            (Outcome::Refused, format!("{} problem(s), the first: {first}", problems.len()))
        }
    };
    AuditEntry::new(clock::now(), By::named(cause), "rules.reload", "", outcome).saying(detail)
}

/// Ids of rules that came, went, and mean something else.
fn changes(before: &RuleSet, after: &RuleSet) -> Value {
    let (before, after) = (before.meanings(), after.meanings());
    let added: Vec<&str> = after.keys().filter(|id| !before.contains_key(*id)).copied().collect();
    let removed: Vec<&str> = before.keys().filter(|id| !after.contains_key(*id)).copied().collect();
    let differs = |(id, mark): &(&&str, &u128)| before.get(*id).is_some_and(|known| known != *mark);
    let changed: Vec<&str> = after.iter().filter(differs).map(|(id, _)| *id).collect();
    let unchanged = after.len() - added.len() - changed.len();
    json!({"added": added, "removed": removed, "changed": changed, "unchanged": unchanged})
}

/// What the API asks.
pub(crate) struct RuleDesk(pub(crate) Arc<RuleBook>);

#[async_trait]
impl RuleService for RuleDesk {
    fn status(&self) -> Value {
        let state = self.0.state();
        let problems = |refused: &[Diagnostic]| refused.iter().map(|problem| json!(problem)).collect::<Vec<_>>();
        json!({
            "generation": state.generation, "loaded_at": state.loaded_at, "loaded": state.counts.shown(),
            "refused": problems(&state.refused),
        })
    }

    async fn reload(&self) -> Result<Value, ReloadRefused> {
        let book = Arc::clone(&self.0);
        let reloaded = tokio::task::spawn_blocking(move || book.reload("request")).await;
        match unless_failed(reloaded).ok_or(ReloadRefused::Failed)? {
            Ok(Reloaded::Unchanged) => Ok(json!({"status": "unchanged", "generation": self.0.state().generation})),
            Ok(Reloaded::Replaced(report)) => Ok(report),
            Err(problems) => Err(ReloadRefused::Problems(problems)),
        }
    }

    async fn explain(&self, rule: String, lines: String) -> Option<Value> {
        let book = Arc::clone(&self.0);
        unless_failed(tokio::task::spawn_blocking(move || book.explained(&rule, &lines)).await).flatten()
    }

    async fn groups(&self, rule: String, wanted: Wanted) -> Result<Value, Unanswered> {
        let matcher = self.0.in_force.current();
        let bound = matcher.set().find_correlation(&rule).ok_or(Unanswered::NoSuchRule)?;
        let (answer, answered) = oneshot::channel();
        let question = Question { correlation: bound.rule.head.id.clone(), wanted, answer };
        self.0.questions.try_send(question).map_err(|_| Unanswered::Busy)?;
        let answered = tokio::time::timeout(ANSWER_MAX, answered).await;
        // A rule that has just come is counted from the next block on.
        let groups = answered.ok().and_then(Result::ok).ok_or(Unanswered::Busy)?.unwrap_or_default();
        Ok(json!({
            "rule": {"id": bound.rule.head.id, "title": bound.rule.head.title},
            "asks_for": bound.rule.asks_for(), "groups": groups,
        }))
    }
}

#[cfg(test)]
mod tests;
