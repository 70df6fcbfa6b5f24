//! One request to the web server of a door station, which opens its door: `GET` of what an administrator typed, at the address
//! from which the station is registered.
//!
//! Signing in is by Digest (RFC 7616, SHA-256 or MD5) as the station asks, or by Basic (RFC 7617) inside TLS; in the clear only
//! where an administrator chose that. A station that asks for a name answers the first request with 401 and opens nothing, so
//! the second one is the one that opens. Where the path has a place for name and password (Akuvox), they go there, under the same
//! condition, and nowhere else.
//!
//! Invariants: no name is looked up, no redirect followed, nothing tried again; all of it takes [`WITHIN`] or [`WITHIN_TLS`] at most,
//! and of the answer no more is read than [`LARGEST_HEAD`] and [`LARGEST_BODY`]. Which certificate counts: see [`super::tls`].

use super::NotTold;
use super::tls::{self, Tls};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper_util::rt::TokioIo;
use klinke_model::station_relay::{CertificateDigest, RelayHttp};
use klinke_sip::digest::{Account, strongest};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How long all of it may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How long it may take over TLS: the processor of a station is seconds over two handshakes.
const WITHIN_TLS: Duration = Duration::from_secs(4);
/// How long the body of an answer may take whose head is there: some stations never end theirs.
const BODY_WITHIN: Duration = Duration::from_millis(300);
/// The largest head of an answer, bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// The largest body that is looked into, bytes.
const LARGEST_BODY: usize = 4 * 1024;

/// Whose name a station is told, and a number of its own for each request (RFC 7616, section 3.4). It has no `Debug`.
pub struct Sign<'a> {
    /// The name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// Random, hexadecimal.
    pub cnonce: String,
}

/// Why a station did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody takes the connection.
    NotReached,
    /// No authority vouches for the certificate, or TLS can not be spoken with it.
    Tls,
    /// It shows another certificate than the one that was taken: it was told nothing.
    OtherCertificate,
    /// No answer in time; it may have opened.
    TimedOut,
    /// The connection ended before an answer; it may have opened.
    NoAnswer,
    /// It does not take name and password, or asks for some and there are none.
    SignIn,
    /// It asks for the password in the clear, which nobody allowed.
    InTheClear,
    /// Another status than success.
    Status(u16),
    /// It says in so many words that it did not, with status 200 (2N: `"success": false`; Akuvox: a `retcode` other than 0).
    NotDone,
}

impl Failure {
    /// What is known of the door.
    pub const fn as_not_told(self) -> NotTold {
        match self {
            Self::NotReached => NotTold::Away,
            Self::TimedOut | Self::NoAnswer => NotTold::Unsure,
            Self::Tls
            | Self::OtherCertificate
            | Self::SignIn
            | Self::InTheClear
            | Self::Status(_)
            | Self::NotDone => NotTold::Refused,
        }
    }
}

/// What a station answered.
struct Answer {
    status: StatusCode,
    challenges: Vec<HeaderValue>,
    body: Vec<u8>,
}

/// Asks stations. Keeps no connection.
pub struct Http {
    tls: Tls,
}

impl Http {
    /// Nothing is dialled yet.
    pub const fn new() -> Self {
        Self { tls: Tls::of_this_machine() }
    }

