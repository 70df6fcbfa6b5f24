//! Live calls: [`exchange`] knows who is connected and which calls go on, [`driver`] runs one call, [`join`]
//! hands out the single-use tokens for its media, [`media_news`] brings what the media room notices, [`phone`] is an ordinary
//! phone that is rung, [`station`] a device that registers, [`held`] either of them once it was picked up, [`display`] the picture on
//! it, [`door_station`] a panel of another maker, [`visit`] somebody who stands there.
//!
//! The rules of a call are in the crate `klinke-calls`; here its outputs become messages, media and openings.

mod display;
pub mod door_station;
pub mod driver;
pub mod exchange;
mod held;
pub mod join;
pub mod media_news;
mod phone;
mod phone_sound;
mod station;
mod visit;
