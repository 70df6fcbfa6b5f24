//! Session timers (RFC 4028): a call whose other side vanished without a BYE ends by itself. We refresh when it is ours
//! to, and end the call when it was theirs and they did not.

use super::{Leg, Phase, invite_headers};
use crate::ground::Ground;
use crate::message::{Headers, Method};
use crate::why::Why;
use klinke_model::time::Mono;
use std::time::Duration;

/// The interval that we ask for, in seconds; the standard's recommendation.
pub(super) const USUAL: u32 = 1800;

/// The shortest interval that the standard allows, in seconds.
pub(super) const SHORTEST: u32 = 90;

/// A session with an end that is put off by refreshes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Session {
    interval: u32,
    ours: bool,
    refresh: Option<Mono>,
    end: Mono,
}

impl Session {
    /// What was agreed. `ours` is whether we refresh. An interval below what the standard allows counts as that.
    pub(super) fn new(interval: u32, ours: bool, now: Mono) -> Self {
        let interval = interval.max(SHORTEST);
        let seconds = u64::from(interval);
        // who does not refresh ends it a little before the end (section 10)
        let early = if ours { 0 } else { (seconds / 3).min(32) };
        Self {
            interval,
            ours,
            refresh: ours.then(|| now + Duration::from_secs(seconds / 2)),
            end: now + Duration::from_secs(seconds - early),
        }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        Some(self.refresh.map_or(self.end, |refresh| refresh.min(self.end)))
    }
}

/// Interval in seconds and refresher (`uac`, `uas`) of `Session-Expires`.
pub(super) fn asked(headers: &Headers) -> Option<(u32, Option<String>)> {
    let value = headers.get("Session-Expires")?;
    let refresher = crate::message::parameter(value, "refresher").map(str::to_ascii_lowercase);
    Some((headers.number("Session-Expires")?, refresher))
}

impl Leg {
    /// Takes the session of a 2xx to our INVITE or UPDATE; without the header there is none (section 7.2).
    pub(super) fn session_of(&mut self, headers: &Headers, now: Mono) {
        self.session = asked(headers).map(|(interval, refresher)| {
            let ours = refresher.as_deref() != Some("uas");
            Session::new(interval, ours, now)
        });
    }

    pub(super) fn tick_session(&mut self, ground: &mut Ground, now: Mono) {
        let Some(session) = &mut self.session else { return };
        if now >= session.end {
            self.hang_up(Why::Lost, ground, now);
        } else if session.refresh.is_some_and(|at| now >= at) {
            session.refresh = None;
            let interval = session.interval;
            self.refresh(interval, ground, now);
        }
    }

    /// Tries a refresh once more at this moment, if one is ours to do.
    pub(super) fn refresh_at(&mut self, at: Mono) {
        if let Some(session) = self.session.as_mut().filter(|session| session.ours) {
            session.refresh = Some(at);
        }
    }

    /// By UPDATE where they take it (no new offer, nothing to go wrong), else by the same offer again.
    fn refresh(&mut self, interval: u32, ground: &mut Ground, now: Mono) {
        if self.phase != Phase::Talking {
            return;
        }
        let update = self.dialog.as_ref().is_some_and(|dialog| dialog.update);
        let method = if update { Method::Update } else { Method::Invite };
        let interval = interval.max(self.min_interval);
        let Some(mut request) = self.inside(method) else { return };
        invite_headers(&mut request.headers, ground, interval, self.min_interval);
        request.headers.set("Session-Expires", format!("{interval};refresher=uac"));
        match update {
            true => request.headers = without_type(&request.headers),
            false => request.body = self.sdp.clone().into_bytes(),
        }
        let client = ground.begin(request, now);
        self.pending.push(client);
    }
}

/// Without a body there is no content type.
fn without_type(headers: &Headers) -> Headers {
    headers.without("Content-Type")
}
