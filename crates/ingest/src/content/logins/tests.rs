//! Records of both layouts, and what is not taken for them.

use super::*;

/// A record of utmp: type, user, terminal, host, address.
fn record(is_wide: bool, kind: i16, texts: [&str; 3], address: &[u8]) -> Vec<u8> {
    let [user, terminal, host] = texts;
    let mut record = vec![0; if is_wide { 400 } else { 384 }];
    let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &kind.to_le_bytes());
    put(4, &99_i32.to_le_bytes());
    put(8, terminal.as_bytes());
    put(44, user.as_bytes());
    put(76, host.as_bytes());
    let seconds = 1_772_618_401_i64;
    if is_wide {
        put(344, &seconds.to_le_bytes());
        put(352, &5_i64.to_le_bytes());
        put(360, address);
    } else {
        put(340, &(seconds as i32).to_le_bytes());
        put(344, &5_i32.to_le_bytes());
        put(348, address);
    }
    record
}

fn lines(name: &str, bytes: &[u8]) -> String {
    let log = LoginLog::detect(name, bytes).unwrap();
    let mut text = String::new();
    LoginLines::new(bytes, log).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn both_layouts_give_the_same_lines() {
    for is_wide in [false, true] {
        let mut bytes = record(is_wide, 7, ["ann", "pts/0", "client.example"], &[203, 0, 113, 7]);
        bytes.extend(vec![0; bytes.len()]);
        bytes.extend(record(is_wide, 6, ["x] [y\n", "ssh:notty", "h"], &Ipv6Addr::LOCALHOST.octets()));
        bytes.extend(b"half a record");
        let wanted = "[7] [99] [] [ann] [pts/0] [client.example] [203.0.113.7] [2026-03-04T10:00:01.000005Z]\n";
        let other = "[6] [99] [] [x? ?y?] [ssh:notty] [h] [::1] [2026-03-04T10:00:01.000005Z]\n";
        assert_eq!(lines("btmp-20260301", &bytes), format!("btmp {wanted}btmp {other}"));
        assert_eq!(lines("host1.wtmp.1", &bytes), format!("wtmp {wanted}wtmp {other}"));
        assert!(LoginLog::detect("dump", &bytes[..400]).is_some(), "records that cannot be mistaken");
    }
}

#[test]
fn records_by_account_name_it_by_their_place() {
    let mut lastlog = vec![0; 292 * 3];
    lastlog[292 * 2..292 * 2 + 4].copy_from_slice(&1_772_618_401_i32.to_le_bytes());
    lastlog[292 * 2 + 4..292 * 2 + 9].copy_from_slice(b"pts/0");
    lastlog[292 * 2 + 36..292 * 2 + 47].copy_from_slice(b"203.0.113.7");
    assert_eq!(lines("lastlog", &lastlog), "lastlog [2] [pts/0] [203.0.113.7] [2026-03-04T10:00:01Z]\n");
    let mut tallylog = vec![0; 128];
    tallylog[64..67].copy_from_slice(b"ssh");
    tallylog[64 + 54] = 5;
    tallylog[64 + 56..64 + 64].copy_from_slice(&1_772_618_401_i64.to_le_bytes());
    assert_eq!(lines("tallylog", &tallylog), "tallylog [1] [5] [ssh] [2026-03-04T10:00:01Z]\n");
    let mut faillog = vec![0; 32];
    faillog[0] = 3;
    faillog[4..8].copy_from_slice(b"tty1");
    faillog[16..24].copy_from_slice(&1_772_618_401_i64.to_le_bytes());
    assert_eq!(lines("faillog", &faillog), "faillog [0] [3] [tty1] [2026-03-04T10:00:01Z]\n");
}

#[test]
fn the_layout_of_records_by_account_is_told_where_most_are_empty() {
    for is_wide in [false, true] {
        let size = if is_wide { 32 } else { 24 };
        for accounts in [&[0, 100][..], &[0], &[0, 1], &[0, 1, 2, 5], &[7, 33, 34], &[100]] {
            let mut faillog = vec![0; size * (accounts[accounts.len() - 1] + 1)];
            let mut wanted = String::new();
            for account in accounts {
                let record = &mut faillog[account * size..][..size];
                record[0] = 3;
                record[4..8].copy_from_slice(b"tty1");
                record[16..20].copy_from_slice(&1_772_618_401_i32.to_le_bytes());
                wanted += &format!("faillog [{account}] [3] [tty1] [2026-03-04T10:00:01Z]\n");
            }
            assert_eq!(lines("faillog", &faillog), wanted, "{is_wide} {accounts:?}");
        }
    }
}

#[test]
fn other_files_are_none_whatever_their_name() {
    let text = "Mar  4 10:00:01 h1 app: a line\n".repeat(50);
    for name in ["wtmp", "lastlog", "faillog", "tallylog", "some.log"] {
        assert_eq!(LoginLog::detect(name, text.as_bytes()), None, "{name}");
    }
    assert_eq!(LoginLog::detect("x", &[0; 4096]), None);
    assert_eq!(LoginLog::detect("wtmp", b""), None);
}
