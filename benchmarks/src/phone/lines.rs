//! Our bridge in a process of its own, so that only its time and memory are counted: the process `klinke-bench phone-lines`.
//!
//! Each call has a line as the server starts it: two ports, the clock of 20 ms, one task. The panels' packets come through
//! one socket for all, as they do to the server's media, and are given to the line whose they are.

use super::load::{Call, OPUS, Sockets};
use super::{HERE, line};
use crate::Result;
use klinke_model::time::SystemClock;
use klinke_sip::rtp::packet::Packet;
use klinke_sip::rtp::port::News;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// The process itself: says where so many calls' packets are to be sent, and bridges them until it is ended.
///
/// # Errors
/// When there are no ports.
pub async fn serve(calls: usize, load: Sockets) -> Result<Value> {
    let clock = Arc::new(SystemClock::start());
    let socket = Arc::new(UdpSocket::bind((HERE, 0)).await?);
    let panel = socket.local_addr()?;
    let (mut lines, mut told) = (Vec::new(), Vec::new());
    for ssrc in (1..).take(calls) {
        let (phone, line, mut news) = line(load.phone, &clock).await?;
        lines.push(line);
        told.push(Call { panel, phone });
        let socket = socket.clone();
        tokio::spawn(async move {
            while let Some(news) = news.recv().await {
                if let News::ForPanel(sound) = news {
                    let packet = Packet {
                        payload_type: OPUS,
                        marker: sound.marker,
                        sequence: sound.sequence,
                        timestamp: sound.timestamp,
                        ssrc,
                        csrc: &[],
                        extension: None,
                        payload: &sound.payload,
                    };
                    // what is lost is seen in the counts
                    let _ = socket.send_to(&packet.write(), load.panel).await;
                }
            }
        });
    }
    println!("{}", serde_json::to_string(&told)?);
    let mut buffer = [0; 1_500];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        give(&lines, &buffer[..length], from, load.panel);
    }
}

/// To the line whose it is.
fn give(lines: &[klinke_sip::rtp::port::Line], datagram: &[u8], from: SocketAddr, panel: SocketAddr) {
    let Some(packet) = Packet::parse(datagram).ok().filter(|_| from == panel) else { return };
    if let Some(line) = lines.get(packet.ssrc.wrapping_sub(1) as usize) {
        line.from_panel(datagram.to_vec());
    }
}
