//! A visitor taps a name, or types the code of one that is not shown: one read of the button, a ring plan of the devices
//! that are connected and of the phones that may be rung, a call.

use crate::auth::limit::Limit;
use crate::calendar;
use crate::calls::driver::{Driver, Start};
use crate::node::Node;
use crate::phones::known::{Reachable, phones_of};
use klinke_calls::lines::{Tap, Tapped as Line};
use klinke_calls::plan::{Leg, Member, RingPlan};
use klinke_model::ids::{BellId, CallId, DeviceId, PanelId, PersonId, RequestId};
use klinke_model::intercom::{BellKind, DialCode, EndReason};
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_model::time::{Clock, Timestamp};
use klinke_storage::record::RingFacts;
use klinke_wire::panel::{PanelCall, PanelCallState, PanelEvent};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Why a tap rings nobody.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// No such button on this panel, or no such member behind it.
    #[error("no such button")]
    NotFound,
    /// The panel is in another call.
    #[error("the panel is in another call")]
    Busy,
    /// The server takes no more calls.
    #[error("too many calls")]
    Overloaded,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] klinke_storage::StorageError),
}

/// What a visitor chose.
pub struct Tapped {
    /// The button.
    pub bell: BellId,
    /// Which of those behind a family button; none for all.
    pub member: Option<PersonId>,
    /// What they typed instead of tapping a name.
    pub typed: Option<Label>,
    /// How many hops a call may go that is made for it, [`HOPS`](klinke_sip::stations::HOPS) at most.
    pub hops: u8,
}

/// How often codes may be typed at a panel. A right one does not count.
pub struct DialLimit(Limit<PanelId>);

impl DialLimit {
    /// Nothing typed yet: ten at once, then one every twenty seconds. Walking through the codes of four digits takes two
    /// days at the entrance, in front of everybody.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self(Limit::new(clock.clone(), 10, Duration::from_secs(20)))
    }
}

/// Rings the button of `panel` that has this code, for a call that may go so many hops ([`Tapped::hops`]). A code that is no
/// code, rings nobody, or comes too often gets the same answer, [`RingError::NotFound`]: whoever guesses does not learn that
/// they have to wait.
///
/// # Errors
/// As [`ring`].
pub async fn dial(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
    request: RequestId,
    (code, hops): (&str, u8),
) -> Result<(), RingError> {
    let code = DialCode::new(code).map_err(|_| RingError::NotFound)?;
    let guess = node.dial_limit.0.take(panel).map_err(|_| RingError::NotFound)?;
    let bell = node.store.intercom().bell_by_code(scope, &code).await?.ok_or(RingError::NotFound)?;
    guess.give_back();
    let typed = Label::new(code.as_str()).map_err(|_| RingError::NotFound)?;
    ring(node, scope, panel, request, Tapped { bell, member: None, typed: Some(typed), hops }).await
}

/// Rings what a door station dialled: the button of its panel that has this code, else the one that it is to ring with any
/// number, if there is one. Codes are guessed as slowly as at a panel; a station's button that dials what is no code is no guess.
///
/// # Errors
/// As [`ring`].
pub async fn dial_at_station(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
    request: RequestId,
    (dialled, hops): (&str, u8),
) -> Result<(), RingError> {
    match dial(node, scope, panel, request, (dialled, hops)).await {
        Err(RingError::NotFound) => {}
        told => return told,
    }
    let any = node.store.sip_accounts().bell_of_any_number(scope).await?;
    let bell = any.ok_or(RingError::NotFound)?;
    ring(node, scope, panel, request, Tapped { bell, member: None, typed: None, hops }).await
}

/// Whether the doorbell rings without a sound: by the clock on the building's wall.
fn is_quiet(now: Timestamp, facts: &RingFacts) -> bool {
    let wall = calendar::wall_clock(now, &facts.building.time_zone);
    facts.quiet_hours.zip(wall).is_some_and(|(quiet, wall)| quiet.cover(wall.minute))
}

