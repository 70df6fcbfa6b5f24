//! The server as its clients meet it: a real one listens on a port of its own, each test has a fresh installation
//! and a clock that stands still, and the client is somebody else's.
//!
//! Every answer is held against the OpenAPI document: a status that an operation does not document fails the test.

mod administration;
mod alarms;
mod alone;
mod answering;
mod at_door;
mod called;
mod canary;
mod card_readings;
mod cards;
mod claim;
mod command_line;
mod desk_phone;
mod door_station;
mod doorbells;
mod faults;
mod guests;
mod heard;
mod home;
mod hostile;
mod importing;
mod integrations;
mod invitation;
mod lists;
mod matrix;
mod misuse;
mod moving;
mod opening;
mod organising;
mod own_codes;
mod pages;
mod pairing;
mod phone;
mod phone_proof;
mod phone_trunks;
mod phones;
mod pictures;
mod privacy;
mod records;
mod restart;
mod ringing;
mod rules;
mod session;
mod signing_out;
mod simulated;
mod station_relay;
mod support;
#[path = "../../src/testing.rs"]
mod testing;
mod told;
mod webhooks;
#[path = "../../../media/tests/support/mod.rs"]
#[expect(dead_code, reason = "the browser's stand-in of the crate `media` can more than is asked of it here")]
mod webrtc;
mod who;
mod world;
