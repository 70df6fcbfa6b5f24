//! The rights that a controller decides by, from the database to the link.
//!
//! ```text
//! something was written ─┐
//! hello, woken, a minute ┴▶ look: read as of one moment, build ── the same as it holds? ──▶ nothing
//!                                                                   └ other ──▶ number, sign ──▶ offer
//! ```
//!
//! - Nothing has to remember to tell of a change. [`klinke_storage::Store::written`] moves with every transaction that
//!   wrote, and a link that sees it move looks: it makes the snapshot anew and compares. A kind of change that nobody thought
//!   of is seen like any other; one that does not matter here costs one look and sends nothing.
//! - Nothing of it is stored. What a controller holds it tells in its hello: built with that number and moment, the same
//!   content has the same bytes. So a database that was restored from a backup can not set a controller back.
//! - What credentials are hashed under is made from the installation's key and the controller's id; a copy of the database
//!   tells nothing of what lies in a controller.

use crate::node::Node;
use crate::passes::{self, Passes};
use crate::random::Random;
use crate::secrets::{self, SecretFileError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use klinke_access::decide::HolderClass;
use klinke_access::snapshot::{
    Credential, Fault, HashKey, Holder, Manifest, Plan, Shard, State, build, compile, signed,
};
use klinke_model::credential::{CredentialKey, CredentialTier};
use klinke_model::ids::{ControllerId, PersonId, TenantId};
use klinke_model::scope::Scope;
use klinke_model::time::Timestamp;
use klinke_storage::record::{ControllerRights, RightsCode};
use klinke_wire::controller::{ControllerEvent, Digest, Held, PART, UsedCredential, Whole};
use sha2::Sha256;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc};

/// Snapshots that are made at once; everybody who asks the server something else has the rest of it.
const AT_ONCE: usize = 2;
/// How long a look waits for what is written right after.
const GATHER: Duration = Duration::from_millis(50);
/// How long there is between two looks of one link.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a link looks without a reason.
const WITHOUT: Duration = Duration::from_secs(60);

/// What snapshots are made with.
pub struct Making {
    key: [u8; 32],
    turns: Semaphore,
}

/// The number of the newest rights of one controller; none while nobody could look.
#[derive(Debug, Default)]
pub struct Newest(AtomicU64);

impl Newest {
    /// Which.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|revision| *revision > 0)
    }

    fn set(&self, revision: Option<u64>) {
        self.0.store(revision.unwrap_or_default(), Ordering::Release);
    }
}

/// Why snapshots can not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakingError {
    /// The key.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// The key is not one.
    #[error(
        "{0} does not hold a key: restore it from a backup, or delete it and all controllers fetch everything anew"
    )]
    Damaged(String),
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Storage(#[from] klinke_storage::StorageError),
    #[error("no controller would take the snapshot: {0}")]
    Fault(#[from] Fault),
    #[error("the manifest can not be written: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Authority(#[from] crate::authority::AuthorityError),
    #[error("the work was cut short")]
    CutShort,
}

/// A snapshot on its way to a controller.
pub struct Offer {
    held: Held,
    manifest: Vec<u8>,
    signature: Vec<u8>,
    shards: HashMap<Digest, Vec<u8>>,
}

impl Making {
    /// Reads the key, or makes it at the first start.
    ///
    /// # Errors
    /// When the key can not be read or written.
    pub fn open(folder: &Path, random: &Random) -> Result<Self, MakingError> {
        let file = folder.join("doors.key");
        let text = match secrets::read(&file)? {
            Some(text) => text,
            None => {
                let text = STANDARD.encode(random.bytes::<32>());
                secrets::write(&file, &text)?;
                text
            }
        };
        let key = STANDARD.decode(text.trim()).ok().and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(|| MakingError::Damaged(file.display().to_string()))?;
        Ok(Self { key, turns: Semaphore::new(AT_ONCE) })
    }

    /// What the credentials and people of one controller are hashed under.
    pub fn hash_key(&self, tenant: TenantId, controller: ControllerId) -> HashKey {
        // a key of any length is one
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return HashKey([0; 32]) };
        let mac = mac.chain_update(b"klinke controller").chain_update(tenant.0.as_bytes());
        HashKey(mac.chain_update(controller.0.as_bytes()).finalize().into_bytes().into())
    }
}

impl Offer {
    /// How it is offered.
    pub fn event(&self) -> ControllerEvent {
        ControllerEvent::Rights {
            revision: self.held.revision,
            manifest: Whole {
                sha256: self.held.manifest,
                bytes: u32::try_from(self.manifest.len()).unwrap_or(u32::MAX),
            },
            signature: self.signature.clone(),
        }
    }

