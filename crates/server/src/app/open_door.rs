//! Opening a door: **the** way every opening takes, whoever asks and wherever.
//!
//! A person's facts or a guest's from the database → [`klinke_access::decide`] → command to the controller → its outcome. The news
//! says `open` only after the controller did. A door that a door station opens by itself has no controller: the station is told
//! ([`relays`]), once, and the news says `sent`. In a residential building nothing of it is written: an opening lives in
//! memory until its outcome was told. Of a commercial one that keeps records of use, one is kept after that ([`note_use`]).

use super::note_use::note_use;
use super::standing;
use crate::doors::links::NoOutcome;
use crate::doors::openings::{Asker, Begin};
use crate::node::Node;
use crate::relays::{self, NotTold};
use klinke_access::decide::{self, Cause, Decision, Facts, Reason};
use klinke_model::door::Door;
use klinke_model::ids::{ControllerId, DeviceId, DoorId, GuestId, OpeningId, PersonId, RequestId};
use klinke_model::news::UseOutcome;
use klinke_model::privacy::UsedBy;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use klinke_storage::record::StationRelay;
use klinke_wire::common::{OpeningNews, OpeningState, RefusalCode};
use klinke_wire::controller::{Outcome, OutcomeRefusal};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Who asks for which door, and why they may.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whose data.
    pub scope: Scope,
    /// Who asks.
    pub by: By,
    /// The client's id for the tap: repeated, it is the same opening.
    pub request: RequestId,
    /// Which door.
    pub door: DoorId,
    /// From the door list or from a call.
    pub cause: Cause,
    /// Whether the panel of the call offers this door (for [`Cause::Call`]).
    pub call_offers_door: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// Somebody who is signed in.
    Person {
        /// Who.
        person: PersonId,
        /// On which device.
        device: DeviceId,
    },
    /// A guest, by a link, a QR pass or a code that was found to be theirs.
    Guest(GuestId),
    /// Somebody at a panel, by a code that was found to be their own.
    Code(PersonId),
    /// Somebody at their ordinary phone, by a key.
    Phone(PersonId),
}

/// Begins an opening and returns its news: first `sending` or `refused`, last `open` or `refused`, after which
/// the channel closes. Asking again with the same request follows the same opening.
pub fn open_door(node: &Arc<Node>, ask: Ask) -> watch::Receiver<OpeningNews> {
    let opening: OpeningId = node.random.v4();
    let news = move |state| OpeningNews {
        request: Some(ask.request),
        opening: Some(opening),
        door: ask.door,
        state,
    };
    let asker = match ask.by {
        By::Person { device, .. } => Asker::Device(device),
        By::Guest(guest) => Asker::Guest(guest),
        By::Code(person) | By::Phone(person) => Asker::Person(person),
    };
    match node.openings.begin(asker, ask.request, news(OpeningState::Sending), node.clock.mono()) {
        Begin::Same(following) => following,
        Begin::Full => watch::channel(news(refused(RefusalCode::Fault))).1,
        Begin::New(sender, following) => {
            let node = Arc::clone(node);
            node.tasks.clone().spawn(async move {
                let Done { state, outcome } = carry_out(&node, &ask, opening).await;
                // the asker may have gone; the opening is done all the same
                let _ = sender.send(news(state));
                drop(sender);
                if let Some(outcome) = outcome {
                    let by = match ask.by {
                        By::Person { person, .. } | By::Code(person) | By::Phone(person) => {
                            UsedBy::Person(person)
                        }
                        By::Guest(guest) => UsedBy::Guest(guest),
                    };
                    note_use(&node, ask.scope.tenant, opening, ask.door, by, outcome).await;
                }
            });
            following
        }
    }
}

const fn refused(reason: RefusalCode) -> OpeningState {
    OpeningState::Refused { reason }
}

/// What is known of who asks, before the door.
struct Known {
    facts: Facts,
    door: Door,
    /// The guest who may come once.
    once: Option<GuestId>,
}

/// What is told of an opening, and what came of it, as far as anybody knows.
struct Done {
    state: OpeningState,
    outcome: Option<UseOutcome>,
}

impl Done {
    /// Nothing is known of who asks, or of what the lock did.
    const fn unknown(reason: RefusalCode) -> Self {
        Self { state: refused(reason), outcome: None }
    }

    const fn denied(reason: Reason) -> Self {
        Self { state: refused(refusal(reason)), outcome: Some(UseOutcome::Refused(reason)) }
    }

    /// They may, and nothing opened.
    const fn failed(reason: RefusalCode) -> Self {
        Self { state: refused(reason), outcome: Some(UseOutcome::Failed) }
    }
}

