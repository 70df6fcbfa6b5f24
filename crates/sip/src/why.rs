//! How a leg ended, in kinds that people understand. The number of the status is the trunk's business.

use crate::message::Response;

/// Why a leg is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The phone hung up.
    TheyHungUp,
    /// We hung up.
    WeHungUp,
    /// The phone is in use.
    Busy,
    /// Nobody took it, or it is switched off.
    NoAnswer,
    /// Somebody pressed "decline".
    Declined,
    /// There is no such number.
    NoSuchNumber,
    /// The number is another one now. We do not follow: a diverted call is not the number that was verified.
    Moved,
    /// Phone and we have no codec or no way of media in common.
    NoCommonMedia,
    /// The trunk does not take calls from us, or not this one.
    Refused,
    /// The trunk has no free line or does not work.
    TrunkBusy,
    /// The trunk does not answer at all.
    Unreachable,
    /// The call was as long as calls may be.
    Limit,
    /// The call broke off: the other side no longer knows it or no longer answers.
    Lost,
    /// What the other side said makes no sense.
    Broken,
}

impl Why {
    /// What a final response to our INVITE means.
    pub(crate) fn of(response: &Response) -> Self {
        match response.status {
            300..=399 => Self::Moved,
            401 | 402 | 403 | 407 | 433 => Self::Refused,
            404 | 410 | 414 | 416 | 484 | 485 | 604 => Self::NoSuchNumber,
            // 487 without a CANCEL of ours: somebody between us and the phone gave up
            408 | 480 | 487 => Self::NoAnswer,
            406 | 415 | 488 | 606 => Self::NoCommonMedia,
            486 | 600 => Self::Busy,
            603 | 607 | 608 => Self::Declined,
            420..=423 | 481..=483 | 493 | 494 | 501 | 505 | 513 | 580 => Self::Broken,
            500..=599 => Self::TrunkBusy,
            _ => Self::Refused,
        }
    }

    /// Whether the next trunk may do better: this one did not get as far as the phone.
    pub(crate) fn another_may(self) -> bool {
        matches!(self, Self::Refused | Self::TrunkBusy | Self::Unreachable | Self::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Response};

    #[test]
    fn every_status_has_its_reason() {
        for (status, why, another) in [
            (301, Why::Moved, false),
            (302, Why::Moved, false),
            (400, Why::Refused, true),
            (403, Why::Refused, true),
            (404, Why::NoSuchNumber, false),
            (408, Why::NoAnswer, false),
            (410, Why::NoSuchNumber, false),
            (415, Why::NoCommonMedia, false),
            (480, Why::NoAnswer, false),
            (484, Why::NoSuchNumber, false),
            (486, Why::Busy, false),
            (487, Why::NoAnswer, false),
            (488, Why::NoCommonMedia, false),
            (500, Why::TrunkBusy, true),
            (502, Why::TrunkBusy, true),
            (503, Why::TrunkBusy, true),
            (505, Why::Broken, true),
            (600, Why::Busy, false),
            (603, Why::Declined, false),
            (604, Why::NoSuchNumber, false),
            (606, Why::NoCommonMedia, false),
            (699, Why::Refused, true),
        ] {
            let response =
                Response { status, words: String::new(), headers: Headers::default(), body: Vec::new() };
            assert_eq!((Why::of(&response), Why::of(&response).another_may()), (why, another), "{status}");
        }
    }
}
