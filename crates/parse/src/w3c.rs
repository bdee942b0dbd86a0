//! W3C extended logs: IIS, CloudFront, HTTP.sys, Windows Firewall, proxies. A `#Fields:` line names the columns of the lines below.
//!
//! The last such line counts. It comes with the block where it stands in front of it (`Block::heading`), so that blocks of one
//! source may be parsed by different threads; without any, lines of IIS and CloudFront are known by their shape.

use event::catalog::field;
use event::{BatchBuilder, DatasetId};
use memchr::memchr_iter;

use crate::address::is_ip;
use crate::context::{Context, Refusal};
use crate::layout::{VALUES_MAX, split_delimited};
use crate::needle;
use crate::put_values;
use crate::w3c_columns::{CLOUDFRONT, of_iis};
use crate::w3c_heading::{W3cKind, is_directive};

/// `2026-03-04 10:00:01` or with a tab between them, and a blank or tab behind.
fn is_dated(text: &[u8]) -> bool {
    text.len() > 20
        && text[4] == b'-'
        && text[7] == b'-'
        && matches!(text[10], b' ' | b'\t')
        && text[13] == b':'
        && text[16] == b':'
        && text[19] == text[10]
}

/// Whether an address stands where IIS names its own, or a quoted column leaves it open: other lines with a date need not be cut.
fn may_be_iis(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ').take(5).skip(2);
    words.any(|word| word.starts_with(b"\"") || is_ip(word))
}

/// A date alone begins many other texts.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    is_directive(text)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    if is_directive(text) {
        return true;
    }
    // Nearly every line has a column without a value.
    is_dated(text)
        && memchr_iter(text[10], text).take(9).count() == 9
        && needle::find_word(text, &[text[10], b'-', text[10]]).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a W3C log: neither a directive nor columns as the heading names them");
    if is_directive(text) {
        context.w3c.take_heading(text.trim_ascii_end());
        rows.text(field::MESSAGE, text);
        return Ok(context.w3c.kind.dataset());
    }
    // Its first column has a value, and without a heading a date.
    if matches!(text.first(), Some(b' ' | b'\t')) || context.w3c.columns.is_empty() && !is_dated(text) {
        return Err(OTHER);
    }
    let separator = if is_dated(text) { text[10] } else { b' ' };
    if context.w3c.columns.is_empty() && separator == b' ' && !may_be_iis(text) {
        return Err(OTHER);
    }
    let mut words: [&[u8]; VALUES_MAX] = [b""; VALUES_MAX];
    let count = split_delimited(text, separator, &mut words).ok_or(OTHER)?;
    let words = &words[..count];
    let mut w3c = std::mem::take(&mut context.w3c);
    let is_declared = !w3c.columns.is_empty() && w3c.columns.len() == count;
    let (columns, kind) = if is_declared {
        (w3c.columns.as_slice(), w3c.kind)
    } else if is_dated(text) && separator == b'\t' && (19..=CLOUDFRONT.len()).contains(&count) {
        (&CLOUDFRONT[..count], W3cKind::CloudFront)
    } else if is_dated(text) && of_iis(words, &mut w3c.guessed) {
        (w3c.guessed.as_slice(), W3cKind::Iis)
    } else {
        context.w3c = w3c;
        return Err(OTHER);
    };
    let is_read = put_values::put(columns, words, kind.dialect(), &mut w3c.own, context, rows);
    context.w3c = w3c;
    if !is_read {
        return Err(OTHER);
    }
    rows.literal(field::EVENT_CATEGORY, if kind == W3cKind::Firewall { "network" } else { "web" });
    Ok(kind.dataset())
}
