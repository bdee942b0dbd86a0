//! The modules of one crate: which file each stands in, what names it defines, and to which definition a path leads.
//! Follows `use` and re-exports as the compiler does, as far as names are concerned; types of values are not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::{Item, UseTree};

use super::problems::Problems;
use super::sources::{Source, attributes, is_for_tests};

/// Longest chain of re-exports that is followed: a circle of them ends here.
const STEPS_MAX: usize = 16;

/// Index into [`Tree::modules`].
pub(super) type ModuleId = usize;
/// Index into the sources that the tree was made of.
pub(super) type FileId = usize;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Module(ModuleId),
    /// A definition: the file that holds it, and its name there.
    Item(FileId, String),
}

/// What a name is bound to where it is written.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    To(Target),
    Import(Vec<String>),
}

/// Names bound in one module or block.
pub(super) type Names = BTreeMap<String, Vec<Binding>>;

#[derive(Default)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) file: FileId,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: BTreeMap<String, ModuleId>,
    /// Whether it declares modules that stand in files of their own.
    pub(super) has_files_below: bool,
    names: Names,
    globs: Vec<Vec<String>>,
}

/// A crate: its root is module 0.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    /// Every `macro_rules!` by its name, because such names reach further down than paths do.
    macros: BTreeMap<String, Vec<FileId>>,
    /// Files behind `cfg(test)`.
    pub(super) test_files: Vec<FileId>,
}

impl Tree {
    /// The crate whose root file is `root`.
    pub(super) fn of(sources: &[Source], root: FileId) -> Self {
        let mut tree = Tree::default();
        let path = &sources[root].path;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        tree.modules.push(Module { file: root, ..Module::default() });
        tree.add_items(sources, 0, &folder, &sources[root].syntax.items, false);
        tree
    }

    /// Puts what `items` define to `module`; `folder` is where the files of its modules lie.
    fn add_items(&mut self, sources: &[Source], module: ModuleId, folder: &str, items: &[Item], is_test: bool) {
        for item in items {
            let is_test = is_test || is_for_tests(attributes(item));
            match item {
                Item::Mod(child) => self.add_module(sources, module, folder, child, is_test),
                _ if is_test => {}
                Item::Use(import) => self.add_use(module, import),
                Item::Macro(rules) => self.add_macro(module, rules),
                _ => {
                    let file = self.modules[module].file;
                    self.modules[module].names.extend_with(item_names(item, file));
                }
            }
        }
    }

    fn add_module(&mut self, sources: &[Source], parent: ModuleId, folder: &str, item: &syn::ItemMod, is_test: bool) {
        let name = item.ident.to_string();
        let below = format!("{folder}/{name}");
        let inline = item.content.as_ref().map(|(_, items)| items);
        let file = match inline {
            Some(_) => Some(self.modules[parent].file),
            None => ["{}.rs", "{}/mod.rs"]
                .iter()
                .map(|form| form.replace("{}", &below))
                .find_map(|path| sources.binary_search_by(|source| source.path.as_str().cmp(&path)).ok()),
        };
        let Some(file) = file else { return };
        let child = self.modules.len();
        self.modules.push(Module { name: name.clone(), file, parent: Some(parent), ..Module::default() });
        if inline.is_none() && is_test {
            self.test_files.push(file);
        } else if inline.is_none() {
            self.modules[parent].has_files_below = true;
        }
        if !is_test {
            self.modules[parent].names.bind(&name, Binding::To(Target::Module(child)));
            self.modules[parent].children.insert(name, child);
        }
        self.add_items(sources, child, &below, inline.unwrap_or(&sources[file].syntax.items), is_test);
    }

    fn add_use(&mut self, module: ModuleId, import: &syn::ItemUse) {
        for leaf in leaves(import) {
            match leaf.name {
                Some(name) => self.modules[module].names.bind(&name, Binding::Import(leaf.path)),
                None => self.modules[module].globs.push(leaf.path),
            }
        }
    }

    fn add_macro(&mut self, module: ModuleId, rules: &syn::ItemMacro) {
        let file = self.modules[module].file;
        let Some(name) = rules.ident.as_ref().map(ToString::to_string) else { return };
        self.macros.entry(name.clone()).or_default().push(file);
        self.modules[module].names.bind(&name, Binding::To(Target::Item(file, name.clone())));
    }

