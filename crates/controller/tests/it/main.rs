//! The controller from outside: a real server's end of TLS, a real process, real files.

mod at_door;
mod commissioning;
mod desk_reader;
mod handed_on;
mod hardware_run;
mod key_reader;
mod link;
mod modbus;
mod mqtt;
mod osdp_attacks;
mod osdp_bus;
mod osdp_desk;
mod osdp_panel;
mod osdp_reader;
mod osdp_wire;
mod pairing;
mod peer;
mod process;
mod rights;
mod server;
mod shelly;
mod wired;
