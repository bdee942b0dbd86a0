//! Why a correlation did or did not fire over log lines.

use std::path::PathBuf;

use correlate::{CorrelationExplanation, explain_correlation};
use matcher::{MatchScratch, Matcher};
use parse::Parser;

use crate::command::input;

/// What the correlation, by its id, makes of the lines. `None` where there is no such correlation.
pub(super) fn explain(
    matcher: &Matcher,
    id: &str,
    files: &[PathBuf],
    parser: &mut Parser,
) -> anyhow::Result<Option<CorrelationExplanation>> {
    let mut scratch = MatchScratch::default();
    let mut hits = Vec::new();
    input::each_block(files, |block| {
        let batch = parser.parse(block);
        hits.append(&mut matcher.hits(&batch, &mut scratch));
        Ok(())
    })?;
    Ok(explain_correlation(matcher.set(), id, hits))
}
