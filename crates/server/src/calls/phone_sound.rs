//! The sound of a phone or a door station between its line and its seat in the room: the same packets, numbered as each side
//! needs them.

use klinke_media::Sound;
use klinke_sip::rtp::bridge::ForPanel;
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::packet::Packet;
use tokio::sync::mpsc;

/// Any stream and payload type will do: the line knows that its panel speaks Opus.
const SSRC: u32 = 1;
const PAYLOAD_TYPE: u8 = 111;

/// The panel's sound on its way to a phone, as the line takes it: RTP.
pub(super) struct FromPanel {
    hears: mpsc::Receiver<Sound>,
}

impl FromPanel {
    pub(super) const fn new(hears: mpsc::Receiver<Sound>) -> Self {
        Self { hears }
    }

    /// The next packet; `None` when the seat is lost.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        self.hears.recv().await.map(|sound| datagram(&sound))
    }
}

/// Sound of the room as a line takes it.
pub(super) fn datagram(sound: &Sound) -> Vec<u8> {
    let packet = Packet {
        payload_type: PAYLOAD_TYPE,
        marker: false,
        // the number without its roll-overs
        sequence: (sound.seq & 0xffff) as u16,
        timestamp: sound.timestamp,
        ssrc: SSRC,
        csrc: &[],
        extension: None,
        payload: &sound.payload,
    };
    packet.write()
}

/// A phone's sound on its way to the panel: one stream without a break, also when the line begins its numbers anew (another
/// rate in the middle of a call).
#[derive(Default)]
pub(super) struct ToPanel {
    /// The last packet, as it came and as it went.
    last: Option<(u16, u32, u64, u32)>,
}

impl ToPanel {
    pub(super) fn sound(&mut self, packet: ForPanel) -> Sound {
        let ForPanel { sequence, timestamp, marker, payload } = packet;
        let (seq, time) = match self.last {
            None => (u64::from(sequence), timestamp),
            // numbers begin anew with the first packet of a line
            Some((_, _, seq, time)) if marker => (seq + 1, time.wrapping_add(Codec::Opus.frame_ticks())),
            Some((from, at, seq, time)) => {
                (seq + u64::from(sequence.wrapping_sub(from)), time.wrapping_add(timestamp.wrapping_sub(at)))
            }
        };
        self.last = Some((sequence, timestamp, seq, time));
        Sound { seq, timestamp: time, payload: payload.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32, marker: bool) -> ForPanel {
        ForPanel { sequence, timestamp, marker, payload: vec![1, 2] }
    }

    #[test]
    fn the_panel_hears_one_stream() {
        let mut to_panel = ToPanel::default();
        let told = [
            packet(65_534, u32::MAX - 959, true),
            packet(65_535, 0, false),
            // one is lost
            packet(1, 1_920, false),
            // another rate: the line begins anew
            packet(40_000, 7, true),
            packet(40_001, 967, false),
        ]
        .map(|packet| to_panel.sound(packet))
        .map(|sound| (sound.seq, sound.timestamp));
        let first = u32::MAX - 959;
        let went = [(65_534, first), (65_535, 0), (65_537, 1_920), (65_538, 2_880), (65_539, 3_840)];
        assert_eq!(told, went);
    }

    #[tokio::test]
    async fn the_phone_hears_the_panel_until_the_seat_is_lost() {
        let (room, hears) = mpsc::channel(1);
        let mut from_panel = FromPanel::new(hears);
        room.send(Sound { seq: 65_537, timestamp: 960, payload: [7, 8].into() }).await.unwrap();
        let datagram = from_panel.next().await.unwrap();
        let read = Packet::parse(&datagram).unwrap();
        assert_eq!((read.sequence, read.timestamp, read.payload), (1, 960, &[7, 8][..]));
        drop(room);
        assert_eq!(from_panel.next().await, None);
    }
}
