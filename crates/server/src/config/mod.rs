//! The configuration: defaults, then a TOML file, then the environment (`KLINKE_HTTP__LISTEN=…` is
//! `http.listen`). A struct for each section, in the order of the file.
//!
//! Every key is documented where it is declared; the JSON schema (`config.schema.json`, checked in) and the hints
//! of `klinke check-config` are made from the same words. There is no key for a secret that has a default.

mod error;
pub mod hosts;
mod mail;
mod phones;
mod public_url;
mod stations;
mod webhooks;

pub use error::ConfigError;
pub use mail::{Mail, MailTls};
pub use phones::Phones;
pub use public_url::PublicUrl;
pub use stations::{Digests, Encryption, Stations};
pub use webhooks::Webhooks;

use crate::secrets::Secret;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Configuration of `klinke serve`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Klinke configuration")]
pub struct Config {
    /// Pages and API.
    pub http: Http,
    /// What is kept, and where.
    pub data: Data,
    /// Where door controllers dial in.
    pub controllers: Controllers,
    /// Picture and sound.
    pub media: Media,
    /// Time limits of calls.
    pub calls: Calls,
    /// How much one may ask of the API.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
    /// HTTPS with a certificate of your own. Leave it out behind a proxy, and with `--lan`.
    pub tls: Option<Tls>,
    /// Mail to residents. Left out, none is sent, and links are handed over by the administrator.
    pub mail: Option<Mail>,
    /// Other systems that administrators may have told of changes.
    pub webhooks: Webhooks,
    /// Ordinary phones. Without `listen` none is rung.
    pub phones: Phones,
    /// Devices that register over SIP. Without `listen` and `tls_listen` none does.
    pub stations: Stations,
}

/// Pages and API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port where the pages and the API are served.
    #[schemars(example = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// What people type to get here: scheme, host, and port when it is not the usual one. Must be https unless
    /// only this machine is served. Left out, it is the listen address.
    #[schemars(with = "Option<String>", example = "https://door.example.org")]
    pub public_url: Option<PublicUrl>,
    /// Whoever sends this as a bearer token may read /metrics from elsewhere; 32 characters or more. Left out, only this
    /// machine may.
    #[schemars(with = "Option<String>", length(min = 32), example = "the output of: openssl rand -hex 32")]
    pub metrics_token: Option<Secret>,
    /// Serve the local network over HTTPS with certificates of our own making: `klinke serve --lan`.
    #[serde(skip)]
    pub lan: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            metrics_token: None,
            lan: false,
        }
    }
}

/// What is kept, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Folder for keys, and for the database when it is SQLite. Made with access for its owner only.
    #[schemars(example = "/var/lib/klinke")]
    pub folder: PathBuf,
    /// PostgreSQL's address, when the database is not a SQLite file in `folder`.
    #[schemars(with = "Option<String>", example = "postgres://klinke@localhost/klinke")]
    pub database: Option<Secret>,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: PathBuf::from("var"), database: None }
    }
}

impl Data {
    /// The database's address.
    pub fn database_url(&self) -> Secret {
        self.database.clone().unwrap_or_else(|| {
            Secret::new(format!("sqlite://{}?mode=rwc", self.folder.join("klinke.db").display()))
        })
    }
}

/// Where door controllers dial in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Controllers {
    /// Address and port for the controllers' mutual TLS. Controllers must reach it directly, not through a proxy.
    #[schemars(example = "0.0.0.0:7443")]
    pub listen: SocketAddr,
}

impl Default for Controllers {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7443)) }
    }
}

/// Picture and sound.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Address and port for picture and sound, UDP and TCP alike.
    #[schemars(example = "0.0.0.0:7444")]
    pub listen: SocketAddr,
    /// Addresses at which panels and apps reach that port. Left out, the listen address, or all of this machine's when it
    /// listens on all.
    #[schemars(example = ["203.0.113.7"])]
    pub advertise: Vec<IpAddr>,
    /// Threads that carry calls, 1 to 64. Left out, one for each processor.
    #[schemars(range(min = 1, max = 64), example = 2)]
    pub shards: Option<u16>,
}

impl Default for Media {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7444)), advertise: Vec::new(), shards: None }
    }
}

