//! The store on both databases. Every test gets a database of its own; see [`database`].

mod access;
mod audit;
mod concurrency;
mod database;
mod doors;
mod durability;
mod gate;
mod intercom;
mod moves;
mod people;
mod people_page;
mod postgres;
mod schema;
mod sites;
mod town;
mod twins;
