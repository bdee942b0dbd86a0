//! One way to speak to both databases: statements with bound values, rows, pools and transactions. PostgreSQL and
//! SQLite both take `$1`; where their SQL differs, [`both!`] writes the two texts from one. Knows no table.

use std::borrow::Cow;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::error::{StoreError, named};

/// The text of one statement for each database. Always fixed: what comes from outside is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text { sqlite: text, postgres: text }
    }
}

/// Writes a statement for both databases: literals, and between them what the two say differently.
///
/// - `in 2`: is one of the JSON list of texts that is bound as `$2`
/// - `lock`: the rows read stay locked until the transaction ends
/// - `rows(id TEXT, events BIGINT)`: selects these columns out of the JSON list of objects that is bound as `$1`
/// - `unhex("expression")`: bytes out of hexadecimal digits; `hex("expression")`: the digits in lower case
macro_rules! both {
    (@$of:ident [$($done:tt)*]) => { concat!($($done)*) };
    (@$of:ident [$($done:tt)*] in $number:literal $($rest:tt)*) => {
        $crate::sql::both!(@$of [$($done)* $crate::sql::$of!(in $number),] $($rest)*)
    };
    (@$of:ident [$($done:tt)*] $word:ident ($($given:tt)*) $($rest:tt)*) => {
        $crate::sql::both!(@$of [$($done)* $crate::sql::$of!($word $($given)*),] $($rest)*)
    };
    (@$of:ident [$($done:tt)*] lock $($rest:tt)*) => {
        $crate::sql::both!(@$of [$($done)* $crate::sql::$of!(lock),] $($rest)*)
    };
    (@$of:ident [$($done:tt)*] $literal:literal $($rest:tt)*) => {
        $crate::sql::both!(@$of [$($done)* $literal,] $($rest)*)
    };
    ($($part:tt)+) => {
        $crate::sql::Text {
            sqlite: $crate::sql::both!(@in_sqlite [] $($part)+),
            postgres: $crate::sql::both!(@in_postgres [] $($part)+),
        }
    };
}

/// What [`both!`] means in SQLite.
macro_rules! in_sqlite {
    (in $number:literal) => { concat!("IN (SELECT value FROM json_each($", $number, "))") };
    (lock) => { "" };
    (rows $first:ident $type:ident $(, $name:ident $types:ident)*) => {
        concat!("SELECT value ->> '", stringify!($first), "'" $(, ", value ->> '", stringify!($name), "'")*,
            " FROM json_each($1) WHERE true")
    };
    (unhex $digits:literal) => { concat!("unhex(", $digits, ")") };
    (hex $bytes:literal) => { concat!("lower(hex(", $bytes, "))") };
}

/// What [`both!`] means in PostgreSQL.
macro_rules! in_postgres {
    (in $number:literal) => { concat!("= ANY(ARRAY(SELECT json_array_elements_text($", $number, "::json)))") };
    (lock) => { " FOR UPDATE" };
    (rows $first:ident $type:ident $(, $name:ident $types:ident)*) => {
        concat!("SELECT ", stringify!($first) $(, ", ", stringify!($name))*,
            " FROM json_to_recordset($1::json) AS x(", stringify!($first), " ", stringify!($type)
            $(, ", ", stringify!($name), " ", stringify!($types))*, ")")
    };
    (unhex $digits:literal) => { concat!("decode(", $digits, ", 'hex')") };
    (hex $bytes:literal) => { concat!("encode(", $bytes, ", 'hex')") };
}

pub(crate) use {both, in_postgres, in_sqlite};

/// A value bound to a statement; `None` is NULL of that type.
#[derive(Clone, Debug)]
pub(crate) enum Bound<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<i64>),
    Bytes(Vec<u8>),
}

impl<'a> From<&'a str> for Bound<'a> {
    fn from(text: &'a str) -> Self {
        Bound::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'a> From<&'a String> for Bound<'a> {
    fn from(text: &'a String) -> Self {
        Bound::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Bound<'_> {
    fn from(text: String) -> Self {
        Bound::Text(Some(Cow::Owned(text)))
    }
}

impl<'a> From<Option<&'a str>> for Bound<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Bound::Text(text.map(Cow::Borrowed))
    }
}

impl From<i64> for Bound<'_> {
    fn from(number: i64) -> Self {
        Bound::Number(Some(number))
    }
}

impl From<Option<i64>> for Bound<'_> {
    fn from(number: Option<i64>) -> Self {
        Bound::Number(number)
    }
}

impl From<Vec<u8>> for Bound<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Bound::Bytes(bytes)
    }
}

/// A statement with the values bound so far, `$1` first.
#[derive(Clone, Debug)]
#[must_use = "a statement does nothing until a pool or a transaction runs it"]
pub(crate) struct Statement<'a> {
    text: Text,
    values: Vec<Bound<'a>>,
}

pub(crate) fn sql<'a>(text: impl Into<Text>) -> Statement<'a> {
    Statement { text: text.into(), values: Vec::new() }
}

/// Binds all values of a statement to sqlx's query of one database.
macro_rules! bound {
    ($text:expr, $values:expr) => {
        $values.into_iter().fold(sqlx::query($text), |query, value| match value {
            Bound::Text(text) => query.bind(text),
            Bound::Number(number) => query.bind(number),
            Bound::Bytes(bytes) => query.bind(bytes),
        })
    };
}