/// Time limits of calls.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// How long a call rings, all together, in seconds: 10 to 300.
    #[schemars(range(min = 10, max = 300), example = 60)]
    pub ring_s: u16,
    /// How long visitor and resident may talk, in seconds: 10 to 600.
    #[schemars(range(min = 10, max = 600), example = 120)]
    pub talk_s: u16,
    /// How long each member of a sequential button is rung, in seconds: 5 to 60.
    #[schemars(range(min = 5, max = 60), example = 20)]
    pub step_s: u16,
}

impl Default for Calls {
    fn default() -> Self {
        Self { ring_s: 60, talk_s: 120, step_s: 20 }
    }
}

impl Calls {
    /// As the call machine takes them.
    pub fn limits(&self) -> klinke_calls::plan::Limits {
        let seconds = |s: u16| std::time::Duration::from_secs(s.into());
        klinke_calls::plan::Limits {
            ring: seconds(self.ring_s),
            talk: seconds(self.talk_s),
            step: seconds(self.step_s),
            ..klinke_calls::plan::Limits::default()
        }
    }
}

/// How much a person, a token, or an address where nobody is signed in may ask of the API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a second in the long run, 0 to 1000; 0 sets no limit.
    #[schemars(range(min = 0, max = 1000), example = 50)]
    pub per_second: u16,
    /// Requests at once before that counts, 1 to 10000.
    #[schemars(range(min = 1, max = 10000), example = 200)]
    pub burst: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 50, burst: 200 }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `pretty` for people, `json` for machines.
    #[schemars(example = &"json")]
    pub format: LogFormat,
    /// Least important level that is logged, or a filter for each part of the program.
    #[schemars(example = "info,klinke_server=debug")]
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Pretty, filter: "info".to_owned() }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// HTTPS with a certificate of your own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those that lead to its authority, PEM.
    #[schemars(example = "/etc/klinke/fullchain.pem")]
    pub certificate: PathBuf,
    /// Its private key, PEM.
    #[schemars(example = "/etc/klinke/privkey.pem")]
    pub key: PathBuf,
}

