//! The spool under reopening, tearing, damage and fullness.

use std::fs;
use std::time::Duration;

use super::*;

const SOON: Duration = Duration::from_millis(2000);

fn options(folder: &Path) -> SpoolOptions {
    SpoolOptions { folder: folder.to_owned(), bytes_max: 1 << 20, segment_bytes: 4096, reserve_bytes: 0 }
}

fn batch(lines: &str) -> Batch<'_> {
    Batch::new("test://a", lines.as_bytes(), Timestamp(7))
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

/// What a sender of a batch with a name does: how many events of it are there.
async fn send(spool: &Spool, id: u128, pieces: &[&str]) -> u64 {
    let mut claim = match spool.seen().begin(id) {
        Begun::Taken(events) => return events,
        Begun::New(claim) => claim,
        Begun::Pending => panic!("nobody else sends it"),
    };
    let events = pieces.concat().lines().count() as u64;
    for (at, piece) in pieces.iter().enumerate() {
        let fresh = &piece[claim.skip(piece.len())..];
        if !fresh.is_empty() {
            let names = [claim.name(0..fresh.len(), (at + 1 == pieces.len()).then_some(events))];
            let ticket = spool.append(Batch { names: &names, ..batch(fresh) }).unwrap();
            claim.appended(fresh.len());
            spool.durable(ticket).await.unwrap();
        }
    }
    events
}

/// The process ends where an entry begins or ends, or within one: also behind the last, when nothing else is known of the batch.
#[tokio::test]
async fn a_named_batch_is_there_once_wherever_a_kill_comes() {
    let pieces = ["one\n", "two\nthree\n", "four\n"];
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    send(&spool, 1, &pieces).await;
    put(&spool, "of another\n").await;
    // Two batches in one entry, with a line of neither between them.
    let claims = [2, 3].map(|id| match spool.seen().begin(id) {
        Begun::New(claim) => claim,
        other => panic!("{other:?}"),
    });
    let names = [claims[0].name(0..4, Some(1)), claims[1].name(7..15, Some(2))];
    let ticket = spool.append(Batch { names: &names, ..batch("two\n--\nab\ncdef\n") }).unwrap();
    spool.durable(ticket).await.unwrap();
    drop((claims, spool));
    let path = segment::path(folder.path(), 0);
    let bytes = fs::read(&path).unwrap();
    let starts: Vec<usize> = memchr::memmem::find_iter(&bytes, b"C3S").collect();
    let is_tried = |cut: &usize| cut.is_multiple_of(13) || starts.iter().any(|start| cut.abs_diff(*start) <= 1);
    for cut in (1..bytes.len()).filter(is_tried).chain([bytes.len()]) {
        fs::write(&path, &bytes[..cut]).unwrap();
        for name in ["batch-ids", "batch-ids.old"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        // The next start knows them as well.
        for round in 0..2 {
            let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
            if cut == bytes.len() {
                assert!(
                    (1..=3).all(|id| matches!(spool.seen().begin(id), Begun::Taken(_))),
                    "known without a word more"
                );
            }
            assert_eq!(send(&spool, 1, &pieces).await, 4);
            assert_eq!((send(&spool, 2, &["two\n"]).await, send(&spool, 3, &["ab\ncdef\n"]).await), (1, 2));
            let text = rest(&spool, Position::default()).0.replace("of another\n", "").replace("--\n", "");
            assert!(["one\ntwo\nthree\nfour\ntwo\nab\ncdef\n"].contains(&text.as_str()), "{cut} {round}: {text}");
        }
        let torn = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        torn.filter(|path| path.extension().is_some_and(|end| end == "torn"))
            .for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[tokio::test]
async fn names_outlive_their_segments() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    for id in 0..300 {
        assert_eq!(send(&spool, id, &[&format!("a batch with the number {id}\n")]).await, 1);
    }
    let (_, end) = rest(&spool, Position::default());
    spool.release(end);
    assert!(spool.state().disk_bytes < 10_000);
    drop(spool);
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    assert!((0..300).all(|id| matches!(spool.seen().begin(id), Begun::Taken(1))));
}

/// As the first version wrote it: an entry and a record of a name.
#[tokio::test]
async fn a_spool_of_the_first_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let payload = b"from before\n";
    let mut head = Vec::new();
    head.extend((payload.len() as u32).to_le_bytes());
    head.extend(crc32fast::hash(payload).to_le_bytes());
    head.extend([[0; 8], [0; 8], 7_u64.to_le_bytes()].concat());
    head.extend(1_u32.to_le_bytes());
    head.extend([8, 0, 0, 0]);
    let checksum = crc32fast::hash(&[&head[..], b"test://a"].concat()).to_le_bytes();
    let entry = [b"C3S1", &checksum[..], &head, b"test://a", payload].concat();
    fs::write(segment::path(folder.path(), 0), &entry).unwrap();
    let mut record = [9_u128.to_le_bytes().as_slice(), &12_u64.to_le_bytes(), &1_u64.to_le_bytes()].concat();
    record.extend([crc32fast::hash(&record).to_le_bytes(), [0; 4]].concat());
    fs::write(folder.path().join("batch-ids"), record).unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    assert!(matches!(spool.seen().begin(9), Begun::Taken(1)));
    assert_eq!(rest(&spool, Position::default()), ("from before\n".to_owned(), Position { offset: 12, line: 1 }));
    // What needs nothing more is written as before.
    put(&spool, "from before\n").await;
    let written = fs::read(segment::path(folder.path(), 0)).unwrap();
    assert_eq!((written.len(), &written[entry.len()..][..4]), (2 * entry.len(), &b"C3S1"[..]));
}

#[tokio::test]
async fn a_line_that_was_cut_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    put(&spool, "whole\n").await;
    let ticket = spool.append(Batch { is_cut: true, ..batch("good\nlong\n") }).unwrap();
    spool.durable(ticket).await.unwrap();
    put(&spool, "behind\n").await;
    drop(spool);
    let spool = Spool::open(options(folder.path()), Timestamp(1)).unwrap();
    let mut reader = spool.read_from(Position::default());
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block(Duration::from_millis(20)) {
        blocks.push((String::from_utf8(block.bytes.clone()).unwrap(), block.cut_line_bytes, block.start.offset));
    }
    assert_eq!(
        blocks,
        [("whole\ngood\nlong".to_owned(), Some(5), 0), ("behind\n".to_owned(), None, 16)],
        "the line is the last of its block, without its end"
    );
}
