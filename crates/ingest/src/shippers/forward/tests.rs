//! Messages of every mode, as clients write them, and hostile ones.

use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::push::Report;
use crate::spool::{Spool, SpoolOptions};

const TIME: &[u8] = b"\xD7\x00\x69\xA8\x00\x01\x08\xF0\xD1\x80";

fn spool(folder: &Path) -> Spool {
    let folder = folder.to_owned();
    let options = SpoolOptions { folder, bytes_max: 1 << 30, segment_bytes: 1 << 20, reserve_bytes: 0 };
    Spool::open(options, Timestamp(1)).unwrap()
}

fn record(text: &str) -> Vec<u8> {
    let mut out = vec![0x81];
    put_text("log", &mut out);
    put_text(text, &mut out);
    out
}

fn entry_of(text: &str) -> Vec<u8> {
    [b"\x92", TIME, &record(text)].concat()
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    [&[0xC6][..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn options(chunk: &str, compressed: Option<&str>) -> Vec<u8> {
    let mut out = vec![0x81 + u8::from(compressed.is_some())];
    put_text("chunk", &mut out);
    put_text(chunk, &mut out);
    if let Some(compressed) = compressed {
        put_text("compressed", &mut out);
        put_text(compressed, &mut out);
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn fed(input: &[u8]) -> (ShipperIntake, Result<Advance, Refusal>) {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    let mut forward = Forward::new(spool.seen().clone(), "192.0.2.1".to_owned(), None);
    let mut intake = ShipperIntake::default();
    let progress = forward.take(input, &mut intake);
    intake.batches.clear();
    (intake, progress)
}

fn lines(intake: &ShipperIntake) -> Vec<&str> {
    std::str::from_utf8(&intake.lines).unwrap().lines().collect()
}

fn poison(report: &Report) -> Vec<&'static str> {
    report.poison.iter().map(|(reason, _)| *reason).collect()
}

#[test]
fn every_mode_gives_equal_lines_and_its_ack_as_text() {
    let both = [entry_of("one"), entry_of("two")].concat();
    let zstd = zstd::stream::encode_all(&both[..], 1).unwrap();
    let members = [gzip(&entry_of("one")), gzip(&entry_of("two"))].concat();
    let chunk = "a chunk of twenty-four b";
    let wanted = ["one", "two"].map(|text| {
        format!("{{\"@timestamp\":\"2026-03-04T09:48:49.150000Z\",\"fluent.tag\":\"app.x\",\"log\":\"{text}\"}}")
    });
    let tag = b"\xA5app.x";
    let ack = [b"\x81\xA3ack\xB8", chunk.as_bytes()].concat();
    let message = |text: &str| [b"\x94", &tag[..], TIME, &record(text), &options(chunk, None)].concat();
    let rest = |entries: &[u8], told: &[u8]| [b"\x93", &tag[..], entries, told].concat();
    for (input, acks) in [
        (
            [[b"\x93", &tag[..], TIME, &record("one")].concat(), [b"\x93", &tag[..], TIME, &record("two")].concat()]
                .concat(),
            0,
        ),
        (rest(&[b"\x92", &both[..]].concat(), &options(chunk, None)), 1),
        (rest(&binary(&both), &options(chunk, Some("text"))), 1),
        (rest(&binary(&members), &options(chunk, Some("gzip"))), 1),
        (rest(&binary(&zstd), &options(chunk, Some("zstd"))), 1),
        ([b"\x92", &tag[..], &binary(&both)].concat(), 0),
        ([&b"\xC0"[..], &rest(&binary(&both), b"\x80"), b"\xC0"].concat(), 0),
    ] {
        let (intake, progress) = fed(&input);
        assert_eq!(progress, Ok(Advance { taken: input.len(), need: 1 }));
        assert_eq!((lines(&intake), poison(&intake.report)), (wanted.iter().map(String::as_str).collect(), vec![]));
        assert_eq!(intake.answers, ack.repeat(acks));
    }
    let (intake, _) = fed(&message("one"));
    assert_eq!((lines(&intake), &intake.answers), (vec![wanted[0].as_str()], &ack));
}

#[test]
fn times_tags_and_keys_of_the_record_stand() {
    for (time, record, wanted) in [
        (&b"\xCE\x69\xA8\x00\x00"[..], &b"\x80"[..], "{\"@timestamp\":\"2026-03-04T09:48:48Z\",\"fluent.tag\":\"t\"}"),
        (b"\xC0", b"\x80", "{\"fluent.tag\":\"t\"}"),
        (b"\x00", b"\x81\xA4time\x05", "{\"fluent.tag\":\"t\",\"time\":5}"),
        (
            b"\xCB\x41\xDA\x6A\x00\x00\x40\x00\x00",
            b"\x81\xAAfluent.tag\xA1x",
            "{\"@timestamp\":\"2026-03-04T09:48:49Z\",\"fluent.tag\":\"x\"}",
        ),
    ] {
        let (intake, _) = fed(&[b"\x93\xA1t", time, record].concat());
        assert_eq!((lines(&intake), poison(&intake.report)), (vec![wanted], vec![]));
    }
    // Fluent Bit's metadata beside the time.
    let entry = [b"\x92\x92", TIME, b"\x80", &record("one")].concat();
    let (intake, _) = fed(&[b"\x92\xA0\x91", &entry[..]].concat());
    assert_eq!(lines(&intake), ["{\"@timestamp\":\"2026-03-04T09:48:49.150000Z\",\"log\":\"one\"}"]);
}

#[test]
fn poison_is_kept_and_the_good_beside_it() {
    let good = entry_of("good");
    for (packed, told, reason) in [
        ([&good[..], b"\x92\x05\x06"].concat(), options("c", None), "no_event"),
        ([&good[..], b"\x07"].concat(), options("c", None), "no_event"),
        ([&good[..], b"\x92\xA5ab"].concat(), options("c", None), "ends_early"),
        ([&good[..], b"\xC1"].concat(), options("c", None), "no_msgpack"),
        ([&good[..], &[0x91; 1000]].concat(), options("c", None), "too_deep"),
        (gzip(&good)[..20].to_vec(), options("c", Some("gzip")), "bad_compression"),
        (good.clone(), options("c", Some("lzma")), "unknown_compression"),
    ] {
        let (intake, progress) = fed(&[b"\x93\xA1t", &binary(&packed)[..], &told].concat());
        assert!(progress.is_ok(), "{reason}");
        assert_eq!(poison(&intake.report), [reason]);
        assert_eq!(intake.answers, b"\x81\xA3ack\xA1c", "an error would make the sender send it for ever");
        assert_eq!(lines(&intake)[0].contains("good"), reason != "bad_compression");
    }
    for message in [&b"\x90"[..], b"\x91\x05", b"\x93\x05\x06\x80", b"\x93\xA1t\x05\x06", b"\x95\xA1t\x05\x80\x80\x80"]
    {
        let (intake, progress) = fed(message);
        assert_eq!((poison(&intake.report), progress.is_ok()), (vec!["no_event"], true), "{message:X?}");
    }
    let metrics = [b"\x93\xA1m", &binary(b"\x80")[..], b"\x82\xA5chunk\xA1c\xADfluent_signal\x01"].concat();
    let (intake, _) = fed(&metrics);
    assert_eq!((&intake.lines[..], &intake.report.rejected[..]), (&[][..], &[("no_logs", 1)][..]));
    assert_eq!(intake.answers, b"\x81\xA3ack\xA1c");
}

#[test]
fn connections_that_cannot_go_on_are_told() {
    let bomb = [b"\x93\xA1t", &binary(&gzip(&vec![0; 100 << 20]))[..], &options("c", Some("gzip"))].concat();
    for (input, reason) in [
        (&b"GET / HTTP/1.1\r\n"[..], "other_protocol"),
        (b"\x16\x03\x01\x02\x00", "other_protocol"),
        (b"<13>1 - - -", "other_protocol"),
        (b"2W\0\0\0\x01", "other_protocol"),
        (b"\x93\xA1t\xC1", "no_msgpack"),
        (&[0x91; 100], "too_deep"),
        (b"\x92\xA1t\xC6\xFF\xFF\xFF\xFF", "too_long"),
        (b"\x94\xA1t\x05\x80\x81\xA5chunk\xA0", "bad_chunk"),
        (&bomb, "too_long"),
    ] {
        let (intake, progress) = fed(input);
        assert_eq!(progress.unwrap_err().reason, reason);
        assert!(intake.answers.is_empty() && intake.lines.is_empty());
    }
}

#[test]
fn messages_in_pieces_are_taken_once_they_are_whole() {
    let whole = [b"\x93\xA1t", &binary(&entry_of("one"))[..], &options("c", None)].concat();
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    let mut forward = Forward::new(spool.seen().clone(), String::new(), None);
    let mut intake = ShipperIntake::default();
    let two = whole.repeat(2);
    for end in 1..whole.len() {
        let Ok(Advance { taken: 0, need }) = forward.take(&two[..end], &mut intake) else { panic!("{end}") };
        assert!(need > end && need <= whole.len());
    }
    assert_eq!(forward.take(&two[..whole.len()], &mut intake).unwrap().taken, whole.len());
    assert_eq!((intake.report.events, intake.batches.len()), (1, 1));
    assert_eq!(forward.take(&whole, &mut intake).unwrap_err().reason, "pending", "it is not on disk yet");
}

#[test]
fn a_peer_shows_that_it_knows_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    for (key, knows) in [("secret", true), ("guess", false)] {
        let handshake = || Handshake::new("secret".to_owned(), "analyzer".to_owned(), [7; 16]);
        let mut forward = Forward::new(spool.seen().clone(), String::new(), Some(handshake()));
        let helo = forward.greeting();
        assert!(helo.starts_with(b"\x92\xA4HELO\x83\xA5nonce\xC4\x20"));
        let peer = Handshake::new(key.to_owned(), String::new(), [7; 16]);
        let mut ping = b"\x96\xA4PING\xA6client\xA4salt".to_vec();
        put_text(&peer.digest(b"salt", b"client"), &mut ping);
        ping.extend(b"\xA0\xA0");
        let mut intake = ShipperIntake::default();
        let progress = forward.take(&ping, &mut intake);
        assert_eq!(progress.is_ok(), knows);
        let pong: &[u8] =
            if knows { b"\x95\xA4PONG\xC3\xA0\xA8analyzer\xD9\x80" } else { b"\x95\xA4PONG\xC2\xB3shared_key" };
        assert!(intake.answers.starts_with(pong), "{:X?}", intake.answers);
        if knows {
            assert!(intake.answers.ends_with(handshake().digest(b"salt", b"analyzer").as_bytes()));
        }
    }
    let handshake = Handshake::new("secret".to_owned(), "analyzer".to_owned(), [7; 16]);
    let mut forward = Forward::new(spool.seen().clone(), String::new(), Some(handshake));
    let refused = forward.take(b"\x93\xA1t\x05\x80", &mut ShipperIntake::default()).unwrap_err();
    assert_eq!(refused.reason, "no_handshake");
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_is_a_panic(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        fed(&bytes).1.ok();
        let packed = [b"\x93\xA1t", &binary(&bytes)[..], b"\x80"].concat();
        fed(&packed).1.ok();
        bytes.insert(0, 0x93);
        fed(&bytes).1.ok();
    }
}
