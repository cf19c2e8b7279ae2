//! Signing in from the app: `POST /api/v1/login`, `POST /api/v1/login/{challenge}/totp`, `GET` and `DELETE /api/v1/session`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The purpose in a sign-in's signature. Its fields: server, challenge, nonce, token, code.
pub const LOGIN: &str = "login-totp";

/// Username and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// The user's name, in any spelling.
    pub username: String,
    /// The password.
    pub password: String,
}

/// A password must not end in a log.
impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest").finish_non_exhaustive()
    }
}

/// Username and password are right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum LoginReply {
    /// The second factor is asked for.
    Challenge(ChallengeReply),
    /// Nothing more is asked: the policy asks none of this user.
    Session(SessionReply),
}

/// The second factor is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChallengeReply {
    /// The challenge.
    pub challenge: String,
    /// What the signature is over.
    pub nonce: String,
    /// Whose token it must be: the app takes the one that is registered at this server under this issuer.
    pub issuer: String,
    /// What will do: `totp`.
    pub methods: Vec<String>,
    /// Seconds.
    pub expires_in: u64,
}

/// A code of the registered token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotpRequest {
    /// The token's id.
    pub token: String,
    /// The code.
    pub code: String,
    /// The app's public key.
    #[cfg_attr(feature = "openapi", schema(min_length = 87, max_length = 87, pattern = "^B[A-Za-z0-9_-]{86}$"))]
    pub public_key: String,
    /// Signature of the app's key, purpose [`LOGIN`].
    pub signature: String,
}

/// A code must not end in a log.
impl fmt::Debug for TotpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TotpRequest").field("token", &self.token).finish_non_exhaustive()
    }
}

/// A session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionReply {
    /// What opens it, as `Authorization: Bearer`. It is shown this once.
    pub session: String,
    /// Seconds within which it must be used for the first time.
    pub expires_in: u64,
    /// Seconds for which it is open from then on.
    #[serde(default)]
    pub lasts: u64,
}

/// What opens a session must not end in a log.
impl fmt::Debug for SessionReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionReply").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// A code that confirms a token: `POST /api/v1/confirmations`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmTokenRequest {
    /// The user's name, in any spelling.
    pub username: String,
    /// The password.
    pub password: String,
    /// A code of the token.
    pub code: String,
}

/// A password must not end in a log.
impl fmt::Debug for ConfirmTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmTokenRequest").finish_non_exhaustive()
    }
}

/// The token counts again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmTokenReply {
    /// Its id.
    pub token: String,
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhoReply {
    /// The user's name.
    pub user: String,
    /// When the session ends, RFC 3339.
    pub expires_at: String,
}
