//! Tokens move: in from another app's file, out into one, and from one Countersign to another.

pub mod export;
pub mod import;
pub mod kept;
pub mod transfer;
