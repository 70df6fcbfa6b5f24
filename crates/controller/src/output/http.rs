//! One HTTP/1.1 request to a device that moves a lock, on a connection of its own: no proxy, no redirect, no second
//! try, nothing left behind when it is given up.

use crate::network;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

/// No device answers more, bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What a device answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// What it asks to be signed, with a status of 401.
    pub challenge: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Posts JSON.
///
/// # Errors
/// When the device cannot be reached, or what it answers is not HTTP or too long.
pub async fn post(
    address: SocketAddr,
    path: &str,
    authorization: Option<&str>,
    json: String,
) -> io::Result<Answer> {
    let mut request = Request::post(path)
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(Bytes::from(json))).map_err(other)?;

    let stream = network::dial(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(other)?;
    let mut connection = pin!(connection);
    let mut exchange = pin!(async {
        let response = sender.send_request(request).await.map_err(other)?;
        let status = response.status();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await.map_err(other)?;
        Ok(Answer { status, challenge, body: body.to_bytes().to_vec() })
    });
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        ended = &mut connection => {
            ended.map_err(other)?;
            exchange.await
        }
    }
}

fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
