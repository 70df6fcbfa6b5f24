//! Where the server listens for controllers.

use rustls_pki_types::ServerName;
use std::str::FromStr;

/// `host:port`; the host is what the server's certificate has to be for. IPv6 addresses stand in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Why a text is not a server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `:port`, or not a port.
    #[error("a port is missing, as in door.example.org:8444")]
    Port,
    /// Neither a DNS name nor an IP address.
    #[error("the host is neither a name nor an IP address (an IPv6 address goes in brackets)")]
    Host,
}

impl ServerAddress {
    /// The name to check the server's certificate against.
    ///
    /// # Errors
    /// When the host is neither a DNS name nor an IP address.
    pub fn server_name(&self) -> Result<ServerName<'static>, AddressError> {
        ServerName::try_from(self.host.clone()).map_err(|_| AddressError::Host)
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::Port)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Port)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or(AddressError::Host)?,
            None if host.contains(':') => return Err(AddressError::Host),
            None => host,
        };
        let address = Self { host: host.to_owned(), port };
        address.server_name()?;
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_both_families_are_read() {
        let read = |text: &str| text.parse::<ServerAddress>().map(|address| (address.host, address.port));
        assert_eq!(read("door.example.org:8444"), Ok(("door.example.org".into(), 8444)));
        assert_eq!(read("127.0.0.1:1"), Ok(("127.0.0.1".into(), 1)));
        assert_eq!(read("[::1]:8444"), Ok(("::1".into(), 8444)));
        assert_eq!(read("door.example.org"), Err(AddressError::Port));
        assert_eq!(read("door.example.org:0"), Err(AddressError::Port));
        assert_eq!(read("::1:8444"), Err(AddressError::Host));
        assert_eq!(read("[::1:8444"), Err(AddressError::Host));
        assert_eq!(read(":8444"), Err(AddressError::Host));
        assert_eq!(read("a b:8444"), Err(AddressError::Host));
    }
}
