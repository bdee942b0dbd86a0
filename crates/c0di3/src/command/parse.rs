//! `c0di3 parse`: every line as a JSON event, in input order, unparsed ones too.

use std::io::{BufWriter, Write};

use parse::Parser;

use crate::cli::ParseArguments;
use crate::command::input;
use crate::config::Config;
use crate::outcome::{Outcome, tell};

pub(crate) fn run(config: &Config, arguments: &ParseArguments) -> anyhow::Result<Outcome> {
    let (format, timezone) = (arguments.format.as_deref(), arguments.timezone.as_deref());
    let options = input::parse_options(config, format, timezone, arguments.year, &arguments.shapes)?;
    let mut parser = Parser::new(options);
    let mut out = BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let mut text = String::new();
    let (mut rejected, mut cut, mut dropped) = (0, 0, 0);
    input::each_block(&arguments.files, |block| {
        let batch = parser.parse(block);
        for row in 0..batch.rows() {
            text.clear();
            event::json::write_row(&batch, row, &mut text);
            text.push('\n');
            out.write_all(text.as_bytes())?;
        }
        // Whoever waits at the other end of a pipe gets each block when it is done.
        out.flush()?;
        rejected += batch.counts().rejected;
        cut += batch.counts().cut;
        dropped += batch.counts().fields_dropped;
        Ok(())
    })?;
    if cut > 0 {
        tell(&format!(
            "warning: {cut} line(s) were longer than {} bytes and have been cut",
            ingest::block_reader::LINE_BYTES_MAX
        ));
    }
    if dropped > 0 {
        tell(&format!("warning: {dropped} field(s) beyond the column limit are in event.original only"));
    }
    Ok(if arguments.strict && rejected > 0 { Outcome::Rejected } else { Outcome::Done })
}
