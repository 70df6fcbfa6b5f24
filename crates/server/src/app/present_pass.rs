//! Somebody shows a pass at a panel or types a code: the first of the panel's doors that their guest has opens.
//!
//! Wrong codes slow the panel down ([`klinke_access::lockout`]); how many there were is on the disk before they are
//! answered, so a restart gains nothing. A QR pass is as hard to guess as a key and slows nothing down.

use super::guest_pass::guest_of;
use super::open_door::{Ask, By, open_door};
use crate::node::Node;
use crate::passes::PassToken;
use klinke_access::decide::Cause;
use klinke_access::lockout::Lockout;
use klinke_model::ids::{GuestId, PanelId, RequestId};
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::Mono;
use klinke_storage::StorageError;
use klinke_storage::record::Guest;
use klinke_wire::common::OpeningNews;
use klinke_wire::panel::PresentedPass;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How many digits a code has.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=8;

/// How often wrong codes were typed at each panel.
pub struct PanelCodes {
    /// When this process began to count.
    began: Mono,
    keypads: Mutex<HashMap<PanelId, Arc<Keypad>>>,
}

/// One panel's, once it was read. Held while a code is looked up: one at a time.
type Keypad = tokio::sync::Mutex<Option<Lockout>>;

impl PanelCodes {
    /// Nothing read yet.
    pub fn new(began: Mono) -> Self {
        Self { began, keypads: Mutex::default() }
    }

    fn of(&self, panel: PanelId) -> Arc<Keypad> {
        let mut keypads = self.keypads.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(keypads.entry(panel).or_default())
    }
}

/// Why a pass opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// It is good for nothing here.
    #[error("unknown pass")]
    NotFound,
    /// Too many wrong codes.
    #[error("too many wrong codes")]
    SlowDown(Duration),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a pass opens.
pub enum Presented {
    /// One of this panel's doors: its name, and how it goes.
    Door(Label, watch::Receiver<OpeningNews>),
    /// None of them.
    NoDoor,
}

/// Opens a door with what somebody presents at a panel.
///
/// # Errors
/// Why not even a door can be named.
pub async fn present(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
    request: RequestId,
    pass: &PresentedPass,
) -> Result<Presented, PresentError> {
    let at = node.store.intercom().panel(scope, panel).await?.ok_or(PresentError::NotFound)?;
    let service = Scope::system(scope.tenant);
    let guest = match pass {
        PresentedPass::Qr { text } => by_qr(node, text).await?,
        PresentedPass::Code { digits } => {
            let id = by_code(node, scope, panel, digits).await?;
            node.store.guests().guest_facts(&service.at(node.clock.now()), id).await?
        }
    };
    let here = |guest: &Guest| guest.tenant == scope.tenant && guest.building == at.building;
    let guest = guest.filter(here).ok_or(PresentError::NotFound)?;
    let has = |held: bool| {
        at.doors
            .iter()
            .find_map(|door| guest.doors.iter().find(|one| one.door.id == *door && (one.held || !held)))
    };
    let Some(door) = has(true).or_else(|| has(false)) else { return Ok(Presented::NoDoor) };
    let ask = Ask {
        scope: service,
        by: By::Guest(guest.id),
        request,
        door: door.door.id,
        cause: Cause::AtDoor,
        call_offers_door: false,
    };
    Ok(Presented::Door(door.door.name.clone(), open_door(node, ask)))
}

async fn by_qr(node: &Node, text: &str) -> Result<Option<Guest>, StorageError> {
    match PassToken::of_qr(text) {
        Some(token) => guest_of(node, &token).await,
        None => Ok(None),
    }
}

/// Whose code it is. A right one shortens no wait.
async fn by_code(node: &Node, scope: &Scope, panel: PanelId, digits: &str) -> Result<GuestId, PresentError> {
    let keypad = node.panel_codes.of(panel);
    let mut keypad = keypad.lock().await;
    let guests = node.store.guests();
    let lockout = match &mut *keypad {
        Some(lockout) => lockout,
        unread => {
            let wrong = guests.wrong_codes(scope).await?.ok_or(PresentError::NotFound)?;
            unread.insert(Lockout::restored(wrong, node.panel_codes.began))
        }
    };
    let wait = lockout.wait(node.clock.mono());
    if wait > Duration::ZERO {
        return Err(PresentError::SlowDown(wait));
    }
    if DIGITS.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        let at = node.store.intercom().panel(scope, panel).await?.ok_or(PresentError::NotFound)?;
        let hash = node.passes.code_hash(scope.tenant, at.building, digits);
        if let Some(guest) = guests.guest_by_code(scope, hash).await? {
            return Ok(guest);
        }
    }
    let now = node.clock.mono();
    let wrong = lockout.wrong(now);
    guests.keep_wrong_codes(scope, lockout.kept(now)).await?;
    if wrong.is_alarm {
        tracing::warn!("codes are being guessed at a panel");
    }
    Err(PresentError::NotFound)
}
