//! What keys of no known shape probably are, by the dictionary of synonyms: a plan for each set of keys of a block, and the
//! mark on events whose fields were guessed. Never over what the event itself names.

use event::builder::KeptText;
use event::catalog::field;
use event::{BatchBuilder, FieldId, ValueTag};
use hashbrown::HashMap;

use super::places::{MemberId, Places};
use super::plan::{NamingStep, Words};
use crate::shape::Shapes;
use crate::shape::synonyms::Claim;

/// Sets of keys of one block whose plans are remembered; then all are forgotten.
const PLANS_MAX: usize = 1024;
/// The mark of an event whose fields were guessed.
const MARK: &str = "guessed_fields";

/// Synonyms that gave a value to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct GuessedSet([u64; 4]);

impl GuessedSet {
    pub(super) fn insert(&mut self, synonym: u16) {
        if let Some(word) = self.0.get_mut(usize::from(synonym / 64)) {
            *word |= 1 << (synonym % 64);
        }
    }

    fn holds(&self, synonym: u16) -> bool {
        self.0.get(usize::from(synonym / 64)).is_some_and(|word| word >> (synonym % 64) & 1 == 1)
    }
}

/// A step and the synonym that it is of.
pub(super) type GuessStep = (u16, NamingStep);

/// Plans and marks of one block.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    plans: HashMap<u64, Vec<GuessStep>>,
    /// The members of the last event, and their number among sets of keys.
    last: (Vec<MemberId>, u64),
    lists: HashMap<GuessedSet, KeptText>,
    mark: Option<KeptText>,
}

impl Guesses {
    pub(super) fn begin_block(&mut self) {
        self.plans.clear();
        self.last.0.clear();
        self.last.1 = 0;
        self.lists.clear();
        self.mark = None;
    }

    /// What is tried for events with the keys of the event at hand.
    pub(super) fn plan(&mut self, places: &Places, rows: &mut BatchBuilder) -> &[GuessStep] {
        if self.plans.len() >= PLANS_MAX {
            self.plans.clear();
        }
        let row = places.row_now();
        if self.last.0 != row {
            self.last.0.clear();
            self.last.0.extend_from_slice(row);
            self.last.1 = places.key_set();
        }
        self.plans.entry(self.last.1).or_insert_with(|| plan(places, rows))
    }

    /// Marks the event and says which of its fields were guessed.
    pub(super) fn mark(&mut self, put: GuessedSet, shapes: &Shapes, rows: &mut BatchBuilder) {
        if put == GuessedSet::default() {
            return;
        }
        if rows.has(field::TAGS) {
            rows.mark(MARK);
        } else {
            let mark = *self.mark.get_or_insert_with(|| rows.keep(MARK));
            rows.put_kept(field::TAGS, mark);
        }
        let list = *self.lists.entry(put).or_insert_with(|| {
            let synonyms = shapes.synonyms();
            let numbers = (0..256_u16).filter(|synonym| put.holds(*synonym));
            let names = numbers.filter_map(|synonym| synonyms.of(Claim { synonym, rank: 0 }));
            let names: Vec<String> = names.map(|synonym| event::json::quote(&synonym.target)).collect();
            rows.keep(&format!("[{}]", names.join(",")))
        });
        rows.put_kept_tagged(field::C0DI3_GUESSED, list, ValueTag::Array);
    }
}

/// Whether a client names the keys of this object itself: what they are called says nothing.
fn is_of_client(path: &str) -> bool {
    const OF_CLIENT: [&str; 12] = [
        "headers",
        "header",
        "cookies",
        "cookie",
        "query",
        "params",
        "args",
        "form",
        "body",
        "payload",
        "variables",
        "input",
    ];
    let mut above: Vec<&str> = path.split('.').collect();
    above.pop();
    above.iter().any(|part| {
        let part = part.to_ascii_lowercase();
        OF_CLIENT.iter().any(|of| part == *of || part.strip_suffix(of).is_some_and(|rest| rest.ends_with(['_', '-'])))
    })
}

/// Whether a field says who did it.
fn says_who(field: &str) -> bool {
    ["source.", "client.", "user.", "event."].iter().any(|start| field.starts_with(start))
}

fn plan(places: &Places, rows: &mut BatchBuilder) -> Vec<GuessStep> {
    let synonyms = places.shapes().synonyms();
    let mut claims: Vec<(Claim, usize, FieldId)> = Vec::new();
    for (path, column) in places.members() {
        let Some(column) = column else { continue };
        let depth = path.split('.').count();
        let is_clients = is_of_client(path);
        let names_nobody = |claim: &Claim| !is_clients || synonyms.of(*claim).is_none_or(|it| !says_who(&it.target));
        claims.extend(synonyms.claims(path).into_iter().filter(names_nobody).map(|claim| (claim, depth, column)));
    }
    claims.sort_unstable();
    claims.dedup();
    // Two keys that claim a field with equal right: neither is believed.
    let is_equal = |one: usize, other: usize| {
        let (Some(one), Some(other)) = (claims.get(one), claims.get(other)) else { return false };
        (one.0, one.1) == (other.0, other.1)
    };
    let alone = (0..claims.len()).filter(|at| !is_equal(*at, at + 1) && (*at == 0 || !is_equal(at - 1, *at)));
    let steps = alone.filter_map(|at| {
        let (claim, _, column) = claims[at];
        let synonym = synonyms.of(claim)?;
        let target = rows.column_named(&synonym.target).ok().filter(|target| *target != column)?;
        let words = synonym.table.as_ref().map(|table| Words::new(table, target, rows));
        Some((claim.synonym, NamingStep::new(column, target, synonym.conversion, words)))
    });
    let mut steps: Vec<GuessStep> = steps.collect();
    for at in 0..steps.len() {
        let (synonym, ..) = steps[at];
        let others = steps[at + 1..].iter().take_while(|(other, _)| *other == synonym).count();
        steps[at].1.others = others.min(255) as u8;
    }
    steps
}
