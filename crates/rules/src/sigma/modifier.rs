//! The modifiers of field names, `field|contains|all`, in the order written. One table: name, place, what it does.

use crate::check::{Order, TimePart};
use crate::sigma::diagnostic::Problems;
use crate::text_pattern::Anchor;
use crate::yaml::Location;

/// What a chain of modifiers asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    pub(crate) all: bool,
    pub(crate) cased: bool,
    pub(crate) negated: bool,
    pub(crate) kind: ChainKind,
    pub(crate) flags: RegexFlags,
    /// What happens to a text value, in this order.
    pub(crate) steps: Vec<Step>,
    /// The first modifier that makes another text of the value: numbers have none to be changed.
    pub(crate) changes_by: Option<&'static str>,
}

/// What kind of value the chain makes of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum ChainKind {
    #[default]
    Plain,
    Regex,
    Cidr,
    Exists,
    Compare(Order),
    /// A part of a date; equal to the value where no order is given.
    Time(TimePart, Option<Order>),
    /// The value names another field of the event.
    FieldRef,
    /// The value names lists of indicators. Ours: Sigma has none.
    Indicator,
}

/// One change of a text value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Anchor(Anchor),
    Dashes,
    Utf16 { big_endian: bool, has_bom: bool },
    Base64,
    Base64Offset,
    Expand,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RegexFlags {
    pub(crate) ignore_case: bool,
    pub(crate) multi_line: bool,
    pub(crate) dot_all: bool,
}

impl RegexFlags {
    /// As an expression begins with them.
    pub(crate) fn written(self) -> String {
        let flags = [(self.ignore_case, 'i'), (self.multi_line, 'm'), (self.dot_all, 's')];
        let set: String = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect();
        if set.is_empty() { set } else { format!("(?{set})") }
    }
}

impl Chain {
    /// The last place at which the value must stand.
    pub(crate) fn anchor(&self) -> Option<Anchor> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Anchor(anchor) => Some(*anchor),
            _ => None,
        })
    }

    pub(crate) fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }
}

type Apply = fn(&mut Chain);

macro_rules! step {
    ($step:expr) => {
        |chain| chain.steps.push($step)
    };
}

macro_rules! kind {
    ($kind:expr) => {
        |chain| chain.kind = $kind
    };
}

macro_rules! order {
    ($order:expr) => {
        |chain| {
            chain.kind = match chain.kind {
                ChainKind::Time(part, _) => ChainKind::Time(part, Some($order)),
                _ => ChainKind::Compare($order),
            }
        }
    };
}

/// Where a modifier may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Anywhere,
    First,
    /// First, or behind a part of a date.
    FirstOrAfterTime,
}

use Stands::{Anywhere, First, FirstOrAfterTime};

/// Name, where it may stand, and what it does.
static MODIFIERS: &[(&str, Stands, Apply)] = &[
    ("contains", Anywhere, step!(Step::Anchor(Anchor::Contains))),
    ("startswith", Anywhere, step!(Step::Anchor(Anchor::StartsWith))),
    ("endswith", Anywhere, step!(Step::Anchor(Anchor::EndsWith))),
    ("all", Anywhere, |chain| chain.all = true),
    ("cased", Anywhere, |chain| chain.cased = true),
    ("neq", Anywhere, |chain| chain.negated = true),
    ("windash", Anywhere, step!(Step::Dashes)),
    ("base64", Anywhere, step!(Step::Base64)),
    ("base64offset", Anywhere, step!(Step::Base64Offset)),
    ("wide", Anywhere, step!(Step::Utf16 { big_endian: false, has_bom: false })),
    ("utf16le", Anywhere, step!(Step::Utf16 { big_endian: false, has_bom: false })),
    ("utf16be", Anywhere, step!(Step::Utf16 { big_endian: true, has_bom: false })),
    ("utf16", Anywhere, step!(Step::Utf16 { big_endian: false, has_bom: true })),
    ("expand", Anywhere, step!(Step::Expand)),
    ("re", First, kind!(ChainKind::Regex)),
    ("i", Anywhere, |chain| chain.flags.ignore_case = true),
    ("ignorecase", Anywhere, |chain| chain.flags.ignore_case = true),
    ("m", Anywhere, |chain| chain.flags.multi_line = true),
    ("multiline", Anywhere, |chain| chain.flags.multi_line = true),
    ("s", Anywhere, |chain| chain.flags.dot_all = true),
    ("dotall", Anywhere, |chain| chain.flags.dot_all = true),
    ("cidr", First, kind!(ChainKind::Cidr)),
    ("exists", First, kind!(ChainKind::Exists)),
    ("fieldref", Anywhere, kind!(ChainKind::FieldRef)),
    ("indicator", First, kind!(ChainKind::Indicator)),
    ("minute", First, kind!(ChainKind::Time(TimePart::Minute, None))),
    ("hour", First, kind!(ChainKind::Time(TimePart::Hour, None))),
    ("day", First, kind!(ChainKind::Time(TimePart::Day, None))),
    ("week", First, kind!(ChainKind::Time(TimePart::Week, None))),
    ("month", First, kind!(ChainKind::Time(TimePart::Month, None))),
    ("year", First, kind!(ChainKind::Time(TimePart::Year, None))),
    ("lt", FirstOrAfterTime, order!(Order::Less)),
    ("lte", FirstOrAfterTime, order!(Order::LessOrEqual)),
    ("gt", FirstOrAfterTime, order!(Order::Greater)),
    ("gte", FirstOrAfterTime, order!(Order::GreaterOrEqual)),
];