async fn carry_out(node: &Node, ask: &Ask, opening: OpeningId) -> Done {
    // a connection may be older than the end of a role
    let scope = ask.scope.at(node.clock.now());
    let known = match ask.by {
        By::Person { person, .. } | By::Code(person) | By::Phone(person) => {
            of_person(node, &scope, ask, person).await
        }
        By::Guest(guest) => of_guest(node, &scope, ask, guest).await,
    };
    let known = match known {
        Ok(Some(known)) => known,
        Ok(None) => return Done::unknown(RefusalCode::NotAllowed),
        Err(error) => {
            tracing::error!(%error, "could not read the rights for an opening");
            return Done::unknown(RefusalCode::Fault);
        }
    };
    let hold = match decide::decide(&decide::Request { cause: ask.cause }, &known.facts) {
        Decision::Granted { hold } => hold,
        Decision::Denied(reason) => return Done::denied(reason),
    };
    let opener = match opener(node, ask, &known.door).await {
        Ok(Some(opener)) => opener,
        Ok(None) => return Done::failed(RefusalCode::NoController),
        Err(error) => {
            tracing::error!(%error, "could not read what opens a door");
            return Done::failed(RefusalCode::Fault);
        }
    };
    let Some(guest) = known.once else {
        return opener.open(node, ask, opening, hold).await.done();
    };
    // of two at the same time one goes on
    match node.store.guests().take_once(&scope, guest).await {
        Ok(true) => {}
        Ok(false) => return Done::denied(Reason::CredentialUsedUp),
        Err(error) => {
            tracing::error!(%error, "could not take the one time that a guest may come");
            return Done::failed(RefusalCode::Fault);
        }
    }
    let commanded = opener.open(node, ask, opening, hold).await;
    let settled = match commanded.became {
        Became::Open => node.store.guests().came_once(&scope, guest).await,
        Became::Nothing => node.store.guests().give_back_once(&scope, guest).await,
        // it may have opened: the guest came, as far as anybody knows
        Became::Unknown => Ok(true),
    };
    if let Err(error) = settled {
        // used up all the same: whoever invited them makes a new link
        tracing::error!(%error, "could not settle the one time that a guest may come");
    }
    commanded.done()
}

async fn of_person(
    node: &Node,
    scope: &Scope,
    ask: &Ask,
    person: PersonId,
) -> Result<Option<Known>, StorageError> {
    let Some(stored) = node.store.doors().facts(scope, person, ask.door).await? else { return Ok(None) };
    let now = standing::now_at(&stored, scope.at);
    let door_mode = node.presence.door(ask.door).map(|state| state.mode);
    let facts = Facts { call_offers_door: ask.call_offers_door, ..standing::facts(&stored, &now, door_mode) };
    Ok(Some(Known { facts, door: stored.door, once: None }))
}

async fn of_guest(
    node: &Node,
    scope: &Scope,
    ask: &Ask,
    guest: GuestId,
) -> Result<Option<Known>, StorageError> {
    let Some(guest) = node.store.guests().guest_facts(scope, guest).await? else { return Ok(None) };
    let Some(door) = guest.doors.iter().find(|one| one.door.id == ask.door) else { return Ok(None) };
    let door_mode = node.presence.door(ask.door).map(|state| state.mode);
    let facts = standing::guest_facts(&guest, door, scope.at, door_mode);
    let once = guest.once.then_some(guest.id);
    Ok(Some(Known { facts, door: door.door.clone(), once }))
}

/// What became of a command, for the screen and for who may come once.
struct Commanded {
    state: OpeningState,
    became: Became,
}

/// Whether the lock was released.
#[derive(Clone, Copy)]
enum Became {
    Open,
    Nothing,
    Unknown,
}

impl Commanded {
    fn done(self) -> Done {
        let outcome = match (self.became, self.state) {
            (Became::Unknown, _) => None,
            (Became::Open, _) => Some(UseOutcome::Opened),
            (Became::Nothing, OpeningState::Refused { reason }) => Some(match reason {
                RefusalCode::Blocked => UseOutcome::Refused(Reason::DoorBlocked),
                RefusalCode::Interlocked => UseOutcome::Refused(Reason::Interlocked),
                RefusalCode::DoorBeforeFirst => UseOutcome::Refused(Reason::DoorBeforeFirst),
                RefusalCode::SecondPerson => UseOutcome::Refused(Reason::SecondPersonNeeded),
                _ => UseOutcome::Failed,
            }),
            (Became::Nothing, _) => Some(UseOutcome::Failed),
        };
        Done { state: self.state, outcome }
    }
}

