//! How many files this process may hold open. Every connection is one, and many systems start a process with 1,024 of
//! them while the limit that it may raise by itself is far higher. Such a server would turn away residents for no
//! reason at all.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Fewer than this are too few for a building of some size.
const FEW: u64 = 4_096;

/// Raises the soft limit to the hard one, and says in the log what it is now. That it can not be raised is no reason
/// not to start.
pub fn raise() {
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: before.maximum, ..before };
    if before.current != before.maximum
        && let Err(error) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let now = getrlimit(Resource::Nofile).current;
    let words = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    tracing::info!(before = words(before.current), now = words(now), "limit of open files");
    if now.is_some_and(|now| now < FEW) {
        tracing::warn!(now = words(now), "few open files: not much over half as many apps can be connected");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        let low = before.maximum.map_or(256, |most| most.min(256)) - 1;
        setrlimit(Resource::Nofile, Rlimit { current: Some(low), ..before }).unwrap();
        raise();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: before.maximum, ..before });
    }
}
