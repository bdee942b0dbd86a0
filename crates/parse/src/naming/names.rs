//! The names of one event are settled: which shape it has, what becomes of its values, and what is guessed where it has none.
//! Kept between lines are only plans for the columns of the block. What is done with values stands in `run.rs`.

use std::cell::OnceCell;
use std::sync::Arc;

use event::builder::ValueNow;
use event::{BatchBuilder, DatasetId, FieldId, dataset};
use hashbrown::HashMap;

use super::first::FirstObject;
use super::guess::Guesses;
use super::places::Places;
use super::plan::Plan;
use super::unknown::Unknown;
use crate::messages::{Messages, MessagesOf};
use crate::pair_frames::PairFrames;
use crate::shape::Shapes;
use crate::shape::model::{Belongs, Signs};

/// Sets of keys whose possible shapes are remembered; then all are forgotten.
const CHOICES_MAX: usize = 4096;

/// Settles the names of events; one for each parser.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) places: Places,
    pub(crate) pair_frames: PairFrames,
    /// Shapes that events with these keys may have.
    choices: HashMap<Signs, Arc<[u16]>>,
    last: (Signs, Arc<[u16]>),
    messages_of: MessagesOf,
    /// For each shape, what its product writes; found where it is first asked for.
    products: Vec<OnceCell<Option<Messages>>>,
    pub(super) plans: Vec<Option<Plan>>,
    pub(super) guesses: Guesses,
    pub(crate) unknown: Unknown,
    pub(super) spare: Vec<u8>,
    pub(super) first: FirstObject,
    #[cfg(test)]
    chosen: Option<usize>,
}

impl Names {
    pub(crate) fn new(shapes: Arc<Shapes>, messages_of: MessagesOf) -> Self {
        let mut plans = Vec::new();
        plans.resize_with(shapes.shapes().len(), || None);
        let products = vec![OnceCell::new(); shapes.shapes().len()];
        let last = (Signs::default(), shapes.candidates(&Signs::default()).into());
        Names {
            places: Places::new(shapes),
            pair_frames: PairFrames::default(),
            choices: HashMap::new(),
            last,
            messages_of,
            products,
            plans,
            guesses: Guesses::default(),
            unknown: Unknown::default(),
            spare: Vec::new(),
            first: FirstObject::default(),
            #[cfg(test)]
            chosen: None,
        }
    }

    pub(crate) fn begin_block(&mut self) {
        self.places.begin_block();
        self.pair_frames.begin_block();
        self.plans.iter_mut().for_each(|plan| *plan = None);
        self.guesses.begin_block();
        self.unknown.begin_block();
    }

    /// The shape of the event at hand, if it has one; its plan is current.
    pub(super) fn choose(&mut self, rows: &mut BatchBuilder) -> Option<usize> {
        let signs = self.places.signs;
        if self.last.0 != signs {
            if self.choices.len() >= CHOICES_MAX {
                self.choices.clear();
            }
            let shapes = self.places.shapes();
            let choice = self.choices.entry(signs).or_insert_with(|| shapes.candidates(&signs).into());
            self.last = (signs, Arc::clone(choice));
        }
        let candidates = Arc::clone(&self.last.1);
        let chosen = candidates.iter().map(|at| usize::from(*at)).find(|at| self.holds(*at, rows));
        #[cfg(test)]
        {
            self.chosen = chosen;
        }
        chosen
    }

    /// The shape of the last event.
    #[cfg(test)]
    pub(crate) fn shape_last(&self) -> Option<usize> {
        self.chosen
    }

    /// Whether the event's values are as the shape wants them.
    fn holds(&mut self, at: usize, rows: &mut BatchBuilder) -> bool {
        if !self.plans[at].as_ref().is_some_and(|plan| plan.is_current(rows)) {
            self.plans[at] = Some(Plan::new(&self.places.shapes().shapes()[at], rows));
        }
        let Some(plan) = &self.plans[at] else { return false };
        plan.conditions.iter().all(|(column, wanted)| {
            let Some(value) = column.and_then(|column| rows.value_now(column)) else { return false };
            match value.text() {
                Some(text) => wanted.iter().any(|wanted| wanted.accepts(text)),
                None => {
                    number_now(rows, *column).is_some_and(|text| wanted.iter().any(|it| it.accepts(text.as_bytes())))
                }
            }
        })
    }

    /// Counts the event among those of no known shape.
    pub(super) fn count_unknown(&mut self) {
        self.unknown.count(&self.places);
    }

    /// Whether the shape is that of a library, by which any program writes its messages.
    pub(super) fn is_of_any_program(&self, at: usize) -> bool {
        let shape = &self.places.shapes().shapes()[at];
        shape.guesses && shape.text.is_some()
    }

    /// What the shape's product writes, where the table of programs knows it: the text is mostly one of these messages.
    pub(super) fn product(&self, at: usize) -> Option<Messages> {
        let product = || self.places.shapes().shapes()[at].about.logsource[0].as_deref().and_then(self.messages_of);
        self.products[at].get_or_init(product).clone()
    }

    /// Whether only events whose text is a line of a program have the shape.
    pub(super) fn has_only_lines(&self, at: usize) -> bool {
        self.places.shapes().shapes()[at].only_lines
    }

    /// Whether the shape is that of one product, and no wrapper.
    pub(super) fn tells_product(&self, at: usize) -> bool {
        self.plans[at].as_ref().is_some_and(|plan| plan.logsource.iter().any(|(_, part)| part.is_some()))
    }

    /// Says where the event comes from.
    pub(super) fn settle(&self, at: usize, rows: &mut BatchBuilder) -> DatasetId {
        let Some(plan) = &self.plans[at] else { return dataset::JSON };
        for (column, part) in &plan.logsource {
            match part {
                Some(part) => rows.put_kept(*column, *part),
                None => rows.take_out(*column),
            }
        }
        match (&self.places.shapes().shapes()[at].belongs, plan.dataset) {
            (Belongs::Known(dataset), _) => *dataset,
            (Belongs::Named(_), Some(name)) => {
                rows.name_dataset_kept(name);
                dataset::JSON
            }
            (Belongs::Named(_), None) => dataset::JSON,
        }
    }
}

/// A number of the current row, as text.
pub(super) fn number_now(rows: &BatchBuilder, column: Option<FieldId>) -> Option<String> {
    match rows.value_now(column?)? {
        ValueNow::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
