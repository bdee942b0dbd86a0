//! Names that operators write: whether a name is known, a slip of the pen, or new. Knows the catalog; reads no definitions.

use event::catalog::FIELDS;

/// Names that stand for values in definitions, beside those of the catalog.
const WORDS: &[&str] = &["client.ip", "source.address", "destination.address", "request", "http.request.line"];

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind<'a> {
    Exactly,
    /// So like this known name that it is taken for a slip.
    Nearly(&'a str),
    /// A name of the operator's own; this known one is the nearest.
    Not(&'a str),
}

/// Compares the name with those of the catalog and with more that are known.
pub(crate) fn field<'a>(name: &str, more: &'a [String]) -> NameKind<'a> {
    let ours = FIELDS.iter().map(|field| field.name).chain(WORDS.iter().copied());
    of(name, ours.chain(more.iter().map(String::as_str)))
}

/// Compares the name with the known ones.
pub(crate) fn of<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> NameKind<'a> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], ".");
    let (written, mut nearest) = (plain(name), (usize::MAX, ""));
    for known in known {
        if known == name {
            return NameKind::Exactly;
        }
        let distance = strsim::damerau_levenshtein(&written, &plain(known));
        if distance < nearest.0 {
            nearest = (distance, known);
        }
    }
    // A slip changes little of a name; short names are like many others.
    let slip = match name.len() {
        0..=4 => 0,
        5..=8 => 1,
        _ => 2,
    };
    if nearest.0 <= slip { NameKind::Nearly(nearest.1) } else { NameKind::Not(nearest.1) }
}

/// Why a name that is a slip cannot be used.
pub(crate) fn slip(name: &str, meant: &str) -> String {
    format!("`{name}` is no known field, and `{meant}` is: write that, or a name that is less like it")
}

/// What is to be known of a name that is new.
pub(crate) fn note(name: &str, nearest: &str) -> String {
    format!("`{name}` is a field of its own, which only rules that name it see; the nearest known one is `{nearest}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_names_that_are_new() {
        for (name, meant) in [
            ("source.ipp", "source.ip"),
            ("Source.IP", "source.ip"),
            ("source_ip", "source.ip"),
            ("user.nmae", "user.name"),
            ("http.response.status.code", "http.response.status_code"),
            ("event.outcom", "event.outcome"),
        ] {
            assert_eq!(field(name, &[]), NameKind::Nearly(meant), "{name}");
        }
        for name in ["shop.cart.id", "tenant", "queue.depth"] {
            assert!(matches!(field(name, &[]), NameKind::Not(_)), "{name}");
        }
        assert_eq!(field("source.ip", &[]), NameKind::Exactly);
        assert_eq!(field("ResultType", &["ResultType".to_owned()]), NameKind::Exactly);
        assert_eq!(field("ResultTyp", &["ResultType".to_owned()]), NameKind::Nearly("ResultType"));
    }
}
