//! What a reader that is ready reports.

use super::{Reader, Trust};
use crate::reader::osdp::bus::BusEvent;
use crate::reader::osdp::channel::{Cover, Reply};
use crate::reader::osdp::words;
use crate::reader::{OfflineReason, ReaderAlarm, ReaderEvent, Reading};
use klinke_model::time::Mono;
use osdp::reply::{LStatR, ReplyCode};
use std::collections::VecDeque;

impl Reader {
    pub(super) fn report(&mut self, reply: &Reply, now: Mono, out: &mut VecDeque<BusEvent>) {
        let is_secret = reply.is(ReplyCode::Raw) || reply.is(ReplyCode::Keypad) || reply.is(ReplyCode::Fmt);
        if is_secret && self.config.trust != Trust::LegacyPlain && reply.cover != Cover::Encrypted {
            self.lose(OfflineReason::NotTrusted, Some(ReaderAlarm::NotSecure), now, out);
            return;
        }
        let reading = match ReplyCode::from_byte(reply.code) {
            Ok(ReplyCode::Raw) => words::card(&reply.data).map(Reading::Card),
            Ok(ReplyCode::Keypad) => words::keys(&reply.data).map(Reading::Keys),
            Ok(ReplyCode::LStatR) => match LStatR::decode(&reply.data) {
                Ok(status) => return self.status(status, out),
                Err(_) => None,
            },
            Ok(ReplyCode::Ack | ReplyCode::OStatR | ReplyCode::IStatR | ReplyCode::RStatR) => return,
            Ok(ReplyCode::Nak) => {
                self.faults.refused = self.faults.refused.saturating_add(1);
                return;
            }
            _ => None,
        };
        match reading {
            Some(reading) => self.tell(reading, out),
            None => self.faults.malformed = self.faults.malformed.saturating_add(1),
        }
    }

    fn status(&mut self, status: LStatR, out: &mut VecDeque<BusEvent>) {
        let (tamper, power) = (status.tamper != 0, status.power != 0);
        if std::mem::replace(&mut self.tamper, tamper) != tamper {
            self.tell(Reading::Tamper(tamper), out);
        }
        if std::mem::replace(&mut self.power, power) != power {
            self.tell(Reading::PowerFailing(power), out);
        }
    }

    pub(super) fn tell(&self, what: Reading, out: &mut VecDeque<BusEvent>) {
        out.push_back(BusEvent::Reader(ReaderEvent { reader: self.number(), what }));
    }
}
