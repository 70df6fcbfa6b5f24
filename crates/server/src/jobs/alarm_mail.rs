//! Sends administrators what is wrong at the doors: one mail a building, with all that began within a minute.

use super::{AT_ONCE, TAKEN, TRIES};
use crate::mail::MailError;
use crate::mail::alarms::AlarmsMail;
use crate::node::Node;
use klinke_model::scope::Scope;
use klinke_storage::StorageError;
use klinke_storage::record::DueAlarmMail;

/// Sends everything that is due.
///
/// # Errors
/// When the store fails.
pub async fn round(node: &Node) -> Result<(), StorageError> {
    for due in node.store.gate().due_alarm_mails(node.clock.now(), AT_ONCE).await? {
        if node.stop.is_cancelled() {
            return Ok(());
        }
        one(node, due).await?;
    }
    Ok(())
}

async fn one(node: &Node, due: DueAlarmMail) -> Result<(), StorageError> {
    // whose role has ended by now hears of nothing
    let scope = Scope::system(due.tenant).at(node.clock.now());
    let until = node.clock.now().plus(TAKEN * 2_u32.pow(due.attempts.min(5)));
    if !node.store.alarms().take_alarm_mail(&scope, &due, until).await? {
        return Ok(());
    }
    let Some(found) = node.store.alarms().alarm_mail(&scope, &due).await? else { return Ok(()) };
    let told: Vec<_> = found.alarms.iter().map(|alarm| alarm.id).collect();
    let mut sent = found.alarms.is_empty() || found.to.is_empty();
    if let Some(mailer) = &node.mailer {
        let link = format!("{}/admin/buildings/{}/alarms", node.public_url, due.building);
        for (to, language) in &found.to {
            if told.is_empty() {
                break;
            }
            let mail =
                AlarmsMail { from: mailer.from(), to, language: *language, tells: &found, link: &link };
            let outcome = match mail.message() {
                Ok(message) => mailer.send(message).await,
                Err(error) => Err(error),
            };
            match outcome {
                // an address that can not be written to does not get better by waiting
                Ok(()) | Err(MailError::Compose) => sent = true,
                Err(error) => tracing::warn!(%error, "a mail about alarms was not sent"),
            }
        }
    } else {
        sent = true;
    }
    // again for nobody whom it has reached: that some had it is enough
    if sent || due.attempts + 1 >= TRIES {
        node.store.alarms().alarm_mailed(&scope, &due, &told).await?;
    }
    Ok(())
}
