//! Somebody shows a pass at a panel or types a code, a guest's or one's own: the first of the panel's doors that they have opens.
//!
//! Wrong codes slow the panel down ([`klinke_access::lockout`]); how many there were is on the disk before they are
//! answered, so a restart gains nothing. A QR pass is as hard to guess as a key and slows nothing down.

use super::guest_pass::guest_of;
use super::open_door::{Ask, By, open_door};
use super::standing;
use crate::node::Node;
use crate::passes::PassToken;
use klinke_access::decide::Cause;
use klinke_access::lockout::Lockout;
use klinke_access::standing::Standing;
use klinke_model::alarm::AlarmKind;
use klinke_model::door::Door;
use klinke_model::ids::{DoorId, PanelId, PersonId, RequestId};
use klinke_model::intercom::Panel;
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::Mono;
use klinke_storage::StorageError;
use klinke_storage::record::{CodeHolder, Guest, GuestDoor};
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
    let mut forced = false;
    let whose = match pass {
        PresentedPass::Qr { text } => by_qr(node, text).await?.map(|guest| Whose::Guest(Box::new(guest))),
        PresentedPass::Code { digits } => match by_code(node, scope, &at, request, digits).await? {
            CodeHolder::Guest(id) => {
                let guest = node.store.guests().guest_facts(&service.at(node.clock.now()), id).await?;
                guest.map(|guest| Whose::Guest(Box::new(guest)))
            }
            CodeHolder::Person { person, duress } => {
                forced = duress;
                Some(Whose::Person(person))
            }
        },
    };
    let found = match whose.ok_or(PresentError::NotFound)? {
        Whose::Guest(guest) => {
            if guest.tenant != scope.tenant || guest.building != at.building {
                return Err(PresentError::NotFound);
            }
            guests_door(&guest, &at.doors).map(|door| (By::Guest(guest.id), door.door.clone()))
        }
        Whose::Person(person) => {
            let door = persons_door(node, &service, person, &at.doors).await?;
            if forced && let Some(door) = door.as_ref().map(|door| door.id).or(at.doors.first().copied()) {
                raise(node, *scope, AlarmKind::Duress, door, request);
            }
            door.map(|door| (By::Code(person), door))
        }
    };
    let Some((by, door)) = found else { return Ok(Presented::NoDoor) };
    let ask =
        Ask { scope: service, by, request, door: door.id, cause: Cause::AtDoor, call_offers_door: false };
    Ok(Presented::Door(door.name, open_door(node, ask)))
}

/// Raises an alarm beside what is answered: nothing at the panel is slower or different for it.
fn raise(node: &Arc<Node>, scope: Scope, kind: AlarmKind, door: DoorId, request: RequestId) {
    let node = Arc::clone(node);
    node.tasks.clone().spawn(async move {
        match node.store.alarms().raise_at_panel(&scope, &node.stamp(), kind, door, request).await {
            Ok(true) => node.webhooks.look(),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "an alarm of a panel could not be kept"),
        }
    });
}

/// Whose a pass or code is.
enum Whose {
    Guest(Box<Guest>),
    Person(PersonId),
}

/// The first of these doors that a guest has; of those that they would have if their host still did, where there is none.
fn guests_door<'g>(guest: &'g Guest, doors: &[DoorId]) -> Option<&'g GuestDoor> {
    let has = |held: bool| {
        let of = |door: &DoorId| guest.doors.iter().find(|one| one.door.id == *door && (one.held || !held));
        doors.iter().find_map(of)
    };
    has(true).or_else(|| has(false))
}

/// The first of these doors that somebody has now; of those that they have at other times, where there is none.
async fn persons_door(
    node: &Node,
    service: &Scope,
    person: PersonId,
    doors: &[DoorId],
) -> Result<Option<Door>, StorageError> {
    let now = node.clock.now();
    let mut at_other_times = None;
    for door in doors {
        let Some(stored) = node.store.doors().facts(&service.at(now), person, *door).await? else { continue };
        match standing::facts(&stored, &standing::now_at(&stored, now), None).standing {
            Standing::InForce => return Ok(Some(stored.door)),
            Standing::None => {}
            _ => at_other_times = at_other_times.or(Some(stored.door)),
        }
    }
    Ok(at_other_times)
}

async fn by_qr(node: &Node, text: &str) -> Result<Option<Guest>, StorageError> {
    match PassToken::of_qr(text) {
        Some(token) => guest_of(node, &token).await,
        None => Ok(None),
    }
}

/// Whose code it is. A right one shortens no wait.
async fn by_code(
    node: &Arc<Node>,
    scope: &Scope,
    at: &Panel,
    request: RequestId,
    digits: &str,
) -> Result<CodeHolder, PresentError> {
    let keypad = node.panel_codes.of(at.id);
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
        let hash = node.passes.code_hash(scope.tenant, at.building, digits);
        if let Some(holder) = node.store.own_codes().code_holder(scope, hash).await? {
            return Ok(holder);
        }
    }
    let now = node.clock.mono();
    let wrong = lockout.wrong(now);
    guests.keep_wrong_codes(scope, lockout.kept(now)).await?;
    // without a door there is nothing to guess for
    if wrong.is_alarm
        && let Some(door) = at.doors.first()
    {
        raise(node, *scope, AlarmKind::WrongCodes, *door, request);
    }
    Err(PresentError::NotFound)
}
