//! Signals that end a process which does not expect them end no service, and SIGUSR2 leaves a heap profile that public
//! tools read.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use servers::wait_until;

use crate::node::{Node, SOON, get};
use crate::program::Sandbox;

/// Heap profiles in a folder, the oldest first.
fn profiles(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(".pb.gz")).collect();
    found.sort();
    found
}

/// What a pprof file holds, as far as tools cannot do without it.
#[derive(Debug, Default)]
struct Profile {
    /// Numbers of locations, and values.
    samples: Vec<(Vec<u64>, Vec<u64>)>,
    locations: BTreeSet<u64>,
    mappings: usize,
    texts: Vec<String>,
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().expect("a number that ends");
        *bytes = rest;
        value |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    value
}

/// The fields of a protobuf message: numbers, with a number or bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Result<u64, &[u8]>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => Ok(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Err(value)
            }
            kind => panic!("a field of kind {kind}, which profiles do not have"),
        };
        found.push((key >> 3, value));
    }
    found
}

/// Numbers of a repeated field, packed or one by one.
fn numbers(message: &[u8], field: u64) -> Vec<u64> {
    let mut found = Vec::new();
    for (_, value) in fields(message).into_iter().filter(|(number, _)| *number == field) {
        match value {
            Ok(number) => found.push(number),
            Err(mut packed) => {
                while !packed.is_empty() {
                    found.push(varint(&mut packed));
                }
            }
        }
    }
    found
}

fn read(path: &Path) -> Profile {
    let file = std::fs::read(path).unwrap();
    let mut bytes = Vec::new();
    flate2::bufread::GzDecoder::new(file.as_slice()).read_to_end(&mut bytes).unwrap();
    let mut profile = Profile::default();
    for (number, value) in fields(&bytes) {
        match (number, value) {
            (2, Err(sample)) => profile.samples.push((numbers(sample, 1), numbers(sample, 2))),
            (3, Err(_)) => profile.mappings += 1,
            (4, Err(location)) => profile.locations.extend(numbers(location, 1)),
            (6, Err(text)) => profile.texts.push(String::from_utf8(text.to_vec()).unwrap()),
            _ => {}
        }
    }
    profile
}

/// Signals the service until a new profile is there. It may be the first of several that hold no sample: few bytes are
/// allocated while nothing is asked, and one in 512 KiB is looked at.
fn profile_of(node: &mut Node, command: &str, folder: &Path) -> Profile {
    let before = profiles(folder).pop();
    node.signal(command, "-USR2");
    wait_until(SOON, "a heap profile", || profiles(folder).pop() > before);
    read(&profiles(folder).pop().unwrap())
}

fn outlives_signals(command: &str) {
    let sandbox = Sandbox::new();
    let logs = sandbox.path("logs");
    let settings = [
        ("store.url", "sqlite:a.db".to_owned()),
        ("log.folder", logs.display().to_string()),
        ("log.heap_profiles", "2".to_owned()),
    ];
    let mut node = Node::new();
    node.start(&sandbox, command, &settings);
    let port = if command == "analyzer" { node.ingest } else { node.api };
    for signal in ["-HUP", "-USR1", "-PIPE"] {
        node.signal(command, signal);
    }
    let log = || std::fs::read_to_string(logs.join("core-agent.log")).unwrap_or_default();
    wait_until(SOON, "the service tells of SIGUSR1", || log().contains("SIGUSR1: the service runs"));
    assert_eq!(get(port, "/live").map(|(status, _)| status), Some(200));

    // Connections hold memory.
    let connections: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let mut profile = profile_of(&mut node, command, &logs);
    for _ in 0..20 {
        if profile.samples.is_empty() {
            (0..50).for_each(|_| drop(get(port, "/live")));
            profile = profile_of(&mut node, command, &logs);
        }
    }
    assert!(profile.mappings > 0 && profile.texts.first().is_some_and(String::is_empty));
    assert!(profile.texts.iter().any(|text| text == "inuse_space"), "{:?}", profile.texts);
    assert!(!profile.samples.is_empty(), "nothing of what the service holds is told");
    for (locations, values) in &profile.samples {
        assert!(!locations.is_empty() && locations.iter().all(|location| profile.locations.contains(location)));
        assert!(values.iter().any(|value| *value > 0), "{values:?}");
    }
    drop(connections);

    (0..3).for_each(|_| drop(profile_of(&mut node, command, &logs)));
    wait_until(SOON, "old profiles go", || profiles(&logs).len() == 2);
    let told = log();
    let newest = profiles(&logs).pop().unwrap();
    wait_until(SOON, "the log says where", || log().contains(&*newest.file_name().unwrap().to_string_lossy()));
    assert!(told.contains("heap profile written"), "{told}");
    let left: Vec<_> = std::fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with("unfinished")), "{left:?}");
    assert_eq!(get(port, "/live").map(|(status, _)| status), Some(200));
    assert!(node.is_running(command));
    assert_eq!(node.stop(command), Some(0));
}

#[test]
fn the_service_outlives_signals_and_writes_heap_profiles() {
    outlives_signals("serve");
}

#[test]
fn the_analyzer_outlives_signals_and_writes_heap_profiles() {
    outlives_signals("analyzer");
}

#[test]
fn the_agent_outlives_signals_and_writes_heap_profiles() {
    outlives_signals("agent");
}
