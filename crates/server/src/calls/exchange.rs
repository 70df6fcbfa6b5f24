//! Who is connected and which calls go on: the one place that all connections and calls meet.
//!
//! Invariants:
//! - the lock is held for map look-ups only, never across an await;
//! - events for somebody who is not connected fall away: they get the whole state when they come back;
//! - a device hears of the calls that ring or hold it and of no other (a foreign call does not exist for it);
//! - nothing here outlives the process: no call, no opening, no time is written.

use super::driver::Message;
use crate::signalling::socket::{Closing, Line};
use klinke_calls::call::{Input, Output};
use klinke_calls::lines::{Lines, Standing, Tap, Tapped};
use klinke_calls::plan::Leg;
use klinke_model::door::{DoorMode, DoorPosition, DoorState};
use klinke_model::ids::{CallId, DeviceId, DoorId, PanelId, PersonId, RequestId};
use klinke_model::intercom::EndReason;
use klinke_wire::app::{AppCall, AppCallState, AppDoor, AppEvent};
use klinke_wire::panel::{PanelCall, PanelEvent};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Calls at once. Each holds some hundred kilobytes of media.
const CALLS: usize = 1_000;

/// Connections and calls of this server.
#[derive(Debug)]
pub struct Exchange {
    inner: Mutex<Inner>,
    presence: Arc<crate::presence::Presence>,
    /// Told after a device was signed out, whichever.
    pub signed_out: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inner {
    panels: HashMap<PanelId, Line<PanelEvent>>,
    devices: HashMap<DeviceId, Device>,
    calls: HashMap<CallId, Live>,
    lines: Lines,
    /// Which connected devices list a door, and what they were told of it.
    doors: HashMap<DoorId, Listed>,
}

#[derive(Debug)]
struct Live {
    call: mpsc::Sender<Message>,
    /// Whom it rings, now or later.
    people: Vec<PersonId>,
}

#[derive(Debug)]
struct Device {
    line: Line<AppEvent>,
    doors: Vec<AppDoor>,
}

#[derive(Debug, Default)]
struct Listed {
    devices: HashSet<DeviceId>,
    told: Option<DoorState>,
}

/// What a resident's list shows of a door: whether it works and stands open by order, not that somebody just
/// passed. Who opens for themselves sees their own opening's news.
const fn at_rest(state: DoorState) -> DoorState {
    let mode = match state.mode {
        DoorMode::Accessed => DoorMode::Locked,
        other => other,
    };
    DoorState { mode, position: DoorPosition::Unknown, alarm: state.alarm }
}

impl Exchange {
    /// An exchange that reads door states from `presence`.
    pub fn new(presence: Arc<crate::presence::Presence>) -> Self {
        Self { inner: Mutex::default(), presence, signed_out: watch::Sender::new(()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // every critical section leaves the maps whole, also when it panics
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: CallId) -> Option<mpsc::Sender<Message>> {
        self.lock().calls.get(&call).map(|live| live.call.clone())
    }

    // === panels ===

    /// A panel proved itself. A former connection of it is closed.
    pub fn panel_connected(&self, panel: PanelId, line: Line<PanelEvent>) {
        if let Some(former) = self.lock().panels.insert(panel, line) {
            former.close(Closing::Replaced);
        }
    }

    /// A door station calls, which is its panel's connection for this call. `false` while the panel is connected already.
    #[must_use]
    pub fn station_connected(&self, panel: PanelId, line: Line<PanelEvent>) -> bool {
        let panels = &mut self.lock().panels;
        let is_free = panels.get(&panel).is_none_or(Line::is_gone);
        if is_free {
            panels.insert(panel, line);
        }
        is_free
    }

    /// The call a panel is in, as it stands.
    pub async fn panel_call(&self, panel: PanelId) -> Option<PanelCall> {
        let call = self.lock().lines.at_panel(panel)?;
        let (reply, view) = oneshot::channel();
        self.call(call)?.send(Message::PanelView(reply)).await.ok()?;
        view.await.ok().flatten()
    }

    /// Tells the panel's call that the panel is there.
    pub async fn panel_back(&self, panel: PanelId) {
        self.tell_panels_call(panel, Input::PanelBack).await;
    }

    /// A panel's connection ended.
    pub async fn panel_away(&self, panel: PanelId, line: &Line<PanelEvent>) {
        let gone = {
            let mut inner = self.lock();
            let gone = inner.panels.get(&panel).is_some_and(|known| known.is(line));
            if gone {
                inner.panels.remove(&panel);
            }
            gone
        };
        if gone {
            self.tell_panels_call(panel, Input::PanelAway).await;
        }
    }

    /// Closes a panel's connection for good: its key was replaced or it was removed.
    pub fn panel_signed_out(&self, panel: PanelId) {
        if let Some(line) = self.lock().panels.get(&panel) {
            line.close(Closing::SignedOut);
        }
    }

    /// Closes a panel's connection for now: its property manager is suspended. It tries again, and keeps its key.
    pub fn panel_stopped(&self, panel: PanelId) {
        if let Some(line) = self.lock().panels.get(&panel) {
            line.close(Closing::Stopping);
        }
    }

    async fn tell_panels_call(&self, panel: PanelId, input: Input) {
        let call = self.lock().lines.at_panel(panel);
        if let Some(call) = call.and_then(|call| self.call(call)) {
            // the call may have ended meanwhile
            drop(call.send(Message::Input(input)).await);
        }
    }

    /// Sends to a panel, if it is connected.
    pub fn to_panel(&self, panel: PanelId, event: PanelEvent) {
        if let Some(line) = self.lock().panels.get(&panel) {
            line.send(event);
        }
    }

    // === devices ===

    /// A device is here. A former connection of it is closed. Returns its doors with what is known of them.
    pub fn device_connected(
        &self,
        device: DeviceId,
        line: Line<AppEvent>,
        doors: Vec<AppDoor>,
    ) -> Vec<AppDoor> {
        let mut inner = self.lock();
        let mut shown = doors.clone();
        for door in &mut shown {
            let listed = inner.doors.entry(door.door).or_default();
            if listed.devices.is_empty() {
                listed.told = self.presence.door(door.door).map(at_rest);
            }
            listed.devices.insert(device);
            door.state = listed.told;
        }
        if let Some(former) = inner.devices.insert(device, Device { line, doors }) {
            former.line.close(Closing::Replaced);
        }
        shown
    }

    /// The calls that ring or hold a device, as they stand.
    pub async fn device_calls(&self, device: DeviceId) -> Vec<AppCall> {
        let mut views = Vec::new();
        for call in self.calls_at(device) {
            let (reply, view) = oneshot::channel();
            if call.send(Message::DeviceView(device, reply)).await.is_ok()
                && let Ok(Some(view)) = view.await
            {
                views.push(view);
            }
        }
        views
    }

    /// Tells the calls of a person that a device of theirs is there: those that knew it, and those that began
    /// without it.
    pub async fn device_back(&self, device: DeviceId, person: PersonId) {
        let leg = Leg::Device(device);
        let calls: Vec<_> = {
            let mut inner = self.lock();
            let Inner { calls, lines, .. } = &mut *inner;
            let known: HashSet<CallId> = lines.at_leg(leg).into_iter().map(|(call, _)| call).collect();
            let of_person = calls.iter().filter(|(_, live)| live.people.contains(&person));
            let of_person: Vec<_> = of_person.map(|(call, live)| (*call, live.call.clone())).collect();
            for (call, _) in of_person.iter().filter(|(call, _)| !known.contains(call)) {
                lines.expect(*call, [leg]);
            }
            of_person
        };
        for (_, call) in calls {
            // the call may have ended meanwhile
            drop(call.send(Message::Input(Input::LegJoined { leg, person })).await);
        }
    }

    /// A device's connection ended.
    pub async fn device_away(&self, device: DeviceId, line: &Line<AppEvent>) {
        let gone = {
            let mut inner = self.lock();
            match inner.devices.get(&device) {
                Some(known) if known.line.is(line) => {
                    let doors = inner.devices.remove(&device).map(|device| device.doors).unwrap_or_default();
                    inner.unlist(device, &doors);
                    true
                }
                _ => false,
            }
        };
        if gone {
            for call in self.calls_at(device) {
                drop(call.send(Message::Input(Input::LegAway(Leg::Device(device)))).await);
            }
        }
    }

    /// A device was signed out: its connection closes and no call rings it any more.
    pub async fn device_signed_out(&self, device: DeviceId) {
        if let Some(known) = self.lock().devices.get(&device) {
            known.line.close(Closing::SignedOut);
        }
        for call in self.calls_at(device) {
            drop(call.send(Message::Input(Input::LegGone(Leg::Device(device)))).await);
        }
        self.signed_out.send_modify(|()| ());
    }

    /// Has a device connect anew, so that it reads what it may do now.
    pub fn device_anew(&self, device: DeviceId) {
        if let Some(known) = self.lock().devices.get(&device) {
            known.line.close(Closing::Stopping);
        }
    }

    /// Which of these devices are connected.
    pub fn connected(&self, devices: impl Iterator<Item = DeviceId>) -> HashSet<DeviceId> {
        let inner = self.lock();
        devices.filter(|device| inner.devices.contains_key(device)).collect()
    }

    /// Sends to a device, if it is connected.
    pub fn to_device(&self, device: DeviceId, event: AppEvent) {
        if let Some(known) = self.lock().devices.get(&device) {
            known.line.send(event);
        }
    }

    fn calls_at(&self, device: DeviceId) -> Vec<mpsc::Sender<Message>> {
        let inner = self.lock();
        let calls = inner.lines.at_leg(Leg::Device(device));
        calls
            .into_iter()
            .filter_map(|(call, _)| inner.calls.get(&call).map(|live| live.call.clone()))
            .collect()
    }

    /// A door's state was reported or its controller was lost: those who list it are told, if what a list shows
    /// changed.
    pub fn door_changed(&self, door: DoorId) {
        let state = self.presence.door(door).map(at_rest);
        let mut inner = self.lock();
        let Some(listed) = inner.doors.get_mut(&door) else { return };
        if listed.told == state {
            return;
        }
        listed.told = state;
        let devices: Vec<DeviceId> = listed.devices.iter().copied().collect();
        for device in devices {
            let Some(known) = inner.devices.get(&device) else { continue };
            if let Some(shown) = known.doors.iter().find(|shown| shown.door == door) {
                known.line.send(AppEvent::Door { door: AppDoor { state, ..shown.clone() } });
            }
        }
    }

    // === calls ===

    /// A tap: takes the panel's line, or says why not.
    pub fn tap(&self, tap: Tap, call: CallId) -> Tapped {
        self.lock().lines.tap(tap, call)
    }

    /// Gives a line back that no call came of.
    pub fn free_line(&self, call: CallId, reason: EndReason) {
        self.lock().lines.end(call, reason);
    }

    /// Enters a call; `None` when there are too many.
    pub fn enter(
        &self,
        call: CallId,
        legs: impl IntoIterator<Item = Leg>,
        people: Vec<PersonId>,
    ) -> Option<(mpsc::Sender<Message>, mpsc::Receiver<Message>)> {
        let mut inner = self.lock();
        if inner.calls.len() >= CALLS {
            return None;
        }
        let (sender, messages) = mpsc::channel(64);
        inner.calls.insert(call, Live { call: sender.clone(), people });
        inner.lines.expect(call, legs);
        Some((sender, messages))
    }

    /// Keeps the lines in step with a call's output. Another call that the answering device was in is hung up.
    pub fn follow(&self, call: CallId, output: &Output) {
        let mut inner = self.lock();
        let Some(earlier) = inner.lines.follow(call, output) else { return };
        let (Output::Bridge(leg), Some(earlier)) = (output, inner.calls.get(&earlier)) else { return };
        // the earlier call has an empty queue in all but a flood; its leg's reload time ends it otherwise
        drop(earlier.call.try_send(Message::Input(Input::LegHungUp(*leg))));
    }

    /// A call's task is over. Whoever still rings or talks in it (the task failed) is told that it was interrupted.
    pub fn leave(&self, call: CallId) {
        let mut inner = self.lock();
        inner.calls.remove(&call);
        let left = inner.lines.legs_of(call);
        inner.lines.end(call, EndReason::Interrupted);
        for (leg, standing) in left {
            // an ordinary phone is hung up when its driver is gone
            let Leg::Device(device) = leg else { continue };
            if let Some(known) = inner.devices.get(&device).filter(|_| standing != Standing::Planned) {
                let state = AppCallState::Ended { reason: EndReason::Interrupted };
                known.line.send(AppEvent::Call { call, state });
            }
        }
    }

    /// To the call that a panel is in; false when it is in no such call.
    pub async fn tell_from_panel(&self, panel: PanelId, call: CallId, message: Message) -> bool {
        let known = self.lock().lines.at_panel(panel) == Some(call);
        match self.call(call).filter(|_| known) {
            Some(call) => call.send(message).await.is_ok(),
            None => false,
        }
    }

    /// To a call that rings or holds a device; false when it is none of those.
    pub async fn tell_from_device(&self, device: DeviceId, call: CallId, message: Message) -> bool {
        match self.call_of_device(device, call) {
            Some(call) => call.send(message).await.is_ok(),
            None => false,
        }
    }

    fn call_of_device(&self, device: DeviceId, call: CallId) -> Option<mpsc::Sender<Message>> {
        let inner = self.lock();
        let rung = |(known, standing): &(CallId, Standing)| *known == call && *standing != Standing::Planned;
        inner.lines.at_leg(Leg::Device(device)).iter().find(|at| rung(at))?;
        inner.calls.get(&call).map(|live| live.call.clone())
    }

    /// Media news for a call.
    pub async fn tell(&self, call: CallId, message: Message) {
        if let Some(call) = self.call(call) {
            drop(call.send(message).await);
        }
    }

    /// Answers a repeated tap with where its call stands.
    pub async fn tell_panel_again(&self, panel: PanelId, call: CallId, request: RequestId) {
        let Some(sender) = self.call(call) else { return };
        let (reply, view) = oneshot::channel();
        if sender.send(Message::PanelView(reply)).await.is_ok()
            && let Ok(Some(call)) = view.await
        {
            self.to_panel(panel, PanelEvent::Call { call, request: Some(request) });
        }
    }

    /// Ends every call and connection; the server stops.
    pub async fn stop(&self) {
        let (calls, panels, devices) = {
            let inner = self.lock();
            (
                inner.calls.values().map(|live| live.call.clone()).collect::<Vec<_>>(),
                inner.panels.values().cloned().collect::<Vec<_>>(),
                inner.devices.values().map(|device| device.line.clone()).collect::<Vec<_>>(),
            )
        };
        for call in calls {
            drop(call.send(Message::Input(Input::Shutdown)).await);
            call.closed().await;
        }
        panels.iter().for_each(|line| line.close(Closing::Stopping));
        devices.iter().for_each(|line| line.close(Closing::Stopping));
    }
}

impl Inner {
    fn unlist(&mut self, device: DeviceId, doors: &[AppDoor]) {
        for door in doors {
            if let Some(listed) = self.doors.get_mut(&door.door) {
                listed.devices.remove(&device);
                if listed.devices.is_empty() {
                    self.doors.remove(&door.door);
                }
            }
        }
    }
}
