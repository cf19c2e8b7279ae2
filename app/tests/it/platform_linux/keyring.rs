use std::{collections::HashMap, time::Duration};

use countersign::platform::{
    desktop::linux::{bus::Bus, secret_service::SecretService},
    keyring::{Keyring, KeyringEntry, KeyringError, KeyringState, Prompting},
};
use countersign_core::secret::SecretBytes;
use zbus::{
    interface,
    object_server::SignalEmitter,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use super::bus::{GnomeKeyring, PrivateBus};

fn entry(vault: &str) -> KeyringEntry {
    KeyringEntry { label: format!("Countersign vault {vault}"), attributes: vec![("vault".into(), vault.into())] }
}

fn secret(byte: u8) -> SecretBytes {
    SecretBytes::new((0..32).map(|index| index ^ byte).collect())
}

#[test]
fn gnome_keyring_keeps_finds_replaces_and_forgets() {
    let Some(bus) = PrivateBus::start() else { return };
    let Some(_keyring) = GnomeKeyring::start(&bus) else { return };
    let service = SecretService::new(bus.bus());
    assert_eq!(service.state(), Ok(KeyringState::Open));

    assert_eq!(service.load(&entry("a"), Prompting::Forbidden), Ok(None));
    service.store(&entry("a"), &secret(0), Prompting::Forbidden).unwrap();
    service.store(&entry("b"), &SecretBytes::new(vec![0xff; 64]), Prompting::Forbidden).unwrap();
    service.store(&entry("a"), &secret(0xaa), Prompting::Forbidden).unwrap();
    assert_eq!(service.load(&entry("a"), Prompting::Forbidden), Ok(Some(secret(0xaa))));
    assert_eq!(service.load(&entry("b"), Prompting::Forbidden), Ok(Some(SecretBytes::new(vec![0xff; 64]))));

    assert_eq!(service.delete(&entry("a"), Prompting::Forbidden), Ok(true));
    assert_eq!(service.delete(&entry("a"), Prompting::Forbidden), Ok(false));
    assert_eq!(service.load(&entry("a"), Prompting::Forbidden), Ok(None));
    assert_eq!(service.load(&entry("b"), Prompting::Forbidden), Ok(Some(SecretBytes::new(vec![0xff; 64]))));
}

#[test]
fn locked_gnome_keyring_is_told_apart() {
    let Some(bus) = PrivateBus::start() else { return };
    let Some(_keyring) = GnomeKeyring::start(&bus) else { return };
    let service = SecretService::new(bus.bus());
    service.store(&entry("a"), &secret(0), Prompting::Forbidden).unwrap();
    async_io::block_on(async {
        let client = bus.client().build().await.unwrap();
        let (name, path) = ("org.freedesktop.secrets", "/org/freedesktop/secrets");
        let service = "org.freedesktop.Secret.Service";
        let alias = client.call_method(Some(name), path, Some(service), "ReadAlias", &("default",)).await.unwrap();
        let collection: OwnedObjectPath = alias.body().deserialize().unwrap();
        client.call_method(Some(name), path, Some(service), "Lock", &(vec![collection],)).await.unwrap();
    });
    assert_eq!(service.state(), Ok(KeyringState::Locked));
    assert_eq!(service.load(&entry("a"), Prompting::Forbidden), Err(KeyringError::Locked));
    assert_eq!(service.store(&entry("a"), &secret(1), Prompting::Forbidden), Err(KeyringError::Locked));
    assert_eq!(service.delete(&entry("a"), Prompting::Forbidden), Err(KeyringError::Locked));
}

#[test]
fn no_bus_and_no_service_are_told_apart() {
    let gone = SecretService::new(Bus::Address("unix:path=/nonexistent/bus".into()));
    assert!(matches!(gone.state(), Err(KeyringError::NoBus(_))));
    let Some(bus) = PrivateBus::start() else { return };
    let service = SecretService::new(bus.bus());
    assert_eq!(service.state(), Err(KeyringError::NoService));
    assert_eq!(service.load(&entry("a"), Prompting::Allowed), Err(KeyringError::NoService));
    assert_eq!(service.store(&entry("a"), &secret(0), Prompting::Allowed), Err(KeyringError::NoService));
}

#[test]
fn sizes_are_checked_before_the_bus_is_asked() {
    let gone = SecretService::new(Bus::Address("unix:path=/nonexistent/bus".into()));
    let stored = gone.store(&entry("a"), &SecretBytes::new(vec![1; 31]), Prompting::Allowed);
    assert_eq!(stored, Err(KeyringError::WrongSize(31)));
}

#[test]
fn dismissed_question_is_told_apart() {
    let Some(bus) = PrivateBus::start() else { return };
    let _played = play_locked_service(&bus, Some(true));
    let service = SecretService::new(bus.bus());
    assert_eq!(service.load(&entry("a"), Prompting::Allowed), Err(KeyringError::Dismissed));
    assert_eq!(service.store(&entry("a"), &secret(0), Prompting::Allowed), Err(KeyringError::Dismissed));
    assert_eq!(service.load(&entry("a"), Prompting::Forbidden), Err(KeyringError::Locked));
}

#[test]
fn question_answered_in_vain_is_still_locked() {
    let Some(bus) = PrivateBus::start() else { return };
    let _played = play_locked_service(&bus, Some(false));
    let service = SecretService::new(bus.bus());
    assert_eq!(service.load(&entry("a"), Prompting::Allowed), Err(KeyringError::Locked));
}

#[test]
fn question_without_answer_ends_and_leaves_the_bus() {
    let Some(bus) = PrivateBus::start() else { return };
    let played = play_locked_service(&bus, None);
    let limit = Duration::from_millis(1500);
    let service = SecretService::new(bus.bus()).with_limits(Duration::from_secs(20), limit);
    assert_eq!(service.load(&entry("a"), Prompting::Allowed), Err(KeyringError::TimedOut(limit)));
    // The keyring takes the question back when its caller has left: only the service itself is on the bus.
    async_io::block_on(async {
        let names = zbus::fdo::DBusProxy::new(&played).await.unwrap();
        let own = played.unique_name().unwrap().to_string();
        let mut others = 1;
        for _ in 0..100 {
            let all = names.list_names().await.unwrap();
            others = all.iter().filter(|name| name.starts_with(':') && name.as_str() != own).count();
            if others == 0 {
                break;
            }
            async_io::Timer::after(Duration::from_millis(50)).await;
        }
        assert_eq!(others, 0);
    });
}

/// A service whose one item is locked, and whose question ends as `dismissed` says, or never.
fn play_locked_service(bus: &PrivateBus, dismissed: Option<bool>) -> zbus::Connection {
    let build = async {
        bus.client()
            .name("org.freedesktop.secrets")?
            .serve_at("/org/freedesktop/secrets", Service)?
            .serve_at("/org/freedesktop/secrets/collection/login", Collection)?
            .serve_at("/org/freedesktop/secrets/collection/login/1", Item)?
            .serve_at("/org/freedesktop/secrets/prompt/1", Prompt { dismissed })?
            .build()
            .await
    };
    async_io::block_on(build).unwrap()
}

fn path(path: &'static str) -> ObjectPath<'static> {
    ObjectPath::from_static_str(path).unwrap()
}

struct Service;

#[interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    // Two is a public key of this group, too; nothing is decrypted here.
    fn open_session(&self, _algorithm: &str, _input: Value<'_>) -> (OwnedValue, ObjectPath<'static>) {
        (Value::from(vec![2_u8]).try_into().unwrap(), path("/org/freedesktop/secrets/session/1"))
    }

    fn read_alias(&self, _name: &str) -> ObjectPath<'static> {
        path("/org/freedesktop/secrets/collection/login")
    }

    fn search_items(
        &self,
        _attributes: HashMap<String, String>,
    ) -> (Vec<ObjectPath<'static>>, Vec<ObjectPath<'static>>) {
        (vec![], vec![path("/org/freedesktop/secrets/collection/login/1")])
    }

    fn unlock(&self, _objects: Vec<OwnedObjectPath>) -> (Vec<ObjectPath<'static>>, ObjectPath<'static>) {
        (vec![], path("/org/freedesktop/secrets/prompt/1"))
    }
}

struct Collection;

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    fn locked(&self) -> bool {
        true
    }
}

struct Item;

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    fn locked(&self) -> bool {
        true
    }
}

struct Prompt {
    dismissed: Option<bool>,
}

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(
        &self,
        _window_id: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        if let Some(dismissed) = self.dismissed {
            Self::completed(&emitter, dismissed, Value::from("")).await?;
        }
        Ok(())
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}
