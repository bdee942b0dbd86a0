//! Fast path: a group that has seen one event, in the fewest bytes. Most groups of a flood, and of every log of many
//! clients, never see a second event. Assumes that one event alone cannot fire the rule ([`waits_with_one`]), so that nothing is open.
//! Its slow twin is the [`Window`] that it becomes with [`OneEvent::window`]; tests compare the two.

use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;

use crate::group_key::value_of;
use crate::hit::IndexedHit;
use crate::shared_texts::SharedTexts;
use crate::window::Window;
use crate::window::added::LeftOut;
use crate::window::arrival::Arrival;
use crate::window::entries::{PLACES_FIRST, proof_of};
use crate::window::entry::{Entry, EventValue};
use crate::window::tally::{Tally, VALUE_EXTRA_BYTES};

/// The event of a group that has seen one.
#[derive(Clone, Debug)]
pub(crate) struct OneEvent {
    pub(crate) id: EventId,
    pub(crate) time: Timestamp,
    /// The event with its line, until proof is let go.
    event: Option<Arc<EventRef>>,
    /// The value that is counted, where the rule counts values.
    value: Option<Arc<str>>,
    /// How often the event counts.
    weight: u32,
    /// Which of the rules that the correlation counts it comes from.
    base: u16,
    /// Events for which its window would have memory: one that was restored has some to spare.
    places: u8,
    /// Its window would count more than events.
    has_tally: bool,
}

/// Whether one event, however often it counts, leaves a group of the correlation waiting for more. For `event_count` that
/// depends on how often the event counts: [`OneEvent::of`] asks again.
pub(crate) fn waits_with_one(bound: &BoundCorrelation) -> bool {
    if bound.waits_for_close {
        return false;
    }
    match &bound.rule.kind {
        CorrelationKind::EventCount => true,
        CorrelationKind::ValueCount(_) => !bound.rule.bounds.hold(1.0),
        CorrelationKind::Temporal { .. } if bound.rule.distinct.is_some() => false,
        CorrelationKind::Temporal { expression: Some(expression), .. } => {
            !(0..bound.bases.len()).any(|base| expression.holds(&|matched| matched == base))
        }
        CorrelationKind::Temporal { .. } => !bound.rule.bounds.hold(1.0),
        CorrelationKind::Value { .. } | CorrelationKind::History(_) => false,
    }
}

/// Whether the event alone would fire the rule, of those that [`waits_with_one`].
fn fires_alone(bound: &BoundCorrelation, weight: u32) -> bool {
    matches!(bound.rule.kind, CorrelationKind::EventCount) && bound.rule.bounds.hold(f64::from(weight))
}

/// How often the event of a hit counts, as groups of one event keep it.
fn weight_of(hit: &IndexedHit) -> u32 {
    u32::try_from(hit.repeated).unwrap_or(u32::MAX)
}

/// Whether a group that the hit opens would wait for more events.
pub(crate) fn waits_after(bound: &BoundCorrelation, hit: &IndexedHit) -> bool {
    waits_with_one(bound) && !fires_alone(bound, weight_of(hit))
}

impl OneEvent {
    /// The event of a hit that comes to a group without events; `None` where a window must take it. The correlation must
    /// be one that [`waits_with_one`].
    pub(crate) fn of(arrival: &Arrival<'_>, texts: &mut SharedTexts) -> Option<Self> {
        let Arrival { bound, signal, hit, time, still_firing, .. } = *arrival;
        if still_firing && !matches!(bound.rule.kind, CorrelationKind::Temporal { .. }) {
            return None;
        }
        let weight = weight_of(hit);
        if fires_alone(bound, weight) {
            return None;
        }
        let value = match bound.rule.kind {
            CorrelationKind::ValueCount(_) => Some(texts.value_of(bound, hit)?),
            _ => None,
        };
        let (id, base) = (hit.event.id, bound.place_of(signal) as u16);
        let (event, has_tally) = (Some(Arc::clone(&hit.event)), bound.needs_tally());
        Some(OneEvent { id, time, event, value, weight, base, places: 1, has_tally })
    }

