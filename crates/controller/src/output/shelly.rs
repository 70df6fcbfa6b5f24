//! A Shelly relay, second generation or later, as a lock: JSON-RPC over HTTP with a password
//! (<https://shelly-api-docs.shelly.cloud/gen2/>, *Switch* and *Authentication*).
//!
//! `Switch.Set` takes `toggle_after`: the device ends the release by itself. A device that answers without asking for
//! the password can be switched by anybody on its network: it is refused until it has one. The signature covers no
//! body, and nothing is encrypted: the device belongs on a network of its own.

mod digest;

use super::http::{Answer, post};
use super::remote::Device;
use digest::Challenge;
use hyper::StatusCode;
use serde_json::{Value, json};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

const PATH: &str = "/rpc";
/// The only user there is.
const USER: &str = "admin";

/// One switch of a device.
pub struct Shelly {
    address: SocketAddr,
    switch: u16,
    password: String,
    challenge: Option<Challenge>,
}

impl fmt::Debug for Shelly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelly({}, switch {})", self.address, self.switch)
    }
}

impl Shelly {
    /// A switch of the device at `address`.
    pub const fn new(address: SocketAddr, switch: u16, password: String) -> Self {
        Self { address, switch, password, challenge: None }
    }

    /// Calls a method, signed; the result.
    async fn call(&mut self, method: &str, params: Value) -> io::Result<Value> {
        let body = json!({ "id": 1, "src": "klinke", "method": method, "params": params }).to_string();
        if self.challenge.is_none() {
            self.ask_for_challenge().await?;
        }
        let mut answer = self.post_signed(body.clone()).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // its nonces do not live long; what it refused it has not done
            self.challenge = answer.challenge.as_deref().and_then(Challenge::read);
            answer = self.post_signed(body).await?;
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.challenge = None;
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the device does not take the password",
            ));
        }
        if answer.status != StatusCode::OK {
            return Err(io::Error::other(format!("the device answered {}", answer.status)));
        }
        let mut answer: Value = serde_json::from_slice(&answer.body)?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(io::Error::other(format!("the device refused with {}", error_code(&answer)))),
        }
    }

    /// By a question that moves nothing, and that a device with a password does not answer.
    async fn ask_for_challenge(&mut self) -> io::Result<()> {
        let harmless = json!({ "id": 1, "src": "klinke", "method": "Switch.GetStatus", "params": { "id": self.switch } });
        let answer = post(self.address, PATH, None, harmless.to_string()).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            let open = "the device asks for no password: set one, anybody on its network could open the door";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, open));
        }
        let challenge = answer.challenge.as_deref().and_then(Challenge::read);
        let weak = || io::Error::new(io::ErrorKind::PermissionDenied, "the device does not ask for SHA-256");
        self.challenge = Some(challenge.ok_or_else(weak)?);
        Ok(())
    }

    async fn post_signed(&mut self, body: String) -> io::Result<Answer> {
        let Some(challenge) = &mut self.challenge else {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the device does not ask for SHA-256",
            ));
        };
        let cnonce = format!("{:016x}", getrandom::u64().map_err(io::Error::other)?);
        let signed = challenge.sign(USER, &self.password, PATH, &cnonce);
        post(self.address, PATH, Some(&signed), body).await
    }
}

impl Device for Shelly {
    async fn release(&mut self, lease: Duration) -> io::Result<()> {
        let params = json!({ "id": self.switch, "on": true, "toggle_after": lease.as_secs_f64() });
        self.call("Switch.Set", params).await.map(drop)
    }

    async fn lock(&mut self) -> io::Result<()> {
        self.call("Switch.Set", json!({ "id": self.switch, "on": false })).await.map(drop)
    }

    async fn is_released(&mut self) -> io::Result<bool> {
        let status = self.call("Switch.GetStatus", json!({ "id": self.switch })).await?;
        let silent = || io::Error::new(io::ErrorKind::InvalidData, "the device does not tell its output");
        status.get("output").and_then(Value::as_bool).ok_or_else(silent)
    }
}

fn error_code(answer: &Value) -> i64 {
    answer.pointer("/error/code").and_then(Value::as_i64).unwrap_or_default()
}
