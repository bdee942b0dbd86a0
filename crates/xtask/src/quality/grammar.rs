//! What a grammar of attacks is: families and productions, alternatives and their pieces. Files are read in `grammar_file.rs`,
//! sentences derived in `sentence.rs`.

use std::collections::BTreeMap;

/// What is made up for each sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    Number,
    OtherNumber,
    Digit,
    Word,
    OtherWord,
    Host,
    Address,
    Blank,
    Tab,
    LineEnd,
    NewLine,
    Nul,
    None,
}

impl Made {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "n" => Made::Number,
            "m" => Made::OtherNumber,
            "k" => Made::Digit,
            "w" => Made::Word,
            "v" => Made::OtherWord,
            "host" => Made::Host,
            "ip" => Made::Address,
            "sp" => Made::Blank,
            "tab" => Made::Tab,
            "crlf" => Made::LineEnd,
            "lf" => Made::NewLine,
            "nul" => Made::Nul,
            "none" => Made::None,
            _ => return None,
        })
    }
}

/// What is done with a derived text before it stands in the sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    Base64,
    /// Base64 of UTF-16, as PowerShell takes it.
    Base64Wide,
    Hex,
    /// `\x61\x62`
    HexEscapes,
    /// `\141\142`
    OctalEscapes,
    /// `\u0061\u0062`
    UnicodeEscapes,
    /// `97,98`
    Codes,
    /// `&#97;&#98;`
    Entities,
    Reversed,
    Upper,
    Percent,
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "base64" => Function::Base64,
            "base64-wide" => Function::Base64Wide,
            "hex" => Function::Hex,
            "hex-escapes" => Function::HexEscapes,
            "octal-escapes" => Function::OctalEscapes,
            "unicode-escapes" => Function::UnicodeEscapes,
            "codes" => Function::Codes,
            "entities" => Function::Entities,
            "reversed" => Function::Reversed,
            "upper" => Function::Upper,
            "percent" => Function::Percent,
            _ => return None,
        })
    }
}

/// One part of an alternative.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Text(&'static str),
    Made(Made),
    /// A production of the grammar, and what is done with what it derives.
    Derived(&'static str, Option<Function>),
}

pub(crate) type Alternative = Vec<Piece>;

/// A top-level production.
#[derive(Debug)]
pub(crate) struct Family {
    /// Language and kind, such as `sql/tail-behind-bracket`.
    pub(crate) name: &'static str,
    /// Nobody mends patterns by what a family that is held out shows.
    pub(crate) is_held_out: bool,
    /// Its words have no other spelling: only encodings of the transport suit it.
    pub(crate) is_as_written: bool,
    pub(crate) alternatives: Vec<Alternative>,
}

#[derive(Debug, Default)]
pub(crate) struct Grammar {
    /// Class of attack: it chooses encodings.
    pub(crate) class: &'static str,
    pub(crate) places: Vec<&'static str>,
    /// Names of parameters; empty where sentences bring their own.
    pub(crate) parameters: Vec<&'static str>,
    pub(crate) families: Vec<Family>,
    pub(crate) productions: BTreeMap<&'static str, Vec<Alternative>>,
    /// The least depth in which each production ends.
    pub(crate) depths: BTreeMap<&'static str, usize>,
}

impl Grammar {
    /// The least depth in which an alternative ends; `None` where that is not known yet.
    pub(crate) fn depth(&self, alternative: &Alternative) -> Option<usize> {
        alternative.iter().filter_map(Piece::derived).try_fold(0, |most, name| Some(most.max(*self.depths.get(name)?)))
    }
}

impl Piece {
    /// The production that it names.
    pub(crate) fn derived(&self) -> Option<&'static str> {
        match self {
            Piece::Derived(name, _) => Some(name),
            Piece::Text(_) | Piece::Made(_) => None,
        }
    }
}
