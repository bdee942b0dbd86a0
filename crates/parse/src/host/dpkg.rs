//! `dpkg.log` and `alternatives.log` of Debian and its relatives.
//!
//! `DATE TIME ACTION PACKAGE:ARCH OLD NEW`, `DATE TIME status STATE PACKAGE:ARCH VERSION`

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::packages::{Package, put, put_action};
use crate::context::{Context, Refusal};

/// Actions of dpkg with two versions, and what they are called here.
const ACTIONS: [(&[u8], &str); 6] = [
    (b"install", "package_installed"),
    (b"upgrade", "package_upgraded"),
    (b"remove", "package_removed"),
    (b"purge", "package_removed"),
    (b"disappear", "package_removed"),
    (b"configure", "package_configured"),
];

enum DpkgEntry<'a> {
    Action(&'static str, Package<'a>),
    Status(&'a [u8], Package<'a>),
    Startup,
    Conffile(&'a [u8]),
}

impl<'a> DpkgEntry<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let mut words = text.split(|byte| *byte == b' ');
        let verb = words.next()?;
        let [first, second, third] = [words.next(), words.next(), words.next()];
        if words.next().is_some() {
            return None;
        }
        match (verb, first?, second, third) {
            (b"startup", b"archives" | b"packages", Some(_), None) => Some(DpkgEntry::Startup),
            (b"conffile", path, Some(b"keep" | b"install"), None) => Some(DpkgEntry::Conffile(path)),
            (b"status", state, Some(package), version) => Some(DpkgEntry::Status(
                state,
                Package { version: known(version.unwrap_or_default()), ..named(package) },
            )),
            (b"trigproc", package, Some(version), Some(_)) => {
                Some(DpkgEntry::Action("package_triggered", Package { version: known(version), ..named(package) }))
            }
            (verb, package, Some(old), Some(new)) => {
                let (_, action) = ACTIONS.iter().find(|(word, _)| *word == verb)?;
                let (old, new) = (known(old), known(new));
                let package = named(package);
                Some(DpkgEntry::Action(
                    action,
                    match new {
                        b"" => Package { version: old, ..package },
                        _ if *action == "package_upgraded" => Package { version: new, previous: old, ..package },
                        _ => Package { version: new, ..package },
                    },
                ))
            }
            _ => None,
        }
    }
}

/// `<none>` is no version.
fn known(version: &[u8]) -> &[u8] {
    if version == b"<none>" { b"" } else { version }
}

/// `nginx:amd64`
fn named(text: &[u8]) -> Package<'_> {
    let colon = memchr(b':', text);
    let (name, architecture) = colon.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
    Package { name, architecture, ..Package::default() }
}

fn entry(text: &[u8]) -> Option<DpkgEntry<'_>> {
    let is_stamped = text.len() > 20 && text[4] == b'-' && text[10] == b' ' && text[13] == b':' && text[19] == b' ';
    if is_stamped { DpkgEntry::read(&text[20..]) } else { None }
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    entry(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let entry = entry(text).ok_or(Refusal::Other("no line of dpkg: no action and package behind the time"))?;
    let (time, _) = context.times.iso(text).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.text(field::MESSAGE, &text[20..]);
    rows.literal(field::PROCESS_NAME, "dpkg");
    match entry {
        DpkgEntry::Action(action, package) => put(rows, action, &package),
        DpkgEntry::Status(state, package) => {
            put(rows, "package_status", &package);
            rows.text(field::EVENT_REASON, state);
        }
        DpkgEntry::Startup => put_action(rows, "package_manager_started"),
        DpkgEntry::Conffile(path) => {
            put_action(rows, "configuration_file_decided");
            rows.text(field::FILE_PATH, path);
        }
    }
    Ok(dataset::PACKAGES)
}

const ALTERNATIVES: &[u8] = b"update-alternatives ";

pub(crate) fn looks_like_alternative(text: &[u8]) -> bool {
    text.starts_with(ALTERNATIVES) && text.get(ALTERNATIVES.len()).is_some_and(u8::is_ascii_digit)
}

/// `update-alternatives DATE TIME: run with --install …`
pub(crate) fn read_alternative(
    text: &[u8],
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Result<DatasetId, Refusal> {
    let other = Refusal::Other("no line of update-alternatives");
    let Some(rest) = text.strip_prefix(ALTERNATIVES) else { return Err(other) };
    let Some((time, rest)) = context.times.iso(rest) else { return Err(other) };
    let Some(message) = rest.strip_prefix(b": ") else { return Err(other) };
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "update-alternatives");
    rows.text(field::MESSAGE, message);
    match message.strip_prefix(b"run with ") {
        Some(arguments) => {
            put_action(rows, "alternatives_run");
            rows.text(field::PROCESS_COMMAND_LINE, arguments);
        }
        None => put_action(rows, "alternative_changed"),
    }
    Ok(dataset::PACKAGES)
}
