//! Sees a simulated lock move, from outside of every Klinke process: the kernel says that its file was replaced.

use crate::Result;
use crate::figures::now;
use inotify::{Inotify, WatchMask};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Longer than any release takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The locks of a demo's controllers.
pub struct Locks {
    moves: mpsc::UnboundedReceiver<(Instant, bool)>,
}

impl Locks {
    /// Watches every lock of the demo in this folder. Its controllers must have been started.
    ///
    /// # Errors
    /// When there are none, or the kernel watches no more.
    pub fn watch(demo: &Path) -> Result<Self> {
        let mut inotify = Inotify::init()?;
        let mut folders = Vec::new();
        for controller in std::fs::read_dir(demo.join("controllers"))? {
            let outputs = controller?.path().join("outputs");
            folders.push((inotify.watches().add(&outputs, WatchMask::MOVED_TO)?, outputs));
        }
        if folders.is_empty() {
            return Err("the demo has no controllers".into());
        }
        let (sender, moves) = mpsc::unbounded_channel();
        // a thread of its own, which waits for nothing else; it ends with the process
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(events) = inotify.read_events_blocking(&mut buffer) {
                let at = now();
                for event in events {
                    let folder = folders.iter().find(|(watch, _)| *watch == event.wd);
                    let file: Option<PathBuf> =
                        folder.zip(event.name).map(|((_, path), name)| path.join(name));
                    let line = file.and_then(|file| std::fs::read_to_string(file).ok());
                    if line.is_some_and(|line| sender.send((at, line.starts_with("released"))).is_err()) {
                        return;
                    }
                }
            }
        });
        Ok(Self { moves })
    }

    /// Forgets what was seen so far.
    pub fn forget(&mut self) {
        while self.moves.try_recv().is_ok() {}
    }

    /// When the next lock was released.
    ///
    /// # Errors
    /// When none is.
    pub async fn released(&mut self) -> Result<Instant> {
        self.moved(true).await
    }

    /// When the next lock was released, or locked.
    ///
    /// # Errors
    /// When none is.
    pub async fn moved(&mut self, is_released: bool) -> Result<Instant> {
        let next = async {
            while let Some((at, released)) = self.moves.recv().await {
                if released == is_released {
                    return Some(at);
                }
            }
            None
        };
        let moved = tokio::time::timeout(PATIENCE, next).await?;
        moved.ok_or_else(|| "nobody watches the locks any more".into())
    }
}
