//! Two programs over one input must say one thing: `compare OLD NEW [--megabytes N] [--kinds KIND,…] [PATH…]`, from the root
//! of the repository.
//!
//! Compares byte for byte: `parse`, `detect`, `replay` (ndjson, table, report), `rules check|test|coverage`, `rules explain` of
//! every own rule over its own cases, and every row that a replay leaves in SQLite and in PostgreSQL. Inputs are the sample
//! logs, the cases of the own rules, N megabytes (200) of each generated kind (access, sshd, syslog, process), and the PATHs. Times of the run itself are
//! taken out: durations, rates, and stamps of the moment.
#![allow(clippy::print_stdout, reason = "a comparison says what it found")]

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use benches::corpus::{Access, Fleet, Random, Sshd};
use benches::windows;
use event::Timestamp;
use regex::Regex;
use servers::Postgres;

const ATTACKS_PER_10K: u64 = 50;
/// Bytes of each generated kind unless another number is given, in megabytes.
const MEGABYTES: u64 = 200;
/// What is generated.
const KINDS: [&str; 4] = ["access", "sshd", "syslog", "process"];

#[allow(clippy::disallowed_methods, reason = "rows bear the moment that they were written at")]
fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// What was compared, and what differed.
#[derive(Default)]
struct Tally {
    outputs: u64,
    lines: u64,
    differences: u64,
}

struct Pair {
    old: PathBuf,
    new: PathBuf,
    tally: Tally,
    /// Durations and rates of the run.
    rates: Regex,
    /// Sixteen digits, or a time in RFC 3339: perhaps a moment of the run.
    stamps: Regex,
    begun_us: i64,
    /// That moment in RFC 3339: a later moment is a greater text.
    begun: String,
}

impl Pair {
    /// The line without what belongs to the run: its moments, durations and rates.
    fn without_moments(&self, line: &str) -> String {
        let line = self.rates.replace_all(line, "seconds _, events/s _");
        let stamp = |found: &regex::Captures<'_>| match found[0].parse::<i64>() {
            Ok(number) if number >= self.begun_us => "<moment>".to_owned(),
            Err(_) if found[0] >= *self.begun => "<moment>".to_owned(),
            _ => found[0].to_owned(),
        };
        self.stamps.replace_all(&line, stamp).into_owned()
    }

    fn spawn(program: &Path, arguments: &[&str], folder: &Path) -> anyhow::Result<Child> {
        let errors = std::fs::File::create(folder.join("stderr"))?;
        let mut command = Command::new(program);
        command.args(arguments).env("TZ", "UTC").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        command.spawn().with_context(|| format!("cannot start {}", program.display()))
    }

    /// Runs both with one list of arguments; whether the old one succeeded.
    fn run(&mut self, what: &str, arguments: &[&str]) -> anyhow::Result<bool> {
        self.run_apart(what, arguments, arguments)
    }

    fn run_apart(&mut self, what: &str, old: &[&str], new: &[&str]) -> anyhow::Result<bool> {
        let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
        let mut children =
            [Self::spawn(&self.old, old, folders[0].path())?, Self::spawn(&self.new, new, folders[1].path())?];
        let outputs: Vec<_> = children.iter_mut().filter_map(|child| child.stdout.take()).map(BufReader::new).collect();
        let [old, new] = <[_; 2]>::try_from(outputs).map_err(|_| anyhow::anyhow!("a program has no output"))?;
        let mut differs = self.lines(what, old, new)?;
        let codes = [children[0].wait()?, children[1].wait()?];
        if codes[0] != codes[1] {
            println!("{what}: {} and {}", codes[0], codes[1]);
            differs = true;
        }
        let said = |at: usize| std::fs::File::open(folders[at].path().join("stderr")).map(BufReader::new);
        differs |= self.lines(&format!("{what}, stderr"), said(0)?, said(1)?)?;
        self.tally.outputs += 1;
        self.tally.differences += u64::from(differs);
        Ok(codes[0].success())
    }

    /// Whether two outputs differ; the first line that does is shown.
    fn lines(&mut self, what: &str, old: impl BufRead, new: impl BufRead) -> anyhow::Result<bool> {
        let (mut old, mut new) = (old.split(b'\n'), new.split(b'\n'));
        let mut number = 0_u64;
        let mut differs = false;
        loop {
            let (left, right) = (old.next().transpose()?, new.next().transpose()?);
            if left.is_none() && right.is_none() {
                return Ok(differs);
            }
            number += 1;
            self.tally.lines += 1;
            if differs || left == right {
                continue;
            }
            let shown =
                |line: &Option<Vec<u8>>| line.as_ref().map(|line| self.without_moments(&String::from_utf8_lossy(line)));
            let (left, right) = (shown(&left), shown(&right));
            if left != right {
                println!("{what}: line {number} differs\n  old: {left:?}\n  new: {right:?}");
                differs = true;
            }
        }
    }

    fn rows(&mut self, what: &str, old: &[String], new: &[String]) {
        let clean = |rows: &[String]| rows.iter().map(|row| self.without_moments(row)).collect::<Vec<_>>();
        let (mut left, mut right) = (clean(old), clean(new));
        left.sort();
        right.sort();
        let differs = left.len() != right.len() || left != right;
        if differs {
            let at = left.iter().zip(&right).find(|(left, right)| left != right);
            println!("{what}: {} and {} rows differ, first {at:#?}", left.len(), right.len());
        }
        self.tally.outputs += 1;
        self.tally.lines += left.len() as u64;
        self.tally.differences += u64::from(differs);
    }
}

