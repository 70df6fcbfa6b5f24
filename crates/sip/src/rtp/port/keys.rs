//! The keys of one line of sound or picture: what goes out is encrypted with ours, what comes in counts only if it was with theirs.

use crate::rtp::srtp::{Incoming, Outgoing};
use crate::sdp::Keys;
use std::borrow::Cow;

/// Keys as both sides agreed, or none.
#[derive(Debug, Default)]
pub(crate) struct LineKeys {
    /// One for each key of ours that was agreed on, the one in force last. None is forgotten: under a key that comes
    /// back, numbers go on.
    ours: Vec<Outgoing>,
    /// Theirs that is in force.
    theirs: Option<Incoming>,
}

impl LineKeys {
    /// Both sides agreed (again); `false` when the keys can not be used: those before stay in force.
    #[must_use]
    pub fn agree(&mut self, keys: Option<&Keys>) -> bool {
        let Some(keys) = keys else {
            self.theirs = None;
            return true;
        };
        let Some((ours, theirs)) = self.made(keys) else { return false };
        match ours {
            Some(ours) => self.ours.push(ours),
            // the one in force stands last
            None => self.ours.sort_by_key(|ours| ours.is_of(&keys.ours)),
        }
        if theirs.is_some() {
            self.theirs = theirs;
        }
        true
    }

    /// What is not there yet for these keys; `None` when it can not be made.
    fn made(&self, keys: &Keys) -> Option<(Option<Outgoing>, Option<Incoming>)> {
        let ours = match self.ours.iter().any(|ours| ours.is_of(&keys.ours)) {
            true => None,
            false => Some(Outgoing::new(&keys.ours)?),
        };
        let theirs = match self.theirs.as_ref().is_some_and(|theirs| theirs.is_of(&keys.theirs)) {
            true => None,
            false => Some(Incoming::new(&keys.theirs)?),
        };
        Some((ours, theirs))
    }

    /// A packet as it goes out; none when it may not.
    pub fn rtp_out(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        match self.sealing() {
            None => Some(packet),
            Some(ours) => ours.rtp(&packet),
        }
    }

    /// Reports as they go out.
    pub fn rtcp_out(&mut self, reports: Vec<u8>) -> Option<Vec<u8>> {
        match self.sealing() {
            None => Some(reports),
            Some(ours) => ours.rtcp(&reports),
        }
    }

    /// The packet that came; none when it is not theirs.
    pub fn rtp_in<'a>(&mut self, datagram: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &mut self.theirs {
            None => Some(Cow::Borrowed(datagram)),
            Some(theirs) => theirs.rtp(datagram).map(Cow::Owned),
        }
    }

    /// The reports that came.
    pub fn rtcp_in<'a>(&mut self, datagram: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &mut self.theirs {
            None => Some(Cow::Borrowed(datagram)),
            Some(theirs) => theirs.rtcp(datagram).map(Cow::Owned),
        }
    }

    /// Ours that is in force: both sides are encrypted or none.
    fn sealing(&mut self) -> Option<&mut Outgoing> {
        self.ours.last_mut().filter(|_| self.theirs.is_some())
    }
}