/// Reads the modifiers of a key in the order written. `None` where a problem was reported.
pub(crate) fn read(names: &[&str], place: Location, problems: &mut Problems) -> Option<Chain> {
    let mut chain = Chain::default();
    let before = problems.error_count();
    for (at, name) in names.iter().enumerate() {
        let Some((known, stands, apply)) = MODIFIERS.iter().find(|(known, ..)| known == name) else {
            let known: Vec<_> = MODIFIERS.iter().map(|(known, ..)| *known).collect();
            problems.error(place, format!("unknown modifier `{name}`: known are {}", known.join(", ")));
            continue;
        };
        let after_time = matches!(chain.kind, ChainKind::Time(_, None));
        if *stands == First && at > 0 || *stands == FirstOrAfterTime && at > 0 && !after_time {
            problems.error(place, format!("the modifier `{name}` must come first"));
        }
        if names[..at].contains(name) {
            problems.warn(place, format!("the modifier `{name}` stands twice"));
        }
        let kind = chain.kind;
        apply(&mut chain);
        if chain.changes_by.is_none() && chain.steps.iter().any(|step| !matches!(step, Step::Anchor(_))) {
            chain.changes_by = Some(known);
        }
        if chain.kind != kind && kind != ChainKind::Plain && !after_time {
            problems.error(place, format!("the modifier `{name}` cannot stand behind `{}`", names[0]));
        }
    }
    check(&chain, place, problems);
    (problems.error_count() == before).then_some(chain)
}

/// What does not go together.
fn check(chain: &Chain, place: Location, problems: &mut Problems) {
    if chain.flags != RegexFlags::default() && chain.kind != ChainKind::Regex {
        problems.error(place, "the modifiers i, m and s need `re` in front of them");
    }
    if chain.cased && chain.kind == ChainKind::Regex {
        problems.warn(place, "regular expressions tell case anyway: `cased` has no effect");
    }
    if chain.changes_by.is_some() && chain.kind != ChainKind::Plain {
        problems.error(place, "windash, expand, base64 and utf16 modifiers work on plain text values only");
    }
    let takes_anchor = matches!(chain.kind, ChainKind::Plain | ChainKind::Regex | ChainKind::FieldRef);
    if !takes_anchor && chain.anchor().is_some() {
        problems.error(place, "contains, startswith and endswith work on text values only");
    }
    let anchors = chain.steps.iter().filter(|step| matches!(step, Step::Anchor(_))).count();
    if anchors > 1 {
        problems.warn(place, "several of contains, startswith and endswith on one key add up: one would do");
    }
    let expand = chain.steps.iter().position(|step| *step == Step::Expand);
    let encode = chain.steps.iter().position(|step| !matches!(step, Step::Anchor(_) | Step::Expand | Step::Dashes));
    if expand.zip(encode).is_some_and(|(expand, encode)| encode < expand) {
        problems.error(place, "`expand` must stand before the modifiers that encode: nothing is left to expand behind");
    }
}
