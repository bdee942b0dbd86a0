//! Packs that add up what others find: their names become the packs themselves, once all rules are loaded.

use std::sync::Arc;

use patterns::{Pack, PackCheck};

use crate::check::Check;
use crate::sigma::diagnostic::{Diagnostic, Gravity};
use crate::sigma::filter::names_rule;
use crate::sigma::rule::Rule;

/// Gives every sum its members. A name that is no pack is a warning: the others are added up.
pub(super) fn bind(rules: &mut [Rule], diagnostics: &mut Vec<Diagnostic>) {
    for at in 0..rules.len() {
        let Some(rule) = rules.get(at).filter(|rule| !rule.sum_of.is_empty()) else { continue };
        let mut members = Vec::new();
        for name in &rule.sum_of {
            let named = rules.iter().filter(|other| other.sum_of.is_empty() && names_rule(&other.head, name));
            match named.filter_map(|other| other.pack.as_ref()).next() {
                Some(pack) => members.push(Arc::clone(pack)),
                None => diagnostics.push(Diagnostic {
                    path: rule.head.path.clone(),
                    line: rule.head.written.line,
                    column: 1,
                    gravity: Gravity::Warning,
                    reason: format!("`sum` names `{name}`, which is no pack of patterns that was loaded"),
                }),
            }
        }
        let Some(rule) = rules.get_mut(at) else { continue };
        let Some(own) = rule.pack.take() else { continue };
        let sum = Arc::new(Pack::sum(members, own.threshold, own.digest()));
        rule.condition.items_mut(&mut |item| {
            if let Check::Pack(check) = &item.check {
                item.check = Check::Pack(PackCheck::new(Arc::clone(&sum), check.input));
            }
        });
        rule.pack = Some(sum);
    }
}
