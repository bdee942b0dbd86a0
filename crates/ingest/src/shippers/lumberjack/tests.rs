//! Windows as clients write them, and hostile ones.

use std::io::Write as _;

use super::*;

fn window(size: u32) -> Vec<u8> {
    [b"2W", &size.to_be_bytes()[..]].concat()
}

fn event(number: u32, json: &str) -> Vec<u8> {
    [b"2J", &number.to_be_bytes()[..], &(json.len() as u32).to_be_bytes(), json.as_bytes()].concat()
}

fn compressed(frames: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    out.write_all(frames).unwrap();
    let packed = out.finish().unwrap();
    [b"2C", &(packed.len() as u32).to_be_bytes()[..], &packed].concat()
}

fn fed(input: &[u8]) -> (ShipperIntake, Result<Advance, Refusal>) {
    let mut intake = ShipperIntake::default();
    let progress = Lumberjack::default().take(input, &mut intake);
    (intake, progress)
}

#[test]
fn a_window_is_acknowledged_by_its_last_number() {
    let frames = [event(7, "{\"a\":1}"), event(8, "{\"a\":\n2}")].concat();
    let pairs = b"2D\0\0\0\x08\0\0\0\x01\0\0\0\x04line\0\0\0\x03two";
    for (input, lines, ack) in [
        ([window(2), frames.clone()].concat(), "{\"a\":1}\n{\"a\": 2}\n", 8),
        ([window(2), compressed(&frames)].concat(), "{\"a\":1}\n{\"a\": 2}\n", 8),
        ([window(2), compressed(&event(7, "{}")), compressed(&event(8, "{}"))].concat(), "{}\n{}\n", 8),
        ([window(1), pairs.to_vec()].concat(), "{\"line\":\"two\"}\n", 8),
        // A window that ends early, and the next.
        ([window(9), event(3, "{}"), window(1), event(8, "{}")].concat(), "{}\n{}\n", 8),
    ] {
        let (intake, progress) = fed(&input);
        assert_eq!(progress, Ok(Advance { taken: input.len(), need: HEAD_BYTES }));
        assert_eq!(std::str::from_utf8(&intake.lines).unwrap(), lines);
        assert!(intake.answers.ends_with(&[b'2', b'A', 0, 0, 0, ack]), "{:?}", intake.answers);
        assert!(intake.report.poison.is_empty());
        let (mut lumberjack, mut intake) = (Lumberjack::default(), ShipperIntake::default());
        let mut at = 0;
        for end in 0..=input.len() {
            at += lumberjack.take(&input[at..end], &mut intake).unwrap().taken;
        }
        assert_eq!(std::str::from_utf8(&intake.lines).unwrap(), lines, "in pieces");
    }
}

#[test]
fn poison_does_not_bring_its_window_again() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let input = [window(4), event(1, "{broken"), event(2, "[1]"), event(3, &deep), event(4, "{}")].concat();
    let (intake, progress) = fed(&input);
    assert!(progress.is_ok());
    assert_eq!((intake.report.poison, intake.report.events), (vec![("no_object", 3)], 4));
    assert_eq!(intake.answers, b"2A\0\0\0\x04");
}

#[test]
fn connections_that_cannot_go_on_are_told() {
    let inner = compressed(&event(1, "{}"));
    let mut damaged = inner.clone();
    damaged.truncate(14);
    damaged[5] = 8;
    let bomb = compressed(&vec![0; 100 << 20]);
    for (input, reason) in [
        (&b"1W\0\0\0\x01"[..], "version_1"),
        (b"GET / HTTP/1.1\r\n", "other_protocol"),
        (b"\x16\x03\x01", "other_protocol"),
        (b"\x93\xA1t", "other_protocol"),
        (b"2X\0\0\0\0", "other_protocol"),
        (b"2J\0\0\0\x01\xFF\xFF\xFF\xFF", "too_long"),
        (b"2D\0\0\0\x01\xFF\xFF\xFF\xFF", "too_long"),
        (&compressed(&inner), "nested"),
        (&damaged, "bad_compression"),
        (&compressed(b"2J\0\0\0\x01\0\0\0\x05{}"), "ends_early"),
        (&bomb, "too_long"),
    ] {
        let (intake, progress) = fed(&[&window(1)[..], input].concat());
        assert_eq!(progress.unwrap_err().reason, reason);
        assert!(intake.answers.is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_is_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 0_usize..4) {
        let head = [&b"2W"[..], b"2J\0\0\0\x01", b"2D\0\0\0\x01\0\0\0\x02", b"2C"][kind];
        fed(&[head, &bytes].concat()).1.ok();
        fed(&compressed(&[head, &bytes].concat())).1.ok();
    }
}
