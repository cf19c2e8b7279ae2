//! What the vault holds of servers: this app's key at each, the session, a registration under way. It stays in this
//! vault: no backup has it, so that no restored backup poses as this app.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Content, NoSuchToken};
use crate::{
    matching::address,
    secret::{SecretBytes, SecretText},
    token::{Registration, TokenId},
};

/// A server that this app knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The address that it knows itself by.
    pub address: String,
    /// The issuer of its tokens, which is its name, too.
    pub issuer: String,
    /// Who registered or signed in there last; empty before.
    pub user: String,
    /// SHA-256 of its certificate in DER, where the user trusts that one and no authority.
    pub pin: Option<[u8; 32]>,
    /// This app's key there.
    pub app_key: Option<AppKey>,
    /// Where somebody is signed in.
    pub session: Option<ServerSession>,
    /// The token that the user chose for signing in.
    pub chosen: Option<TokenId>,
    /// Seconds that its clock was ahead of this device's when it was last asked.
    pub clock_ahead: i64,
    /// A registration that is not finished.
    pub pending: Option<Pending>,
}

/// This app's key at a server: P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppKey {
    /// The public half: 65 bytes, uncompressed (SEC 1, section 2.3.3).
    pub public: Vec<u8>,
    /// The scalar, 32 bytes; `None` where the platform's secure store keeps it.
    pub secret: Option<SecretBytes>,
}

/// Being signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSession {
    /// What opens it.
    pub text: SecretText,
    /// Whose it is.
    pub user: String,
    /// When it ends, in Unix seconds.
    pub expires_at: u64,
}

/// A registration that waits for its SMS code or its first code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its id at the server.
    pub registration: String,
    /// What its signatures are over.
    pub nonce: String,
    /// The last digits of the number that the SMS went to.
    pub phone_hint: String,
    /// Digits of the SMS code.
    pub digits: u8,
    /// Until when it can go on, in Unix seconds.
    pub expires_at: u64,
    /// From when another SMS may be asked for, in Unix seconds.
    pub resend_at: u64,
    /// The scalar of the key that the token's secret is sealed to.
    pub seal_key: SecretBytes,
    /// The token, once it was delivered. It is in no list until it works.
    pub delivered: Option<Delivered>,
}

/// A token that was delivered and does not work yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its id at the server.
    pub token: String,
    /// What it is, as an otpauth URI.
    pub uri: SecretText,
    /// The app that it will be taken from.
    pub replaces: Option<String>,
    /// Whether the server lets its secret leave this app.
    pub exportable: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    issuer: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app_key: Option<StoredKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<StoredSession>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    clock_ahead: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<StoredPending>,
    /// Fields of a newer program.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    public: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
struct StoredSession {
    text: String,
    #[serde(default)]
    user: String,
    expires_at: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredPending {
    registration: String,
    nonce: String,
    #[serde(default)]
    phone_hint: String,
    digits: u8,
    expires_at: u64,
    resend_at: u64,
    seal_key: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered: Option<StoredDelivered>,
}

#[derive(Serialize, Deserialize)]
struct StoredDelivered {
    token: String,
    uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    #[serde(default = "yes")]
    exportable: bool,
}

fn yes() -> bool {
    true
}

/// Bytes as Base64url without padding.
struct Bytes(SecretBytes);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(self.0.expose()))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
        Ok(Self(SecretBytes::new(bytes)))
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Content {
    /// The servers that this app knows, by address. One that cannot be read (a newer program wrote it) is left out and
    /// kept.
    pub fn servers(&self) -> Vec<Server> {
        let mut servers: BTreeMap<&str, Server> = BTreeMap::new();
        for (name, json) in &self.app_keys {
            if let Ok(stored) = serde_json::from_str::<Stored>(json.expose()) {
                servers.insert(name, stored.into_server(name));
            }
        }
        servers.into_values().collect()
    }

    /// The server at that address, however it is written.
    pub fn server(&self, at: &str) -> Option<Server> {
        let at = address(at);
        self.servers().into_iter().find(|server| address(&server.address) == at)
    }

    /// Keeps a server in the place of what was held of its address.
    pub fn set_server(&mut self, server: Server) {
        let at = address(&server.address);
        let place = self.app_keys.iter().position(|(name, _)| address(name) == at);
        let others = place
            .and_then(|place| serde_json::from_str::<Stored>(self.app_keys[place].1.expose()).ok())
            .map(|stored| stored.others)
            .unwrap_or_default();
        let name = server.address.clone();
        // Texts, numbers and maps of them: writing them cannot fail.
        let Ok(json) = serde_json::to_string(&Stored::from_server(server, others)) else { return };
        match place {
            Some(place) => self.app_keys[place] = (name, SecretText::new(json)),
            None => self.app_keys.push((name, SecretText::new(json))),
        }
    }

    /// Notes where a token is registered.
    pub fn set_registration(&mut self, id: TokenId, registration: Option<Registration>) -> Result<(), NoSuchToken> {
        let token = self.tokens.iter_mut().find(|token| token.id == id).ok_or(NoSuchToken)?;
        token.registration = registration;
        Ok(())
    }

    /// Forgets a server; says whether it was known. Its tokens stay.
    pub fn remove_server(&mut self, at: &str) -> bool {
        let at = address(at);
        let before = self.app_keys.len();
        self.app_keys.retain(|(name, _)| address(name) != at);
        self.app_keys.len() < before
    }
}

