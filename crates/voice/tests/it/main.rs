//! The sounds as they are shipped, and the program that others wrote: espeak-ng speaks.

mod recordings;
mod sounds;
mod speech;
