//! The call that proves a number: the app shows four digits, the number is rung, and whoever picks up types them.
//!
//! ```text
//! rings ─▶ picked up: "type the digits" ─▶ right: "thank you", kept ─▶ BYE
//!                        ▲                 └ wrong: "once more" ┐
//!                        └──────────────────────────────────────┘ the third wrong ends it
//! ```
//!
//! Invariants: nothing is said that proves anything, so a machine or a stranger that picks up learns nothing; no number and
//! nobody is logged; the phone is hung up after [`HOLD`] at the latest, and when its proof is given up. However the call ends,
//! the proof is over with it.

use super::invite::{Invited, NoSound, NotInvited, Wanted, has_tones, invite, start};
use crate::app::my_phone_number::typed;
use crate::node::Node;
use crate::number_proofs::{Proof, Unproven};
use klinke_model::contact::Language;
use klinke_model::time::Mono;
use klinke_sip::agent::{Event, HOPS, Leg};
use klinke_sip::dial::Number;
use klinke_sip::rtp::port::{Line, News};
use klinke_sip::sdp::{self, Agreed, Local};
use klinke_sip::why::Why;
use klinke_storage::StorageError;
use klinke_voice::{Rate, Said};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

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
    /// What it proves.
    pub proof: Proof,
    /// Cancelled when the call is wanted no more.
    pub given_up: CancellationToken,
    /// Where it rings.
    pub number: Number,
    /// What they are spoken to in.
    pub language: Language,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    NoSound(#[from] NoSound),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Rings, and goes on in a task of its own. What comes of it is seen in the number that is kept, and in the proof.
///
/// # Errors
/// [`NotInvited`]: nothing rings, and the proof is the caller's to end.
pub async fn ring(node: &Arc<Node>, wanted: Confirming) -> Result<(), NotInvited> {
    let Confirming { proof, given_up, number, language } = wanted;
    let (changes, changed) = mpsc::unbounded_channel();
    let wanted = Wanted {
        tenant: proof.tenant,
        building: None,
        over: None,
        number,
        ring: RING,
        hold: HOLD,
        hops: HOPS,
    };
    let invited = invite(node, wanted, changes).await?;
    let own = Arc::clone(node);
    node.tasks.spawn(async move {
        let call = call(&own, (proof, language), invited, changed);
        // dropped, it is hung up
        let Some(came) = given_up.run_until_cancelled(call).await else { return };
        let why = came.unwrap_or_else(|error| {
            tracing::warn!(%error, "a number could not be confirmed");
            Unproven::NotReached
        });
        own.number_proofs.came_to_nothing(proof, why);
    });
    Ok(())
}

/// Why the number is not proven, where it is not.
async fn call(
    node: &Node,
    (proof, language): (Proof, Language),
    mut invited: Invited,
    mut changed: mpsc::UnboundedReceiver<Agreed>,
) -> Result<Unproven, Failed> {
    let answer = loop {
        match invited.sip.event().await {
            Some(Event::Answered { sdp }) => break sdp,
            Some(Event::Ended(why)) => return Ok(unanswered(why)),
            None => return Ok(Unproven::NotReached),
            Some(Event::Ringing | Event::Changed { .. } | Event::Acknowledged | Event::Info { .. }) => {}
        }
    };
    let Invited { offered, ports, mut sip } = invited;
    let local = offered.to(sip.encryption());
    let tones = has_tones(node, proof.tenant, &sip);
    let (codec, line, mut news) = start(node, (&local, &answer), ports, tones)?;
    line.answered().await;
    let rate = codec.sample_rate();
    let mut asked =
        Asked { node, proof, language, local, line, rate, typed: String::new(), over: false, one_way: false };
    asked.say(Said::TypeCode).await;
    let outcome = asked.until_over(&mut sip, &mut news, &mut changed).await;
    asked.line.end().await;
    outcome?;
    Ok(Unproven::NotTyped)
}

/// What it means that nobody picked up.
const fn unanswered(why: Why) -> Unproven {
    match why {
        Why::Busy | Why::NoAnswer | Why::Declined => Unproven::NotPickedUp,
        _ => Unproven::NotReached,
    }
}

/// A phone that was picked up.
struct Asked<'a> {
    node: &'a Node,
    proof: Proof,
    language: Language,
    local: Local,
    line: Line,
    /// Samples a second of its sound.
    rate: u32,
    /// Digits so far.
    typed: String,
    /// The last word is being said.
    over: bool,
    /// Nothing comes from it, which was counted.
    one_way: bool,
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
                    Some(Event::Ringing | Event::Answered { .. } | Event::Acknowledged) => {}
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
                    Some(News::OneWay) => self.one_way(sip),
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
        let waits = |node: &Node| node.number_proofs.waits(self.proof.tenant, self.proof.person);
        let said = if typed(self.node, self.proof, &code).await? {
            self.over = true;
            Said::Confirmed
        } else if waits(self.node).is_some() {
            Said::WrongCode
        } else {
            self.over = true;
            Said::Goodbye
        };
        self.say(said).await;
        Ok(())
    }

    fn one_way(&mut self, sip: &Leg) {
        if !std::mem::replace(&mut self.one_way, true)
            && let Some(trunk) = sip.trunk()
        {
            self.node.phones.note_one_way(self.proof.tenant, trunk);
        }
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
