use super::*;
use proptest::prelude::*;

fn response(text: &str) -> Option<Response> {
    match read(text.replace('\n', "\r\n").as_bytes()) {
        Some(Message::Response(response)) => Some(response),
        _ => None,
    }
}

#[test]
fn a_response_is_read_with_short_names_folds_and_lists() {
    let response = response(
        "SIP/2.0 183 On its way\nv: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport=5060,\n SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK2\nf: \"Klinke, door\" <sip:a@b>;tag=one\nt: <sip:c@d;user=phone>;tag=two\ni: id@x\nCSeq: 7 INVITE\nRequire: 100rel , timer\nRSeq: 12\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\nRecord-Route: <sip:p3,x;lr>\nc: application/sdp\nl: 3\n\nv=0",
    )
    .unwrap();
    assert_eq!((response.status, response.words.as_str()), (183, "On its way"));
    let headers = &response.headers;
    assert_eq!(headers.branch(), Some("z9hG4bK1"));
    assert_eq!((headers.tag("From"), headers.tag("To")), (Some("one"), Some("two")));
    assert_eq!(headers.get("call-id"), Some("id@x"));
    assert_eq!(headers.cseq(), Some((7, "INVITE")));
    assert!(headers.has("Require", "100REL") && headers.has("Require", "timer"));
    assert_eq!(headers.number("RSeq"), Some(12));
    assert_eq!(headers.list("Record-Route"), ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3,x;lr>"]);
    assert_eq!(headers.get("Content-Type"), Some("application/sdp"));
    assert_eq!(response.body, b"v=0");
}

#[test]
fn addresses_and_tags_are_found_where_they_are() {
    for (value, uri, of) in [
        ("<sip:a@b;tag=no>;tag=yes", Some("sip:a@b;tag=no"), Some("yes")),
        ("sip:a@b;tag=yes", Some("sip:a@b"), Some("yes")),
        ("\"<sip:x@y>;tag=no\" <sip:a@b>", Some("sip:a@b"), None),
        ("\"a\\\"<\" <sips:a@b> ; tag = t", Some("sips:a@b"), Some("t")),
        ("<tel:+47>;tag=", None, None),
        ("", None, None),
    ] {
        assert_eq!((address(value), tag(value)), (uri, of), "{value}");
    }
}

#[test]
fn nothing_breaks_out_of_a_line() {
    let mut headers = Headers::default();
    headers.push("From", "<sip:a@b>\r\nEvil: yes\r\n\r\nbody");
    let request =
        Request { method: Method::Invite, uri: "sip:x\r\nEvil: 1".into(), headers, body: b"v=0".into() };
    let text = String::from_utf8(request.write()).unwrap();
    assert_eq!(text.matches("\r\n").count(), 4, "{text}");
    assert!(text.ends_with("Content-Length: 3\r\n\r\nv=0"));
}

#[test]
fn what_is_written_is_read_the_same() {
    let mut headers = Headers::default();
    for (name, value) in [
        ("Via", "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKx;rport"),
        ("From", "<sip:k@h>;tag=a"),
        ("To", "<sip:+4721600000@h;user=phone>"),
        ("Call-ID", "abc"),
        ("CSeq", "1 INVITE"),
        ("RAck", "1 2 INVITE"),
        ("Session-Expires", "1800;refresher=uac"),
        ("Min-SE", "90"),
        ("Authorization", "Digest username=\"a\", realm=\"r, x\""),
    ] {
        headers.push(name, value);
    }
    let request = Request {
        method: Method::Invite,
        uri: "sip:+4721600000@example.org;user=phone".into(),
        headers,
        body: b"v=0\r\n".into(),
    };
    let Some(Message::Request(read)) = read(&request.write()) else { panic!("not read") };
    assert_eq!((read.method, &read.body), (request.method, &request.body));
    assert_eq!(read.uri, request.uri);
    for (name, value) in &request.headers.0 {
        assert_eq!(read.headers.get(name), Some(value.as_str()), "{name}");
    }
}

#[test]
fn what_is_no_message_is_nothing() {
    for text in [
        "",
        "\n\n",
        "SIP/2.0 200 OK\n",
        "SIP/2.0 99 Low\n\n",
        "SIP/2.0 700 High\n\n",
        "SIP/2.0 abc OK\n\n",
        "HTTP/1.1 200 OK\n\n",
        "JUMP sip:a@b SIP/2.0\n\n",
    ] {
        assert_eq!(read(text.replace('\n', "\r\n").as_bytes()), None, "{text:?}");
    }
    assert_eq!(read(b"SIP/2.0 200 OK\r\nTo: \xff\xff\r\nCSeq: 1 BYE\r\n\r\n"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    /// A message with some bytes changed.
    #[test]
    fn a_spoilt_message_is_read_without_a_panic(spoilt in proptest::collection::vec((0usize..420, any::<u8>()), 1..12)) {
        let mut bytes = concat!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nRecord-Route: <sip:p;lr>, <sip:q;lr>\r\n",
            "From: \"A\" <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:c@1.2.3.4:5060>\r\n",
            "Session-Expires: 90;refresher=uas\r\nRSeq: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n").as_bytes().to_vec();
        for (at, byte) in spoilt {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        if let Some(Message::Response(r)) = read(&bytes) {
            let h = &r.headers;
            let _ = (h.branch(), h.tag("To"), h.cseq(), h.list("Record-Route"), h.number("RSeq"), h.get("Contact").and_then(address));
            let _ = r.write();
        }
    }
}

#[test]
fn a_request_line_is_kept_as_it_came() {
    for uri in ["sip:127.0.0.1:25060;transport=udp", "sip:Bell-3@House.Example"] {
        let text = format!("OPTIONS {uri} SIP/2.0\r\nCall-ID: a\r\n\r\n");
        let Some(Message::Request(request)) = read(text.as_bytes()) else { panic!("{uri}") };
        assert_eq!(request.uri, uri);
    }
}

#[test]
fn a_response_says_where_its_request_came_from() {
    let from = "192.0.2.7:7777".parse().unwrap();
    for (via, said) in [
        ("SIP/2.0/UDP a;branch=z9hG4bK1", "SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.7"),
        (
            "SIP/2.0/UDP a;rport;branch=z9hG4bK1",
            "SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.7;rport=7777",
        ),
        ("SIP/2.0/UDP a;rport=1;received=10.0.0.1", "SIP/2.0/UDP a;received=192.0.2.7"),
        ("SIP/2.0/UDP a;rport, SIP/2.0/UDP b", "SIP/2.0/UDP a;received=192.0.2.7;rport=7777, SIP/2.0/UDP b"),
    ] {
        let mut headers = Headers::default();
        headers.push("Via", via);
        let mut response = Response { status: 200, words: String::new(), headers, body: Vec::new() };
        response.say_source(from);
        assert_eq!(response.headers.get("Via"), Some(said));
    }
}
