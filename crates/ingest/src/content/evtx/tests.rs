//! A Windows event log that is put together here, byte by byte: a file header, one chunk, records of binary XML without templates.

use super::*;

const CHUNK_BYTES: usize = 64 << 10;
/// Where records begin in a chunk.
const RECORDS_AT: usize = 512;

/// An element: name, attributes, text, children.
struct Element(&'static str, Vec<(&'static str, &'static str)>, &'static str, Vec<Element>);

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A name stands where it is used, behind the offset that says so.
fn name(text: &str, chunk: &mut Vec<u8>) {
    let at = chunk.len() as u32 + 4;
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)));
    chunk.extend(at.to_le_bytes());
    chunk.extend([0; 4]);
    chunk.extend((hash as u16).to_le_bytes());
    chunk.extend((text.len() as u16).to_le_bytes());
    chunk.extend(utf16(text));
    chunk.extend([0; 2]);
}

fn value(text: &str, chunk: &mut Vec<u8>) {
    chunk.extend([5, 1]);
    chunk.extend((text.encode_utf16().count() as u16).to_le_bytes());
    chunk.extend(utf16(text));
}

fn element(Element(tag, attributes, text, children): &Element, chunk: &mut Vec<u8>) {
    chunk.push(if attributes.is_empty() { 0x01 } else { 0x41 });
    let size_at = chunk.len();
    chunk.extend([0; 4]);
    name(tag, chunk);
    if !attributes.is_empty() {
        let list_at = chunk.len();
        chunk.extend([0; 4]);
        for (at, (key, text)) in attributes.iter().enumerate() {
            chunk.push(if at + 1 < attributes.len() { 0x46 } else { 0x06 });
            name(key, chunk);
            value(text, chunk);
        }
        let size = (chunk.len() - list_at - 4) as u32;
        chunk[list_at..list_at + 4].copy_from_slice(&size.to_le_bytes());
    }
    chunk.push(0x02);
    if !text.is_empty() {
        value(text, chunk);
    }
    children.iter().for_each(|child| element(child, chunk));
    chunk.push(0x04);
    let size = (chunk.len() - size_at - 4) as u32;
    chunk[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
}

/// A file with these events. All of them happened at 2026-03-04 10:00:01.
fn file(events: &[Element]) -> Vec<u8> {
    let mut chunk = vec![0; RECORDS_AT];
    let mut last = 0;
    for (at, event) in events.iter().enumerate() {
        last = chunk.len();
        chunk.extend(b"**\0\0\0\0\0\0");
        chunk.extend((at as u64 + 1).to_le_bytes());
        chunk.extend((134_170_920_010_000_000_u64).to_le_bytes());
        chunk.extend([0x0F, 1, 1, 0]);
        element(event, &mut chunk);
        chunk.push(0);
        let size = (chunk.len() - last + 4) as u32;
        chunk[last + 4..last + 8].copy_from_slice(&size.to_le_bytes());
        chunk.extend(size.to_le_bytes());
    }
    let (end, count) = (chunk.len() as u32, events.len() as u64);
    let records = crc32fast::hash(&chunk[RECORDS_AT..]);
    let mut put = |at: usize, bytes: &[u8]| chunk[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"ElfChnk\0");
    for (at, number) in [(8, 1), (16, count), (24, 1), (32, count)] {
        put(at, &number.to_le_bytes());
    }
    for (at, number) in [(40, 128), (44, last as u32), (48, end), (52, records)] {
        put(at, &number.to_le_bytes());
    }
    let header = crc32fast::hash(&[&chunk[..120], &chunk[128..512]].concat());
    chunk[124..128].copy_from_slice(&header.to_le_bytes());
    chunk.resize(CHUNK_BYTES, 0);
    let mut file = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"ElfFile\0");
    put(24, &(count + 1).to_le_bytes());
    for (at, number) in [(32, 128_u16), (36, 1), (38, 3), (40, 4096), (42, 1)] {
        put(at, &number.to_le_bytes());
    }
    put(32, &128_u32.to_le_bytes());
    let header = crc32fast::hash(&file[..120]);
    file[124..128].copy_from_slice(&header.to_le_bytes());
    file.extend(chunk);
    file
}

/// A failed logon, as the Security log has it.
fn logon(address: &'static str) -> Element {
    let leaf = |tag, text| Element(tag, vec![], text, vec![]);
    let data = |key, text| Element("Data", vec![("Name", key)], text, vec![]);
    let system = vec![
        Element("Provider", vec![("Name", "Microsoft-Windows-Security-Auditing")], "", vec![]),
        leaf("EventID", "4625"),
        leaf("Channel", "Security"),
        leaf("Computer", "pc1.example"),
    ];
    let values = vec![data("TargetUserName", "ann"), data("IpAddress", address)];
    Element("Event", vec![], "", vec![Element("System", vec![], "", system), Element("EventData", vec![], "", values)])
}

fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    EventLines::new(io::Cursor::new(bytes)).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn each_record_is_a_line_of_json_nested_as_the_system_writes_it() {
    let bytes = file(&[logon("203.0.113.7"), logon("203.0.113.7")]);
    // How `tests/formats/windows-security.evtx` was made.
    if let Ok(path) = std::env::var("C0DI3_WRITE_EVTX") {
        let events: Vec<Element> = (0..12).map(|_| logon("203.0.113.75")).collect();
        std::fs::write(path, file(&events)).unwrap();
    }
    let text = text(&bytes);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let event = &lines[0]["Event"];
    assert_eq!(lines[0]["@timestamp"], "2026-03-04T10:00:01Z");
    assert_eq!(event["System"]["Channel"], "Security");
    assert_eq!(event["System"]["Provider"]["#attributes"]["Name"], "Microsoft-Windows-Security-Auditing");
    assert_eq!(event["EventData"]["IpAddress"], "203.0.113.7");
}

#[test]
fn data_of_a_provider_stands_where_rules_look_for_it_too() {
    let leaf = |tag, text| Element(tag, vec![], text, vec![]);
    let data = Element("LogFileCleared", vec![], "", vec![leaf("SubjectUserName", "ann")]);
    let system = Element("System", vec![], "", vec![leaf("EventID", "1102"), leaf("Channel", "Security")]);
    let event = Element("Event", vec![], "", vec![system, Element("UserData", vec![], "", vec![data])]);
    let line: serde_json::Value = serde_json::from_str(&text(&file(&[event]))).unwrap();
    assert_eq!(line["Event"]["UserData"]["LogFileCleared"]["SubjectUserName"], "ann");
    assert_eq!(line["winlog"]["user_data"]["SubjectUserName"], "ann");
}

#[test]
fn what_is_damaged_is_told_and_costs_no_more_than_itself() {
    let mut bytes = file(&[logon("203.0.113.7"), logon("203.0.113.7")]);
    let first = 4096 + RECORDS_AT + 24 + 40;
    bytes[first..first + 8].fill(0xFF);
    let text = text(&bytes);
    assert!(text.contains("cannot be read"), "{text}");
    assert!(EventLines::new(io::Cursor::new(b"ElfFile\0")).is_err());
    assert!(text.lines().count() <= 3);
}

#[test]
fn any_bytes_behind_a_header_end_without_a_panic() {
    let whole = file(&[logon("203.0.113.7")]);
    for at in (4096..4096 + 1200).step_by(3) {
        for byte in [0, 1, 5, 0x0C, 0x41, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let _text = text(&bytes);
        }
    }
}
