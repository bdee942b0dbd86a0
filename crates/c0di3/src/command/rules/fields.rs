//! `c0di3 rules fields`: which fields rules read, where they are looked for, and which logs have them.

use std::io::Write;

use event::LogSource;
use rules::{FieldUse, RuleSet};
use serde_json::{Value, json};

use crate::cli::{ReportFormat, RulesCheckArguments};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::rule_files::RuleFiles;

pub(crate) fn run(config: &Config, arguments: &RulesCheckArguments) -> anyhow::Result<Outcome> {
    let loaded = RuleFiles::given(config, &arguments.paths, &arguments.terms).load()?;
    let fields = loaded.set.fields();
    let mut out = std::io::stdout().lock();
    if arguments.output == ReportFormat::Json {
        let report = json!({"fields": fields.iter().map(shown).collect::<Vec<_>>()});
        writeln!(out, "{report}")?;
        return Ok(Outcome::Done);
    }
    for field in &fields {
        let source = source_text(&field.logsource);
        let from = match (field.judged.is_empty(), field.written.is_empty()) {
            (true, _) => "JSON events".to_owned(),
            (false, true) => "no parser, only JSON events".to_owned(),
            (false, false) => field.written.join(", "),
        };
        let rules = field.rules.len();
        writeln!(out, "{} ({source}): {rules} rule(s); in {}; from {from}", field.field, field.columns.join(", "))?;
    }
    writeln!(out, "{} fields, {} that no parser writes", fields.len(), unwritten(&loaded.set).len())?;
    Ok(Outcome::Done)
}

/// Fields that a parser of the rules' log source should write, and none does.
pub(super) fn unwritten(set: &RuleSet) -> Vec<FieldUse> {
    set.fields().into_iter().filter(FieldUse::is_unwritten).collect()
}

pub(super) fn shown(field: &FieldUse) -> Value {
    json!({
        "field": field.field, "logsource": field.logsource, "columns": field.columns, "rules": field.rules,
        "parsers": field.judged, "written_by": field.written,
    })
}

pub(super) fn source_text(source: &LogSource) -> String {
    let parts = [&source.product, &source.category, &source.service].into_iter().flatten().cloned();
    let text = parts.collect::<Vec<_>>().join("/");
    if text.is_empty() { "any log source".to_owned() } else { text }
}
