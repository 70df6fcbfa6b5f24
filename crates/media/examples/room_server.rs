//! A room to look at: `cargo run -p klinke-media --example room_server`, then open the printed address with
//! `#panel` in one window and with `#app` in others. An app's button answers the call.
//!
//! HTTP is spoken just well enough for this page: `POST /publish`, `/subscribe/{peer}`, `/bridge/{peer}`.

use klinke_media::{Media, MediaConfig, PeerId, RoomId};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const ROOM: RoomId = RoomId(Uuid::from_u128(1));
const LONGEST_BODY: usize = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen: SocketAddr = "127.0.0.1:0".parse()?;
    let (media, mut events) = Media::start(&MediaConfig { listen, advertise: Vec::new(), shards: 1 })?;
    media.open_room(ROOM).await;
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            println!("{event:?}");
        }
    });
    let pages = TcpListener::bind(listen).await?;
    println!("http://{}/", pages.local_addr()?);
    loop {
        let (stream, _) = pages.accept().await?;
        let media = media.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(stream, &media).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn serve(stream: TcpStream, media: &Media) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    while line.trim() != "" {
        line.clear();
        stream.read_line(&mut line).await?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; LONGEST_BODY.min(length)];
    stream.read_exact(&mut body).await?;
    let offer = String::from_utf8_lossy(&body).into_owned();
    let peer = |text: &str| text.parse().map(PeerId).unwrap_or(PeerId(Uuid::nil()));
    let answer = match path.trim_start_matches('/').split_once('/') {
        None if path == "/publish" => media.publish(ROOM, offer).await,
        None => Ok(PAGE.to_owned()),
        Some(("subscribe", id)) => media.subscribe(ROOM, peer(id), offer).await,
        Some((_, id)) => {
            media.bridge(ROOM, peer(id)).await;
            Ok(String::new())
        }
    };
    let (status, body) = match answer {
        Ok(body) => ("200 OK", body),
        Err(error) => ("422 Unprocessable Content", error.to_string()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", body.len());
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await?;
    stream.shutdown().await
}

const PAGE: &str = r#"<!doctype html><meta charset=utf-8><title>room</title>
<video id=video autoplay playsinline muted></video><button id=answer hidden>Answer</button>
<script type=module>
const pc = new RTCPeerConnection(), me = crypto.randomUUID()
const negotiate = async path => {
  await pc.setLocalDescription()
  const response = await fetch(path, { method: 'POST', body: pc.localDescription.sdp })
  if (!response.ok) throw new Error(await response.text())
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() })
}
const hear = track => { const sound = new Audio(); sound.srcObject = new MediaStream([track]); sound.play() }
if (location.hash === '#panel') {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true })
  video.srcObject = stream
  pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream] })
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendrecv' })
  pc.ontrack = event => hear(event.track)
  await negotiate('/publish')
} else {
  pc.addTransceiver('video', { direction: 'recvonly' })
  const sound = pc.addTransceiver('audio', { direction: 'sendrecv' })
  pc.ontrack = event => { if (event.track.kind === 'video') video.srcObject = new MediaStream([event.track]) }
  await negotiate('/subscribe/' + me)
  answer.hidden = false
  answer.onclick = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    await sound.sender.replaceTrack(stream.getAudioTracks()[0])
    hear(sound.receiver.track)
    await fetch('/bridge/' + me, { method: 'POST' })
  }
}
</script>"#;
