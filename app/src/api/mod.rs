//! A companion server as the app sees it: what is asked, what is answered, and what can go wrong on the way.
//!
//! Everything here waits for the network, so it runs off the window's thread.

pub mod address;
mod http;
pub mod key;
mod trust;

use countersign_core::secret::{Password, SecretText};
use countersign_wire::v1::{
    ApiError,
    login::{LOGIN, LoginReply, LoginRequest, SessionReply, TotpRequest, WhoReply},
    registration::{
        ACTIVATE, ActivateReply, ActivateRequest, AppInfo, CONFIRM, ConfirmReply, ConfirmRequest, RegisterReply,
        RegisterRequest, ServerReply,
    },
    token_state::{TOKEN_STATE, TokenStateReply, TokenStateRequest},
};
use serde::{Serialize, de::DeserializeOwned};

pub use http::Https;
use key::Signer;

/// SHA-256 of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// Which server, and which certificate it must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its address, as [`address::ServerAddress`] writes it.
    pub address: String,
    /// The one certificate that is trusted; without it, those that the system trusts.
    pub pin: Option<Fingerprint>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does.
    Post,
    /// Ends.
    Delete,
}

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// How.
    pub method: Method,
    /// Where, from the server's address on: `/api/v1/..`.
    pub path: String,
    /// What opens the session that it is made in.
    pub bearer: Option<&'a SecretText>,
    /// The body, JSON.
    pub body: Option<SecretText>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The certificate that the server showed.
    pub fingerprint: Option<Fingerprint>,
}

/// Sends requests. The twin for tests answers from a script.
pub trait Transport: Send + Sync {
    /// Sends one and waits for the answer.
    ///
    /// # Errors
    ///
    /// Every [`Failure`] but [`Failure::Refused`], [`Failure::Strange`] and [`Failure::OtherAddress`].
    fn send(&self, contact: &Contact, request: &Request<'_>) -> Result<Answer, Failure>;
}

/// Why a server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody answers at that address. Nothing is known of what the server did with the request.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// Too late, or never.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Nobody whom the system trusts vouches for the server's certificate.
    #[error("the system does not trust the server's certificate")]
    Untrusted(Fingerprint),
    /// The server shows another certificate than the one that was pinned.
    #[error("the server shows another certificate than the one that was accepted")]
    CertificateChanged(Fingerprint),
    /// What answers there is no Countersign server.
    #[error("what answers at that address is no Countersign server")]
    Strange,
    /// The server knows itself by another address, as it would if somebody stood in between.
    #[error("the server calls itself {0}")]
    OtherAddress(String),
    /// It said no.
    #[error("the server said no: {}", .0.code)]
    Refused(ApiError),
    /// It is overloaded, or its database is away.
    #[error("the server cannot answer now")]
    Busy {
        /// Seconds after which another try may succeed.
        retry_after: Option<u64>,
    },
    /// The app's key at this server is gone from the system's keyring, or the keyring is locked.
    #[error("the app's key cannot be had from the keyring: {0}")]
    Keyring(String),
}

impl Failure {
    /// The stable code that the server refused with.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether a registration that is open cannot go on: its end is told, another app has the token, or the server
    /// does not take this app's key for it.
    pub fn ends_registration(&self) -> bool {
        matches!(self.code(), Some("registration_ended" | "token_bound_elsewhere" | "signature_wrong"))
    }

    /// Seconds after which another try may succeed, where the server said so.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused(error) => error.retry_after,
            Self::Busy { retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// Who wants to register: a person, or whoever holds an enrollment link.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Name and password.
    Password(String, Password),
    /// The secret of an enrollment link.
    Link(SecretText),
}

/// One server, over a transport.
#[derive(Clone, Copy)]
pub struct Api<'a> {
    /// Sends.
    pub transport: &'a dyn Transport,
    /// Whom.
    pub contact: &'a Contact,
}

