//! Arrows between the files of one crate: file A names, in a `use` or a path, what file B defines.
//!
//! No arrows are: `mod b;`; a re-export by a module of what lies below it; a method call. What only tests use is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::modules::{Bind, Binding, FileId, ModuleId, Names, Target, Tree, item_names, leaves};
use super::sources::{Source, attributes, is_for_tests};

/// Between two files: each name that the first takes from the second, with the first line that it stands in.
pub(super) type Arrows = BTreeMap<(FileId, FileId), BTreeMap<String, usize>>;

/// Every arrow of one crate.
pub(super) fn of(sources: &[Source], tree: &Tree) -> Arrows {
    let mut arrows = Arrows::new();
    walk_file(sources, tree, 0, &mut arrows);
    arrows
}

fn walk_file(sources: &[Source], tree: &Tree, module: ModuleId, arrows: &mut Arrows) {
    let file = tree.modules[module].file;
    let mut walk = Walk { sources, tree, module, blocks: Vec::new(), locals: Vec::new(), arrows };
    walk.visit_file(&sources[file].syntax);
}

/// What a block defines or imports.
#[derive(Default)]
struct Block {
    names: Names,
    /// Modules of which it imports everything.
    globs: Vec<ModuleId>,
}

struct Walk<'a> {
    sources: &'a [Source],
    tree: &'a Tree,
    module: ModuleId,
    /// The blocks around, the innermost last.
    blocks: Vec<Block>,
    /// Generic parameters and variables of the functions around: such names mean no item.
    locals: Vec<BTreeSet<String>>,
    arrows: &'a mut Arrows,
}

impl Walk<'_> {
    fn file(&self) -> FileId {
        self.tree.modules[self.module].file
    }

    fn arrow(&mut self, targets: Vec<Target>, line: usize) {
        for target in targets {
            if let Target::Item(file, name) = target
                && file != self.file()
            {
                self.arrows.entry((self.file(), file)).or_default().entry(name).or_insert(line);
            }
        }
    }

    fn targets(&self, path: &[String]) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let is_name = rest.is_empty() || first.starts_with(char::is_uppercase);
        if first == "Self" || is_name && self.locals.iter().any(|names| names.contains(first)) {
            return Vec::new();
        }
        if let Some(bindings) = self.blocks.iter().rev().find_map(|block| block.names.get(first)) {
            return self.tree.follow(self.module, bindings, rest);
        }
        let globs = self.blocks.iter().rev().flat_map(|block| &block.globs);
        let through = globs.map(|module| self.tree.resolve(*module, path)).find(|targets| !targets.is_empty());
        through.unwrap_or_else(|| self.tree.resolve(self.module, path))
    }

    fn path(&mut self, path: &[String], line: usize) {
        let targets = self.targets(path);
        self.arrow(targets, line);
    }

    /// Whether a re-export only hands on what lies below its module.
    fn hands_on(&self, import: &syn::ItemUse, target: &Target) -> bool {
        let module = &self.tree.modules[self.module];
        let is_face = module.parent.is_none() || module.has_files_below;
        let Target::Item(file, _) = target else { return false };
        let is_below = |mut at: ModuleId| loop {
            match self.tree.modules[at].parent {
                Some(parent) if parent == self.module => return true,
                Some(parent) => at = parent,
                None => return false,
            }
        };
        let holders = (0..self.tree.modules.len()).filter(|at| self.tree.modules[*at].file == *file);
        !matches!(import.vis, syn::Visibility::Inherited) && is_face && holders.into_iter().any(is_below)
    }

    fn bring(&self, import: &syn::ItemUse, block: &mut Block) {
        for leaf in leaves(import) {
            match leaf.name {
                Some(name) => block.names.bind(&name, Binding::Import(leaf.path)),
                None => block.globs.extend(self.targets(&leaf.path).iter().filter_map(|target| match target {
                    Target::Module(module) => Some(*module),
                    Target::Item(..) => None,
                })),
            }
        }
    }

    fn scoped(&mut self, names: BTreeSet<String>, inside: impl FnOnce(&mut Self)) {
        self.locals.push(names);
        inside(self);
        self.locals.pop();
    }

    /// Paths that stand in the tokens of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            match &trees[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let path = path_at(&trees[at..]);
                    let before = at.checked_sub(1).map(|before| punct(&trees[before]));
                    let is_part = matches!(before, Some('.' | '\''));
                    let is_label = path.len() == 1 && trees.get(at + 1).is_some_and(|next| punct(next) == ':');
                    if !is_part && !is_label {
                        self.path(&path, first.span().start().line);
                    }
                    at += (path.len() - 1) * 3;
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// The path that begins with the first token, an identifier: three tokens for each further part.
fn path_at(trees: &[TokenTree]) -> Vec<String> {
    let mut path = vec![trees[0].to_string()];
    for next in trees[1..].chunks_exact(3) {
        match next {
            [first, second, TokenTree::Ident(part)] if punct(first) == ':' && punct(second) == ':' => {
                path.push(part.to_string());
            }
            _ => break,
        }
    }
    path
}

