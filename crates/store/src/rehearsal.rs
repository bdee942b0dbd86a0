//! What a commit's findings would join, without writing anything: what is known is read as a commit reads it, joined by the same
//! code, and thrown away.

use std::collections::{BTreeMap, BTreeSet};

use event::{FindingId, Incident, IncidentId};

use crate::error::StoreError;
use crate::join::join;
use crate::join_rows::read_known;
use crate::ledger::{Commit, Rehearsed, WouldJoin};
use crate::parts::Prepared;
use crate::sql_store::SqlStore;

impl SqlStore {
    /// What the commit's findings would join. Of the commit, findings, time and policy matter alone.
    pub(crate) async fn rehearsed(&self, commit: &Commit) -> Result<Rehearsed, StoreError> {
        let Some(policy) = commit.join.as_ref() else { return Ok(Rehearsed::default()) };
        let mut transaction = self.pool.begin_reading().await?;
        let known = read_known(&mut transaction, commit).await;
        transaction.rollback().await?;
        let Some(mut known) = known? else { return Ok(Rehearsed::default()) };
        let prepared = Prepared::of(Some(&mut known), commit);
        let open: Vec<_> = prepared.findings.iter().filter(|one| !prepared.muted.contains_key(&one.id)).collect();
        let before: BTreeMap<IncidentId, Incident> = known.incidents.clone();
        let counted: BTreeSet<FindingId> =
            open.iter().map(|one| one.id).filter(|id| known.link(*id).is_some()).collect();
        let joined = join(known, open.iter().map(|one| one.as_ref()), policy, commit.now);
        let mut all = Rehearsed {
            // Of findings that others were done with, nothing new is to be counted.
            known: (counted.len() + commit.findings.len() - prepared.findings.len()) as u64,
            muted: prepared.muted.len() as u64,
            opened: joined.incidents.iter().filter(|incident| !before.contains_key(&incident.id)).count() as u64,
            ..Rehearsed::default()
        };
        let mut joins: BTreeMap<IncidentId, WouldJoin> = BTreeMap::new();
        let mut linked = counted.len() as u64;
        for (id, link) in joined.links.into_iter().filter(|(_, link)| !counted.contains(&link.finding)) {
            linked += 1;
            match before.get(&id) {
                None => all.in_opened += 1,
                Some(incident) => {
                    let new = || WouldJoin { incident: incident.clone(), findings: 0, because: link.reason };
                    joins.entry(id).or_insert_with(new).findings += 1;
                }
            }
        }
        all.alone = (open.len() as u64).saturating_sub(linked);
        all.joins = joins.into_values().collect();
        all.joins.sort_by_key(|one| (std::cmp::Reverse(one.findings), one.incident.id));
        Ok(all)
    }
}
