//! How much the name of a command says, and what it is worth at a place with its arguments, whatever shell would run it.

use crate::shell_arguments::Shape;
use crate::shell_places::CommandPlace;

/// How much the name of a command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandClass {
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

impl CommandClass {
    /// Points of a command of this class at a place, by the shape of its arguments.
    pub(crate) fn points(self, place: CommandPlace, shape: Shape) -> u32 {
        // Prose, nothing, plain, dotted, likely, sure, several, acting.
        let row: [u32; 8] = match (self, place) {
            (CommandClass::Tool, CommandPlace::Start) => [0, 1, 2, 4, 5, 5, 5, 5],
            (CommandClass::Tool, CommandPlace::Header) => [0, 0, 0, 0, 4, 2, 5, 5],
            (CommandClass::Tool, CommandPlace::Weak) => [0, 1, 2, 3, 4, 5, 5, 5],
            (CommandClass::Tool, CommandPlace::Token | CommandPlace::TokenPipe | CommandPlace::TokenAmpersand) => {
                [1, 4, 3, 4, 5, 5, 5, 5]
            }
            (CommandClass::Tool, CommandPlace::Edge | CommandPlace::EdgePipe | CommandPlace::Inside) => {
                [2, 5, 4, 5, 5, 5, 5, 5]
            }
            (CommandClass::Word, CommandPlace::Start) => [0, 0, 1, 2, 4, 4, 5, 5],
            (CommandClass::Word, CommandPlace::Header) => [0, 0, 0, 0, 3, 1, 4, 5],
            (CommandClass::Word, CommandPlace::Weak) => [0, 1, 1, 2, 4, 4, 5, 5],
            (CommandClass::Word, CommandPlace::Token | CommandPlace::TokenPipe | CommandPlace::TokenAmpersand) => {
                [0, 3, 2, 4, 5, 5, 5, 5]
            }
            (CommandClass::Word, CommandPlace::Edge | CommandPlace::EdgePipe | CommandPlace::Inside) => {
                [1, 5, 3, 5, 5, 5, 5, 5]
            }
            (CommandClass::Argument, CommandPlace::Start) => [0, 0, 0, 1, 3, 3, 5, 5],
            (CommandClass::Argument, CommandPlace::Header) => [0, 0, 0, 0, 2, 0, 3, 5],
            (CommandClass::Argument, CommandPlace::Weak) => [0, 0, 0, 1, 3, 3, 4, 5],
            (CommandClass::Argument, CommandPlace::Token | CommandPlace::TokenPipe | CommandPlace::TokenAmpersand) => {
                [0, 1, 1, 2, 4, 4, 5, 5]
            }
            (CommandClass::Argument, CommandPlace::Edge | CommandPlace::EdgePipe | CommandPlace::Inside) => {
                [0, 3, 2, 3, 5, 5, 5, 5]
            }
            (CommandClass::Binary, CommandPlace::Start) => [0, 2, 2, 4, 5, 5, 5, 5],
            (CommandClass::Binary, CommandPlace::Header) => [0, 3, 1, 2, 5, 3, 5, 5],
            (CommandClass::Binary, CommandPlace::Weak) => [1, 2, 3, 4, 5, 5, 5, 5],
            (CommandClass::Binary, _) => [3, 5, 5, 5, 5, 5, 5, 5],
            (CommandClass::OwnFile, CommandPlace::Start | CommandPlace::Header) => [0, 0, 0, 0, 1, 2, 2, 4],
            (CommandClass::OwnFile, CommandPlace::Weak) => [0, 2, 1, 1, 2, 3, 3, 4],
            (CommandClass::OwnFile, _) => [0, 5, 2, 3, 4, 5, 5, 5],
        };
        row[shape as usize]
    }
}
