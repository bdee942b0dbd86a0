//! The table "What a change costs" of ARCHITECTURE.md is true: for an example of each kind, the places that its row names
//! are exactly those where the example stands. So a further place that a new one would have to touch breaks the test.
//!
//! A row has four cells. The second gives what the example is known by: an identifier (`Slack`), a text (`"slack"`), and,
//! where the words mean other things elsewhere, the folders that are searched (`crates/store/`). The third gives the files
//! that are the example's own, the fourth the places in files that are there already: `path` or `path::item`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;

use super::arrows::Arrows;
use super::modules::Tree;
use super::problems::Problems;
use super::sources::{Source, attributes, files, is_for_tests, relative};

const MAP: &str = "ARCHITECTURE.md";
const HEADING: &str = "## What a change costs";

/// Rows that the table must have.
const KINDS: [&str; 8] = [
    "a log format",
    "a rule",
    "a source",
    "a webhook format",
    "an API endpoint",
    "a store query",
    "a metric",
    "a rule modifier",
];

/// Folders and extensions of files that are no Rust and that words are looked for in.
const TEXT_FOLDERS: [&str; 6] = ["benches", "crates", "deploy", "k8s", "rules", "schemas"];
const TEXT_EXTENSIONS: [&str; 7] = ["json", "sql", "toml", "tsv", "txt", "yaml", "yml"];
/// Documents that name each thing of a kind.
const TEXT_DOCUMENTS: [&str; 2] = ["RUNBOOK.md", "rules/README.md"];

/// Somewhere that an example stands.
struct Occurrence {
    path: String,
    line: usize,
    /// The item of a Rust file around it.
    item: String,
}

#[derive(Debug, Default, PartialEq)]
struct Row {
    line: usize,
    kind: String,
    words: Vec<String>,
    scopes: Vec<String>,
    own: Vec<String>,
    places: Vec<String>,
}

/// The files that are searched.
pub(super) struct House<'a> {
    pub(super) sources: &'a [Source],
    /// The crates with the arrows between their files.
    pub(super) crates: &'a [(Tree, Arrows)],
    /// Path and content of files that are no Rust.
    pub(super) texts: &'a [(String, String)],
}

/// Every row of the table that is not true.
pub(super) fn check(root: &Path, house: &House<'_>, problems: &mut Problems) -> anyhow::Result<()> {
    let rows = read(&fs::read_to_string(root.join(MAP))?);
    for kind in KINDS.iter().filter(|kind| !rows.iter().any(|row| row.kind == **kind)) {
        problems.add(MAP, 1, &format!("the table of costs has no row `{kind}`"), "add it");
    }
    rows.iter().for_each(|row| check_row(row, house, problems));
    Ok(())
}

/// Files that are no Rust and no test data.
pub(super) fn texts(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for folder in TEXT_FOLDERS {
        for extension in TEXT_EXTENSIONS {
            for path in files(&root.join(folder), extension)? {
                let name = relative(root, &path);
                if !name.contains("/testdata/") {
                    found.push((name, fs::read_to_string(&path)?));
                }
            }
        }
    }
    for name in TEXT_DOCUMENTS {
        found.push((name.to_owned(), fs::read_to_string(root.join(name))?));
    }
    Ok(found)
}

