//! Protobuf messages that hold many others, one after another, without holding the many: the outer levels of what Loki and
//! OpenTelemetry clients push. Knows no message.

use std::io::{BufRead, Read};

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::sink::PayloadError;

/// Longest body that is held whole to be read, in bytes: protobuf and snappy blocks.
pub(super) const WHOLE_BYTES_MAX: u64 = 20 << 20;

/// All of a body.
pub(super) fn whole(body: &mut dyn BufRead) -> Result<Vec<u8>, PayloadError> {
    let mut all = Vec::new();
    body.take(WHOLE_BYTES_MAX + 1).read_to_end(&mut all)?;
    if all.len() as u64 > WHOLE_BYTES_MAX {
        return Err(PayloadError::TooMuch { what: "bytes", limit: WHOLE_BYTES_MAX });
    }
    Ok(all)
}

/// The fields of a message that are messages, texts or bytes, with their numbers; others are stepped over.
pub(super) fn fields<'a>(
    message: &'a [u8],
    take: &mut dyn FnMut(u32, &'a [u8]) -> Result<(), PayloadError>,
) -> Result<(), PayloadError> {
    let broken = |error: prost::DecodeError| PayloadError::Format(format!("no sound protobuf message: {error}"));
    let mut rest = message;
    while rest.has_remaining() {
        let (number, kind) = decode_key(&mut rest).map_err(broken)?;
        if kind != WireType::LengthDelimited {
            skip_field(kind, number, &mut rest, DecodeContext::default()).map_err(broken)?;
            continue;
        }
        let length = decode_varint(&mut rest).map_err(broken)?;
        let inner = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
        let (inner, after) =
            inner.ok_or_else(|| PayloadError::Format("no sound protobuf message: it ends early".to_owned()))?;
        rest = after;
        take(number, inner)?;
    }
    Ok(())
}
