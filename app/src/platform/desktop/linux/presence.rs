//! Presence on a Linux desktop: logind tells of sleep and of its session's lock, the desktop's screensaver of the
//! screen. What is missing (no systemd, no screensaver, no bus at all) is left out of [`Abilities`].

use std::{future::ready, thread, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{AbortHandle, Abortable, join},
    stream::{BoxStream, SelectAll},
};
use zbus::{
    Connection, MatchRule, Message, MessageStream,
    message::Type,
    zvariant::{OwnedFd, OwnedObjectPath, OwnedValue},
};

use super::bus::{self, Bus, CALL_LIMIT, within};
use crate::platform::presence::{Abilities, Presence, PresenceCallback, PresenceEvent, PresenceWatch, SleepDelay};

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const SESSION: &str = "org.freedesktop.login1.Session";

/// All have the signal `ActiveChanged(b)`; their paths differ between versions, so those are not looked at.
const SCREENSAVERS: [&str; 5] = [
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.xfce.ScreenSaver",
];

/// The services of a desktop session.
#[derive(Clone, Debug)]
pub struct DesktopPresence {
    session: Bus,
    system: Bus,
}

impl Default for DesktopPresence {
    fn default() -> Self {
        Self::new(Bus::Session, Bus::System)
    }
}

impl DesktopPresence {
    /// Screensavers on `session`, logind on `system`.
    pub fn new(session: Bus, system: Bus) -> Self {
        Self { session, system }
    }
}

impl Presence for DesktopPresence {
    fn watch(&self, callback: PresenceCallback) -> PresenceWatch {
        let (stop, stopped) = AbortHandle::new_pair();
        let Self { session, system } = self.clone();
        // Without a thread nothing is told, as without any of the services.
        let thread = thread::Builder::new().name("presence".into()).spawn(move || {
            let _ = async_io::block_on(Abortable::new(watch(session, system, callback), stopped));
        });
        PresenceWatch::new(move || {
            stop.abort();
            // The callback itself may drop the watch.
            if let Ok(thread) = thread.map_err(drop)
                && thread.thread().id() != thread::current().id()
            {
                let _ = thread.join();
            }
        })
    }

    fn idle(&self) -> Option<Duration> {
        async_io::block_on(async {
            let bus = self.session.connect().await.ok()?;
            let service = "org.gnome.Mutter.IdleMonitor";
            let reply = bus
                .call_method(Some(service), "/org/gnome/Mutter/IdleMonitor/Core", Some(service), "GetIdletime", &())
                .await
                .ok()?;
            reply.body().deserialize::<u64>().ok().map(Duration::from_millis)
        })
    }
}

/// What a message came to.
#[derive(Clone, Copy)]
enum Signal {
    Sleep(bool),
    Locked(bool),
}

type Signals = SelectAll<BoxStream<'static, Signal>>;

async fn watch(session: Bus, system: Bus, mut callback: PresenceCallback) {
    let mut signals = Signals::new();
    let (logind, screensaver) = join(Logind::open(&system), screensavers(&session)).await;
    let mut abilities = Abilities::default();
    let mut delay = SleepDelay::none();
    let logind = logind.map(|(logind, streams)| {
        abilities.sleep = true;
        abilities.screen_lock = logind.has_session;
        signals.extend(streams);
        logind
    });
    if let Some(logind) = &logind {
        delay = logind.delay().await;
    }
    if let Some((stream, present)) = screensaver {
        abilities.screen_lock |= present;
        signals.push(stream);
    }
    callback(PresenceEvent::Watching(abilities));

    while let Some(signal) = signals.next().await {
        match signal {
            Signal::Locked(true) => callback(PresenceEvent::ScreenLocked),
            Signal::Locked(false) => callback(PresenceEvent::ScreenUnlocked),
            Signal::Sleep(true) => {
                callback(PresenceEvent::Suspending(std::mem::replace(&mut delay, SleepDelay::none())));
            }
            Signal::Sleep(false) => {
                callback(PresenceEvent::Resumed);
                if let Some(logind) = &logind {
                    delay = logind.delay().await;
                }
            }
        }
    }
}

struct Logind {
    bus: Connection,
    has_session: bool,
}

