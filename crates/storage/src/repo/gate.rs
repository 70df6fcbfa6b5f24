//! The gate: finds out who asks. The only queries without a tenant, because they find it.

use crate::record::{Account, ControllerIdentity, NewInstallation, PanelKey, SessionHolder};
use crate::{Result, Store};
use klinke_model::ids::PanelId;

/// Finds out who asks.
#[derive(Debug)]
pub struct Gate<'a>(pub(crate) &'a Store);

impl Gate<'_> {
    /// Whether the installation has an owner.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn is_claimed(&self) -> Result<bool> {
        unimplemented!()
    }

    /// Gives the installation its owner: tenant, administrator, account and role in one transaction. `false` when it
    /// had one already; of many tries at once exactly one wins.
    ///
    /// # Errors
    /// When the database can not be written, or [`crate::StorageError::Invalid`] when the account is not the administrator's.
    pub async fn claim(&self, new: NewInstallation) -> Result<bool> {
        unimplemented!()
    }

    /// The account of a user name (folded to lower case), of a suspended person too.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn account(&self, user_name: &str) -> Result<Option<Account>> {
        unimplemented!()
    }

    /// Who holds the token with this SHA-256: a session that has not ended, of a person who is not suspended.
    /// `today` is in days since 1970, UTC.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn session(&self, token_hash: [u8; 32], today: i64) -> Result<Option<SessionHolder>> {
        unimplemented!()
    }

    /// The key that a panel must prove; `None` also while it has none.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn panel_key(&self, panel: PanelId) -> Result<Option<PanelKey>> {
        unimplemented!()
    }

    /// The controller whose client certificate has this SHA-256.
    ///
    /// # Errors
    /// When the database can not be read.
    pub async fn controller(&self, certificate_sha256: [u8; 32]) -> Result<Option<ControllerIdentity>> {
        unimplemented!()
    }
}
