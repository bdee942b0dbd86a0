//! How each column is searched: the literals of the predicates on it, which nominate them, and the engines of its
//! packs. What finds literals is made when a batch first has the column.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use memchr::memmem;
use patterns::search::literals::Literals;
use patterns::search::shape::ShapedLiterals;
use patterns::{Engine, Input, NumberedPacks, PackCheck, PatternScratch, up_to_separator};
use rules::check::Check;
use rules::percent::is_url_column;
use rules::text_pattern::Anchor;

use crate::compile::Predicates;
use crate::keyword_prefilter::KeywordPrefilter;
use crate::keywords::place_matters;
use crate::predicate::{KEYWORDS, container_of};

/// The plans of all columns, in the order of their names, for the predicates that are searched for.
pub(super) fn plans(all: &Predicates, searched: &[bool]) -> Vec<Plan> {
    let mut by_column: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (number, columns) in all.columns.iter().enumerate().filter(|(number, _)| searched[*number]) {
        for column in columns {
            by_column.entry(&all.names[*column as usize]).or_default().push(number as u32);
        }
    }
    let names: Vec<&str> = by_column.keys().copied().collect();
    let plans = by_column.iter().map(|(column, predicates)| {
        let container = container_of(column).filter(|_| all.parts_hold);
        let container = container.and_then(|container| names.iter().position(|name| *name == container));
        // Literals that parts of this column look for: where none is found, the parts need not be searched.
        let parts = by_column.iter().filter(|(part, _)| all.parts_hold && container_of(part) == Some(column));
        let of_parts: Vec<u32> = parts.flat_map(|(_, predicates)| predicates.iter().copied()).collect();
        Plan::new(column, predicates.clone(), &of_parts, container, all)
    });
    plans.collect()
}

/// A predicate that is nominated where a literal is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nominee {
    pub(super) predicate: u32,
    /// Where the literal must stand for the predicate to hold; `None` where only the check can tell.
    pub(super) place: Option<Anchor>,
}

impl Nominee {
    /// Whether a literal found from `start` to `end` of a text of `length` bytes is enough.
    pub(super) fn holds(place: Anchor, start: usize, end: usize, length: usize) -> bool {
        match place {
            Anchor::Contains => true,
            Anchor::StartsWith => start == 0,
            Anchor::EndsWith => end == length,
            Anchor::Whole => start == 0 && end == length,
        }
    }
}

/// How one column is searched.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) column: String,
    /// Percent-encoded text is searched decoded, too.
    pub(super) decodes: bool,
    /// Every predicate on the column, in order.
    pub(super) predicates: Vec<u32>,
    pub(super) sought: SoughtLiterals,
    /// Of keywords: those that are also looked for in each value of a JSON line, in order.
    pub(super) of_values: Vec<u32>,
    /// Predicates without a literal: checked on every distinct value.
    pub(super) unfiltered: Vec<u32>,
    /// Plan of the column that contains this one's text: where it found nothing, there is nothing here.
    pub(super) container: Option<usize>,
    /// Some part of the column has predicates without a literal, so that parts are always searched.
    pub(super) parts_always: bool,
    packs: ColumnPacks,
}

/// The literals of one column, by number.
#[derive(Debug)]
pub(super) struct SoughtLiterals {
    /// Texts that the predicates need, folded.
    texts: Vec<Box<[u8]>>,
    /// Predicates that each literal nominates.
    pub(super) nominated: Vec<Vec<Nominee>>,
    /// Whether each literal is looked for by a part of this column.
    pub(super) opens_parts: Vec<bool>,
    /// What finds the texts. Made when the first batch has the column.
    search: OnceLock<Literals>,
    /// What finds the texts with digits in shapes. Made when the first shape is searched.
    shaped: OnceLock<ShapedLiterals>,
    /// What finds literals that reach from one part of a target into the next, up to the separator between them; `None` where none
    /// does. Made when the first part comes.
    across: OnceLock<Option<Literals>>,
    /// What rules out lines before keywords are searched, where that is possible.
    prefilter: OnceLock<Option<KeywordPrefilter>>,
}

