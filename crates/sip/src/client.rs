//! One request of ours until its final response (client transactions, RFC 3261 section 17.1 with RFC 6026). Without IO:
//! `send` and `tick` say what goes out.
//!
//! Invariant: what is sent again is the same bytes, and nothing is sent after a final response.

use crate::message::{Method, Request, Response};
use klinke_model::time::Mono;
use std::time::Duration;

/// What a way to a trunk means for sending.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The estimate of a round trip, RFC 3261's T1; 500 ms by the standard.
    pub t1: Duration,
    /// TCP and TLS repeat by themselves.
    pub reliable: bool,
}

impl Pace {
    /// How long an answer is waited for: 64 T1.
    pub(crate) fn patience(self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// The longest pause between repetitions, T2.
    pub(crate) fn longest(self) -> Duration {
        self.t1.saturating_mul(8)
    }
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Client {
    pub request: Request,
    bytes: Vec<u8>,
    pace: Pace,
    again: Option<Mono>,
    pause: Duration,
    until: Option<Mono>,
    /// A provisional response came.
    pub heard: bool,
    /// How many challenges this request has answered.
    pub answered: u8,
    /// The realms whose challenge it has answered.
    pub realms: Vec<String>,
}

/// What time has brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Send these bytes again.
    Again(Vec<u8>),
    /// No final response came in time.
    TimedOut,
}

impl Client {
    /// Begins: its bytes are to be sent now.
    pub(crate) fn new(request: Request, pace: Pace, now: Mono) -> Self {
        let bytes = request.write();
        Self {
            request,
            bytes,
            pace,
            again: (!pace.reliable).then(|| now + pace.t1),
            pause: pace.t1,
            until: Some(now + pace.patience()),
            heard: false,
            answered: 0,
            realms: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Whether a response is to this request: its branch and method (section 17.1.3).
    pub(crate) fn is_for(&self, response: &Response) -> bool {
        let headers = &response.headers;
        headers.branch().is_some_and(|branch| Some(branch) == self.request.headers.branch())
            && headers.cseq().is_some_and(|(_, method)| method == self.request.method.name())
    }

    /// A provisional response came.
    pub(crate) fn provisional(&mut self) {
        self.heard = true;
        if self.request.method == Method::Invite {
            // who rings how long is the leg's
            (self.again, self.until) = (None, None);
        } else {
            self.pause = self.pace.longest();
        }
    }

    /// Sends it no more; an answer is still waited for.
    pub(crate) fn fall_silent(&mut self) {
        self.again = None;
    }

    /// When [`Self::tick`] wants to be asked next.
    pub(crate) fn due(&self) -> Option<Mono> {
        [self.again, self.until].into_iter().flatten().min()
    }

    pub(crate) fn tick(&mut self, now: Mono) -> Option<Tick> {
        if self.until.is_some_and(|until| now >= until) {
            (self.again, self.until) = (None, None);
            return Some(Tick::TimedOut);
        }
        if self.again.is_none_or(|again| now < again) {
            return None;
        }
        self.pause = self.pause.saturating_mul(2);
        if self.request.method != Method::Invite {
            self.pause = self.pause.min(self.pace.longest());
        }
        self.again = Some(now + self.pause);
        Some(Tick::Again(self.bytes()))
    }

    /// The acknowledgement of a final response that is no success: part of the same transaction (section 17.1.1.3).
    pub(crate) fn ack(&self, response: &Response) -> Vec<u8> {
        let mut ack = Request {
            method: Method::Ack,
            uri: self.request.uri.clone(),
            headers: crate::message::Headers::default(),
            body: Vec::new(),
        };
        let ours = &self.request.headers;
        if let Some(via) = ours.get("Via") {
            ack.headers.push("Via", via);
        }
        for name in ["Route", "Max-Forwards", "From"] {
            for value in ours.all(name) {
                ack.headers.push(name, value);
            }
        }
        ack.headers.push("To", response.headers.get("To").or(ours.get("To")).unwrap_or_default());
        ack.headers.push("Call-ID", ours.get("Call-ID").unwrap_or_default());
        let number = ours.cseq().map_or(1, |(number, _)| number);
        ack.headers.push("CSeq", format!("{number} ACK"));
        ack.write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Headers;

    fn request(method: Method) -> Request {
        let mut headers = Headers::default();
        headers.push("Via", "SIP/2.0/UDP h;branch=z9hG4bKa");
        headers.push("CSeq", format!("1 {}", method.name()));
        Request { method, uri: "sip:x".into(), headers, body: Vec::new() }
    }

    fn times(method: Method, reliable: bool, provisional_at: Option<u64>) -> (Vec<u64>, Option<u64>) {
        let pace = Pace { t1: Duration::from_millis(500), reliable };
        let mut client = Client::new(request(method), pace, Mono::from_millis(0));
        let (mut sent, mut over) = (vec![0], None);
        while let Some(due) = client.due() {
            if provisional_at.is_some_and(|at| !client.heard && at < due.as_millis()) {
                client.provisional();
                continue;
            }
            match client.tick(due) {
                Some(Tick::Again(bytes)) => {
                    assert_eq!(bytes, client.bytes());
                    sent.push(due.as_millis());
                }
                Some(Tick::TimedOut) => over = Some(due.as_millis()),
                None => panic!("due without a reason"),
            }
        }
        (sent, over)
    }

    #[test]
    fn an_invite_is_repeated_at_doubling_pauses_for_32_seconds() {
        assert_eq!(
            times(Method::Invite, false, None),
            (vec![0, 500, 1500, 3500, 7500, 15_500, 31_500], Some(32_000))
        );
        assert_eq!(times(Method::Invite, true, None), (vec![0], Some(32_000)));
        assert_eq!(times(Method::Invite, false, Some(700)), (vec![0, 500], None));
    }

    #[test]
    fn other_requests_are_repeated_every_four_seconds_at_most() {
        let all = vec![0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
        assert_eq!(times(Method::Bye, false, None), (all, Some(32_000)));
        // a provisional response does not end the repetitions, nor the wait
        let slow = vec![0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500];
        assert_eq!(times(Method::Bye, false, Some(700)), (slow, Some(32_000)));
    }
}