    /// Its number.
    pub const fn revision(&self) -> u64 {
        self.held.revision
    }

    /// When it was made.
    pub const fn issued(&self) -> Timestamp {
        self.held.issued
    }

    /// The answer to a `fetch`.
    fn part(&self, of: Digest, from: u32) -> Option<ControllerEvent> {
        let whole = if of == self.held.manifest { &self.manifest } else { self.shards.get(&of)? };
        let total = u32::try_from(whole.len()).ok()?;
        let rest = whole.get(usize::try_from(from).ok()?..)?;
        let bytes = rest.get(..PART).unwrap_or(rest).to_vec();
        Some(ControllerEvent::Part { of, from, total, bytes })
    }
}

/// The answer to a `fetch` while this is on offer.
pub fn fetched(offer: Option<&Offer>, of: Digest, from: u32) -> ControllerEvent {
    offer.and_then(|offer| offer.part(of, from)).unwrap_or(ControllerEvent::Gone { of })
}

/// Looks whenever something may have changed, for as long as the link stands, and offers what the controller does not
/// hold. It never ends by itself. `newest` is what the last look found, and none when it came to nothing.
pub async fn follow(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    mut known: Option<Held>,
    wake: &Notify,
    newest: &Newest,
    offers: mpsc::Sender<Offer>,
) {
    let mut written = node.store.written(scope.tenant);
    loop {
        // before reading: what is written from here on is looked at again
        written.mark_unchanged();
        let found = look(node, scope, controller, known).await;
        newest.set(newest_of(&found, known));
        match found {
            Ok(Some(offer)) => {
                known = Some(offer.held);
                // a link that is gone takes this with it
                drop(offers.send(offer).await);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, %controller, "rights could not be made for a controller"),
        }
        tokio::time::sleep(PAUSE).await;
        tokio::select! {
            changed = written.changed() => {
                if changed.is_err() {
                    // the store is gone, and soon the link
                    std::future::pending::<()>().await;
                }
            }
            () = wake.notified() => {}
            () = tokio::time::sleep(WITHOUT) => {}
        }
        tokio::time::sleep(GATHER).await;
    }
}

/// Which rights are the newest after a look. One that came to nothing found none: what is held may be old.
fn newest_of(found: &Result<Option<Offer>, LookError>, known: Option<Held>) -> Option<u64> {
    match found {
        Ok(Some(offer)) => Some(offer.revision()),
        Ok(None) => known.map(|held| held.revision),
        Err(_) => None,
    }
}

/// Makes the snapshot of a controller; `None` when its content is what the controller holds already, or it is not there.
async fn look(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    known: Option<Held>,
) -> Result<Option<Offer>, LookError> {
    let _turn = node.rights.turns.acquire().await.map_err(|_| LookError::CutShort)?;
    // a link is older than what begins on a day
    let scope = &scope.at(node.clock.now());
    let Some(stored) = node.store.doors().controller_rights(scope, controller).await? else {
        return Ok(None);
    };
    if stored.left_out > 0 {
        tracing::warn!(%controller, doors = stored.left_out, "a controller decides alone for its first 64 doors only");
    }
    let key = node.rights.hash_key(scope.tenant, controller);
    let now = node.clock.now();
    let codes = typed(&node.passes, scope.tenant, &stored);
    let making = tokio::task::spawn_blocking(move || make(stored, &codes, controller, key, known, now));
    let Some((held, manifest, shards)) = making.await.map_err(|_| LookError::CutShort)?? else {
        return Ok(None);
    };
    let signature = node.authority.sign(&signed(&manifest))?;
    Ok(Some(Offer { held, manifest, signature, shards }))
}

/// The codes that are typed at keypads.
struct Typed {
    /// Of the guests, in their order.
    guests: Vec<String>,
    /// Of residents' own, in their order.
    own: Vec<String>,
}

fn typed(passes: &Passes, tenant: TenantId, stored: &ControllerRights) -> Typed {
    let own = |code: &RightsCode| passes.own_code(tenant, stored.building, code.person, code.number);
    Typed {
        guests: stored.guests.iter().map(|one| passes.code(&one.guest)).collect(),
        own: stored.codes.iter().map(own).collect(),
    }
}

/// A manifest in bytes with what it is known by, and its shards.
type Made = (Held, Vec<u8>, HashMap<Digest, Vec<u8>>);

