//! Long work on files that people send, on a thread of its own and one after the other: a list or a picture may take a
//! hundred megabytes for a moment.
//!
//! The turn belongs to the work and not to whoever asked: who goes away does not let a second one begin beside it.

use std::sync::Arc;
use tokio::sync::Semaphore;

/// Whose turn it is.
pub struct Apart(Arc<Semaphore>);

impl Default for Apart {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Apart {
    /// Waits for its turn and does it; `None` when the work did not come to its end.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        working.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn who_goes_away_does_not_let_a_second_one_begin() {
        let apart = Apart::default();
        let (go, wait) = mpsc::channel::<()>();
        let (began, begun) = tokio::sync::oneshot::channel();
        let mut first = Box::pin(apart.run(move || {
            began.send(()).unwrap();
            wait.recv()
        }));
        tokio::select! {
            _ = &mut first => panic!("it waits"),
            told = begun => told.unwrap(),
        }
        drop(first);
        assert!(apart.0.try_acquire().is_err(), "it is still at work");
        go.send(()).unwrap();
        assert_eq!(apart.run(|| 2).await, Some(2));
    }
}
