//! Shapes: events that are told by their keys (JSON, key=value, CEF, LEEF alike), and what becomes of their values. The
//! table is `schemas/json-shapes.yaml`; operators add files of the same form. Nothing here touches rows.

pub(crate) mod model;
mod read;
pub(crate) mod synonyms;
mod words;

use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;

use model::{EventShape, SIGNS_MAX, Signs};
use synonyms::Synonyms;
use words::KnownWords;

pub use model::{About, ShapeProblem};

/// The shapes that the program knows by itself.
const STANDARD: ShapeText<'static> = ShapeText {
    path: "schemas/json-shapes.yaml",
    text: include_str!("../../../schemas/json-shapes.yaml"),
    packed: include_bytes!(concat!(env!("OUT_DIR"), "/json-shapes.packed")),
};
/// Usual spellings of fields.
const SYNONYMS: ShapeText<'static> = ShapeText {
    path: "schemas/synonyms.yaml",
    text: include_str!("../../../schemas/synonyms.yaml"),
    packed: include_bytes!(concat!(env!("OUT_DIR"), "/synonyms.packed")),
};

/// A file of shapes or synonyms as it comes.
#[derive(Clone, Copy, Debug)]
struct ShapeText<'a> {
    /// What messages call it.
    path: &'a str,
    text: &'a str,
    /// Its packed trees, where it is part of the program.
    packed: &'static [u8],
}

impl ShapeText<'_> {
    fn documents(&self) -> Result<Vec<yaml::Node>, yaml::YamlError> {
        let unpacked = if self.packed.is_empty() { None } else { yaml::unpack(self.packed) };
        unpacked.map_or_else(|| yaml::read(self.text), Ok)
    }
}

/// Checked shapes, in the order in which they are tried, and the dictionary for keys of no shape.
#[derive(Debug)]
pub struct Shapes {
    shapes: Vec<EventShape>,
    signs: HashMap<String, u16>,
    synonyms: Arc<Synonyms>,
    notes: Vec<ShapeProblem>,
}

/// What is read of the program's own files.
#[derive(Debug)]
struct Standard {
    shapes: Arc<Shapes>,
    problems: Vec<ShapeProblem>,
}

static READ: LazyLock<Standard> = LazyLock::new(|| {
    let mut problems = Vec::new();
    let synonyms = Arc::new(Synonyms::read(SYNONYMS.path, SYNONYMS.documents(), &mut problems));
    let shapes = Arc::new(collect(&[STANDARD], synonyms, &KnownWords::default(), &mut problems));
    Standard { shapes, problems }
});

impl Shapes {
    /// The shapes that the program knows by itself.
    pub fn standard() -> &'static Arc<Shapes> {
        &READ.shapes
    }

    /// What is wrong with the program's own files: nothing, as a test says.
    pub fn standard_problems() -> &'static [ShapeProblem] {
        &READ.problems
    }

    /// The shapes of these files (path and text), tried before those that the program knows; all problems where there are
    /// some.
    pub fn with(files: &[(String, String)]) -> Result<Arc<Shapes>, Vec<ShapeProblem>> {
        if files.is_empty() {
            return Ok(Arc::clone(Self::standard()));
        }
        let mut all: Vec<ShapeText<'_>> =
            files.iter().map(|(path, text)| ShapeText { path, text, packed: &[] }).collect();
        all.push(STANDARD);
        let mut problems = Vec::new();
        let words = KnownWords::of(&Self::standard().shapes);
        let mut shapes = collect(&all, Arc::clone(&Self::standard().synonyms), &words, &mut problems);
        let (notes, problems): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.is_note);
        shapes.notes = notes;
        if problems.is_empty() { Ok(Arc::new(shapes)) } else { Err(problems) }
    }

    /// What is to be known of the files, though it is no mistake: fields that are new.
    pub fn notes(&self) -> &[ShapeProblem] {
        &self.notes
    }

    /// What is to be told of each shape, in the order in which they are tried.
    pub fn about(&self) -> impl Iterator<Item = &About> {
        self.shapes.iter().map(|shape| &shape.about)
    }

    /// Fields that a key of no known shape may be, by the dictionary of synonyms.
    pub fn guesses(&self, key: &str) -> Vec<String> {
        let claims = self.synonyms.claims(key).into_iter();
        claims.filter_map(|claim| self.synonyms.of(claim)).map(|synonym| synonym.target.clone()).collect()
    }

    pub(crate) fn shapes(&self) -> &[EventShape] {
        &self.shapes
    }

    pub(crate) fn synonyms(&self) -> &Synonyms {
        &self.synonyms
    }

    /// The number of a key that some signature names.
    pub(crate) fn sign(&self, path: &str) -> Option<u16> {
        self.signs.get(path).copied()
    }

    /// Shapes that an event with these keys may have, in the order in which they are tried.
    pub(crate) fn candidates(&self, keys: &Signs) -> Vec<u16> {
        let fits = |(at, shape): (usize, &EventShape)| shape.signature.allows(keys).then_some(at as u16);
        self.shapes.iter().enumerate().filter_map(fits).collect()
    }
}

fn collect(
    files: &[ShapeText<'_>],
    synonyms: Arc<Synonyms>,
    words: &KnownWords,
    problems: &mut Vec<ShapeProblem>,
) -> Shapes {
    let mut shapes = Shapes { shapes: Vec::new(), signs: HashMap::new(), synonyms, notes: Vec::new() };
    for file in files {
        let path = file.path;
        let known = (path != STANDARD.path).then_some(words);
        let found = read::shapes((path, file.documents()), known, &mut shapes.signs, problems);
        for (line, shape) in found {
            let name = &shape.about.name;
            // A shape of an operator takes the place of ours.
            let is_double = shapes.shapes.iter().any(|known| known.about.name == *name);
            if is_double && path != STANDARD.path {
                let reason = format!("the shape `{name}` stands twice: give one of them another name");
                problems.push(ShapeProblem { path: path.to_owned(), line, reason, is_note: false });
            } else if !is_double {
                shapes.shapes.push(shape);
            }
        }
    }
    if shapes.signs.len() > SIGNS_MAX {
        let reason = format!(
            "all `where` together name {} different keys, more than {SIGNS_MAX}: take some out",
            shapes.signs.len()
        );
        problems.push(ShapeProblem { path: files[0].path.to_owned(), line: 1, reason, is_note: false });
    }
    shapes
}

#[cfg(test)]
mod tests;
