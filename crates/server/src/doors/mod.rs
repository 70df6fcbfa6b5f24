//! The server's side of door controllers: [`listen`] takes their connections, [`link`] speaks with one,
//! [`links`] knows who is connected and carries open commands, [`openings`] makes a repeated tap one opening, [`rights`]
//! makes what a controller decides by when it is alone.
//!
//! What a command may do is decided in `app::open_door`; what it does is decided at the controller.

pub mod link;
pub mod links;
pub mod listen;
mod news;
pub mod openings;
pub mod rights;
