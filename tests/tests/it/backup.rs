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

fn age(path: &std::path::Path, days: u32) {
    let touched = Command::new("touch").arg("-d").arg(format!("{days} days ago")).arg(path).status().unwrap();
    assert!(touched.success());
}

fn said(command: &mut Command) -> (bool, String) {
    let out = command.output().unwrap();
    (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

#[test]
fn encrypted_backups_are_drilled_old_ones_go_and_the_last_good_one_stays() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let store = postgres.database();
    let replay = sandbox.run(&["replay", "--store", &store, &samples()]);
    assert_eq!(replay.code, Some(0), "{}", replay.err);
    let folder = sandbox.path("backups");
    let text = folder.display().to_string();
    let key = sandbox.write("key", "a long secret\n");
    let backup = |database: &str| {
        let mut command = script("backup-db.sh", &postgres, database, &text);
        said(command.env("BACKUP_KEY_FILE", &key).env("CONFIG_PATHS", sandbox.root().join("key")))
    };
    let drill = || {
        let mut command = script("drill-db.sh", &postgres, &store, &text);
        said(command.env("BACKUP_KEY_FILE", &key).env("C0DI3", crate::program::PROGRAM).current_dir(sandbox.root()))
    };
    assert!(drill().1.contains("No such file") || drill().1.contains("there is no backup"), "{}", drill().1);
    let (ok, first) = backup(&store);
    assert!(ok, "{first}");
    let first = std::path::PathBuf::from(first.trim());
    let bytes = std::fs::read(&first).unwrap();
    assert!(first.extension().is_some_and(|end| end == "enc") && !bytes.starts_with(b"PGDMP"), "it is encrypted");
    let (ok, words) = drill();
    assert!(ok && words.contains("3. findings: 19 of 19") && words.contains("a login with a token works"), "{words}");
    assert!(words.contains("4. checksums of findings agree"), "{words}");
    // A backup that fails leaves what is there, however old it is.
    age(&first, 40);
    let (ok, words) = backup("postgres://x/absent");
    assert!(!ok && first.exists(), "{words}");
    let (ok, words) = drill();
    assert!(!ok && words.contains("is older than 26 hours"), "{words}");
    // One that succeeds lets the old one go.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let (ok, second) = backup(&store);
    assert!(ok && !first.exists(), "{second}");
    let second = second.trim().to_owned();
    std::fs::write(&second, "damaged").unwrap();
    let (ok, words) = drill();
    assert!(!ok && words.contains("is damaged"), "{words}");
}

#[test]
fn retention_drops_closed_incidents_and_their_days_and_leaves_the_rest_in_order() {
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let store = postgres.database();
    assert_eq!(sandbox.run(&["replay", "--store", &store, &samples()]).code, Some(0));
    let retention =
        |argument: &str| said(script("retention-db.sh", &postgres, &store, argument).env("RETENTION_DAYS", "1"));
    let (ok, words) = retention("");
    assert!(ok && words.starts_with("removed: 0 closed incidents and 0 days"), "open incidents stay: {words}");
    let close = |only: &str| {
        let name = store.rsplit_once('/').unwrap().1;
        let update = format!("UPDATE incidents SET status = 'closed' {only}");
        let mut psql = Command::new("psql");
        psql.args(["--quiet", "--no-psqlrc", "--host=127.0.0.1", "--username=coreagent"]);
        said(psql.args(["--port", &postgres.port().to_string(), "--dbname", name, "--command", &update]))
    };
    let check = || {
        let mut command = sandbox.command(&["db", "check"]);
        said(command.env("C0DI3_STORE_URL", &store))
    };
    assert!(close("WHERE id IN (SELECT id FROM incidents ORDER BY id LIMIT 3)").0);
    let (ok, words) = retention("");
    assert!(ok && words.starts_with("removed: 3 closed incidents and 0 days"), "{words}");
    assert!(words.contains("1 days stay for incidents that are kept"), "{words}");
    let (_, words) = check();
    assert!(words.contains("\"problems\":0"), "{words}");
    assert!(close("").0);
    // Of two old notices one waits for a receiver.
    for state in ["delivered", "pending"] {
        let notice = "INSERT INTO notices (id, kind, severity, created_at, fanned_out, body) VALUES";
        let delivery =
            "INSERT INTO deliveries (notice_id, endpoint, state, attempts, next_at, lease_until, created_at) VALUES";
        let rows =
            format!("{notice} ('{state}', 'x', 0, 1, 1, ''); {delivery} ('{state}', 'ops', '{state}', 1, 0, 0, 1)");
        postgres.execute(&store, &rows);
    }
    let (_, told) = retention("--dry-run");
    let (ok, words) = retention("");
    assert!(ok && words.contains("and 1 days of findings"), "{words}");
    assert_eq!(told.trim_start_matches("would be "), words, "a dry run tells what is done");
    assert_eq!(asked(&store, "SELECT id FROM notices WHERE id IN ('delivered', 'pending')"), "pending");
    assert_eq!(asked(&store, "SELECT notice_id FROM deliveries WHERE endpoint = 'ops'"), "pending");
    let (ok, words) = check();
    assert!(ok && words.contains("\"findings\":0,\"incidents\":0,\"linked\":0,\"problems\":0"), "{words}");
}

/// What a statement says, one row a line.
fn asked(store: &str, statement: &str) -> String {
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname", store]);
    let (ok, words) = said(psql.arg("--command").arg(statement));
    assert!(ok, "{statement}: {words}");
    words.trim().to_owned()
}

/// A store with one entry of the audit log for each of the last 600 days, as if the program had run as long, and with 7 entries of
/// before there were months.
fn audited_for_600_days(postgres: &Postgres, sandbox: &Sandbox) -> String {
    let store = postgres.database();
    assert!(sandbox.command(&["db", "migrate"]).env("C0DI3_STORE_URL", &store).status().unwrap().success());
    let entries = |prefix: &str, first: u32, last: u32| {
        asked(
            &store,
            &format!(
                "INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target, outcome,
                    status, request_id, count, detail)
                 SELECT '{prefix} ' || day, (extract(epoch FROM now() - make_interval(days => day)) * 1000000)::bigint,
                    'ann', '', '', '', '', 'cache.clear', '', '', '', 'done', 200, '', 1, ''
                 FROM generate_series({first}, {last}) AS day"
            ),
        );
    };
    entries("before", 500, 506);
    let near = asked(&store, "SELECT pg_get_functiondef('audit_month'::regproc)");
    asked(&store, &near.replace("40 * 86400", "800 * 86400"));
    let make = "SELECT audit_month_make((extract(epoch FROM now() - make_interval(days => day)) * 1000000)::bigint)";
    asked(&store, &format!("{make} FROM generate_series(0, 600, 7) AS day"));
    entries("later", 0, 600);
    asked(&store, &near);
    store
}

