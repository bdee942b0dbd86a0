//! Stamps of all sorts against a clock and a reference time.

use super::*;

fn read(clock: &Clock, reference: &str, stamp: &str) -> Option<String> {
    let mut times = Times::new(clock.clone());
    times.begin_block(Timestamp::parse_rfc3339(reference.as_bytes()).unwrap());
    times.bsd(stamp.as_bytes()).map(|(time, rest)| format!("{time}|{}", String::from_utf8_lossy(rest)))
}

#[test]
fn the_year_is_the_latest_that_is_not_more_than_a_day_ahead() {
    let utc = Clock::default();
    let cases = [
        ("2026-01-01T00:10:00Z", "Dec 31 23:59:59 h", "2025-12-31T23:59:59Z| h"),
        ("2026-01-01T00:10:00Z", "Jan  1 00:00:01 h", "2026-01-01T00:00:01Z| h"),
        ("2025-12-31T23:50:00Z", "Jan  1 00:00:01 h", "2026-01-01T00:00:01Z| h"),
        ("2025-12-30T10:00:00Z", "Jan  1 00:00:01 h", "2025-01-01T00:00:01Z| h"),
        ("2026-03-01T00:00:00Z", "Feb 29 12:00:00 h", "2024-02-29T12:00:00Z| h"),
        ("1903-03-01T00:00:00Z", "Feb 29 12:00:00 h", "1896-02-29T12:00:00Z| h"),
    ];
    for (reference, stamp, expected) in cases {
        assert_eq!(read(&utc, reference, stamp).as_deref(), Some(expected), "{stamp} read at {reference}");
    }
}

#[test]
fn relatives_of_the_stamp_are_read() {
    let utc = Clock::default();
    for (stamp, expected) in [
        ("Oct 11 22:14:15 h", "2026-10-11T22:14:15Z| h"),
        ("oct 1 02:03:04 h", "2026-10-01T02:03:04Z| h"),
        ("OCT 01 02:03:04.123 h", "2026-10-01T02:03:04.123000Z| h"),
        ("Oct  1 02:03:04.123456: h", "2026-10-01T02:03:04.123456Z| h"),
        ("Oct  1 2019 02:03:04 h", "2019-10-01T02:03:04Z| h"),
        ("Oct  1 02:03:04 2019 h", "2019-10-01T02:03:04Z| h"),
        ("Oct  1 2019 02:03:04: %ASA", "2019-10-01T02:03:04Z| %ASA"),
        ("Oct  1 02:03:04. h", "2026-10-01T02:03:04Z| h"),
        ("Oct  1 02:03:04 UTC: h", "2026-10-01T02:03:04Z| h"),
        ("Oct  1 02:03:04 CEST h", "2026-10-01T00:03:04Z| h"),
        ("Oct  1 02:03:04+02:00 h", "2026-10-01T00:03:04Z| h"),
    ] {
        assert_eq!(read(&utc, "2026-11-23T00:00:00Z", stamp).as_deref(), Some(expected), "{stamp}");
    }
    for stamp in ["Foo 11 22:14:15 h", "Oct 32 22:14:15 h", "Oct 11 25:14:15 h", "Oct 11", "Oct 11 22-14-15 x"] {
        assert_eq!(read(&utc, "2026-11-23T00:00:00Z", stamp), None, "{stamp}");
    }
}

#[test]
fn a_zone_moves_the_time_and_clock_changes_are_resolved() {
    let berlin = Clock::new("Europe/Berlin", None).unwrap();
    let read = |stamp| read(&berlin, "2026-11-23T00:00:00Z", stamp).unwrap();
    assert_eq!(read("Jan 10 12:00:00 h"), "2026-01-10T11:00:00Z| h");
    assert_eq!(read("Mar 29 02:30:00 gap"), "2026-03-29T01:30:00Z| gap");
    assert_eq!(read("Oct 25 02:30:00 fold"), "2026-10-25T00:30:00Z| fold");
}

#[test]
fn a_given_year_rolls_over_at_new_year() {
    let clock = Clock::new("UTC", Some(2019)).unwrap();
    let mut times = Times::new(clock);
    let mut read = |stamp: &str| times.bsd(stamp.as_bytes()).unwrap().0.to_string();
    assert_eq!(read("Dec 31 23:59:59 h"), "2019-12-31T23:59:59Z");
    assert_eq!(read("Jan  1 00:00:00 h"), "2020-01-01T00:00:00Z");
    assert_eq!(read("Feb 29 00:00:00 h"), "2020-02-29T00:00:00Z");
}

#[test]
fn clf_stamps_are_read_with_their_offset() {
    let mut times = Times::new(Clock::default());
    let mut read = |stamp: &str| times.clf(stamp.as_bytes()).map(|time| time.to_string());
    assert_eq!(read("10/Oct/2000:13:55:36 -0700").as_deref(), Some("2000-10-10T20:55:36Z"));
    assert_eq!(read("01/Jan/9999:00:00:00 +0000").as_deref(), Some("9999-01-01T00:00:00Z"));
    assert_eq!(read("30/Feb/2000:13:55:36 -0700"), None);
    assert_eq!(read("10/Oct/2000 13:55:36 -0700"), None);
}
