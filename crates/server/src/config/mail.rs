//! Where mail is handed in.

use crate::secrets::Secret;
use lettre::message::Mailbox;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// Mail to residents: the SMTP server that takes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Host name of the SMTP server, as in its certificate.
    #[schemars(example = &"smtp.example.org")]
    pub host: String,
    /// Its port. Left out: 465 for `tls`, 587 for `starttls`, 25 for `none`.
    #[schemars(example = 587)]
    pub port: Option<u16>,
    /// How the way there is encrypted. `none` is for a server on this machine only.
    #[serde(default)]
    #[schemars(example = &"starttls")]
    pub tls: MailTls,
    /// Who signs in there, when it asks.
    #[schemars(example = &"klinke")]
    pub user: Option<String>,
    /// The password of `user`.
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret>,
    /// Whom the mail is from.
    #[schemars(example = &"Klinke <klinke@example.org>")]
    pub from: String,
    /// PEM file with the authority that the server's certificate is from, when this machine does not trust it anyway.
    #[schemars(example = &"/etc/klinke/mail-authority.pem")]
    pub authority: Option<PathBuf>,
    /// The demo: mails are written into this folder and not sent.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

/// How the way to the SMTP server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// From the first byte.
    Tls,
    /// After asking for it; nothing is sent when it is refused.
    #[default]
    Starttls,
    /// Not at all.
    None,
}

impl Mail {
    /// Mails that are written into a folder, for the demo.
    pub fn to_folder(folder: PathBuf) -> Self {
        Self {
            host: "localhost".to_owned(),
            port: None,
            tls: MailTls::None,
            user: None,
            password: None,
            from: "Klinke <klinke@localhost>".to_owned(),
            authority: None,
            folder: Some(folder),
        }
    }

    /// What the types can not say: the key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.from.parse::<Mailbox>().is_err() {
            return Err(("mail.from", "is not an e-mail address"));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err(("mail.password", "and mail.user go together: one is missing"));
        }
        let here = ["localhost", "127.0.0.1", "::1"].contains(&self.host.as_str());
        if self.tls == MailTls::None && !here {
            return Err((
                "mail.tls",
                "is none, which is for this machine only: links could be read on the way",
            ));
        }
        Ok(())
    }
}
