//! No circle between the files of a crate: whoever reads one file of a circle has to read them all.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::Arrows;
use super::house::MEANT_ARROWS;
use super::modules::FileId;
use super::problems::Problems;
use super::sources::Source;

/// Every circle of one crate. Tells which of the arrows that are meant it has, by their place in the table.
pub(super) fn check(sources: &[Source], arrows: &Arrows, problems: &mut Problems) -> BTreeSet<usize> {
    let mut arrows = arrows.clone();
    let mut seen = BTreeSet::new();
    arrows.retain(|(from, to), _| {
        let (from, to) = (&sources[*from].path, &sources[*to].path);
        let meant = MEANT_ARROWS.iter().position(|meant| from == meant.from && to.starts_with(meant.to));
        seen.extend(meant);
        meant.is_none()
    });
    for circle in circles(&arrows) {
        report(sources, &arrows, &circle, problems);
    }
    seen
}

/// Arrows that are meant, but that no crate has.
pub(super) fn check_meant(seen: &BTreeSet<usize>, problems: &mut Problems) {
    for (_, meant) in MEANT_ARROWS.iter().enumerate().filter(|(at, _)| !seen.contains(at)) {
        let what = format!("no arrow from `{}` to `{}` ({})", meant.from, meant.to, meant.reason);
        problems.add("crates/xtask/src/tidy/house.rs", 1, &what, "take it out of MEANT_ARROWS");
    }
}

/// Groups of files that reach each other, the largest first.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<FileId>> {
    let mut next: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
    arrows.keys().for_each(|(from, to)| next.entry(*from).or_default().push(*to));
    let reached: BTreeMap<FileId, BTreeSet<FileId>> = next.keys().map(|from| (*from, reach(*from, &next))).collect();
    let is_reached = |from: FileId, to: FileId| reached.get(&from).is_some_and(|files| files.contains(&to));
    let mut found: Vec<BTreeSet<FileId>> = Vec::new();
    for from in next.keys().filter(|from| is_reached(**from, **from)) {
        if !found.iter().any(|circle| circle.contains(from)) {
            found.push(reached[from].iter().copied().filter(|to| is_reached(*to, *from)).collect());
        }
    }
    found.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    found
}

/// Every file that arrows lead to from one.
fn reach(from: FileId, next: &BTreeMap<FileId, Vec<FileId>>) -> BTreeSet<FileId> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        for to in next.get(&at).into_iter().flatten() {
            if found.insert(*to) {
                open.push(*to);
            }
        }
    }
    found
}

fn report(sources: &[Source], arrows: &Arrows, circle: &BTreeSet<FileId>, problems: &mut Problems) {
    let inside = arrows.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    let (mut ties, mut line) = (String::new(), 1);
    for (at, ((from, to), names)) in inside.enumerate() {
        if at == 0 {
            line = names.values().copied().min().unwrap_or(1);
        }
        let words: Vec<&str> = names.keys().map(String::as_str).collect();
        ties += &format!("\n    {} -> {}: {}", sources[*from].path, sources[*to].path, words.join(", "));
    }
    let first = circle.first().map_or("", |first| sources[*first].path.as_str());
    let what = format!("a circle of {} files", circle.len());
    problems.add(first, line, &what, &format!("what both need stands in a file below both{ties}"));
}

#[cfg(test)]
mod tests {
    use super::super::arrows;
    use super::super::modules::Tree;
    use super::*;

    /// The circles of a crate of these files, paths shortened.
    fn found(files: &[(&str, &str)]) -> String {
        let read = |(path, text): &(&str, &str)| Source::read(&format!("crates/x/src/{path}.rs"), (*text).to_owned());
        let mut sources: Vec<Source> = files.iter().map(read).collect::<Result<_, _>>().unwrap();
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        let root = sources.iter().position(|source| source.path.ends_with("/lib.rs")).unwrap();
        let mut problems = Problems::default();
        check(&sources, &arrows::of(&sources, &Tree::of(&sources, root)), &mut problems);
        problems.lines().join("; ").replace("crates/x/src/", "")
    }

    const LIB: (&str, &str) = ("lib", "mod a; mod b; pub use a::A; pub use b::B;");