impl<'a> Statement<'a> {
    pub(crate) fn bind(mut self, value: impl Into<Bound<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    async fn fetch(self, connection: Connection<'_>) -> Result<Vec<Row>, sqlx::Error> {
        let Statement { text, values } = self;
        Ok(match connection {
            Connection::Sqlite(connection) => {
                bound!(text.sqlite, values).fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(connection) => {
                bound!(text.postgres, values).fetch_all(connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    async fn execute(self, connection: Connection<'_>) -> Result<u64, sqlx::Error> {
        let Statement { text, values } = self;
        Ok(match connection {
            Connection::Sqlite(connection) => bound!(text.sqlite, values).execute(connection).await?.rows_affected(),
            Connection::Postgres(connection) => {
                bound!(text.postgres, values).execute(connection).await?.rows_affected()
            }
        })
    }
}

/// A row of either database.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a column of either database can be read as.
pub(crate) trait Column<'r>: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> {}

impl<'r, T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>> Column<'r> for T {}

impl Row {
    /// The value of a column, counted from 0. Panics where the statement gives no such column of that type, as sqlx
    /// does.
    pub(crate) fn get<'r, T: Column<'r>>(&'r self, at: usize) -> T {
        match self {
            Row::Sqlite(row) => row.get(at),
            Row::Postgres(row) => row.get(at),
        }
    }

    /// A number that PostgreSQL keeps in two bytes.
    pub(crate) fn small(&self, at: usize) -> i64 {
        match self {
            Row::Sqlite(row) => row.get(at),
            Row::Postgres(row) => i64::from(row.get::<i16, _>(at)),
        }
    }

    /// A count or an offset, which is never negative.
    pub(crate) fn count(&self, at: usize) -> u64 {
        self.get::<i64>(at) as u64
    }
}

/// One connection for one statement.
enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

enum Lent {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Lent {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Lent::Sqlite(connection) => Connection::Sqlite(connection),
            Lent::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

/// The connections of a store. Each statement is a transaction of its own.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn lend(&self) -> Result<Lent, sqlx::Error> {
        Ok(match self {
            Pool::Sqlite(pool) => Lent::Sqlite(pool.acquire().await?),
            Pool::Postgres(pool) => Lent::Postgres(pool.acquire().await.map_err(named)?),
        })
    }

    /// All rows of a statement that reads.
    pub(crate) async fn rows(&self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let mut lent = self.lend().await.map_err(StoreError::Read)?;
        statement.fetch(lent.connection()).await.map_err(StoreError::Read)
    }

    /// The first row of a statement that reads.
    pub(crate) async fn row(&self, statement: Statement<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// How many rows a statement changed.
    pub(crate) async fn write(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let mut lent = self.lend().await.map_err(StoreError::Write)?;
        statement.execute(lent.connection()).await.map_err(StoreError::Write)
    }

    /// What a statement that changes rows returns of them.
    pub(crate) async fn returned(&self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let mut lent = self.lend().await.map_err(StoreError::Write)?;
        statement.fetch(lent.connection()).await.map_err(StoreError::Write)
    }

    /// A transaction that may write. SQLite takes its write lock at once: a deferred transaction could fail half-way
    /// when two processes write.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.begin_with("BEGIN IMMEDIATE", "BEGIN").await
    }

    /// A transaction that reads, and is undone: SQLite's other writers go on.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction, StoreError> {
        self.begin_with("BEGIN", "BEGIN").await
    }

    /// A transaction that may write and whose reads all see one state of the store.
    pub(crate) async fn begin_snapshot(&self) -> Result<Transaction, StoreError> {
        self.begin_with("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL REPEATABLE READ").await
    }

    async fn begin_with(&self, sqlite: &'static str, postgres: &'static str) -> Result<Transaction, StoreError> {
        let failed = |error| StoreError::Write(named(error));
        Ok(match self {
            Pool::Sqlite(pool) => Transaction::Sqlite(pool.begin_with(sqlite).await.map_err(failed)?),
            Pool::Postgres(pool) => Transaction::Postgres(pool.begin_with(postgres).await.map_err(failed)?),
        })
    }
}

/// A transaction: it is undone where it is dropped before [`Transaction::commit`].
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Transaction::Sqlite(transaction) => Connection::Sqlite(transaction),
            Transaction::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }

    /// All rows of a statement that reads.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        statement.fetch(self.connection()).await.map_err(StoreError::Read)
    }

    /// The first row of a statement that reads.
    pub(crate) async fn row(&mut self, statement: Statement<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// How many rows a statement changed.
    pub(crate) async fn write(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        statement.execute(self.connection()).await.map_err(StoreError::Write)
    }

    /// The first row that a statement which changes rows returns.
    pub(crate) async fn returned(&mut self, statement: Statement<'_>) -> Result<Option<Row>, StoreError> {
        Ok(statement.fetch(self.connection()).await.map_err(StoreError::Write)?.into_iter().next())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let done = match self {
            Transaction::Sqlite(transaction) => transaction.commit().await,
            Transaction::Postgres(transaction) => transaction.commit().await,
        };
        done.map_err(StoreError::Write)
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        let done = match self {
            Transaction::Sqlite(transaction) => transaction.rollback().await,
            Transaction::Postgres(transaction) => transaction.rollback().await,
        };
        done.map_err(StoreError::Write)
    }
}
