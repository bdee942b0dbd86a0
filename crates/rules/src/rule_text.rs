//! A rule file as it comes: its text, and its packed trees where it is part of the program. Nothing is checked here.

use crate::yaml::{self, Node, YamlDocument};

/// A file that is part of the program: its path, its text, and the trees that were read of it when the program was built
/// ([`yaml::pack`]); no bytes where it could not be read.
pub type EmbeddedFile = (&'static str, &'static str, &'static [u8]);

/// The files that rules need whatever is loaded: vocabularies, names of fields, steps to take.
pub(crate) static STANDARD: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/standard.rs"));

/// The standard file of this path.
pub(crate) fn standard(path: &str) -> RuleText<'static> {
    STANDARD.iter().copied().find(|(known, ..)| *known == path).unwrap_or_default().into()
}

/// A file of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'a> {
    /// What diagnostics call it.
    pub path: &'a str,
    /// All of it.
    pub text: &'a str,
    /// Its packed trees, where they are known.
    packed: &'static [u8],
}

impl<'a> From<(&'a str, &'a str)> for RuleText<'a> {
    fn from((path, text): (&'a str, &'a str)) -> Self {
        RuleText { path, text, packed: &[] }
    }
}

impl From<EmbeddedFile> for RuleText<'_> {
    fn from((path, text, packed): EmbeddedFile) -> Self {
        RuleText { path, text, packed }
    }
}

impl RuleText<'_> {
    /// Whether it is part of the program.
    pub(crate) fn is_packed(&self) -> bool {
        !self.packed.is_empty()
    }

    fn unpacked(&self) -> Option<Vec<Node>> {
        if self.packed.is_empty() { None } else { yaml::unpack(self.packed) }
    }

    /// Every document of the file for itself, with what is wrong with it.
    pub(crate) fn documents(&self) -> Vec<YamlDocument> {
        match self.unpacked() {
            Some(nodes) => {
                nodes.into_iter().map(|node| YamlDocument { node: Some(node), errors: Vec::new() }).collect()
            }
            None => yaml::read_each(self.text),
        }
    }

    /// Every document of the file; the first mistake is the end of it.
    pub(crate) fn sound_documents(&self) -> Result<Vec<Node>, yaml::YamlError> {
        self.unpacked().map_or_else(|| yaml::read(self.text), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_what_is_read() {
        assert!(STANDARD.len() > 10);
        for file in STANDARD {
            let file = RuleText::from(*file);
            assert!(file.unpacked().is_some_and(|nodes| !nodes.is_empty()), "{}", file.path);
            assert_eq!(file.documents(), yaml::read_each(file.text), "{}", file.path);
        }
    }
}
