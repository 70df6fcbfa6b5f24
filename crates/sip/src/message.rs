//! SIP messages as a start line, headers in their order and a body (RFC 3261, section 7). Read by `rsipstack`, whose
//! types end here; written by us. No line break that comes from a value leaves in a message.

use rsipstack::sip::SipMessage;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// What a request asks for. Methods that we do not know are answered 501 by their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Prack,
    Update,
    Info,
    Options,
    Register,
    /// Known to SIP, not to us: MESSAGE, NOTIFY, REFER, …
    Other(&'static str),
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Info => "INFO",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Other(name) => name,
        }
    }

    fn read(name: &str) -> Option<Self> {
        let known = [
            Self::Invite,
            Self::Ack,
            Self::Bye,
            Self::Cancel,
            Self::Prack,
            Self::Update,
            Self::Info,
            Self::Options,
            Self::Register,
        ];
        let others = ["MESSAGE", "NOTIFY", "PUBLISH", "REFER", "SUBSCRIBE"];
        let known = known.into_iter().find(|method| method.name() == name);
        known.or_else(|| others.into_iter().find(|other| *other == name).map(Self::Other))
    }
}

/// Headers in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first of this name, in its long form.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// In the place of the first of this name, or at the end.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.push(name, value),
        }
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name)).cloned().collect())
    }

    /// All of them: names and values.
    #[cfg(test)]
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of a header that is a list, over several lines or with commas.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.all(name).flat_map(split_list).collect()
    }

    /// Whether a header that is a list of tokens has this one.
    pub(crate) fn has(&self, name: &str, token: &str) -> bool {
        self.list(name).iter().any(|one| one.eq_ignore_ascii_case(token))
    }

    /// The number that a value begins with.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        let value = self.get(name)?.trim();
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value.get(..end)?.parse().ok()
    }

    /// Number and method of `CSeq`.
    pub(crate) fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.get("CSeq")?.trim().split_once([' ', '\t'])?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// The branch of the topmost `Via`.
    pub(crate) fn branch(&self) -> Option<&str> {
        parameter(split_list(self.get("Via")?).first()?, "branch")
    }

    /// The tag of `From` or `To`.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        tag(self.get(name)?)
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub method: Method,
    pub uri: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub status: u16,
    /// The words beside the status.
    pub words: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Request(Request),
    Response(Response),
}

/// The longest message that is read, in bytes.
pub(crate) const LONGEST: usize = 65_535;

/// Reads one whole message; `None` for what is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Message> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    // the parser would leave out the headers after a line that is not UTF-8
    let head = std::str::from_utf8(bytes.get(..end)?).ok().filter(|_| bytes.len() <= LONGEST)?;
    // as it came: digests are made over it, and the parser would escape again what is escaped
    let uri = head.lines().next()?.split([' ', '\t']).nth(1)?;
    if uri.chars().any(char::is_control) {
        return None;
    }
    match SipMessage::try_from(bytes).ok()? {
        SipMessage::Request(request) => Some(Message::Request(Request {
            method: Method::read(&request.method.to_string())?,
            uri: uri.to_owned(),
            headers: headers(&request.headers),
            body: request.body,
        })),
        SipMessage::Response(response) => {
            let status = u16::from(response.status_code.clone());
            (100..700).contains(&status).then(|| {
                let usual = response.status_code.text();
                let told = response.wire_reason.as_deref().unwrap_or(usual);
                let told = plain(told).trim().to_owned();
                // the usual words in other letters are the usual words, as they are for the parser
                let is_usual = told.is_empty() || told.eq_ignore_ascii_case(usual);
                let words = if is_usual { plain(usual).trim().to_owned() } else { told };
                Message::Response(Response {
                    status,
                    words,
                    headers: headers(&response.headers),
                    body: response.body,
                })
            })
        }
    }
}

fn headers(read: &rsipstack::sip::Headers) -> Headers {
    let lines = read.iter().map(ToString::to_string);
    Headers(
        lines
            .filter_map(|line| line.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())))
            .filter(|(name, _)| is_token(name))
            .collect(),
    )
}

/// Whether it may be the name of a header (RFC 3261, section 25.1); else, written again, it could be a part of another line.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

impl Request {
    pub(crate) fn write(&self) -> Vec<u8> {
        write(&format!("{} {} SIP/2.0", self.method.name(), plain(&self.uri)), &self.headers, &self.body)
    }
}

