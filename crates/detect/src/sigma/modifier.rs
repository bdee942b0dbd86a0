//! The modifiers of field names, `field|contains|all`. One table; a modifier that the specification knows and this
//! version does not is refused by name, so that no rule runs with another meaning.

use crate::check::Order;
use crate::pattern::Anchor;
use crate::sigma::diagnostic::Problems;
use crate::yaml::Place;

/// What a chain of modifiers asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    pub(crate) anchor: Option<Anchor>,
    pub(crate) all: bool,
    pub(crate) cased: bool,
    pub(crate) windash: bool,
    pub(crate) negated: bool,
    pub(crate) kind: ChainKind,
    pub(crate) flags: RegexFlags,
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
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RegexFlags {
    pub(crate) ignore_case: bool,
    pub(crate) multi_line: bool,
    pub(crate) dot_all: bool,
}

type Apply = fn(&mut Chain);

/// Name, whether it must come first, and what it does.
static MODIFIERS: &[(&str, bool, Apply)] = &[
    ("contains", false, |chain| chain.anchor = Some(Anchor::Contains)),
    ("startswith", false, |chain| chain.anchor = Some(Anchor::StartsWith)),
    ("endswith", false, |chain| chain.anchor = Some(Anchor::EndsWith)),
    ("all", false, |chain| chain.all = true),
    ("cased", false, |chain| chain.cased = true),
    ("windash", false, |chain| chain.windash = true),
    ("neq", false, |chain| chain.negated = true),
    ("re", true, |chain| chain.kind = ChainKind::Regex),
    ("i", false, |chain| chain.flags.ignore_case = true),
    ("ignorecase", false, |chain| chain.flags.ignore_case = true),
    ("m", false, |chain| chain.flags.multi_line = true),
    ("multiline", false, |chain| chain.flags.multi_line = true),
    ("s", false, |chain| chain.flags.dot_all = true),
    ("dotall", false, |chain| chain.flags.dot_all = true),
    ("cidr", true, |chain| chain.kind = ChainKind::Cidr),
    ("exists", true, |chain| chain.kind = ChainKind::Exists),
    ("lt", true, |chain| chain.kind = ChainKind::Compare(Order::Less)),
    ("lte", true, |chain| chain.kind = ChainKind::Compare(Order::LessOrEqual)),
    ("gt", true, |chain| chain.kind = ChainKind::Compare(Order::Greater)),
    ("gte", true, |chain| chain.kind = ChainKind::Compare(Order::GreaterOrEqual)),
];

/// Modifiers of the specification that this version refuses.
const NOT_YET: &[&str] = &[
    "base64",
    "base64offset",
    "utf16",
    "utf16le",
    "utf16be",
    "wide",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "expand",
    "fieldref",
];

/// Reads the modifiers of a key in the order written. `None` where a problem was reported.
pub(crate) fn read(names: &[&str], place: Place, problems: &mut Problems) -> Option<Chain> {
    let mut chain = Chain::default();
    let before = problems.error_count();
    for (at, name) in names.iter().enumerate() {
        let Some((_, must_be_first, apply)) = MODIFIERS.iter().find(|(known, ..)| known == name) else {
            problems.error(place, unknown(name));
            continue;
        };
        if *must_be_first && at > 0 {
            problems.error(place, format!("the modifier `{name}` must come first"));
        }
        if names[..at].contains(name) {
            problems.warn(place, format!("the modifier `{name}` stands twice"));
        }
        apply(&mut chain);
    }
    let flags_given = chain.flags != RegexFlags::default();
    if flags_given && chain.kind != ChainKind::Regex {
        problems.error(place, "the modifiers i, m and s need `re` in front of them");
    }
    if chain.windash && chain.kind != ChainKind::Plain {
        problems.error(place, "`windash` works on plain text values only");
    }
    if chain.kind != ChainKind::Plain && chain.kind != ChainKind::Regex && chain.anchor.is_some() {
        problems.error(place, "contains, startswith and endswith work on text values only");
    }
    (problems.error_count() == before).then_some(chain)
}

fn unknown(name: &str) -> String {
    if NOT_YET.contains(&name) {
        return format!("the modifier `{name}` is not supported by this version");
    }
    let known: Vec<_> = MODIFIERS.iter().map(|(known, ..)| *known).collect();
    format!("unknown modifier `{name}`: known are {}", known.join(", "))
}