    /// The event of a window that is nothing beside one event; else the window. The correlation must be one that
    /// [`waits_with_one`].
    #[allow(clippy::result_large_err, reason = "the window is handed back as it came, which is no error")]
    pub(crate) fn of_window(bound: &BoundCorrelation, window: Window) -> Result<Self, Window> {
        let Some((entry, value, event)) = window.sole_entry() else { return Err(window) };
        let Entry { id, time, weight, base, in_finding } = *entry;
        let counts_values = matches!(bound.rule.kind, CorrelationKind::ValueCount(_));
        let value = match value {
            None if !counts_values => None,
            Some(EventValue::Text(text)) if counts_values => Some(Arc::clone(text)),
            _ => return Err(window),
        };
        if in_finding || fires_alone(bound, weight) {
            return Err(window);
        }
        let (event, places) = (event.cloned(), PLACES_FIRST as u8);
        Ok(OneEvent { id, time, event, value, weight, base, places, has_tally: bound.needs_tally() })
    }

    /// The window that has seen this event alone.
    pub(crate) fn window(&self, bound: &BoundCorrelation) -> Window {
        let mut window = self.unprepared_window();
        window.recompute(bound);
        window
    }

    /// The window as it is saved: without what follows from its entries.
    pub(crate) fn unprepared_window(&self) -> Window {
        let OneEvent { id, time, event, value, weight, base, places, .. } = self;
        let entry = Entry { id: *id, time: *time, weight: *weight, base: *base, in_finding: false };
        let value = value.as_ref().map(|text| EventValue::Text(Arc::clone(text)));
        Window::of_one(entry, value, event.clone(), usize::from(*places))
    }

    /// The empty window that is left where a hit forgives the event; `None` where it does not: it came before, or brings
    /// another value.
    pub(crate) fn forgiven(&self, bound: &BoundCorrelation, hit: &IndexedHit, time: Timestamp) -> Option<Window> {
        let own = match bound.rule.kind {
            CorrelationKind::ValueCount(_) => value_of(bound, hit),
            _ => None,
        };
        let is_other = matches!((&self.value, &own), (Some(value), Some(own)) if **value != **own);
        if self.time > time || is_other {
            return None;
        }
        let mut window = self.unprepared_window();
        window.forget_all(bound);
        Some(window)
    }

    /// Why the hit is not counted, as the window would say it, where that needs no window.
    pub(crate) fn leaves_out(&self, arrival: &Arrival<'_>) -> Option<LeftOut> {
        if matches!(arrival.bound.rule.kind, CorrelationKind::Temporal { .. }) {
            return None;
        }
        let is_same = self.id == arrival.hit.event.id && self.time == arrival.time;
        let left_out = is_same.then_some(LeftOut::Duplicate);
        if arrival.still_firing { Some(LeftOut::StillFiring) } else { left_out }
    }

    /// Whether the window would let the event go before it takes up the hit: it is too old to be kept.
    pub(crate) fn is_outlived_by(&self, arrival: &Arrival<'_>) -> bool {
        let oldest = arrival.time.saturating_sub_us(arrival.bound.rule.timespan_us);
        self.time < oldest && self.time < oldest.saturating_sub_us(arrival.retention_us)
    }

    /// Whether no event at or after `watermark` can share a time span with it.
    pub(crate) fn ended_before(&self, watermark: Timestamp, timespan_us: i64) -> bool {
        self.time.saturating_add_us(timespan_us) < watermark
    }

    /// Bytes that it keeps as proof.
    #[inline]
    pub(crate) fn proof_bytes(&self) -> usize {
        self.event.as_ref().map_or(0, |event| proof_of(event))
    }

    /// Bytes that its window would take, beside proof. It takes fewer, but who is evicted must not depend on whether a group
    /// has its window already.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        let value_bytes = |value: &Arc<str>| PLACES_FIRST * size_of::<EventValue>() + value.len() + VALUE_EXTRA_BYTES;
        size_of::<Window>()
            + usize::from(self.places) * size_of::<Entry>()
            + self.value.as_ref().map_or(0, value_bytes)
            + if self.has_tally { size_of::<Tally>() } else { 0 }
    }

    /// The window lets its event go and takes up another one: the memory is used again.
    pub(crate) fn replace(&mut self, next: OneEvent) {
        *self = OneEvent { places: self.places, ..next };
    }

    /// How often its event counts.
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// Gives up its line.
    pub(crate) fn take_proof(&mut self) -> Option<Arc<EventRef>> {
        self.event.take()
    }

    /// Prefetch: reads the event. The value that is returned means nothing.
    pub(crate) fn prefetch(&self) -> u64 {
        self.event.as_ref().map_or(0, |event| event.line_no)
    }

    /// Number of events, and what is compared with the rule's condition.
    pub(crate) fn aggregate(&self, bound: &BoundCorrelation) -> (u64, f64) {
        let weight = u64::from(self.weight);
        match bound.rule.kind {
            CorrelationKind::EventCount => (weight, weight as f64),
            _ => (weight, 1.0),
        }
    }
}
