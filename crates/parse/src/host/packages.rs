//! Packages that were installed, upgraded or removed: the fields that all package managers share, and the messages that some
//! of them send by syslog.

use crate::needle::find;
use event::catalog::field;
use event::{BatchBuilder, ValueTag};
use memchr::{memchr, memrchr};

/// Names that an event keeps of one transaction.
const NAMES_MAX: usize = 1_000;

/// A package as a line names it. Empty parts are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) version: &'a [u8],
    pub(crate) previous: &'a [u8],
    pub(crate) architecture: &'a [u8],
}

impl<'a> Package<'a> {
    /// `nginx-1:1.20.1-10.el9.x86_64`, also with the epoch in front (NEVRA).
    pub(crate) fn of_rpm(text: &'a [u8]) -> Option<Self> {
        if text.is_empty() || text.contains(&b' ') {
            return None;
        }
        let dot = memrchr(b'.', text)?;
        let (rest, architecture) = (&text[..dot], &text[dot + 1..]);
        let release = memrchr(b'-', rest)?;
        let version = memrchr(b'-', &rest[..release])?;
        let mut name = &rest[..version];
        if let Some(colon) = memchr(b':', name).filter(|at| name[..*at].iter().all(u8::is_ascii_digit)) {
            name = &name[colon + 1..];
        }
        let known = !name.is_empty() && !architecture.is_empty();
        known.then_some(Package { name, version: &rest[version + 1..], previous: b"", architecture })
    }

    /// `NAME (VERSION)` or `NAME (OLD -> NEW)`.
    pub(crate) fn in_brackets(text: &'a [u8]) -> Option<Self> {
        let open = find!(text, b" (")?;
        let inside = text[open + 2..].strip_suffix(b")")?;
        let name = &text[..open];
        if name.is_empty() || name.contains(&b' ') {
            return None;
        }
        let (previous, version) = match find!(inside, b" -> ") {
            Some(at) => (&inside[..at], &inside[at + 4..]),
            None => (&b""[..], inside),
        };
        Some(Package { name, version, previous, architecture: b"" })
    }

    pub(crate) fn put(&self, rows: &mut BatchBuilder) {
        for (id, value) in [
            (field::PACKAGE_NAME, self.name),
            (field::PACKAGE_VERSION, self.version),
            (field::PACKAGE_PREVIOUS_VERSION, self.previous),
            (field::PACKAGE_ARCHITECTURE, self.architecture),
        ] {
            if !value.is_empty() {
                rows.text(id, value);
            }
        }
    }
}

/// What was done, and to what.
pub(crate) fn put(rows: &mut BatchBuilder, action: &'static str, package: &Package<'_>) {
    put_action(rows, action);
    package.put(rows);
}

pub(crate) fn put_action(rows: &mut BatchBuilder, action: &'static str) {
    rows.literal(field::EVENT_CATEGORY, "package");
    rows.literal(field::EVENT_ACTION, action);
}

/// Several names as a list, one as it is.
pub(crate) fn put_names(rows: &mut BatchBuilder, names: &[&[u8]]) {
    match names {
        [] => {}
        [name] => rows.text(field::PACKAGE_NAME, name),
        _ => {
            let quoted = names.iter().take(NAMES_MAX).map(|name| event::json::quote(&String::from_utf8_lossy(name)));
            let list = format!("[{}]", quoted.collect::<Vec<_>>().join(","));
            rows.tagged_owned(field::PACKAGE_NAME, &list, ValueTag::Array);
        }
    }
}

/// Words in front of packages, as yum, dnf and their relatives write them.
const RPM_WORDS: [(&str, &str); 13] = [
    ("Installed: ", "package_installed"),
    ("Install: ", "package_installed"),
    ("Reinstalled: ", "package_installed"),
    ("Reinstall: ", "package_installed"),
    ("Dep-Installed: ", "package_installed"),
    ("Updated: ", "package_upgraded"),
    ("Upgrade: ", "package_upgraded"),
    ("Downgrade: ", "package_downgraded"),
    ("Erased: ", "package_removed"),
    ("Erase: ", "package_removed"),
    ("Removed: ", "package_removed"),
    ("Upgraded: ", "package_replaced"),
    ("Obsoleted: ", "package_replaced"),
];

/// `Installed: nginx-1:1.20.1-10.el9.x86_64`; true where it is that.
pub(crate) fn put_rpm(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some((package, action)) = rpm(message) else { return false };
    put(rows, action, &package);
    true
}

fn rpm(message: &[u8]) -> Option<(Package<'_>, &'static str)> {
    RPM_WORDS.iter().find_map(|(word, action)| {
        let rest = message.strip_prefix(word.as_bytes())?.trim_ascii_end();
        // Old yum writes erased packages without version and architecture.
        let plain =
            || (!rest.is_empty() && !rest.contains(&b' ')).then_some(Package { name: rest, ..Package::default() });
        Some((Package::of_rpm(rest).or_else(plain)?, *action))
    })
}

pub(crate) fn is_rpm(message: &[u8]) -> bool {
    rpm(message).is_some()
}

/// Messages of FreeBSD's pkg: `nginx-1.24.0,3 installed`, `nginx upgraded: 1.24.0 -> 1.26.0`, `nginx-1.24.0,3 deinstalled`.
pub(crate) fn put_pkg(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(blank) = memchr(b' ', message) else { return false };
    let (name, rest) = (&message[..blank], &message[blank + 1..]);
    let versioned = memrchr(b'-', name).map_or(Package { name, ..Package::default() }, |at| Package {
        name: &name[..at],
        version: &name[at + 1..],
        ..Package::default()
    });
    if let Some(versions) = rest.strip_prefix(b"upgraded: ").or(rest.strip_prefix(b"downgraded: ")) {
        let Some(arrow) = find!(versions, b" -> ") else { return false };
        let version = versions[arrow + 4..].trim_ascii();
        let action = if rest[0] == b'u' { "package_upgraded" } else { "package_downgraded" };
        put(rows, action, &Package { name, version, previous: &versions[..arrow], architecture: b"" });
        return true;
    }
    match rest.trim_ascii_end() {
        b"installed" | b"reinstalled" => put(rows, "package_installed", &versioned),
        b"deinstalled" => put(rows, "package_removed", &versioned),
        _ => return false,
    }
    true
}

/// Messages of macOS's installers: `Installed "Safari" (26.0)`, `PackageKit: Installed "Safari" (26.0)`.
pub(crate) fn put_macos(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let message = message.strip_prefix(b"PackageKit: ").unwrap_or(message);
    let Some(rest) = message.strip_prefix(b"Installed \"") else { return false };
    let Some(close) = memchr(b'"', rest) else { return false };
    let version = rest[close + 1..].trim_ascii();
    let version = version.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or_default();
    put(rows, "package_installed", &Package { name: &rest[..close], version, ..Package::default() });
    true
}