impl Stored {
    fn from_server(server: Server, others: Map<String, Value>) -> Self {
        let bytes = |bytes: &[u8]| Bytes(SecretBytes::new(bytes.to_vec()));
        Self {
            issuer: server.issuer,
            user: server.user,
            pin: server.pin.map(|pin| bytes(&pin)),
            app_key: server.app_key.map(|key| StoredKey { public: bytes(&key.public), secret: key.secret.map(Bytes) }),
            session: server.session.map(|session| StoredSession {
                text: session.text.expose().to_owned(),
                user: session.user,
                expires_at: session.expires_at,
            }),
            chosen: server.chosen.map(|id| id.to_string()),
            clock_ahead: server.clock_ahead,
            pending: server.pending.map(|pending| StoredPending {
                registration: pending.registration,
                nonce: pending.nonce,
                phone_hint: pending.phone_hint,
                digits: pending.digits,
                expires_at: pending.expires_at,
                resend_at: pending.resend_at,
                seal_key: Bytes(pending.seal_key),
                delivered: pending.delivered.map(|delivered| StoredDelivered {
                    token: delivered.token,
                    uri: delivered.uri.expose().to_owned(),
                    replaces: delivered.replaces,
                    exportable: delivered.exportable,
                }),
            }),
            others,
        }
    }

    fn into_server(self, name: &str) -> Server {
        Server {
            address: name.to_owned(),
            issuer: self.issuer,
            user: self.user,
            pin: self.pin.and_then(|pin| pin.0.expose().try_into().ok()),
            app_key: self.app_key.map(|key| AppKey {
                public: key.public.0.expose().to_vec(),
                secret: key.secret.map(|secret| secret.0),
            }),
            session: self.session.map(|session| ServerSession {
                text: SecretText::new(session.text),
                user: session.user,
                expires_at: session.expires_at,
            }),
            chosen: self.chosen.and_then(|id| id.parse().ok()),
            clock_ahead: self.clock_ahead,
            pending: self.pending.map(|pending| Pending {
                registration: pending.registration,
                nonce: pending.nonce,
                phone_hint: pending.phone_hint,
                digits: pending.digits,
                expires_at: pending.expires_at,
                resend_at: pending.resend_at,
                seal_key: pending.seal_key.0,
                delivered: pending.delivered.map(|delivered| Delivered {
                    token: delivered.token,
                    uri: SecretText::new(delivered.uri),
                    replaces: delivered.replaces,
                    exportable: delivered.exportable,
                }),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            address: "https://pam.example.org".into(),
            issuer: "Corp PAM".into(),
            user: "ada".into(),
            pin: Some([7; 32]),
            app_key: Some(AppKey { public: vec![4; 65], secret: Some(SecretBytes::new(vec![9; 32])) }),
            session: Some(ServerSession {
                text: SecretText::new("css_x".into()),
                user: "ada".into(),
                expires_at: 1_800_000_000,
            }),
            chosen: Some(TokenId::from_random([3; 16])),
            clock_ahead: -75,
            pending: Some(Pending {
                registration: "r".into(),
                nonce: "n".into(),
                phone_hint: "67".into(),
                digits: 6,
                expires_at: 10,
                resend_at: 5,
                seal_key: SecretBytes::new(vec![8; 32]),
                delivered: Some(Delivered {
                    token: "t".into(),
                    uri: SecretText::new("otpauth://totp/a?secret=JBSWY3DPEHPK3PXP".into()),
                    replaces: Some("Phone (2024)".into()),
                    exportable: false,
                }),
            }),
        }
    }

    #[test]
    fn a_server_survives_a_save() {
        let mut content = Content::default();
        content.set_server(server());
        let read = Content::from_json(&content.to_json()).unwrap();
        assert_eq!(read.servers(), [server()]);
        assert_eq!(read.server("HTTPS://PAM.example.org:443/"), Some(server()));
    }

    #[test]
    fn no_backup_has_it() {
        let mut content = Content::default();
        content.set_server(server());
        let backup = Content::from_backup_json(&content.to_backup_json()).unwrap();
        assert_eq!(backup.servers(), []);
    }

    #[test]
    fn what_a_newer_program_wrote_stays() {
        let text = br#"{"content_version":1,"tokens":[],"app_keys":{
            "https://a.example":{"issuer":"A","colour":"green"},"https://b.example":{"issuer":7}}}"#;
        let mut content = Content::from_json(text).unwrap();
        assert_eq!(content.servers().len(), 1);
        let mut known = content.server("https://a.example").unwrap();
        known.user = "ada".into();
        content.set_server(known);
        let written = String::from_utf8(content.to_json().to_vec()).unwrap();
        assert!(written.contains(r#""colour":"green""#) && written.contains(r#""https://b.example":{"issuer":7}"#));
    }

    #[test]
    fn a_server_goes_with_everything_that_was_held_of_it() {
        let mut content = Content::default();
        content.set_server(server());
        assert!(content.remove_server("https://pam.example.org/"));
        assert!(!content.remove_server("https://pam.example.org/"));
        assert_eq!(content.servers(), []);
    }
}
