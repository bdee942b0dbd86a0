//! Samples of the pipeline's stages for whoever listens (`c0di3 tap`): a bounded number of each block, and none while nobody listens.

use api::{Tap, TapStage};
use correlate::Change;
use event::{Block, EventBatch, Hit, json};
use ingest::accounts::Accounts;
use rules::RuleSet;
use serde_json::json;

use crate::senders::judge;

/// Lines, events and hits of a block that are looked at.
const LOOKS_MAX: usize = 1024;

/// What is seen of a running pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) accounts: Accounts,
    pub(crate) tap: Tap,
}

impl Watch {
    /// Before a block is read.
    pub(crate) fn received(&self, block: &Block) {
        if !self.tap.is_watched(TapStage::Lines) {
            return;
        }
        let mut at = 0;
        for line in block.bytes.split_inclusive(|byte| *byte == b'\n').take(LOOKS_MAX) {
            let sender = block.layout.origins.iter().rev().find(|(first, _)| *first as usize <= at);
            let source = sender.map_or(&block.source, |(_, sender)| sender);
            at += line.len();
            let text = String::from_utf8_lossy(line.trim_ascii_end());
            if !self.tap.offer(TapStage::Lines, &json!({"source": source.name, "line": text}).to_string()) {
                return;
            }
        }
    }

    /// After it was read.
    pub(crate) fn read(&self, batch: &EventBatch) {
        judge(batch, &self.accounts);
        if !self.tap.is_watched(TapStage::Events) {
            return;
        }
        let mut text = String::new();
        for row in 0..batch.rows().min(LOOKS_MAX) {
            text.clear();
            json::write_row(batch, row, &mut text);
            if !self.tap.offer(TapStage::Events, text.trim_end()) {
                return;
            }
        }
    }

    /// After rules were matched.
    pub(crate) fn matched(&self, hits: &[Hit], rules: &RuleSet) {
        if !self.tap.is_watched(TapStage::Hits) {
            return;
        }
        for hit in hits.iter().take(LOOKS_MAX) {
            let rule = rules.rule_of(hit.rule).and_then(|at| rules.rules.get(at as usize));
            let title = rule.map_or("", |rule| rule.head.title.as_str());
            let sample = json!({"rule": title, "source": hit.event.source.name, "line": hit.event.original()});
            if !self.tap.offer(TapStage::Hits, &sample.to_string()) {
                return;
            }
        }
    }
}

/// Findings that are new or have changed.
pub(crate) fn found(tap: &Tap, changes: &[Change]) {
    if !tap.is_watched(TapStage::Findings) {
        return;
    }
    for change in changes.iter().take(LOOKS_MAX) {
        let Ok(sample) = serde_json::to_string(&change.finding) else { continue };
        if !tap.offer(TapStage::Findings, &sample) {
            return;
        }
    }
}
