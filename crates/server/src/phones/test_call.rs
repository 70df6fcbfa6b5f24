//! A call that an administrator makes to see whether a trunk works, step by step.
//!
//! ```text
//! begin: INVITE ─▶ rings ─▶ picked up: "this is a test, press a key" ─▶ a key: "thank you" ─▶ BYE
//!                                        └ three times without a key ─▶ BYE
//! ```
//!
//! Invariants
//! - It goes over the trunk that is tested and no other, counts against the limits as every call does, and ends by itself.
//! - One at a time for each administrator: another one takes its place, and the phone from before is hung up.
//! - How it went is in memory only, for who began it, and for [`KEPT`] after its end. The number is in none of it.

use super::invite::{Invited, NotInvited, Wanted, has_tones, invite, start};
use crate::node::Node;
use klinke_model::contact::Language;
use klinke_model::ids::{PersonId, TenantId, TrunkId};
use klinke_model::time::{Clock, Mono};
use klinke_sip::agent::{Event, HOPS, Leg};
use klinke_sip::dial::Number;
use klinke_sip::dtmf::{Digit, Way};
use klinke_sip::rtp::port::{Line, News};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_sip::why::Why;
use klinke_voice::{Rate, Said};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long it rings.
const RING: Duration = Duration::from_secs(45);
/// How long it is held.
const HOLD: Duration = Duration::from_secs(60);
/// Between two times that a key is asked for.
const AGAIN: Duration = Duration::from_secs(4);
/// How often a key is asked for.
const ASKS: u8 = 3;
/// How long it is told how one went.
const KEPT: Duration = Duration::from_secs(600);

/// Who tests what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tester {
    /// Whose trunk.
    pub tenant: TenantId,
    /// The administrator.
    pub person: PersonId,
}

/// How a test call is to be made.
pub struct Wish {
    /// Over which.
    pub trunk: TrunkId,
    /// Where.
    pub number: Number,
    /// What is spoken.
    pub language: Language,
}

/// How a test call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// No other has it.
    pub id: Uuid,
    /// Over which it goes.
    pub trunk: TrunkId,
    /// The phone rings, or rang.
    pub rang: bool,
    /// It was picked up.
    pub answered: bool,
    /// Whether the sound is encrypted; not known before it was picked up.
    pub encrypted: Option<bool>,
    /// Nothing comes from the phone.
    pub one_way: bool,
    /// The key that came, and how.
    pub key: Option<(Digit, Way)>,
    /// How it ended.
    pub ended: Option<Ended>,
}

/// How a test call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A key came: all of it works.
    Done,
    /// It was picked up, and no key came.
    NoKey,
    /// What the phone answered leaves no sound to have.
    NoSound,
    /// The administrator ended it.
    GivenUp,
    /// By the trunk or the phone.
    Because(Why),
}

/// The test calls of a server.
#[derive(Default)]
pub struct TestCalls(Mutex<HashMap<Tester, One>>);

struct One {
    seen: Seen,
    /// Hangs it up.
    stop: CancellationToken,
    /// When it is forgotten, once it has ended.
    until: Option<Mono>,
}

impl TestCalls {
    /// How the newest one of somebody goes, or went.
    pub fn seen(&self, who: Tester, clock: &dyn Clock) -> Option<Seen> {
        let now = clock.mono();
        let one = self.lock();
        let one = one.get(&who).filter(|one| one.until.is_none_or(|until| now < until))?;
        Some(one.seen.clone())
    }

    /// Ends the one of somebody over this trunk, if it goes on.
    pub fn give_up(&self, who: Tester, trunk: TrunkId) {
        if let Some(one) = self.lock().get(&who).filter(|one| one.seen.trunk == trunk) {
            one.stop.cancel();
        }
    }

    fn begin(&self, who: Tester, seen: Seen, now: Mono) -> CancellationToken {
        let stop = CancellationToken::new();
        let mut ones = self.lock();
        ones.retain(|_, one| one.until.is_none_or(|until| now < until));
        if let Some(before) = ones.insert(who, One { seen, stop: stop.clone(), until: None }) {
            before.stop.cancel();
        }
        stop
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Tester, One>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One test call, to tell of.
#[derive(Clone, Copy)]
struct Told<'a> {
    node: &'a Node,
    who: Tester,
    id: Uuid,
}

impl Told<'_> {
    /// Unless another one took its place.
    fn tell(self, change: impl FnOnce(&mut Seen)) {
        let mut ones = self.node.test_calls.lock();
        if let Some(one) = ones.get_mut(&self.who).filter(|one| one.seen.id == self.id) {
            change(&mut one.seen);
            if one.seen.ended.is_some() {
                one.until = Some(self.node.clock.mono() + KEPT);
            }
        }
    }
}

