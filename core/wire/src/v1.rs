//! Version 1: everything under `/api/v1`.

mod error;
pub mod login;
pub mod registration;
mod verify;

pub use error::ApiError;
pub use verify::{VerifyReply, VerifyRequest};
