//! Ordinary phones: the trunks that lead to them, and how often they may be rung.
//!
//! Invariants
//! - A property manager's calls go over its own trunks and count against its own limits, nobody else's.
//! - What a call needs stands before anybody taps: ringing waits for two ports and for nothing else.
//! - No number, nobody and no building is in a log line. Who counts knows numbers as hashes under a key that is drawn at
//!   every start.
//! - Without an address in the configuration nothing is bound and nobody is rung.

pub mod confirming;
pub mod invite;
pub mod known;
pub mod standing;
pub mod test_call;

use crate::config;
use hmac::{Hmac, KeyInit, Mac};
use klinke_model::ids::{BuildingId, TenantId, TrunkId};
use klinke_model::phone::{E164, TrunkEncryption, TrunkWay};
use klinke_model::time::Mono;
use klinke_sip::agent::{Agent, Dial, Leg, Roots, Settings, StartError, State, T1, Way};
use klinke_sip::dial::{Caps, Limits, Number, NumberHash};
use klinke_sip::digest::Account;
use klinke_sip::rtp::port::{PortError, Ports, Range};
use klinke_sip::sdp::Encryption;
use klinke_voice::{Speaker, Voice, VoiceError};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::Sha256;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A trunk that is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Which.
    pub id: TrunkId,
    /// A host name or an address.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// How it is spoken to.
    pub way: TrunkWay,
    /// The domain of SIP addresses, where it is not the host.
    pub domain: Option<String>,
    /// The one number that all calls come from.
    pub caller: E164,
    /// Whether to register.
    pub registers: bool,
    /// What challenges are answered with.
    pub account: Option<Account>,
    /// Keys also come as tones in the sound.
    pub tones: bool,
    /// Whether the sound of calls is encrypted.
    pub encryption: TrunkEncryption,
}

/// Why phones can not be rung at all.
#[derive(Debug, thiserror::Error)]
pub enum PhonesError {
    /// Recordings, or the program that speaks.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// The authorities of trunks.
    #[error("can not use the authorities {}: {}", .0.display(), .1)]
    Roots(PathBuf, rustls_pki_types::pem::Error),
}

/// Why a phone is not rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRung {
    /// There is no trunk.
    #[error("there is no trunk")]
    NoTrunk,
    /// A limit is reached.
    #[error("a limit is reached")]
    Capped,
}

/// Our side of every trunk.
struct Side {
    listen: IpAddr,
    announce: IpAddr,
    ports: Range,
    roots: Roots,
}

/// The trunks of one property manager.
struct Trunks {
    agent: Agent,
    /// As they were set up.
    set: Vec<Trunk>,
    caps: Caps<Option<BuildingId>>,
    /// Calls over each in which nothing came from the phone, since the start.
    one_way: HashMap<TrunkId, u64>,
}

/// The ordinary phones of a server.
pub struct Phones {
    /// `None`: none is rung.
    side: Option<Side>,
    /// What numbers are hashed with for counting.
    key: [u8; 32],
    trunks: Mutex<HashMap<TenantId, Trunks>>,
    /// What a phone hears from us.
    pub voice: Voice,
    /// Speaks addresses ahead of calls, once it is taken to run; `None` where the operator has no program for that.
    speaker: Mutex<Option<Speaker>>,
}

impl Phones {
    /// Without a trunk yet.
    ///
    /// # Errors
    /// When the authorities of the configuration can not be read.
    pub fn open(config: &config::Phones, key: [u8; 32]) -> Result<Self, PhonesError> {
        let side = match config.listen {
            None => None,
            Some(listen) => Some(Side {
                listen,
                announce: config.announce.unwrap_or(listen),
                ports: config.ports(),
                roots: config.roots.as_deref().map_or(Ok(Roots::Machine), read_roots)?,
            }),
        };
        let own =
            klinke_voice::Config { recordings: config.recordings.clone(), speech: config.speech.clone() };
        let (voice, speaker) = Voice::new(&own)?;
        Ok(Self { side, key, trunks: Mutex::default(), voice, speaker: Mutex::new(speaker) })
    }

