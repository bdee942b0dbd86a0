//! What needs no store: roles, and addresses that are none.

use super::*;

#[test]
fn roles_include_those_below_but_ingest_stands_alone() {
    let may: Vec<_> = Role::ALL.iter().map(|role| Role::ALL.map(|needed| role.may(needed))).collect();
    assert_eq!(may[0], [true, false, false, false]);
    assert_eq!(may[1], [false, true, false, false]);
    assert_eq!(may[2], [false, true, true, false]);
    assert_eq!(may[3], [true, true, true, true]);
}

#[tokio::test]
async fn an_unknown_url_is_refused_with_the_remedy() {
    let error = open("mysql://x", Use::Ask).await.err().unwrap().to_string();
    assert!(
        error.starts_with("`mysql://x` is no store that this version knows: use sqlite:PATH or postgres:"),
        "{error}"
    );
}

#[test]
fn errors_say_whether_they_pass() {
    let away = || sqlx::Error::PoolTimedOut;
    let wrong = || sqlx::Error::RowNotFound;
    let migrate = |error| StoreError::Migrate(sqlx::migrate::MigrateError::ExecuteMigration(error, 1));
    let passing = [StoreError::Read(away()), StoreError::Write(away()), migrate(away()), StoreError::Uncounted];
    assert!(passing.iter().all(StoreError::is_passing));
    let address = RedisHot::open("no address", "me".into()).err().unwrap();
    assert!(matches!(address, StoreError::CacheAddress(_)), "{address:?}");
    let last = [StoreError::Read(wrong()), migrate(wrong()), StoreError::Fenced("x".into()), address];
    assert!(!last.iter().any(StoreError::is_passing));
}
