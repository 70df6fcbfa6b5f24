//! An authority, and snapshots that it signs.

use super::folder::RightsFolder;
use super::trust::{Document, Trust};
use super::{Intake, taking};
use crate::doors::Request;
use crate::state::{Identity, StateDir};
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{
    Credential, CredentialHash, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, Records, Rights,
    Shard, State, build, compile, signed,
};
use klinke_model::credential::CredentialTier;
use klinke_model::door::DoorTimes;
use klinke_model::ids::{BuildingId, ControllerId, DoorId, v4};
use klinke_model::privacy::AnySite;
use klinke_model::schedule::HolidayCalendar;
use klinke_model::site::BuildingKind;
use klinke_model::time::Timestamp;
use klinke_wire::controller::{Digest, Held};
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SigningKey};
use rustls_pki_types::PrivateKeyDer;
use std::collections::HashMap;
use std::path::Path;
use tokio::sync::mpsc;

/// An installation.
pub struct Installation {
    key: KeyPair,
    pub identity: Identity,
}

impl Installation {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap().der().clone();
        let own = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name = DistinguishedName::new();
        leaf.distinguished_name.push(DnType::CommonName, us().to_string());
        let certificate = leaf.signed_by(&own, &Issuer::new(params, &key)).unwrap().der().clone();
        let identity =
            Identity { key: PrivateKeyDer::try_from(own.serialize_der()).unwrap(), certificate, authority };
        Self { key, identity }
    }

    pub fn trust(&self) -> Trust {
        Trust::of(&self.identity).unwrap()
    }

    /// A snapshot with this many cards, signed.
    pub fn snapshot(&self, of: ControllerId, revision: u64, cards: u32) -> Snapshot {
        let (manifest, shards) = build(&plan(of, revision, cards));
        self.sign(serde_json::to_vec(&manifest).unwrap(), shards)
    }

    pub fn sign(&self, manifest: Vec<u8>, shards: Vec<Shard>) -> Snapshot {
        let signature = self.key.sign(&signed(&manifest)).unwrap();
        let document = Document { signature, manifest };
        let shards = shards.into_iter().map(|shard| (shard.name().parse().unwrap(), shard.0)).collect();
        Snapshot { document, shards }
    }
}

/// A snapshot as the server has it.
#[derive(Clone)]
pub struct Snapshot {
    pub document: Document,
    pub shards: HashMap<Digest, Vec<u8>>,
}

impl Snapshot {
    pub fn names(&self) -> Vec<Digest> {
        taking::names(&serde_json::from_slice(&self.document.manifest).unwrap()).unwrap()
    }

    pub fn held(&self) -> Held {
        taking::held(&serde_json::from_slice(&self.document.manifest).unwrap(), &self.document)
    }
}

pub fn plan(of: ControllerId, revision: u64, cards: u32) -> Plan {
    let door = DoorPlan {
        door: DoorId(v4([1; 16])),
        times: DoorTimes::default(),
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    };
    let holder = Holder {
        person: PersonTag(1),
        active: true,
        class: HolderClass::Resident,
        needs_longer: false,
        rights: vec![DoorRight { doors: 1, schedule: None, from: None, until: None }],
    };
    let card = |number: u32| Credential {
        hash: hash(number),
        holder: 0,
        state: State::Active,
        tier: CredentialTier::Identifier,
        once: false,
        duress: false,
        from_s: None,
        until_s: None,
    };
    Plan {
        controller: of,
        revision,
        issued: Timestamp::from_millis(1_795_262_400_000),
        key: HashKey([7; 32]),
        zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::Norway,
        records: None,
        site_mode: SiteMode::Normal,
        doors: vec![door],
        schedules: vec![],
        holders: vec![holder],
        credentials: (0..cards).map(card).collect(),
    }
}

/// A commercial building whose owner keeps records of use.
pub fn records(days: u8) -> Option<Records> {
    match AnySite::of(BuildingId(v4([0xb0; 16])), BuildingKind::Commercial) {
        AnySite::Commercial(site) => Some(Records { site, days }),
        AnySite::Residential(_) => None,
    }
}

/// Rights that keep them.
pub fn keeping(days: u8) -> Rights {
    let (manifest, shards) = build(&Plan { records: records(days), ..plan(us(), 1, 1) });
    compile(manifest, &shards).unwrap()
}

/// Spread over the shards, as keyed hashes are.
pub fn hash(number: u32) -> CredentialHash {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    CredentialHash(bytes)
}

/// An intake of an installation of its own, with nothing kept.
pub async fn intake(path: &Path, doors: mpsc::Sender<Request>) -> Intake {
    let state = StateDir::open(&path.join("state")).unwrap();
    Intake::open(RightsFolder::open(&state).unwrap(), Installation::new().trust(), doors).await
}

/// The controller whose identity it is.
pub fn us() -> ControllerId {
    ControllerId(v4([0xc0; 16]))
}
