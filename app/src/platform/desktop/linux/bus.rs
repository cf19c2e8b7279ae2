//! D-Bus connections: one per task, and no answer is waited for without end.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use zbus::{Connection, connection::Builder};

/// How long one call may take. Services that are started by the call itself need seconds on a slow disk.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// The bus of the login session.
    Session,
    /// The bus of the computer.
    System,
    /// A bus by its address, as `dbus-daemon --print-address` says it.
    Address(String),
}

impl Bus {
    pub(super) async fn connect(&self) -> zbus::Result<Connection> {
        let builder = match self {
            Self::Session => Builder::session()?,
            Self::System => Builder::system()?,
            Self::Address(address) => Builder::address(address.as_str())?,
        };
        within(CALL_LIMIT, builder.method_timeout(CALL_LIMIT).build())
            .await
            .unwrap_or_else(|| Err(zbus::Error::Failure("the bus does not answer".into())))
    }
}

/// What `work` comes to, or `None` after `limit`; then `work` is dropped where it waits.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), async_io::Timer::after(limit)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// A property of an object, in one call.
pub(super) async fn property<T>(
    bus: &Connection,
    service: &str,
    path: &str,
    interface: &str,
    name: &str,
) -> zbus::Result<T>
where
    T: TryFrom<zbus::zvariant::OwnedValue, Error = zbus::zvariant::Error>,
{
    let reply = bus
        .call_method(Some(service), path, Some("org.freedesktop.DBus.Properties"), "Get", &(interface, name))
        .await?;
    Ok(T::try_from(reply.body().deserialize::<zbus::zvariant::OwnedValue>()?)?)
}

/// Whether somebody on the bus has that name now. Starts nothing.
pub(super) async fn has_owner(bus: &Connection, name: &str) -> bool {
    let service = "org.freedesktop.DBus";
    let reply = bus.call_method(Some(service), "/org/freedesktop/DBus", Some(service), "NameHasOwner", &(name,)).await;
    reply.is_ok_and(|reply| reply.body().deserialize::<bool>().unwrap_or(false))
}
