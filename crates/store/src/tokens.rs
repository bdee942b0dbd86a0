//! Tokens in the store. Never their secrets; each change is one transaction with its audit entry.

use async_trait::async_trait;
use event::Timestamp;

use crate::audit::{AuditEntry, By, Outcome, write_audit};
use crate::error::StoreError;
use crate::people::{Token, Tokens, UnknownRole};
use crate::sql::{Row, sql};
use crate::sql_store::SqlStore;

fn token_of(row: &Row) -> Result<Token, StoreError> {
    let damaged = |error: UnknownRole| StoreError::Damaged(error.to_string());
    Ok(Token {
        id: row.get(0),
        name: row.get(1),
        role: row.get::<&str>(2).parse().map_err(damaged)?,
        hash: row.get(3),
        created_at: Timestamp(row.get(4)),
        expires_at: row.get::<Option<i64>>(5).map(Timestamp),
        revoked: row.get::<i64>(6) != 0,
    })
}

fn audit_entry(by: &By, token: &Token) -> AuditEntry {
    let until = token.expires_at.map_or_else(|| "never expires".to_owned(), |time| format!("expires at {time}"));
    let detail = format!("role {}, name {}, {until}", token.role.name(), token.name);
    AuditEntry::new(token.created_at, by.clone(), "token.create", &token.id, Outcome::Done).saying(detail)
}

#[async_trait]
impl Tokens for SqlStore {
    async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
        let token = sql("SELECT id, name, role, hash, created_at, expires_at, revoked FROM tokens WHERE id = $1");
        self.pool.row(token.bind(id)).await?.as_ref().map(token_of).transpose()
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let all =
            sql("SELECT id, name, role, hash, created_at, expires_at, revoked FROM tokens ORDER BY created_at, id");
        self.pool.rows(all).await?.iter().map(token_of).collect()
    }

    async fn add_token_by(&self, token: &Token, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.begin_audited(&[token.created_at]).await?;
        let add = sql("INSERT INTO tokens (id, name, role, hash, created_at, expires_at, revoked)
             VALUES ($1, $2, $3, $4, $5, $6, 0)")
        .bind(&token.id)
        .bind(&token.name)
        .bind(token.role.name())
        .bind(&token.hash)
        .bind(token.created_at.0)
        .bind(token.expires_at.map(|time| time.0));
        transaction.write(add).await?;
        write_audit(&mut transaction, &[audit_entry(by, token)]).await?;
        transaction.commit().await
    }

    async fn revoke_token_by(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let revoke = sql("UPDATE tokens SET revoked = 1 WHERE id = $1 AND revoked = 0").bind(id);
        if transaction.write(revoke).await? == 0 {
            return Ok(false);
        }
        let entry = AuditEntry::new(now, by.clone(), "token.revoke", id, Outcome::Done);
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
