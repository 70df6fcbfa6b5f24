//! The controller from outside: a real server's end of TLS, a real process, real files.

mod link;
mod pairing;
mod process;
mod server;
