//! The registrar alone: digests, nonces, bindings and budgets, in virtual time.

use super::nonce::{Kind, Nonces};
use super::*;
use crate::digest::{Account, strongest};
use crate::message::{Headers, Method};
use proptest::prelude::*;

const DEVICE: &str = "k7m2q9x4w8zp";

fn ms(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

fn flow(port: u16) -> Flow {
    let peer = SocketAddr::from(([192, 0, 2, 7], port));
    Flow { way: Transport::Udp, connection: 0, peer, local: SocketAddr::from(([192, 0, 2, 1], 5060)) }
}

struct World {
    registrar: Registrar,
    now: Mono,
    cseq: u32,
}

impl World {
    fn new(digests: Digests) -> Self {
        let mut registrar = Registrar::new([9; 32], digests, Limits::default(), ms(0));
        registrar.accounts(HashMap::from([(DEVICE.to_owned(), Secret::new(DEVICE, "right horse"))]));
        Self { registrar, now: ms(0), cseq: 0 }
    }

    fn request(&mut self, method: Method, more: &[(&str, &str)]) -> Request {
        self.cseq += 1;
        let mut headers = Headers::default();
        headers.push("Via", format!("SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK{};rport", self.cseq));
        headers.push("From", format!("<sip:{DEVICE}@house>;tag=a"));
        headers.push("To", format!("<sip:{DEVICE}@house>"));
        headers.push("Call-ID", "one");
        headers.push("CSeq", format!("{} {}", self.cseq, method.name()));
        for (name, value) in more {
            headers.push(name, *value);
        }
        Request { method, uri: "sip:house".into(), headers, body: Vec::new() }
    }

    fn challenge(&mut self, from: SocketAddr) -> Response {
        let request = self.request(Method::Register, &[]);
        self.registrar.challenge(&request, from, false, self.now)
    }

    /// The credentials of this user for a challenge.
    fn credentials(challenge: &Response, user: &str, password: &str, count: u32) -> String {
        let account = Account { user: user.into(), password: password.into() };
        let challenge = strongest(challenge.headers.all("WWW-Authenticate")).unwrap();
        challenge.answer(&account, "REGISTER", "sip:house", "c0ffee", count)
    }

    fn verdict(&mut self, credentials: &str, from: SocketAddr) -> Verdict {
        let request = self.request(Method::Register, &[("Authorization", credentials)]);
        self.registrar.verdict(&request, from.ip(), self.now)
    }

    fn register(&mut self, headers: &[(&str, &str)], flow: Flow) -> Response {
        let request = self.request(Method::Register, headers);
        self.registrar.register(DEVICE, &request, flow, self.now)
    }
}

fn device() -> Verdict {
    Verdict::Device(DEVICE.into())
}

#[test]
fn a_device_is_let_in_by_either_digest_and_nobody_else_is() {
    for (digests, token) in [(Digests::Both, "SHA-256"), (Digests::Md5, "MD5")] {
        let mut world = World::new(digests);
        let challenge = world.challenge(flow(5060).peer);
        assert_eq!(challenge.status, 401);
        let good = World::credentials(&challenge, DEVICE, "right horse", 1);
        assert!(good.contains(&format!("algorithm={token},")), "{good}");
        let bad = World::credentials(&challenge, DEVICE, "wrong horse", 2);
        assert_eq!(world.verdict(&bad, flow(5060).peer), Verdict::Wrong(None));
        assert_eq!(world.verdict(&good, flow(5060).peer), device());
        assert_eq!(world.verdict("", flow(5060).peer), Verdict::None);
        assert_eq!(world.verdict("Basic abc", flow(5060).peer), Verdict::None);
    }
    // MD5 where both are offered: devices that know no other take that
    let mut world = World::new(Digests::Both);
    let challenge = world.challenge(flow(5060).peer);
    let md5 = challenge.headers.all("WWW-Authenticate").find(|value| value.contains("=MD5")).unwrap();
    let account = Account { user: DEVICE.into(), password: "right horse".into() };
    let md5 = strongest([md5]).unwrap().answer(&account, "REGISTER", "sip:house", "c", 1);
    assert_eq!(world.verdict(&md5, flow(5060).peer), device());
    // and not SHA-256 where it is not
    let mut other = World::new(Digests::Md5);
    let challenge = other.challenge(flow(5060).peer);
    let told = challenge.headers.get("WWW-Authenticate").unwrap().replace("=MD5", "=SHA-256");
    let sha = strongest([told.as_str()]).unwrap().answer(&account, "REGISTER", "sip:house", "c", 1);
    assert_eq!(other.verdict(&sha, flow(5060).peer), Verdict::Wrong(None));
}

#[test]
fn what_was_signed_for_one_request_is_no_good_for_another() {
    let mut world = World::new(Digests::Both);
    let challenge = world.challenge(flow(5060).peer);
    let good = World::credentials(&challenge, DEVICE, "right horse", 1);
    let invite = world.request(Method::Invite, &[("Authorization", &good)]);
    assert_eq!(world.registrar.verdict(&invite, flow(5060).peer.ip(), ms(0)), Verdict::Wrong(None));
    let mut elsewhere = world.request(Method::Register, &[("Authorization", &good)]);
    elsewhere.uri = "sip:other".into();
    assert_eq!(world.registrar.verdict(&elsewhere, flow(5060).peer.ip(), ms(0)), Verdict::Wrong(None));
    // two values for one name: which of them counts?
    let twice = format!("{good}, username=\"{DEVICE}\"");
    assert_eq!(world.verdict(&twice, flow(5060).peer), Verdict::None);
    assert_eq!(world.verdict(&good, flow(5060).peer), device());
}

#[test]
fn a_nonce_is_for_one_address_for_a_minute() {
    let mut world = World::new(Digests::Both);
    let challenge = world.challenge(flow(5060).peer);
    let good = World::credentials(&challenge, DEVICE, "right horse", 1);
    let elsewhere = SocketAddr::from(([192, 0, 2, 8], 5060));
    assert_eq!(world.verdict(&good, elsewhere), Verdict::None);
    let made_up = good.replacen("nonce=\"0", "nonce=\"1", 1);
    assert_ne!(made_up, good);
    assert_eq!(world.verdict(&made_up, flow(5060).peer), Verdict::None);
    // another port is another call through the same router
    world.now = ms(59_999);
    assert_eq!(world.verdict(&good, flow(6000).peer), device());
    world.now = ms(60_000);
    let second = World::credentials(&challenge, DEVICE, "right horse", 2);
    assert_eq!(world.verdict(&second, flow(5060).peer), Verdict::Stale);
    // who does not know the password does not learn that the nonce is old
    let wrong = World::credentials(&challenge, DEVICE, "wrong horse", 3);
    assert_eq!(world.verdict(&wrong, flow(5060).peer), Verdict::Wrong(None));
}

#[test]
fn credentials_count_once() {
    let mut world = World::new(Digests::Both);
    let challenge = world.challenge(flow(5060).peer);
    let credentials = |count| World::credentials(&challenge, DEVICE, "right horse", count);
    assert_eq!(world.verdict(&credentials(1), flow(5060).peer), device());
    assert_eq!(world.verdict(&credentials(1), flow(5060).peer), Verdict::Stale);
    assert_eq!(world.verdict(&credentials(3), flow(5060).peer), device());
    // overtaken on the way
    assert_eq!(world.verdict(&credentials(2), flow(5060).peer), device());
    assert_eq!(world.verdict(&credentials(2), flow(5060).peer), Verdict::Stale);
    assert_eq!(world.verdict(&credentials(0), flow(5060).peer), Verdict::Stale);
}

#[test]
fn a_stranger_gets_one_answer_whatever_is_asked() {
    let mut world = World::new(Digests::Both);
    let challenge = world.challenge(flow(5060).peer);
    let mut answers = Vec::new();
    for (user, password) in
        [(DEVICE, "wrong horse"), ("nosuchdevice1", "wrong horse"), ("nobody", ""), ("", "")]
    {
        let credentials = World::credentials(&challenge, user, password, 1);
        let verdict = world.verdict(&credentials, flow(5060).peer);
        assert_eq!(verdict, Verdict::Wrong(None), "{user}");
        let request = world.request(Method::Register, &[("Authorization", &credentials)]);
        let response = world.registrar.challenge(&request, flow(5060).peer, false, ms(0));
        let text = String::from_utf8(response.write()).unwrap();
        // but for what is new in each answer
        let hex = |text: &str| text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        let parts = text.split(['"', '=', ';', '\r', '\n', ' ']);
        let same =
            parts.filter(|part| !hex(part) && !part.starts_with("z9hG4bK") && part.parse::<u32>().is_err());
        answers.push(same.collect::<Vec<_>>().join(" "));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(!answers[0].contains("Server") && !answers[0].to_lowercase().contains("klinke"), "{answers:?}");
}

#[test]
fn one_binding_the_newest_until_it_ends() {
    let mut world = World::new(Digests::Both);
    let first = world.register(&[("Contact", "<sip:a@10.0.0.5:5060>;q=0.5"), ("Expires", "120")], flow(5060));
    assert_eq!(
        (first.status, first.headers.get("Contact")),
        (200, Some("<sip:a@10.0.0.5:5060>;expires=120"))
    );
    assert_eq!(world.registrar.on(&flow(5060)), Some(DEVICE));
    // without a wish, and from another port
    let second = world.register(&[("Contact", "<sip:a@10.0.0.5:7000>")], flow(7000));
    assert_eq!(second.headers.get("Contact"), Some("<sip:a@10.0.0.5:7000>;expires=300"));
    assert_eq!((world.registrar.on(&flow(5060)), world.registrar.on(&flow(7000))), (None, Some(DEVICE)));
    world.now = ms(299_999);
    world.registrar.tick(world.now);
    // what is asked without an address only tells
    let told = world.register(&[], flow(7000));
    assert_eq!(told.headers.get("Contact"), Some("<sip:a@10.0.0.5:7000>;expires=0"));
    assert_eq!(world.registrar.due(), Some(ms(300_000)));
    world.now = ms(300_000);
    world.registrar.tick(world.now);
    assert!(world.registrar.registered().is_empty() && world.registrar.on(&flow(7000)).is_none());
    assert_eq!(world.registrar.due(), None);
}

#[test]
fn two_accounts_of_one_box_do_not_push_each_other_out() {
    let mut world = World::new(Digests::Both);
    let other = "otherdevice12";
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    let mut second = world.request(Method::Register, &[("Contact", "<sip:b@10.0.0.5>")]);
    second.headers.set("To", format!("<sip:{other}@house>"));
    assert_eq!(world.registrar.register(other, &second, flow(5060), ms(1000)).status, 200);
    assert_eq!(world.registrar.registered().len(), 2);
    world.registrar.tick(ms(300_000));
    assert_eq!(world.registrar.on(&flow(5060)), Some(other));
    world.registrar.lost(&flow(5060));
    assert!(world.registrar.registered().is_empty());
}

#[test]
fn how_long_is_between_one_minute_and_ten() {
    for (wish, status, granted) in
        [("59", 423, None), ("60", 200, Some("60")), ("600", 200, Some("600")), ("3600", 200, Some("600"))]
    {
        let mut world = World::new(Digests::Both);
        let contact = format!("<sip:a@10.0.0.5>;expires={wish}");
        let response = world.register(&[("Contact", &contact), ("Expires", "77")], flow(5060));
        assert_eq!(response.status, status, "{wish}");
        let told = response.headers.get("Contact").and_then(|contact| parameter(contact, "expires"));
        assert_eq!(told, granted, "{wish}");
        if status == 423 {
            assert_eq!(response.headers.get("Min-Expires"), Some("60"));
        }
    }
}

#[test]
fn a_device_takes_its_binding_back() {
    let contact = "<sip:a@10.0.0.5>";
    for headers in [
        &[("Contact", "*"), ("Expires", "0")][..],
        &[("Contact", "<sip:a@10.0.0.5>;expires=0")][..],
        &[("Contact", "<sip:a@10.0.0.5>"), ("Expires", "0")][..],
    ] {
        let mut world = World::new(Digests::Both);
        world.register(&[("Contact", contact)], flow(5060));
        assert_eq!(world.registrar.registered().len(), 1);
        assert_eq!(world.register(headers, flow(5060)).status, 200);
        assert!(world.registrar.registered().is_empty(), "{headers:?}");
    }
    let mut world = World::new(Digests::Both);
    world.register(&[("Contact", contact)], flow(5060));
    // that of an address that is not bound any more, and a star with something else
    assert_eq!(world.register(&[("Contact", "<sip:old@10.0.0.4>;expires=0")], flow(5060)).status, 200);
    assert_eq!(world.register(&[("Contact", "*"), ("Expires", "60")], flow(5060)).status, 400);
    assert_eq!(world.register(&[("Contact", "*, <sip:a@b>"), ("Expires", "0")], flow(5060)).status, 400);
    assert_eq!(world.registrar.registered().len(), 1);
}

#[test]
fn what_comes_late_or_is_for_somebody_else_changes_nothing() {
    let mut world = World::new(Digests::Both);
    let late = world.request(Method::Register, &[("Contact", "<sip:late@10.0.0.5>")]);
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    assert_eq!(world.registrar.register(DEVICE, &late, flow(5060), ms(0)).status, 500);
    let mut other = world.request(Method::Register, &[("Contact", "<sip:a@10.0.0.5>")]);
    other.headers.set("To", "<sip:otherdevice12@house>");
    assert_eq!(world.registrar.register(DEVICE, &other, flow(5060), ms(0)).status, 403);
    for bad in ["<tel:+47>", "<sip:a b@c>", "sip:a@b\u{e5}", ""] {
        assert_ne!(world.register(&[("Contact", bad)], flow(6000)).status, 500, "{bad}");
    }
    assert_eq!(world.registrar.on(&flow(5060)), Some(DEVICE));
    assert_eq!(world.registrar.binding(DEVICE).unwrap().contact, "sip:a@10.0.0.5");
}

#[test]
fn an_account_that_is_gone_or_has_another_secret_is_out() {
    let mut world = World::new(Digests::Both);
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    let same = HashMap::from([(DEVICE.to_owned(), Secret::new(DEVICE, "right horse"))]);
    assert!(world.registrar.accounts(same).is_empty());
    assert_eq!(world.registrar.registered().len(), 1);
    let other = HashMap::from([(DEVICE.to_owned(), Secret::new(DEVICE, "new horse"))]);
    assert_eq!(world.registrar.accounts(other), [DEVICE]);
    assert!(world.registrar.registered().is_empty());
}

#[test]
fn who_guesses_is_not_heard_any_more_and_nobody_else_suffers() {
    let mut world = World::new(Digests::Both);
    let thief = SocketAddr::from(([198, 51, 100, 9], 5060));
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    let mut guesses = 0;
    // one a second: within the budget of messages
    for second in 1..60 {
        world.now = ms(second * 1000);
        let thieves = Flow { peer: thief, ..flow(5060) };
        if !world.registrar.hears(&thieves, 500, world.now) {
            break;
        }
        let challenge = world.challenge(thief);
        let wrong = World::credentials(&challenge, DEVICE, "wrong horse", 1);
        assert_eq!(world.verdict(&wrong, thief), Verdict::Wrong(None));
        guesses += 1;
    }
    assert_eq!(guesses, 10);
    let challenge = world.challenge(flow(5060).peer);
    let right = |count| World::credentials(&challenge, DEVICE, "right horse", count);
    // the account is closed to others, but not to its own device
    assert_eq!(world.verdict(&right(1), flow(5060).peer), device());
    let elsewhere = SocketAddr::from(([203, 0, 113, 5], 5060));
    let challenge = world.challenge(elsewhere);
    assert_eq!(
        world.verdict(&World::credentials(&challenge, DEVICE, "right horse", 1), elsewhere),
        Verdict::Wrong(None)
    );
    // a while later it is open again, and the thief is heard again
    world.now = world.now + Duration::from_secs(61);
    let challenge = world.challenge(elsewhere);
    assert_eq!(world.verdict(&World::credentials(&challenge, DEVICE, "right horse", 1), elsewhere), device());
    assert!(world.registrar.hears(&Flow { peer: thief, ..flow(5060) }, 500, world.now));
}

#[test]
fn who_is_registered_does_not_guess_at_others() {
    let mut world = World::new(Digests::Both);
    let other = "otherdevice12";
    let both = [(DEVICE, "right horse"), (other, "other horse")];
    world
        .registrar
        .accounts(both.map(|(name, password)| (name.to_owned(), Secret::new(name, password))).into());
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    let from = flow(5060).peer;
    let challenge = world.challenge(from);
    for count in 1..=20 {
        world.verdict(&World::credentials(&challenge, other, "wrong horse", count), from);
    }
    let right = World::credentials(&challenge, other, "other horse", 21);
    assert_eq!(world.verdict(&right, from), Verdict::Wrong(None));
    let own = World::credentials(&challenge, DEVICE, "right horse", 22);
    assert_eq!(world.verdict(&own, from), device());
}

#[test]
fn strangers_have_a_budget_and_devices_their_own() {
    let mut world = World::new(Digests::Both);
    world.register(&[("Contact", "<sip:a@10.0.0.5>")], flow(5060));
    let stranger = |host: u8| Flow { peer: SocketAddr::from(([198, 51, 100, host], 5060)), ..flow(5060) };
    assert!(!world.registrar.hears(&stranger(1), 8193, ms(0)));
    let heard = (0..1000).filter(|_| world.registrar.hears(&stranger(1), 500, ms(0))).count();
    assert_eq!(heard, 40);
    // all together
    let hosts = 2..=255;
    let heard =
        hosts.map(|host| (0..10).filter(|_| world.registrar.hears(&stranger(host), 500, ms(0))).count());
    assert_eq!(heard.sum::<usize>(), 400 - 40);
    let heard = (0..1000).filter(|_| world.registrar.hears(&flow(5060), 20_000, ms(0))).count();
    assert_eq!(heard, 100);
    // a second later there is as much again as comes in a second
    let heard = (0..1000).filter(|_| world.registrar.hears(&flow(5060), 500, ms(1000))).count();
    assert_eq!(heard, 50);
    let heard = (0..1000).filter(|_| world.registrar.hears(&stranger(1), 500, ms(1000))).count();
    assert_eq!(heard, 10);
}

#[test]
fn a_crowd_of_addresses_is_forgotten_again() {
    let mut guard = Guard::new(Limits { strangers: 1000, ..Limits::default() }, ms(0));
    let mut at = 0;
    for n in 0..20_000_u32 {
        at += 1;
        guard.hears_stranger(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), 100, ms(at));
    }
    assert!(guard.remembers() <= 8192);
    guard.forget(ms(at + 20_000));
    assert_eq!(guard.remembers(), 0);
}

#[test]
fn a_secret_is_told_to_nobody() {
    assert_eq!(format!("{:?}", Secret::new("a", "b")), "Secret(…)");
}

#[test]
fn nonces_of_others_are_none() {
    let mut ours = Nonces::new([1; 32]);
    let theirs = Nonces::new([2; 32]).fresh(flow(1).peer.ip(), ms(0));
    assert_eq!(ours.kind(&theirs, flow(1).peer.ip(), ms(0)), Kind::Foreign);
    let nonce = ours.fresh(flow(1).peer.ip(), ms(0));
    assert_eq!(ours.kind(&nonce, flow(1).peer.ip(), ms(0)), Kind::Good(1));
    assert_ne!(nonce, ours.fresh(flow(1).peer.ip(), ms(0)));
}

proptest! {
    /// In whatever order, each count is used once, and none that is new and near is refused.
    #[test]
    fn counts_are_used_once(counts in proptest::collection::vec(1_u32..200, 1..100)) {
        let mut nonces = Nonces::new([1; 32]);
        let (mut used, mut highest) = (BTreeSet::new(), 0);
        for count in counts {
            let took = nonces.uses(1, count, ms(0));
            prop_assert!(!took || !used.contains(&count));
            prop_assert!(took || used.contains(&count) || highest - count > 64);
            if took {
                used.insert(count);
                highest = highest.max(count);
            }
        }
    }

    #[test]
    fn credentials_of_any_form_are_read(text in "(Digest )?[ -~]{0,120}", contact in "[ -~]{0,60}") {
        let mut world = World::new(Digests::Both);
        let verdict = world.verdict(&text, flow(1).peer);
        prop_assert!(verdict == Verdict::None);
        let response = world.register(&[("Contact", &contact)], flow(1));
        prop_assert!([200, 400, 423].contains(&response.status));
        if let Some(binding) = world.registrar.binding(DEVICE) {
            prop_assert!(!binding.contact.contains(['<', '>', ' ', '"']));
        }
    }
}
