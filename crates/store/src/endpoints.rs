//! Receivers of webhooks as the store knows them: one that wants no more is disabled until somebody says otherwise or its
//! address is changed.

use async_trait::async_trait;
use event::Timestamp;

use crate::StoreError;
use crate::audit::By;

/// Kind of the notice that a receiver was disabled.
pub const ENDPOINT_DISABLED: &str = "endpoint.disabled";

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    pub name: String,
    pub registered_at: Timestamp,
    /// Since when, and why, nothing is sent there.
    pub disabled: Option<(Timestamp, String)>,
}

#[async_trait]
pub trait Endpoints: Send + Sync + std::fmt::Debug {
    /// Takes down which receivers there are: `(name, hash of the address)`. One whose address was changed is enabled
    /// again; names of these.
    async fn register_endpoints(&self, known: &[(String, String)], now: Timestamp) -> Result<Vec<String>, StoreError>;
    /// By name.
    async fn endpoints(&self) -> Result<Vec<EndpointState>, StoreError>;
    /// Nothing is sent to the receiver any more, what waits for it is given up, and the others are told. False where it
    /// is disabled already, or has another address by now.
    async fn disable_endpoint(
        &self,
        name: &str,
        target: &str,
        reason: &str,
        others: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// False where there is no such receiver that is disabled.
    async fn enable_endpoint(&self, name: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}
