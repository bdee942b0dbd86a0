//! The spool under reopening, tearing, damage and fullness.

use std::fs;
use std::time::Duration;

use super::*;

const SOON: Duration = Duration::from_millis(2000);

fn options(folder: &Path) -> SpoolOptions {
    SpoolOptions { folder: folder.to_owned(), bytes_max: 1 << 20, segment_bytes: 4096, reserve_bytes: 0 }
}

fn batch(lines: &str) -> Batch<'_> {
    Batch { origin: "test://a", lines: lines.as_bytes(), received: Timestamp(7) }
}

async fn put(spool: &Spool, lines: &str) {
    let ticket = spool.append(batch(lines)).unwrap();
    spool.durable(ticket).await.unwrap();
}

/// Everything from the position on, as text, and the position behind it.
fn rest(spool: &Spool, from: Position) -> (String, Position) {
    let mut reader = spool.read_from(from);
    let (mut text, mut end) = (String::new(), from);
    while let Some(block) = reader.next_block(Duration::from_millis(20)) {
        assert!(block.start.offset >= end.offset);
        end = Position {
            offset: block.start.offset + block.bytes.len() as u64,
            line: block.start.line + block.bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
        };
        text.push_str(std::str::from_utf8(&block.bytes).unwrap());
    }
    (text, end)
}

#[tokio::test]
async fn what_is_durable_comes_back_after_a_reopen_with_the_same_places() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    let identity = spool.source().id;
    let mut expected = String::new();
    for number in 0..300 {
        let lines = format!("line {number}\nand {number}\n");
        put(&spool, &lines).await;
        expected.push_str(&lines);
    }
    let (text, end) = rest(&spool, Position::default());
    assert_eq!((text.as_str(), end.line), (expected.as_str(), 600));
    drop(spool);
    let spool = Spool::open(options(folder.path()), Timestamp(2)).unwrap();
    assert_eq!(spool.source().id, identity);
    assert_eq!(rest(&spool, Position::default()), (text, end));
    put(&spool, "later\n").await;
    assert_eq!(rest(&spool, end).0, "later\n");
    assert_eq!(rest(&spool, Position { offset: 7, line: 1 }).0, expected[7..].to_owned() + "later\n");
}

#[tokio::test]
async fn two_processes_cannot_share_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    assert!(matches!(Spool::open(options(folder.path()), Timestamp(1)), Err(SpoolError::InUse { .. })));
}

#[tokio::test]
async fn a_torn_end_is_set_aside_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    put(&spool, "whole\n").await;
    put(&spool, "to be torn\n").await;
    drop(spool);
    let path = segment::path(folder.path(), 0);
    let bytes = fs::read(&path).unwrap();
    for cut in 1..bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
        let (text, end) = rest(&spool, Position::default());
        assert!("whole\nto be torn\n".starts_with(&text) && (text.is_empty() || text == "whole\n"), "{text}");
        put(&spool, "new\n").await;
        assert_eq!(rest(&spool, end).0, "new\n");
        assert_eq!(rest(&spool, Position::default()).0, text + "new\n");
    }
}

#[tokio::test]
async fn what_follows_a_lost_tail_survives_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    put(&spool, "one\n").await;
    put(&spool, "two, committed and then lost\n").await;
    drop(spool);
    let path = segment::path(folder.path(), 0);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    let committed = Position { offset: 33, line: 2 };
    spool.release(committed);
    put(&spool, "acknowledged\n").await;
    drop(spool);
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    assert_eq!(rest(&spool, committed).0, "acknowledged\n");
    put(&spool, "more\n").await;
    assert_eq!(rest(&spool, committed).0, "acknowledged\nmore\n");
}

/// In an old segment, and in the only one.
#[tokio::test]
async fn damage_in_the_middle_costs_the_damaged_entry_alone() {
    damage(4096).await;
    damage(64 << 20).await;
}

async fn damage(segment_bytes: u64) {
    let folder = tempfile::tempdir().unwrap();
    let options = |folder: &Path| SpoolOptions { segment_bytes, ..options(folder) };
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    for number in 0..200 {
        put(&spool, &format!("line {number:03}\n")).await;
    }
    drop(spool);
    let path = segment::path(folder.path(), 0);
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    let at = bytes.windows(8).position(|window| window == b"line 010").unwrap();
    bytes[at] ^= 0x20;
    fs::write(&path, &bytes).unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    let text = rest(&spool, Position::default()).0;
    assert_eq!(text.lines().count(), 199);
    assert!(!text.contains("line 010") && text.contains("line 011") && text.contains("line 199"));
    put(&spool, "after the damage\n").await;
    assert!(rest(&spool, Position::default()).0.ends_with("line 199\nafter the damage\n"));
}

#[tokio::test]
async fn a_full_spool_refuses_and_takes_again_when_something_was_released() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(SpoolOptions { bytes_max: 20_000, ..options(folder.path()) }, Timestamp(1)).unwrap();
    let line = "x".repeat(999) + "\n";
    let mut taken = 0;
    let refused = loop {
        match spool.append(batch(&line)) {
            Ok(ticket) => spool.durable(ticket).await.unwrap(),
            Err(refused) => break refused,
        }
        taken += 1;
    };
    assert_eq!((refused, taken), (Refused::Full, 18));
    let mut reader = spool.read_from(Position::default());
    let mut end = Position::default();
    while let Some(block) = reader.next_block(Duration::from_millis(20)) {
        end.offset = block.start.offset + block.bytes.len() as u64;
    }
    spool.release(end);
    assert!(spool.append(batch(&line)).is_ok());
    assert!(spool.state().disk_bytes < 10_000, "{:?}", spool.state());
}

#[tokio::test]
async fn senders_are_told_apart_within_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    for origin in ["test://a", "test://a", "test://b"] {
        let ticket = spool.append(Batch { origin, ..batch("one line\n") }).unwrap();
        spool.durable(ticket).await.unwrap();
    }
    let block = spool.read_from(Position::default()).next_block(SOON).unwrap();
    let origins: Vec<_> = block.layout.origins.iter().map(|(first, source)| (*first, source.name.as_str())).collect();
    assert_eq!(origins, [(0, "test://a"), (18, "test://b")]);
    assert_eq!(block.reference, Timestamp(7));
}

#[tokio::test]
async fn large_batches_are_split_at_line_ends() {
    let folder = tempfile::tempdir().unwrap();
    let large = SpoolOptions { bytes_max: 1 << 30, segment_bytes: 1 << 20, ..options(folder.path()) };
    let spool = Spool::open(large, Timestamp(1)).unwrap();
    let lines = ("y".repeat(99_999) + "\n").repeat(53);
    put(&spool, &lines).await;
    assert_eq!(rest(&spool, Position::default()), (lines.clone(), Position { offset: 5_300_000, line: 53 }));
}