/// The packs of patterns that look at one column.
#[derive(Debug)]
struct ColumnPacks {
    /// By the kind of text that they take the column for.
    by_input: Vec<(Input, NumberedPacks)>,
    /// One for each kind. Made when the first batch has the column.
    engines: OnceLock<Vec<Engine>>,
}

impl ColumnPacks {
    fn of(predicates: &[u32], all: &Predicates) -> Self {
        let mut by_input: Vec<(Input, NumberedPacks)> = Vec::new();
        for number in predicates {
            let Check::Pack(PackCheck { pack, input, .. }) = &all.checks[*number as usize] else { continue };
            let pack = (*number, Arc::clone(pack));
            match by_input.iter_mut().find(|(known, _)| known == input) {
                Some((_, packs)) => packs.push(pack),
                None => by_input.push((*input, vec![pack])),
            }
        }
        ColumnPacks { by_input, engines: OnceLock::new() }
    }
}

impl Plan {
    /// `of_parts`: predicates on columns that hold parts of this one.
    fn new(column: &str, predicates: Vec<u32>, of_parts: &[u32], container: Option<usize>, all: &Predicates) -> Self {
        let is_pack = |number: &&u32| matches!(all.checks[**number as usize], Check::Pack(_));
        let of_values = |number: &u32| column == KEYWORDS && place_matters(&all.checks[*number as usize]);
        let mut literals: BTreeMap<String, (Vec<Nominee>, bool)> = BTreeMap::new();
        let mut unfiltered = Vec::new();
        for number in predicates.iter().filter(|number| !is_pack(number)) {
            let (texts, place) = all.literals(*number);
            // Where a keyword may stand in a value, its place in the line does not decide.
            let place = place.filter(|_| !of_values(number));
            if texts.is_empty() {
                unfiltered.push(*number);
            }
            for text in texts {
                literals.entry(text).or_default().0.push(Nominee { predicate: *number, place });
            }
        }
        let mut parts_always = false;
        for number in of_parts {
            let (texts, _) = all.literals(*number);
            parts_always |= texts.is_empty();
            for text in texts {
                literals.entry(text).or_default().1 = true;
            }
        }
        if literals.is_empty() {
            unfiltered = predicates.iter().filter(|number| !is_pack(number)).copied().collect();
            parts_always = true;
        }
        let texts = literals.keys().map(|text| text.as_bytes().into()).collect();
        let (nominated, opens_parts) = literals.into_values().unzip();
        Plan {
            column: column.to_owned(),
            decodes: is_url_column(column),
            sought: SoughtLiterals {
                texts,
                nominated,
                opens_parts,
                search: OnceLock::new(),
                shaped: OnceLock::new(),
                across: OnceLock::new(),
                prefilter: OnceLock::new(),
            },
            of_values: predicates.iter().copied().filter(of_values).collect(),
            unfiltered,
            container,
            parts_always,
            packs: ColumnPacks::of(&predicates, all),
            predicates,
        }
    }

    /// What finds the literals; `None` where no predicate has one.
    pub(super) fn literals(&self) -> Option<&Literals> {
        let SoughtLiterals { texts, search, .. } = &self.sought;
        let made = || match self.column.as_str() {
            KEYWORDS => Literals::for_long_texts(texts.clone()),
            _ if self.decodes => Literals::for_requests(texts.clone()),
            _ => Literals::new(texts.clone()),
        };
        (!texts.is_empty()).then(|| search.get_or_init(made))
    }

    /// What finds the literals with digits in shapes.
    pub(super) fn shaped(&self) -> &ShapedLiterals {
        let SoughtLiterals { texts, shaped, .. } = &self.sought;
        shaped.get_or_init(|| ShapedLiterals::new(texts.iter().map(|text| &**text).enumerate()))
    }

