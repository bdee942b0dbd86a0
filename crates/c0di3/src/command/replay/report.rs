//! What a replay prints: each finding once, when it has ended, and one line that sums up.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::Duration;

use correlate::{Change, CorrelatorCounts};
use event::batch::Counts;
use event::{Finding, FindingId};
use rules::{Exception, Exceptions};

use crate::cli::OutputFormat;
use crate::command::replay::printable::printable;
use crate::command::replay::ranked::Ranked;
use crate::outcome::tell;
use crate::screen::{Paint, Screen};

/// Columns of a severity.
const SEVERITY_WIDTH: usize = 3;

/// Prints findings to standard output.
pub(crate) struct Report {
    format: OutputFormat,
    out: BufWriter<Screen>,
    /// Findings that may still grow.
    open: BTreeMap<FindingId, Finding>,
    printed: u64,
    ranked: Ranked,
    /// Findings are kept elsewhere, so that the work goes on when nobody reads them here any more.
    kept: bool,
    reader_gone: bool,
}

impl Report {
    pub(crate) fn new(format: OutputFormat, kept: bool) -> Self {
        let screen = if format == OutputFormat::Ndjson { Screen::plain() } else { Screen::open() };
        let out = BufWriter::new(screen);
        Report { format, out, open: BTreeMap::new(), printed: 0, ranked: Ranked::default(), kept, reader_gone: false }
    }

    pub(crate) fn take(&mut self, changes: &[Change]) -> anyhow::Result<()> {
        for change in changes {
            if change.open {
                self.open.insert(change.finding.id, change.finding.clone());
            } else {
                self.open.remove(&change.finding.id);
                self.print(&change.finding)?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let flushed = self.out.flush();
        Ok(self.unless_gone(flushed)?)
    }

    /// A reader that went away (`| head`) ends the printing, and the work only where its result would be lost.
    fn unless_gone(&mut self, written: std::io::Result<()>) -> std::io::Result<()> {
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && self.kept => {
                self.reader_gone = true;
                Ok(())
            }
            other => other,
        }
    }

    pub(crate) fn print_open(&mut self) -> anyhow::Result<()> {
        let mut open: Vec<Finding> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|finding| (finding.span.first_seen, finding.id));
        for finding in &open {
            self.print(finding)?;
        }
        let mut text = Vec::new();
        let painted = self.ranked.write(&mut text, |paint, words| self.out.get_ref().paint(paint, words));
        let written = painted.and_then(|()| self.out.write_all(&text));
        self.unless_gone(written)?;
        self.flush()
    }

    pub(crate) fn printed(&self) -> u64 {
        self.printed
    }

    fn print(&mut self, finding: &Finding) -> anyhow::Result<()> {
        self.printed += 1;
        if self.reader_gone {
            return Ok(());
        }
        let written = match self.format {
            OutputFormat::Ndjson => {
                let line = serde_json::to_string(finding)?;
                self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"))
            }
            OutputFormat::Table => self.print_row(finding),
            OutputFormat::Report => {
                self.ranked.take(finding);
                Ok(())
            }
        };
        Ok(self.unless_gone(written)?)
    }

    fn print_row(&mut self, finding: &Finding) -> std::io::Result<()> {
        if self.printed == 1 {
            let head = "SEV SCORE LEVEL         FIRST SEEN            COUNT  WHO                       RULE";
            let head = self.out.get_ref().paint(Paint::Head, head);
            writeln!(self.out, "{head}")?;
        }
        let time = finding.span.first_seen.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let entities = &finding.entities;
        let who = entities.source_ip.first().or(entities.user_name.first()).or(entities.host_name.first());
        let who = printable(who.map_or("-", String::as_str));
        let severity = finding.rating.severity;
        let start = format!(
            "{:>5} {:<13} {time:<21.20} {:>5}  {who:<25}",
            finding.rating.score,
            finding.rule.level.name(),
            finding.span.count,
        );
        let screen = self.out.get_ref();
        let titles = screen.fit(printable(&titles(finding)).to_string(), SEVERITY_WIDTH + start.chars().count() + 2);
        let severity = screen.paint(Paint::Of(severity), &format!("{:<SEVERITY_WIDTH$}", severity.name()));
        writeln!(self.out, "{severity} {start} {titles}")
    }
}

/// Titles of the rules of a finding: the one that leads first.
fn titles(finding: &Finding) -> String {
    finding.rules().map(|(_, title)| title).collect::<Vec<_>>().join(" + ")
}

/// What a run did.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) events: u64,
    pub(super) rejected: u64,
    /// Lines of no known format.
    text: u64,
    /// What is told of lines, as far as it is told in sum.
    told: Counts,
    /// Sources with lines that have no fields.
    plain: BTreeMap<String, Plain>,
    /// Findings printed: new ones, and ones that have grown.
    pub(super) findings: u64,
    pub(super) new_findings: u64,
    /// Sources that could not be read to their end.
    pub(super) failed: u64,
    /// Events of no known shape.
    pub(super) unknown: parse::UnknownShapes,
}

/// Lines of one source.
#[derive(Debug, Default)]
struct Plain {
    events: u64,
    text: u64,
    rejected: u64,
}

/// Keys of the most frequent shape that are told.
const KEYS_TOLD_MAX: usize = 8;

