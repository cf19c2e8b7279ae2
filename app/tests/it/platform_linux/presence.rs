use std::{
    io::{PipeReader, Read as _, pipe},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use countersign::platform::{
    desktop::linux::{bus::Bus, presence::DesktopPresence},
    presence::{Abilities, Presence, PresenceEvent, PresenceWatch},
};
use zbus::{Connection, interface, zvariant};

use super::bus::PrivateBus;

const SESSION: &str = "/org/freedesktop/login1/session/_31";
const SESSION_INTERFACE: &str = "org.freedesktop.login1.Session";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const MANAGER_PATH: &str = "/org/freedesktop/login1";

fn watch(bus: &PrivateBus) -> (PresenceWatch, mpsc::Receiver<PresenceEvent>) {
    let (sender, events) = mpsc::channel();
    let presence = DesktopPresence::new(bus.bus(), bus.bus());
    (presence.watch(Box::new(move |event| drop(sender.send(event)))), events)
}

fn next(events: &mpsc::Receiver<PresenceEvent>) -> PresenceEvent {
    events.recv_timeout(Duration::from_secs(30)).expect("an event")
}

fn abilities(event: PresenceEvent) -> Abilities {
    match event {
        PresenceEvent::Watching(abilities) => abilities,
        other => panic!("{other:?}"),
    }
}

fn emit<B: serde::Serialize + zvariant::DynamicType>(
    from: &Connection,
    path: &str,
    interface: &str,
    name: &str,
    body: &B,
) {
    async_io::block_on(from.emit_signal(None::<&str>, path, interface, name, body)).unwrap();
}

#[test]
fn sleep_waits_until_the_delay_is_dropped() {
    let Some(bus) = PrivateBus::start() else { return };
    let (logind, inhibitors) = play_logind(&bus, true);
    let (_watch, events) = watch(&bus);
    assert_eq!(abilities(next(&events)), Abilities { screen_lock: true, sleep: true });
    let (what, mode, mut held) = inhibitors.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!((what.as_str(), mode.as_str()), ("sleep", "delay"));

    emit(&logind, MANAGER_PATH, MANAGER, "PrepareForSleep", &true);
    let PresenceEvent::Suspending(delay) = next(&events) else { panic!("not suspending") };
    assert!(delay.holds());
    drop(delay);
    // Ends when the last copy of the other end is closed.
    assert_eq!(held.read(&mut [0]).unwrap(), 0);

    emit(&logind, MANAGER_PATH, MANAGER, "PrepareForSleep", &false);
    assert!(matches!(next(&events), PresenceEvent::Resumed));
    let (what, _, _held) = inhibitors.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(what, "sleep", "the next sleep is delayed again");
}

#[test]
fn refused_delay_still_tells_of_sleep() {
    let Some(bus) = PrivateBus::start() else { return };
    let (logind, _) = play_logind(&bus, false);
    let (_watch, events) = watch(&bus);
    assert!(abilities(next(&events)).sleep);
    emit(&logind, MANAGER_PATH, MANAGER, "PrepareForSleep", &true);
    let PresenceEvent::Suspending(delay) = next(&events) else { panic!("not suspending") };
    assert!(!delay.holds());
}

#[test]
fn own_session_locks_and_other_sessions_do_not() {
    let Some(bus) = PrivateBus::start() else { return };
    let (logind, _inhibitors) = play_logind(&bus, true);
    let (_watch, events) = watch(&bus);
    abilities(next(&events));
    emit(&logind, "/org/freedesktop/login1/session/_32", SESSION_INTERFACE, "Lock", &());
    emit(&logind, SESSION, SESSION_INTERFACE, "PauseDevice", &(1_u32, 2_u32, "force"));
    emit(&logind, SESSION, SESSION_INTERFACE, "Lock", &());
    assert!(matches!(next(&events), PresenceEvent::ScreenLocked));
    emit(&logind, SESSION, SESSION_INTERFACE, "Unlock", &());
    assert!(matches!(next(&events), PresenceEvent::ScreenUnlocked));
    for (hint, locked) in [("IdleHint", None), ("LockedHint", Some(true)), ("LockedHint", Some(false))] {
        let changed = std::collections::HashMap::from([(hint, zvariant::Value::from(locked.unwrap_or(true)))]);
        let body = (SESSION_INTERFACE, changed, Vec::<String>::new());
        emit(&logind, SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", &body);
        match locked {
            Some(true) => assert!(matches!(next(&events), PresenceEvent::ScreenLocked)),
            Some(false) => assert!(matches!(next(&events), PresenceEvent::ScreenUnlocked)),
            None => {}
        }
    }
}

#[test]
fn every_known_screensaver_tells() {
    let Some(bus) = PrivateBus::start() else { return };
    let name = "org.gnome.ScreenSaver";
    let saver = async_io::block_on(bus.client().name(name).unwrap().build()).unwrap();
    let (_watch, events) = watch(&bus);
    assert_eq!(abilities(next(&events)), Abilities { screen_lock: true, sleep: false });
    emit(&saver, "/org/example", "org.example.Other", "ActiveChanged", &true);
    emit(&saver, "/org/gnome/ScreenSaver", name, "ActiveChanged", &"not a flag");
    for name in ["freedesktop", "gnome", "cinnamon", "mate", "xfce"] {
        let interface = format!("org.{name}.ScreenSaver");
        emit(&saver, "/ScreenSaver", &interface, "ActiveChanged", &true);
        assert!(matches!(next(&events), PresenceEvent::ScreenLocked), "{interface}");
        emit(&saver, "/ScreenSaver", &interface, "ActiveChanged", &false);
        assert!(matches!(next(&events), PresenceEvent::ScreenUnlocked), "{interface}");
    }
}

#[test]
fn nothing_is_told_where_nothing_is() {
    let nowhere = Bus::Address("unix:path=/nonexistent/bus".into());
    let presence = DesktopPresence::new(nowhere.clone(), nowhere);
    let (sender, events) = mpsc::channel();
    let watch = presence.watch(Box::new(move |event| drop(sender.send(event))));
    assert_eq!(abilities(next(&events)), Abilities::default());
    assert_eq!(presence.idle(), None);
    drop(watch);
    assert!(events.recv().is_err());
}

#[test]
fn dropped_watch_leaves_the_bus_and_calls_nobody() {
    let Some(bus) = PrivateBus::start() else { return };
    let (logind, inhibitors) = play_logind(&bus, true);
    let (watch, events) = watch(&bus);
    abilities(next(&events));
    let (_, _, mut held) = inhibitors.recv_timeout(Duration::from_secs(30)).unwrap();
    drop(watch);
    // The callback is gone with its thread, and so is the delay.
    assert!(events.recv().is_err());
    assert_eq!(held.read(&mut [0]).unwrap(), 0);
    emit(&logind, SESSION, SESSION_INTERFACE, "Lock", &());
}

#[test]
fn callback_may_drop_its_own_watch() {
    let Some(bus) = PrivateBus::start() else { return };
    let (logind, _inhibitors) = play_logind(&bus, true);
    let place = Arc::new(Mutex::new(None::<PresenceWatch>));
    let own = place.clone();
    let (sender, events) = mpsc::channel();
    let watch = DesktopPresence::new(bus.bus(), bus.bus()).watch(Box::new(move |event| {
        if matches!(event, PresenceEvent::ScreenLocked) {
            drop(own.lock().unwrap().take());
        }
        drop(sender.send(event));
    }));
    *place.lock().unwrap() = Some(watch);
    abilities(next(&events));
    emit(&logind, SESSION, SESSION_INTERFACE, "Lock", &());
    assert!(matches!(next(&events), PresenceEvent::ScreenLocked));
    assert!(events.recv_timeout(Duration::from_secs(30)).is_err());
    assert!(place.lock().unwrap().is_none());
}

#[test]
fn bus_that_goes_away_ends_quietly() {
    let Some(mut bus) = PrivateBus::start() else { return };
    let (_logind, _inhibitors) = play_logind(&bus, true);
    let (watch, events) = watch(&bus);
    abilities(next(&events));
    bus.stop();
    assert!(matches!(events.recv_timeout(Duration::from_secs(30)), Err(mpsc::RecvTimeoutError::Disconnected)));
    drop(watch);
}

#[test]
fn mutter_tells_how_long_nobody_was_there() {
    struct Mutter;

    #[interface(name = "org.gnome.Mutter.IdleMonitor")]
    impl Mutter {
        #[zbus(name = "GetIdletime")]
        fn idle_time(&self) -> u64 {
            61_500
        }
    }

    let Some(bus) = PrivateBus::start() else { return };
    let build = async {
        let path = "/org/gnome/Mutter/IdleMonitor/Core";
        bus.client().name("org.gnome.Mutter.IdleMonitor")?.serve_at(path, Mutter)?.build().await
    };
    let _mutter = async_io::block_on(build).unwrap();
    assert_eq!(DesktopPresence::new(bus.bus(), bus.bus()).idle(), Some(Duration::from_millis(61_500)));
}

/// What was inhibited, how, and the end of a pipe that closes with the inhibitor.
type Inhibitor = (String, String, PipeReader);

struct Logind {
    inhibitors: Mutex<mpsc::Sender<Inhibitor>>,
    allows: bool,
}

#[interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn get_session(&self, id: &str) -> zbus::fdo::Result<zvariant::ObjectPath<'static>> {
        if id == "auto" {
            Ok(zvariant::ObjectPath::from_static_str(SESSION).unwrap())
        } else {
            Err(zbus::fdo::Error::Failed("no such session".into()))
        }
    }

    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> zbus::fdo::Result<zvariant::OwnedFd> {
        if !self.allows {
            return Err(zbus::fdo::Error::AccessDenied("not here".into()));
        }
        let (reader, writer) = pipe().unwrap();
        let _ = self.inhibitors.lock().unwrap().send((what.into(), mode.into(), reader));
        Ok(OwnedFd::from(writer).into())
    }
}

fn play_logind(bus: &PrivateBus, allows: bool) -> (Connection, mpsc::Receiver<Inhibitor>) {
    let (sender, inhibitors) = mpsc::channel();
    let logind = Logind { inhibitors: Mutex::new(sender), allows };
    let build = async { bus.client().name("org.freedesktop.login1")?.serve_at(MANAGER_PATH, logind)?.build().await };
    (async_io::block_on(build).unwrap(), inhibitors)
}
