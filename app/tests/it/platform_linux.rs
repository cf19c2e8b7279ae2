//! The services of a Linux desktop, against real services or played ones on a bus of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bus;
mod clock;
mod entries;
mod keyring;
mod presence;
mod process;
mod screen;
