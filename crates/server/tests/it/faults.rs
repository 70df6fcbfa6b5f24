//! Whatever goes wrong in one call, the call beside it goes on: its sound is counted through each fault.

use crate::desk_phone::{give, registered};
use crate::phone::{PAUSE, know, rings_phone, stand};
use crate::support::desk_phone::DeskPhone;
use crate::support::house::House;
use crate::support::panel::Panel;
use crate::support::trunk::{Baresip, Sipp};
use crate::support::until;
use crate::webrtc::Peer;
use klinke_model::ids::CallId;
use klinke_model::phone::Phones;
use klinke_server::stations::Way;
use klinke_wire::common::OpeningState;
use std::net::{IpAddr, SocketAddr};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

/// A house with room for several calls.
async fn house() -> House {
    let house = House::with(|config| {
        config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
        config.phones.trunk_hosts = vec!["127.0.0.1".into()];
        (config.phones.first_port, config.phones.last_port) = (22_400, 22_599);
        (config.stations.first_port, config.stations.last_port) = (22_600, 22_799);
    })
    .await;
    know(&house, &["nora"], Phones::WithoutDevice).await;
    house
}

/// A visitor who talks with a desk phone at the entrance.
struct Good {
    panel: Panel,
    call: CallId,
    browser: Peer,
    phone: DeskPhone,
    /// Packets that the panel sent and got, when the phone was first heard.
    from: (u64, u64),
}

impl Good {
    async fn begin(house: &House) -> Self {
        let given = give(house, "kari").await;
        let mut phone = DeskPhone::start("udp", &given).await;
        registered(house, &given, true).await;
        let mut panel = house.panel().await;
        let call = panel.ring(house.plan.bell("Dahl")).await.call;
        let browser = panel.films(house.node().media.local_addr(), call, Vec::new()).await;
        phone.rung().await;
        phone.pick_up().await;
        panel.connected().await;
        let seen = browser.until("the phone", |seen| seen.audio >= 10 && seen.audio_sent >= 10).await;
        Self { panel, call, browser, phone, from: (seen.audio_sent, seen.audio) }
    }

    /// It is heard for a second more, and not one packet in twenty was lost since it began.
    async fn goes_on(&self, after: &str) {
        let before = self.browser.seen().audio;
        let seen = self.browser.until(after, |seen| seen.audio >= before + 50).await;
        let (sent, got) = (seen.audio_sent - self.from.0, seen.audio - self.from.1);
        println!("after {after}: the panel sent {sent} packets and got {got}");
        // both speak 50 packets a second
        assert!(got * 20 >= sent * 19, "after {after}: {got} of {sent}");
    }

    async fn end(mut self, house: &House) {
        self.panel.hang_up(self.call).await;
        self.panel.ended(self.call).await;
        until("the end of the good call", || house.node().stations.dialogs() == 0).await;
        drop(self.phone);
    }
}

/// The trunk at this port is the only one; Nora's phone rings at the gate.
async fn beside(house: &House, port: u16) -> (Panel, CallId) {
    for trunk in house.manager.get("/api/v1/trunks").await.json()["items"].as_array().unwrap() {
        let path = format!("/api/v1/trunks/{}", trunk["id"].as_str().unwrap());
        assert_eq!(house.manager.delete(&path).await.status, 204);
    }
    until("no trunk", || house.node().phones.states(house.plan.tenant).is_empty()).await;
    stand(house, &[port]).await;
    let mut panel = house.gate_panel().await;
    let call = panel.ring(house.plan.gate_bell("Berg")).await;
    assert!(rings_phone(&call.state), "{call:?}");
    (panel, call.call)
}

/// What no parser likes: everything that ever was odd enough to be kept, and each cut in half.
fn malformed() -> Vec<Vec<u8>> {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip/corpus");
    let mut all = Vec::new();
    for parser in ["message", "stream", "sdp", "rtp", "rtcp"] {
        for file in std::fs::read_dir(corpus.join(parser)).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            all.push(bytes[..bytes.len() / 2].to_vec());
            all.push(bytes);
        }
    }
    // what a datagram holds
    all.retain(|bytes| bytes.len() <= 60_000);
    assert!(all.len() > 40, "{}", all.len());
    all
}

/// Two thousand of them to where devices register, and to every port that sound may come to.
async fn flood(house: &House) {
    let (malformed, socket) = (malformed(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let at = |way| house.node().stations.servers().into_iter().find(|(of, _)| *of == way).unwrap().1;
    let mut sound = (22_600..22_800).cycle();
    for (count, bytes) in malformed.iter().cycle().take(2_000).enumerate() {
        socket.send_to(bytes, at(Way::Udp)).await.unwrap();
        let port = SocketAddr::from(([127, 0, 0, 1], sound.next().unwrap()));
        // nobody may be there
        drop(socket.send_to(bytes, port).await);
        if count % 100 == 0 {
            let mut stream = TcpStream::connect(at(Way::Tcp)).await.unwrap();
            // it may hang up on us before the end
            drop(stream.write_all(bytes).await);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_good_call_goes_on_beside_every_fault() {
    let house = house().await;
    let controller = house.controller().await;
    let good = Good::begin(&house).await;
    good.goes_on("nothing").await;

    let sipp = Sipp::change_codec();
    let (mut panel, call) = beside(&house, sipp.port).await;
    panel.connected().await;
    assert_eq!(panel.opened().await, OpeningState::Open { for_ms: 1_000 });
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.verdict().await;
    good.goes_on("another codec").await;

    let mut phone = Baresip::start(crate::phone::NUMBER).await;
    let (mut panel, call) = beside(&house, phone.port).await;
    phone.picked_up().await;
    // keys in the first second do not count
    tokio::time::sleep(std::time::Duration::from_millis(PAUSE)).await;
    phone.press('1').await;
    panel.connected().await;
    phone.kill().await;
    good.goes_on("a trunk that is gone").await;
    panel.hang_up(call).await;
    panel.ended(call).await;

    let sipp = Sipp::loses_bye();
    let (mut panel, call) = beside(&house, sipp.port).await;
    sipp.wrote("ACK sip:").await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    sipp.wrote("BYE sip:").await;
    good.goes_on("a BYE that nobody answers").await;

    flood(&house).await;
    good.goes_on("a flood").await;
    good.end(&house).await;
    assert_eq!(controller.releases.count(), 1);
    controller.stop().await;
}