fn punct(tree: &TokenTree) -> char {
    if let TokenTree::Punct(punct) = tree { punct.as_char() } else { ' ' }
}

fn parts(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Names of generic parameters, and of variables bound anywhere in a function.
#[derive(Default)]
struct Locals(BTreeSet<String>);

impl<'ast> Visit<'ast> for Locals {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.to_string();
        // A constant in a pattern looks as a variable does, and is written in capitals.
        if !name.starts_with(char::is_uppercase) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_generics(&mut self, generics: &'ast syn::Generics) {
        self.0.extend(generics.type_params().map(|parameter| parameter.ident.to_string()));
        self.0.extend(generics.const_params().map(|parameter| parameter.ident.to_string()));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

impl Locals {
    fn of(visit: impl FnOnce(&mut Locals)) -> BTreeSet<String> {
        let mut locals = Locals::default();
        visit(&mut locals);
        locals.0
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let Some(child) = self.tree.modules[self.module].children.get(&item.ident.to_string()) else { return };
        match &item.content {
            None => walk_file(self.sources, self.tree, *child, self.arrows),
            Some((_, items)) => {
                let before = std::mem::replace(&mut self.module, *child);
                items.iter().for_each(|item| self.visit_item(item));
                self.module = before;
            }
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        for leaf in leaves(import) {
            let mut targets = self.targets(&leaf.path);
            targets.retain(|target| !self.hands_on(import, target));
            self.arrow(targets, leaf.line);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.scoped(Locals::of(|locals| visit::visit_item_fn(locals, item)), |walk| visit::visit_item_fn(walk, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            let locals = Locals::of(|locals| visit::visit_impl_item_fn(locals, item));
            self.scoped(locals, |walk| visit::visit_impl_item_fn(walk, item));
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let locals = Locals::of(|locals| visit::visit_trait_item_fn(locals, item));
        self.scoped(locals, |walk| visit::visit_trait_item_fn(walk, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let locals = Locals::of(|locals| locals.visit_generics(&item.generics));
        self.scoped(locals, |walk| visit::visit_item_impl(walk, item));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let locals = Locals::of(|locals| locals.visit_generics(&item.generics));
        self.scoped(locals, |walk| visit::visit_item_struct(walk, item));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let locals = Locals::of(|locals| locals.visit_generics(&item.generics));
        self.scoped(locals, |walk| visit::visit_item_enum(walk, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let locals = Locals::of(|locals| locals.visit_generics(&item.generics));
        self.scoped(locals, |walk| visit::visit_item_trait(walk, item));
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        let locals = Locals::of(|locals| locals.visit_generics(&item.generics));
        self.scoped(locals, |walk| visit::visit_item_type(walk, item));
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let mut inside = Block::default();
        for statement in &block.stmts {
            match statement {
                syn::Stmt::Item(syn::Item::Use(import)) => self.bring(import, &mut inside),
                syn::Stmt::Item(item) => inside.names.extend_with(item_names(item, self.file())),
                _ => {}
            }
        }
        self.blocks.push(inside);
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
            self.path(&parts(path), line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let path = parts(&called.path);
        let targets = match (self.targets(&path), path.as_slice()) {
            (targets, [name]) if targets.is_empty() => self.tree.macro_named(name),
            (targets, _) => targets,
        };
        self.arrow(targets, called.path.segments.first().map_or(0, |first| first.ident.span().start().line));
        self.tokens(called.tokens.clone());
    }

    /// Attributes name functions in their tokens, serde's in texts.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else { return };
        self.tokens(list.tokens.clone());
        let texts = list.tokens.clone().into_iter().filter_map(|tree| syn::parse2::<syn::LitStr>(tree.into()).ok());
        for text in texts {
            if let Ok(path) = text.parse::<syn::Path>() {
                self.path(&parts(&path), text.span().start().line);
            }
        }
    }
}
