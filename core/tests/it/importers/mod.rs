//! Files of other apps.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod foreign;
mod hostile;
mod independent;
mod kit;
mod ledger;
mod made;
mod round_trip;
