//! What every format gets beside the line, and why it may refuse the line. Knows no format but the buffers of JSON.

use std::sync::Arc;

use event::{BatchBuilder, DatasetId, Timestamp};

use crate::Options;
use crate::clock::Times;
use crate::json::Scratch;
use crate::naming::names::Names;
use crate::proxies::TrustedProxies;
use crate::user_format::UserFormats;
use crate::values::Own;
use crate::w3c::W3c;

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

/// What formats need beside the line: the reference time and the caches that go with it.
#[derive(Debug)]
pub(crate) struct Context {
    read_carried: ReadCarried,
    read_carried_surely: ReadCarried,
    depth: u8,
    pub(crate) times: Times,
    pub(crate) json: Scratch,
    pub(crate) names: Names,
    pub(crate) proxies: TrustedProxies,
    pub(crate) w3c: W3c,
    /// Room for a text that is put together.
    pub(crate) joined: Vec<u8>,
    /// The operator's formats; taken out while one of them reads.
    user: Option<Arc<UserFormats>>,
    /// What each of them has of columns of no known name.
    own: Vec<Own>,
    /// Which of them the line at hand is expected to have.
    pub(crate) bound: Option<usize>,
}

impl Context {
    /// Two ways to read a carried line: in any format that may be its own, or only where it begins as no other text does.
    pub(crate) fn new(options: &Options, ways: [ReadCarried; 2]) -> Self {
        let [read_carried, read_carried_surely] = ways;
        Context {
            read_carried,
            read_carried_surely,
            depth: 0,
            times: Times::new(options.clock.clone()),
            json: Scratch::default(),
            names: Names::new(Arc::clone(&options.shapes)),
            proxies: options.trusted_proxies.clone(),
            w3c: W3c::default(),
            joined: Vec::new(),
            user: Some(Arc::clone(&options.user_formats)),
            own: options.user_formats.own(),
            bound: None,
        }
    }

    /// Reads a line that the line at hand carries: its fields go to the same row, over those of the same name. `None` where
    /// it is of no known format, or carried too deep.
    pub(crate) fn read_carried(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.read_carried, text, rows)
    }

    /// As [`Self::read_carried`], for a text of which nothing says that it is a line: only where it begins as no other does.
    pub(crate) fn read_carried_surely(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        self.carried(self.read_carried_surely, text, rows)
    }

    /// Reads a line of the operator's format that its source is bound to.
    pub(crate) fn read_bound(&mut self, text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
        let at = self.bound?;
        let user = self.user.take()?;
        let mut own = self.own.get_mut(at).map(std::mem::take).unwrap_or_default();
        let dataset = user.read(at, text, &mut own, self, rows);
        if let Some(slot) = self.own.get_mut(at) {
            *slot = own;
        }
        self.user = Some(user);
        dataset
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
    }
}
