//! How long people wait: native clients over real WebSockets against a real `klinke demo` and its door controllers.

use crate::Result;
use crate::client::{self, Socket};
use crate::figures::{now, times};
use crate::locks::Locks;
use crate::process::Process;
use klinke_model::ids::DoorId;
use klinke_wire::app::{AppEvent, AppRequest};
use klinke_wire::common::{OpeningNews, OpeningState};
use klinke_wire::panel::{PanelCall, PanelCallState, PanelEvent, PanelRequest};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::sleep;

/// Taps in a run.
const TAPS: usize = 500;
/// Between two calls, of two messages each: a client may send 20 a second in the long run.
const BETWEEN_CALLS: Duration = Duration::from_millis(110);
/// Between two openings, of one message each.
const BETWEEN_OPENINGS: Duration = Duration::from_millis(55);
/// A home of the demo's town with a sign-in for two people, rung at once.
const HOME: &str = "Haugen";
const RESIDENTS: [&str; 2] = ["kari", "ola"];

/// A running demo, and what it told of itself.
pub struct Demo {
    /// The server; its controllers end with it.
    pub process: Process,
    /// Where its files are.
    pub folder: tempfile::TempDir,
    /// What it told.
    pub told: Value,
    /// `http://host:port`.
    pub origin: String,
}

impl Demo {
    /// Starts it in a folder of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(klinke: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(klinke);
        command.args(["demo", "--port", "0", "--print-json", "--dir"]).arg(folder.path());
        let mut process = Process::start(&mut command)?;
        let told: Value = serde_json::from_str(&process.line().await?)?;
        let app_url = told["app_url"].as_str().ok_or("the demo told no address")?;
        let origin = app_url.trim_end_matches("/app").to_owned();
        Ok(Self { process, folder, told, origin })
    }

    /// An app of this person; gives the doors it may open too.
    async fn app(&self, user_name: &str) -> Result<(Socket, Vec<DoorId>)> {
        let all = self.told["sign_ins"].as_array().map_or(&[][..], Vec::as_slice);
        let one = all.iter().find(|one| one["user_name"] == user_name).ok_or("no such resident")?;
        let password = one["password"].as_str().unwrap_or_default();
        let cookie = client::sign_in(&self.origin, user_name, password).await?;
        let (socket, welcome) = client::app(&self.origin, &cookie).await?;
        let AppEvent::Welcome { doors, .. } = welcome else { return Err("no welcome".into()) };
        Ok((socket, doors.into_iter().map(|door| door.door).collect()))
    }
}

/// Tap on a name → the `ring` at the app; at the later one of two residents' apps.
///
/// # Errors
/// When a call does not ring.
pub async fn tap_to_ring(klinke: &Path) -> Result<Value> {
    let demo = Demo::start(klinke).await?;
    let address = demo.told["panel_urls"][0]["url"].as_str().unwrap_or_default();
    let (mut panel, directory) = client::panel(&demo.origin, address).await?;
    let bell = directory.bells.iter().find(|bell| bell.label.as_str() == HOME).ok_or("no such home")?.bell;
    let mut apps = Vec::new();
    for resident in RESIDENTS {
        apps.push(demo.app(resident).await?.0);
    }

    let mut taken = Vec::with_capacity(TAPS);
    for _ in 0..TAPS {
        sleep(BETWEEN_CALLS).await;
        let request = client::request()?;
        let tap = now();
        panel.send(&PanelRequest::Ring { request, bell, member: None }).await?;
        let rings = apps.iter_mut().map(async |app| {
            app.find(|event| match event {
                AppEvent::Ring { call } => Some((call.call, now())),
                _ => None,
            })
            .await
        });
        let rung = futures_util::future::try_join_all(rings).await?;
        let last = rung.iter().map(|(_, at)| *at).max().ok_or("nobody was rung")?;
        taken.push(last - tap);

        let call = rung.first().map(|(call, _)| *call).ok_or("nobody was rung")?;
        panel.send(&PanelRequest::HangUp { call }).await?;
        panel
            .find(|event| match event {
                PanelEvent::Call {
                    call: PanelCall { call: over, state: PanelCallState::Ended { .. }, .. },
                    ..
                } => (over == call).then_some(()),
                _ => None,
            })
            .await?;
    }
    demo.process.stop().await?;
    Ok(json!({ "ms": times(taken) }))
}

/// Tap on Open → the relay is on, as the kernel sees the simulated lock; and → `open` at the app, which the controller
/// says after its output is on.
///
/// # Errors
/// When a door is not opened.
pub async fn open_to_relay(klinke: &Path) -> Result<Value> {
    let demo = Demo::start(klinke).await?;
    let [resident, ..] = RESIDENTS;
    let (mut app, doors) = demo.app(resident).await?;
    until_online(&mut app, &doors).await?;
    let mut locks = Locks::watch(demo.folder.path())?;

    let (mut relay, mut news) = (Vec::with_capacity(TAPS), Vec::with_capacity(TAPS));
    for door in doors.iter().cycle().take(TAPS) {
        sleep(BETWEEN_OPENINGS).await;
        locks.forget();
        let tap = now();
        match open(&mut app, *door).await? {
            OpeningState::Open { .. } => news.push(now() - tap),
            other => return Err(format!("a door was not opened: {other:?}").into()),
        }
        relay.push(locks.released().await? - tap);
    }
    demo.process.stop().await?;
    Ok(json!({ "relay_ms": times(relay), "news_ms": times(news) }))
}

/// Waits until the controller of these doors is connected.
async fn until_online(app: &mut Socket, doors: &[DoorId]) -> Result<()> {
    let door = *doors.first().ok_or("the resident has no door")?;
    for _ in 0..100 {
        if let OpeningState::Open { .. } = open(app, door).await? {
            return Ok(());
        }
        sleep(BETWEEN_OPENINGS).await;
    }
    Err("the door's controller did not connect".into())
}

/// Opens a door; gives how it ended.
async fn open(app: &mut Socket, door: DoorId) -> Result<OpeningState> {
    let request = client::request()?;
    app.send(&AppRequest::Open { request, door, call: None }).await?;
    app.find(|event| match event {
        AppEvent::Opening { news: OpeningNews { request: Some(answers), state, .. }, .. }
            if answers == request =>
        {
            (!matches!(state, OpeningState::Sending)).then_some(state)
        }
        _ => None,
    })
    .await
}
