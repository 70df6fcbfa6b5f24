//! The call that proves a number: the app shows four digits, the number is rung, and whoever picks up types them.
//!
//! ```text
//! rings ─▶ picked up: "type the digits" ─▶ right: "thank you", kept ─▶ BYE
//!                        ▲                 └ wrong: "once more" ┐
//!                        └──────────────────────────────────────┘ the third wrong ends it
//! ```
//!
//! Invariants: nothing is said that proves anything, so a machine or a stranger that picks up learns nothing; no number and
//! nobody is logged; the phone is hung up after [`HOLD`] at the latest.

use super::invite::{Invited, NoSound, NotInvited, Wanted, has_tones, invite, start};
use crate::app::my_phone_number::typed;
use crate::node::Node;
use klinke_model::contact::Language;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::time::Mono;
use klinke_sip::agent::{Event, Leg};
use klinke_sip::dial::Number;
use klinke_sip::rtp::port::{Line, News};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_storage::StorageError;
use klinke_voice::{Rate, Said};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long it rings.
const RING: Duration = Duration::from_secs(45);
/// How long it is held.
const HOLD: Duration = Duration::from_secs(90);
/// Between two times that it is told what to do.
const AGAIN: Duration = Duration::from_secs(5);
/// Digits of a code.
const DIGITS: usize = 4;

/// Whose number is to be proven, and where it is.
pub struct Confirming {
    /// Whose trunks are used.
    pub tenant: TenantId,
    /// Whose number.
    pub person: PersonId,
    /// Where it rings.
    pub number: Number,
    /// What they are spoken to in.
    pub language: Language,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    NotInvited(#[from] NotInvited),
    #[error(transparent)]
    NoSound(#[from] NoSound),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Rings in a task of its own. What comes of it is seen in the number that is kept.
pub fn ring(node: &Arc<Node>, wanted: Confirming) {
    let own = Arc::clone(node);
    node.tasks.spawn(async move {
        if let Err(error) = call(&own, wanted).await {
            tracing::warn!(%error, "a number could not be confirmed");
        }
    });
}

async fn call(node: &Node, wanted: Confirming) -> Result<(), Failed> {
    let Confirming { tenant, person, number, language } = wanted;
    let (changes, mut changed) = mpsc::unbounded_channel();
    let wanted = Wanted { tenant, building: None, number, ring: RING, hold: HOLD };
    let Invited { local, ports, mut sip } = invite(node, wanted, changes).await?;
    let answer = loop {
        match sip.event().await {
            Some(Event::Answered { sdp }) => break sdp,
            Some(Event::Ended(_)) | None => return Ok(()),
            Some(Event::Ringing | Event::Changed { .. } | Event::Info { .. }) => {}
        }
    };
    let (codec, line, mut news) = start(node, (&local, &answer), ports, has_tones(node, tenant, &sip))?;
    line.answered().await;
    let mut asked = Asked {
        node,
        tenant,
        person,
        language,
        local,
        line,
        rate: codec.sample_rate(),
        typed: String::new(),
        over: false,
    };
    asked.say(Said::TypeCode).await;
    let outcome = asked.until_over(&mut sip, &mut news, &mut changed).await;
    asked.line.end().await;
    Ok(outcome?)
}

/// A phone that was picked up.
struct Asked<'a> {
    node: &'a Node,
    tenant: TenantId,
    person: PersonId,
    language: Language,
    local: Local,
    line: Line,
    /// Samples a second of its sound.
    rate: u32,
    /// Digits so far.
    typed: String,
    /// The last word is being said.
    over: bool,
}

impl Asked<'_> {
    async fn until_over(
        &mut self,
        sip: &mut Leg,
        news: &mut mpsc::Receiver<News>,
        changed: &mut mpsc::UnboundedReceiver<Agreed>,
    ) -> Result<(), StorageError> {
        // when it is told once more what to do, once everything was said
        let mut again = None;
        loop {
            let wait = again.map(|at: Mono| at.since(self.node.clock.mono()));
            tokio::select! {
                event = sip.event() => match event {
                    Some(Event::Info { kind, body }) => self.line.info(kind, body).await,
                    Some(Event::Changed { sdp }) => match sdp::agreed(&self.local, sdp.as_bytes()) {
                        Ok(agreed) => self.change(agreed).await,
                        Err(_) => return Ok(()),
                    },
                    Some(Event::Ringing | Event::Answered { .. }) => {}
                    Some(Event::Ended(_)) | None => return Ok(()),
                },
                // the sender lives as long as the SIP leg does
                Some(agreed) = changed.recv() => self.change(agreed).await,
                told = news.recv() => match told {
                    Some(News::Pressed(digit, _)) if !self.over => {
                        again = None;
                        self.press(digit.as_char()).await?;
                    }
                    Some(News::Said) if self.over => return Ok(()),
                    Some(News::Said) => again = Some(self.node.clock.mono() + AGAIN),
                    Some(_) => {}
                    None => return Ok(()),
                },
                () = after(wait) => {
                    again = None;
                    self.typed.clear();
                    self.say(Said::TypeCode).await;
                }
            }
        }
    }

    async fn press(&mut self, key: char) -> Result<(), StorageError> {
        if !key.is_ascii_digit() {
            self.typed.clear();
            return Ok(());
        }
        self.typed.push(key);
        if self.typed.len() < DIGITS {
            return Ok(());
        }
        let code = std::mem::take(&mut self.typed);
        let said = if typed(self.node, self.tenant, self.person, &code).await? {
            self.over = true;
            Said::Confirmed
        } else if self.node.number_proofs.waits(self.tenant, self.person).is_some() {
            Said::WrongCode
        } else {
            self.over = true;
            Said::Goodbye
        };
        self.say(said).await;
        Ok(())
    }

    async fn change(&mut self, agreed: Agreed) {
        self.rate = agreed.codec.sample_rate();
        self.line.change(agreed).await;
    }

    async fn say(&self, said: Said<'_>) {
        // a line's codecs work at these two
        let rate = Rate::of(self.rate).unwrap_or(Rate::Narrow);
        self.line.prompt(self.node.phones.voice.say(self.language, said, rate).to_vec()).await;
    }
}

async fn after(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
