//! The sounds as they are shipped, and the programs that others wrote: espeak-ng speaks, multimon-ng listens for keys.

mod recordings;
mod sounds;
mod speech;