    /// The file of a macro that is called by its name alone and that no `use` brings.
    pub(super) fn macro_named(&self, name: &str) -> Vec<Target> {
        let files = self.macros.get(name).map(Vec::as_slice).unwrap_or_default();
        files.iter().map(|file| Target::Item(*file, name.to_owned())).collect()
    }

    /// What `path` means in `module`. Nothing, where it leads out of the crate or names something that a function holds.
    pub(super) fn resolve(&self, module: ModuleId, path: &[String]) -> Vec<Target> {
        self.resolve_in(module, path, 0)
    }

    /// What bindings of `name` mean, followed by the rest of a path.
    pub(super) fn follow(&self, module: ModuleId, bindings: &[Binding], rest: &[String]) -> Vec<Target> {
        self.targets(module, bindings, rest, 0)
    }

    fn resolve_in(&self, module: ModuleId, path: &[String], steps: usize) -> Vec<Target> {
        let Some((first, rest)) = path.split_first().filter(|_| steps < STEPS_MAX) else { return Vec::new() };
        let start = match first.as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(module)],
            "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
            name => self.lookup(module, name, steps),
        };
        self.walk(start, rest, steps)
    }

    /// From where a path has come along the rest of it; a definition ends it, what follows is a part of that.
    fn walk(&self, start: Vec<Target>, rest: &[String], steps: usize) -> Vec<Target> {
        rest.iter().fold(start, |targets, segment| {
            let next = |target| match target {
                Target::Module(module) if segment == "super" => {
                    self.modules[module].parent.map(Target::Module).into_iter().collect()
                }
                Target::Module(module) => self.lookup(module, segment, steps),
                item => vec![item],
            };
            let mut targets: Vec<Target> = targets.into_iter().flat_map(next).collect();
            targets.sort();
            targets.dedup();
            targets
        })
    }

    fn lookup(&self, module: ModuleId, name: &str, steps: usize) -> Vec<Target> {
        if let Some(bindings) = self.modules[module].names.get(name) {
            return self.targets(module, bindings, &[], steps);
        }
        let mut targets = Vec::new();
        for glob in &self.modules[module].globs {
            for target in self.resolve_in(module, glob, steps + 1) {
                if let Target::Module(module) = target
                    && steps < STEPS_MAX
                {
                    targets.extend(self.lookup(module, name, steps + 1));
                }
            }
        }
        targets
    }

    fn targets(&self, module: ModuleId, bindings: &[Binding], rest: &[String], steps: usize) -> Vec<Target> {
        let mut targets = Vec::new();
        for binding in bindings {
            let start = match binding {
                Binding::To(target) => vec![target.clone()],
                Binding::Import(path) => self.resolve_in(module, path, steps + 1),
            };
            targets.extend(self.walk(start, rest, steps));
        }
        targets
    }
}

/// Adding names to what may be there already: a type and a function can share one.
pub(super) trait Bind {
    fn bind(&mut self, name: &str, binding: Binding);
    fn extend_with(&mut self, items: Vec<(String, Binding)>);
}

impl Bind for Names {
    fn bind(&mut self, name: &str, binding: Binding) {
        self.entry(name.to_owned()).or_default().push(binding);
    }

    fn extend_with(&mut self, items: Vec<(String, Binding)>) {
        items.into_iter().for_each(|(name, binding)| self.bind(&name, binding));
    }
}

/// What an item that is no module, no `use` and no macro binds in its module.
pub(super) fn item_names(item: &Item, file: FileId) -> Vec<(String, Binding)> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return Vec::new(),
    };
    let name = name.to_string();
    vec![(name.clone(), Binding::To(Target::Item(file, name)))]
}

/// One name that a `use` brings, or all of a module (`name` is none).
pub(super) struct Leaf {
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Every name that a `use` brings. Paths that begin with `::` lead out of the crate and are left out.
pub(super) fn leaves(import: &syn::ItemUse) -> Vec<Leaf> {
    let mut found = Vec::new();
    if import.leading_colon.is_none() {
        gather(&import.tree, &mut Vec::new(), &mut found);
    }
    found
}

fn gather(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let mut leaf = |own: &syn::Ident, name: Option<&syn::Ident>| {
        let mut path = path.clone();
        if own != "self" || path.is_empty() {
            path.push(own.to_string());
        }
        let last = path.last().cloned().unwrap_or_default();
        found.push(Leaf { name: Some(name.map_or(last, ToString::to_string)), path, line: own.span().start().line });
    };
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            gather(&part.tree, path, found);
            path.pop();
        }
        UseTree::Name(part) => leaf(&part.ident, None),
        UseTree::Rename(part) => leaf(&part.ident, Some(&part.rename)),
        UseTree::Glob(part) => {
            let line = part.star_token.spans[0].start().line;
            found.push(Leaf { name: None, path: path.clone(), line });
        }
        UseTree::Group(group) => group.items.iter().for_each(|part| gather(part, path, found)),
    }
}

