//! Leases of the model store. Its time is the process's own.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{Lease, LeaseView, Leases, Owner, Role},
};

use super::MemoryStore;

#[derive(Clone, Debug)]
pub(super) struct LeaseRow {
    pub lease: Lease,
    pub until: Instant,
}

#[async_trait]
impl Leases for MemoryStore {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let take = |rows: &mut Vec<LeaseRow>| {
            let now = Instant::now();
            let Some(row) = rows.iter_mut().find(|row| row.lease.role == *role) else {
                let lease = Lease { role: role.clone(), owner: owner.clone(), token: 1 };
                rows.push(LeaseRow { lease: lease.clone(), until: now + ttl });
                return Some(lease);
            };
            if row.until <= now {
                (row.lease.owner, row.lease.token) = (owner.clone(), row.lease.token + 1);
            } else if row.lease.owner != *owner {
                return None;
            }
            row.until = now + ttl;
            Some(row.lease.clone())
        };
        Ok(self.change(|tables| take(&mut tables.leases)).await)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.change(|tables| {
            for row in tables.leases.iter_mut().filter(|row| row.lease == *lease) {
                row.until = Instant::now();
            }
        })
        .await;
        Ok(())
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        let tables = self.committed();
        let mut views: Vec<LeaseView> = tables
            .leases
            .iter()
            .map(|row| LeaseView {
                lease: row.lease.clone(),
                left: row.until.saturating_duration_since(Instant::now()),
            })
            .collect();
        views.sort_by(|one, other| one.lease.role.cmp(&other.lease.role));
        Ok(views)
    }
}
