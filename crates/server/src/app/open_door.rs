//! Opening a door: **the** way every opening takes, whoever asks and wherever.
//!
//! Facts from the database → [`klinke_access::decide`] → command to the controller → its outcome. The news
//! says `open` only after the controller did. Nothing of it is written: in a residential building an opening
//! lives in memory until its outcome was told.

use super::standing;
use crate::doors::links::NoOutcome;
use crate::doors::openings::Begin;
use crate::node::Node;
use klinke_access::decide::{self, Cause, Decision, Facts, Reason};
use klinke_model::ids::{DeviceId, DoorId, OpeningId, PersonId, RequestId};
use klinke_model::scope::Scope;
use klinke_wire::common::{OpeningNews, OpeningState, RefusalCode};
use klinke_wire::controller::{Outcome, OutcomeRefusal};
use std::sync::Arc;
use tokio::sync::watch;

/// Who asks for which door, and why they may.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whose data.
    pub scope: Scope,
    /// Who asks.
    pub person: PersonId,
    /// On which device.
    pub device: DeviceId,
    /// The client's id for the tap: repeated, it is the same opening.
    pub request: RequestId,
    /// Which door.
    pub door: DoorId,
    /// From the door list or from a call.
    pub cause: Cause,
    /// Whether the panel of the call offers this door (for [`Cause::Call`]).
    pub call_offers_door: bool,
}

/// Begins an opening and returns its news: first `sending` or `refused`, last `open` or `refused`, after which
/// the channel closes. Asking again with the same device and request follows the same opening.
pub fn open_door(node: &Arc<Node>, ask: Ask) -> watch::Receiver<OpeningNews> {
    let opening: OpeningId = node.random.v4();
    let news = move |state| OpeningNews {
        request: Some(ask.request),
        opening: Some(opening),
        door: ask.door,
        state,
    };
    match node.openings.begin(ask.device, ask.request, news(OpeningState::Sending), node.clock.mono()) {
        Begin::Same(following) => following,
        Begin::Full => watch::channel(news(refused(RefusalCode::Fault))).1,
        Begin::New(sender, following) => {
            let node = Arc::clone(node);
            node.tasks.clone().spawn(async move {
                let state = carry_out(&node, &ask, opening).await;
                // the asker may have gone; the opening is done all the same
                let _ = sender.send(news(state));
            });
            following
        }
    }
}

const fn refused(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

async fn carry_out(node: &Node, ask: &Ask, opening: OpeningId) -> OpeningState {
    // a connection may be older than the end of a role
    let scope = ask.scope.at(node.clock.now());
    let stored = match node.store.doors().facts(&scope, ask.person, ask.door).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return refused(RefusalCode::NotAllowed),
        Err(error) => {
            tracing::error!(%error, "could not read the rights for an opening");
            return refused(RefusalCode::Fault);
        }
    };
    let now = standing::now_at(&stored, scope.at);
    let door_mode = node.presence.door(ask.door).map(|state| state.mode);
    let facts = Facts { call_offers_door: ask.call_offers_door, ..standing::facts(&stored, &now, door_mode) };
    let hold = match decide::decide(&decide::Request { cause: ask.cause }, &facts) {
        Decision::Granted { hold } => hold,
        Decision::Denied(reason) => return refused(refusal(reason)),
    };
    let Some(controller) = stored.door.controller else { return refused(RefusalCode::NoController) };
    let sent = match node.links.open(controller, opening, ask.door, hold, node.clock.mono()) {
        Ok(sent) => sent,
        Err(NoOutcome::Offline | NoOutcome::Silent) => return refused(RefusalCode::Offline),
    };
    match node.links.await_outcome(sent).await {
        Ok(Outcome::Opened { for_ms }) => OpeningState::Open { for_ms },
        Ok(Outcome::Expired) | Err(NoOutcome::Silent | NoOutcome::Offline) => refused(RefusalCode::Expired),
        Ok(Outcome::Refused { reason: OutcomeRefusal::Blocked }) => refused(RefusalCode::Blocked),
        Ok(Outcome::Refused { reason: OutcomeRefusal::OtherBoot }) => refused(RefusalCode::Offline),
        Ok(Outcome::Refused { reason }) => {
            tracing::warn!(?reason, "a controller refused a command");
            refused(RefusalCode::Fault)
        }
    }
}

const fn refusal(reason: Reason) -> RefusalCode {
    match reason {
        Reason::PersonSuspended => RefusalCode::Suspended,
        // nothing is presented here but the app
        Reason::CredentialUnknown
        | Reason::CredentialBlocked
        | Reason::CredentialNotYet
        | Reason::CredentialOver
        | Reason::CredentialUsedUp
        | Reason::CredentialCopyable
        | Reason::NoRight
        | Reason::DoorNotOfCall => RefusalCode::NotAllowed,
        Reason::RightOver => RefusalCode::RightOver,
        Reason::RightNotYet => RefusalCode::RightNotYet,
        Reason::OutsideHours => RefusalCode::OutsideHours,
        Reason::SiteLockedDown
        | Reason::DoorBlocked
        | Reason::DoorLockedDown
        | Reason::DoorBeforeFirst
        | Reason::Interlocked
        | Reason::SecondPersonNeeded => RefusalCode::Blocked,
        Reason::ClockUntrusted | Reason::RightsTooOld | Reason::DoorTimesInvalid => RefusalCode::Fault,
    }
}
