//! Backup, restore, drill and retention of the embedded store by the program itself: no server, no scripts beside it.

use std::path::Path;
use std::process::Command;

use crate::program::{Run, Sandbox, finish, samples};

/// A command on the store `store.db` of the sandbox, or on another one.
fn on(sandbox: &Sandbox, store: &str, arguments: &[&str]) -> Run {
    let mut command = sandbox.command(arguments);
    command.env("C0DI3_STORE_URL", format!("sqlite:{store}"));
    finish(command)
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.') && !name.ends_with(".sha256")).collect();
    names.sort();
    names
}

fn age(path: &Path, days: u32) {
    let touched = Command::new("touch").arg("-d").arg(format!("{days} days ago")).arg(path).status().unwrap();
    assert!(touched.success());
}

#[test]
fn the_embedded_store_is_backed_up_restored_and_drilled() {
    let sandbox = Sandbox::new();
    let filled = on(&sandbox, "store.db", &["replay", &samples()]);
    assert_eq!(filled.code, Some(0), "{}", filled.err);
    let key = sandbox.write("key", "a long secret\n");
    let config = sandbox.write("c0di3-settings", "what is set");
    let backups = sandbox.path("backups");
    let counted = on(&sandbox, "store.db", &["db", "check"]).out;
    assert!(counted.contains("\"findings\":19"), "{counted}");

    let made = on(&sandbox, "store.db", &["db", "backup", "--key", &key, "--with", &config, "backups"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let first = made.out.trim().to_owned();
    assert!(first.ends_with(".db.gz.enc") && files(&backups).len() == 2, "{first}: {:?}", files(&backups));
    let bytes = std::fs::read(sandbox.path(&first)).unwrap();
    assert!(!bytes.starts_with(b"SQLite") && !bytes.starts_with(&[0x1f, 0x8b]), "it is encrypted");

    // What comes back is what was; a store that holds something is not overwritten unasked.
    let back = on(&sandbox, "deep/back.db", &["db", "restore", "--key", &key, &first]);
    assert!(back.code == Some(0) && back.out.contains("\"findings\":19"), "{} {}", back.out, back.err);
    assert_eq!(on(&sandbox, "deep/back.db", &["db", "check"]).out, counted);
    let refused = on(&sandbox, "deep/back.db", &["db", "restore", "--key", &key, &first]);
    assert!(refused.code == Some(1) && refused.err.contains("holds findings"), "{}", refused.err);
    assert_eq!(on(&sandbox, "deep/back.db", &["db", "restore", "--force", "--key", &key, &first]).code, Some(0));
    assert!(sandbox.path("deep/back.db.replaced").exists());
    let other = sandbox.write("other-key", "another secret\n");
    let locked = on(&sandbox, "new.db", &["db", "restore", "--key", &other, &first]);
    assert!(locked.code == Some(1) && locked.err.contains("the key is wrong"), "{}", locked.err);

    let drilled = on(&sandbox, "store.db", &["db", "drill", "--key", &key, "backups"]);
    assert_eq!(drilled.code, Some(0), "{} {}", drilled.out, drilled.err);
    for words in ["2. db check", "3. findings: 19", "5. a login with a token works"] {
        assert!(drilled.out.contains(words), "{words}: {}", drilled.out);
    }
    // What failed leaves the last good one, however old; what succeeds lets the old one go.
    age(&sandbox.path(&first), 40);
    let failed = on(&sandbox, "absent.db", &["db", "backup", "--key", &key, "backups"]);
    assert!(failed.code == Some(1) && sandbox.path(&first).exists(), "{}", failed.err);
    let late = on(&sandbox, "store.db", &["db", "drill", "--key", &key, "backups"]);
    assert!(late.code == Some(1) && late.err.contains("older than 26 hours"), "{}", late.err);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let second = on(&sandbox, "store.db", &["db", "backup", "backups"]);
    assert!(second.code == Some(0) && !sandbox.path(&first).exists(), "{} {:?}", second.err, files(&backups));
    std::fs::write(sandbox.path(second.out.trim()), "damaged").unwrap();
    let damaged = on(&sandbox, "store.db", &["db", "drill", "backups"]);
    assert!(damaged.code == Some(1) && damaged.err.contains("is damaged"), "{} {}", damaged.out, damaged.err);
    // The store tells when each last succeeded.
    let told = on(&sandbox, "store.db", &["tasks", "daily"]).out;
    assert!(told.contains("backup: backup_"), "{told}");
}

#[test]
fn what_is_old_goes_from_the_embedded_store_in_batches_and_the_rest_adds_up() {
    let sandbox = Sandbox::new();
    let filled = on(&sandbox, "store.db", &["replay", &samples()]);
    assert_eq!(filled.code, Some(0), "{}", filled.err);
    let retention = |more: &[&str]| {
        let run = on(&sandbox, "store.db", &[&["db", "retention", "--days", "1"], more].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.out.trim().to_owned()
    };
    let sql = |statement: &str| {
        let done = Command::new("sqlite3").arg(sandbox.path("store.db")).arg(statement).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    let words = retention(&[]);
    assert!(words.starts_with("removed: 0 closed incidents, 0 findings"), "open incidents stay: {words}");
    // More entries of the audit log than one batch, of which the young ones cannot go.
    let rows = |first: u32, last: u32, days: u32| {
        sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
             INSERT INTO audit SELECT 'a' || i, (strftime('%s', 'now') - {days} * 86400) * 1000000, '', '', '', '', '', 'x', '',
                '', '', 'done', 0, '', 1, '' FROM n"
        ))
    };
    rows(1, 1200, 500);
    rows(2001, 2010, 300);
    sql("UPDATE incidents SET status = 'closed', doc = json_set(doc, '$.status', 'closed')");
    let told = retention(&["--dry-run"]);
    let words = retention(&[]);
    assert_eq!(told.trim_start_matches("would be "), words, "a dry run tells what is done");
    assert!(words.contains("19 findings") && words.contains("1200 entries of the audit log"), "{words}");
    assert_eq!(sql("SELECT count(*) FROM audit WHERE action = 'x'"), "10");
    assert_eq!(
        sql("SELECT detail FROM audit WHERE action = 'audit.retention'"),
        "1200 entries older than 400 days were removed"
    );
    let left = on(&sandbox, "store.db", &["db", "check"]);
    assert!(
        left.out.contains("\"findings\":0,\"incidents\":0,\"linked\":0,\"problems\":0"),
        "{} {}",
        left.out,
        left.err
    );
    let short = on(&sandbox, "store.db", &["db", "retention", "--audit-days", "30"]);
    assert_eq!(short.code, Some(2), "{}", short.err);
}