fn read(map: &str) -> Vec<Row> {
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let lines = map.lines().enumerate().skip_while(|(_, line)| *line != HEADING).skip(1);
    let mut rows = Vec::new();
    for (at, line) in lines.take_while(|(_, line)| !line.starts_with("## ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, example, own, places] = cells.as_slice() else { continue };
        if !line.starts_with("| ") || *kind == "to add" {
            continue;
        }
        let (scopes, words) = quoted(example).into_iter().partition(|quoted| is_path(quoted));
        let (kind, own) = ((*kind).to_owned(), quoted(own));
        let places = quoted(places).into_iter().filter(|quoted| is_path(quoted)).collect();
        rows.push(Row { line: at + 1, kind, words, scopes, own, places });
    }
    rows
}

/// A path, no word and no command.
fn is_path(quoted: &str) -> bool {
    (quoted.contains('/') || quoted.ends_with(".md")) && !quoted.contains(['"', ' '])
}

fn check_row(row: &Row, house: &House<'_>, problems: &mut Problems) {
    let found: Vec<Occurrence> = occurrences(row, house).into_iter().filter(|one| !is_own(row, &one.path)).collect();
    let covers = |place: &str, one: &Occurrence| match place.split_once("::") {
        Some((path, item)) => one.path == path && one.item == item,
        None => one.path == place,
    };
    let mut told = BTreeSet::new();
    for one in found.iter().filter(|one| !row.places.iter().any(|place| covers(place, one))) {
        let place = if one.item.is_empty() { one.path.clone() } else { format!("{}::{}", one.path, one.item) };
        if told.insert(place.clone()) {
            let what = format!("the example of {} stands in `{place}` too, line {}", row.kind, one.line);
            problems.add(MAP, row.line, &what, "name the place in the row, or make it needless");
        }
    }
    for place in row.places.iter().filter(|place| !found.iter().any(|one| covers(place, one))) {
        let what = format!("the example of {} does not stand in `{place}`", row.kind);
        problems.add(MAP, row.line, &what, "take the place out of the row, or name the item that has it");
    }
    check_example(row, house, problems);
}

/// An example that is not there proves nothing.
fn check_example(row: &Row, house: &House<'_>, problems: &mut Problems) {
    let sources = house.sources.iter().map(|source| (&source.path, &source.text));
    let all: Vec<(&String, &String)> =
        sources.chain(house.texts.iter().map(|(path, content)| (path, content))).collect();
    for own in row.own.iter().filter(|own| !all.iter().any(|(path, _)| path == own)) {
        problems.add(MAP, row.line, &format!("the example of {} has no file `{own}`", row.kind), "name another one");
    }
    for word in row.words.iter().filter(|word| !all.iter().any(|(_, content)| content.contains(word.trim_matches('"'))))
    {
        problems.add(MAP, row.line, &format!("the example of {} is nowhere: `{word}`", row.kind), "name another one");
    }
    if row.own.is_empty() && row.words.is_empty() {
        problems.add(MAP, row.line, &format!("{} has no example", row.kind), "name one");
    }
}

/// Own are the files named, and those of the folder of the same name below one.
fn is_own(row: &Row, path: &str) -> bool {
    row.own.iter().any(|own| {
        let folder = own.strip_suffix(".rs").map(|stem| format!("{stem}/"));
        path == own || folder.is_some_and(|folder| path.starts_with(&folder))
    })
}

/// Everywhere that a row's example is named: by its words, by its `mod` line, and by files that use its own file.
fn occurrences(row: &Row, house: &House<'_>) -> Vec<Occurrence> {
    let mut found = Vec::new();
    let is_searched = |path: &str| row.scopes.is_empty() || row.scopes.iter().any(|scope| path.starts_with(scope));
    for source in house.sources.iter().filter(|source| !source.is_test && is_searched(&source.path)) {
        let mut lines = BTreeSet::new();
        if row.words.iter().any(|word| source.text.contains(word.trim_matches('"'))) {
            word_lines(source.text.parse().unwrap_or_default(), &row.words, &mut lines);
        }
        found.extend(lines.into_iter().filter_map(|line| in_item(source, line)));
    }
    let texts: Vec<&str> = row.words.iter().filter_map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect();
    for (path, content) in house.texts.iter().filter(|(path, _)| is_searched(path)) {
        let lines = content.lines().enumerate().filter(|(_, line)| texts.iter().any(|text| has_word(line, text)));
        found.extend(lines.map(|(at, _)| Occurrence { path: path.clone(), line: at + 1, item: String::new() }));
    }
    for own in &row.own {
        found.extend(users(own, house));
    }
    found
}

/// The `mod` line of a file, and the other files of its crate that name what it defines.
fn users(own: &str, house: &House<'_>) -> Vec<Occurrence> {
    let mut found = Vec::new();
    for (tree, arrows) in house.crates {
        let modules = tree.modules.iter().filter(|module| house.sources[module.file].path == own);
        for (child, parent) in modules.filter_map(|child| Some((child, &tree.modules[child.parent?]))) {
            let source = &house.sources[parent.file];
            let is_line = |item: &&syn::Item| matches!(item, syn::Item::Mod(item) if item.ident == child.name);
            found.extend(source.syntax.items.iter().find(is_line).and_then(|item| in_item(source, first_line(item))));
        }
        for ((from, _), names) in arrows.iter().filter(|((_, to), _)| house.sources[*to].path == own) {
            found.extend(names.values().filter_map(|line| in_item(&house.sources[*from], *line)));
        }
    }
    found
}

fn first_line(item: &syn::Item) -> usize {
    item.span().start().line
}

/// Lines on which words stand: identifiers as they are, texts as whole literals. Comments are not read.
fn word_lines(tokens: TokenStream, words: &[String], lines: &mut BTreeSet<usize>) {
    let mut before = ' ';
    for tree in tokens {
        match &tree {
            TokenTree::Group(group) if before != '#' || !begins_with_doc(group) => {
                word_lines(group.stream(), words, lines);
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) if words.contains(&tree.to_string()) => {
                lines.insert(tree.span().start().line);
            }
            _ => {}
        }
        before = if let TokenTree::Punct(punct) = &tree { punct.as_char() } else { ' ' };
    }
}

fn begins_with_doc(group: &proc_macro2::Group) -> bool {
    matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
}

/// The item around a line; none where it is a test's.
fn in_item(source: &Source, line: usize) -> Option<Occurrence> {
    let around = |item: &&syn::Item| (first_line(item)..=item.span().end().line).contains(&line);
    let item = source.syntax.items.iter().find(around);
    if item.is_some_and(|item| is_for_tests(attributes(item))) {
        return None;
    }
    Some(Occurrence { path: source.path.clone(), line, item: item.map(name_of).unwrap_or_default() })
}

/// What a place calls an item.
fn name_of(item: &syn::Item) -> String {
    use syn::Item;
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Impl(item) => return type_name(&item.self_ty),
        Item::Macro(item) => {
            let called = item.mac.path.segments.last().map(|last| last.ident.to_string());
            return item.ident.as_ref().map(ToString::to_string).or(called).unwrap_or_default();
        }
        Item::Use(_) => return "use".to_owned(),
        _ => return String::new(),
    };
    name.to_string()
}

