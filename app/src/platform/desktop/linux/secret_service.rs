//! The freedesktop.org Secret Service: GNOME Keyring, KWallet, KeePassXC and others.
//!
//! Each call makes a connection of its own and leaves the bus at its end: a service that sees its caller leave can take
//! back the question that nobody answered in time (the library does not tell which one to dismiss). The secret crosses
//! the bus encrypted (Diffie-Hellman and AES), since every program of the user can watch the session bus.

use std::{collections::HashMap, time::Duration};

use countersign_core::secret::SecretBytes;
use secret_service::{Collection, EncryptionType, Error, Item, SecretService as Client};
use zbus::Connection;

use super::bus::{Bus, CALL_LIMIT, within};
use crate::platform::keyring::{self, Keyring, KeyringEntry, KeyringError, KeyringState, Prompting};

/// How long a person may think before the call gives up.
const PROMPT_LIMIT: Duration = Duration::from_secs(120);

/// Marks our items among those of other programs, as libsecret does.
const SCHEMA: (&str, &str) = ("xdg:schema", "org.countersign.Vault");

/// Name of the collection that is made where there is none; libsecret's.
const COLLECTION: &str = "Default keyring";

/// The Secret Service of a session.
#[derive(Clone, Debug)]
pub struct SecretService {
    bus: Bus,
    call_limit: Duration,
    prompt_limit: Duration,
}

impl Default for SecretService {
    fn default() -> Self {
        Self::new(Bus::Session)
    }
}

impl SecretService {
    /// The service on that bus; [`Bus::Session`] is where it lives.
    pub fn new(bus: Bus) -> Self {
        Self { bus, call_limit: CALL_LIMIT, prompt_limit: PROMPT_LIMIT }
    }

    /// Other limits than ten seconds for an operation that asks nobody, and two minutes for one that may.
    pub fn with_limits(self, call_limit: Duration, prompt_limit: Duration) -> Self {
        Self { call_limit, prompt_limit, ..self }
    }

    fn run<T>(
        &self,
        prompting: Prompting,
        work: impl AsyncFnOnce(Connection) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        let limit = match prompting {
            Prompting::Allowed => self.prompt_limit,
            Prompting::Forbidden => self.call_limit,
        };
        async_io::block_on(async {
            let bus = self.bus.connect().await.map_err(|error| KeyringError::NoBus(error.to_string()))?;
            let done = within(limit, work(bus.clone())).await;
            let _ = within(CALL_LIMIT, bus.close()).await;
            done.unwrap_or(Err(KeyringError::TimedOut(limit)))
        })
    }
}

impl Keyring for SecretService {
    fn state(&self) -> Result<KeyringState, KeyringError> {
        self.run(Prompting::Forbidden, async |bus| {
            let client = Client::connect_with_existing(EncryptionType::Plain, bus).await?;
            match client.get_default_collection().await {
                Ok(collection) if collection.is_locked().await? => Ok(KeyringState::Locked),
                Ok(_) => Ok(KeyringState::Open),
                Err(Error::NoResult) => Ok(KeyringState::Empty),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn store(&self, entry: &KeyringEntry, secret: &SecretBytes, prompting: Prompting) -> Result<(), KeyringError> {
        keyring::check_size(secret)?;
        self.run(prompting, async |bus| {
            let client = Client::connect_with_existing(EncryptionType::Dh, bus).await?;
            let collection = default_collection(&client, prompting).await?;
            let item = collection
                .create_item(&entry.label, attributes(entry), secret.expose(), true, "application/octet-stream")
                .await?;
            if SecretBytes::new(item.get_secret().await?) != *secret {
                return Err(KeyringError::NotKept);
            }
            // An older one in another collection would be found as well.
            for other in client.search_items(attributes(entry)).await?.unlocked {
                if other.item_path != item.item_path {
                    other.delete().await?;
                }
            }
            Ok(())
        })
    }

    fn load(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<Option<SecretBytes>, KeyringError> {
        self.run(prompting, async |bus| {
            let client = Client::connect_with_existing(EncryptionType::Dh, bus).await?;
            let found = client.search_items(attributes(entry)).await?;
            let Some(item) = found.unlocked.first().or(found.locked.first()) else { return Ok(None) };
            unlock_item(item, prompting).await?;
            Ok(Some(SecretBytes::new(item.get_secret().await?)))
        })
    }

    fn delete(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<bool, KeyringError> {
        self.run(prompting, async |bus| {
            let client = Client::connect_with_existing(EncryptionType::Plain, bus).await?;
            let found = client.search_items(attributes(entry)).await?;
            for item in found.unlocked.iter().chain(&found.locked) {
                unlock_item(item, prompting).await?;
                item.delete().await?;
            }
            Ok(!found.unlocked.is_empty() || !found.locked.is_empty())
        })
    }
}

fn attributes(entry: &KeyringEntry) -> HashMap<&str, &str> {
    let own = entry.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    own.chain([SCHEMA]).collect()
}

async fn default_collection<'a>(client: &'a Client<'_>, prompting: Prompting) -> Result<Collection<'a>, KeyringError> {
    let collection = match client.get_default_collection().await {
        Err(Error::NoResult) if prompting == Prompting::Allowed => {
            client.create_collection(COLLECTION, "default").await?
        }
        Err(Error::NoResult) => return Err(KeyringError::Locked),
        found => found?,
    };
    if collection.is_locked().await? {
        if prompting == Prompting::Forbidden {
            return Err(KeyringError::Locked);
        }
        collection.unlock().await?;
        collection.ensure_unlocked().await?;
    }
    Ok(collection)
}

async fn unlock_item(item: &Item<'_>, prompting: Prompting) -> Result<(), KeyringError> {
    if item.is_locked().await? {
        if prompting == Prompting::Forbidden {
            return Err(KeyringError::Locked);
        }
        item.unlock().await?;
        item.ensure_unlocked().await?;
    }
    Ok(())
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::Locked => Self::Locked,
            Error::Prompt => Self::Dismissed,
            Error::PromptDisconnected | Error::Unavailable => Self::NoService,
            Error::Zbus(error) => of_bus(error),
            Error::ZbusFdo(error) => of_bus(error.into()),
            other => Self::Refused(other.to_string()),
        }
    }
}

fn of_bus(error: zbus::Error) -> KeyringError {
    let name = match &error {
        zbus::Error::MethodError(name, ..) => name.to_string(),
        zbus::Error::FDO(error) => zbus::DBusError::name(&**error).to_string(),
        zbus::Error::InputOutput(failed) if failed.kind() == std::io::ErrorKind::TimedOut => {
            return KeyringError::TimedOut(CALL_LIMIT);
        }
        _ => return KeyringError::Refused(error.to_string()),
    };
    match name.as_str() {
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        // NoReply: it ended while it was asked.
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.NoReply" => KeyringError::NoService,
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => KeyringError::NoService,
        _ => KeyringError::Refused(error.to_string()),
    }
}
