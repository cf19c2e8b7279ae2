//! What the user asked of every program, on Linux: `org.freedesktop.portal.Settings`, which GNOME, KDE and the smaller
//! desktops answer.

use zbus::{Connection, zvariant::OwnedValue};

use super::bus::Bus;
use crate::platform::wishes::{SystemWishes, Wishes};

const SERVICE: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.Settings";

/// The settings portal.
#[derive(Clone, Debug)]
pub struct DesktopPortal {
    bus: Bus,
}

impl DesktopPortal {
    /// The portal on that bus; [`Bus::Session`] is where it lives.
    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }
}

impl Default for DesktopPortal {
    fn default() -> Self {
        Self::new(Bus::Session)
    }
}

impl SystemWishes for DesktopPortal {
    fn wishes(&self) -> Wishes {
        async_io::block_on(async {
            let Ok(bus) = self.bus.connect().await else { return Wishes::default() };
            // 1 is "reduced" and "higher", 0 is no preference; older portals know neither.
            let motion = read(&bus, "org.freedesktop.appearance", "reduced-motion").await.and_then(number);
            let contrast = read(&bus, "org.freedesktop.appearance", "contrast").await.and_then(number);
            let reduce_motion = match motion {
                Some(wish) => wish == 1,
                None => {
                    read(&bus, "org.gnome.desktop.interface", "enable-animations").await.and_then(flag) == Some(false)
                }
            };
            Wishes { reduce_motion, high_contrast: contrast == Some(1) }
        })
    }
}

async fn read(bus: &Connection, namespace: &str, key: &str) -> Option<OwnedValue> {
    let reply = bus.call_method(Some(SERVICE), PATH, Some(INTERFACE), "ReadOne", &(namespace, key)).await.ok()?;
    reply.body().deserialize().ok()
}

fn number(value: OwnedValue) -> Option<u32> {
    value.try_into().ok()
}

fn flag(value: OwnedValue) -> Option<bool> {
    value.try_into().ok()
}
