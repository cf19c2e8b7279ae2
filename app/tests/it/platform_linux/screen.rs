//! The screen through a desktop's portal, played on a private bus.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc};

use countersign::platform::{PlatformError, Screen as _, desktop::linux::portal_screen::PortalScreen};
use countersign_core::qr::{self, Matrix};
use zbus::{Connection, interface, message::Header, zvariant};

use super::bus::PrivateBus;

const LINK: &str = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example";

/// What the desktop answers.
#[derive(Clone)]
enum Answer {
    Picture(PathBuf),
    Cancelled,
    Failed,
    Nonsense,
}

struct Portal(Arc<Answer>);

#[interface(name = "org.freedesktop.portal.Screenshot")]
impl Portal {
    async fn screenshot(
        &self,
        _parent: &str,
        options: HashMap<String, zvariant::OwnedValue>,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> zvariant::OwnedObjectPath {
        let token: String = options["handle_token"].clone().try_into().unwrap();
        assert!(bool::try_from(options["interactive"].clone()).unwrap(), "a part can be chosen");
        let sender = header.sender().unwrap().trim_start_matches(':').replace('.', "_");
        let path = format!("/org/freedesktop/portal/desktop/request/{sender}/{token}");
        let (code, uri) = match &*self.0 {
            Answer::Picture(path) => (0_u32, Some(format!("file://{}", path.display()).replace(' ', "%20"))),
            Answer::Cancelled => (1, None),
            Answer::Failed => (2, None),
            Answer::Nonsense => (0, Some("https://example.org/picture.png".to_owned())),
        };
        let results: HashMap<&str, zvariant::Value<'_>> =
            uri.map(|uri| ("uri", zvariant::Value::from(uri))).into_iter().collect();
        // Before the call has returned, as a desktop may that asks nobody.
        bus.emit_signal(
            header.sender().cloned(),
            path.as_str(),
            "org.freedesktop.portal.Request",
            "Response",
            &(code, results),
        )
        .await
        .unwrap();
        zvariant::ObjectPath::try_from(path).unwrap().into()
    }
}

fn play(bus: &PrivateBus, answer: Answer) -> Connection {
    async_io::block_on(async {
        bus.client()
            .name("org.freedesktop.portal.Desktop")
            .unwrap()
            .serve_at("/org/freedesktop/portal/desktop", Portal(Arc::new(answer)))
            .unwrap()
            .build()
            .await
            .unwrap()
    })
}

#[test]
fn the_desktops_picture_is_read_and_does_not_stay() {
    let Some(bus) = PrivateBus::start() else { return };
    let path = bus.folder.path().join("a screenshot.png");
    fs::write(&path, Matrix::new(LINK).unwrap().to_png(300)).unwrap();
    let _portal = play(&bus, Answer::Picture(path.clone()));
    let picture = PortalScreen::new(bus.bus()).capture().unwrap().expect("a picture");
    assert_eq!(qr::read(&picture), [LINK]);
    assert!(!path.exists(), "it may show a secret");
}

#[test]
fn whoever_thinks_better_of_it_is_asked_no_more() {
    let Some(bus) = PrivateBus::start() else { return };
    let _portal = play(&bus, Answer::Cancelled);
    assert_eq!(PortalScreen::new(bus.bus()).capture(), Ok(None));
}

#[test]
fn a_desktop_that_gives_no_picture_is_an_error() {
    for answer in [Answer::Failed, Answer::Nonsense, Answer::Picture("/nonexistent/picture.png".into())] {
        let Some(bus) = PrivateBus::start() else { return };
        let _portal = play(&bus, answer);
        assert!(matches!(PortalScreen::new(bus.bus()).capture(), Err(PlatformError::Refused(_))));
    }
    let Some(bus) = PrivateBus::start() else { return };
    assert!(matches!(PortalScreen::new(bus.bus()).capture(), Err(PlatformError::Refused(_))), "there is no portal");
}
