//! What waits for the network, one function a step. None of them touches the vault.

use countersign_core::{
    secret::{Password, SecretBytes, SecretText},
    token::{Digits, Kind, Period, TokenSecret, TokenSpec},
    uri,
    vault::content::servers::{AppKey, Delivered, Pending, Server},
};
use countersign_wire::v1::{
    login::{ChallengeReply, LoginReply, SessionReply, WhoReply},
    registration::{ActivateReply, AppInfo, ConfirmReply, RegisterReply, ServerReply},
    token_state::TokenStateReply,
};
use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;

use crate::{
    api::{Api, Contact, Credentials, Failure, Fingerprint, Transport, key::Signer},
    platform::keyring::{Keyring, KeyringEntry, Prompting},
};

/// What steps need of the world.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Sends requests.
    pub transport: &'a dyn Transport,
    /// Keeps the app's keys where the system has one.
    pub keyring: &'a dyn Keyring,
    /// The vault whose app this is.
    pub vault: &'a str,
}

/// Who answered, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Who the server says it is.
    pub server: ServerReply,
    /// The certificate that it showed; none without encryption.
    pub fingerprint: Option<Fingerprint>,
}

/// A registration that waits for its SMS code.
#[derive(Debug)]
pub struct Started {
    /// The app's key.
    pub app_key: AppKey,
    /// What the server said.
    pub reply: RegisterReply,
    /// The scalar of the key that the secret will be sealed to.
    pub seal_key: SecretBytes,
}

/// A token that was delivered.
#[derive(Debug)]
pub struct Arrived {
    /// What is kept of it until it works.
    pub delivered: Delivered,
    /// Seconds within which it must be activated.
    pub expires_in: u64,
}

/// What became of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id at the server.
    pub token: String,
    /// What the server says.
    pub state: TokenStateReply,
}

/// What a visit to a server brought.
#[derive(Debug)]
pub struct Visit {
    /// Who the server is.
    pub greeting: Greeting,
    /// The tokens that were asked for.
    pub tokens: Vec<Found>,
    /// Whose the session is; `None` without one, or where it is over.
    pub session: Option<WhoReply>,
}

/// What an app's key is found by in the keyring.
fn entry(vault: &str, address: &str) -> KeyringEntry {
    let attributes = [("application", "countersign"), ("app-key-of", vault), ("server", address)];
    KeyringEntry {
        label: "Countersign app key".into(),
        attributes: attributes.map(|(name, value)| (name.into(), value.into())).to_vec(),
    }
}

