//! Who is told that something was written, by the tenant whose it is.
//!
//! Somebody else's change costs a tenant's links nothing; a change that is not known to be one tenant's is told to all.

use crate::tx::Touched;
use klinke_model::ids::TenantId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// One channel for each tenant that somebody ever watched.
#[derive(Debug, Default)]
pub struct Written(Mutex<HashMap<TenantId, watch::Sender<()>>>);

impl Written {
    /// Tells what is written from now on.
    pub fn watch(&self, tenant: TenantId) -> watch::Receiver<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default().subscribe()
    }

    /// Something was.
    pub fn tell(&self, touched: Touched) {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |tenant: &TenantId| match touched {
            Touched::Tenant(whose) => whose == *tenant,
            Touched::Everybody => true,
        };
        for (_, one) in watched.iter().filter(|(tenant, _)| is_told(tenant)) {
            one.send_modify(|()| ());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;

    #[test]
    fn a_tenant_is_told_of_its_own_and_of_what_is_everybodys() {
        let (one, other) = (TenantId(v4([1; 16])), TenantId(v4([2; 16])));
        let written = Written::default();
        let (mut first, mut second) = (written.watch(one), written.watch(one));
        let mut others = written.watch(other);
        let mut told = || {
            [&mut first, &mut second, &mut others].map(|watch| {
                let is_told = watch.has_changed().unwrap();
                watch.mark_unchanged();
                is_told
            })
        };
        assert_eq!(told(), [false; 3]);
        written.tell(Touched::Tenant(one));
        assert_eq!(told(), [true, true, false]);
        written.tell(Touched::Tenant(TenantId(v4([3; 16]))));
        assert_eq!(told(), [false; 3]);
        written.tell(Touched::Everybody);
        assert_eq!(told(), [true; 3]);
    }
}
