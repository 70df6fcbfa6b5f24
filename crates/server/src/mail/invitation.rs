//! The mail that invites: who you are here, and a link to set a password (R70).

use super::MailError;
use crate::text::Language;
use klinke_model::privacy::Pii;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// What the mail says.
pub struct Invitation<'a> {
    /// From whom.
    pub from: &'a Mailbox,
    /// To which address.
    pub to: &'a Pii<String>,
    /// What the person is called; empty for somebody who is anonymous.
    pub name: &'a Pii<String>,
    /// What they will sign in with.
    pub user_name: &'a Pii<String>,
    /// Where the password is set.
    pub link: &'a str,
    /// The language of the mail.
    pub language: Language,
}

impl Invitation<'_> {
    /// The mail: plain text, and the same as HTML without anything from elsewhere.
    ///
    /// # Errors
    /// When the address can not be written to.
    pub fn message(&self) -> Result<Message, MailError> {
        let say = |id: &str| self.language.text(id).unwrap_or_default();
        // a label has none; a header must not have any, whoever calls
        let name: String = self.name.reveal().chars().filter(|sign| !sign.is_control()).collect();
        let name = name.as_str();
        let greeting = match name {
            "" => say("mail-hello"),
            name => format!("{} {name}", say("mail-hello")),
        };
        let user = format!("{}: {}", say("mail-invite-user-name"), self.user_name.reveal());
        let parts = [
            format!("{greeting},"),
            say("mail-invite-why"),
            user,
            say("mail-invite-link"),
            self.link.to_owned(),
            say("mail-invite-ends"),
            say("mail-invite-not-you"),
        ];
        let text = parts.join("\n\n") + "\n";
        let paragraphs = parts.iter().map(|part| match part.as_str() == self.link {
            true => format!("<p><a href=\"{0}\">{0}</a></p>", escaped(part)),
            false => format!("<p>{}</p>", escaped(part)),
        });
        let html = format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><body>{}</body></html>",
            self.language.tag(),
            paragraphs.collect::<String>()
        );
        let address = self.to.reveal().parse().map_err(|_| MailError::Compose)?;
        let shown = if name.is_empty() { None } else { Some(name.to_owned()) };
        // nobody wants "I am on holiday" in answer
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(shown, address))
            .subject(say("mail-invite-subject"))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|_| MailError::Compose)
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(name: &str, to: &str) -> Result<String, MailError> {
        let from = "Klinke <klinke@example.org>".parse().unwrap();
        let (to, name) = (Pii::new(to.to_owned()), Pii::new(name.to_owned()));
        let user_name = Pii::new("kari@example.org".to_owned());
        let link = "https://door.example.org/app#invite=abc";
        let language = Language::Bokmal;
        let mail = Invitation { from: &from, to: &to, name: &name, user_name: &user_name, link, language };
        mail.message().map(|mail| String::from_utf8(mail.formatted()).unwrap())
    }

    #[test]
    fn a_name_is_never_markup_nor_a_header() {
        let told = mail("<b>Kari</b>", "kari@example.org").unwrap();
        // lines are folded with "=" where they are long
        let html = told.split("text/html").nth(1).unwrap().replace("=\r\n", "");
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"), "{html}");
        let told = mail("Kari\r\nBcc: all@example.org", "kari@example.org").unwrap();
        let head = told.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("\nBcc:"), "{head}");
        assert!(mail("Kari", "kari@example.org\r\nBcc: all@example.org").is_err());
        assert!(mail("Kari", "nobody").is_err());
    }
}