    /// Asks once; in success the station has been told.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn ask(
        &self,
        address: IpAddr,
        http: &RelayHttp,
        sign: Option<&Sign<'_>>,
    ) -> Result<(), Failure> {
        let within = if http.https { WITHIN_TLS } else { WITHIN };
        let asked = tokio::time::timeout(within, self.signed(address, http, sign)).await;
        asked.unwrap_or(Err(Failure::TimedOut))
    }

    /// The certificate that is shown at this port. Nothing is asked there.
    ///
    /// # Errors
    /// [`Failure::NotReached`], [`Failure::TimedOut`], and [`Failure::Tls`] when there is none, or none whose holder proved it.
    pub async fn certificate(&self, address: IpAddr, port: u16) -> Result<CertificateDigest, Failure> {
        let reading = async {
            let to = SocketAddr::new(address.to_canonical(), port);
            let stream = TcpStream::connect(to).await.map_err(|_| Failure::NotReached)?;
            tls::shown(stream).await
        };
        tokio::time::timeout(WITHIN_TLS, reading).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn signed(
        &self,
        address: IpAddr,
        http: &RelayHttp,
        sign: Option<&Sign<'_>>,
    ) -> Result<(), Failure> {
        let mut answer = if http.path.names_account() {
            let sign = sign.ok_or(Failure::SignIn)?;
            if !http.https && !http.basic {
                return Err(Failure::InTheClear);
            }
            let path = http.path.filled(sign.user, sign.password);
            self.get(address, http, path.reveal(), None).await?
        } else {
            self.get(address, http, http.path.as_str(), None).await?
        };
        if answer.status == StatusCode::UNAUTHORIZED && !http.path.names_account() {
            let authorization = authorization(http, sign.ok_or(Failure::SignIn)?, &answer)?;
            answer = self.get(address, http, http.path.as_str(), Some(authorization)).await?;
        }
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(Failure::SignIn),
            status if !status.is_success() => Err(Failure::Status(status.as_u16())),
            _ if says_no(&answer.body) => Err(Failure::NotDone),
            _ => Ok(()),
        }
    }

    async fn get(
        &self,
        address: IpAddr,
        http: &RelayHttp,
        path: &str,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let to = SocketAddr::new(address.to_canonical(), http.port);
        let mut request = Request::get(path)
            .header(header::HOST, to.to_string())
            .header(header::USER_AGENT, concat!("Klinke/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .body(Body::empty())
            .map_err(|_| Failure::Status(StatusCode::BAD_REQUEST.as_u16()))?;
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let stream = self.connect(to, http).await?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(LARGEST_HEAD);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|_| Failure::NoAnswer)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|_| Failure::NoAnswer)?;
            let (head, body) = answer.into_parts();
            let challenges = head.headers.get_all(header::WWW_AUTHENTICATE).iter().cloned().collect();
            let body = tokio::time::timeout(BODY_WITHIN, to_bytes(Body::new(body), LARGEST_BODY)).await;
            // what is too long, or does not come, says nothing against the status
            let body = body.ok().and_then(Result::ok).unwrap_or_default().to_vec();
            Ok(Answer { status: head.status, challenges, body })
        };
        // the connection ends with this function, whatever the other side would still like to say
        tokio::select! {
            answer = exchange => answer,
            () = async { drop(connection.await); std::future::pending().await } => Err(Failure::NoAnswer),
        }
    }

    async fn connect(&self, to: SocketAddr, http: &RelayHttp) -> Result<Box<dyn Stream>, Failure> {
        let stream = TcpStream::connect(to).await.map_err(|_| Failure::NotReached)?;
        if !http.https {
            return Ok(Box::new(stream));
        }
        Ok(Box::new(self.tls.begin(stream, http.certificate).await?))
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

/// Name and password as the station asks for them.
fn authorization(http: &RelayHttp, sign: &Sign<'_>, answer: &Answer) -> Result<HeaderValue, Failure> {
    let asked: Vec<&str> = answer.challenges.iter().filter_map(|value| value.to_str().ok()).collect();
    let (user, password) = (sign.user, sign.password);
    let text = if let Some(challenge) = strongest(asked.iter().copied()) {
        let account = Account { user: user.to_owned(), password: password.to_owned() };
        challenge.answer(&account, "GET", http.path.as_str(), &sign.cnonce, 1)
    } else if asked.iter().any(|value| is_basic(value)) {
        if !http.https && !http.basic {
            return Err(Failure::InTheClear);
        }
        format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
    } else {
        return Err(Failure::SignIn);
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| Failure::SignIn)?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_basic(challenge: &str) -> bool {
    challenge.split_ascii_whitespace().next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

fn says_no(body: &[u8]) -> bool {
    let Ok(said) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    let retcode = said.get("retcode").and_then(serde_json::Value::as_i64);
    said.get("success") == Some(&serde_json::Value::Bool(false)) || retcode.is_some_and(|code| code != 0)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::station_relay::RelayPath;

    fn relay(https: bool, basic: bool) -> RelayHttp {
        let path = RelayPath::new("/open?door=1").unwrap();
        RelayHttp { https, certificate: None, port: 80, path, user: Some("klinke".into()), basic }
    }

    fn asks(challenges: &[&'static str]) -> Answer {
        let challenges = challenges.iter().map(|value| HeaderValue::from_static(value)).collect();
        Answer { status: StatusCode::UNAUTHORIZED, challenges, body: Vec::new() }
    }

    #[test]
    fn a_password_goes_in_the_clear_only_where_that_was_chosen() {
        let sign = Sign { user: "klinke", password: "hush", cnonce: "c".into() };
        let (basic, digest) = ("Basic realm=\"2N\"", "Digest realm=\"2N\", nonce=\"n\", qop=\"auth\"");
        let signs = |relay, asked: &[&'static str]| {
            let value = authorization(&relay, &sign, &asks(asked))?;
            Ok(value.to_str().unwrap().to_owned())
        };
        assert_eq!(signs(relay(false, false), &[basic]), Err(Failure::InTheClear));
        // RFC 7617, section 2: klinke:hush
        let clear = Ok("Basic a2xpbmtlOmh1c2g=".to_owned());
        assert_eq!(signs(relay(false, true), &[basic]), clear);
        assert_eq!(signs(relay(true, false), &[basic]), clear);
        // who offers better gets better, whatever else was chosen
        let better = signs(relay(false, true), &[basic, digest]).unwrap();
        assert!(better.starts_with("Digest username=\"klinke\"") && !better.contains("hush"), "{better}");
        assert!(better.contains("uri=\"/open?door=1\""), "{better}");
        assert_eq!(signs(relay(false, true), &["Bearer"]), Err(Failure::SignIn));
        assert_eq!(signs(relay(false, true), &[]), Err(Failure::SignIn));
    }

    #[test]
    fn a_station_that_says_no_with_status_200_has_not_done_it() {
        for (body, no) in [
            ("{\n  \"success\" : false,\n  \"error\" : { \"code\" : 12 }\n}", true),
            ("{ \"success\" : true }", false),
            ("{\"retcode\":-3,\"action\":\"OpenDoor\",\"message\":\"Not Enable\"}", true),
            ("{\"retcode\":0,\"action\":\"OpenDoor\",\"message\":\"OK\"}", false),
            ("<html>OK</html>", false),
            ("false", false),
            ("", false),
        ] {
            assert_eq!(says_no(body.as_bytes()), no, "{body}");
        }
    }
}
