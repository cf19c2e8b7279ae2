//! The types that travel between Countersign's server and those who talk to it, by version of the protocol.
//!
//! # What stays
//!
//! Within a version: no field is removed, renamed, or given another meaning or type; a new field of a request is
//! optional; new fields of a reply, new codes and new values of open enumerations may appear at any time, so that
//! readers ignore fields that they do not know and treat an unknown code by its status. Anything else is a new
//! version, under another path, beside the old one.
//!
//! Secrets never have a type of their own here that prints them: what is secret travels sealed.

pub mod v1;
