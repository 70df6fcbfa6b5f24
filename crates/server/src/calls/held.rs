//! A phone that was picked up, until its BYE: an ordinary one, or a desk phone that registers ([`station`](super::station)).
//!
//! ```text
//!  picked up: signs            5 or 8: accept, open      the call bridges
//!  and waits for a key ──────▶ 1: accept ──────────────▶ sound both ways ─▶ BYE
//! ```
//!
//! Invariants
//! - The call hears [`Input::LegAccepted`] when a key was pressed and never before: what picks up may be a machine. A station
//!   is no machine: it accepts by being picked up.
//! - A key opens after it has accepted, so the call goes on while the door opens and after. 5 and 8 open, 1 talks, every
//!   other key does nothing. Which presses count is decided in `klinke_sip::dtmf::press`.
//! - A phone is held no longer than the limit of talking, counted from when it was picked up, and who presses no key hears
//!   [`ASKS`] times what to press: a machine is not told it for a minute.
//! - What [`phone`](super::phone) says of numbers, people and doors in the log holds here too.

use super::display::Picture;
use super::driver::{Message, peer};
use super::phone::{Errand, Order, Sip, ended, tell};
use super::phone_sound::{FromPanel, ToPanel};
use crate::node::Node;
use klinke_calls::call::Input;
use klinke_calls::plan::Leg;
use klinke_media::RoomId;
use klinke_model::time::Mono;
use klinke_sip::agent::Event;
use klinke_sip::dtmf::Digit;
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Line, News};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_sip::video::CONTROL;
use klinke_voice::{Rate, Said};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two times that the keys are told.
const AGAIN: Duration = Duration::from_secs(2);
/// How often they are told.
const ASKS: u8 = 3;
/// How long before the end it is told.
const WARNING: Duration = Duration::from_secs(10);
/// A last word is no longer.
const LAST_WORD: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It was picked up, and a key is waited for.
    Asked,
    /// A key was pressed.
    Accepted,
    /// The last word is being said.
    Ending,
}

/// What happens at a moment, if nothing happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    AskAgain,
    Warn,
    HangUp,
}

/// A phone that was picked up.
pub(super) struct Held {
    node: Arc<Node>,
    errand: Errand,
    own: mpsc::WeakSender<Message>,
    leg: Leg,
    room: RoomId,
    local: Local,
    sip: Sip,
    line: Line,
    to_panel: ToPanel,
    from_panel: Option<FromPanel>,
    /// The visitor's, on its display; none at an ordinary phone.
    picture: Option<Picture>,
    /// Samples a second of its sound.
    rate: u32,
    stage: Stage,
    /// How often it was told which keys there are.
    asked: u8,
    /// Nothing comes from it.
    one_way: bool,
    /// That nothing comes was counted.
    counted: bool,
    /// When it is hung up in any case.
    spent_at: Mono,
    due: Option<(Mono, Due)>,
}

/// One thing that happened.
enum Happened {
    Sip(Option<Event>),
    Order(Option<Order>),
    News(Option<News>),
    Changed(Box<Agreed>),
    Panel(Vec<u8>),
    Due(Due),
}

