//! Mail: how it leaves, and what stands in it.
//!
//! A mail holds what its reader needs and a link; never a password, a picture from elsewhere, or anything that tells us
//! that it was read.

pub mod alarms;
pub mod guest_link;
pub mod invitation;

use crate::config::{Mail, MailTls};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::path::PathBuf;
use std::time::Duration;

/// How long handing in one mail may take.
const WITHIN: Duration = Duration::from_secs(20);

/// Why mail can not be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The configuration's authority or address.
    #[error("the mail section of the configuration can not be used: {0}")]
    Setting(&'static str),
    /// TLS to the mail server can not be set up.
    #[error("TLS to the mail server can not be set up: {0}")]
    Tls(lettre::transport::smtp::Error),
    /// The mail could not be written; never with an address in it.
    #[error("the mail could not be written")]
    Compose,
    /// The server did not take it. Its own words are left out: they repeat the address.
    #[error("the mail server did not take the mail ({0})")]
    Refused(&'static str),
    /// The demo's folder.
    #[error("the mail could not be written into {0}: {1}")]
    Folder(PathBuf, std::io::Error),
}

/// Hands mails in.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Folder(PathBuf),
}

impl Mailer {
    /// Ready to send, as the configuration says. Nothing is dialled yet.
    ///
    /// # Errors
    /// When the configuration can not be used.
    pub fn new(config: &Mail) -> Result<Self, MailError> {
        let from = config.from.parse().map_err(|_| MailError::Setting("mail.from"))?;
        if let Some(folder) = &config.folder {
            return Ok(Self { from, way: Way::Folder(folder.clone()) });
        }
        let (tls, port) = match config.tls {
            MailTls::Tls => (Tls::Wrapper(parameters(config)?), 465),
            MailTls::Starttls => (Tls::Required(parameters(config)?), 587),
            MailTls::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(port))
            .timeout(Some(WITHIN))
            .tls(tls);
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        Ok(Self { from, way: Way::Smtp(Box::new(builder.build())) })
    }

    /// Whom mails are from.
    pub const fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands a mail in.
    ///
    /// # Errors
    /// When it was not taken; it may be tried again.
    pub async fn send(&self, mail: Message) -> Result<(), MailError> {
        match &self.way {
            Way::Smtp(smtp) => match smtp.send(mail).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(MailError::Refused("for good")),
                Err(error) if error.is_transient() => Err(MailError::Refused("for now")),
                Err(error) if error.is_tls() => Err(MailError::Refused("TLS failed")),
                Err(_) => Err(MailError::Refused("no connection")),
            },
            Way::Folder(folder) => {
                let error = |error| MailError::Folder(folder.clone(), error);
                tokio::fs::create_dir_all(folder).await.map_err(error)?;
                let mut number = 1;
                // the first name that is free: mails are read in the order they were sent
                loop {
                    let file = folder.join(format!("{number:04}.eml"));
                    let mut options = tokio::fs::OpenOptions::new();
                    match options.write(true).create_new(true).mode(0o600).open(&file).await {
                        Ok(mut file) => {
                            use tokio::io::AsyncWriteExt;
                            file.write_all(&mail.formatted()).await.map_err(error)?;
                            return file.flush().await.map_err(error);
                        }
                        Err(taken) if taken.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                        Err(failed) => return Err(error(failed)),
                    }
                }
            }
        }
    }
}

fn parameters(config: &Mail) -> Result<TlsParameters, MailError> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.authority {
        let pem = std::fs::read(file).map_err(|_| MailError::Setting("mail.authority: no such file"))?;
        let authority =
            Certificate::from_pem(&pem).map_err(|_| MailError::Setting("mail.authority: not PEM"))?;
        parameters = parameters.add_root_certificate(authority);
    }
    parameters.build_rustls().map_err(MailError::Tls)
}
