//! Backup and restore with the scripts of `deploy`, on a real PostgreSQL: what comes back agrees with what was.

use std::process::Command;

use servers::Postgres;

use crate::program::{Sandbox, samples};

fn script(name: &str, postgres: &Postgres, database: &str, argument: &str) -> Command {
    let mut command = Command::new(format!("{}/../deploy/scripts/{name}", env!("CARGO_MANIFEST_DIR")));
    command.arg(argument).env("POSTGRES_PORT", postgres.port().to_string());
    command.env("POSTGRES_DB", database.rsplit_once('/').unwrap().1);
    command
}

#[test]
fn what_was_backed_up_comes_back_and_nothing_is_overwritten_unasked() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let (first, second) = (postgres.database(), postgres.database());
    let replay = sandbox.run(&["replay", "--store", &first, &samples()]);
    assert_eq!(replay.code, Some(0), "{}", replay.err);
    let check = |store: &str| {
        let mut command = sandbox.command(&["db", "check"]);
        let out = command.env("C0DI3_STORE_URL", store).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let before = check(&first);
    assert!(before.contains("\"findings\":19") && before.contains("\"problems\":0"), "{before}");
    let folder = sandbox.path("backups").display().to_string();
    let out = script("backup-db.sh", &postgres, &first, &folder).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let file = String::from_utf8(out.stdout).unwrap().trim().to_owned();
    let out = script("restore-db.sh", &postgres, &second, &file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stdout).contains("restored: 19 findings"));
    assert_eq!(check(&second), before);
    // A second replay into what was restored adds nothing: positions came back as well.
    let again = sandbox.run(&["replay", "--store", &second, &samples()]);
    assert!(again.last_error_line().contains("events 0"), "{}", again.err);
    let refused = script("restore-db.sh", &postgres, &second, &file).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds findings"));
    std::fs::write(&file, "damaged").unwrap();
    let damaged = script("restore-db.sh", &postgres, &second, &file).env("FORCE", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("is damaged"));
    assert_eq!(check(&second), before);
}
