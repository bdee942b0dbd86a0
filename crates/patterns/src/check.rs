//! The test that a value reaches a pack's threshold, one value at a time: for checks outside a search of a column, and
//! for people who ask why.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::engine::Engine;
use crate::look::{Look, Told};
use crate::pack::{How, Pack, Pattern, PatternCase};
use crate::{Input, POINTS_MAX, Part, THRESHOLD};

/// The test that a value reaches a pack's threshold.
#[derive(Clone)]
pub struct PackCheck {
    /// The pack that is looked for.
    pub pack: Arc<Pack>,
    /// The kind of text that values are taken for.
    pub input: Input,
    /// For single values, made when one comes.
    engine: Arc<OnceLock<Engine>>,
}

impl fmt::Debug for PackCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} on {:?}", self.pack, self.input)
    }
}

/// A pattern found in a value: where, in which view, and what stood there.
#[derive(Clone, Debug, Serialize)]
pub struct FoundPattern {
    /// Id of the pattern within its pack.
    pub pattern: String,
    /// What the pattern finds, for people.
    pub what: String,
    /// Who read it: a language such as `sql`, `expression`, or `text`.
    pub reader: &'static str,
    /// What it gives.
    pub points: u32,
    /// The parameter whose value was read, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What its surroundings made of the points of the reading, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// What surrounds it is what people write: see [`Standing::doubtful`].
    #[serde(skip)]
    pub doubtful: bool,
    /// ATT&CK technique, where it is another than the pack's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<String>,
    /// Name of the part that was looked at: [`Part::name`].
    pub part: &'static str,
    /// Name of the view that shows it: [`View::name`](crate::View::name).
    pub view: &'static str,
    /// What matched, in the view.
    pub matched: String,
    /// The part as it was sent.
    pub original: String,
}

/// What a pack found in a value.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Standing {
    /// Sum of the points of what was found, of readings that their surroundings made less only the most; at most [`POINTS_MAX`] or the threshold, whichever is more.
    pub points: u32,
    /// Points from which on the pack holds.
    pub threshold: u32,
    /// Everything that was found stands among words of prose, or is a phrase that somebody looked for.
    pub doubtful: bool,
    /// Each pattern that was found, once.
    pub found: Vec<FoundPattern>,
}

/// What a pack found in a value, in short: see [`Standing`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As in [`Standing`].
    pub points: u32,
    /// As in [`Standing`].
    pub threshold: u32,
    /// As in [`Standing`].
    pub doubtful: bool,
    /// Id of each pattern that was found, once.
    pub ids: Vec<String>,
}

/// Longest text that a finding shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

impl PackCheck {
    /// The check of one pack on one kind of text.
    pub fn new(pack: Arc<Pack>, input: Input) -> Self {
        PackCheck { pack, input, engine: Arc::default() }
    }

    /// Each case of each pattern: the pattern's name, the case, and whether the pattern was found. A grammar that reads
    /// something unsure in a text that it is to ignore has not found it.
    pub fn cases(pack: &Arc<Pack>) -> Vec<(&Pattern, &PatternCase, bool)> {
        let check = |input| PackCheck::new(Arc::clone(pack), input);
        let (target, text) = (check(Input::Target), check(Input::Text));
        let cases = pack.patterns.iter().flat_map(|pattern| pattern.cases.iter().map(move |case| (pattern, case)));
        cases
            .map(|(pattern, case)| {
                let check = if pattern.parts == Part::Text.bit() { &text } else { &target };
                let is_graded = matches!(pattern.how, How::Grammar(_));
                let least = if is_graded && !case.wanted { THRESHOLD } else { 1 };
                let standing = check.standing(&case.text);
                let found = standing.found.iter().any(|found| found.pattern == pattern.id && found.points >= least);
                (pattern, case, found)
            })
            .collect()
    }

    fn engine(&self) -> &Engine {
        self.engine.get_or_init(|| Engine::new(vec![(0, Arc::clone(&self.pack))], self.input))
    }

    /// Whether a value reaches the threshold, for callers without an engine at hand.
    pub fn passes(&self, text: &str) -> bool {
        let engine = self.engine();
        let mut holds = false;
        engine.judge(text, &mut engine.scratch(), |_| holds = true);
        holds
    }

    /// Tells of each pattern that is found, again where a later view gives more: with the look, its points, and whether its
    /// surroundings are doubtful. Gives the points of all.
    fn hear(&self, text: &str, tell: &mut dyn FnMut(&Pattern, Look<'_>, Told, bool)) -> u32 {
        let engine = self.engine();
        let (mut sure, mut scratch) = (0, engine.scratch());
        engine.each(text, &mut scratch, &mut |number, look, told| {
            sure += told.gained;
            if told.best {
                let doubtful = engine.context.is_doubtful(look.name, look.text);
                tell(engine.pattern(number).1, look, told, doubtful);
            }
        });
        (sure + Engine::doubt(&scratch)).min(POINTS_MAX.max(self.pack.threshold))
    }

    /// What [`PackCheck::standing`] tells, without what is shown to people: patterns have their ids alone.
    pub fn tally(&self, text: &str) -> Tally {
        let mut found: Vec<(String, bool)> = Vec::new();
        let points = self.hear(text, &mut |pattern, _, _, doubtful| {
            found.retain(|(known, _)| *known != pattern.id);
            found.push((pattern.id.clone(), doubtful));
        });
        Tally {
            points,
            threshold: self.pack.threshold,
            doubtful: !found.is_empty() && found.iter().all(|(_, doubtful)| *doubtful),
            ids: found.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// What the pack finds in a value, the slow way.
    pub fn standing(&self, text: &str) -> Standing {
        let mut found: Vec<FoundPattern> = Vec::new();
        let points = self.hear(text, &mut |pattern, look, told, doubtful| {
            let points = told.points;
            // A view that makes the same pattern surer takes the place of the one before.
            found.retain(|found| found.pattern != pattern.id);
            let reading = pattern.find(look.text, look.part);
            let alone = reading.as_ref().map_or(points, |reading| reading.points);
            found.push(FoundPattern {
                pattern: pattern.id.clone(),
                what: pattern.what.clone(),
                reader: pattern.how.reader(),
                points,
                parameter: (!look.name.is_empty()).then(|| shown(look.name)),
                context: (alone != points).then(|| self.pack.context.told(alone, points, look.name)),
                doubtful,
                technique: pattern.technique.clone(),
                part: look.part.name(),
                view: look.view.name(),
                matched: reading.map_or(String::new(), |reading| shown(&reading.what)),
                original: shown(look.original),
            });
        });
        let doubtful = !found.is_empty() && found.iter().all(|found| found.doubtful);
        Standing { points, threshold: self.pack.threshold, doubtful, found }
    }
}
