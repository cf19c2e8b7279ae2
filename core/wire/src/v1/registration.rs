//! Registering a token from the app: `GET /api/v1/server`, `POST /api/v1/registrations` and what follows.
//!
//! Keys, nonces and signatures are Base64url without padding; keys are P-256 points in SEC 1's uncompressed form (65
//! bytes), signatures ECDSA with SHA-256 in DER, over the text that [`transcript`] makes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The purpose in a confirmation's signature. The fields after server, registration and nonce: SMS code, sealing key.
pub const CONFIRM: &str = "registration-confirm";
/// The purpose in an activation's signature. The fields after server, registration and nonce: token, code.
pub const ACTIVATE: &str = "registration-activate";
/// HPKE's `info` for a delivered secret; its associated data is the registration's id.
pub const SECRET_INFO: &str = "countersign/v1/token-secret";

/// What is signed: a line that names protocol, version and purpose, then a line for each field. No field has a line end,
/// so that no two lists of fields are one text.
pub fn transcript(purpose: &str, fields: &[&str]) -> String {
    let mut text = format!("countersign/v1/{purpose}\n");
    for field in fields {
        text.push_str(field);
        text.push('\n');
    }
    text
}

/// Who the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerReply {
    /// The address that apps know it by, as it stands in every signature. An app that reached it elsewhere stops.
    pub url: String,
    /// The issuer of its tokens.
    pub issuer: String,
    /// The server's time, RFC 3339: an app whose clock is off says so.
    pub time: String,
}

/// Username and password, or the secret of an enrollment link in their place; and the app that is to have the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterRequest {
    /// The user's name, in any spelling.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The password.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// The secret of an enrollment link: `code` of `countersign://enroll?server=..&code=..`, the last part of
    /// `https://SERVER/enroll/..`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The app.
    pub app: AppInfo,
}

/// A password must not end in a log.
impl fmt::Debug for RegisterRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterRequest").field("app", &self.app).finish_non_exhaustive()
    }
}

/// One installation of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppInfo {
    /// What its user knows it by: `Ada's phone`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"))]
    pub name: String,
    /// `android`, `ios`, `linux`, ..
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"))]
    pub platform: String,
    /// Its public key. The app's id is the SHA-256 of it.
    #[cfg_attr(feature = "openapi", schema(min_length = 87, max_length = 87, pattern = "^B[A-Za-z0-9_-]{86}$"))]
    pub public_key: String,
}

/// An SMS code is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterReply {
    /// The registration.
    pub registration: String,
    /// For the signatures to come.
    pub nonce: String,
    /// The last two digits of the number.
    pub phone_hint: String,
    /// Digits of the SMS code.
    pub digits: u8,
    /// Seconds for which the SMS code is good.
    pub expires_in: u64,
    /// Seconds after which another registration may ask for another code.
    pub resend_in: u64,
}

/// The SMS code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmRequest {
    /// The code as it was sent, spaces aside.
    pub code: String,
    /// A key made for this delivery alone; the secret is sealed to it.
    #[cfg_attr(feature = "openapi", schema(min_length = 87, max_length = 87, pattern = "^B[A-Za-z0-9_-]{86}$"))]
    pub seal_key: String,
    /// Signature of the app's key, purpose [`CONFIRM`].
    pub signature: String,
}

/// A code must not end in a log.
impl fmt::Debug for ConfirmRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmRequest").field("seal_key", &self.seal_key).finish_non_exhaustive()
    }
}

/// The token, which works once it was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmReply {
    /// The token's id.
    pub token: String,
    /// Who issues it.
    pub issuer: String,
    /// Whose it is.
    pub account: String,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub algorithm: String,
    /// Digits of a code.
    pub digits: u8,
    /// Seconds of a step.
    pub period: u64,
    /// The secret, sealed with HPKE (RFC 9180): base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
    pub sealed_secret: SealedSecret,
    /// The app that the user's token will be taken from.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Whether the app may give the secret away: show it as a QR code, export it. Backups aside.
    #[serde(default)]
    pub exportable: bool,
    /// Seconds within which it must be activated.
    pub expires_in: u64,
}

/// HPKE's two parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedSecret {
    /// The encapsulated key, 65 bytes.
    pub enc: String,
    /// The ciphertext with its tag.
    pub ciphertext: String,
}

/// A first code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivateRequest {
    /// The code.
    pub code: String,
    /// Signature of the app's key, purpose [`ACTIVATE`].
    pub signature: String,
}

/// A code must not end in a log.
impl fmt::Debug for ActivateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivateRequest").finish_non_exhaustive()
    }
}

/// The token works, in this app only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivateReply {
    /// The token's id.
    pub token: String,
    /// The app's id.
    pub app: String,
}
