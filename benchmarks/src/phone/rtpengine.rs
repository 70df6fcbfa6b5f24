//! rtpengine (Debian's package), in userspace, asked over its `ng` protocol: a cookie and a bencoded dictionary in a datagram.
//!
//! It is offered Opus and told to call out with PCMU, so it transcodes both ways. Its encoder gets our bit rate.

use super::HERE;
use super::bridge::Bridge;
use super::load::{Call, Load};
use crate::Result;
use crate::process::Process;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::timeout;

/// Longer than it takes to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// So often it is asked whether it is there.
const TRIES: u32 = 20;

/// A running rtpengine.
pub struct Rtpengine {
    process: Process,
    ng: UdpSocket,
    asked: u32,
}

impl Rtpengine {
    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let port = std::net::UdpSocket::bind((HERE, 0))?.local_addr()?.port();
        let mut command = Command::new("rtpengine");
        command.args(["--config-file=none", "--foreground", "--table=-1", "--log-stderr", "--log-level=3"]);
        command.args([format!("--interface={HERE}"), format!("--listen-ng={HERE}:{port}")]);
        command.args(["--port-min=24000", "--port-max=25999"]);
        // as many as ours has
        command.arg(format!("--num-threads={}", std::thread::available_parallelism()?));
        let process = Process::start(&mut command)?;
        let ng = UdpSocket::bind((HERE, 0)).await?;
        ng.connect((HERE, port)).await?;
        let mut rtpengine = Self { process, ng, asked: 0 };
        for _ in 0..TRIES {
            if rtpengine.ask("d7:command4:pinge").await.is_ok_and(|said| said.contains("4:pong")) {
                return Ok(rtpengine);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("rtpengine does not answer".into())
    }

    async fn ask(&mut self, request: &str) -> Result<String> {
        self.asked += 1;
        let cookie = format!("klinke{} ", self.asked);
        self.ng.send(format!("{cookie}{request}").as_bytes()).await?;
        let mut buffer = vec![0; 65_535];
        loop {
            let length = timeout(PATIENCE, self.ng.recv(&mut buffer)).await??;
            let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if let Some(said) = said.strip_prefix(&cookie) {
                return Ok(said.to_owned());
            }
        }
    }

    /// The port of sound in the description that it answers with.
    async fn port(&mut self, request: &str) -> Result<SocketAddr> {
        let said = self.ask(request).await?;
        let port = said.split_once("m=audio ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let port = port.ok_or_else(|| format!("rtpengine said {said}"))?;
        Ok(SocketAddr::new(HERE, port))
    }
}

impl Bridge for Rtpengine {
    fn process(&self) -> &Process {
        &self.process
    }

    async fn open(&mut self, calls: usize, load: &Load) -> Result<Vec<Call>> {
        let mut targets = Vec::new();
        for call in 0..calls {
            let id = format!("call{call}");
            let panel = description(
                load.sockets.panel,
                "111",
                "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;stereo=0;sprop-stereo=0\r\n",
            );
            let codec = dictionary(&[
                ("mask", &list(&["opus"])),
                ("set", &list(&[OPUS_AS_OURS])),
                ("transcode", &list(&["PCMU"])),
            ]);
            let offer = dictionary(&[
                ("ICE", &text("remove")),
                ("call-id", &text(&id)),
                ("codec", &codec),
                ("command", &text("offer")),
                ("from-tag", &text("panel")),
                ("sdp", &text(&panel)),
            ]);
            let phone = self.port(&offer).await?;
            let answered = description(load.sockets.phone, "0", "a=rtpmap:0 PCMU/8000\r\n");
            let answer = dictionary(&[
                ("ICE", &text("remove")),
                ("call-id", &text(&id)),
                ("command", &text("answer")),
                ("from-tag", &text("panel")),
                ("sdp", &text(&answered)),
                ("to-tag", &text("phone")),
            ]);
            targets.push(Call { panel: self.port(&answer).await?, phone });
        }
        let query = dictionary(&[("call-id", &text("call0")), ("command", &text("query"))]);
        if !self.ask(&query).await?.contains("transcoding") {
            return Err("rtpengine does not transcode".into());
        }
        Ok(targets)
    }
}

/// Rate, channels and bit rate of our encoder. Complexity and repair stay as FFmpeg's wrapper of libopus has them.
const OPUS_AS_OURS: &str = "opus/48000/1/24000";

fn description(address: SocketAddr, kind: &str, attributes: &str) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {kind}\r\n{attributes}\
         a=ptime:20\r\na=sendrecv\r\n"
    )
}

fn text(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn list(items: &[&str]) -> String {
    format!("l{}e", items.iter().map(|item| text(item)).collect::<String>())
}

/// Keys in their order, values bencoded already.
fn dictionary(entries: &[(&str, &str)]) -> String {
    format!("d{}e", entries.iter().map(|(key, value)| text(key) + value).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_bencoded() {
        let inner = dictionary(&[("mask", &list(&["opus", "PCMA"]))]);
        let whole = dictionary(&[("codec", &inner), ("command", &text("offer"))]);
        assert_eq!(whole, "d5:codecd4:maskl4:opus4:PCMAee7:command5:offere");
    }
}
