//! Files and standard input as blocks, for the commands that read without remembering.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use event::block::digest;
use event::{Block, Position, Source, SourceId, Timestamp};
use ingest::{BlockReader, content};

use crate::cli::ShapeArguments;
use crate::clock;
use crate::config::Config;
use crate::outcome::Usage;

/// How to parse, from flags where given and else from the configuration.
pub(crate) fn parse_options(
    config: &Config,
    format: Option<&str>,
    timezone: Option<&str>,
    year: Option<i32>,
    shapes: &ShapeArguments,
) -> anyhow::Result<parse::Options> {
    let user_formats = Arc::clone(&config.input.formats);
    let format = parse::FormatChoice::named(format.unwrap_or(&config.input.format), &user_formats);
    let clock = parse::Clock::new(timezone.unwrap_or(&config.input.timezone), year);
    if let Some(year) = year.filter(|year| !(0..=9999).contains(year)) {
        return Err(Usage(format!("--year: {year} is not a year from 0 to 9999")).into());
    }
    let format = format.map_err(|error| Usage(format!("--format: {error}")))?;
    let clock = clock.map_err(|error| Usage(format!("--timezone: {error}")))?;
    let trusted_proxies = config.input.trusted_proxies.clone().into();
    let enricher = Arc::new(enricher(config)?);
    let shapes = self::shapes(config, shapes)?;
    Ok(parse::Options { format, clock, user_formats, trusted_proxies, enricher, shapes })
}

/// The shapes of the files that are configured and asked for, and those that are built in; every problem where there are some.
pub(crate) fn shapes(config: &Config, more: &ShapeArguments) -> anyhow::Result<Arc<parse::Shapes>> {
    let mut files = Vec::new();
    for path in more.shape_files.iter().chain(&config.input.shapes) {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| Usage(format!("shapes: cannot read {name}: {error}")))?;
        files.push((name, text));
    }
    let told = |problems: Vec<parse::ShapeProblem>| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Usage(format!("shapes of events cannot be used:\n{}", lines.join("\n")))
    };
    Ok(parse::Shapes::with(&files).map_err(told)?)
}

/// What events are enriched with, as configured.
fn enricher(config: &Config) -> anyhow::Result<parse::Enricher> {
    let mut enricher = parse::Enricher::default();
    let input = &config.input;
    for (key, path) in [("enrich.country", &input.country), ("enrich.network", &input.network)] {
        if path.as_os_str().is_empty() {
            continue;
        }
        let bytes =
            std::fs::read(path).map_err(|error| Usage(format!("{key}: cannot read {}: {error}", path.display())))?;
        let set = if key == "enrich.country" { enricher.set_country(bytes) } else { enricher.set_network(bytes) };
        set.map_err(|error| Usage(format!("{key}: {}: {error}", path.display())))?;
    }
    enricher.set_internal(input.internal.clone());
    enricher.set_agents(input.agents);
    Ok(enricher)
}

/// Calls `each` with every block of every file; no file means standard input, as does `-`.
pub(crate) fn each_block(files: &[PathBuf], mut each: impl FnMut(Block) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let standard_input = [PathBuf::from("-")];
    let files = if files.is_empty() { &standard_input[..] } else { files };
    for path in files {
        let name = path.display().to_string();
        let mut reader = open(path)?;
        while let Some(block) = reader.next_block().with_context(|| format!("cannot read {name}"))? {
            each(block)?;
        }
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<BlockReader<Box<dyn Read + Send>>> {
    let is_standard_input = path.as_os_str() == "-";
    let name = if is_standard_input { "-".to_owned() } else { path.display().to_string() };
    let source = Source { id: SourceId(digest(&[b"stream", name.as_bytes()])), name };
    let mut reference = clock::now();
    let reader: Box<dyn Read + Send> = if is_standard_input {
        content::lines_of_stream(path, std::io::stdin()).context("cannot read standard input")?.0
    } else {
        let failed = || format!("cannot open {}", path.display());
        let file = File::open(path).with_context(failed)?;
        let metadata = file.metadata().with_context(failed)?;
        anyhow::ensure!(!metadata.is_dir(), "{} is a folder: use `c0di3 replay` for folders", path.display());
        if metadata.is_file() {
            reference = modified(&metadata).unwrap_or(reference);
        }
        // Both may be compressed, or hold no text.
        if metadata.is_file() {
            content::lines(path).with_context(failed)?
        } else {
            content::lines_of_stream(path, file).with_context(failed)?.0
        }
    };
    Ok(BlockReader::new(reader, source.into(), Position::default(), reference))
}

fn modified(metadata: &std::fs::Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp)
}
