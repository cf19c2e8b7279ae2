//! Countersign: the window and the command line over one core.

pub mod cli;
