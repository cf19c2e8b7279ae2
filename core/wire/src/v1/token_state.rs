//! What became of a token that an app registered: `POST /api/v1/tokens/{token}/state`.

use serde::{Deserialize, Serialize};

/// The purpose in the signature. Its fields: server, token, time.
pub const TOKEN_STATE: &str = "token-state";
/// How far the time in the signature may be from the server's, in seconds.
pub const TIME_TOLERANCE: i64 = 300;

/// An app that asks for a token of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenStateRequest {
    /// The app's public key.
    pub public_key: String,
    /// The server's time as the app knows it, RFC 3339.
    pub time: String,
    /// Signature of the app's key, purpose [`TOKEN_STATE`].
    pub signature: String,
}

/// What the server knows of it. To a key that never had the token it is `gone`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenStateReply {
    /// `bound` (it works in this app), `moved` (another app has it), `gone` (it was taken back). An open enumeration.
    pub state: String,
    /// When it moved or was taken back, RFC 3339, as far as the server still knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}
