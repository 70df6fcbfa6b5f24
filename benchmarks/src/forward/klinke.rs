//! Our media in a process of its own, so that only its time and memory are counted.
//!
//! One line of JSON asks, one answers: the offer of a connection, and the answer to it.

use super::Relay;
use super::connection::Connection;
use crate::Result;
use crate::process::Process;
use klinke_media::{Media, MediaConfig, PeerId, RoomId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::mpsc;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
enum Ask {
    Publish { room: Uuid, offer: String },
    Watch { room: Uuid, peer: Uuid, offer: String, with_sound: bool },
}

/// The process `klinke-bench media`: serves what standard input asks until it ends.
///
/// # Errors
/// When it is asked nonsense.
pub async fn serve() -> Result<Value> {
    let mut asked = lines_of_input();
    let at: IpAddr = asked.recv().await.ok_or("no address")?.parse()?;
    let shards = std::thread::available_parallelism()?.get();
    let config = MediaConfig { listen: SocketAddr::from((at, 0)), advertise: Vec::new(), shards };
    let (media, mut events) = Media::start(&config)?;
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    println!("ready");
    while let Some(line) = asked.recv().await {
        let answer = match serde_json::from_str(&line)? {
            Ask::Publish { room, offer } => {
                media.open_room(RoomId(room)).await;
                media.publish(RoomId(room), offer).await?
            }
            Ask::Watch { room, peer, offer, with_sound } => {
                let answer = media.subscribe(RoomId(room), PeerId(peer), offer).await?;
                if with_sound {
                    media.bridge(RoomId(room), PeerId(peer)).await;
                }
                answer
            }
        };
        println!("{}", serde_json::to_string(&answer)?);
    }
    Ok(Value::Null)
}

/// Standard input can only be waited for, so it has a thread.
fn lines_of_input() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(std::result::Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

/// That process, from outside.
pub struct Klinke(Process);

impl Klinke {
    /// Starts it on this address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(at: IpAddr) -> Result<Self> {
        let mut process = Process::start(Command::new(std::env::current_exe()?).arg("media"))?;
        process.input.write_all(format!("{at}\n").as_bytes()).await?;
        process.line().await?;
        Ok(Self(process))
    }

    async fn ask(&mut self, ask: &Ask) -> Result<String> {
        let line = serde_json::to_string(ask)? + "\n";
        self.0.input.write_all(line.as_bytes()).await?;
        Ok(serde_json::from_str(&self.0.line().await?)?)
    }
}

impl Relay for Klinke {
    async fn publish(&mut self, call: Uuid, panel: Connection) -> Result<()> {
        let offering = panel.offer_panel()?;
        let answer = self.ask(&Ask::Publish { room: call, offer: offering.sdp.clone() }).await?;
        offering.connect(&answer)
    }

    async fn watch(&mut self, call: Uuid, app: Connection, with_sound: bool) -> Result<()> {
        let offering = app.offer_app()?;
        let peer = Uuid::from_u128(u128::from(with_sound));
        let ask = Ask::Watch { room: call, peer, offer: offering.sdp.clone(), with_sound };
        let answer = self.ask(&ask).await?;
        offering.connect(&answer)
    }

    fn process(&self) -> &Process {
        &self.0
    }
}