fn type_name(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Whether a line holds a word outside a comment.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
    let is_comment = ["#", "--", "//"].iter().any(|mark| line.trim_start().starts_with(mark));
    !is_comment
        && line
            .match_indices(word)
            .any(|(at, _)| !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::super::arrows;
    use super::super::modules::Tree;
    use super::*;

    /// What is wrong with a row over a crate of two formats.
    fn found(row: &str, more: &[(&str, &str)]) -> String {
        let table = "use crate::apple;\npub static FORMATS: &[Format] = &[Format { read: apple::read }];";
        let mut files = vec![
            ("crates/x/src/apple.rs", "pub fn read() { \"apple\"; } #[cfg(test)] mod tests { use super::read; }"),
            ("crates/x/src/format.rs", table),
            ("crates/x/src/lib.rs", "mod apple;\nmod format;"),
        ];
        files.extend(more.iter().filter(|(path, _)| path.ends_with(".rs")));
        let read = |(path, text): &(&str, &str)| Source::read(path, (*text).to_owned()).unwrap();
        let mut sources: Vec<Source> = files.iter().map(read).collect();
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        let root = sources.iter().position(|source| source.path.ends_with("/lib.rs")).unwrap();
        let tree = Tree::of(&sources, root);
        let arrows = arrows::of(&sources, &tree);
        let texts = more.iter().filter(|(path, _)| !path.ends_with(".rs"));
        let texts: Vec<(String, String)> = texts.map(|(path, text)| ((*path).into(), (*text).into())).collect();
        let map =
            format!("# x\n{HEADING}\n| to add | x | y | z |\n|---|---|---|---|\n{row}\n## More\n| a | b | c | d |\n");
        let rows = super::read(&map);
        assert_eq!(rows.len(), 1, "{map}");
        let mut problems = Problems::default();
        check_row(&rows[0], &House { sources: &sources, crates: &[(tree, arrows)], texts: &texts }, &mut problems);
        problems.lines().join("; ")
    }

    const ROW: &str = "| a format | `\"apple\"` | `crates/x/src/apple.rs` | `crates/x/src/lib.rs::apple`, `crates/x/src/format.rs::FORMATS` |";

    #[test]
    fn a_true_row_is_left_alone() {
        assert_eq!(found(ROW, &[]), "");
        let elsewhere = [
            ("crates/y/src/a_tests.rs", "fn x() { \"apple\"; }"),
            ("crates/y/src/b.rs", "/// apple \"apple\"\nfn x() { \"pineapple\"; apple(); }"),
            ("schemas/x.yaml", "# apple\nname: pineapple\n"),
            ("crates/x/src/apple/core.rs", "fn x() { \"apple\"; }"),
        ];
        assert_eq!(found(ROW, &elsewhere), "");
    }

    #[test]
    fn a_further_place_breaks_the_row() {
        for (path, text) in [
            ("crates/y/src/a.rs", "fn more() { x(\"apple\"); }"),
            ("crates/y/src/a.rs", "fn more() { json!({\"a\": [\"apple\"]}); }"),
            ("schemas/x.yaml", "names: [apple, pear]\n"),
        ] {
            let told = found(ROW, &[(path, text)]);
            assert!(told.contains(&format!("ARCHITECTURE.md:5: the example of a format stands in `{path}")), "{told}");
        }
        let in_folder = ROW.replace("`\"apple\"`", "`\"apple\"` in `crates/x/`");
        assert_eq!(found(&in_folder, &[("crates/y/src/a.rs", "fn more() { x(\"apple\"); }")]), "");
        let less = ROW.replace(", `crates/x/src/format.rs::FORMATS`", "");
        assert!(found(&less, &[]).contains("stands in `crates/x/src/format.rs::FORMATS` too"));
        let other = ROW.replace("lib.rs::apple", "lib.rs::format");
        assert!(found(&other, &[]).contains("stands in `crates/x/src/lib.rs::apple` too"));
    }

    #[test]
    fn a_place_that_is_not_needed_breaks_the_row() {
        let more = ROW.replace("`crates/x/src/lib.rs::apple`", "`crates/x/src/lib.rs::apple`, `crates/y/src/a.rs`");
        assert!(found(&more, &[("crates/y/src/a.rs", "")]).contains("does not stand in `crates/y/src/a.rs`"));
    }

    #[test]
    fn an_example_must_be_there() {
        assert!(found(&ROW.replace("\"apple\"", "plum"), &[]).contains("the example of a format is nowhere: `plum`"));
        assert!(found("| a format | `\"apple\"` | `crates/x/src/plum.rs` | |", &[]).contains("has no file"));
        assert!(found("| a format | – | – | – |", &[]).contains("a format has no example"));
    }

    #[test]
    fn the_table_has_every_kind() {
        let root = crate::root();
        let house = House { sources: &[], crates: &[], texts: &[] };
        let mut problems = Problems::default();
        check(&root, &house, &mut problems).unwrap();
        assert!(!problems.lines().iter().any(|line| line.contains("has no row")));
    }
}
