//! One emulated reader on the desk, polled in clear.

use super::*;
use klinke_model::credential::CredentialFormat;

const ADDRESS: u8 = 5;

fn at(millis: u64) -> Mono {
    Mono::from_millis(millis)
}
fn card() -> CredentialKey {
    CredentialKey::new(CredentialFormat::Bits, 26, &[0x12, 0x34, 0x56, 0x40]).unwrap()
}

/// A panel that polls in clear, and counts.
struct Panel {
    reader: Emulation,
    sqn: Sqn,
}

impl Panel {
    fn start() -> Self {
        let identity = Identity { vendor: [1, 2, 3], serial: 4 };
        let config =
            EmulationConfig { address: ADDRESS, identity, key: None, may_be_plain: true, baud: 9_600 };
        Self { reader: Emulation::new(config, || Some([7; 16]), at(0)), sqn: Sqn::ZERO }
    }

    /// The answer to a poll, and what was told of it.
    fn poll(&mut self, now: u64) -> (u8, Vec<PanelEvent>) {
        let control = ControlByte::new(self.sqn, CtrlFlags::USE_CRC);
        self.sqn = self.sqn.next();
        let to = Address::pd(ADDRESS).unwrap();
        let frame =
            PacketBuilder::plain(to, control, CommandCode::Poll.as_byte(), Vec::new()).encode().unwrap();
        self.reader.handle(Input::Bytes(&frame), at(now));
        let (mut code, mut told) = (0, Vec::new());
        loop {
            match self.reader.poll() {
                Output::Write(bytes) => code = ParsedPacket::parse(&bytes).unwrap().0.code,
                Output::Event(event) => told.push(event),
                Output::Wait(_) => return (code, told),
            }
        }
    }
}

#[test]
fn a_card_is_fetched_once_and_one_that_was_taken_back_never() {
    let (raw, ack) = (ReplyCode::Raw.as_byte(), ReplyCode::Ack.as_byte());
    let (taken, dropped) =
        (PanelEvent::Presented { is_taken: true }, PanelEvent::Presented { is_taken: false });
    let mut panel = Panel::start();
    assert_eq!(panel.poll(0), (ack, vec![PanelEvent::Online { is_secure: false }]));
    panel.reader.present(card(), at(10));
    assert_eq!(panel.poll(20), (raw, vec![]));
    assert_eq!(panel.poll(40), (ack, vec![taken.clone()]));

    panel.reader.present(card(), at(50));
    panel.reader.withdraw();
    assert_eq!(panel.poll(60), (ack, vec![dropped.clone()]));
    // one that is on its way is told as what became of it
    panel.reader.present(card(), at(70));
    assert_eq!(panel.poll(80).0, raw);
    panel.reader.withdraw();
    assert_eq!(panel.poll(100), (ack, vec![taken]));
    // and nobody fetches what is late
    panel.reader.present(card(), at(200));
    let late = u64::try_from(CARD_LIFE.as_millis()).unwrap() + 200;
    assert_eq!(panel.poll(late), (ack, vec![dropped]));
}
