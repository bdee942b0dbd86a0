//! The dictionary of synonyms: which field a key of no known shape probably is. Names are compared without case and without
//! what stands between their words. Nothing here touches rows.

use hashbrown::HashMap;
use yaml::{Node, YamlError};

use super::model::{Conversion, ShapeProblem, Table};
use super::read::{self, Told};

/// Parts at the end of a path that may be the name.
const TAIL_MAX: usize = 3;

/// What a field is called elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Synonym {
    pub(crate) target: String,
    pub(crate) conversion: Conversion,
    pub(crate) table: Option<Table>,
}

/// A key may be this field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// Index of the synonym: fields are filled in their order.
    pub(crate) synonym: u16,
    /// The better claim has the smaller number.
    pub(crate) rank: u16,
}

/// Claims by end of a path rank behind all others.
const TAIL_RANK: u16 = 10_000;

/// Spellings and what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Synonyms {
    synonyms: Vec<Synonym>,
    /// By the bare name: the synonym, its rank, and whether the name counts only as a whole path.
    names: HashMap<String, Vec<(Claim, bool)>>,
}

impl Synonyms {
    pub(super) fn read(path: &str, documents: Result<Vec<Node>, YamlError>, problems: &mut Vec<ShapeProblem>) -> Self {
        let mut told = Told { path, problems, words: None };
        let mut found = Synonyms::default();
        match documents {
            Ok(documents) => {
                for node in documents.iter().flat_map(Node::one_or_many) {
                    found.add(node, &mut told);
                }
            }
            Err(error) => told.add(error.place, error.message),
        }
        found
    }

    fn add(&mut self, node: &Node, told: &mut Told<'_>) {
        let Some(target) = node.get("target").and_then(|target| told.text(target, "target")) else {
            return told.add(node.place, "the entry has no `target`: name the field");
        };
        let usual = if node.get("values").is_some() { Conversion::Text } else { read::usual_conversion(target) };
        let conversion = match node.get("as").and_then(|word| told.text(word, "as")) {
            Some(word) => read::conversion(word).unwrap_or_else(|| {
                told.add(node.place, format!("as: unknown `{word}`"));
                usual
            }),
            None => usual,
        };
        let table = node.get("values").map(|values| told.words(values));
        let synonym = self.synonyms.len() as u16;
        self.synonyms.push(Synonym { target: target.to_owned(), conversion, table });
        let mut rank = 0;
        for (key, is_alone) in [("names", false), ("alone", true)] {
            for name in node.get(key).map_or(&[][..], Node::one_or_many) {
                let Some(shown) = told.text(name, key) else { continue };
                let name = bare(shown);
                let claims = self.names.entry(name).or_default();
                if claims.iter().any(|(claim, _)| claim.synonym == synonym) {
                    told.add(node.place, format!("`{target}`: a name stands twice, `{shown}`: take one out"));
                }
                claims.push((Claim { synonym, rank }, is_alone));
                rank += 1;
            }
        }
    }

    pub(crate) fn of(&self, claim: Claim) -> Option<&Synonym> {
        self.synonyms.get(usize::from(claim.synonym))
    }

    /// What the key under this path may be: by its whole path, or else by the longest end of it that is known.
    pub(crate) fn claims(&self, path: &str) -> Vec<Claim> {
        if let Some(claims) = self.names.get(bare(path).as_str()) {
            return claims.iter().map(|(claim, _)| *claim).collect();
        }
        let parts: Vec<&str> = path.split('.').collect();
        for length in (1..parts.len().min(TAIL_MAX + 1)).rev() {
            let tail = bare(&parts[parts.len() - length..].concat());
            let Some(claims) = self.names.get(tail.as_str()) else { continue };
            let rank = TAIL_RANK + 1000 * (TAIL_MAX - length) as u16;
            let free = claims.iter().filter(|(_, is_alone)| !is_alone);
            let free: Vec<Claim> =
                free.map(|(claim, _)| Claim { synonym: claim.synonym, rank: rank + claim.rank }).collect();
            if !free.is_empty() {
                return free;
            }
        }
        Vec::new()
    }
}

/// A name without case and separators.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}
