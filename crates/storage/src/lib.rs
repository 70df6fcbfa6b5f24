//! What is kept: the only crate with SQL, one code path for SQLite and PostgreSQL.
//!
//! ```text
//! Store ──▶ gate()                           finds out who asks; the only queries without a Scope
//!       ──▶ sites() people() devices()       everything else: `&Scope` first
//!           intercom() doors() audit() jobs() invitations() imports() parts() tenants()
//!           households() webhooks() who() rules() cards() guests() records() phone_numbers() trunks()
//!           sip_accounts()
//! ```
//!
//! Invariants:
//! - every table has a `tenant` column, every primary key begins with it, every foreign key holds it: a row can not
//!   refer to another tenant's, and no query outside [`Gate`] is without the tenant. Only what the gate looks up is
//!   unique by itself: user name, token hash, panel id, certificate, the name of a SIP account;
//! - a person sees what they administer or are; a panel and a controller see themselves; the service sees the tenant.
//!   Anything else is `None`, `false` or an empty list, the same as if it were not there;
//! - an acknowledged write is on the disk (see [`Store::open`]);
//! - nothing here tells when something was used: no `last_seen`, no usage times, sessions keep the day they end;
//!   ids of rows that use makes are UUIDv4; calls have no table at all. Openings have one, for commercial buildings that keep
//!   records of use: [`Records`] takes nothing but an `AccessRecord<Commercial>`, and the table's keys refuse the others;
//! - entities never leave the crate: results are `klinke_model` types or the [`record`]s.
//!
//! To add a repository function: write it in `repo/`, put it into both halves of `tests/it` (what it does, and that a
//! foreign tenant gets nothing), and if it needs a table add a migration, then run the tests with `UPDATE_SCHEMA=1`.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod entity;
mod error;
mod migration;
pub mod record;
mod repo;
mod store;
mod tx;
mod written;

pub use error::StorageError;
pub use repo::{
    Alarms, Audit, Devices, Doors, Gate, Guests, Households, Imports, Intercom, Invitations, Jobs, Moves,
    Parts, PasswordSet, People, PhoneNumbers, Records, Rules, SipAccounts, Sites, Tenants, Tokens, Trunks,
    Webhooks, Who,
};
pub use store::Store;

/// What every repository function answers.
pub type Result<T> = std::result::Result<T, StorageError>;