fn write_until(path: &Path, bytes: u64, mut line: impl FnMut(&mut String) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    let (mut text, mut written) = (String::new(), 0);
    while written < bytes {
        text.clear();
        line(&mut text)?;
        out.write_all(text.as_bytes())?;
        written += text.len() as u64;
    }
    Ok(out.flush()?)
}

/// A file of one generated kind.
fn generated(folder: &Path, kind: &str, bytes: u64) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{kind}.log"));
    let (mut random, mut number, mut second) = (Random::new(7), 0, 1_795_000_000);
    match kind {
        "access" => {
            let mut access = Access::new(7, ATTACKS_PER_10K);
            write_until(&path, bytes, |line| Ok(access.line(line)?))?;
        }
        "sshd" => {
            let mut sshd = Sshd::new(7);
            write_until(&path, bytes, |line| Ok(sshd.line(line)?))?;
        }
        "syslog" => {
            let mut fleet = Fleet::new(7, ATTACKS_PER_10K);
            write_until(&path, bytes, |line| {
                second += i64::from(random.below(50) == 0);
                Ok(fleet.line(second, line)?)
            })?;
        }
        "process" => write_until(&path, bytes, |line| {
            number += 1;
            line.push_str(&windows::process_creation(&mut random, number));
            line.push('\n');
            Ok(())
        })?,
        other => bail!("no kind `{other}`: use {}", KINDS.join(", ")),
    }
    Ok(path)
}

/// A rule, the file that it stands in, and a file with the lines of its cases.
struct Cases {
    rule_id: String,
    rule_file: PathBuf,
    lines: PathBuf,
}

/// The own rules, each with its cases.
fn cases(folder: &Path) -> anyhow::Result<Vec<Cases>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("rules")];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).with_context(|| format!("no folder {}", at.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    let loaded = rules::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), &rules::Terms::default());
    let mut found = Vec::new();
    for (number, head) in loaded.set.heads().enumerate() {
        let path = folder.join(format!("case-{number:04}.log"));
        let lines: Vec<&str> = head.tests.hits.iter().chain(&head.tests.ignores).map(|text| text.trim_end()).collect();
        std::fs::write(&path, lines.join("\n") + "\n")?;
        found.push(Cases { rule_id: head.id.clone(), rule_file: PathBuf::from(&*head.path), lines: path });
    }
    ensure!(!found.is_empty(), "the folder `rules` has no rules: run this from the root of the repository");
    Ok(found)
}

/// Every row of every table, as text.
async fn sqlite_rows(path: &Path) -> anyhow::Result<Vec<String>> {
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await?;
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
            .fetch_all(&pool)
            .await?;
    let mut rows = Vec::new();
    for (table,) in tables {
        let columns: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM pragma_table_info($1)").bind(&table).fetch_all(&pool).await?;
        let quoted: Vec<String> = columns.iter().map(|(column,)| format!("quote(\"{column}\")")).collect();
        let query = format!("SELECT '{table}: ' || {} FROM \"{table}\"", quoted.join(" || ',' || "));
        let found: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&pool).await?;
        rows.extend(found.into_iter().map(|(row,)| row));
    }
    pool.close().await;
    Ok(rows)
}

async fn postgres_rows(url: &str) -> anyhow::Result<Vec<String>> {
    let pool = sqlx::PgPool::connect(url).await?;
    // The rows of partitions and months are those of their table.
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relname NOT LIKE '\\_%' \
         AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = oid) AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&pool)
    .await?;
    let mut rows = Vec::new();
    for (table,) in tables {
        let query = format!("SELECT '{table}: ' || t::text FROM \"{table}\" t");
        let found: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&pool).await?;
        rows.extend(found.into_iter().map(|(row,)| row));
    }
    pool.close().await;
    Ok(rows)
}

