//! Bringing the tables up to date beside programs of other versions: tables are only ever added to, so a program goes on with
//! those of a later version. A migration that older programs cannot live with is called `breaks_…`, and they refuse it.

use sqlx::migrate::Migrator;

use crate::error::StoreError;

/// How such a migration is called.
const BREAKS: &str = "breaks";
/// What has been applied to the tables, in both databases.
pub(crate) const APPLIED: &str = "SELECT version, description FROM _sqlx_migrations ORDER BY version";

/// Migrations that do not mind those of a later version.
pub(crate) fn beside_later(mut migrator: Migrator) -> Migrator {
    migrator.set_ignore_missing(true);
    migrator
}

/// Refuses tables that a later version has changed in a way that this one cannot work with.
pub(crate) fn check_later(ours: &Migrator, applied: &[(i64, String)]) -> Result<(), StoreError> {
    let later = applied.iter().filter(|(version, _)| !ours.version_exists(*version));
    for (version, description) in later {
        if description.starts_with(BREAKS) {
            return Err(StoreError::TooNew { version: *version, description: description.clone() });
        }
        tracing::debug!(version, description, "the store's tables are those of a later version");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::open::open;
    use crate::postgres::Use;

    /// Changes up to this one were made before there was anything to upgrade from.
    const BEFORE_ANY: u32 = 6;

    /// Statements of a migration, without comments; what stands between `$$` or BEGIN and END is part of one.
    fn statements(text: &str) -> Vec<String> {
        let lines =
            text.lines().map(|line| line.split("--").next().unwrap_or("").trim()).filter(|line| !line.is_empty());
        let (mut all, mut one, mut is_quoted, mut is_inside) = (Vec::new(), String::new(), false, false);
        for line in lines {
            one.push_str(line);
            one.push(' ');
            is_quoted ^= line.matches("$$").count() % 2 == 1;
            is_inside = (is_inside || line.ends_with("BEGIN")) && line != "END;" && line != "END $$;";
            if line.ends_with(';') && !is_inside && !is_quoted {
                all.push(std::mem::take(&mut one));
            }
        }
        assert!(one.is_empty(), "a statement without an end: {one}");
        all
    }

    /// Whether a program that does not know of the statement works on after it.
    fn only_adds(statement: &str) -> bool {
        let adds = [
            "CREATE TABLE",
            "CREATE INDEX",
            "CREATE FUNCTION",
            "CREATE OR REPLACE FUNCTION",
            "CREATE TRIGGER",
            "INSERT INTO",
        ];
        let column = statement.starts_with("ALTER TABLE") && statement.contains(" ADD COLUMN ");
        let has_value = !statement.contains("NOT NULL") || statement.contains("DEFAULT");
        adds.iter().any(|known| statement.starts_with(known)) || (column && has_value)
    }

    #[test]
    fn migrations_only_add_unless_they_say_that_they_break() {
        for folder in ["migrations/postgres", "migrations/sqlite"] {
            for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if name.split('_').next().unwrap().parse::<u32>().unwrap() <= BEFORE_ANY {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                // A trigger that is made anew is changed, not taken away.
                let made_anew = |statement: &str| {
                    let name = statement.strip_prefix("DROP TRIGGER ").map(|rest| rest.trim_end_matches([';', ' ']));
                    name.is_some_and(|name| text.contains(&format!("CREATE TRIGGER {name} ")))
                };
                let taking = statements(&text).into_iter().filter(|one| !only_adds(one) && !made_anew(one));
                let taking: Vec<_> = taking.collect();
                assert!(taking.is_empty() || name.contains("_breaks_"), "{folder}/{name}: {taking:?}");
            }
        }
        for taking in ["DROP TABLE x;", "ALTER TABLE x DROP COLUMN y;", "ALTER TABLE x ADD COLUMN y TEXT NOT NULL;"] {
            assert!(!only_adds(taking), "{taking}");
        }
    }

    /// Tables as a later release leaves them.
    async fn later(description: &str) -> Result<(), crate::StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        open(&url, Use::Commit).await.unwrap().close().await;
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, $1, true, x'00', 0)";
        sqlx::query("ALTER TABLE incidents ADD COLUMN later TEXT").execute(&pool).await.unwrap();
        sqlx::query(row).bind(description).execute(&pool).await.unwrap();
        pool.close().await;
        open(&url, Use::Commit).await.map(drop)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn processes_that_start_at_once_on_a_new_store_both_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        let opened = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { open(&url, Use::Commit).await.map(drop) })
        });
        for one in opened.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn tables_of_a_later_version_are_worked_with_unless_they_break() {
        later("more things").await.unwrap();
        let refused = later("breaks the order of findings").await.unwrap_err();
        assert!(refused.to_string().contains("9999") && !refused.is_passing(), "{refused}");
    }
}
