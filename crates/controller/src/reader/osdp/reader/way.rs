//! The way of a reader from its first answer to ready, and of a new one to its key.

use super::{Identity, KeyingFailure, Reader, Step, Trust};
use crate::reader::osdp::Entropy;
use crate::reader::osdp::bus::BusEvent;
use crate::reader::osdp::channel::Reply;
use crate::reader::osdp::key::ReaderKey;
use crate::reader::{OfflineReason, ReaderAlarm, Reading};
use klinke_model::time::Mono;
use osdp::reply::{PdId, ReplyCode};
use std::collections::VecDeque;

impl Reader {
    /// Somebody answers. Who it says it is counts only where nobody has to prove it.
    pub(super) fn greeted(&mut self, reply: &Reply, now: Mono, out: &mut VecDeque<BusEvent>) {
        if self.session_key().is_some() {
            self.step = Step::Challenge;
            self.session_began = now;
            self.frames = 0;
            return;
        }
        match identity(reply) {
            Some(found) if self.is_the_one(found) => {
                self.pin(found, out);
                self.step = Step::ReadStatus;
                self.session_began = now;
                self.frames = 0;
            }
            Some(_) => self.lose(OfflineReason::NotTrusted, Some(ReaderAlarm::OtherReader), now, out),
            None => self.lose(OfflineReason::NotTrusted, None, now, out),
        }
    }

    pub(super) fn identified(
        &mut self,
        reply: &Reply,
        now: Mono,
        entropy: &mut Entropy,
        out: &mut VecDeque<BusEvent>,
    ) {
        let Some(found) = identity(reply) else {
            self.fail(now);
            return;
        };
        let Some(keying) = &mut self.keying else {
            if self.is_the_one(found) {
                self.pin(found, out);
                self.step = Step::ReadStatus;
            } else {
                self.lose(OfflineReason::NotTrusted, Some(ReaderAlarm::OtherReader), now, out);
            }
            return;
        };
        if keying.expected.is_some_and(|expected| expected != found) {
            self.end_keying(KeyingFailure::OtherReader, now, out);
            return;
        }
        // from here on only this one, whoever answers next
        keying.expected = Some(found);
        let key = match &keying.key {
            Some(key) => Some(key.clone()),
            None => entropy().and_then(|bytes| ReaderKey::new(bytes).ok()),
        };
        let Some(key) = key else {
            self.fail(now);
            return;
        };
        keying.key = Some(key.clone());
        self.step = Step::AwaitStored;
        out.push_back(BusEvent::KeyMade { reader: self.config.reader, identity: found, key });
    }

    pub(super) fn key_set(&mut self, reply: &Reply, now: Mono, out: &mut VecDeque<BusEvent>) {
        let taken = self.keying.take().filter(|_| reply.is(ReplyCode::Ack));
        let Some((key, identity)) = taken.and_then(|keying| Some((keying.key?, keying.expected?))) else {
            self.end_keying(KeyingFailure::NotTaken, now, out);
            return;
        };
        self.config.trust = Trust::Key(key);
        self.config.identity = Some(identity);
        self.is_key_fresh = true;
        self.restart(now);
    }

    pub(super) fn status_read(&mut self, reply: &Reply, now: Mono, out: &mut VecDeque<BusEvent>) {
        self.step = Step::Ready;
        if self.told != Some(true) {
            self.told = Some(true);
            self.alarmed.clear();
            (self.tamper, self.power) = (false, false);
            self.tell(Reading::Online, out);
        }
        if std::mem::take(&mut self.is_key_fresh) {
            out.push_back(BusEvent::Keyed { reader: self.number() });
        }
        // a reader without this command is one whose housing is not watched
        if reply.is(ReplyCode::LStatR) {
            self.report(reply, now, out);
        }
    }

    fn is_the_one(&self, found: Identity) -> bool {
        self.config.identity.is_none_or(|pinned| pinned == found)
    }

    fn pin(&mut self, found: Identity, out: &mut VecDeque<BusEvent>) {
        if self.config.identity.replace(found).is_none() {
            out.push_back(BusEvent::Identified { reader: self.number(), identity: found });
        }
    }
}

fn identity(reply: &Reply) -> Option<Identity> {
    let found = PdId::decode(&reply.data).ok().filter(|_| reply.is(ReplyCode::PdId))?;
    Some(Identity { vendor: found.vendor_oui, serial: found.serial })
}