/// What opens a door.
enum Opener {
    Controller(ControllerId),
    Station(StationRelay),
}

async fn opener(node: &Node, ask: &Ask, door: &Door) -> Result<Option<Opener>, StorageError> {
    if let Some(controller) = door.controller {
        return Ok(Some(Opener::Controller(controller)));
    }
    // whoever may open a door need not know how it is opened
    let service = Scope::system(ask.scope.tenant);
    Ok(node.store.doors().station_relay(&service, ask.door).await?.map(Opener::Station))
}

impl Opener {
    async fn open(&self, node: &Node, ask: &Ask, opening: OpeningId, hold: Duration) -> Commanded {
        match self {
            Self::Controller(controller) => command(node, *controller, opening, ask.door, hold).await,
            Self::Station(relay) => told(relays::tell(node, ask.scope.tenant, relay).await),
        }
    }
}

/// That a station was told is all that anybody knows: it opens for as long as it was set to.
fn told(told: Result<(), NotTold>) -> Commanded {
    let nothing = |reason| Commanded { state: refused(reason), became: Became::Nothing };
    match told {
        // as far as anybody can know
        Ok(()) => Commanded { state: OpeningState::Sent, became: Became::Open },
        Err(NotTold::Away) => nothing(RefusalCode::Offline),
        Err(NotTold::Refused) => nothing(RefusalCode::Fault),
        Err(NotTold::Unsure) => Commanded { state: refused(RefusalCode::Expired), became: Became::Unknown },
    }
}

async fn command(
    node: &Node,
    controller: ControllerId,
    opening: OpeningId,
    door: DoorId,
    hold: Duration,
) -> Commanded {
    let nothing = |reason| Commanded { state: refused(reason), became: Became::Nothing };
    let sent = match node.links.open(controller, opening, door, hold, node.clock.mono()) {
        Ok(sent) => sent,
        Err(NoOutcome::Offline | NoOutcome::Silent) => return nothing(RefusalCode::Offline),
    };
    match node.links.await_outcome(sent).await {
        Ok(Outcome::Opened { for_ms }) => {
            Commanded { state: OpeningState::Open { for_ms }, became: Became::Open }
        }
        // as far as anybody can know
        Ok(Outcome::Sent) => Commanded { state: OpeningState::Sent, became: Became::Open },
        Ok(Outcome::Expired) => nothing(RefusalCode::Expired),
        Err(NoOutcome::Silent | NoOutcome::Offline) => {
            Commanded { state: refused(RefusalCode::Expired), became: Became::Unknown }
        }
        Ok(Outcome::Refused { reason: OutcomeRefusal::Blocked }) => nothing(RefusalCode::Blocked),
        Ok(Outcome::Refused { reason: OutcomeRefusal::Interlocked }) => nothing(RefusalCode::Interlocked),
        Ok(Outcome::Refused { reason: OutcomeRefusal::DoorBeforeFirst }) => {
            nothing(RefusalCode::DoorBeforeFirst)
        }
        Ok(Outcome::Refused { reason: OutcomeRefusal::SecondPersonNeeded }) => {
            nothing(RefusalCode::SecondPerson)
        }
        Ok(Outcome::Refused { reason: OutcomeRefusal::OtherBoot }) => nothing(RefusalCode::Offline),
        Ok(Outcome::Refused { reason }) => {
            tracing::warn!(?reason, "a controller refused a command");
            nothing(RefusalCode::Fault)
        }
    }
}

const fn refusal(reason: Reason) -> RefusalCode {
    match reason {
        Reason::PersonSuspended => RefusalCode::Suspended,
        // presented here are the app and guests' passes
        Reason::CredentialUnknown
        | Reason::CredentialBlocked
        | Reason::CredentialCopyable
        | Reason::NoRight
        | Reason::DoorNotOfCall => RefusalCode::NotAllowed,
        Reason::RightOver | Reason::CredentialOver | Reason::CredentialUsedUp => RefusalCode::RightOver,
        Reason::RightNotYet | Reason::CredentialNotYet => RefusalCode::RightNotYet,
        Reason::OutsideHours => RefusalCode::OutsideHours,
        Reason::SiteLockedDown | Reason::DoorBlocked | Reason::DoorLockedDown => RefusalCode::Blocked,
        Reason::DoorBeforeFirst => RefusalCode::DoorBeforeFirst,
        Reason::Interlocked => RefusalCode::Interlocked,
        Reason::SecondPersonNeeded => RefusalCode::SecondPerson,
        Reason::ClockUntrusted | Reason::RightsTooOld | Reason::DoorTimesInvalid => RefusalCode::Fault,
    }
}
