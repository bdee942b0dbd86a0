//! Benign requests that nobody made up: files of installed packages as paths of a mirror, links of installed documentation,
//! addresses in texts of packages, and paths of interfaces in their JSON and YAML. Read where they are on the machine; nothing
//! is copied into the repository, and where there is nothing, the report says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::quality::benign::Surroundings;
use crate::quality::sample::Random;

/// Lines of one kind from one place.
const LINES_MAX: usize = 40_000;
/// Bytes of texts that are read in one place.
const BYTES_MAX: u64 = 160 << 20;
/// A text that is longer is data.
const TEXT_BYTES_MAX: u64 = 1 << 20;
/// Folders within folders.
const DEPTH_MAX: usize = 24;
const FILES_MAX: usize = 400_000;
/// Characters of a target.
const TARGET_MAX: usize = 600;
/// Packages whose texts are attacks, by a part of their path.
const ATTACKS: [&str; 3] = ["libinjection", "sqlparser", "/fuzz"];

/// Last parts of the names of hosts that no browser reaches.
const WITHIN: [&str; 3] = ["internal", "local", "localdomain"];

/// Distinct request targets, by place and kind.
pub(crate) type Targets = BTreeMap<(&'static str, &'static str), Vec<String>>;

/// A place where packages lie, and what stands before its paths on a mirror.
struct Mirror {
    name: &'static str,
    prefix: &'static str,
    folders: Vec<PathBuf>,
}

fn mirrors() -> Vec<Mirror> {
    let home = |folder: &str| std::env::var_os("HOME").map(|home| Path::new(&home).join(folder)).unwrap_or_default();
    let or_home = |name: &str, folder: &str| std::env::var_os(name).map_or_else(|| home(folder), PathBuf::from);
    let cargo = or_home("CARGO_HOME", ".cargo").join("registry/src");
    let toolchains = or_home("RUSTUP_HOME", ".rustup").join("toolchains");
    let mirror = |name, prefix, folders: Vec<PathBuf>| Mirror { name, prefix, folders };
    vec![
        mirror("Debian packages", "/debian", vec!["/usr/share".into(), "/usr/lib".into(), "/usr/include".into()]),
        mirror("crates.io packages", "/crates", vec![cargo]),
        mirror("Python packages", "/simple", vec![home(".pyenv/versions"), "/usr/local/lib".into()]),
        mirror("npm packages", "/npm", vec!["/usr/lib/node_modules".into(), home(".nvm"), home("node_modules")]),
        mirror("Rust documentation", "/doc", vec![toolchains]),
    ]
}

/// Everything that this machine has, at most `LINES_MAX` lines of a kind from a place.
pub(crate) fn collect() -> Targets {
    let mut found = Targets::new();
    for mirror in mirrors() {
        let mut files = Vec::new();
        mirror.folders.iter().for_each(|folder| walk(folder, folder, DEPTH_MAX, &mut files));
        // A fair sample of any size: the order is that of a hash of the path.
        files.sort_by_cached_key(|(_, below, _)| (hash(below), below.clone()));
        let paths = files.iter().map(|(_, below, _)| encoded(&format!("{}/{below}", mirror.prefix)));
        let mut kinds = BTreeMap::from([("files", paths.collect::<Vec<_>>())]);
        let mut bytes = 0;
        for (path, below, length) in files {
            let lower = below.to_ascii_lowercase();
            let kind = lower.rsplit('.').next().unwrap_or_default();
            let is_read = ["html", "htm", "md", "rst", "txt", "json", "yaml", "yml", "py", "rs", "toml", "js"];
            if !is_read.contains(&kind) || length > TEXT_BYTES_MAX || bytes + length > BYTES_MAX {
                continue;
            }
            if ATTACKS.iter().any(|part| lower.contains(part)) {
                continue;
            }
            bytes += length;
            let text = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            match kind {
                "html" | "htm" => kinds.entry("links").or_default().extend(links(&text, &lower)),
                "json" | "yaml" | "yml" => kinds.entry("paths of interfaces").or_default().extend(interfaces(&text)),
                _ => {}
            }
            kinds.entry("addresses in texts").or_default().extend(addresses(&text));
        }
        for (kind, mut targets) in kinds {
            // To ask for hidden files is what rules tell of, whoever asks.
            let is_open = |target: &str| !target.contains("/.") || target.contains("/.well-known/");
            targets.retain(|target| target.len() <= TARGET_MAX && target.starts_with('/') && is_open(target));
            targets.sort_by_cached_key(|target| (hash(target), target.clone()));
            targets.dedup();
            targets.truncate(LINES_MAX);
            if !targets.is_empty() {
                found.insert((mirror.name, kind), targets);
            }
        }
    }
    found
}

