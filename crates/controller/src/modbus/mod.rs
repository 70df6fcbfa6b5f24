//! Modbus, as little of it as doors need: coils are read and written, discrete inputs are read.
//!
//! [`frame`] is pure: requests to bytes and bytes to replies, over TCP and over RS-485 ("RTU"), after the Modbus
//! Application Protocol V1.1b3, the Messaging Implementation Guide V1.0b and Modbus over Serial Line V1.02.
//! [`bus`] is the line: one request at a time, shared by whoever sits on it.

pub mod bus;
pub mod frame;