    /// Whether texts that differ in their numbers alone can be searched once: nothing is decoded or taken apart.
    pub(super) fn reads_shapes(&self) -> bool {
        !self.decodes && self.packs.by_input.iter().all(|(input, _)| *input == Input::Text)
    }

    /// Whether what is found in the parts of a target tells what is found in the target.
    pub(super) fn reads_parts(&self) -> bool {
        let inputs = &self.packs.by_input;
        self.decodes && inputs.iter().all(|(input, _)| matches!(input, Input::Target | Input::Query))
    }

    /// Whether a literal may begin in this part of a target and go on behind the separator that ends it.
    pub(super) fn reaches_across(&self, part: &str) -> bool {
        let SoughtLiterals { texts, across, .. } = &self.sought;
        let across = across.get_or_init(|| {
            let texts = texts.iter().filter_map(|text| std::str::from_utf8(text).ok());
            let beginning =
                |text: &'_ str| up_to_separator(text).filter(|beginning| beginning.len() < text.len()).map(Box::from);
            let beginnings: BTreeSet<Box<str>> = texts.filter_map(beginning).collect();
            let texts: Vec<Box<[u8]>> = beginnings.into_iter().map(|text| text.into_boxed_bytes()).collect();
            (!texts.is_empty()).then(|| Literals::new(texts))
        });
        let mut any = false;
        across.iter().for_each(|across| across.find(part.as_bytes(), |_, _, _| any = true));
        any
    }

    /// What finds patterns in the column's values, one for each kind of text that packs take it for.
    #[inline]
    pub(super) fn engines(&self) -> &[Engine] {
        let ColumnPacks { by_input, engines } = &self.packs;
        if by_input.is_empty() {
            return &[];
        }
        engines.get_or_init(|| by_input.iter().map(|(input, packs)| Engine::new(packs.clone(), *input)).collect())
    }

    pub(super) fn has_packs(&self) -> bool {
        !self.packs.by_input.is_empty()
    }

    /// Each engine with its state, which is made when it is first asked for.
    #[inline]
    pub(super) fn engines_with<'e>(
        &'e self,
        scratch: &'e mut Vec<PatternScratch>,
    ) -> impl Iterator<Item = (&'e Engine, &'e mut PatternScratch)> {
        let engines = self.engines();
        if scratch.len() < engines.len() {
            *scratch = engines.iter().map(Engine::scratch).collect();
        }
        engines.iter().zip(scratch)
    }

    /// What rules out lines before keywords are searched; `None` where some keyword cannot be looked for so.
    pub(super) fn keyword_prefilter(&self) -> Option<&KeywordPrefilter> {
        let SoughtLiterals { texts, prefilter, .. } = &self.sought;
        prefilter.get_or_init(|| if self.unfiltered.is_empty() { KeywordPrefilter::new(texts) } else { None }).as_ref()
    }

    /// Whether the line without its JSON escapes can be searched instead of the raw line: each keyword of the raw line
    /// is then found there, too, unless it overlaps an escape such as `\u0041`. False where a keyword has `\\`, `\"` or
    /// `\/`, or ends with a backslash; where its place in the line matters; and where a predicate has no literal.
    pub(super) fn survives_unescaping(&self) -> bool {
        let pairs: [&[u8]; 3] = [b"\\\\", b"\\\"", b"\\/"];
        let has_pair =
            |text: &[u8]| text.ends_with(b"\\") || pairs.iter().any(|pair| memmem::find(text, pair).is_some());
        let anywhere = |nominee: &Nominee| nominee.place.is_none_or(|place| place == Anchor::Contains);
        self.unfiltered.is_empty()
            && !self.sought.texts.iter().any(|text| has_pair(text))
            && self.sought.nominated.iter().flatten().all(anywhere)
    }

    /// Bytes of the longest literal.
    pub(super) fn longest(&self) -> usize {
        self.sought.texts.iter().map(|text| text.len()).max().unwrap_or(0)
    }
}
