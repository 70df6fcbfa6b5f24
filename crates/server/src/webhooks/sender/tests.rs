use super::*;
use crate::config;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers each look-up with the next of these, and counts them.
struct Rebinding(Mutex<Vec<Vec<&'static str>>>);

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut left = self.0.lock().unwrap();
        let answer = if left.is_empty() { Vec::new() } else { left.remove(0) };
        Box::pin(async move { Ok(answer.iter().map(|address| address.parse().unwrap()).collect()) })
    }
}

fn sender(
    private: &[&str],
    answers: Vec<Vec<&'static str>>,
    ca_file: Option<&Path>,
) -> (Sender, Arc<Rebinding>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = config::Webhooks {
        hosts: vec!["hooks.example.org".to_owned()],
        allow_private: private.iter().map(|range| range.parse().unwrap()).collect(),
        ..config::Webhooks::default()
    };
    let resolver = Arc::new(Rebinding(Mutex::new(answers)));
    let within = Duration::from_millis(500);
    (Sender::new(Rules::new(&config), ca_file, resolver.clone(), within).unwrap(), resolver)
}

fn message() -> Message<'static> {
    Message { id: "one", seconds: 1, signature: "v1,x", body: "{}".to_owned() }
}

/// Takes one connection at a time and says this to each; gives what it heard.
async fn says(answer: &'static str) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            while !text.ends_with(b"{}") {
                let mut some = [0; 1_024];
                match stream.read(&mut some).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => text.extend_from_slice(&some[..count]),
                }
            }
            let _ = heard.send(String::from_utf8_lossy(&text).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
        }
    });
    (port, hears)
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_the_second_time_is_refused() {
    let (port, mut hears) = says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = format!("http://hooks.example.org:{port}/in");
    let answers = vec![vec!["127.0.0.1"], vec!["127.0.0.9"], vec!["127.0.0.1", "169.254.169.254"]];
    let (sender, resolver) = sender(&["127.0.0.1/32"], answers, None);
    assert_eq!(sender.send(&url, message()).await, Ok(200));
    assert_eq!(resolver.0.lock().unwrap().len(), 2, "one message is one look-up");
    let text = hears.recv().await.unwrap();
    assert!(
        text.starts_with("POST /in HTTP/1.1\r\n") && text.contains(&format!("hooks.example.org:{port}")),
        "{text}"
    );
    for header in [
        "webhook-id: one",
        "webhook-timestamp: 1",
        "webhook-signature: v1,x",
        "content-type: application/json",
    ] {
        assert!(text.contains(header), "{header}: {text}");
    }
    assert_eq!(sender.send(&url, message()).await, Err(Failure::Refused(Refused::NotHttps)));
    assert_eq!(sender.send(&url, message()).await, Err(Failure::Refused(Refused::NotHttps)), "one of two");
    assert_eq!(sender.send(&url, message()).await, Err(Failure::NotFound), "no address at all");
    assert!(hears.try_recv().is_err(), "nothing came but the first");
}

#[tokio::test]
async fn over_https_special_addresses_are_refused_before_anything_is_dialled() {
    for address in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"]
    {
        let (sender, _) = sender(&[], vec![vec!["93.184.216.34", address]], None);
        let answer = sender.send("https://hooks.example.org/", message()).await;
        assert_eq!(answer, Err(Failure::Refused(Refused::Special)), "{address}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_a_way() {
    let (elsewhere, mut hears) = says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let answer =
        format!("HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _) = says(answer.leak()).await;
    let (sender, _) = sender(&["127.0.0.0/8"], vec![vec!["127.0.0.1"]], None);
    assert_eq!(sender.send(&format!("http://hooks.example.org:{port}/"), message()).await, Ok(307));
    assert!(hears.try_recv().is_err());
}

#[tokio::test]
async fn who_says_nothing_nonsense_or_too_much_does_not_hold_us() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(200_000)).leak();
    for (answer, expected) in [
        ("", Err(Failure::TimedOut)),
        ("220 smtp.example.org\r\n", Err(Failure::NoAnswer)),
        (endless, Err(Failure::NoAnswer)),
        // the body is not waited for
        ("HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n", Ok(200)),
        ("HTTP/1.1 503 No\r\n\r\n", Ok(503)),
    ] {
        let (port, _hears) = says(answer).await;
        let (sender, _) = sender(&["127.0.0.0/8"], vec![vec!["127.0.0.1"]], None);
        let sent = sender.send(&format!("http://hooks.example.org:{port}/"), message()).await;
        assert_eq!(sent, expected, "{}", &answer[..answer.len().min(40)]);
    }
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name_and_from_an_authority_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let answer = "HTTP/1.1 204 Fine\r\n\r\n";
    for (name, trusted, expected) in [
        ("hooks.example.org", true, Ok(204)),
        ("hooks.example.org", false, Err(Failure::Tls)),
        ("other.example.org", true, Err(Failure::Tls)),
    ] {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        std::fs::write(&authority, made.cert.pem()).unwrap();
        let (sender, _) =
            sender(&["127.0.0.0/8"], vec![vec!["127.0.0.1"]], trusted.then_some(authority.as_path()));
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut some = [0; 2_048];
            let _ = stream.read(&mut some).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.flush().await;
            let _ = stream.read(&mut some).await;
        });
        let sent = sender.send(&format!("https://hooks.example.org:{port}/"), message()).await;
        assert_eq!(sent, expected, "{name} {trusted}");
    }
}

#[test]
fn authorities_that_are_none_are_an_error() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = tempfile::NamedTempFile::new().unwrap();
    let rules = Rules::new(&config::Webhooks::default());
    assert!(Sender::new(rules, Some(file.path()), Arc::new(System), Duration::ZERO).is_err());
}
