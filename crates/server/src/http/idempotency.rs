//! `Idempotency-Key`: a POST that is sent twice with the same key makes one thing.
//!
//! ```text
//! new key ─▶ under way ─┬─ success ──▶ remembered: the same request gets the same answer, 24 hours
//!                       └─ refused, failed ──▶ forgotten: it may be tried again with the same key
//! ```
//!
//! Kept in memory and nowhere else, for each principal, within a bound; a restart forgets. The work goes on when the client
//! goes away in between: who lost the answer asks again and is given it.

use super::body::MAX_BODY;
use super::limits::Asker;
use super::problem::{Code, Problem};
use crate::auth::caller::Known;
use crate::import::MAX_FILE;
use crate::node::Node;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use klinke_model::time::{Clock, Mono};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long an answer is remembered.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// The largest answer that is remembered, in bytes.
const LARGEST: usize = 512 * 1024;
/// All remembered answers together, in bytes, with what an entry costs besides.
const ROOM: usize = 32 * 1024 * 1024;
/// What an entry costs besides its body, about.
const ENTRY: usize = 1024;

type Key = (Asker, String);

/// What was answered to whom.
pub struct Answers {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_key: HashMap<Key, Entry>,
    /// Those that are answered, the oldest first.
    order: VecDeque<(Mono, Key)>,
    bytes: usize,
}

struct Entry {
    request: [u8; 32],
    /// None while it is under way.
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What a key stands for.
enum Found {
    /// Nothing yet: whoever asks does it.
    New,
    /// It was done, with this answer.
    Done(Answer),
}

impl Kept {
    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front()
            && let Some(Entry { answer: Some(answer), .. }) = self.by_key.remove(&key)
        {
            self.bytes = self.bytes.saturating_sub(answer.body.len() + ENTRY);
        }
    }

    fn forget_old(&mut self, now: Mono) {
        while self.order.front().is_some_and(|(at, _)| now.since(*at) >= KEPT) {
            self.forget_oldest();
        }
    }
}

impl Answers {
    /// Nothing was answered yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: &Key, request: [u8; 32]) -> Result<Found, Problem> {
        let mut kept = self.lock();
        kept.forget_old(self.clock.mono());
        match kept.by_key.get(key) {
            None => {
                kept.by_key.insert(key.clone(), Entry { request, answer: None });
                Ok(Found::New)
            }
            Some(entry) if entry.request != request => Err(Code::IdempotencyKeyReused.into()),
            Some(Entry { answer: None, .. }) => Err(Code::InProgress.into()),
            Some(Entry { answer: Some(answer), .. }) => Ok(Found::Done(answer.clone())),
        }
    }

    /// Ends what is under way: with an answer to remember, or as if it had never begun.
    fn end(&self, key: &Key, answer: Option<Answer>) {
        let mut locked = self.lock();
        let kept = &mut *locked;
        let Some(answer) = answer else {
            kept.by_key.remove(key);
            return;
        };
        let Some(entry) = kept.by_key.get_mut(key) else { return };
        kept.bytes += answer.body.len() + ENTRY;
        entry.answer = Some(answer);
        kept.order.push_back((self.clock.mono(), key.clone()));
        while kept.bytes > ROOM {
            kept.forget_oldest();
        }
    }
}

/// Something under way. However it ends, the key does not stay taken.
struct UnderWay {
    node: Arc<Node>,
    key: Key,
    answer: Option<Answer>,
}

impl UnderWay {
    /// It was done; the same request gets this answer.
    fn done(mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.node.answers.end(&self.key, self.answer.take());
    }
}

