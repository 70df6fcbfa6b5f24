//! The mail that lets a guest in: who invites them, where to, until when, the link and the code (R45).

use super::MailError;
use super::invitation::escaped;
use crate::text::Language;
use klinke_model::contact;
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_storage::record::GuestMail;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// What the mail says.
pub struct GuestLink<'a> {
    /// From whom.
    pub from: &'a Mailbox,
    /// To whom, and of which guest.
    pub waits: &'a GuestMail,
    /// The page that opens the doors.
    pub link: &'a str,
    /// The code to type at a panel.
    pub code: &'a str,
}

impl GuestLink<'_> {
    /// The mail: plain text, and the same as HTML without anything from elsewhere.
    ///
    /// # Errors
    /// When the address can not be written to.
    pub fn message(&self) -> Result<Message, MailError> {
        let GuestMail { guest, host_name, email, language } = self.waits;
        let language = spoken(*language);
        let say = |id: &str| language.text(id).unwrap_or_default();
        let place = format!("{}, {}", guest.building_name, guest.address);
        let mut parts =
            vec![format!("{} {},", say("mail-hello"), guest.name.reveal()), say("mail-guest-why")];
        if let Some(host) = host_name {
            parts.push(format!("{}: {}", say("mail-guest-host"), host.reveal()));
        }
        parts.push(format!("{}: {place}", say("mail-guest-where")));
        if let Some((from, until)) =
            on_the_wall(guest.starts_at, &guest.time_zone).zip(on_the_wall(guest.ends_at, &guest.time_zone))
        {
            parts.push(format!("{}: {from} – {until}", say("mail-guest-when")));
        }
        parts.extend([say("mail-guest-link"), self.link.to_owned()]);
        parts.push(format!("{}: {}", say("mail-guest-code"), self.code));
        parts.push(say("mail-guest-keep"));
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
        let address = Pii::reveal(email).as_str().parse().map_err(|_| MailError::Compose)?;
        // nobody wants "I am on holiday" in answer
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(format!("{}: {}", say("mail-guest-subject"), guest.building_name))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|_| MailError::Compose)
    }
}

/// As the texts have it.
pub(super) const fn spoken(language: contact::Language) -> Language {
    match language {
        contact::Language::Nb => Language::Bokmal,
        contact::Language::Nn => Language::Nynorsk,
        contact::Language::Sv => Language::Swedish,
        contact::Language::Da => Language::Danish,
        contact::Language::En => Language::English,
    }
}

/// A moment as the building's clock shows it, such as `2026-11-30 18:00`; none in a zone that nobody knows.
pub(super) fn on_the_wall(at: Timestamp, zone: &str) -> Option<String> {
    let moment = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    let there = moment.in_tz(zone).ok()?;
    Some(there.strftime("%Y-%m-%d %H:%M").to_string())
}
