//! The tag of a syslog line, which names the program: the usual form, and those of other systems. Knows no program's messages.

use memchr::memchr;

use crate::body;
use crate::level::is_level;
use crate::needle::find;
use crate::syslog::{Priority, Program};

/// A tag, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) program: Program<'a>,
    pub(crate) message: &'a [u8],
    /// No colon follows: macOS may name a process or service there.
    pub(crate) is_open: bool,
}

/// Bytes of the longest tag with blanks.
const LOOSE_BYTES_MAX: usize = 80;
/// Words of a program's name, as macOS has them.
const WORDS_MAX: usize = 4;

#[inline]
fn plain<'a>(program: Program<'a>, message: &'a [u8]) -> Option<Tag<'a>> {
    Some(Tag { program, message, is_open: false })
}

/// `prog:`, `prog[pid]:`, `prog[pid]` and the text after it. The tag has no blanks.
#[inline]
pub(crate) fn tag(text: &[u8]) -> Option<Tag<'_>> {
    let end = memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() || matches!(word[0], b'[' | b'{' | b'(' | b'<') {
        return None;
    }
    if let Some(word) = word.strip_suffix(b":") {
        return (!word.is_empty()).then(|| plain(Program::read(word), rest.strip_prefix(b" ").unwrap_or(rest)))?;
    }
    let closing = find!(word, b"]:");
    if let Some(close) = closing {
        return plain(Program::read(&word[..=close]), &text[close + 2..]);
    }
    let program = Program::read(word);
    let numbered = program.pid.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit));
    numbered.then(|| Tag { program, message: rest.strip_prefix(b" ").unwrap_or(rest), is_open: true })
}

/// `(com.apple.x[99]) <Error>: text` behind `launchd[1] `, either part of which may be missing: what the message is about, and
/// the message.
pub(crate) fn of_macos(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut about, mut rest) = (&b""[..], text);
    if let Some(inside) = rest.strip_prefix(b"(") {
        let close = memchr(b')', inside).filter(|close| memchr(b' ', &inside[..*close]).is_none())?;
        (about, rest) = (&inside[..close], &inside[close + 1..]);
        rest = rest.strip_prefix(b" ").filter(|rest| rest.starts_with(b"<")).unwrap_or(rest);
    }
    if let Some(inside) = rest.strip_prefix(b"<") {
        let close = memchr(b'>', inside).filter(|close| inside[..*close].iter().all(u8::is_ascii_alphabetic))?;
        rest = &inside[close + 1..];
    }
    let message = rest.strip_prefix(b":")?;
    Some((about, message.strip_prefix(b" ").unwrap_or(message)))
}

/// Forms of other systems, behind a host: `Name of words[99]: text`, `prog [99]: text`, `prog[ 99]: text`, `[prog]: text`, and
/// names of some programs without a colon.
pub(crate) fn loose(text: &[u8]) -> Option<Tag<'_>> {
    if text.first() == Some(&b'[') {
        return bracketed(text).filter(|tag| body::is_known(tag.program.name));
    }
    numbered_words(text).or_else(|| without_colon(text)).or_else(|| before_bracket(text))
}

/// BIG-IP names the level before the program: `notice tmsh[99]: text`.
fn after_level(name: &[u8]) -> &[u8] {
    match memchr(b' ', name) {
        Some(blank) if is_level(&name[..blank]) => name[blank + 1..].trim_ascii_start(),
        _ => name,
    }
}

fn numbered_words(text: &[u8]) -> Option<Tag<'_>> {
    let close = find!(&text[..text.len().min(LOOSE_BYTES_MAX)], b"]: ")?;
    let open = memchr::memrchr(b'[', &text[..close])?;
    let (name, pid) = (after_level(text[..open].trim_ascii_end()), text[open + 1..close].trim_ascii());
    let is_number = !pid.is_empty() && pid.len() <= 10 && pid.iter().all(u8::is_ascii_digit);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b" ._-/+@()&".contains(byte);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(is_of_name)
        && name.split(|byte| *byte == b' ').count() <= WORDS_MAX;
    if !is_number || !is_name {
        return None;
    }
    plain(Program { name, pid: Some(pid) }, &text[close + 3..])
}

/// `sshd Failed password …`: only for names that begin no sentence.
fn without_colon(text: &[u8]) -> Option<Tag<'_>> {
    const NAMES: [&[u8]; 7] = [b"sshd", b"sshd-session", b"dropbear", b"sudo", b"CRON", b"crond", b"kernel"];
    let (name, message) = text.split_at(memchr(b' ', text)?);
    NAMES.contains(&name).then(|| plain(Program { name, pid: None }, &message[1..]))?
}

/// `apache_error [Sun Nov …] text`: a name that is no word of a language, and a message in brackets.
fn before_bracket(text: &[u8]) -> Option<Tag<'_>> {
    let (name, message) = text.split_at(memchr(b' ', text)?);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_name = name[0].is_ascii_lowercase() && memchr(b'_', name).is_some() && name.iter().all(is_of_name);
    (is_name && message[1..].starts_with(b"[")).then(|| plain(Program { name, pid: None }, &message[1..]))?
}

/// `[prog] text`, `[prog]: text`, `[prog[99]]: text`; what names a level or is no name is no tag.
pub(crate) fn bracketed(text: &[u8]) -> Option<Tag<'_>> {
    let inside = text.strip_prefix(b"[")?;
    let end = memchr(b' ', inside).filter(|end| *end <= LOOSE_BYTES_MAX)?;
    let word = inside[..end].strip_suffix(b":").unwrap_or(&inside[..end]).strip_suffix(b"]")?;
    let program = Program::read(word);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/()".contains(byte);
    let is_name = program.name.first().is_some_and(u8::is_ascii_alphabetic) && program.name.iter().all(is_of_name);
    (is_name && !is_level(program.name)).then(|| plain(program, &inside[end + 1..]))?
}

/// `<4.6> ` or `<auth.info> `, and what follows.
pub(crate) fn level_in_angles(text: &[u8]) -> Option<(Priority, &[u8])> {
    let inside = text.strip_prefix(b"<")?;
    let close = memchr(b'>', inside)?;
    Some((Priority::of_words(&inside[..close])?, inside[close + 1..].trim_ascii_start()))
}

/// `auth.info ` or `<auth.info> `, and what follows.
pub(crate) fn level_word(text: &[u8]) -> Option<(Priority, &[u8])> {
    let end = memchr(b' ', text)?;
    let level = Priority::of_words(&text[..end]).map(|level| (level, text[end..].trim_ascii_start()));
    level.or_else(|| level_in_angles(text))
}

/// `[ID 800047 auth.info] text`: the number, the level and the text.
pub(crate) fn solaris_id(message: &[u8]) -> Option<(&[u8], Priority, &[u8])> {
    let inside = message.strip_prefix(b"[ID ")?;
    let (inside, rest) = inside.split_at(memchr(b']', inside)?);
    let blank = memchr(b' ', inside)?;
    Some((&inside[..blank], Priority::of_words(&inside[blank + 1..])?, rest[1..].trim_ascii_start()))
}
