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

/// The shapes that the program knows by itself, and their path in messages.
const STANDARD: (&str, &str) = ("schemas/json-shapes.yaml", include_str!("../../../schemas/json-shapes.yaml"));
/// Usual spellings of fields.
const SYNONYMS: (&str, &str) = ("schemas/synonyms.yaml", include_str!("../../../schemas/synonyms.yaml"));

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
    let synonyms = Arc::new(Synonyms::read(SYNONYMS.0, SYNONYMS.1, &mut problems));
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
        let mut all: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
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
    files: &[(&str, &str)],
    synonyms: Arc<Synonyms>,
    words: &KnownWords,
    problems: &mut Vec<ShapeProblem>,
) -> Shapes {
    let mut shapes = Shapes { shapes: Vec::new(), signs: HashMap::new(), synonyms, notes: Vec::new() };
    for (path, text) in files {
        let known = (*path != STANDARD.0).then_some(words);
        let found = read::shapes((path, text), known, &mut shapes.signs, problems);
        for (line, shape) in found {
            let name = &shape.about.name;
            // A shape of an operator takes the place of ours.
            let is_double = shapes.shapes.iter().any(|known| known.about.name == *name);
            if is_double && *path != STANDARD.0 {
                let reason = format!("the shape `{name}` stands twice: give one of them another name");
                problems.push(ShapeProblem { path: (*path).to_owned(), line, reason, is_note: false });
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
        problems.push(ShapeProblem { path: files[0].0.to_owned(), line: 1, reason, is_note: false });
    }
    shapes
}

#[cfg(test)]
mod tests;