/// Each file below a folder: where it is, its path below `top`, its length in bytes.
fn walk(top: &Path, folder: &Path, depth: usize, into: &mut Vec<(PathBuf, String, u64)>) {
    let entries = fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).collect::<Vec<_>>());
    for entry in entries.unwrap_or_default() {
        let path = entry.path();
        let Some(kind) = entry.file_type().ok().filter(|_| into.len() < FILES_MAX) else { continue };
        if kind.is_dir() && depth > 0 {
            walk(top, &path, depth - 1, into);
        } else if kind.is_file() {
            let below = path.strip_prefix(top).map(|below| below.to_string_lossy().into_owned());
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            into.extend(below.ok().map(|below| (path, below, length)));
        }
    }
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// What a browser sends for a path or address as it is written.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'`' | b'\\' | 0..0x20 | 0x7F.. => out += &format!("%{byte:02X}"),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// Values of `href` and `src` that lead to the same site, from the page that holds them.
fn links(text: &str, page: &str) -> Vec<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for part in text.split(" href=\"").skip(1).chain(text.split(" src=\"").skip(1)) {
        let Some((link, _)) = part.split_once('"').filter(|(link, _)| link.len() <= TARGET_MAX) else { continue };
        let link = link.split('#').next().unwrap_or("");
        if link.is_empty() || link.contains(':') || link.starts_with("//") {
            continue;
        }
        // Browsers read `&amp;`; programs that follow links often do not.
        let sent = if hash(link).is_multiple_of(8) { link.to_owned() } else { link.replace("&amp;", "&") };
        found.push(encoded(&if sent.starts_with('/') { sent } else { joined(folder, &sent) }));
    }
    found
}

/// A link from a folder, with its steps upwards taken, as browsers take them.
fn joined(folder: &str, link: &str) -> String {
    let (path, query) = link.split_once('?').map_or((link, None), |(path, query)| (path, Some(query)));
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    query.map_or_else(|| format!("/{path}"), |query| format!("/{path}?{query}"))
}

/// Path and query of each `http` address of a named host.
fn addresses(text: &str) -> Vec<String> {
    let ends = |each: char| each.is_whitespace() || "\"'<>()[]{}`|\\^,*".contains(each) || !each.is_ascii();
    let mut found = Vec::new();
    for part in text.split("http").skip(1) {
        let Some(rest) = part.strip_prefix("s://").or_else(|| part.strip_prefix("://")) else { continue };
        let address = rest.split(ends).next().unwrap_or("").trim_end_matches(['.', ';', ':', '!']);
        let Some((host, _)) = address.split_once('/') else { continue };
        let is_named =
            host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let top = host.rsplit('.').next().unwrap_or("");
        let is_public = top.bytes().all(|byte| byte.is_ascii_alphabetic()) && !WITHIN.contains(&top);
        if is_named && is_public {
            found.push(address[host.len()..].split('#').next().unwrap_or("").to_owned());
        }
    }
    found
}

/// Quoted paths such as `/v1/{project}/items` with their slots filled.
fn interfaces(text: &str) -> Vec<String> {
    let is_path = |text: &str| {
        text.len() > 4
            && text.starts_with('/')
            && !text.starts_with("//")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~{}+@:?=&,".contains(&byte))
    };
    let lines = text.lines().filter_map(|line| line.trim().split_once(':').map(|(key, _)| key));
    let quoted = text.split('"').skip(1).step_by(2);
    let mut found = Vec::new();
    for path in quoted.chain(lines).filter(|path| is_path(path)) {
        let mut random = Random::new(hash(path));
        let mut out = String::new();
        for (at, part) in path.split('{').enumerate() {
            let rest = part.split_once('}').map_or(part, |(_, rest)| rest);
            if at > 0 {
                out += &(10 + random.below(90_000)).to_string();
            }
            out += if at > 0 { rest } else { part };
        }
        if !out.contains('}') {
            found.push(out);
        }
    }
    found
}

/// Each target as a line of an access log, with what browsers and programs send beside it.
pub(crate) fn lines<'a>(found: &'a Targets, seed: u64) -> impl Iterator<Item = String> + 'a {
    let mut random = Random::new(seed);
    let targets = found.values().flatten();
    targets.enumerate().map(move |(at, target)| Surroundings::of(&mut random, at).reading().line(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_addresses_and_interfaces_are_read_as_a_browser_sends_them() {
        let page = "<a href=\"../b/c d.html#x\"><img src=\"/i.png?v=1\"> <a href=\"https://x.example/\">";
        assert_eq!(links(page, "doc/a/index.html"), ["/doc/b/c%20d.html", "/i.png?v=1"]);
        let text = "see https://www.example.org/a/b?c=d. (http://127.0.0.1/x) http://localhost/y";
        assert_eq!(addresses(text), ["/a/b?c=d"]);
        let found = interfaces("{\"requestUri\":\"/v1/{project}/items\",\"x\":\"no path\"}\n/pets/{id}:\n");
        assert!(found.iter().all(|path| !path.contains(['{', '}'])), "{found:?}");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("/v1/") && found[0].ends_with("/items"));
    }

    #[test]
    fn files_of_a_folder_are_found_and_a_folder_that_is_not_there_has_none() {
        let mut files = Vec::new();
        let top = crate::root().join("crates/xtask/quality");
        walk(&top, &top, DEPTH_MAX, &mut files);
        assert!(files.iter().any(|(_, below, length)| below == "grammars/sql.txt" && *length > 100));
        files.clear();
        walk(&top, &top.join("nothing"), DEPTH_MAX, &mut files);
        assert!(files.is_empty());
    }
}
