//! `POST /api/v1/verify`: is this code right, and was it not used?

use std::fmt;

use serde::{Deserialize, Serialize};

/// A user and a code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyRequest {
    /// The user's name, in any spelling.
    pub user: String,
    /// The code as it was typed; spaces are ignored.
    pub code: String,
    /// The token that the code must be of, by its id. Without it any of the user's tokens will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The network address of the person who typed it, so that one address cannot try many users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// A code must not end in a log.
impl fmt::Debug for VerifyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyRequest").field("user", &self.user).field("token", &self.token).finish_non_exhaustive()
    }
}

/// Yes or no. A user who does not exist, a wrong code, a code that was used and a user who is locked are all `false`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyReply {
    /// Whether the code was right. It is used up then.
    pub accepted: bool,
    /// The token that it was of, where it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