/// Nothing is read silently without being understood.
fn tell_unknown(unknown: &parse::UnknownShapes) {
    let events = unknown.events();
    let sets = unknown.sets();
    let Some(first) = sets.first().filter(|_| events > 0) else { return };
    let told: Vec<String> = first.keys.iter().take(KEYS_TOLD_MAX).map(|key| printable(key).to_string()).collect();
    tell(&format!(
        "note: {events} event(s) are of no known shape ({} set(s) of keys, the most frequent with {} of them: {}); their fields \
         are guessed: `c0di3 formats unknown FILE` tells more",
        sets.len(),
        first.events,
        told.join(", "),
    ));
}

/// Sources that are told by their names; the rest is summed up.
const PLAIN_TOLD_MAX: usize = 10;

impl Totals {
    /// `failed` sources could not even be opened.
    pub(super) fn new(failed: u64) -> Self {
        Totals { failed, ..Totals::default() }
    }

    pub(super) fn add(&mut self, source: &str, events: u64, counts: Counts) {
        self.events += events;
        self.rejected += counts.rejected;
        self.text += counts.text;
        if !self.plain.contains_key(source) {
            self.plain.insert(source.to_owned(), Plain::default());
        }
        if let Some(plain) = self.plain.get_mut(source) {
            plain.events += events;
            plain.text += counts.text;
            plain.rejected += counts.rejected;
        }
        self.told.mended += counts.mended;
        self.told.repaired += counts.repaired;
        self.told.cut += counts.cut;
        self.told.ambiguous += counts.ambiguous;
        self.told.ahead += counts.ahead;
        self.told.in_pieces += counts.in_pieces;
        self.told.fields_dropped += counts.fields_dropped;
    }

    /// Which sources hold lines without fields, those with most of them first.
    fn tell_plain(&self) {
        let mut plain: Vec<_> = self.plain.iter().filter(|(_, plain)| plain.text + plain.rejected > 0).collect();
        plain.sort_by_key(|(_, plain)| std::cmp::Reverse(plain.text + plain.rejected));
        for (name, Plain { events, text, rejected }) in plain.iter().take(PLAIN_TOLD_MAX) {
            let name = printable(name);
            if *text > 0 {
                tell(&format!(
                    "note: {name}: {text} of {events} line(s) are text of no known format; keywords judge them"
                ));
            }
            if *rejected > 0 {
                tell(&format!("note: {name}: {rejected} of {events} line(s) break their format and were rejected"));
            }
        }
        let more = plain.iter().skip(PLAIN_TOLD_MAX);
        let lines: u64 = more.clone().map(|(_, plain)| plain.text + plain.rejected).sum();
        if lines > 0 {
            tell(&format!("note: {} more file(s) hold {lines} such line(s)", more.count()));
        }
    }

    /// Everything out of the ordinary, then the line that sums up.
    pub(super) fn tell(&self, elapsed: Duration, correlator: CorrelatorCounts, exceptions: &Exceptions) {
        for exception in exceptions.iter() {
            let Exception { name, owner, .. } = exception;
            match exception.take_hits() {
                0 => tell(&format!("note: the exception `{name}` of {owner} has left nothing out")),
                hits => tell(&format!("note: the exception `{name}` of {owner} has left out {hits} hit(s)")),
            }
        }
        self.tell_plain();
        tell_unknown(&self.unknown);
        for (count, what) in [
            (self.told.mended, "JSON line(s) held escapes that JSON does not know; they are kept as they stand"),
            (self.told.repaired, "line(s) held bytes that are not UTF-8; they were replaced"),
            (self.told.cut, "line(s) were longer than the limit and have been cut"),
            (
                self.told.ambiguous,
                "line(s) name several clients, so that none counts; they have the tag ambiguous_source",
            ),
            (self.told.ahead, "event(s) name a time more than a day after their file was written; it orders nothing"),
            (
                self.told.in_pieces,
                "part(s) of values were longer than 8 KiB: patterns judged their ends and what says most between",
            ),
            (self.told.fields_dropped, "JSON field(s) beyond the column limit are in event.original only"),
            (correlator.late, "event(s) came too late to be counted by correlations (correlation.lateness)"),
            (correlator.untimed, "matching event(s) named no time; they took the newest time before them"),
            (correlator.ungrouped, "match(es) counted for no correlation: their event lacks a field that it groups by"),
            (correlator.released_early, "matching event(s) were counted before their turn: too many were waiting"),
            (
                correlator.proof_dropped,
                "time(s) proof was let go because open findings kept too much; counts are exact",
            ),
            (correlator.left_out, "event(s) came too late for their group and were not counted in it"),
            (correlator.not_numeric, "matching event(s) had no number where a correlation computes with it"),
            (correlator.cut, "event(s) left their window early: it held more than 20,000"),
            (correlator.evicted, "group(s) were pushed out: too many were open (correlation.groups_max)"),
            (correlator.unplaced.unnamed, "match(es) are named in no finding: theirs names 16 other rules already"),
            (
                correlator.unplaced.unknown_rule,
                "matching event(s) were of a rule that is not loaded and were not counted",
            ),
        ] {
            if count > 0 {
                tell(&format!("note: {count} {what}"));
            }
        }
        let seconds = elapsed.as_secs_f64();
        tell(&format!(
            "events {}, rejected {}, findings {}, seconds {seconds:.3}, events/s {:.0}, text {}",
            self.events,
            self.rejected,
            self.findings,
            self.events as f64 / seconds.max(1e-9),
            self.text
        ));
    }
}
