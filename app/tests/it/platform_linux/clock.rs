use countersign::platform::{
    clock_trust::{ClockTrust, ClockWitness},
    desktop::linux::{bus::Bus, timedate::TimeDate},
};
use zbus::interface;

use super::bus::PrivateBus;

struct Played {
    synchronised: bool,
    automatic: bool,
}

#[interface(name = "org.freedesktop.timedate1")]
impl Played {
    #[zbus(property, name = "NTPSynchronized")]
    fn synchronised(&self) -> bool {
        self.synchronised
    }

    #[zbus(property, name = "NTP")]
    fn automatic(&self) -> bool {
        self.automatic
    }
}

#[test]
fn clock_is_believed_as_far_as_the_system_does() {
    for (synchronised, automatic, trust) in [
        (true, true, ClockTrust::Synchronised),
        (true, false, ClockTrust::Synchronised),
        (false, true, ClockTrust::NotSynchronised { automatic: true }),
        (false, false, ClockTrust::NotSynchronised { automatic: false }),
    ] {
        let Some(bus) = PrivateBus::start() else { return };
        let build = async {
            bus.client()
                .name("org.freedesktop.timedate1")?
                .serve_at("/org/freedesktop/timedate1", Played { synchronised, automatic })?
                .build()
                .await
        };
        let _played = async_io::block_on(build).unwrap();
        assert_eq!(TimeDate::new(bus.bus()).trust(), trust);
    }
}

#[test]
fn clock_of_a_system_that_does_not_tell_is_unknown() {
    assert_eq!(TimeDate::new(Bus::Address("unix:path=/nonexistent/bus".into())).trust(), ClockTrust::Unknown);
    let Some(bus) = PrivateBus::start() else { return };
    assert_eq!(TimeDate::new(bus.bus()).trust(), ClockTrust::Unknown);
}
