//! Sends a person the link to set a password.

use super::Outcome;
use crate::app::invitations::{LIVES, link, user_name};
use crate::auth::token::Token;
use crate::mail::MailError;
use crate::mail::invitation::Invitation;
use crate::node::Node;
use crate::text::Language;
use klinke_model::ids::PersonId;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;

/// Makes a new link and mails it. The token is in the mail and nowhere else.
///
/// # Errors
/// When the store fails.
pub async fn send(node: &Node, scope: &Scope, person: PersonId) -> Result<Outcome, StorageError> {
    let Some(mailer) = &node.mailer else { return Ok(Outcome::Over) };
    let Some(invited) = node.store.invitations().addressee(scope, person).await? else {
        return Ok(Outcome::Over);
    };
    let Some(to) = invited.email.as_ref().filter(|_| invited.active) else { return Ok(Outcome::Over) };
    let token = Token::new(&node.random);
    let ends_at = node.clock.now().plus(LIVES);
    if !node.store.invitations().sending(scope, person, token.hash().0, ends_at).await? {
        return Ok(Outcome::Over);
    }
    let user_name = user_name(node, &invited).await?;
    let mail = Invitation {
        from: mailer.from(),
        to,
        name: &invited.name,
        user_name: &user_name,
        link: &link(node, &token),
        language: Language::of(&invited.language),
    };
    let sent = match mail.message() {
        Ok(message) => mailer.send(message).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(()) => Ok(Outcome::Over),
        Err(error) => {
            tracing::warn!(%error, "an invitation was not sent");
            // an address that can not be written to does not get better by waiting
            Ok(if matches!(error, MailError::Compose) { Outcome::Over } else { Outcome::Again })
        }
    }
}
