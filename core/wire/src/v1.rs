//! Version 1: everything under `/api/v1`.

mod error;
pub mod login;
pub mod registration;
pub mod token_state;
mod verify;

pub use error::ApiError;
pub use verify::{VerifyReply, VerifyRequest};
