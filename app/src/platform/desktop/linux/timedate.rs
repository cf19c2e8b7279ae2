//! The clock's witness on Linux: `org.freedesktop.timedate1`, which reads what the kernel knows of its clock (adjtimex),
//! whichever program sets it.

use zbus::Connection;

use super::bus::{self, Bus};
use crate::platform::clock_trust::{ClockTrust, ClockWitness};

const SERVICE: &str = "org.freedesktop.timedate1";

/// The time and date service.
#[derive(Clone, Debug)]
pub struct TimeDate {
    bus: Bus,
}

impl TimeDate {
    /// The service on that bus; [`Bus::System`] is where it lives.
    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }
}

impl Default for TimeDate {
    fn default() -> Self {
        Self::new(Bus::System)
    }
}

impl ClockWitness for TimeDate {
    fn trust(&self) -> ClockTrust {
        async_io::block_on(async {
            let Ok(bus) = self.bus.connect().await else { return ClockTrust::Unknown };
            match flag(&bus, "NTPSynchronized").await {
                Ok(true) => ClockTrust::Synchronised,
                // NTP is about systemd's own client: with another one, such as chrony, it may be off.
                Ok(false) => ClockTrust::NotSynchronised { automatic: flag(&bus, "NTP").await.unwrap_or(false) },
                Err(_) => ClockTrust::Unknown,
            }
        })
    }
}

async fn flag(connection: &Connection, name: &str) -> zbus::Result<bool> {
    bus::property(connection, SERVICE, "/org/freedesktop/timedate1", SERVICE, name).await
}