impl Api<'_> {
    /// Who the server is, and the certificate that it showed. One that calls itself by another address is refused:
    /// nothing that is signed for it would count elsewhere, and nothing that is signed elsewhere counts here.
    pub fn server(self) -> Result<(ServerReply, Option<Fingerprint>), Failure> {
        let request = Request { method: Method::Get, path: "/api/v1/server".into(), bearer: None, body: None };
        let answer = self.transport.send(self.contact, &request)?;
        let fingerprint = answer.fingerprint;
        let reply: ServerReply = read(&answer)?;
        if countersign_core::matching::address(&reply.url) != countersign_core::matching::address(&self.contact.address)
        {
            return Err(Failure::OtherAddress(reply.url));
        }
        Ok((reply, fingerprint))
    }

    /// Asks for an SMS code.
    pub fn register(self, credentials: &Credentials, app: AppInfo) -> Result<RegisterReply, Failure> {
        let request = match credentials {
            Credentials::Password(user, password) => {
                RegisterRequest { username: user.clone(), password: password.expose().to_owned(), link: None, app }
            }
            Credentials::Link(link) => RegisterRequest {
                username: String::new(),
                password: String::new(),
                link: Some(link.expose().to_owned()),
                app,
            },
        };
        self.post("/api/v1/registrations".into(), &request)
    }

    /// Hands over the SMS code; `seal` is the public key to which the secret will be sealed. The same request again
    /// is answered again.
    pub fn confirm(
        self,
        signer: &Signer,
        (registration, nonce): (&str, &str),
        code: &str,
        seal: &str,
    ) -> Result<ConfirmReply, Failure> {
        let signature = signer.sign(CONFIRM, &[&self.contact.address, registration, nonce, code, seal]);
        let request = ConfirmRequest { code: code.to_owned(), seal_key: seal.to_owned(), signature };
        self.post(format!("/api/v1/registrations/{registration}/confirm"), &request)
    }

    /// Hands over a first code: the token works. The same request again is answered again.
    pub fn activate(
        self,
        signer: &Signer,
        (registration, nonce): (&str, &str),
        token: &str,
        code: &str,
    ) -> Result<ActivateReply, Failure> {
        let signature = signer.sign(ACTIVATE, &[&self.contact.address, registration, nonce, token, code]);
        let request = ActivateRequest { code: code.to_owned(), signature };
        self.post(format!("/api/v1/registrations/{registration}/activate"), &request)
    }

    /// Name and password.
    pub fn login(self, user: &str, password: &Password) -> Result<LoginReply, Failure> {
        let request = LoginRequest { username: user.to_owned(), password: password.expose().to_owned() };
        self.post("/api/v1/login".into(), &request)
    }

    /// A code of the registered token.
    pub fn login_totp(
        self,
        signer: &Signer,
        (challenge, nonce): (&str, &str),
        token: &str,
        code: &str,
    ) -> Result<SessionReply, Failure> {
        let signature = signer.sign(LOGIN, &[&self.contact.address, challenge, nonce, token, code]);
        let request =
            TotpRequest { token: token.to_owned(), code: code.to_owned(), public_key: signer.public_text(), signature };
        self.post(format!("/api/v1/login/{challenge}/totp"), &request)
    }

    /// Whose session it is.
    pub fn who(self, session: &SecretText) -> Result<WhoReply, Failure> {
        self.call(&Request { method: Method::Get, path: "/api/v1/session".into(), bearer: Some(session), body: None })
    }

    /// Ends a session. One that is over already is as good.
    pub fn sign_out(self, session: &SecretText) -> Result<(), Failure> {
        let request =
            Request { method: Method::Delete, path: "/api/v1/session".into(), bearer: Some(session), body: None };
        let answer = self.transport.send(self.contact, &request)?;
        match answer.status {
            200..=299 | 401 => Ok(()),
            _ => Err(refusal(&answer)),
        }
    }

    /// What became of a token that this app registered. `time` is the server's, RFC 3339.
    pub fn token_state(self, signer: &Signer, token: &str, time: &str) -> Result<TokenStateReply, Failure> {
        let signature = signer.sign(TOKEN_STATE, &[&self.contact.address, token, time]);
        let request = TokenStateRequest { public_key: signer.public_text(), time: time.to_owned(), signature };
        self.post(format!("/api/v1/tokens/{token}/state"), &request)
    }

    fn post<T: DeserializeOwned>(self, path: String, body: &impl Serialize) -> Result<T, Failure> {
        // Texts and numbers: writing them cannot fail.
        let body = serde_json::to_string(body).map_err(|_| Failure::Strange)?;
        self.call(&Request { method: Method::Post, path, bearer: None, body: Some(SecretText::new(body)) })
    }

    fn call<T: DeserializeOwned>(self, request: &Request<'_>) -> Result<T, Failure> {
        read(&self.transport.send(self.contact, request)?)
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    match answer.status {
        200..=299 => serde_json::from_slice(&answer.body).map_err(|_| Failure::Strange),
        _ => Err(refusal(answer)),
    }
}

/// What an answer that is no yes means. A proxy's own error page is no answer of the server.
fn refusal(answer: &Answer) -> Failure {
    let error = serde_json::from_slice::<ApiError>(&answer.body).ok().filter(|error| !error.code.is_empty());
    match (answer.status, error) {
        (502..=504, error) => Failure::Busy { retry_after: error.and_then(|error| error.retry_after) },
        (_, Some(error)) => Failure::Refused(error),
        (_, None) => Failure::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), fingerprint: None }
    }

    struct Says(Answer);

    impl Transport for Says {
        fn send(&self, _: &Contact, _: &Request<'_>) -> Result<Answer, Failure> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_stranger() {
        let code = |status, body: &str| refusal(&answer(status, body));
        assert_eq!(code(403, r#"{"code":"sms_wrong","message":""}"#).code(), Some("sms_wrong"));
        assert_eq!(code(429, r#"{"code":"too_many_messages","message":"","retry_after":30}"#).retry_after(), Some(30));
        assert_eq!(code(404, "<html>nothing here"), Failure::Strange);
        assert_eq!(
            code(503, r#"{"code":"unavailable","message":"","retry_after":2}"#),
            Failure::Busy { retry_after: Some(2) }
        );
        assert_eq!(code(502, "<html>bad gateway"), Failure::Busy { retry_after: None });
    }

    #[test]
    fn a_server_that_knows_itself_by_another_address_is_not_the_one() {
        let contact = Contact { address: "https://pam.example.org".into(), pin: None };
        let says = |url: &str| {
            let body = format!(r#"{{"url":"{url}","issuer":"Corp","time":"2026-11-26T09:00:00Z"}}"#);
            let transport = Says(answer(200, &body));
            Api { transport: &transport, contact: &contact }.server()
        };
        assert!(says("https://PAM.example.org:443/").is_ok());
        assert_eq!(says("https://evil.example").unwrap_err(), Failure::OtherAddress("https://evil.example".into()));
    }

    #[test]
    fn a_session_that_is_over_is_signed_out() {
        let contact = Contact { address: "https://pam.example.org".into(), pin: None };
        for (status, ended) in [(204, true), (401, true), (500, false)] {
            let transport = Says(answer(status, r#"{"code":"x","message":""}"#));
            let session = SecretText::new("css_x".into());
            assert_eq!(Api { transport: &transport, contact: &contact }.sign_out(&session).is_ok(), ended, "{status}");
        }
    }
}
