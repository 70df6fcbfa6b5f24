//! The mail that tells an administrator what is wrong at the doors. It names doors and moments, and nobody.

use super::MailError;
use super::guest_link::{on_the_wall, spoken};
use super::invitation::escaped;
use klinke_model::contact::{self, Email};
use klinke_model::privacy::Pii;
use klinke_storage::record::{Alarm, AlarmMail};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// What the mail says.
pub struct AlarmsMail<'a> {
    /// From whom.
    pub from: &'a Mailbox,
    /// To whom.
    pub to: &'a Pii<Email>,
    /// In which language.
    pub language: contact::Language,
    /// Of which alarms.
    pub tells: &'a AlarmMail,
    /// The page with all of them.
    pub link: &'a str,
}

impl AlarmsMail<'_> {
    /// The mail: plain text, and the same as HTML without anything from elsewhere.
    ///
    /// # Errors
    /// When the address can not be written to.
    pub fn message(&self) -> Result<Message, MailError> {
        let language = spoken(self.language);
        let say = |id: &str| language.text(id).unwrap_or_default();
        let line = |alarm: &Alarm| {
            let what = say(&format!("admin-alarm-{}", alarm.kind.word().replace('_', "-")));
            let place = alarm.door.as_ref().map_or(&alarm.controller.1, |(_, name)| name);
            let at = on_the_wall(alarm.began.at, &self.tells.time_zone).unwrap_or_default();
            let about =
                if alarm.began.about { format!("{} ", say("admin-alarm-about")) } else { String::new() };
            format!("{about}{at}  {place}: {what}")
        };
        let mut parts = vec![format!("{}: {}", say("mail-alarms-why"), self.tells.building_name)];
        parts.extend(self.tells.alarms.iter().map(line));
        parts.extend([say("mail-alarms-link"), self.link.to_owned(), say("mail-alarms-off")]);
        let text = parts.join("\n\n") + "\n";
        let paragraphs = parts.iter().map(|part| match part.as_str() == self.link {
            true => format!("<p><a href=\"{0}\">{0}</a></p>", escaped(part)),
            false => format!("<p>{}</p>", escaped(part)),
        });
        let html = format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><body>{}</body></html>",
            language.tag(),
            paragraphs.collect::<String>()
        );
        let address = self.to.reveal().as_str().parse().map_err(|_| MailError::Compose)?;
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(format!("{}: {}", say("mail-alarms-subject"), self.tells.building_name))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|_| MailError::Compose)
    }
}