fn compare_input(
    pair: &mut Pair,
    postgres: &Postgres,
    runtime: &tokio::runtime::Runtime,
    input: &Path,
) -> anyhow::Result<()> {
    let text = input.display().to_string();
    let name = input.file_name().map_or(text.clone(), |name| name.to_string_lossy().into_owned());
    if input.is_file() {
        pair.run(&format!("parse {name}"), &["parse", &text])?;
        pair.run(&format!("detect {name}"), &["detect", &text])?;
    }
    for out in ["ndjson", "table", "report"] {
        pair.run(&format!("replay {name} as {out}"), &["replay", "--store", "none", "--out", out, &text])?;
    }
    let folder = tempfile::tempdir()?;
    let stores = ["old", "new"].map(|which| folder.path().join(format!("{which}.db")));
    let urls = stores.each_ref().map(|path| format!("sqlite:{}", path.display()));
    let replay = |url: &str| ["replay".to_owned(), "--store".to_owned(), url.to_owned(), text.clone()];
    for (kind, urls) in [("SQLite", urls), ("PostgreSQL", [postgres.database(), postgres.database()])] {
        let [old, new] = urls.each_ref().map(|url| replay(url));
        let [old, new] = [&old, &new].map(|arguments| arguments.each_ref().map(String::as_str));
        // A second run finds nothing new, and leaves everything as it is.
        for turn in ["first", "second"] {
            pair.run_apart(&format!("{turn} replay {name} into {kind}"), &old, &new)?;
        }
        let [left, right] = if kind == "SQLite" {
            [runtime.block_on(sqlite_rows(&stores[0]))?, runtime.block_on(sqlite_rows(&stores[1]))?]
        } else {
            [runtime.block_on(postgres_rows(&urls[0]))?, runtime.block_on(postgres_rows(&urls[1]))?]
        };
        pair.rows(&format!("rows of {name} in {kind}"), &left, &right);
    }
    Ok(())
}

/// Everything that is said of the own rules. Their cases are written into the folder.
fn compare_rules(pair: &mut Pair, folder: &Path) -> anyhow::Result<()> {
    for (command, output) in [
        ("check", "text"),
        ("check", "json"),
        ("test", "text"),
        ("test", "junit"),
        ("coverage", "text"),
        ("coverage", "json"),
        ("coverage", "navigator"),
    ] {
        pair.run(&format!("rules {command} as {output}"), &["rules", command, "rules", "--output", output])?;
    }
    pair.run("rules test --cross", &["rules", "test", "--cross", "rules"])?;
    let cases = cases(folder)?;
    for Cases { rule_id, rule_file, lines } in &cases {
        // Loaded with what stands beside it: hundreds of rules would be read for each otherwise.
        let beside = rule_file.parent().unwrap_or(rule_file).display().to_string();
        let arguments =
            ["rules", "explain", "--no-default-rules", "--rules", &beside, rule_id, &lines.display().to_string()];
        if !pair.run(&format!("rules explain {rule_id}"), &arguments)? {
            // It needs rules that stand elsewhere.
            let arguments = ["rules", "explain", rule_id, &lines.display().to_string()];
            pair.run(&format!("rules explain {rule_id}, all rules loaded"), &arguments)?;
        }
    }
    for command in ["parse", "detect"] {
        let files: Vec<String> = cases.iter().map(|case| case.lines.display().to_string()).collect();
        let arguments: Vec<&str> = std::iter::once(command).chain(files.iter().map(String::as_str)).collect();
        pair.run(&format!("{command} of all cases"), &arguments)?;
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let (Some(old), Some(new)) = (arguments.next(), arguments.next()) else {
        bail!("usage: compare OLD NEW [--megabytes N] [--kinds KIND,…] [PATH…]");
    };
    let mut megabytes = MEGABYTES;
    if arguments.next_if(|argument| argument == "--megabytes").is_some() {
        megabytes = arguments.next().context("--megabytes needs a number")?.parse().context("--megabytes")?;
    }
    let mut kinds = KINDS.join(",");
    if arguments.next_if(|argument| argument == "--kinds").is_some() {
        kinds = arguments.next().context("--kinds needs a list")?;
    }
    let begun_us = now_us();
    let mut pair = Pair {
        old: std::fs::canonicalize(&old).with_context(|| format!("no program {old}"))?,
        new: std::fs::canonicalize(&new).with_context(|| format!("no program {new}"))?,
        tally: Tally::default(),
        rates: Regex::new(r"seconds [0-9.]+, events/s [0-9]+")?,
        stamps: Regex::new(r"[0-9]{16}|20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")?,
        begun_us,
        begun: Timestamp(begun_us).to_string(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let postgres = Postgres::start();
    let folder = tempfile::tempdir()?;
    let of_rules = folder.path().join("cases");
    std::fs::create_dir(&of_rules)?;
    compare_rules(&mut pair, &of_rules)?;
    let mut inputs = vec![PathBuf::from("deploy/sample-logs"), of_rules];
    inputs.extend(arguments.map(PathBuf::from));
    for kind in kinds.split(',') {
        inputs.push(generated(folder.path(), kind, megabytes * 1_000_000)?);
    }
    for input in inputs {
        let before = (pair.tally.outputs, pair.tally.lines);
        compare_input(&mut pair, &postgres, &runtime, &input)?;
        let (outputs, lines) = (pair.tally.outputs - before.0, pair.tally.lines - before.1);
        println!("{}: {outputs} outputs, {lines} lines or rows", input.display());
    }
    let Tally { outputs, lines, differences } = pair.tally;
    println!("{outputs} outputs, {lines} lines or rows compared, {differences} outputs differ");
    ensure!(differences == 0, "the programs differ");
    Ok(())
}
