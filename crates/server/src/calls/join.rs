//! Join tokens: the right of one device to join the media of one call, once, within a minute (trust.md T2).

use klinke_model::ids::DeviceId;
use klinke_model::time::Mono;
use std::collections::HashMap;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a token can be used.
const LIFE: Duration = Duration::from_secs(60);

/// The tokens of one call. In memory, gone with the call.
#[derive(Debug, Default)]
pub struct Joins {
    tokens: HashMap<DeviceId, (String, Mono)>,
}

impl Joins {
    /// The device's token: the one it has while that is unused and young, else `fresh`.
    pub fn token(&mut self, device: DeviceId, fresh: impl FnOnce() -> String, now: Mono) -> String {
        match self.tokens.get(&device) {
            Some((token, at)) if now.since(*at) < LIFE / 2 => token.clone(),
            _ => {
                let token = fresh();
                self.tokens.insert(device, (token.clone(), now));
                token
            }
        }
    }

    /// Uses a token up. False when it is not this device's, was used, or is older than a minute.
    pub fn take(&mut self, device: DeviceId, token: &str, now: Mono) -> bool {
        let fits = self.tokens.get(&device).is_some_and(|(known, at)| {
            bool::from(known.as_bytes().ct_eq(token.as_bytes())) && now.since(*at) < LIFE
        });
        if fits {
            self.tokens.remove(&device);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids;

    #[test]
    fn a_token_is_for_one_device_once_and_for_a_minute() {
        let (one, two) = (DeviceId(ids::v4([1; 16])), DeviceId(ids::v4([2; 16])));
        let at = Mono::from_millis;
        let mut joins = Joins::default();
        let token = joins.token(one, || "first".into(), at(0));
        assert_eq!(joins.token(one, || "second".into(), at(1_000)), token, "asking again does not void it");
        assert!(!joins.take(two, &token, at(1_000)), "another device");
        assert!(!joins.take(one, "guess", at(1_000)));
        assert!(joins.take(one, &token, at(1_000)));
        assert!(!joins.take(one, &token, at(1_000)), "used");
        let token = joins.token(one, || "third".into(), at(1_000));
        assert!(!joins.take(one, &token, at(61_000)), "too old");
        assert_eq!(joins.token(one, || "fourth".into(), at(61_000)), "fourth");
    }
}
