//! Sends a guest their link, for whoever invited them.

use super::Outcome;
use crate::mail::MailError;
use crate::mail::guest_link::GuestLink;
use crate::node::Node;
use klinke_model::ids::GuestId;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;

/// Mails the link that the guest has at this moment. Its address is forgotten then, and after the last try.
///
/// # Errors
/// When the store fails.
pub async fn send(
    node: &Node,
    scope: &Scope,
    guest: GuestId,
    is_last: bool,
) -> Result<Outcome, StorageError> {
    let guests = node.store.guests();
    let service = scope.at(node.clock.now());
    let (Some(mailer), Some(waits)) = (&node.mailer, guests.guest_mail(&service, guest).await?) else {
        return Ok(Outcome::Over);
    };
    let token = node.passes.token(&waits.guest);
    let mail = GuestLink {
        from: mailer.from(),
        waits: &waits,
        link: &format!("{}/guest#{}", node.public_url, token.text()),
        code: &node.passes.code(&waits.guest),
    };
    let sent = match mail.message() {
        Ok(message) => mailer.send(message).await,
        Err(error) => Err(error),
    };
    let outcome = match sent {
        Ok(()) => Outcome::Over,
        Err(error) => {
            tracing::warn!(%error, "a guest's link was not sent");
            // an address that can not be written to does not get better by waiting
            if matches!(error, MailError::Compose) { Outcome::Over } else { Outcome::Again }
        }
    };
    if is_last || matches!(outcome, Outcome::Over) {
        guests.forget_guest_mail(&service, guest, &waits.email).await?;
    }
    Ok(outcome)
}