/// Begins one, in the place of one that this administrator has going.
///
/// # Errors
/// [`NotInvited`]: nothing rings.
pub async fn begin(node: &Arc<Node>, who: Tester, wish: Wish) -> Result<Seen, NotInvited> {
    let Wish { trunk, number, language } = wish;
    let (changes, changed) = mpsc::unbounded_channel();
    let wanted = Wanted {
        tenant: who.tenant,
        building: None,
        over: Some(trunk),
        number,
        ring: RING,
        hold: HOLD,
        hops: HOPS,
    };
    let invited = invite(node, wanted, changes).await?;
    let seen = Seen {
        id: node.random.v4(),
        trunk,
        rang: false,
        answered: false,
        encrypted: None,
        one_way: false,
        key: None,
        ended: None,
    };
    let stop = node.test_calls.begin(who, seen.clone(), node.clock.mono());
    let (own, id) = (Arc::clone(node), seen.id);
    node.tasks.spawn(async move {
        let told = Told { node: &own, who, id };
        // dropped, it is hung up
        let ended = stop.run_until_cancelled(call(told, language, invited, changed)).await;
        told.tell(|seen| seen.ended = Some(ended.unwrap_or(Ended::GivenUp)));
    });
    Ok(seen)
}

async fn call(
    told: Told<'_>,
    language: Language,
    mut invited: Invited,
    mut changed: mpsc::UnboundedReceiver<Agreed>,
) -> Ended {
    let answer = loop {
        match invited.sip.event().await {
            Some(Event::Ringing) => told.tell(|seen| seen.rang = true),
            Some(Event::Answered { sdp }) => break sdp,
            Some(Event::Ended(why)) => return Ended::Because(why),
            None => return Ended::Because(Why::Lost),
            Some(Event::Changed { .. } | Event::Acknowledged | Event::Info { .. }) => {}
        }
    };
    told.tell(|seen| seen.answered = true);
    let Invited { offered, ports, mut sip } = invited;
    let local = offered.to(sip.encryption());
    let encrypted = sdp::agreed(&local, answer.as_bytes()).is_ok_and(|agreed| agreed.keys.is_some());
    let tones = has_tones(told.node, told.who.tenant, &sip);
    let started = start(told.node, (&local, &answer), ports, tones);
    let Ok((codec, line, mut news)) = started else { return Ended::NoSound };
    told.tell(|seen| seen.encrypted = Some(encrypted));
    line.answered().await;
    let mut held = Held { told, language, local, line, rate: codec.sample_rate(), asks: 1, over: false };
    held.say(Said::TestCall).await;
    let ended = held.until_over(&mut sip, &mut news, &mut changed).await;
    held.line.end().await;
    ended
}

/// A phone that was picked up.
struct Held<'a> {
    told: Told<'a>,
    language: Language,
    local: Local,
    line: Line,
    /// Samples a second of its sound.
    rate: u32,
    /// How often a key was asked for.
    asks: u8,
    /// The last word is being said.
    over: bool,
}

impl Held<'_> {
    async fn until_over(
        &mut self,
        sip: &mut Leg,
        news: &mut mpsc::Receiver<News>,
        changed: &mut mpsc::UnboundedReceiver<Agreed>,
    ) -> Ended {
        let mut again = None;
        loop {
            let clock = &self.told.node.clock;
            let wait = again.map(|at: Mono| at.since(clock.mono()));
            tokio::select! {
                event = sip.event() => match event {
                    Some(Event::Info { kind, body }) => self.line.info(kind, body).await,
                    Some(Event::Changed { sdp }) => match sdp::agreed(&self.local, sdp.as_bytes()) {
                        Ok(agreed) => self.change(agreed).await,
                        Err(_) => return Ended::NoSound,
                    },
                    Some(Event::Ringing | Event::Answered { .. } | Event::Acknowledged) => {}
                    // who hangs up during the last word has heard enough
                    Some(Event::Ended(_)) if self.over => return Ended::Done,
                    Some(Event::Ended(why)) => return Ended::Because(why),
                    None => return Ended::Because(Why::Lost),
                },
                // the sender lives as long as the SIP leg does
                Some(agreed) = changed.recv() => self.change(agreed).await,
                heard = news.recv() => match heard {
                    Some(News::Pressed(digit, way)) if !self.over => {
                        (self.over, again) = (true, None);
                        self.told.tell(|seen| seen.key = Some((digit, way)));
                        self.say(Said::KeyHeard).await;
                    }
                    Some(News::Said) if self.over => return Ended::Done,
                    Some(News::Said) => again = Some(clock.mono() + AGAIN),
                    Some(News::OneWay) => self.one_way(sip),
                    Some(News::BothWays) => self.told.tell(|seen| seen.one_way = false),
                    Some(_) => {}
                    None => return Ended::NoSound,
                },
                () = after(wait) => {
                    if self.asks == ASKS {
                        return Ended::NoKey;
                    }
                    again = None;
                    self.asks += 1;
                    self.say(Said::TestCall).await;
                }
            }
        }
    }

    fn one_way(&self, sip: &Leg) {
        let mut first = false;
        self.told.tell(|seen| first = !std::mem::replace(&mut seen.one_way, true));
        if first && let Some(trunk) = sip.trunk() {
            self.told.node.phones.note_one_way(self.told.who.tenant, trunk);
        }
    }

    async fn change(&mut self, agreed: Agreed) {
        self.rate = agreed.codec.sample_rate();
        self.line.change(agreed).await;
    }

    async fn say(&self, said: Said<'_>) {
        // a line's codecs work at these two
        let rate = Rate::of(self.rate).unwrap_or(Rate::Narrow);
        self.line.prompt(self.told.node.phones.voice.say(self.language, said, rate).to_vec()).await;
    }
}

async fn after(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
