//! How much the name of a command says, and what it is worth at a place with its arguments. The same for every shell.

use crate::shell_arguments::Shape;
use crate::shell_places::Place;

/// How much the name of a command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It means the program and hardly anything else.
    Tool,
    /// A short name that is a word or an abbreviation, too.
    Word,
    /// A word of the language: only its arguments tell.
    Argument,
    /// A program by its path.
    Binary,
    /// A file that the writer brought.
    OwnFile,
}

impl Class {
    /// Points of a command of this class at a place, by the shape of its arguments.
    pub(crate) fn points(self, place: Place, shape: Shape) -> u32 {
        // Prose, nothing, plain, dotted, likely, sure, several, acting.
        let row: [u32; 8] = match (self, place) {
            (Class::Tool, Place::Start) => [0, 1, 2, 4, 5, 5, 5, 5],
            (Class::Tool, Place::Header) => [0, 0, 0, 0, 4, 2, 5, 5],
            (Class::Tool, Place::Weak) => [0, 1, 2, 3, 4, 5, 5, 5],
            (Class::Tool, Place::Token | Place::TokenPipe | Place::TokenAmpersand) => [1, 4, 3, 4, 5, 5, 5, 5],
            (Class::Tool, Place::Edge | Place::EdgePipe | Place::Inside) => [2, 5, 4, 5, 5, 5, 5, 5],
            (Class::Word, Place::Start) => [0, 0, 1, 2, 4, 4, 5, 5],
            (Class::Word, Place::Header) => [0, 0, 0, 0, 3, 1, 4, 5],
            (Class::Word, Place::Weak) => [0, 1, 1, 2, 4, 4, 5, 5],
            (Class::Word, Place::Token | Place::TokenPipe | Place::TokenAmpersand) => [0, 3, 2, 4, 5, 5, 5, 5],
            (Class::Word, Place::Edge | Place::EdgePipe | Place::Inside) => [1, 5, 3, 5, 5, 5, 5, 5],
            (Class::Argument, Place::Start) => [0, 0, 0, 1, 3, 3, 5, 5],
            (Class::Argument, Place::Header) => [0, 0, 0, 0, 2, 0, 3, 5],
            (Class::Argument, Place::Weak) => [0, 0, 0, 1, 3, 3, 4, 5],
            (Class::Argument, Place::Token | Place::TokenPipe | Place::TokenAmpersand) => [0, 1, 1, 2, 4, 4, 5, 5],
            (Class::Argument, Place::Edge | Place::EdgePipe | Place::Inside) => [0, 3, 2, 3, 5, 5, 5, 5],
            (Class::Binary, Place::Start) => [0, 2, 2, 4, 5, 5, 5, 5],
            (Class::Binary, Place::Header) => [0, 3, 1, 2, 5, 3, 5, 5],
            (Class::Binary, Place::Weak) => [1, 2, 3, 4, 5, 5, 5, 5],
            (Class::Binary, _) => [3, 5, 5, 5, 5, 5, 5, 5],
            (Class::OwnFile, Place::Start | Place::Header) => [0, 0, 0, 0, 1, 2, 2, 4],
            (Class::OwnFile, Place::Weak) => [0, 2, 1, 1, 2, 3, 3, 4],
            (Class::OwnFile, _) => [0, 5, 2, 3, 4, 5, 5, 5],
        };
        row[shape as usize]
    }
}
