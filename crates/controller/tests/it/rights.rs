//! Rights over a real link, from a server that is honest and from one that is not; the doors are told only what is good.

use crate::server::{Authority, Peer, Server, Setup, controller_id, within};
use klinke_access::decide::{HolderClass, SiteMode};
use klinke_access::snapshot::{
    Credential, CredentialHash, DoorPlan, DoorRight, HashKey, Holder, PersonTag, Plan, Rights, Shard, State,
    build, signed,
};
use klinke_controller::doors::{Attached, Request};
use klinke_controller::journal::Journal;
use klinke_controller::link::Link;
use klinke_controller::rights::Intake;
use klinke_controller::rights::folder::RightsFolder;
use klinke_controller::rights::trust::Trust;
use klinke_controller::state::StateDir;
use klinke_controller::tls::link_config;
use klinke_model::credential::CredentialTier;
use klinke_model::door::DoorTimes;
use klinke_model::ids::{BootId, ControllerId, DoorId, OpeningId, v4};
use klinke_model::schedule::HolidayCalendar;
use klinke_model::time::{Clock, Mono, SystemClock, Timestamp};
use klinke_wire::CONTROLLER;
use klinke_wire::controller::{ControllerEvent, ControllerRequest, Digest, Held, PART, Wanted, Whole};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const ISSUED: Timestamp = Timestamp::from_millis(1_795_262_400_000);

