//! A line in the hands of a test: one panel's end, any number of readers' ends, and in between somebody who sees every
//! frame and may change, hold back or add any.

use crate::peer::{PATIENCE, appears};
use osdp::packet::crc16;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Panel,
    Reader,
}

/// Where a frame of the one in between goes.
#[derive(Clone, Debug)]
pub enum To {
    Panel(Vec<u8>),
    Readers(Vec<u8>),
}

/// Lets a frame pass.
pub fn pass(from: From, frame: Vec<u8>) -> Vec<To> {
    match from {
        From::Panel => vec![To::Readers(frame)],
        From::Reader => vec![To::Panel(frame)],
    }
}

pub struct Wire {
    folder: TempDir,
    _socat: Child,
    /// All that passed, as it was sent.
    pub seen: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    /// A line whose panel opens [`Wire::panel`] and whose readers connect to [`Wire::readers`].
    pub async fn open(between: impl FnMut(From, Vec<u8>) -> Vec<To> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let panels = UnixListener::bind(path("panel.sock")).unwrap();
        let readers = UnixListener::bind(path("readers.sock")).unwrap();
        let socat = Command::new("socat")
            .arg(format!("pty,raw,echo=0,link={}", path("panel").display()))
            .arg(format!("unix-connect:{}", path("panel.sock").display()))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (panel, _) = timeout(PATIENCE, panels.accept()).await.unwrap().unwrap();
        appears(&path("panel")).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(run(panel, readers, Arc::clone(&seen), between));
        Self { folder, _socat: socat, seen }
    }

    pub fn panel(&self) -> PathBuf {
        self.folder.path().join("panel")
    }

    pub fn readers(&self) -> PathBuf {
        self.folder.path().join("readers.sock")
    }
}

async fn run(
    panel: UnixStream,
    readers: UnixListener,
    seen: Arc<Mutex<Vec<u8>>>,
    mut between: impl FnMut(From, Vec<u8>) -> Vec<To> + Send + 'static,
) {
    let (frames, mut came) = mpsc::unbounded_channel();
    let (from_panel, mut to_panel) = panel.into_split();
    tokio::spawn(frames_of(From::Panel, from_panel, frames.clone()));
    let mut to_readers: Vec<OwnedWriteHalf> = Vec::new();
    loop {
        tokio::select! {
            reader = readers.accept() => {
                let (from_reader, to_reader) = reader.unwrap().0.into_split();
                tokio::spawn(frames_of(From::Reader, from_reader, frames.clone()));
                to_readers.push(to_reader);
            }
            Some((from, frame)) = came.recv() => {
                seen.lock().unwrap().extend_from_slice(&frame);
                for to in between(from, frame) {
                    match to {
                        // the panel's end goes when the test is over
                        To::Panel(frame) => if to_panel.write_all(&frame).await.is_err() { return },
                        To::Readers(frame) => for reader in &mut to_readers {
                            // a reader that was switched off
                            let _ = reader.write_all(&frame).await;
                        },
                    }
                }
            }
        }
    }
}

/// Cuts what one end sends into frames; the byte before each goes with none.
async fn frames_of(from: From, mut end: OwnedReadHalf, to: mpsc::UnboundedSender<(From, Vec<u8>)>) {
    let mut bytes = Vec::new();
    while end.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
        loop {
            let start = bytes.iter().position(|byte| *byte == 0x53).unwrap_or(bytes.len());
            bytes.drain(..start);
            if bytes.len() < 4 {
                break;
            }
            let length = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
            if bytes.len() < length {
                break;
            }
            if to.send((from, bytes.drain(..length).collect())).is_err() {
                return;
            }
        }
    }
}

/// The code of a command or answer, behind the security block if there is one.
pub fn code(frame: &[u8]) -> u8 {
    if frame[4] & 8 == 0 { frame[5] } else { frame[5 + usize::from(frame[5])] }
}

/// The kind of its security block; 0 without one.
pub fn block(frame: &[u8]) -> u8 {
    if frame[4] & 8 == 0 { 0 } else { frame[6] }
}

/// With this sequence number, and the CRC made right again.
pub fn with_sqn(mut frame: Vec<u8>, sqn: u8) -> Vec<u8> {
    frame[4] = frame[4] & !3 | sqn & 3;
    mended(frame)
}

/// With the CRC made right again.
pub fn mended(mut frame: Vec<u8>) -> Vec<u8> {
    let end = frame.len() - 2;
    let check = crc16(&frame[..end]).to_le_bytes();
    frame[end..].copy_from_slice(&check);
    frame
}

/// An answer in clear to this command.
pub fn clear_answer(to: &[u8], code: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(8 + data.len()).unwrap();
    let head = [0x53, to[1] | 0x80, length, 0, to[4] & 3 | 4, code];
    mended([&head, data, &[0, 0]].concat())
}