/// Rings a button (or one member of a family button) from `panel`. The panel is told how it goes by
/// `call` events; a repeated `request` tells it again where its call stands.
///
/// # Errors
/// When nobody can be rung by this tap; the panel's line is free again then.
pub async fn ring(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
    request: RequestId,
    tapped: Tapped,
) -> Result<(), RingError> {
    let Tapped { bell, member, .. } = tapped;
    let call: CallId = node.random.v4();
    match node.exchange.tap(Tap { panel, request, bell, chosen: member }, call) {
        Line::New => {}
        Line::Same(same) => {
            node.exchange.tell_panel_again(panel, same, request).await;
            return Ok(());
        }
        Line::Over(call, reason) => {
            let facts = node.store.intercom().ring_facts(scope, bell).await?.ok_or(RingError::NotFound)?;
            let call =
                PanelCall { call, label: label(&facts, &tapped)?, state: PanelCallState::Ended { reason } };
            node.exchange.to_panel(panel, PanelEvent::Call { call, request: Some(request) });
            return Ok(());
        }
        Line::Busy => return Err(RingError::Busy),
    }
    let begun = begin(node, scope, call, request, &tapped).await;
    if begun.is_err() {
        node.exchange.free_line(call, EndReason::Interrupted);
    }
    begun
}

async fn begin(
    node: &Arc<Node>,
    scope: &Scope,
    call: CallId,
    request: RequestId,
    tapped: &Tapped,
) -> Result<(), RingError> {
    let chosen = tapped.member;
    let facts = node.store.intercom().ring_facts(scope, tapped.bell).await?.ok_or(RingError::NotFound)?;
    let label = label(&facts, tapped)?;
    let silent = is_quiet(node.clock.now(), &facts);
    let connected = node.exchange.connected(facts.devices.iter().map(|device| device.id));
    let registers: HashMap<DeviceId, bool> = facts
        .stations
        .iter()
        .map(|station| (station.device, node.stations.is_registered(station.device)))
        .collect();
    // one that registers can not be rung without a sound
    let rings = |device: DeviceId| match registers.get(&device) {
        Some(registered) => *registered && !silent,
        None => connected.contains(&device),
    };
    // a phone in a drawer does not keep the others quiet
    let signed_in = |device: DeviceId| registers.get(&device).copied().unwrap_or(true);
    let phones = phones(node, scope, &facts, silent);
    let rule = |person| phones.as_ref().filter(|phones| phones.callees.contains_key(&person));
    let members: Vec<Member> = facts
        .bell
        .members
        .iter()
        .map(|member| Member {
            person: member.person,
            legs: facts
                .devices
                .iter()
                .filter(|device| device.person == member.person && rings(device.id))
                .map(|device| Leg::Device(device.id))
                .collect(),
            signed_in: facts
                .devices
                .iter()
                .any(|device| device.person == member.person && signed_in(device.id)),
            phone: rule(member.person).map(|phones| phones.when),
        })
        .collect();
    let plan = RingPlan::new(facts.bell.kind, &members, chosen);
    let people = members
        .iter()
        .map(|member| member.person)
        .filter(|person| chosen.is_none_or(|chosen| chosen == *person));
    let people = people.collect();
    let callees = phones.map_or_else(HashMap::new, |phones| phones.callees);
    let hops = tapped.hops;
    let start = Start { call, request, scope: *scope, label, facts, silent, hops, plan, people, callees };
    Driver::start(node, start).map_err(|_| RingError::Overloaded)
}

/// Which ordinary phones this tap may ring. None in quiet hours: a phone can not be rung without a sound.
fn phones(node: &Node, scope: &Scope, facts: &RingFacts, silent: bool) -> Option<Reachable> {
    if silent || !node.phones.has_trunk(scope.tenant) {
        return None;
    }
    phones_of(facts)
}

/// What the visitor tapped or typed: a code (whoever guesses one learns no name), the button's text, or that of the member chosen behind a family button.
fn label(facts: &RingFacts, tapped: &Tapped) -> Result<Label, RingError> {
    if let Some(typed) = &tapped.typed {
        return Ok(typed.clone());
    }
    let Some(person) = tapped.member else { return Ok(facts.bell.label.reveal().clone()) };
    let member = facts.bell.members.iter().find(|member| member.person == person);
    let behind = member.filter(|_| facts.bell.kind == BellKind::Family);
    behind.map(|member| member.label.reveal().clone()).ok_or(RingError::NotFound)
}
