//! What is taken out of events before they are stored: values of parameters that hold secrets, and fields that are dropped or hashed.
//! A value goes from every text of its event, the raw line included. Live detection has seen the event whole by then; evidence of
//! findings is not touched.

mod hidden;
mod parameters;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::parameters::{Parameters, REMOVED};
use crate::schema::is_own;

/// Shortest key of hashes, in bytes: with a shorter one they could be undone by trying.
const KEY_BYTES_MIN: usize = 16;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hiding {
    /// Its value is gone.
    Drop,
    /// Equal values stay equal: a keyed hash stands for each. Numbers are dropped.
    Hash,
}

/// A field that is not stored as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateField {
    /// Of this kind of log; `None`: of any.
    pub dataset: Option<String>,
    /// Its name.
    pub field: String,
    /// What becomes of it.
    pub how: Hiding,
}

/// What is taken out of events.
#[derive(Clone, Default)]
pub struct Privacy {
    parameters: Parameters,
    fields: Vec<PrivateField>,
    key: Vec<u8>,
}

impl fmt::Debug for Privacy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Privacy").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl Privacy {
    /// `parameters`: names of parameters of query strings whose values are removed; `key`: of the hashes. The answer is what is
    /// wrong with them where something is.
    pub fn new(parameters: &[String], fields: Vec<PrivateField>, key: &str) -> Result<Privacy, String> {
        for PrivateField { field, how, .. } in &fields {
            if is_own(field) || ["@timestamp", "event.dataset", "event.original"].contains(&field.as_str()) {
                return Err(format!("`{field}` cannot be left out: events are found and placed by it"));
            }
            if field.is_empty() {
                return Err("a field needs a name".to_owned());
            }
            if *how == Hiding::Hash && key.len() < KEY_BYTES_MIN {
                return Err(format!("`{field}` is hashed: that needs a key of at least {KEY_BYTES_MIN} characters"));
            }
        }
        Ok(Privacy { parameters: Parameters::new(parameters), fields, key: key.as_bytes().to_vec() })
    }

    /// What stands for a value where its field is hashed; `None` where there is no key.
    pub fn hashed(&self, value: &str) -> Option<String> {
        (self.key.len() >= KEY_BYTES_MIN).then(|| self.instead(value, Hiding::Hash))
    }

    /// What stands for a value.
    fn instead(&self, value: &str, how: Hiding) -> String {
        if how == Hiding::Drop {
            return REMOVED.to_owned();
        }
        // Any length of key is allowed by the algorithm.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return REMOVED.to_owned() };
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut text = String::from("hmac:");
        digest.iter().take(8).for_each(|byte| text.push_str(&format!("{byte:02x}")));
        text
    }
}