    /// Whether the configuration says where we are spoken to at all.
    pub const fn may_stand(&self) -> bool {
        self.side.is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Trunks>> {
        // every critical section leaves the map whole, also when it panics
        self.trunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has these trunks stand for a property manager, in the order in which they are tried, instead of those from before;
    /// calls over those end. The same trunks stand on as they are, with calls and all. What was rung within the hour and the
    /// day still counts.
    ///
    /// # Errors
    /// When they can not begin; those from before stand on then.
    pub async fn stand(
        &self,
        tenant: TenantId,
        trunks: Vec<Trunk>,
        limits: Limits,
    ) -> Result<(), StartError> {
        let Some(side) = &self.side else { return Ok(()) };
        if let Some(standing) = self.lock().get_mut(&tenant)
            && standing.set == trunks
        {
            standing.caps.limit(limits);
            return Ok(());
        }
        let fresh = if trunks.is_empty() {
            None
        } else {
            Some(Agent::start(trunks.iter().map(|trunk| side.settings(trunk)).collect())?)
        };
        let former = {
            let mut standing = self.lock();
            let former = standing.remove(&tenant);
            let (agent, caps, one_way) = former.map_or_else(
                || (None, None, HashMap::new()),
                |former| (Some(former.agent), Some(former.caps), former.one_way),
            );
            if let Some(fresh) = fresh {
                let mut caps = caps.unwrap_or_else(|| Caps::new(limits));
                caps.limit(limits);
                standing.insert(tenant, Trunks { agent: fresh, set: trunks, caps, one_way });
            }
            agent
        };
        if let Some(former) = former {
            former.stop().await;
        }
        Ok(())
    }

    /// What speaks addresses ahead of calls, for the one task that runs it.
    pub fn take_speaker(&self) -> Option<Speaker> {
        self.speaker.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The property managers who have trunks that stand.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.lock().keys().copied().collect()
    }

    /// Whether a property manager has a trunk.
    pub fn has_trunk(&self, tenant: TenantId) -> bool {
        self.lock().contains_key(&tenant)
    }

    /// The numbers that a property manager's calls come from, each once, in the order in which trunks are tried.
    pub fn callers(&self, tenant: TenantId) -> Vec<E164> {
        let standing = self.lock();
        let mut callers: Vec<E164> = Vec::new();
        for trunk in standing.get(&tenant).map_or(&[][..], |trunks| &trunks.set) {
            if !callers.contains(&trunk.caller) {
                callers.push(trunk.caller.clone());
            }
        }
        callers
    }

    /// A property manager's trunks that stand, and how we stand with each.
    pub fn states(&self, tenant: TenantId) -> Vec<(TrunkId, State)> {
        self.lock().get(&tenant).map_or_else(Vec::new, |trunks| {
            let states = trunks.agent.states().into_iter().map(|(_, state)| state);
            trunks.set.iter().map(|trunk| trunk.id).zip(states).collect()
        })
    }

    /// Calls of which something is left on the wire, of all property managers.
    pub fn dialogs(&self) -> usize {
        self.lock().values().map(|trunks| trunks.agent.dialogs()).sum()
    }

    /// Takes the ports of a call's sound, and says at which address they are for the other side.
    ///
    /// # Errors
    /// When none is free.
    pub async fn ports(&self) -> Result<(Ports, SocketAddr), PortError> {
        let side = self.side.as_ref().ok_or(PortError::Full)?;
        let ports = Ports::take(side.listen, side.ports).await?;
        let address = SocketAddr::new(side.announce, ports.port()?);
        Ok((ports, address))
    }

    /// Rings a phone for somebody in front of this building (or in front of none), over this trunk and no other where one
    /// is named, if limits allow it. It counts as rung then, whatever becomes of it.
    ///
    /// # Errors
    /// [`NotRung`].
    pub fn call(
        &self,
        tenant: TenantId,
        (building, over): (Option<BuildingId>, Option<TrunkId>),
        dial: Dial,
        now: Mono,
    ) -> Result<Leg, NotRung> {
        let hash = self.hash(tenant, &dial.to);
        let mut standing = self.lock();
        let trunks = standing.get_mut(&tenant).ok_or(NotRung::NoTrunk)?;
        if over.is_some_and(|id| !trunks.set.iter().any(|trunk| trunk.id == id)) {
            return Err(NotRung::NoTrunk);
        }
        trunks.caps.may(hash, building, now).map_err(|_| NotRung::Capped)?;
        match over {
            None => Ok(trunks.agent.call(dial)),
            Some(id) => trunks.agent.call_over(&id.to_string(), dial).ok_or(NotRung::NoTrunk),
        }
    }

    /// How many calls ring or go on over a trunk, and in how many nothing came from the phone since the start.
    pub fn calls_over(&self, tenant: TenantId, trunk: TrunkId) -> (usize, u64) {
        let standing = self.lock();
        let Some(trunks) = standing.get(&tenant) else { return (0, 0) };
        let name = trunk.to_string();
        let calls = trunks.agent.calls().into_iter().find(|(known, _)| *known == name);
        (calls.map_or(0, |(_, calls)| calls), trunks.one_way.get(&trunk).copied().unwrap_or_default())
    }

    /// Counts a call in which nothing comes from the phone, over the trunk that goes by this name in an
    /// [`agent::Leg`](Leg). Once a call.
    pub fn note_one_way(&self, tenant: TenantId, trunk: &str) {
        let mut standing = self.lock();
        let Some(trunks) = standing.get_mut(&tenant) else { return };
        let known = trunks.set.iter().find(|known| known.id.to_string() == trunk);
        if let Some(id) = known.map(|known| known.id) {
            *trunks.one_way.entry(id).or_default() += 1;
        }
    }

    /// Whether keys come as tones over the trunk that goes by this name in an [`agent::Leg`](Leg).
    pub fn has_tones(&self, tenant: TenantId, trunk: &str) -> bool {
        let is_it = |known: &Trunk| known.tones && known.id.to_string() == trunk;
        self.lock().get(&tenant).is_some_and(|trunks| trunks.set.iter().any(is_it))
    }

    /// Ends every call and takes registrations back; for 2 s at most.
    pub async fn stop(&self) {
        let all: Vec<Trunks> = self.lock().drain().map(|(_, trunks)| trunks).collect();
        futures_util::future::join_all(all.into_iter().map(|trunks| trunks.agent.stop())).await;
    }

    fn hash(&self, tenant: TenantId, number: &Number) -> NumberHash {
        // a key of any length is good for HMAC
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        mac.update(tenant.0.as_bytes());
        mac.update(number.as_str().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Side {
    fn settings(&self, trunk: &Trunk) -> Settings {
        let way = match trunk.way {
            TrunkWay::Udp => Way::Udp,
            TrunkWay::Tcp => Way::Tcp,
            TrunkWay::Tls => Way::Tls(self.roots.clone()),
        };
        Settings {
            name: trunk.id.to_string(),
            host: trunk.host.clone(),
            port: trunk.port,
            way,
            bind: SocketAddr::new(self.listen, 0),
            domain: trunk.domain.clone(),
            caller: trunk.caller.as_str().to_owned(),
            registers: trunk.registers,
            account: trunk.account.clone(),
            t1: T1,
            encryption: match trunk.encryption {
                TrunkEncryption::Off => Encryption::Off,
                TrunkEncryption::Offered => Encryption::Offered,
                TrunkEncryption::Required => Encryption::Required,
            },
        }
    }
}

fn read_roots(file: &Path) -> Result<Roots, PhonesError> {
    let wrong = |error| PhonesError::Roots(file.to_owned(), error);
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(wrong)?.collect();
    Ok(Roots::Only(read.map_err(wrong)?))
}

#[cfg(test)]
mod tests;
