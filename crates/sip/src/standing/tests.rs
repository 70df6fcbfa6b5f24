use super::*;
use crate::client::Pace;
use crate::digest::Account;
use crate::message::{self, Message};

fn ms(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

fn ground() -> Ground {
    let pace = Pace { t1: Duration::from_millis(500), reliable: true };
    let account = Some(Account { user: "k".into(), password: "x".into() });
    Ground::new("SIP/2.0/TCP 10.0.0.1:5060".into(), "<sip:k@10.0.0.1:5060>".into(), pace, account, [1; 32])
}

fn sent(ground: &mut Ground) -> Request {
    let out = ground.out.pop_front().expect("something was sent");
    let Some(Message::Request(request)) = message::read(&out.bytes) else { panic!("no request") };
    assert!(ground.out.is_empty());
    request
}

fn answer(request: &Request, status: u16, headers: &[(&str, &str)]) -> Response {
    let mut response = Response::to(request, status, Some("r"));
    for (name, value) in headers {
        response.headers.push(name, *value);
    }
    response
}

fn registering() -> (Standing, Ground) {
    let mut ground = ground();
    let standing = Standing::new("trunk.test", Some("sip:k@trunk.test".into()), &mut ground, ms(0));
    (standing, ground)
}

#[test]
fn a_registration_is_renewed_before_it_ends() {
    let (mut standing, mut ground) = registering();
    standing.tick(&mut ground, ms(0));
    let first = sent(&mut ground);
    assert_eq!((first.uri.as_str(), first.headers.get("Expires")), ("sip:trunk.test", Some("300")));
    standing.response(
        &answer(&first, 200, &[("Contact", "<sip:k@10.0.0.1:5060>;expires=100")]),
        &mut ground,
        ms(0),
    );
    assert_eq!((&standing.state, standing.due()), (&State::Ready, Some(ms(80_000))));
    standing.tick(&mut ground, ms(80_000));
    let second = sent(&mut ground);
    assert_eq!(second.headers.get("Call-ID"), first.headers.get("Call-ID"));
    assert_eq!(second.headers.cseq(), Some((2, "REGISTER")));
    // it lasts at least this long, they say
    standing.response(&answer(&second, 423, &[("Min-Expires", "1200")]), &mut ground, ms(80_000));
    standing.tick(&mut ground, ms(80_000));
    assert_eq!(sent(&mut ground).headers.get("Expires"), Some("1200"));
}

#[test]
fn what_fails_is_tried_again_ever_more_slowly() {
    let (mut standing, mut ground) = registering();
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        standing.tick(&mut ground, ms(now));
        let request = sent(&mut ground);
        standing.response(&answer(&request, 403, &[]), &mut ground, ms(now));
        let next = standing.due().unwrap().as_millis();
        pauses.push((next - now) / 1000);
        now = next;
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(standing.state, State::Refused { status: 403, words: "Forbidden".into() });
    // nobody there is another state, and a success begins anew
    standing.tick(&mut ground, ms(now));
    sent(&mut ground);
    standing.tick(&mut ground, ms(now + 32_000));
    assert_eq!(standing.state, State::Unreachable);
}

#[test]
fn leaving_takes_the_registration_back() {
    let (mut standing, mut ground) = registering();
    standing.tick(&mut ground, ms(0));
    let first = sent(&mut ground);
    standing.response(&answer(&first, 200, &[]), &mut ground, ms(0));
    standing.leave(&mut ground, ms(1));
    let last = sent(&mut ground);
    assert_eq!((last.headers.get("Expires"), standing.has_left()), (Some("0"), false));
    standing.response(&answer(&last, 200, &[]), &mut ground, ms(2));
    assert!(standing.has_left());
    assert_eq!(standing.due(), None);
}

#[test]
fn a_trunk_without_registration_only_has_to_answer() {
    for (status, ready) in [(200, true), (404, true), (405, true), (403, false), (503, false)] {
        let mut ground = ground();
        let mut standing = Standing::new("trunk.test", None, &mut ground, ms(0));
        standing.tick(&mut ground, ms(0));
        let look = sent(&mut ground);
        assert_eq!(look.method, Method::Options);
        standing.response(&answer(&look, status, &[]), &mut ground, ms(0));
        assert_eq!(standing.state == State::Ready, ready, "{status}");
    }
}

#[test]
fn words_are_cut_and_cleaned() {
    let (mut standing, mut ground) = registering();
    standing.tick(&mut ground, ms(0));
    let mut response = answer(&sent(&mut ground), 403, &[]);
    response.words = format!("No\u{7}\r\n{}", "a".repeat(200));
    standing.response(&response, &mut ground, ms(0));
    let State::Refused { words, .. } = &standing.state else { panic!("not refused") };
    assert!(words.len() == 80 && words.starts_with("Noaaa"));
}
