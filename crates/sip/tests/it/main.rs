//! Calls to and from programs that others wrote: SIPp as a trunk and as a door station, baresip as a phone, as a station and
//! as a door station with a camera, Kamailio as a trunk that checks digests, SIPVicious as somebody who looks for a way in.

mod baresip;
mod calls;
mod encrypted;
mod flat;
mod kamailio;
mod loops;
mod peer;
mod phone;
mod proxy;
mod scanner;
mod station;
mod stations;
