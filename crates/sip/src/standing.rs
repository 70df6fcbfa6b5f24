//! How we stand with a trunk: registered there, or known to be reachable where there is nothing to register. Without IO.
//!
//! A trunk with registration gets REGISTER, again at four fifths of what it grants. One without gets OPTIONS every minute:
//! any answer will do. What fails is tried again, at pauses that double from 2 s to 5 min.

use crate::client::{Client, Tick};
use crate::ground::{Ground, hop};
use crate::message::{Method, Request, Response};
use klinke_model::time::Mono;
use std::time::Duration;

/// What a trunk's state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not known yet: it was just set up.
    Starting,
    /// Registered, or reachable where nothing is to be registered.
    Ready,
    /// It answers, and does not want us.
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its words for it, at most 80 letters, none of them a control character.
        words: String,
    },
    /// It does not answer, or there is no way to it.
    Unreachable,
}

/// For how long a registration is asked for, in seconds.
const ASKED: u32 = 300;

/// Pause between two looks whether a trunk is there.
const LOOK: Duration = Duration::from_secs(60);

const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

pub(crate) struct Standing {
    /// `sip:example.org`.
    domain: String,
    /// The address that is registered; `None` where there is no registration.
    user: Option<String>,
    call: String,
    tag: String,
    cseq: u32,
    asked: u32,
    waiting: Option<Client>,
    next: Option<Mono>,
    pause: Duration,
    leaving: bool,
    pub state: State,
}

impl Standing {
    pub(crate) fn new(domain: &str, user: Option<String>, ground: &mut Ground, now: Mono) -> Self {
        Self {
            domain: format!("sip:{domain}"),
            user,
            call: ground.tokens.fresh(),
            tag: ground.tokens.fresh(),
            cseq: 0,
            asked: ASKED,
            waiting: None,
            next: Some(now),
            pause: FIRST_PAUSE,
            leaving: false,
            state: State::Starting,
        }
    }

    /// Takes the registration back. [`Self::has_left`] tells when that is answered.
    pub(crate) fn leave(&mut self, ground: &mut Ground, now: Mono) {
        self.leaving = true;
        self.next = None;
        self.waiting = None;
        if self.user.is_some() && self.state == State::Ready {
            self.ask(ground, now);
        }
    }

    pub(crate) fn has_left(&self) -> bool {
        self.leaving && self.waiting.is_none()
    }

    fn ask(&mut self, ground: &mut Ground, now: Mono) {
        self.cseq += 1;
        let method = if self.user.is_some() { Method::Register } else { Method::Options };
        let us = match &self.user {
            Some(user) => format!("<{user}>"),
            None => ground.contact.clone(),
        };
        let to = if self.user.is_some() { us.clone() } else { format!("<{}>", self.domain) };
        let from = format!("{us};tag={}", self.tag);
        let mut headers = Ground::headers(&from, &to, &self.call, self.cseq, method);
        headers.push("Contact", ground.contact.as_str());
        if self.user.is_some() {
            let expires = if self.leaving { 0 } else { self.asked };
            headers.push("Expires", expires.to_string());
        }
        let request = Request { method, uri: self.domain.clone(), headers, body: Vec::new() };
        self.waiting = Some(ground.begin(request, now));
        self.next = None;
    }

    pub(crate) fn is_for(&self, response: &Response) -> bool {
        self.waiting.as_ref().is_some_and(|client| client.is_for(response))
    }

    pub(crate) fn response(&mut self, response: &Response, ground: &mut Ground, now: Mono) {
        if response.status < 200 {
            if let Some(client) = &mut self.waiting {
                client.provisional();
            }
            return;
        }
        let Some(client) = self.waiting.take() else { return };
        if let Some(again) = ground.answer(&client, response, self.cseq + 1, now) {
            self.cseq += 1;
            self.waiting = Some(again);
            return;
        }
        if self.leaving {
            return;
        }
        match response.status {
            200..300 if self.user.is_some() => {
                self.state = State::Ready;
                self.pause = FIRST_PAUSE;
                let granted = u64::from(granted(response).unwrap_or(self.asked)).max(10);
                self.next = Some(now + Duration::from_secs(granted * 4 / 5));
            }
            423 => {
                let min = response.headers.number("Min-Expires").unwrap_or(ASKED * 2);
                if min > self.asked {
                    self.asked = min.min(86_400);
                    self.next = Some(now);
                } else {
                    self.refused(response, now);
                }
            }
            // it answers OPTIONS: that is all we wanted to know, but for being told to go away or that it is overloaded
            _ if self.user.is_none() && !matches!(response.status, 401 | 403 | 407 | 500..) => {
                self.state = State::Ready;
                self.pause = FIRST_PAUSE;
                self.next = Some(now + LOOK);
            }
            _ => self.refused(response, now),
        }
    }

    fn refused(&mut self, response: &Response, now: Mono) {
        let words = response.words.chars().filter(|letter| !letter.is_control()).take(80).collect();
        self.state = State::Refused { status: response.status, words };
        self.later(now);
    }

    fn later(&mut self, now: Mono) {
        self.next = Some(now + self.pause);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
    }

    /// There is a way to the trunk, maybe a new one: asks at once.
    pub(crate) fn restart(&mut self, now: Mono) {
        if !self.leaving {
            (self.waiting, self.next) = (None, Some(now));
        }
    }

    /// There is no way to the trunk.
    pub(crate) fn way_lost(&mut self, now: Mono) {
        self.waiting = None;
        self.state = State::Unreachable;
        self.next = None;
        if !self.leaving {
            self.later(now);
        }
    }

    pub(crate) fn due(&self) -> Option<Mono> {
        let waiting = self.waiting.as_ref().and_then(Client::due);
        [waiting, self.next].into_iter().flatten().min()
    }

    pub(crate) fn tick(&mut self, ground: &mut Ground, now: Mono) {
        match self.waiting.as_mut().and_then(|client| client.tick(now)) {
            Some(Tick::Again(bytes)) => {
                let to = self.waiting.as_ref().and_then(|client| hop(&client.request));
                ground.send(bytes, to);
            }
            Some(Tick::TimedOut) => self.way_lost(now),
            None => {}
        }
        if self.next.is_some_and(|next| now >= next) {
            self.ask(ground, now);
        }
    }
}

/// For how many seconds a registration holds: of our contact, else of all.
fn granted(response: &Response) -> Option<u32> {
    let contacts = response.headers.list("Contact");
    let of_ours = contacts
        .iter()
        .filter_map(|contact| crate::message::parameter(contact, "expires")?.parse().ok())
        .min();
    of_ours.or_else(|| response.headers.number("Expires"))
}

#[cfg(test)]
#[path = "standing/tests.rs"]
mod tests;