impl Response {
    /// An answer to a request: its `Via`, `From`, `To`, `Call-ID` and `CSeq`, and `tag` at `To` where it has none.
    pub(crate) fn to(request: &Request, status: u16, tag_of_to: Option<&str>) -> Self {
        let mut headers = Headers::default();
        for (name, value) in &request.headers.0 {
            if ["Via", "From", "Call-ID", "CSeq"].iter().any(|one| name.eq_ignore_ascii_case(one)) {
                headers.push(name, value.as_str());
            } else if name.eq_ignore_ascii_case("To") {
                match tag_of_to.filter(|_| tag(value).is_none()) {
                    Some(new) => headers.push(name, format!("{value};tag={new}")),
                    None => headers.push(name, value.as_str()),
                }
            }
        }
        Self { status, words: words(status).to_owned(), headers, body: Vec::new() }
    }

    /// The same with a tag at `To`, where it has none.
    pub(crate) fn tagged(mut self, new: &str) -> Self {
        let to = self.headers.get("To").filter(|to| tag(to).is_none()).map(|to| format!("{to};tag={new}"));
        if let Some(to) = to {
            self.headers.set("To", to);
        }
        self
    }

    /// Says in the topmost `Via` where the request came from (RFC 3261, section 18.2.1, and RFC 3581).
    pub(crate) fn say_source(&mut self, from: SocketAddr) {
        let Some((_, value)) = self.headers.0.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("Via"))
        else {
            return;
        };
        let (mut first, rest) = match split_list(value).split_first() {
            Some((first, rest)) => ((*first).to_owned(), rest.join(", ")),
            None => return,
        };
        let asks = first.split(';').skip(1).any(|part| part.trim().eq_ignore_ascii_case("rport"));
        let kept: Vec<&str> = first
            .split(';')
            .enumerate()
            .filter(|(at, part)| {
                let name = part.split('=').next().unwrap_or_default().trim();
                *at == 0 || !["rport", "received"].iter().any(|one| name.eq_ignore_ascii_case(one))
            })
            .map(|(_, part)| part.trim())
            .collect();
        first = format!("{};received={}", kept.join(";"), from.ip());
        if asks {
            first = format!("{first};rport={}", from.port());
        }
        *value = if rest.is_empty() { first } else { format!("{first}, {rest}") };
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        write(&format!("SIP/2.0 {} {}", self.status, plain(&self.words)), &self.headers, &self.body)
    }
}

fn write(start: &str, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{start}\r\n");
    for (name, value) in &headers.0 {
        if !name.eq_ignore_ascii_case("Content-Length") {
            // writing to a String does not fail
            let _ = write!(text, "{}: {}\r\n", plain(name), plain(value).trim());
        }
    }
    let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Without what would begin another line.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn words(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        603 => "Decline",
        _ => "Unknown",
    }
}

/// The parts of a list between commas that stand neither in quotes nor in angle brackets.
pub(crate) fn split_list(value: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped, mut angle) = (Vec::new(), 0, false, false, false);
    for (at, letter) in value.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            ',' if !quoted && !angle => {
                parts.push(value.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(value.get(from..).unwrap_or_default().trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The address in `"Name" <sip:…>;tag=…` or `sip:…;tag=…`.
pub(crate) fn address(value: &str) -> Option<&str> {
    let found = match bracket(value) {
        Some(open) => value.get(open + 1..)?.split('>').next()?,
        None => value.split(';').next()?,
    };
    let found = found.trim();
    (found.starts_with("sip:") || found.starts_with("sips:")).then_some(found)
}

/// Where the angle bracket opens that is not in quotes.
fn bracket(value: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    value.char_indices().find_map(|(at, letter)| match letter {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' if quoted => {
            escaped = true;
            None
        }
        '"' => {
            quoted = !quoted;
            None
        }
        '<' if !quoted => Some(at),
        _ => None,
    })
}

fn tag(value: &str) -> Option<&str> {
    let after = match bracket(value) {
        Some(open) => value.get(open..)?.split_once('>')?.1,
        None => value,
    };
    parameter(after, "tag").filter(|tag| !tag.is_empty())
}

/// The value of `;name=value` in a header value.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|part| {
        let (n, v) = part.split_once('=')?;
        n.trim().eq_ignore_ascii_case(name).then(|| v.trim())
    })
}

#[cfg(test)]
#[path = "message/tests.rs"]
mod tests;
