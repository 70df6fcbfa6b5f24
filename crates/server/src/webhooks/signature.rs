//! Signatures as the Standard Webhooks specification has them, and the secrets they are made with.
//!
//! A secret is not stored: it is made from the installation's key, the address's id and a number. So a copy of the
//! database forges no message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use klinke_model::ids::{TenantId, WebhookId};
use sha2::Sha256;

/// The installation's key.
pub struct Key(pub(super) [u8; 32]);

/// One secret of one address.
pub struct SigningSecret([u8; 32]);

impl Key {
    /// The secret with this number.
    pub fn secret(&self, tenant: TenantId, webhook: WebhookId, number: u64) -> SigningSecret {
        let parts: [&[u8]; 4] =
            [b"klinke webhook", tenant.0.as_bytes(), webhook.0.as_bytes(), &number.to_be_bytes()];
        SigningSecret(mac(&self.0, &parts))
    }
}

impl SigningSecret {
    /// As the receiver needs it.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// One signature of the header.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let seconds = seconds.to_string();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body.as_bytes()];
        format!("v1,{}", STANDARD.encode(mac(&self.0, &parts)))
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // a key of any length is good for HMAC
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;

    #[test]
    fn the_library_of_the_specification_takes_what_we_sign_and_nothing_else() {
        let key = Key([7; 32]);
        let (tenant, webhook) = (TenantId(v4([1; 16])), WebhookId(v4([2; 16])));
        let secret = key.secret(tenant, webhook, 1);
        let seconds = 1_795_262_400;
        let signature = secret.sign("msg", seconds, "{}");
        let verify = |secret: &SigningSecret, body: &str| {
            let theirs = standardwebhooks::Webhook::new(&secret.text()).unwrap();
            theirs.sign("msg", seconds, body.as_bytes()).unwrap() == signature
        };
        assert!(verify(&secret, "{}"));
        assert!(!verify(&secret, "{ }"));
        for other in [
            key.secret(tenant, webhook, 2),
            key.secret(tenant, WebhookId(v4([3; 16])), 1),
            key.secret(TenantId(v4([3; 16])), webhook, 1),
            Key([8; 32]).secret(tenant, webhook, 1),
        ] {
            assert!(!verify(&other, "{}"));
        }
    }
}