/// Answers a request with a key: by doing it, or as it was answered before.
///
/// # Errors
/// `malformed` when the key is none, `idempotency_key_reused` when it came with another request, `in_progress` while the
/// first is under way.
pub async fn once(State(node): State<Arc<Node>>, request: Request, next: Next) -> Result<Response, Problem> {
    let known = request.extensions().get::<Known>().and_then(Known::scope).is_some();
    if request.method() != Method::POST || !known || !request.headers().contains_key(HEADER) {
        return Ok(next.run(request).await);
    }
    let asker = Asker::of(&request).ok_or(Code::Internal)?;
    let key = (asker, read_key(request.headers()).ok_or(Code::Malformed)?);
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path().ends_with("/imports") { MAX_FILE } else { MAX_BODY };
    let body = to_bytes(body, most).await.map_err(|_| Code::TooLarge)?;
    let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let mut hash = Sha256::new();
    for part in [address.as_bytes(), kind, &body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    match node.answers.begin(&key, hash.finalize().into())? {
        Found::Done(answer) => {
            let mut response = Response::new(Body::from(answer.body));
            (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            return Ok(response);
        }
        Found::New => {}
    }
    let under_way = UnderWay { node: Arc::clone(&node), key, answer: None };
    let request = Request::from_parts(parts, Body::from(body));
    let work = node.tasks.spawn(async move {
        let response = next.run(request).await;
        let small = response.body().size_hint().upper().is_some_and(|size| size <= LARGEST as u64);
        if !response.status().is_success() || !small {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, LARGEST).await else {
            return Problem::from(Code::Internal).into_response();
        };
        let headers = [header::CONTENT_TYPE, header::LOCATION].into_iter();
        let headers = headers.filter_map(|name| Some((name.clone(), parts.headers.get(name)?.clone())));
        under_way.done(Answer { status: parts.status, headers: headers.collect(), body: body.clone() });
        Response::from_parts(parts, Body::from(body))
    });
    work.await.map_err(|_| Code::Internal.into())
}

/// 1 to 255 visible ASCII characters, once.
fn read_key(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(HEADER).iter();
    let (Some(key), None) = (all.next(), all.next()) else { return None };
    let bytes = key.as_bytes();
    let fits = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    key.to_str().ok().filter(|_| fits).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::Prefix;
    use crate::testing::TestClock;

    fn key(text: &str) -> Key {
        (Asker::Address(Prefix::V4([192, 0, 2, 1])), text.to_owned())
    }

    fn answer(size: usize) -> Option<Answer> {
        let body = Bytes::from(vec![b'x'; size]);
        Some(Answer { status: StatusCode::CREATED, headers: HeaderMap::new(), body })
    }

    fn is_new(answers: &Answers, text: &str) -> bool {
        matches!(answers.begin(&key(text), [1; 32]), Ok(Found::New))
    }

    #[test]
    fn an_answer_is_remembered_for_a_day() {
        let clock = TestClock::new();
        let answers = Answers::new(clock.clone());
        assert!(is_new(&answers, "a"));
        answers.end(&key("a"), answer(1));
        clock.advance(KEPT - Duration::from_millis(1));
        assert!(matches!(answers.begin(&key("a"), [1; 32]), Ok(Found::Done(_))));
        clock.advance(Duration::from_millis(1));
        assert!(is_new(&answers, "a"));
        assert_eq!(answers.lock().bytes, 0);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let answers = Answers::new(TestClock::new());
        let fit = ROOM / (LARGEST + ENTRY);
        for n in 0..=fit {
            assert!(is_new(&answers, &n.to_string()));
            answers.end(&key(&n.to_string()), answer(LARGEST));
        }
        assert!(answers.lock().bytes <= ROOM);
        assert!(is_new(&answers, "0"));
        assert!(matches!(answers.begin(&key("1"), [1; 32]), Ok(Found::Done(_))));
    }

    #[test]
    fn what_failed_or_was_given_up_is_not_remembered() {
        let answers = Answers::new(TestClock::new());
        assert!(is_new(&answers, "a"));
        assert!(answers.begin(&key("a"), [1; 32]).is_err(), "it is under way");
        answers.end(&key("a"), None);
        assert!(is_new(&answers, "a"));
    }

    #[test]
    fn a_key_is_visible_ascii() {
        let read = |text: &str| {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            read_key(&HeaderMap::from_iter([(HEADER, value)]))
        };
        assert_eq!(read("8f3-é").as_deref(), None);
        assert_eq!(read("8f3").as_deref(), Some("8f3"));
        assert_eq!(read(""), None);
        assert_eq!(read("a b"), None);
        assert!(read(&"x".repeat(255)).is_some());
        assert!(read(&"x".repeat(256)).is_none());
    }
}
