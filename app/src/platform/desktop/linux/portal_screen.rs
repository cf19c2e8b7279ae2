//! The screen under Wayland: `org.freedesktop.portal.Screenshot`. The desktop asks the person, who may take a part only.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use countersign_core::qr::Luma;
use futures_util::StreamExt as _;
use zbus::{
    Connection, MatchRule, MessageStream,
    message::Type,
    zvariant::{OwnedValue, Value},
};

use super::{
    bus::{Bus, within},
    process::OpenToPortals,
};
use crate::{
    files::read_limited,
    platform::{PlatformError, Screen, Support},
};

const SERVICE: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.Screenshot";
const REQUEST: &str = "org.freedesktop.portal.Request";

/// How long a person may think about the desktop's question.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// The largest picture file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The answer of a request: what the person did, and the results.
type Response = (u32, HashMap<String, OwnedValue>);

/// The screenshot portal.
#[derive(Clone, Debug)]
pub struct PortalScreen {
    bus: Bus,
}

impl PortalScreen {
    /// The portal on that bus; [`Bus::Session`] is where it lives.
    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }

    async fn ask(&self) -> Result<Option<PathBuf>, PlatformError> {
        static ASKED: AtomicU32 = AtomicU32::new(0);

        let bus = self.bus.connect().await.map_err(refused)?;
        let token = format!("countersign{}", ASKED.fetch_add(1, Ordering::Relaxed));
        // The portal says where its answer will come from, but the answer could be there before that word.
        let sender = bus.unique_name().map(|name| name.trim_start_matches(':').replace('.', "_")).unwrap_or_default();
        let path = format!("{PATH}/request/{sender}/{token}");
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .path(path.as_str())
            .and_then(|rule| rule.interface(REQUEST))
            .and_then(|rule| rule.member("Response"))
            .map_err(refused)?
            .build();
        let mut answers = MessageStream::for_match_rule(rule, &bus, Some(1)).await.map_err(refused)?;
        call(&bus, &token).await?;
        let answer = within(LONGEST, answers.next()).await.flatten();
        let answer = answer.ok_or_else(|| refused("the desktop did not answer"))?.map_err(refused)?;
        let (code, mut results): Response = answer.body().deserialize().map_err(refused)?;
        match code {
            0 => {
                let uri = results.remove("uri").and_then(|uri| String::try_from(uri).ok());
                let path = uri.and_then(|uri| reqwest::Url::parse(&uri).ok()?.to_file_path().ok());
                path.map(Some).ok_or_else(|| refused("the desktop named no picture"))
            }
            1 => Ok(None),
            _ => Err(refused("the desktop made no picture")),
        }
    }
}

async fn call(bus: &Connection, token: &str) -> Result<(), PlatformError> {
    let options = HashMap::from([
        ("handle_token", Value::from(token)),
        // The desktop's own dialog, in which a part of the screen can be chosen.
        ("interactive", Value::from(true)),
    ]);
    bus.call_method(Some(SERVICE), PATH, Some(INTERFACE), "Screenshot", &("", options)).await.map_err(refused)?;
    Ok(())
}

impl Screen for PortalScreen {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn capture(&self) -> Result<Option<Luma>, PlatformError> {
        let _open = OpenToPortals::new();
        let Some(path) = async_io::block_on(self.ask())? else { return Ok(None) };
        let bytes = read_limited(&path, MAX_FILE_BYTES).map(zeroize::Zeroizing::new).map_err(refused);
        // It may show a secret, and the desktop keeps it among the user's pictures. Where it cannot be removed, it is
        // not ours to remove.
        let _ = fs::remove_file(&path);
        Luma::from_file_bytes(&bytes?).map(Some).map_err(refused)
    }
}

fn refused(error: impl std::fmt::Display) -> PlatformError {
    PlatformError::Refused(error.to_string())
}
