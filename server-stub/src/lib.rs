//! The companion server: it keeps users' tokens, and says whether a code is right, once.
//!
//! From request to answer: `http` reads, `domain` decides, `store` keeps, and [`http::app`] puts them together so that
//! tests can mount it without a socket.

pub mod admin;
pub mod cli;
pub mod domain;
pub mod http;
pub mod metrics;
pub mod outbox;
pub mod password;
pub mod seal;
pub mod service;
pub mod store;
pub mod template;