    #[test]
    fn two_files_that_name_each_other_are_a_circle() {
        let a = ("a", "use crate::b::B;\npub struct A(B);");
        for back in [
            "use crate::a::A; pub struct B;",
            "use super::a::A; pub struct B;",
            "use super::a; pub struct B(a::A);",
            "pub struct B; fn x() { crate::a::A::new(); }",
            "pub struct B; fn x() { use crate::a::A as C; C::new(); }",
            "pub struct B; fn x() { y!(1, crate::a::A); }",
            "pub struct B; impl B { fn x(&self) -> Option<super::a::A> {} }",
            "#[derive(Serialize)] pub struct B { #[serde(with = \"crate::a::A\")] b: u8 }",
            "pub struct B; #[route(body = crate::a::A)] fn x() {}",
            "pub struct B; fn x() { use super::a::*; let y = A; }",
            "use crate::A; pub struct B;",
            "pub struct B; pub use crate::a::A;",
        ] {
            let told = found(&[LIB, a, ("b", back)]);
            assert!(told.starts_with("a.rs:1: a circle of 2 files"), "{back}: {told}");
            assert!(told.contains("\n    a.rs -> b.rs: B\n    b.rs -> a.rs: A"), "{back}: {told}");
        }
    }

    #[test]
    fn what_is_no_arrow_ties_no_circle() {
        let a = ("a", "use crate::b::B; pub struct A(B); pub fn make() {}");
        for back in [
            "pub struct B; impl B { fn x(&self) { self.a(); } }",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            "pub struct B; #[cfg(test)] fn x(a: crate::a::A) {}",
            "pub struct B; use other::a::A;",
            "pub struct B<A>(A); impl<A> B<A> { fn x() -> A {} }",
            "pub struct B; fn a() {} fn x() { a(); }",
            "/// [`crate::a::A`]\npub struct B;",
            "use ::a::A; pub struct B;",
        ] {
            assert_eq!(found(&[LIB, a, ("b", back)]), "", "{back}");
        }
        let tests = ("b_tests", "use crate::a::A;");
        assert_eq!(found(&[("lib", "mod a; mod b; #[cfg(test)] mod b_tests;"), a, ("b", "pub struct B;"), tests]), "");
    }

    #[test]
    fn a_module_that_hands_on_what_lies_below_it_names_nothing_of_it() {
        let below = [("a/b", "use crate::a::A; pub struct B(A); impl A { fn more(&self) {} }"), ("lib", "mod a;")];
        let with = |a| found(&[below[0], below[1], ("a", a)]);
        assert_eq!(with("mod b; pub use b::B; pub struct A;"), "");
        assert_eq!(
            with("mod b; pub(crate) use self::b::B as C; pub struct A; impl A { fn x(&self) { self.more(); } }"),
            ""
        );
        assert!(with("mod b; use b::B; pub struct A;").contains("a.rs -> a/b.rs: B"));
        assert!(with("mod b; pub use b::B; pub struct A(B);").contains("a.rs -> a/b.rs: B"));
        assert!(with("mod b; pub use b::B; pub struct A; fn x() { y!(B) }").contains("a.rs -> a/b.rs: B"));
    }

    #[test]
    fn macros_and_longer_ways_around_count() {
        let lib = ("lib", "macro_rules! m { () => { crate::b::B } } mod a; mod b; mod c;");
        let told = found(&[
            lib,
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::A; pub struct C;"),
        ]);
        assert!(told.contains("a circle of 3 files"), "{told}");
        let told = found(&[lib, ("a", ""), ("b", "pub struct B; fn x() { m!() }"), ("c", "")]);
        assert!(told.contains("b.rs -> lib.rs: m") && told.contains("lib.rs -> b.rs: B"), "{told}");
    }

    #[test]
    fn an_arrow_that_is_meant_must_be_there() {
        let mut problems = Problems::default();
        check_meant(&(1..MEANT_ARROWS.len()).collect(), &mut problems);
        assert_eq!(problems.lines().len(), 1);
        assert!(problems.lines()[0].contains("take it out of MEANT_ARROWS"));
    }
}
