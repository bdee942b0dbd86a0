//! The tables that the checks read: crates and their arrows, and what is excused, each with its reason. No code.

/// Crates of this workspace that each crate uses, as ARCHITECTURE.md has them: arrows go down only, siblings do not know
/// each other.
pub(super) const ARROWS: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("yaml", &[]),
    ("spans", &[]),
    ("parse", &["event", "yaml"]),
    ("ingest", &["event", "spans"]),
    ("store", &["event"]),
    ("archive", &["event"]),
    ("patterns", &[]),
    ("rules", &["event", "patterns", "yaml"]),
    ("matcher", &["event", "patterns", "rules"]),
    ("correlate", &["event", "rules"]),
    ("api", &["event", "ingest", "rules", "spans", "store"]),
    ("notify", &["event", "spans", "store"]),
    (
        "c0di3",
        &[
            "api",
            "archive",
            "correlate",
            "event",
            "ingest",
            "matcher",
            "notify",
            "parse",
            "patterns",
            "rules",
            "spans",
            "store",
            "yaml",
        ],
    ),
    ("xtask", &["correlate", "event", "matcher", "parse", "patterns", "rules"]),
];

/// A crate that may hold more of the lines than others, in percent.
pub(super) struct LargerCrate {
    pub(super) package: &'static str,
    pub(super) share: usize,
    #[expect(dead_code, reason = "for whoever reads the table")]
    pub(super) reason: &'static str,
}

pub(super) const LARGER_CRATES: &[LargerCrate] = &[LargerCrate {
    package: "parse",
    share: 27,
    reason: "a log format or a program is a file, and there are hundreds of them; the messages of programs (body, template) are to become a crate of their own",
}];

/// Crates without I/O, clock and async.
pub(super) const PURE: &[&str] = &["event", "yaml", "parse", "patterns", "rules", "matcher", "correlate"];

/// Crates that speak of detection: names of their functions, fields, constants and variables are held to [`WORDS`] too.
pub(super) const DETECTION: &[&str] = &["patterns", "rules", "matcher", "correlate"];

/// Words that a newcomer would have to learn here, and the field's words for them. A name breaks the rule by one of its
/// parts: `read_ahead`, `SpoolRoom`.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("ahead", "prefetch"),
    ("behind", "chained"),
    ("due", "deadlines"),
    ("stray", "out_of_order"),
    ("strays", "out_of_order"),
    ("room", "budget"),
    ("waiting", "reorder"),
    ("adopt", "reload"),
    ("glance", "keyword_prefilter"),
    ("few", "short_literals"),
    ("mark", "seen_set"),
    ("marks", "seen_set"),
    ("origins", "by_log_source"),
    ("inline_test", "rule_cases"),
];

/// Types of these names say nothing of what they hold.
pub(super) const VAGUE_TYPES: &[(&str, &str)] = &[("Place", "what is where"), ("Found", "what was found")];

/// Files of these names say nothing of what they hold.
pub(super) const VAGUE_FILES: &[(&str, &str)] = &[("pattern.rs", "text_pattern.rs")];

/// A name that means something else than [`WORDS`] had in mind.
pub(super) struct OtherSense {
    pub(super) package: &'static str,
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
}

pub(super) const OTHER_SENSES: &[OtherSense] = &[];

/// An arrow between files of a crate that is left out when circles are looked for: what `from` names of files whose path
/// begins with `to`.
pub(super) struct MeantArrow {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) reason: &'static str,
}

/// The one circle that is meant: the table of formats names each format, and formats carry each other.
pub(super) const MEANT_ARROWS: &[MeantArrow] = &[
    MeantArrow {
        from: "crates/parse/src/format/table.rs",
        to: "crates/parse/src/",
        reason: "the table names every format, and each format is written against the table's types",
    },
    MeantArrow {
        from: "crates/parse/src/user_format.rs",
        to: "crates/parse/src/format.rs",
        reason: "formats of operators are chosen by their names beside those of the table",
    },
    MeantArrow {
        from: "crates/parse/src/rfc5424.rs",
        to: "crates/parse/src/rfc3164.rs",
        reason: "a message of the newer form may carry a whole line of the older one",
    },
];