#[test]
fn whole_months_of_the_audit_log_are_dropped_backed_up_and_restored() {
    const TABLES: &str = "SELECT tableoid::regclass::text, count(*) FROM audit GROUP BY 1 ORDER BY 1";
    const MONTHS: &str = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit'::regclass";
    let postgres = Postgres::start();
    let sandbox = Sandbox::new();
    let store = audited_for_600_days(&postgres, &sandbox);
    let before: u32 = asked(&store, MONTHS).parse().unwrap();
    let retention =
        |argument: &str| said(script("retention-db.sh", &postgres, &store, argument).env("AUDIT_DAYS", "400"));
    // Somebody reads it for a while: the script tries again.
    let mut reader = Command::new("psql");
    reader.args(["--quiet", "--no-psqlrc", "--dbname", &store, "--command"]);
    let (_, told) = retention("--dry-run");
    let mut reader = reader.arg("BEGIN; SELECT count(*) FROM audit; SELECT pg_sleep(3); COMMIT").spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (ok, words) = retention("");
    assert!(reader.wait().unwrap().success());
    assert!(ok, "{words}");
    assert_eq!(told.trim_start_matches("would be "), words, "a dry run tells what is done");
    let gone = before - asked(&store, MONTHS).parse::<u32>().unwrap();
    assert!((6..=8).contains(&gone) && words.contains(&format!("among them {gone} whole months")), "{words}");
    let oldest = "SELECT min(at) FROM audit";
    let month = "SELECT (extract(epoch FROM date_trunc('month', (now() - make_interval(days => 400)) AT TIME ZONE 'UTC')) * 1000000)::bigint";
    assert!(
        asked(&store, oldest).parse::<i64>().unwrap() >= asked(&store, month).parse().unwrap(),
        "to the month's end"
    );
    assert_eq!(
        asked(&store, "SELECT count(*) FROM audit WHERE id LIKE 'before%'"),
        "0",
        "those of no month went as well"
    );
    let told = asked(&store, "SELECT target, detail FROM audit WHERE action = 'audit.retention' ORDER BY at DESC");
    assert!(told.starts_with("|7 entries older than 400 days were removed"), "{told}");
    assert_eq!(
        told.lines().filter(|line| line.ends_with("all older than 400 days, was dropped")).count(),
        gone as usize
    );
    assert!(retention("").1.contains("; 0 entries of the audit log"), "nothing is left that is old");

    let folder = sandbox.path("backups").display().to_string();
    let (ok, file) = said(&mut script("backup-db.sh", &postgres, &store, &folder));
    assert!(ok, "{file}");
    let restored = postgres.database();
    let (ok, words) = said(&mut script("restore-db.sh", &postgres, &restored, file.trim()));
    assert!(ok, "{words}");
    assert_eq!(asked(&restored, TABLES), asked(&store, TABLES));
    let mut token = sandbox.command(&["token", "create", "--role", "viewer", "--name", "x"]);
    assert!(token.env("C0DI3_STORE_URL", &restored).output().unwrap().status.success());
    let of_now = "SELECT tableoid::regclass FROM audit WHERE action = 'token.create'";
    assert!(asked(&restored, of_now).starts_with("audit_2"), "the months of a restored store are written to");
    let (ok, words) = said(
        script("drill-db.sh", &postgres, &store, &folder)
            .env("C0DI3", crate::program::PROGRAM)
            .current_dir(sandbox.root()),
    );
    let audit = words.lines().find(|line| line.starts_with("3. audit: ")).unwrap_or_default();
    assert!(
        ok && audit.split_whitespace().nth(2) == audit.split_whitespace().nth(4) && !audit.contains(" 0"),
        "{words}"
    );
}
