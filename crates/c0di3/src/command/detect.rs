//! `c0di3 detect`: stateless, one JSON object per matching line and rule. For tests and pipes.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use event::json::quote;
use matcher::{MatchScratch, Matcher};
use parse::Parser;

use crate::cli::DetectArguments;
use crate::command::input;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::rule_files;

pub(crate) fn run(config: &Config, arguments: &DetectArguments) -> anyhow::Result<Outcome> {
    let options = input::parse_options(config, arguments.format.as_deref(), None, None, &arguments.shapes)?;
    let declared = rule_files::log_source(config, arguments.rules.logsource.as_deref())?;
    let set = Arc::new(rule_files::load_for(config, &arguments.rules)?.set);
    let matcher = Matcher::new(Arc::clone(&set), declared);
    let mut scratch = MatchScratch::default();
    let mut parser = Parser::new(options);
    let mut out = BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let heads: Vec<(String, String)> =
        set.rules.iter().map(|rule| (quote(&rule.head.id), quote(&rule.head.title))).collect();
    input::each_block(&arguments.files, |block| {
        let batch = parser.parse(block);
        for (row, rule) in matcher.matches(&batch, &mut scratch) {
            // What only correlations count reports nothing by itself.
            if set.is_muted(*rule as usize) || matcher.is_excepted(&batch, *row, *rule) {
                continue;
            }
            let (id, title) = &heads[*rule as usize];
            let line_no = batch.line_no(*row as usize);
            writeln!(out, "{{\"line_no\":{line_no},\"rule.id\":{id},\"rule.title\":{title}}}")?;
        }
        out.flush()?;
        Ok(())
    })?;
    Ok(Outcome::Done)
}