/// Whether it goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Held {
    pub(super) fn new(
        node: Arc<Node>,
        errand: Errand,
        local: Local,
        sip: Sip,
        (codec, line, picture): (Codec, Line, Option<Picture>),
    ) -> Self {
        Self {
            room: RoomId(errand.call.0),
            to_panel: ToPanel::default(),
            from_panel: None,
            picture,
            rate: codec.sample_rate(),
            stage: Stage::Asked,
            asked: 0,
            one_way: false,
            counted: false,
            spent_at: node.clock.mono() + errand.hold,
            due: None,
            own: errand.own.clone(),
            leg: errand.leg,
            node,
            errand,
            local,
            sip,
            line,
        }
    }

    pub(super) async fn run(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut news: mpsc::Receiver<News>,
        mut changed: mpsc::UnboundedReceiver<Agreed>,
    ) {
        self.line.answered().await;
        match self.leg {
            Leg::Phone(_) => self.ask().await,
            Leg::Device(_) => {
                self.stage = Stage::Accepted;
                tell(&self.own, Input::LegAccepted(self.leg)).await;
            }
        }
        loop {
            let wait = self.due.map(|(at, due)| (at.since(self.node.clock.mono()), due));
            let listens = self.stage != Stage::Ending;
            let happened = tokio::select! {
                event = self.sip.event() => Happened::Sip(event),
                order = orders.recv(), if listens => Happened::Order(order),
                told = news.recv() => Happened::News(told),
                // the sender lives as long as the SIP leg does
                Some(agreed) = changed.recv() => Happened::Changed(Box::new(agreed)),
                Some(datagram) = next(&mut self.from_panel) => Happened::Panel(datagram),
                due = after(wait) => Happened::Due(due),
            };
            let goes = match happened {
                Happened::Sip(event) => self.event(event).await,
                Happened::Order(order) => self.order(order).await,
                Happened::News(told) => self.news(told).await,
                Happened::Changed(agreed) => self.change(*agreed).await,
                Happened::Panel(datagram) => {
                    self.line.from_panel(datagram);
                    Goes::On
                }
                Happened::Due(due) => self.fall_due(due).await,
            };
            if goes == Goes::Over {
                break;
            }
        }
        // hung up, if it was not
        drop(self.sip);
        self.line.end().await;
    }

    async fn event(&mut self, event: Option<Event>) -> Goes {
        match event {
            Some(Event::Info { kind, body }) => match &self.picture {
                // its display lost something (RFC 5168)
                Some(picture) if kind.eq_ignore_ascii_case(CONTROL.0) => picture.wants_key_frame(),
                _ => self.line.info(kind, body).await,
            },
            Some(Event::Changed { sdp }) => {
                return match sdp::agreed(&self.local, sdp.as_bytes()) {
                    Ok(agreed) => {
                        let video = self.picture.as_ref().and_then(|picture| picture.agreed(&sdp));
                        self.change(Agreed { video, ..agreed }).await
                    }
                    Err(_) => self.lose().await,
                };
            }
            Some(Event::Ringing | Event::Answered { .. } | Event::Acknowledged) => {}
            Some(Event::Ended(why)) => {
                if self.stage != Stage::Ending {
                    tell(&self.own, ended(self.leg, why)).await;
                }
                return Goes::Over;
            }
            None => return Goes::Over,
        }
        Goes::On
    }

    async fn order(&mut self, order: Option<Order>) -> Goes {
        match order {
            None | Some(Order::End(None)) => return Goes::Over,
            Some(Order::End(Some(word))) => {
                self.stage = Stage::Ending;
                (self.from_panel, self.picture) = (None, None);
                self.say(word).await;
                self.due_in(LAST_WORD, Due::HangUp);
            }
            Some(Order::Say(said)) => self.say(said).await,
            Some(Order::Talk(hears)) => {
                self.from_panel = Some(FromPanel::new(hears));
                let told = match self.leg {
                    // who is not heard is not told that they are
                    _ if self.one_way => Said::Unheard,
                    Leg::Phone(_) => Said::Connected,
                    // whoever picked up a station talks already, and was not told yet what opens
                    Leg::Device(_) if self.errand.door.is_some() => Said::Opens,
                    Leg::Device(_) => Said::Connected,
                };
                self.say(told).await;
            }
            Some(Order::Left(left)) => {
                let left = left.min(self.spent_at.since(self.node.clock.mono()));
                self.due = None;
                if let Some(wait) = left.checked_sub(WARNING) {
                    self.due_in(wait, Due::Warn);
                }
            }
        }
        Goes::On
    }

    async fn news(&mut self, told: Option<News>) -> Goes {
        match told {
            Some(News::ForPanel(packet)) => {
                if self.from_panel.is_some() {
                    let peer = peer(self.leg);
                    self.node.media.speak(self.room, peer, self.to_panel.sound(packet)).await;
                }
            }
            Some(News::Pressed(digit, _)) => self.press(digit).await,
            Some(News::Said) => match self.stage {
                Stage::Asked => self.due_in(AGAIN, Due::AskAgain),
                Stage::Accepted => {}
                Stage::Ending => return Goes::Over,
            },
            Some(News::OneWay) => self.one_way().await,
            Some(News::BothWays) => self.one_way = false,
            Some(News::Keyed | News::Over) => {}
            // its sound can not go on
            None => return self.lose().await,
        }
        Goes::On
    }

    /// Counted once, and told to who talks into a phone that nobody hears.
    async fn one_way(&mut self) {
        self.one_way = true;
        if std::mem::replace(&mut self.counted, true) {
            return;
        }
        tracing::warn!("nothing is heard from a phone that was picked up");
        if let Sip::Trunk(leg) = &self.sip
            && let Some(trunk) = leg.trunk()
        {
            self.node.phones.note_one_way(self.errand.tenant, trunk);
        }
        if self.stage == Stage::Accepted {
            self.say(Said::Unheard).await;
        }
    }

    async fn press(&mut self, digit: Digit) {
        let opens = matches!(digit.as_char(), '5' | '8');
        if self.stage == Stage::Ending {
            return;
        }
        if self.stage == Stage::Asked {
            if !opens && digit.as_char() != '1' {
                return self.say(Said::WrongKey).await;
            }
            self.stage = Stage::Accepted;
            self.due = None;
            tell(&self.own, Input::LegAccepted(self.leg)).await;
        }
        if !opens {
            return;
        }
        match self.errand.door {
            Some(door) => {
                let request = self.node.random.v4();
                tell(&self.own, Input::LegOpens { leg: self.leg, request, door }).await;
            }
            None => self.say(Said::NotOpened).await,
        }
    }

    async fn change(&mut self, agreed: Agreed) -> Goes {
        self.rate = agreed.codec.sample_rate();
        if let Some(picture) = &self.picture {
            picture.change(agreed.video.clone());
        }
        self.line.change(agreed).await;
        Goes::On
    }

    async fn fall_due(&mut self, due: Due) -> Goes {
        self.due = None;
        match due {
            Due::AskAgain if self.asked < ASKS => self.ask().await,
            // nobody hears it
            Due::AskAgain => return self.lose().await,
            Due::Warn => self.say(Said::Ending).await,
            Due::HangUp => return Goes::Over,
        }
        Goes::On
    }

    /// It can not go on, and the call is told.
    async fn lose(&mut self) -> Goes {
        if self.stage != Stage::Ending {
            tell(&self.own, Input::LegGone(self.leg)).await;
        }
        Goes::Over
    }

    async fn ask(&mut self) {
        self.asked += 1;
        let place = self.errand.place.clone();
        self.line.prompt(self.sound(Said::Somebody { place: Some(place.as_str()) })).await;
    }

    async fn say(&mut self, said: Said<'static>) {
        self.line.prompt(self.sound(said)).await;
    }

    fn sound(&self, said: Said<'_>) -> Vec<i16> {
        // a line's codecs work at these two
        let rate = Rate::of(self.rate).unwrap_or(Rate::Narrow);
        self.node.phones.voice.say(self.errand.language, said, rate).to_vec()
    }

    fn due_in(&mut self, wait: Duration, due: Due) {
        self.due = Some((self.node.clock.mono() + wait, due));
    }
}

async fn next(from_panel: &mut Option<FromPanel>) -> Option<Vec<u8>> {
    match from_panel {
        Some(from_panel) => from_panel.next().await,
        None => None,
    }
}

async fn after(wait: Option<(Duration, Due)>) -> Due {
    match wait {
        Some((wait, due)) => {
            tokio::time::sleep(wait).await;
            due
        }
        None => std::future::pending().await,
    }
}
