//! The finding that an episode makes: its score, its proof, and the reason in words.

use event::{AlsoFired, Counted, EventId, Finding, FindingId, FindingRating, FindingRule, FindingSpan, RuleKey};
use rules::ruleset::RuleSet;
use rules::sigma::rule::{CorrelationKind, Function, Head};

use crate::episode::{Episode, LedRule, RuleRef};
use crate::options::CorrelatorOptions;
use crate::score;

/// What a reason says where an event has a source that no format names.
const GUESSED: &str = "; the source is guessed, and may be what a client wrote";

impl Episode {
    /// The finding as it is now.
    pub(crate) fn finding(&self, set: &RuleSet, options: &CorrelatorOptions) -> Finding {
        let (head, also) = (self.head(set), self.also(set));
        let guessed = if self.facts.has_guessed_source { GUESSED } else { "" };
        let reason = self.reason(set) + guessed + &also_text(&also);
        let assets = self.facts.entities.host_name.iter();
        let assets = assets.filter_map(|host| Some((host.as_str(), options.assets.weight(host)?)));
        let facts = score::Facts {
            count: self.count,
            patterns: self
                .facts
                .patterns
                .as_ref()
                .filter(|found| found.threshold > 0)
                .map(|found| (found.points, found.threshold)),
            doubtful: self.facts.patterns.as_ref().is_some_and(|found| found.doubtful),
            answer: self.facts.answer,
            sizes: self.facts.sizes,
            risk: self.facts.risk.unwrap_or(0),
            asset: assets.max_by_key(|(_, weight)| *weight),
        };
        let (score, score_parts, severity) = score::score(head.level, facts, options.thresholds);
        let first_event = self.first_event.unwrap_or(EventId(0));
        Finding {
            id: FindingId::derive(&head.id, &self.group, first_event),
            rule: FindingRule { id: head.id.clone(), title: head.title.clone(), level: head.level },
            also,
            rating: FindingRating { score, parts: score_parts, severity },
            span: FindingSpan { first_seen: self.times.first, last_seen: self.times.last, count: self.count },
            entities: self.facts.entities.clone(),
            techniques: self.techniques(set),
            reason,
            response: head.response.clone(),
            evidence: self.lines.shown().collect(),
            continues: None,
            counted: Counted { events: self.events.settled(self.is_sampled(set)), fresh: self.lines.fresh() },
        }
    }

    /// The rules that its rule leads.
    fn also(&self, set: &RuleSet) -> Vec<AlsoFired> {
        let fired = |led: &LedRule| {
            let title = head_of(set, &led.id).map_or(&led.id, |head| &head.title);
            AlsoFired { rule_id: led.id.clone(), rule_title: title.clone(), count: led.count }
        };
        self.facts.also.iter().map(fired).collect()
    }

    /// The techniques of its rule, then those that the rules which it leads add.
    fn techniques(&self, set: &RuleSet) -> Vec<String> {
        let mut techniques = self.head(set).techniques.clone();
        for technique in
            self.facts.also.iter().filter_map(|led| head_of(set, &led.id)).flat_map(|head| &head.techniques)
        {
            if !techniques.contains(technique) {
                techniques.push(technique.clone());
            }
        }
        techniques
    }

    /// Whether its events are a sample, so that the number of all events is an estimate.
    fn is_sampled(&self, set: &RuleSet) -> bool {
        match self.source {
            RuleRef::Detection(_) => false,
            RuleRef::Correlation(index) => set.correlations[index].sample_of(set).is_some(),
        }
    }

    /// Why it is a finding, as people read it.
    fn reason(&self, set: &RuleSet) -> String {
        let about = if self.group.is_empty() { String::new() } else { format!(" for {}", self.group) };
        match self.source {
            RuleRef::Detection(_) => {
                let events = if self.count == 1 { "event".to_owned() } else { format!("{} events", self.count) };
                let (ids, lists) =
                    self.facts.patterns.as_ref().map_or((&[][..], &[][..]), |found| (&found.ids, &found.lists));
                let named = [("patterns", ids), ("listed", lists)].into_iter().filter(|(_, names)| !names.is_empty());
                let named: String = named.map(|(word, names)| format!("; {word}: {}", names.join(", "))).collect();
                format!("{events} matched{about}{named}")
            }
            RuleRef::Correlation(index) => {
                let rule = &set.correlations[index].rule;
                let span = span_text(rule.timespan_us);
                let bounds = &rule.bounds;
                let reached = match &rule.kind {
                    CorrelationKind::EventCount => format!("{bounds} events within {span}"),
                    CorrelationKind::History(_) => {
                        format!("{} ({span} are remembered)", self.facts.note.as_deref().unwrap_or("stands out"))
                    }
                    CorrelationKind::Temporal { expression: Some(_), .. } => {
                        format!("what the condition asks for of {} within {span}", rule.rules.join(", "))
                    }
                    CorrelationKind::Temporal { ordered, .. } => {
                        let order = if *ordered { ", in this order" } else { "" };
                        let joined = rule.rules.join(" and ");
                        let some = bounds.low.is_some_and(|low| (low.value as usize) < rule.rules.len());
                        let some = if some { format!("{bounds} of ") } else { String::new() };
                        format!("{some}{joined} within {span}{order}")
                    }
                    CorrelationKind::ValueCount(fields) => {
                        let fields = fields.join(" and ");
                        format!("{bounds} values of {fields} within {span}, {} at most", self.distinct)
                    }
                    CorrelationKind::Value { field, function } => match function {
                        Function::Sum => format!("a sum of {field} of {bounds} within {span}"),
                        Function::Average => format!("an average of {field} of {bounds} within {span}"),
                        Function::Percentile(percent) => {
                            format!("a percentile {percent} of {field} of {bounds} within {span}")
                        }
                        Function::Share => {
                            format!("a value of {field} in {bounds} percent of the events within {span}")
                        }
                    },
                };
                let distinct = rule.distinct.as_ref().map(|distinct| format!(", in {distinct}")).unwrap_or_default();
                let reached = reached + &distinct;
                match set.correlations[index].sample_of(set) {
                    None => format!("{reached}{about}; {} events in all", self.count),
                    Some(of) => format!("{reached}{about}; some {} events, estimated from one in {of}", self.count),
                }
            }
        }
    }
}

/// Head of the detection rule with this id; `None` where the set does not hold it any more.
fn head_of<'a>(set: &'a RuleSet, id: &str) -> Option<&'a Head> {
    set.rule_of(RuleKey::of_id(id)).map(|rule| &set.rules[rule as usize].head)
}

/// What a reason says of the rules that are led: how many events each of them matched.
fn also_text(also: &[AlsoFired]) -> String {
    let named: Vec<String> = also.iter().map(|other| format!("{} ({})", other.rule_title, other.count)).collect();
    if named.is_empty() { String::new() } else { format!("; also: {}", named.join(", ")) }
}

/// A time span in the largest unit that it is a multiple of.
fn span_text(span_us: i64) -> String {
    let seconds = span_us / 1_000_000;
    match seconds {
        seconds if seconds % 86_400 == 0 => format!("{} d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