impl Logind {
    async fn open(system: &Bus) -> Option<(Self, Vec<BoxStream<'static, Signal>>)> {
        let bus = system.connect().await.ok()?;
        if !bus::has_owner(&bus, LOGIND).await {
            return None;
        }
        let sleep = rule().sender(LOGIND).ok()?.interface(MANAGER).ok()?.member("PrepareForSleep").ok()?.build();
        let sleep = MessageStream::for_match_rule(sleep, &bus, None).await.ok()?;
        let mut streams = vec![signals(sleep, of_manager)];

        let session = own_session(&bus).await;
        if let Some(path) = &session {
            let rule = rule().sender(LOGIND).ok()?.path(path.as_str()).ok()?.build();
            let session = MessageStream::for_match_rule(rule, &bus, None).await.ok()?;
            streams.push(signals(session, of_session));
        }
        Some((Self { bus, has_session: session.is_some() }, streams))
    }

    /// A file descriptor that delays sleep as long as it is open. A system that refuses it tells of sleep all the same.
    async fn delay(&self) -> SleepDelay {
        let arguments = ("sleep", "Countersign", "The vault is locked first", "delay");
        let reply = self.bus.call_method(Some(LOGIND), MANAGER_PATH, Some(MANAGER), "Inhibit", &arguments).await;
        let descriptor = reply.ok().and_then(|reply| reply.body().deserialize::<OwnedFd>().ok());
        descriptor.map_or_else(SleepDelay::none, SleepDelay::holding)
    }
}

/// The object of the session in which this program runs. Programs that the desktop starts as units of the user's
/// systemd belong to none; for them `auto` is the session with the user's display.
async fn own_session(bus: &Connection) -> Option<OwnedObjectPath> {
    let auto = bus.call_method(Some(LOGIND), MANAGER_PATH, Some(MANAGER), "GetSession", &("auto",)).await;
    let reply = match auto {
        Ok(reply) => reply,
        // Before systemd 243, and elogind.
        Err(_) => {
            let own = (std::process::id(),);
            bus.call_method(Some(LOGIND), MANAGER_PATH, Some(MANAGER), "GetSessionByPID", &own).await.ok()?
        }
    };
    reply.body().deserialize().ok()
}

async fn screensavers(session: &Bus) -> Option<(BoxStream<'static, Signal>, bool)> {
    let bus = session.connect().await.ok()?;
    let rule = rule().member("ActiveChanged").ok()?.build();
    let stream = MessageStream::for_match_rule(rule, &bus, None).await.ok()?;
    let mut present = false;
    for name in SCREENSAVERS {
        present |= within(CALL_LIMIT, bus::has_owner(&bus, name)).await.unwrap_or(false);
    }
    Some((signals(stream, of_screensaver), present))
}

/// The messages of a stream that mean something. The stream keeps its connection.
fn signals(stream: MessageStream, read: fn(&Message) -> Option<Signal>) -> BoxStream<'static, Signal> {
    stream.filter_map(move |message| ready(message.ok().and_then(|message| read(&message)))).boxed()
}

fn rule() -> zbus::match_rule::Builder<'static> {
    MatchRule::builder().msg_type(Type::Signal)
}

fn of_manager(message: &Message) -> Option<Signal> {
    (member(message)? == "PrepareForSleep").then(|| message.body().deserialize().ok().map(Signal::Sleep))?
}

fn of_session(message: &Message) -> Option<Signal> {
    match (interface(message)?.as_str(), member(message)?.as_str()) {
        (SESSION, "Lock") => Some(Signal::Locked(true)),
        (SESSION, "Unlock") => Some(Signal::Locked(false)),
        ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
            let body = message.body();
            let (of, changed, _): (String, std::collections::HashMap<String, OwnedValue>, Vec<String>) =
                body.deserialize().ok()?;
            let hint = changed.get("LockedHint").filter(|_| of == SESSION)?;
            bool::try_from(hint).ok().map(Signal::Locked)
        }
        _ => None,
    }
}

fn of_screensaver(message: &Message) -> Option<Signal> {
    let known = SCREENSAVERS.contains(&interface(message)?.as_str()) && member(message)? == "ActiveChanged";
    known.then(|| message.body().deserialize().ok().map(Signal::Locked))?
}

fn interface(message: &Message) -> Option<String> {
    Some(message.header().interface()?.to_string())
}

fn member(message: &Message) -> Option<String> {
    Some(message.header().member()?.to_string())
}
