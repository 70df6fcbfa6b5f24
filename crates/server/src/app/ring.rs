//! A visitor taps a name: one read of the button, a ring plan of the devices that are connected, a call.

use crate::calls::driver::{Driver, Start};
use crate::node::Node;
use klinke_calls::lines::{Tap, Tapped};
use klinke_calls::plan::{Leg, Member, RingPlan};
use klinke_model::ids::{BellId, CallId, PanelId, PersonId, RequestId};
use klinke_model::intercom::{BellKind, EndReason};
use klinke_model::scope::Scope;
use klinke_model::text::Label;
use klinke_storage::record::RingFacts;
use klinke_wire::panel::{PanelCall, PanelCallState, PanelEvent};
use std::sync::Arc;

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

/// Rings `bell` (or one `member` of a family button) from `panel`. The panel is told how it goes by
/// `call` events; a repeated `request` tells it again where its call stands.
///
/// # Errors
/// When nobody can be rung by this tap; the panel's line is free again then.
pub async fn ring(
    node: &Arc<Node>,
    scope: &Scope,
    panel: PanelId,
    request: RequestId,
    bell: BellId,
    member: Option<PersonId>,
) -> Result<(), RingError> {
    let call: CallId = node.random.v4();
    match node.exchange.tap(Tap { panel, request, bell, chosen: member }, call) {
        Tapped::New => {}
        Tapped::Same(same) => {
            node.exchange.tell_panel_again(panel, same, request).await;
            return Ok(());
        }
        Tapped::Over(call, reason) => {
            let facts = node.store.intercom().ring_facts(scope, bell).await?.ok_or(RingError::NotFound)?;
            let call =
                PanelCall { call, label: label(&facts, member)?, state: PanelCallState::Ended { reason } };
            node.exchange.to_panel(panel, PanelEvent::Call { call, request: Some(request) });
            return Ok(());
        }
        Tapped::Busy => return Err(RingError::Busy),
    }
    let begun = begin(node, scope, call, request, bell, member).await;
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
    bell: BellId,
    chosen: Option<PersonId>,
) -> Result<(), RingError> {
    let facts = node.store.intercom().ring_facts(scope, bell).await?.ok_or(RingError::NotFound)?;
    let label = label(&facts, chosen)?;
    let connected = node.exchange.connected(facts.devices.iter().map(|device| device.id));
    let members: Vec<Member> = facts
        .bell
        .members
        .iter()
        .map(|member| Member {
            person: member.person,
            legs: facts
                .devices
                .iter()
                .filter(|device| device.person == member.person && connected.contains(&device.id))
                .map(|device| Leg::Device(device.id))
                .collect(),
        })
        .collect();
    let plan = RingPlan::new(facts.bell.kind, &members, chosen);
    let people = members
        .iter()
        .map(|member| member.person)
        .filter(|person| chosen.is_none_or(|chosen| chosen == *person));
    let people = people.collect();
    let start = Start { call, request, scope: *scope, label, facts, plan, people };
    Driver::start(node, start).map_err(|_| RingError::Overloaded)
}

/// What the visitor tapped: the button's text, or that of the member chosen behind a family button.
fn label(facts: &RingFacts, chosen: Option<PersonId>) -> Result<Label, RingError> {
    let Some(person) = chosen else { return Ok(facts.bell.label.reveal().clone()) };
    let member = facts.bell.members.iter().find(|member| member.person == person);
    let behind = member.filter(|_| facts.bell.kind == BellKind::Family);
    behind.map(|member| member.label.reveal().clone()).ok_or(RingError::NotFound)
}
