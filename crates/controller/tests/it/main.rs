//! The controller from outside: a real server's end of TLS, a real process, real files.

mod link;
mod osdp_desk;
mod osdp_reader;
mod pairing;
mod peer;
mod process;
mod server;