impl Config {
    /// Defaults, then the file, then the environment. Without a named file it is `klinke.toml` of the working
    /// folder, when there is one.
    ///
    /// # Errors
    /// When a named file is missing, or a value is not one that Klinke can use; says in which file or variable,
    /// which key, and what to write.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let in_this_folder = Path::new("klinke.toml");
        let file = match file {
            Some(named) if !named.is_file() => return Err(ConfigError::missing_file(named)),
            None => in_this_folder.is_file().then_some(in_this_folder),
            named => named,
        };
        let mut layers = Figment::new();
        if let Some(file) = file {
            layers = layers.merge(Toml::file_exact(file));
        }
        Self::from_layers(&layers.merge(Env::prefixed("KLINKE_").split("__")))
    }

    fn from_layers(layers: &Figment) -> Result<Self, ConfigError> {
        let config: Self = layers.extract().map_err(|error| ConfigError::from_figment(&error))?;
        config.check().map_err(|(key, wrong)| ConfigError::new(layers, key, wrong))?;
        Ok(config)
    }

    /// What the types can not say: the key that is wrong, and why.
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let ranges = [
            ("calls.ring_s", self.calls.ring_s, 10..=300),
            ("calls.talk_s", self.calls.talk_s, 10..=600),
            ("calls.step_s", self.calls.step_s, 5..=60),
            ("media.shards", self.media.shards.unwrap_or(1), 1..=64),
            ("limits.per_second", self.limits.per_second, 0..=1_000),
            ("limits.burst", self.limits.burst, 1..=10_000),
        ];
        if let Some((key, ..)) = ranges.into_iter().find(|(_, value, range)| !range.contains(value)) {
            return Err((key, "is out of range"));
        }
        if self.http.metrics_token.as_ref().is_some_and(|token| token.reveal().len() < 32) {
            return Err(("http.metrics_token", "can be guessed: it is shorter than 32 characters"));
        }
        if let Some(mail) = &self.mail {
            mail.check()?;
        }
        self.webhooks.check()?;
        self.phones.check()?;
        self.stations.check()?;
        if tracing_subscriber::EnvFilter::try_new(&self.log.filter).is_err() {
            return Err(("log.filter", "is not a filter"));
        }
        match &self.http.public_url {
            Some(url) if !url.is_https() && !url.is_loopback() => Err((
                "http.public_url",
                "is plain http, which is for this machine only: passwords could be read on the way",
            )),
            Some(url) if !url.is_https() && self.tls.is_some() => {
                Err(("http.public_url", "is plain http, but [tls] serves https"))
            }
            None if self.tls.is_some() => {
                Err(("http.public_url", "is missing; with [tls] it must name the host of the certificate"))
            }
            None if !self.http.listen.ip().is_loopback() => {
                Err(("http.public_url", "is missing, and http.listen is not this machine only"))
            }
            _ => Ok(()),
        }
    }

    /// The JSON schema, as it is checked in.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str) -> Result<Config, String> {
        Config::from_layers(&Figment::new().merge(Toml::string(toml))).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_a_whole_configuration() {
        let config = load("").unwrap();
        assert!(config.http.listen.ip().is_loopback());
        assert_eq!(config.data.database_url().reveal(), "sqlite://var/klinke.db?mode=rwc");
    }

    #[test]
    fn errors_name_the_key_and_what_to_write() {
        for (toml, key, hint) in [
            ("[http]\nlisten = \"here\"", "http.listen", "listen = \"127.0.0.1:8080\""),
            ("[http]\nport = 1", "http.port", "listen"),
            ("[calls]\nring_s = 5", "calls.ring_s", "ring_s = 60"),
            ("[calls]\nring_s = -1", "calls.ring_s", "ring_s = 60"),
            ("[limits]\nburst = 0", "limits.burst", "burst = 200"),
            ("[log]\nformat = \"xml\"", "log.format", "format = \"json\""),
            ("[log]\nfilter = \"a=b=c\"", "log.filter", "filter = "),
            ("[tls]\nkey = \"k\"", "tls.certificate", "certificate = \"/etc/klinke/fullchain.pem\""),
            ("[http]\nmetrics_token = \"short\"", "http.metrics_token", "openssl"),
            ("[http]\npublic_url = \"http://door.example\"", "http.public_url", "https://door.example.org"),
            (
                "[http]\npublic_url = \"https://door.example/path\"",
                "http.public_url",
                "https://door.example.org",
            ),
            ("[http]\nlisten = \"0.0.0.0:80\"", "http.public_url", "https://door.example.org"),
            ("[webhooks]\nhosts = [\"https://hooks.example.org\"]", "webhooks.hosts", "hosts = ["),
            ("[webhooks]\nhosts = [\"*\"]", "webhooks.hosts", "hosts = ["),
            ("[webhooks]\nallow_private = [\"10.0.0.0\"]", "webhooks.allow_private", "allow_private = ["),
            ("[phones]\nlisten = \"0.0.0.0\"", "phones.announce", "announce = \"203.0.113.7\""),
            ("[stations]\nlisten = \"0.0.0.0:5060\"", "stations.announce", "announce = \"192.0.2.7\""),
            ("[stations]\nlast_port = 7900", "stations.last_port", "last_port = 8299"),
            ("[stations]\nfirst_port = 80", "stations.first_port", "first_port = 7900"),
            (
                "[stations]\ntls_listen = \"127.0.0.1:5061\"",
                "stations.certificate",
                "certificate = \"/etc/klinke/fullchain.pem\"",
            ),
            ("[phones]\nlast_port = 7500", "phones.last_port", "last_port = 7899"),
            ("[phones]\nfirst_port = 80", "phones.first_port", "first_port = 7500"),
            ("[phones]\ntrunk_hosts = [\"sip:sip.example.net\"]", "phones.trunk_hosts", "trunk_hosts = ["),
            ("[media]\nshards = 65", "media.shards", "shards = 2"),
        ] {
            let error = load(toml).unwrap_err();
            assert!(error.contains(key) && error.contains(hint), "{toml}: {error}");
        }
    }

    #[test]
    fn no_error_repeats_a_secret() {
        let error = load("[http]\nmetrics_token = \"hush\"").unwrap_err();
        assert!(!error.contains("hush"), "{error}");
        let config = load("[data]\ndatabase = \"postgres://klinke:hush@db/klinke\"").unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn the_checked_in_schema_is_fresh() {
        let checked_in = include_str!("../../config.schema.json");
        assert!(
            checked_in == Config::schema(),
            "run: klinke check-config --schema > crates/server/config.schema.json"
        );
    }
}