/// The root files of a package's crates: its library and its programs. Files of its tests and benches are not read.
pub(super) fn roots(sources: &[Source], package: &str) -> Vec<FileId> {
    let is_root = |path: &str| {
        let Some(rest) = path.strip_prefix("crates/").and_then(|path| path.strip_prefix(package)) else { return false };
        matches!(rest, "/src/lib.rs" | "/src/main.rs" | "/build.rs")
            || rest.starts_with("/src/bin/") && Path::new(rest).parent() == Some(Path::new("/src/bin"))
    };
    (0..sources.len()).filter(|at| is_root(&sources[*at].path)).collect()
}

/// Files below `src` that no crate declares: nobody compiles them, and no other check follows their names.
pub(super) fn check_lost(sources: &[Source], trees: &[Tree], problems: &mut Problems) {
    let files: BTreeSet<FileId> = trees.iter().flat_map(|tree| &tree.modules).map(|module| module.file).collect();
    for (at, source) in sources.iter().enumerate() {
        if source.package().is_some() && source.path.contains("/src/") && !files.contains(&at) {
            problems.add(&source.path, 1, "no `mod` line declares the file", "declare it or delete it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_files_folders_and_test_code() {
        let files = [
            ("crates/x/src/a.rs", "mod b; mod inner { mod c; }"),
            ("crates/x/src/a/b.rs", ""),
            ("crates/x/src/a/inner/c.rs", ""),
            ("crates/x/src/d/e.rs", ""),
            ("crates/x/src/d/mod.rs", "mod e;"),
            ("crates/x/src/lib.rs", "mod a; mod d; #[cfg(test)] mod suite;"),
            ("crates/x/src/lost.rs", ""),
            ("crates/x/src/suite.rs", "mod part;"),
            ("crates/x/src/suite/part.rs", ""),
        ];
        let read = |(path, text): &(&str, &str)| Source::read(path, (*text).to_owned()).unwrap();
        let sources: Vec<Source> = files.iter().map(read).collect();
        let trees: Vec<Tree> = roots(&sources, "x").into_iter().map(|root| Tree::of(&sources, root)).collect();
        let tests: Vec<&str> = trees[0].test_files.iter().map(|file| sources[*file].path.as_str()).collect();
        assert_eq!(tests, ["crates/x/src/suite.rs", "crates/x/src/suite/part.rs"]);
        let mut problems = Problems::default();
        check_lost(&sources, &trees, &mut problems);
        let lost = "crates/x/src/lost.rs:1: no `mod` line declares the file: declare it or delete it";
        assert_eq!(problems.lines(), [lost]);
    }

    #[test]
    fn paths_lead_to_definitions_through_re_exports() {
        let files = [
            ("crates/x/src/a.rs", "pub mod b; pub use b::{B, make as made};"),
            ("crates/x/src/a/b.rs", "pub struct B; pub fn make() {} pub use super::super::round;"),
            ("crates/x/src/lib.rs", "pub mod a; pub use a::*; pub use a::b::round; use other::Thing;"),
        ];
        let read = |(path, text): &(&str, &str)| Source::read(path, (*text).to_owned()).unwrap();
        let sources: Vec<Source> = files.iter().map(read).collect();
        let tree = Tree::of(&sources, 2);
        let leads = |path: &str| {
            let parts: Vec<String> = path.split("::").map(str::to_owned).collect();
            tree.resolve(0, &parts)
        };
        let item = |name: &str| vec![Target::Item(1, name.to_owned())];
        for path in ["a::b::B", "crate::a::B", "B", "self::a::B::new", "crate::a::b::super::B"] {
            assert_eq!(leads(path), item("B"), "{path}");
        }
        assert_eq!(leads("made"), item("make"));
        for path in ["round", "Thing", "std::fs", "a::nothing"] {
            assert_eq!(leads(path), [], "{path}");
        }
    }
}
