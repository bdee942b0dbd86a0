//! What every format gets beside the line, and why it may refuse the line. Knows no format but the buffers of JSON.

use std::sync::Arc;

use event::{BatchBuilder, DatasetId, Timestamp};

use crate::clock::{Clock, Times};
use crate::json::Scratch;
use crate::messages::MessagesOf;
use crate::naming::names::Names;
use crate::proxies::TrustedProxies;
use crate::readers::Readers;
use crate::shape::Shapes;
use crate::user_format::UserFormats;
use crate::values::Own;
use crate::w3c_heading::W3c;

/// Why a format did not read a line.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Not this format: another may try. Nothing was put to the row that the next format does not overwrite.
    Other(&'static str),
    /// Clearly this format, but broken: no other is asked.
    Broken(&'static str),
}

/// How deep lines may carry lines: JSON in syslog in a container's log is two.
const CARRIED_DEPTH_MAX: u8 = 4;

/// Reads a line that another one carries, in any known format; `None` where it is of none.
type ReadCarried = fn(&[u8], &mut Context, &mut BatchBuilder) -> Option<DatasetId>;

/// The ways to read a carried line, and what may stand in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarriedWays {
    /// In any format that may be its own.
    pub(crate) any: ReadCarried,
    /// Only where it begins as no other text does.
    pub(crate) surely: ReadCarried,
    /// In any format whose lines do not say who wrote them.
    pub(crate) said: ReadCarried,
    /// In one of these, only where it begins as no other text does.
    pub(crate) said_surely: ReadCarried,
    /// What a program says.
    pub(crate) messages_of: MessagesOf,
}

/// What formats need beside the line: the reference time and the caches that go with it.
#[derive(Debug)]
pub(crate) struct Context {
    ways: CarriedWays,
    depth: u8,
    pub(crate) times: Times,
    pub(crate) json: Scratch,
    pub(crate) names: Names,
    pub(crate) proxies: TrustedProxies,
    pub(crate) w3c: W3c,
    pub(crate) readers: Readers,
    /// Room for a text that is put together.
    pub(crate) joined: Vec<u8>,
    /// The operator's formats; taken out while one of them reads.
    pub(crate) user: Option<Arc<UserFormats>>,
    /// What each of them has of columns of no known name.
    pub(crate) own: Vec<Own>,
    /// Which of them the line at hand is expected to have.
    pub(crate) bound: Option<usize>,
}

/// What the operator chose.
pub(crate) struct Given<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) shapes: &'a Arc<Shapes>,
    pub(crate) trusted_proxies: &'a TrustedProxies,
    pub(crate) user_formats: &'a Arc<UserFormats>,
}

impl Context {
    /// Knows nothing of the input yet.
    pub(crate) fn new(given: Given<'_>, ways: CarriedWays) -> Self {
        Context {
            ways,
            depth: 0,
            times: Times::new(given.clock.clone()),
            json: Scratch::default(),
            names: Names::new(Arc::clone(given.shapes), ways.messages_of),
            proxies: given.trusted_proxies.clone(),
            w3c: W3c::default(),
            readers: Readers::default(),
            joined: Vec::new(),
            user: Some(Arc::clone(given.user_formats)),
            own: given.user_formats.own(),
            bound: None,
        }
    }

    /// Reads a line that the line at hand carries: its fields go to the same row, over those of the same name. `None` where
    /// it is of no known format, or carried too deep.
    pub(crate) fn read_carried(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.ways.any, text, rows)
    }

    /// As [`Self::read_carried`], for a text of which nothing says that it is a line: only where it begins as no other does.
    pub(crate) fn read_carried_surely(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.ways.surely, text, rows)
    }

    /// As [`Self::read_carried`], for what a program says that is named: it is no line of another program, whatever it says.
    pub(crate) fn read_said(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.ways.said, text, rows)
    }

    /// As [`Self::read_said`], only where it begins as no other text does.
    pub(crate) fn read_said_surely(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.ways.said_surely, text, rows)
    }

    fn carried(&mut self, read: ReadCarried, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        if self.depth >= CARRIED_DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let dataset = read(text, self, rows);
        self.depth -= 1;
        dataset
    }

    pub(crate) fn begin_block(&mut self, reference: Timestamp, heading: Option<&[u8]>) {
        self.w3c.begin_block(heading);
        for own in &mut self.own {
            own.begin_block();
        }
        self.times.begin_block(reference);
        self.names.begin_block();
        self.json.begin_block();
    }
}
