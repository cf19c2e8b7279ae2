//! Refusals, each with its status and its stable code.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_wire::v1::ApiError;

use crate::{
    admin::AdminError,
    domain::{login::LoginError, registration::RegistrationError, scope::Scope, verification::VerifyError},
    store::StoreError,
};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path takes other methods.
    #[error("this path takes another method")]
    MethodNotAllowed,
    /// The body is not what the path takes.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// The body is in no form that the path takes.
    #[error("the body must be {0}")]
    MediaType(&'static str),
    /// The body is larger than any that is right.
    #[error("the body is larger than 16 KiB")]
    TooLarge,
    /// No key, or one that opens nothing.
    #[error("an API key is needed")]
    Unauthorised,
    /// No session, or one that is over.
    #[error("there is no session: sign in")]
    NoSession,
    /// The body took too long to arrive.
    #[error("the body took too long to arrive")]
    TooSlow,
    /// The database is away or overloaded.
    #[error("try again")]
    Unavailable,
    /// A field has a value that it does not take.
    #[error("{name} is {expected}")]
    Field {
        /// Its name.
        name: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// The key may not do this.
    #[error("the key lacks the scope {0}")]
    Scope(Scope),
    /// Something after the question mark is wrong.
    #[error("the query has a value that is not one")]
    Query {
        /// The name before the value, where it is known.
        field: Option<String>,
    },
    /// The path or the query has what no name and no value has, and some programs end a text at.
    #[error("the {0} has a control character (%00 to %1F, %7F, or beyond ASCII): leave it out")]
    Control(&'static str),
    /// A key would revoke itself, and nobody would be left to ask.
    #[error("a key does not revoke itself: make another, and revoke this one with that")]
    OwnKey,
    /// A change was refused.
    #[error("{message}")]
    Change {
        /// The status.
        status: StatusCode,
        /// The stable code.
        code: &'static str,
        /// Which field was wrong.
        field: Option<String>,
        /// What happened.
        message: String,
    },
    /// A step of a registration or a sign-in was refused.
    #[error("{message}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The stable code.
        code: &'static str,
        /// What happened.
        message: String,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// A fault of this server's; the log says more.
    #[error("a fault of the server")]
    Internal,
}

impl Problem {
    /// A field with a NUL character, which no text of PostgreSQL holds, and at which some programs end one.
    pub(crate) fn nul(field: Option<String>) -> Self {
        let name = field.as_deref().unwrap_or("a field");
        let message = format!("{name} has a NUL character: leave it out");
        Self::Change { status: StatusCode::BAD_REQUEST, code: "field_invalid", field, message }
    }

    /// A value after the question mark that is not one.
    pub(crate) fn query(field: &str) -> Self {
        Self::Query { field: Some(field.to_owned()) }
    }

    fn parts(&self) -> (StatusCode, &'static str, Option<u64>) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", None),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", None),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "body_invalid", None),
            Self::MediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", None),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", None),
            Self::Unauthorised => (StatusCode::UNAUTHORIZED, "unauthorized", None),
            Self::NoSession => (StatusCode::UNAUTHORIZED, "session_ended", None),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request_timeout", None),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(2)),
            Self::Field { .. } => (StatusCode::BAD_REQUEST, "field_invalid", None),
            Self::Scope(_) => (StatusCode::FORBIDDEN, "scope_missing", None),
            Self::Query { .. } => (StatusCode::BAD_REQUEST, "query_invalid", None),
            Self::Control("path") => (StatusCode::BAD_REQUEST, "path_invalid", None),
            Self::Control(_) => (StatusCode::BAD_REQUEST, "query_invalid", None),
            Self::OwnKey => (StatusCode::CONFLICT, "own_key", None),
            Self::Change { status, code, .. } => (*status, code, None),
            Self::Refused { status, code, retry_after, .. } => (*status, code, *retry_after),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", None),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, retry_after) = self.parts();
        let field = match &self {
            Self::Field { name, .. } => Some((*name).to_owned()),
            Self::Change { field, .. } | Self::Query { field } => field.clone(),
            _ => None,
        };
        let body = ApiError { code: code.to_owned(), message: self.to_string(), field, retry_after };
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the database is away");
                Self::Unavailable
            }
            StoreError::KeyMissing(_) => {
                tracing::error!(%error, "nothing is written");
                Self::Unavailable
            }
            error => {
                tracing::error!(%error, "the database failed");
                Self::Internal
            }
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let status = match &error {
            AdminError::Store(StoreError::Missing(_)) => StatusCode::NOT_FOUND,
            AdminError::Store(StoreError::Exists | StoreError::InUse)
            | AdminError::HasToken(_)
            | AdminError::NoAddress => StatusCode::CONFLICT,
            AdminError::Store(StoreError::Administrator) | AdminError::ScopeBeyond | AdminError::LeadsSecrets(_) => {
                StatusCode::FORBIDDEN
            }
            AdminError::Hash(_) => return Self::Unavailable,
            AdminError::Store(StoreError::Contradiction { .. }) => StatusCode::BAD_REQUEST,
            AdminError::Store(_) => {
                let AdminError::Store(error) = error else { return Self::Internal };
                return error.into();
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::Change { status, code: error.code(), field: error.field().map(str::to_owned), message: error.to_string() }
    }
}

impl From<RegistrationError> for Problem {
    fn from(error: RegistrationError) -> Self {
        let (status, code, retry_after) = match &error {
            RegistrationError::Credentials => (StatusCode::FORBIDDEN, "credentials_wrong", None),
            RegistrationError::TooSoon { retry_after } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_messages", Some(*retry_after))
            }
            RegistrationError::Signature => (StatusCode::FORBIDDEN, "signature_wrong", None),
            RegistrationError::Sms => (StatusCode::FORBIDDEN, "sms_wrong", None),
            RegistrationError::Code => (StatusCode::FORBIDDEN, "code_wrong", None),
            RegistrationError::Ended => (StatusCode::GONE, "registration_ended", None),
            RegistrationError::BoundElsewhere => (StatusCode::CONFLICT, "token_bound_elsewhere", None),
            RegistrationError::Link => (StatusCode::GONE, "link_ended", None),
            RegistrationError::NoPhone => (StatusCode::FORBIDDEN, "phone_missing", None),
            RegistrationError::Store(_) => {
                let RegistrationError::Store(error) = error else { return Self::Internal };
                return error.into();
            }
        };
        Self::Refused { status, code, message: error.to_string(), retry_after }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let (status, code) = match error {
            LoginError::Credentials => (StatusCode::FORBIDDEN, "credentials_wrong"),
            LoginError::Code => (StatusCode::FORBIDDEN, "code_wrong"),
            LoginError::Signature => (StatusCode::FORBIDDEN, "signature_wrong"),
            LoginError::BoundElsewhere => (StatusCode::CONFLICT, "token_bound_elsewhere"),
            LoginError::Store(error) => return error.into(),
        };
        Self::Refused { status, code, message: error.to_string(), retry_after: None }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Busy => Self::Unavailable,
            VerifyError::Store(error) => error.into(),
        }
    }
}
