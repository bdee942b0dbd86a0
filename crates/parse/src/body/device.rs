//! Words that messages of network devices share: what was done with traffic, protocols, who observed it. Knows no device.

use event::BatchBuilder;
use event::catalog::field;

/// Maker, product and kind of the device.
#[inline]
pub(crate) fn put_observer(rows: &mut BatchBuilder, vendor: &'static str, product: &'static str, kind: &'static str) {
    rows.literal(field::OBSERVER_VENDOR, vendor);
    rows.literal(field::OBSERVER_PRODUCT, product);
    rows.literal(field::OBSERVER_TYPE, kind);
}

/// What a device did with traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Blocked,
    Allowed,
    /// It was seen, and the line does not say what became of it.
    Logged,
}

/// Words for traffic that did not pass, and for traffic that did, as devices write them in lower case.
const BLOCKING: &[&str] = &[
    "block",
    "blocked",
    "deny",
    "denied",
    "drop",
    "dropped",
    "reject",
    "rejected",
    "discard",
    "discarded",
    "prevent",
    "prevented",
    "shunned",
    "reset",
    "reset-both",
    "reset-client",
    "reset-server",
    "drop-all",
    "block-url",
    "refused",
    "client-rst",
    "server-rst",
    "quarantine",
    "drop-icmp",
    "silent-drop",
    "n",
    "inline-drop",
];
const ALLOWING: &[&str] =
    &["allow", "allowed", "accept", "accepted", "pass", "passed", "permit", "permitted", "est-allowed", "forward", "p"];

impl Verdict {
    /// What a word of a device says; `Logged` for words that tell neither.
    pub(crate) fn of_word(word: &[u8]) -> Self {
        let is_in = |words: &[&str]| words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        match (is_in(BLOCKING), is_in(ALLOWING)) {
            (true, _) => Verdict::Blocked,
            (_, true) => Verdict::Allowed,
            _ => Verdict::Logged,
        }
    }

    /// Puts action, outcome and category.
    pub(crate) fn put(self, rows: &mut BatchBuilder) {
        let (action, outcome) = match self {
            Verdict::Blocked => ("blocked", "failure"),
            Verdict::Allowed => ("allowed", "success"),
            Verdict::Logged => ("logged", "unknown"),
        };
        rows.literal(field::EVENT_CATEGORY, "network");
        rows.literal(field::EVENT_ACTION, action);
        rows.literal(field::EVENT_OUTCOME, outcome);
    }
}

/// Names and numbers of transport protocols (IANA), and the words of ECS.
const TRANSPORTS: &[(&str, &str, &str)] = &[
    ("tcp", "6", "tcp"),
    ("udp", "17", "udp"),
    ("icmp", "1", "icmp"),
    ("icmpv6", "58", "ipv6-icmp"),
    ("ipv6-icmp", "58", "ipv6-icmp"),
    ("icmp6", "58", "ipv6-icmp"),
    ("igmp", "2", "igmp"),
    ("gre", "47", "gre"),
    ("esp", "50", "esp"),
    ("ah", "51", "ah"),
    ("ospf", "89", "ospf"),
    ("pim", "103", "pim"),
    ("vrrp", "112", "vrrp"),
    ("sctp", "132", "sctp"),
];

/// Puts the protocol by its name, in any case, or its number.
#[inline]
pub(crate) fn put_transport(rows: &mut BatchBuilder, word: &[u8]) {
    let known = TRANSPORTS
        .iter()
        .find(|(name, number, _)| name.as_bytes().eq_ignore_ascii_case(word) || number.as_bytes() == word);
    match known {
        Some((.., ecs)) => rows.literal(field::NETWORK_TRANSPORT, ecs),
        None if word.is_empty() => {}
        None => rows.owned(field::NETWORK_TRANSPORT, &String::from_utf8_lossy(word).to_lowercase()),
    }
}

/// Writes the protocol that a table of messages took as it stood in the words of ECS.
pub(crate) fn settle_transport(rows: &mut BatchBuilder) {
    let mut word = String::new();
    if rows.text_now(field::NETWORK_TRANSPORT, &mut word) {
        put_transport(rows, word.as_bytes());
    }
}

/// A direction in the words of ECS; others are left out.
pub(crate) fn put_direction(rows: &mut BatchBuilder, word: &[u8]) {
    for (name, ecs) in [
        ("in", "inbound"),
        ("inbound", "inbound"),
        ("incoming", "inbound"),
        ("out", "outbound"),
        ("outbound", "outbound"),
        ("outgoing", "outbound"),
    ] {
        if name.as_bytes().eq_ignore_ascii_case(word) {
            rows.literal(field::NETWORK_DIRECTION, ecs);
        }
    }
}
