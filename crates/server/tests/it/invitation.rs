//! A link to set a password: by a real mail server or on paper, used once, for 72 hours.

use crate::testing::TestClock;
use crate::world::{Answer, Browser, MANAGER, PASSWORD, World, config, label, sign_in};
use klinke_model::contact::Email;
use klinke_model::ids::{PersonId, v4};
use klinke_model::people::Person;
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_server::config::{Mail, MailTls};
use klinke_server::node;
use klinke_server::random::Random;
use klinke_server::secrets::Secret;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// A running mail server that others wrote.
struct Sink {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Sink {
    fn start(words: &[&Path]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_sink.py");
        let mut child = Command::new(python())
            .arg(script)
            .arg(folder.path())
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().expect("aiosmtpd did not start"), folder }
    }

    /// The nth mail, from 1.
    async fn mail(&self, number: u32) -> Value {
        let file = self.folder.path().join(format!("{number}.json"));
        crate::support::until("a mail", || file.exists()).await;
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    fn config(&self) -> Mail {
        Mail {
            host: "localhost".into(),
            port: Some(self.port),
            tls: MailTls::None,
            user: None,
            password: None,
            from: "Klinke <klinke@klinke.example>".into(),
            authority: None,
            folder: None,
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Python with aiosmtpd: the one that was chosen, the first in the path, or Debian's.
fn python() -> PathBuf {
    let chosen = std::env::var_os("KLINKE_PYTHON").map(PathBuf::from);
    let usual = ["python3", "/usr/bin/python3"].map(PathBuf::from);
    let mut all = chosen.into_iter().chain(usual);
    let has_it = |python: &PathBuf| {
        let mut import = Command::new(python);
        let import = import.args(["-c", "import aiosmtpd"]).stdin(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    all.find(has_it).expect("no Python with aiosmtpd: ./test installs it")
}

async fn world(mail: Option<Mail>) -> (World, Browser) {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let mut config = config(folder.path());
    config.mail = mail;
    let running = node::start(config, clock.clone(), Random::system()).await.unwrap();
    let world = World { folder, clock, running };
    let browser = world.browser();
    let code = world.node().setup.code();
    assert_eq!(browser.post("/api/v1/setup/claim", crate::world::claim(&code)).await.status, 201);
    assert_eq!(browser.post("/api/v1/confidentiality", json!({ "version": 1 })).await.status, 204);
    (world, browser)
}

async fn person(world: &World, number: u8, name: &str, email: Option<&str>) -> PersonId {
    let scope = Scope::system(world.node().store.gate().account(MANAGER).await.unwrap().unwrap().tenant);
    let id = PersonId(v4([number; 16]));
    let email = email.map(|email| Pii::new(Email::new(email).unwrap()));
    let person = Person { email, ..Person::named(id, label(name)) };
    assert!(world.node().store.people().insert_person(&scope, person).await.unwrap());
    id
}

fn path(person: PersonId) -> String {
    format!("/api/v1/people/{person}/invitation")
}

async fn link_on_paper(manager: &Browser, person: PersonId) -> (String, Value) {
    let told = manager.post(&path(person), json!({})).await;
    assert_eq!(told.status, 201, "{told:?}");
    let told = told.json();
    let link = told["link"].as_str().unwrap().to_owned();
    (link.split_once("#invite=").unwrap().1.to_owned(), told)
}

async fn look(browser: &Browser, token: &str) -> Answer {
    browser.post("/api/v1/invitations/look", json!({ "token": token })).await
}

async fn accept(browser: &Browser, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password, "device_name": "Phone" });
    browser.post("/api/v1/invitations/accept", body).await
}

#[tokio::test]
async fn a_mail_with_the_user_name_and_a_link_comes_and_the_link_signs_in() {
    let sink = Sink::start(&[]);
    let (world, manager) = world(Some(sink.config())).await;
    let ase = person(&world, 9, "Åse Sørli", Some("Ase@Klinke.Example")).await;
    let told = manager.post(&path(ase), json!({})).await;
    assert_eq!((told.status.as_u16(), told.json()), (201, json!({ "by_mail": true })));
    let mail = sink.mail(1).await;
    assert_eq!(mail["to"], "Åse Sørli <Ase@Klinke.Example>");
    assert_eq!(mail["subject"], "Ringeklokken og dørene dine: velg et passord");
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Hei Åse Sørli,") && text.contains("ase@klinke.example"), "{text}");
    let token = text.split_once("#invite=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert!(mail["html"].as_str().unwrap().contains(&token));

    let phone = world.browser();
    let welcome = look(&phone, &token).await.json();
    assert_eq!(
        welcome,
        json!({ "name": "Åse Sørli", "user_name": "ase@klinke.example", "has_account": false })
    );
    assert_eq!(accept(&phone, &token, "short").await.status, 422);
    assert_eq!(accept(&phone, &token, "gul sykkel i regnet").await.status, 201);
    assert_eq!(phone.get("/api/v1/session").await.json()["person"]["name"], "Åse Sørli");
    let again = accept(&world.browser(), &token, "another long password").await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (410, "invitation_used"));
    let signed_in =
        world.browser().post("/api/v1/session", sign_in("ase@klinke.example", "gul sykkel i regnet")).await;
    assert_eq!(signed_in.status, 201);
    assert_eq!(manager.get(&path(ase)).await.json()["state"], "used");
}

#[tokio::test]
async fn mail_goes_over_starttls_with_a_sign_in_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let sink = Sink::start(&[&certificate, &key]);
    let mail = Mail {
        tls: MailTls::Starttls,
        user: Some("klinke".into()),
        password: Some(Secret::new("hush".into())),
        ..sink.config()
    };
    let send = async |mail: Mail| {
        let (world, manager) = world(Some(mail)).await;
        let ase = person(&world, 9, "Åse", Some("ase@klinke.example")).await;
        assert_eq!(manager.post(&path(ase), json!({})).await.status, 201);
        (world, manager, ase)
    };
    let trusting = Mail { authority: Some(certificate.clone()), ..mail.clone() };
    let (_world, ..) = send(trusting).await;
    assert_eq!(sink.mail(1).await["tls"], true);

    // a certificate of nobody we trust: nothing is sent, and it will be tried again
    let (world, manager, ase) = send(mail).await;
    let waiting = async || manager.get(&path(ase)).await.json()["state"] == "waiting";
    assert!(waiting().await);
    klinke_server::jobs::round(world.node()).await.unwrap();
    assert!(waiting().await);
    assert!(!sink.folder.path().join("2.json").exists());
}

#[tokio::test]
async fn what_the_server_does_not_take_is_tried_again_and_then_given_up() {
    let sink = Sink::start(&[]);
    let (world, manager) = world(Some(sink.config())).await;
    let nobody = person(&world, 9, "Nobody", Some("refuse@klinke.example")).await;
    assert_eq!(manager.post(&path(nobody), json!({})).await.status, 201);
    let waiting = async || world.node().store.gate().jobs_waiting().await.unwrap();
    let mut rounds = 0;
    while waiting().await > 0 {
        klinke_server::jobs::round(world.node()).await.unwrap();
        world.clock.advance(HOUR * 2);
        rounds += 1;
        assert!(rounds < 20, "it is never given up");
    }
    assert!(rounds >= 6, "given up after {rounds} tries");
    assert!(!sink.folder.path().join("1.json").exists());
}

#[tokio::test]
async fn without_mail_the_link_is_shown_once_and_works_for_72_hours() {
    let (world, manager) = world(None).await;
    let ola = person(&world, 9, "Ola Åsen", None).await;
    let (token, told) = link_on_paper(&manager, ola).await;
    assert_eq!((&told["by_mail"], &told["user_name"]), (&json!(false), &json!("ola.asen")));
    let state = manager.get(&path(ola)).await.json();
    assert_eq!(
        (&state["state"], &state["by_mail"], &state["has_account"]),
        (&json!("open"), &json!(false), &json!(false))
    );
    assert!(!state.to_string().contains(&token), "once only");

    let phone = world.browser();
    world.clock.advance(HOUR * 72 - Duration::from_secs(1));
    assert_eq!(look(&phone, &token).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    for late in [look(&phone, &token).await, accept(&phone, &token, "gul sykkel i regnet").await] {
        assert_eq!((late.status.as_u16(), late.code().as_str()), (410, "invitation_expired"));
    }
    let (newer, _) = link_on_paper(&manager, ola).await;
    assert_eq!(look(&phone, &token).await.code(), "unknown_invitation", "the newer one took its place");
    assert_eq!(manager.delete(&path(ola)).await.status, 204);
    assert_eq!(look(&phone, &newer).await.code(), "unknown_invitation");
    assert_eq!(manager.delete(&path(ola)).await.status, 404);
}

#[tokio::test]
async fn a_password_set_anew_signs_out_whoever_was_in() {
    let (world, manager) = world(None).await;
    let ola = person(&world, 9, "Ola", None).await;
    let (token, _) = link_on_paper(&manager, ola).await;
    let old = world.browser();
    assert_eq!(accept(&old, &token, "gul sykkel i regnet").await.status, 201);
    let (token, told) = link_on_paper(&manager, ola).await;
    let new = world.browser();
    assert_eq!(look(&new, &token).await.json()["has_account"], true);
    let third = world.browser();
    let (one, other) = tokio::join!(
        accept(&new, &token, "blå sykkel i regnet"),
        accept(&third, &token, "rød sykkel i regnet")
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 410], "exactly one");
    assert_eq!(old.get("/api/v1/session").await.status, 401);
    let user_name = told["user_name"].as_str().unwrap();
    let before = world.browser().post("/api/v1/session", sign_in(user_name, "gul sykkel i regnet")).await;
    assert_eq!(before.status, 401);
}

#[tokio::test]
async fn nobody_invites_the_people_of_others_and_guesses_are_limited() {
    let (world, manager) = World::claimed().await;
    world.town().await;
    let ola = person(&world, 9, "Ola", None).await;
    let resident = world.browser();
    let typed = sign_in(crate::world::RESIDENT, PASSWORD);
    assert_eq!(resident.post("/api/v1/session", typed).await.status, 201);
    let unknown = manager.get(&path(PersonId(v4([77; 16])))).await;
    assert_eq!(unknown.status, 404);
    for refused in [
        resident.get(&path(ola)).await,
        resident.post(&path(ola), json!({})).await,
        resident.delete(&path(ola)).await,
    ] {
        assert_eq!((refused.status, &refused.text), (unknown.status, &unknown.text));
    }
    let stranger = world.browser_at([127, 0, 0, 9]);
    let guess = "A".repeat(43);
    for _ in 0..20 {
        assert_eq!(look(&stranger, &guess).await.code(), "unknown_invitation");
    }
    assert_eq!(look(&stranger, &guess).await.status, 429);
    let (token, _) = link_on_paper(&manager, ola).await;
    let at_home = world.browser_at([127, 0, 0, 10]);
    for _ in 0..30 {
        assert_eq!(look(&at_home, &token).await.status, 200, "a good link counts against nothing");
    }
}