/// A snapshot as a server has it.
#[derive(Clone)]
struct Snapshot {
    revision: u64,
    manifest: Vec<u8>,
    signature: Vec<u8>,
    shards: HashMap<Digest, Vec<u8>>,
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

impl Snapshot {
    fn of(authority: &Authority, controller: ControllerId, revision: u64, cards: u32) -> Self {
        let door = DoorPlan {
            door: DoorId(v4([0xd0; 16])),
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
        let card = |number: u32| {
            let mut hash = [7; 16];
            hash[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
            Credential {
                hash: CredentialHash(hash),
                holder: 0,
                state: State::Active,
                tier: CredentialTier::Identifier,
                once: false,
                duress: false,
                from_s: None,
                until_s: None,
            }
        };
        let (manifest, shards) = build(&Plan {
            controller,
            revision,
            issued: ISSUED,
            key: HashKey([7; 32]),
            zone: "Europe/Oslo".into(),
            holidays: HolidayCalendar::Norway,
            records: None,
            site_mode: SiteMode::Normal,
            doors: vec![door],
            schedules: vec![],
            holders: vec![holder],
            credentials: (0..cards).map(card).collect(),
        });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let signature = authority.sign(&signed(&manifest));
        let shards = shards.into_iter().map(|Shard(bytes)| (digest(&bytes), bytes)).collect();
        Self { revision, manifest, signature, shards }
    }

    fn offer(&self) -> ControllerEvent {
        ControllerEvent::Rights {
            revision: self.revision,
            manifest: Whole {
                sha256: digest(&self.manifest),
                bytes: u32::try_from(self.manifest.len()).unwrap(),
            },
            signature: self.signature.clone(),
        }
    }

    fn part(&self, of: Digest, from: u32) -> ControllerEvent {
        let whole = self.shards.get(&of).unwrap_or(&self.manifest);
        let rest = &whole[usize::try_from(from).unwrap()..];
        let bytes = rest[..rest.len().min(PART)].to_vec();
        ControllerEvent::Part { of, from, total: u32::try_from(whole.len()).unwrap(), bytes }
    }
}

/// The link, the intake and the disk of a controller; its doors only note what they are told.
struct Controller {
    told: mpsc::UnboundedReceiver<Rights>,
    opened: mpsc::UnboundedReceiver<OpeningId>,
    tasks: JoinSet<()>,
    folder: TempDir,
}

impl Controller {
    fn start(authority: &Authority, server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        authority.identity(&state);
        Self::again(folder, server)
    }

    /// A start of the process in a folder that is there.
    fn again(folder: TempDir, server: &Server) -> Self {
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        let identity = state.load().unwrap();
        let (tls, trust) = (Arc::new(link_config(&identity).unwrap()), Trust::of(&identity).unwrap());
        let (server, rights) = (server.address(), RightsFolder::open(&state).unwrap());
        let wanted = state.wanted();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (requests, receiver) = mpsc::channel(64);
        let ((tell, told), (open, opened)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let mut tasks = JoinSet::new();
        tasks.spawn(doors(receiver, tell, open));
        tasks.spawn(async move {
            let rights = Intake::open(rights, trust, requests.clone()).await;
            let boot = BootId(v4([1; 16]));
            let journal = Journal::default();
            Link {
                server,
                tls,
                boot,
                outputs: 1,
                wired: Vec::new(),
                clock,
                doors: requests,
                rights,
                wanted,
                journal,
            }
            .keep()
            .await;
        });
        Self { told, opened, tasks, folder }
    }

    async fn told(&mut self) -> Rights {
        within(self.told.recv()).await.unwrap()
    }
}

async fn doors(
    mut requests: mpsc::Receiver<Request>,
    tell: mpsc::UnboundedSender<Rights>,
    open: mpsc::UnboundedSender<OpeningId>,
) {
    let mut links = Vec::new();
    while let Some(request) = requests.recv().await {
        match request {
            Request::Attach(attach) => {
                let (link, reports) = mpsc::channel(8);
                links.push(link);
                drop(attach.send(Attached { doors: Vec::new(), readers: Vec::new(), reports }));
            }
            Request::Rights(rights) => drop(tell.send(*rights)),
            Request::Open(command) => drop(open.send(command.opening)),
            _ => {}
        }
    }
}

/// Takes the hello and welcomes; what the controller said that it holds.
async fn welcome(server: &Server) -> (Peer, Option<Held>) {
    let mut peer = server.accept().await.unwrap();
    let Some(ControllerRequest::Hello { rights, .. }) = peer.receive().await else { panic!("no hello") };
    let wanted = Wanted { revision: 1, doors: Vec::new() };
    let (protocol, controller) = (CONTROLLER, controller_id());
    peer.send(&ControllerEvent::Welcome { protocol, controller, wanted, time: ISSUED }).await;
    (peer, rights)
}

/// The next that is not a heartbeat.
async fn asked(peer: &mut Peer) -> Option<ControllerRequest> {
    loop {
        match peer.receive().await {
            Some(ControllerRequest::Heartbeat { .. }) => {}
            other => return other,
        }
    }
}

/// Answers until the controller says that it holds this; how many parts it asked for.
async fn serve(peer: &mut Peer, snapshot: &Snapshot) -> usize {
    let mut parts = 0;
    loop {
        match asked(peer).await {
            Some(ControllerRequest::Fetch { of, from }) => peer.send(&snapshot.part(of, from)).await,
            Some(ControllerRequest::Holds { revision }) => {
                assert_eq!(revision, snapshot.revision);
                return parts;
            }
            other => panic!("{other:?}"),
        }
        parts += 1;
    }
}

/// What `klinke-door status` says of a folder.
async fn status(folder: &TempDir) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_klinke-door"));
    let said = command.args(["status", "--state"]).arg(folder.path().join("state")).output();
    let said = within(said).await.unwrap();
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

#[tokio::test]
async fn status_says_which_rights_are_here_while_the_controller_runs() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let mut controller = Controller::start(&authority, &server);
    let (mut peer, _) = welcome(&server).await;
    let none = status(&controller.folder).await;
    assert!(none.starts_with("There are no rights here"), "{none}");
    let good = Snapshot::of(&authority, controller_id(), 7, 300);
    peer.send(&good.offer()).await;
    serve(&mut peer, &good).await;
    controller.told().await;
    let said = status(&controller.folder).await;
    assert!(said.contains("(number 7)") && said.contains("300 cards and codes"), "{said}");
    assert!(said.contains("clock can not be believed"), "nobody kept a time yet: {said}");
}

#[tokio::test]
async fn good_rights_come_into_force_and_lies_change_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = Server::start(Setup::of(&authority)).await;
    let mut controller = Controller::start(&authority, &server);
    let (mut peer, held) = welcome(&server).await;
    assert_eq!(held, None);
    let good = Snapshot::of(&authority, controller_id(), 7, 300);
    peer.send(&good.offer()).await;
    serve(&mut peer, &good).await;
    assert_eq!(controller.told().await.revision(), 7);

    let next = Snapshot::of(&authority, controller_id(), 8, 3_000);
    let elsewhere = ControllerId(v4([0xc1; 16]));
    let flipped = |change: fn(&mut Snapshot)| {
        let mut wrong = next.clone();
        change(&mut wrong);
        wrong
    };
    let lies = [
        ("an older one", Snapshot::of(&authority, controller_id(), 6, 3_000)),
        ("another under its number", Snapshot::of(&authority, controller_id(), 7, 3_000)),
        ("another controller's", Snapshot::of(&authority, elsewhere, 8, 3_000)),
        ("signed by another authority", Snapshot::of(&stranger, controller_id(), 8, 3_000)),
        ("another number than it is signed under", flipped(|wrong| wrong.revision = 9)),
        ("a bit in the signature", flipped(|wrong| wrong.signature[10] ^= 1)),
        ("a bit in the manifest", flipped(|wrong| wrong.manifest[30] ^= 1)),
        ("a manifest that is cut", flipped(|wrong| wrong.manifest.truncate(40))),
        ("a bit in a shard", flipped(|wrong| wrong.shards.values_mut().for_each(|shard| shard[5] ^= 1))),
        (
            "shards that are cut",
            flipped(|wrong| wrong.shards.values_mut().for_each(|shard| shard.truncate(42))),
        ),
    ];
    for (what, lie) in &lies {
        peer.send(&lie.offer()).await;
        // it asks for some of it, and then for nothing more: the next honest offer is what it asks for
        let marker = Snapshot::of(&authority, elsewhere, 99, 0);
        let mut marked = false;
        loop {
            let reading = tokio::time::timeout(std::time::Duration::from_millis(300), asked(&mut peer));
            match reading.await {
                Ok(Some(ControllerRequest::Fetch { of, from })) if of == digest(&marker.manifest) => {
                    marked = true;
                    peer.send(&marker.part(of, from)).await;
                }
                Ok(Some(ControllerRequest::Fetch { of, from })) => peer.send(&lie.part(of, from)).await,
                Ok(other) => panic!("{what}: {other:?}"),
                Err(_) if marked => break,
                Err(_) => peer.send(&marker.offer()).await,
            }
        }
        assert!(controller.told.try_recv().is_err(), "{what}: the last good ones stay in force");
    }
    peer.send(&next.offer()).await;
    serve(&mut peer, &next).await;
    assert_eq!(controller.told().await.credentials(), 3_000);

    // the server says on another link what it said before: nothing is fetched
    drop(peer);
    let (mut peer, held) = welcome(&server).await;
    let manifest = digest(&next.manifest);
    assert_eq!(held, Some(Held { revision: 8, issued: ISSUED, manifest }));
    peer.send(&next.offer()).await;
    assert_eq!(asked(&mut peer).await, Some(ControllerRequest::Holds { revision: 8 }));

    // paired with one installation, it believes no other, also at the next start
    controller.tasks.shutdown().await;
    let mut again = Controller::again(controller.folder, &server);
    assert_eq!(again.told().await.revision(), 8, "before anybody was dialled");
}

#[tokio::test]
async fn a_lost_link_and_an_opening_in_the_middle_of_it() {
    let authority = Authority::new();
    let server = Server::start(Setup::of(&authority)).await;
    let mut controller = Controller::start(&authority, &server);
    let (mut peer, _) = welcome(&server).await;
    let large = Snapshot::of(&authority, controller_id(), 7, 20_000);
    let all: usize = large.shards.values().map(|shard| shard.len().div_ceil(PART)).sum();
    peer.send(&large.offer()).await;
    for _ in 0..20 {
        let Some(ControllerRequest::Fetch { of, from }) = asked(&mut peer).await else { panic!("no fetch") };
        peer.send(&large.part(of, from)).await;
    }
    // the next question is on its way, and is not answered: an opening waits for nothing
    assert!(matches!(asked(&mut peer).await, Some(ControllerRequest::Fetch { .. })));
    let opening = OpeningId(v4([5; 16]));
    let (boot, door, not_after) = (BootId(v4([1; 16])), DoorId(v4([0xd0; 16])), Mono::from_millis(9));
    peer.send(&ControllerEvent::Open { boot, opening, door, hold_ms: 5_000, not_after }).await;
    assert_eq!(within(controller.opened.recv()).await, Some(opening));

    drop(peer);
    let (mut peer, held) = welcome(&server).await;
    assert_eq!(held, None, "half of it is nothing");
    assert!(controller.told.try_recv().is_err());
    peer.send(&large.offer()).await;
    let parts = serve(&mut peer, &large).await;
    assert!(parts < all, "{parts} of {all} parts: what came whole is not fetched again");
    assert_eq!(controller.told().await.credentials(), 20_000);
}
