//! A trunk that notes when an INVITE has arrived, and is busy: the process `klinke-bench phone-trunk`.
//!
//! It prints its port, then for each INVITE the number that is called and the moment, and for each datagram that is no SIP
//! its text and the moment.

use crate::Result;
use serde_json::Value;
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

/// The process itself: until it is ended.
///
/// # Errors
/// When it has no socket.
pub fn serve() -> Result<Value> {
    let socket = UdpSocket::bind((super::HERE, 0))?;
    println!("{}", socket.local_addr()?.port());
    let mut buffer = [0; 4_096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        let at = moment();
        let text = String::from_utf8_lossy(&buffer[..length]);
        let (method, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match method {
            "OPTIONS" => drop(socket.send_to(respond(&text, "200 OK").as_bytes(), from)?),
            "INVITE" => {
                let called =
                    rest.strip_prefix("sip:").and_then(|rest| rest.split('@').next()).unwrap_or_default();
                println!("{called} {at}");
                socket.send_to(respond(&text, "486 Busy Here").as_bytes(), from)?;
            }
            "ACK" => {}
            _ => println!("{text} {at}"),
        }
    }
}

/// Nanoseconds since 1970: the one clock that two processes read alike.
#[expect(clippy::disallowed_methods, reason = "this is the measurement")]
pub fn moment() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The response with the header fields that RFC 3261 §8.2.6.2 has copied.
fn respond(request: &str, status: &str) -> String {
    let copied: String = request
        .split("\r\n")
        .filter_map(|line| {
            let name = line.split(':').next()?.trim().to_ascii_lowercase();
            match name.as_str() {
                "via" | "from" | "call-id" | "cseq" => Some(format!("{line}\r\n")),
                "to" => Some(format!("{line};tag=bench\r\n")),
                _ => None,
            }
        })
        .collect();
    format!("SIP/2.0 {status}\r\n{copied}Content-Length: 0\r\n\r\n")
}
