//! `123 <34>Nov 28 10:00:00 host …`: the length that a sender put in front of a message (RFC 6587) and that nobody took away.

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::syslog::priority;
use crate::{rfc3164, rfc5424};

/// Digits that a length may have, as in a stream.
const LENGTH_DIGITS_MAX: usize = 7;

fn after_count(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(LENGTH_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=LENGTH_DIGITS_MAX).contains(&digits) {
        return None;
    }
    let rest = text[digits..].strip_prefix(b" ")?;
    priority(rest).is_ok().then_some(rest)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    after_count(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let message = after_count(text).ok_or(Refusal::Other("no length and priority in front"))?;
    if rfc5424::looks_like(message) {
        return rfc5424::read(message, context, rows);
    }
    rfc3164::read(message, context, rows)
}
