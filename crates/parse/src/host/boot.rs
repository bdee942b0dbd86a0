//! What a machine writes while it starts: the kernel's ring (`dmesg`, with seconds since the start or with dates), `boot.log` of
//! systemd, and `Xorg.0.log`. Seconds since the start are no time of day: such lines have none.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use crate::body;
use crate::context::{Context, Refusal};

/// What stands in brackets in front of a line, and the text behind them.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', &inside[..inside.len().min(40)])?;
    Some((inside[..close].trim_ascii(), inside[close + 1..].strip_prefix(b" ")?))
}

/// Digits behind the point of seconds since the start.
fn fraction_digits(stamp: &[u8]) -> Option<usize> {
    let dot = memchr(b'.', stamp)?;
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    (digits(&stamp[..dot]) && digits(&stamp[dot + 1..])).then(|| stamp.len() - dot - 1)
}

/// `kern  :info  : ` of `dmesg -x` is not needed to read the line. With `<6>` in front it is syslog.
fn without_level(text: &[u8]) -> &[u8] {
    if text.get(6) != Some(&b':') || text.get(13) != Some(&b':') {
        return text;
    }
    let mut parts = text.splitn(3, |byte| *byte == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(facility), Some(level), Some(rest)) if facility.len() == 6 && level.len() == 6 => {
            let is_word = |word: &[u8]| word.trim_ascii_end().iter().all(u8::is_ascii_lowercase);
            if is_word(facility) && is_word(level) { rest.trim_ascii_start() } else { text }
        }
        _ => text,
    }
}

/// The kernel's message, and its date where `dmesg -T` has written one.
fn ring(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (stamp, message) = bracketed(without_level(text))?;
    if fraction_digits(stamp) == Some(6) {
        return Some((None, message));
    }
    // `Wed Mar  4 10:00:01 2026`; servers write such dates in front of a level in brackets.
    let dated = stamp.len() == 24 && stamp[3] == b' ' && stamp[13] == b':' && stamp[16] == b':' && stamp[19] == b' ';
    (dated && !message.starts_with(b"[")).then(|| (Some(&stamp[4..]), message))
}

pub(crate) fn looks_like_ring(text: &[u8]) -> bool {
    ring(text).is_some()
}

pub(crate) fn read_ring(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let (date, message) = ring(text).ok_or(Refusal::Other("no line of the kernel's ring"))?;
    if let Some(date) = date {
        let (time, _) = context.times.bsd(date).ok_or(Refusal::Other("no time in front"))?;
        rows.date(field::TIMESTAMP, time);
    }
    rows.literal(field::PROCESS_NAME, "kernel");
    rows.text(field::MESSAGE, message);
    Ok(body::put(rows, context, body::Said { program: b"kernel", module: b"", message }))
}

/// States that systemd writes in front of a unit.
const STATES: [(&[u8], &str); 6] = [
    (b"OK", "service_started"),
    (b"FAILED", "service_start_failed"),
    (b"DEPEND", "service_start_failed"),
    (b"WARN", "service_warned"),
    (b"TIME", "service_timed_out"),
    (b"INFO", "service_skipped"),
];

fn state(text: &[u8]) -> Option<(&'static str, &[u8])> {
    // systemd writes six bytes between the brackets; `[INFO]` is a program's.
    let (word, message) = bracketed(text).filter(|_| text.get(7) == Some(&b']'))?;
    let (_, action) = STATES.iter().find(|(state, _)| *state == word)?;
    Some((action, message))
}

/// `------------ Wed Mar 04 10:00:01 UTC 2026 ------------`
fn ruler(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"------------ ")?.strip_suffix(b" ------------")
}

/// `         Starting OpenSSH server daemon...`
pub(crate) fn is_starting(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    text.len() - rest.len() == 9
        && rest.ends_with(b"...")
        && [&b"Starting "[..], b"Stopping ", b"Mounting ", b"Unmounting ", b"Activating "]
            .iter()
            .any(|word| rest.starts_with(word))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    state(text).is_some() || ruler(text).is_some() || is_starting(text)
}

pub(crate) fn read(text: &[u8], _: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if let Some((action, message)) = state(text) {
        rows.text(field::MESSAGE, message);
        let stops = message.starts_with(b"Stopped ") || message.starts_with(b"Unmounted ");
        rows.literal(field::EVENT_ACTION, if stops { "service_stopped" } else { action });
    } else if ruler(text).is_some() || is_starting(text) {
        rows.text(field::MESSAGE, text.trim_ascii());
    } else {
        return Err(Refusal::Other("no line of the boot"));
    }
    Ok(dataset::BOOT)
}

/// `[    12.345] (II) Loading …`
fn display(text: &[u8]) -> Option<&[u8]> {
    let (stamp, message) = bracketed(text)?;
    (fraction_digits(stamp) == Some(3)).then_some(message)
}

pub(crate) fn looks_like_display(text: &[u8]) -> bool {
    display(text).is_some()
}

pub(crate) fn read_display(text: &[u8], _: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let message = display(text).ok_or(Refusal::Other("no line of the X server"))?;
    rows.text(field::MESSAGE, message);
    rows.literal(field::PROCESS_NAME, "Xorg");
    Ok(dataset::XORG)
}