fn make(
    stored: ControllerRights,
    codes: &Typed,
    controller: ControllerId,
    key: HashKey,
    known: Option<Held>,
    now: Timestamp,
) -> Result<Option<Made>, LookError> {
    let (mut manifest, shards) = build(&plan(stored, codes, controller, key, known));
    if let Some(known) = known
        && digest(&serde_json::to_vec(&manifest)?) == known.manifest
    {
        return Ok(None);
    }
    // also after a controller lost what it held its number grows
    let next = known.map_or(1, |known| known.revision.saturating_add(1));
    manifest.revision = next.max(u64::try_from(now.as_millis()).unwrap_or_default());
    manifest.issued = now;
    // better here than at every controller of the building
    compile(manifest.clone(), &shards)?;
    let bytes = serde_json::to_vec(&manifest)?;
    let held = Held { revision: manifest.revision, issued: now, manifest: digest(&bytes) };
    Ok(Some((held, bytes, named(&manifest, shards))))
}

/// The plan of a snapshot with the number and moment of the one that is known.
fn plan(
    stored: ControllerRights,
    codes: &Typed,
    controller: ControllerId,
    key: HashKey,
    known: Option<Held>,
) -> Plan {
    let holders = stored.holders.into_iter().map(|holder| Holder {
        person: key.person(holder.person),
        active: holder.active,
        class: holder.class,
        needs_longer: holder.needs_longer,
        rights: holder.rights,
    });
    let credentials = stored.cards.iter().map(|card| Credential {
        hash: key.credential(&card.key),
        holder: card.holder,
        state: if card.blocked { State::Blocked } else { State::Active },
        tier: card.tier,
        once: false,
        duress: false,
        from_s: None,
        until_s: None,
    });
    let (mut holders, mut credentials): (Vec<Holder>, Vec<Credential>) =
        (holders.collect(), credentials.collect());
    for (own, code) in stored.codes.iter().zip(&codes.own) {
        let under_duress = stored.duress_codes.then(|| passes::under_duress(code));
        for (code, duress) in [(Some(code), false), (under_duress.as_ref(), true)] {
            let Some(Ok(code)) = code.map(|code| CredentialKey::code(code)) else { continue };
            credentials.push(Credential {
                hash: key.credential(&code),
                holder: own.holder,
                state: State::Active,
                // whoever hears it has it
                tier: CredentialTier::Identifier,
                once: false,
                duress,
                from_s: None,
                until_s: None,
            });
        }
    }
    for (one, code) in stored.guests.iter().zip(&codes.guests) {
        let Ok(code) = CredentialKey::code(code) else { continue };
        credentials.push(Credential {
            hash: key.credential(&code),
            holder: holders.len(),
            state: State::Active,
            // whoever hears it has it
            tier: CredentialTier::Identifier,
            once: one.guest.once,
            duress: false,
            // whole seconds inside of their time; the right says it to the millisecond
            from_s: second(one.guest.starts_at, 0),
            until_s: second(one.guest.ends_at, 999),
        });
        holders.push(Holder {
            person: key.person(PersonId(one.guest.id.0)),
            active: one.guest.host_stands,
            class: HolderClass::Passing,
            needs_longer: false,
            rights: vec![one.right],
        });
    }
    Plan {
        controller,
        revision: known.map_or(0, |known| known.revision),
        issued: known.map_or(Timestamp::from_millis(0), |known| known.issued),
        key,
        zone: stored.time_zone,
        holidays: stored.holidays,
        records: stored.records,
        site_mode: stored.site_mode,
        doors: stored.doors,
        schedules: stored.schedules,
        holders,
        credentials,
    }
}

/// A moment in seconds since 1970, after so many milliseconds more.
fn second(at: Timestamp, more: i64) -> Option<u32> {
    u32::try_from(at.as_millis().saturating_add(more).div_euclid(1_000)).ok()
}

fn named(manifest: &Manifest, shards: Vec<Shard>) -> HashMap<Digest, Vec<u8>> {
    let names = manifest.shards.iter().filter_map(|name| name.parse().ok());
    names.zip(shards.into_iter().map(|shard| shard.0)).collect()
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(Sha256::digest(bytes).into())
}

/// Counts what a controller let in once: the guest came. Told again, or late, it finds nobody; the rights of all controllers
/// are looked at by themselves, for something was written.
pub async fn count_used(
    node: &Node,
    scope: &Scope,
    controller: ControllerId,
    used: &[UsedCredential],
) -> Result<(), klinke_storage::StorageError> {
    let key = node.rights.hash_key(scope.tenant, controller);
    let guests = node.store.guests();
    for (guest, number) in guests.once_at_doors(scope).await? {
        let code = node.passes.code_of(scope.tenant, guest, number);
        let Ok(code) = CredentialKey::code(&code) else { continue };
        if used.contains(&UsedCredential(key.credential(&code).0)) {
            guests.came_to_door(scope, guest, number).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