impl World<'_> {
    fn api<'b>(&'b self, contact: &'b Contact) -> Api<'b> {
        Api { transport: self.transport, contact }
    }

    /// Asks a server who it is.
    pub fn greet(self, contact: &Contact) -> Result<Greeting, Failure> {
        let (server, fingerprint) = self.api(contact).server()?;
        Ok(Greeting { server, fingerprint })
    }

    /// Asks for an SMS code. The app's key is made at the first time: in the keyring, or for the vault where there is
    /// none.
    pub fn start(
        self,
        server: &Server,
        credentials: &Credentials,
        name: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<Started, Failure> {
        let (signer, app_key) = match (self.signer(server), &server.app_key) {
            (Ok(Some(signer)), Some(key)) => (signer, key.clone()),
            // A key that is gone cannot sign for its token any more: a new one registers a new token.
            (Ok(_), _) => self.new_signer(&server.address, rng),
            (Err(failure), _) => return Err(failure),
        };
        let app = AppInfo {
            name: name.to_owned(),
            platform: std::env::consts::OS.to_owned(),
            public_key: signer.public_text(),
        };
        let reply = self.api(&contact(server)).register(credentials, app)?;
        Ok(Started { app_key, reply, seal_key: Signer::new(rng).secret() })
    }

    /// Hands over the SMS code: the token comes.
    pub fn confirm(self, server: &Server, pending: &Pending, code: &str) -> Result<Arrived, Failure> {
        let signer = self.own_signer(server)?;
        let seal = Signer::from_secret(&pending.seal_key).ok_or(Failure::Strange)?;
        let named = (pending.registration.as_str(), pending.nonce.as_str());
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        let reply = self.api(&contact(server)).confirm(&signer, named, &code, &seal.public_text())?;
        let secret = seal.open(&reply.sealed_secret, &pending.registration).map_err(|_| Failure::Strange)?;
        let spec = spec(&reply, &secret).ok_or(Failure::Strange)?;
        Ok(Arrived {
            expires_in: reply.expires_in,
            delivered: Delivered {
                token: reply.token,
                uri: uri::write(&spec),
                replaces: reply.replaces,
                exportable: reply.exportable,
            },
        })
    }

    /// Hands over a first code, made for that time in Unix seconds: the token works.
    pub fn activate(self, server: &Server, pending: &Pending, at: u64) -> Result<ActivateReply, Failure> {
        let signer = self.own_signer(server)?;
        let delivered = pending.delivered.as_ref().ok_or(Failure::Strange)?;
        let spec = delivered_spec(delivered).ok_or(Failure::Strange)?;
        let code = spec.code_at(at).map_err(|_| Failure::Strange)?;
        let named = (pending.registration.as_str(), pending.nonce.as_str());
        self.api(&contact(server)).activate(&signer, named, &delivered.token, code.text())
    }

    /// Name and password.
    pub fn login(self, server: &Server, user: &str, password: &Password) -> Result<LoginReply, Failure> {
        self.api(&contact(server)).login(user, password)
    }

    /// A code of a registered token, by its id at the server.
    pub fn answer(
        self,
        server: &Server,
        challenge: &ChallengeReply,
        token: &str,
        code: &str,
    ) -> Result<SessionReply, Failure> {
        let signer = self.own_signer(server)?;
        let named = (challenge.challenge.as_str(), challenge.nonce.as_str());
        self.api(&contact(server)).login_totp(&signer, named, token, code)
    }

    /// Ends the session.
    pub fn sign_out(self, server: &Server, session: &SecretText) -> Result<(), Failure> {
        self.api(&contact(server)).sign_out(session)
    }

    /// Looks what became of this app's tokens and session.
    pub fn visit(self, server: &Server, tokens: &[String]) -> Result<Visit, Failure> {
        let contact = contact(server);
        let greeting = self.greet(&contact)?;
        let mut found = Vec::new();
        if !tokens.is_empty()
            && let Some(signer) = self.signer(server)?
        {
            for token in tokens {
                let state = self.api(&contact).token_state(&signer, token, &greeting.server.time)?;
                found.push(Found { token: token.clone(), state });
            }
        }
        let session = match &server.session {
            None => None,
            Some(session) => match self.api(&contact).who(&session.text) {
                Ok(who) => Some(who),
                Err(Failure::Refused(_)) => None,
                Err(failure) => return Err(failure),
            },
        };
        Ok(Visit { greeting, tokens: found, session })
    }

    /// Takes the app's key of a server that is forgotten out of the keyring.
    pub fn forget_key(self, server: &Server) {
        if server.app_key.as_ref().is_some_and(|key| key.secret.is_none()) {
            // What stays behind opens nothing: the server is told nothing of it.
            let _ = self.keyring.delete(&entry(self.vault, &server.address), Prompting::Allowed);
        }
    }

    /// The app's key at a server; `None` where there is none, or none any more.
    fn signer(self, server: &Server) -> Result<Option<Signer>, Failure> {
        let Some(key) = &server.app_key else { return Ok(None) };
        let signer = match &key.secret {
            Some(secret) => Signer::from_secret(secret),
            None => self
                .keyring
                .load(&entry(self.vault, &server.address), Prompting::Allowed)
                .map_err(|error| Failure::Keyring(error.to_string()))?
                .and_then(|secret| Signer::from_secret(&secret)),
        };
        // One of another device's keyring is another key.
        Ok(signer.filter(|signer| signer.public() == key.public))
    }

    fn own_signer(self, server: &Server) -> Result<Signer, Failure> {
        self.signer(server)?.ok_or_else(|| Failure::Keyring("it is no longer there".to_owned()))
    }

    fn new_signer(self, address: &str, rng: &mut dyn CryptoRng) -> (Signer, AppKey) {
        let signer = Signer::new(rng);
        let kept = self.keyring.store(&entry(self.vault, address), &signer.secret(), Prompting::Allowed).is_ok();
        let secret = (!kept).then(|| signer.secret());
        let key = AppKey { public: signer.public(), secret };
        (signer, key)
    }
}

/// How a server is reached.
pub fn contact(server: &Server) -> Contact {
    Contact { address: server.address.clone(), pin: server.pin }
}

/// The token that was delivered.
pub fn delivered_spec(delivered: &Delivered) -> Option<TokenSpec> {
    uri::parse(delivered.uri.expose()).ok().map(|parsed| parsed.spec)
}

fn spec(reply: &ConfirmReply, secret: &SecretBytes) -> Option<TokenSpec> {
    Some(TokenSpec {
        issuer: reply.issuer.clone(),
        account: reply.account.clone(),
        kind: Kind::Totp {
            algorithm: reply.algorithm.parse().ok()?,
            digits: Digits::new(reply.digits.into()).ok()?,
            period: Period::new(reply.period).ok()?,
        },
        secret: TokenSecret::from_bytes(secret.expose().to_vec()).ok()?,
        label_issuer: None,
        uri_parameters: vec![],
    })
}

/// A fingerprint as people compare it: 32 pairs of hexadecimal digits.
pub fn fingerprint_text(fingerprint: &Fingerprint) -> String {
    let pairs: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// A registration's id as it may stand in a path.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What is checked of a reply before any of it is kept.
pub fn sound(reply: &RegisterReply) -> bool {
    is_identifier(&reply.registration)
        && BASE64URL_NOPAD.decode(reply.nonce.as_bytes()).is_ok_and(|nonce| nonce.len() >= 16)
}
