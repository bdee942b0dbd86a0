//! What an entity's findings add up to, halved with time.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Time in which the risk of an entity halves, in microseconds.
pub const RISK_HALF_LIFE_US: f64 = 86_400e6;

/// A sum of points that halves with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    value: f64,
    at: i64,
}

impl Risk {
    /// The points that are left at `now`: half of them for each half-life that has passed.
    pub fn now(self, now: Timestamp) -> f64 {
        self.value * (-(now.0 - self.at).max(0) as f64 / RISK_HALF_LIFE_US).exp2()
    }

    /// Points that were earned at a time, which may be before the last.
    pub fn add(&mut self, points: f64, at: Timestamp) {
        if at.0 >= self.at {
            *self = Risk { value: self.now(at) + points, at: at.0 };
        } else {
            self.value += Risk { value: points, at: at.0 }.now(Timestamp(self.at));
        }
    }
}
