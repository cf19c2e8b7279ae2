//! What every refusal looks like.

use serde::{Deserialize, Serialize};

/// The body of every answer whose status is not 2xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// What happened, for programs: lower-case words and underscores. A code that is known keeps its meaning.
    pub code: String,
    /// What happened, in English, for logs. Not for people.
    pub message: String,
    /// Which field of the request was wrong.
    #[serde(default)]
    pub field: Option<String>,
    /// When another try may succeed, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
}
