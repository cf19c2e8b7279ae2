//! A person before the real window: real keys, real clicks, the clipboard as another program sees it.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, Kind, TokenId, TokenSpec},
    vault::{KdfParams, Session, content::NoSuchToken, session::Key, store::FileStore},
};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::{Display, PASSWORD, Window, fill, wait_for};

#[test]
fn a_copied_code_leaves_the_clipboard_after_its_time() {
    let Some(display) = Display::start() else { return };
    let specs = fill(&display.vault(), 3, cheap());
    display.set(r#"{"clipboard_seconds":4}"#);
    let window = display.open();
    window.unlock();
    display.keys(&["Down", "Return"]);
    wait_for("a code on the clipboard", || codes(&specs).contains(&display.clipboard()));
    wait_for("an empty clipboard", || display.clipboard().is_empty());

    // What another program put there meanwhile stays.
    display.keys(&["Return"]);
    wait_for("a code on the clipboard", || codes(&specs).contains(&display.clipboard()));
    display.copy("from elsewhere");
    pause(6_000);
    assert_eq!(display.clipboard(), "from elsewhere");
}

#[test]
fn a_lock_shows_nothing_of_what_was_open() {
    let Some(display) = Display::start() else { return };
    fill(&display.vault(), 20, cheap());
    let window = display.open();
    let locked = window.pictures();
    let around = [
        Detour::new("nothing", |_| {}),
        Detour::new("the sheet", |display| display.keys(&["ctrl+n"])),
        Detour::new("the map of keys", |display| display.keys(&["ctrl+question"])),
        Detour::new("a search", |display| display.keys(&["ctrl+f", "0", "0", "1"])),
        Detour::new("a menu", |display| {
            display.click(500, 300, 3);
            display.keys(&["Escape"]);
        }),
        Detour::new("a form", |display| {
            display.keys(&["ctrl+n", "Tab", "Return"]);
            display.write("Alder");
        }),
    ];
    for Detour { what, go } in around {
        window.unlock();
        assert!(window.pictures().is_disjoint(&locked), "an open vault looks like a locked one");
        go(&display);
        pause(400);
        display.keys(&["ctrl+l"]);
        display.leave();
        assert!(window.pictures().is_subset(&locked), "a lock after {what} leaves something on the screen");
    }
}

#[test]
fn nobody_there_locks() {
    let Some(display) = Display::start() else { return };
    fill(&display.vault(), 5, cheap());
    display.set(r#"{"lock_after":6}"#);
    let window = display.open();
    let locked = window.pictures();
    window.unlock();
    // Somebody is there as long as keys are pressed.
    for _ in 0..10 {
        display.keys(&["Down"]);
        pause(940);
    }
    display.leave();
    assert!(window.pictures().is_disjoint(&locked), "locked while somebody was there");
    wait_for("the lock", || window.pictures().is_subset(&locked));
}

#[test]
fn killed_and_started_again_nothing_is_lost() {
    let Some(display) = Display::start() else { return };
    let spec = counter_vault(&display);
    for counter in 7..10 {
        let window = display.open();
        window.unlock();
        display.keys(&["Down", "Return"]);
        // The code is on the clipboard only after its counter is on the disk.
        let spec = TokenSpec { kind: counted(counter), ..spec.clone() };
        let code = spec.code_at(0).unwrap().text().to_owned();
        wait_for("the code of the counter", || display.clipboard() == code);
        // Dropping it kills it with SIGKILL.
        drop(window);
        let session = display.on_disk();
        let token = &session.content().tokens()[0];
        assert_eq!(token.spec.kind.counter(), Some(counter + 1));
    }
}

/// What a person does before the lock.
struct Detour {
    what: &'static str,
    go: fn(&Display),
}

impl Detour {
    fn new(what: &'static str, go: fn(&Display)) -> Self {
        Self { what, go }
    }
}

fn cheap() -> KdfParams {
    KdfParams::new(64, 1, 1).unwrap()
}

fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// The codes that tokens may show about now.
#[expect(clippy::disallowed_methods, reason = "the program beside it reads the same clock")]
fn codes(specs: &[TokenSpec]) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = |time| specs.iter().map(move |spec| spec.code_at(time).unwrap().text().to_owned());
    at(now - 30).chain(at(now)).collect()
}

/// A vault with one counter-based token, which stands at 7.
fn counter_vault(display: &Display) -> TokenSpec {
    let mut spec = fill(&display.home.path().join("other.json"), 1, cheap()).remove(0);
    spec.kind = counted(7);
    let mut random = UnwrapErr(SysRng);
    let store = Box::new(FileStore::new(display.vault()));
    let mut session = Session::create(store, &Password::new(PASSWORD), cheap(), &mut random, 1_000).unwrap();
    let add = |content: &mut countersign_core::vault::Content| {
        content.add(TokenId::from_random([7; 16]), spec.clone(), 1_000);
        Ok::<_, NoSuchToken>(())
    };
    session.edit(&mut random, 1_000, add).unwrap();
    spec
}

fn counted(counter: u64) -> Kind {
    Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, counter }
}

impl Display {
    /// What another program finds on the clipboard.
    fn clipboard(&self) -> String {
        let output = self.command("xclip").args(["-selection", "clipboard", "-o"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What another program puts there.
    fn copy(&self, text: &str) {
        let mut command = self.command("xclip");
        let mut xclip = command.args(["-selection", "clipboard", "-i"]).stdin(Stdio::piped()).spawn().unwrap();
        xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        xclip.wait().unwrap();
    }

    fn on_disk(&self) -> Session {
        let key = Key::Password(Password::new(PASSWORD));
        Session::open(Box::new(FileStore::new(self.vault())), &key).unwrap()
    }

    /// Moves the pointer out of the way, so that nothing is highlighted under it.
    fn leave(&self) {
        self.xdotool(&["mousemove", "1270", "890"]);
        pause(400);
    }

    /// The display's upper part, where the window is and the pointer is not, as Xvfb keeps it: the beginning of an XWD
    /// file (X11/XWDFile.h).
    fn screen(&self) -> Vec<u8> {
        let mut screen = std::fs::read(self.home.path().join("Xvfb_screen0")).unwrap();
        screen.truncate(screen.len() * 7 / 9);
        screen
    }

    /// The pixel at that place.
    fn pixel(&self, x: usize, y: usize) -> [u8; 4] {
        let screen = self.screen();
        let number = |at: usize| u32::from_be_bytes(screen[at * 4..at * 4 + 4].try_into().unwrap()) as usize;
        // Words 0, 12 and 19 of the header: its size, the bytes of a line, the colours of 12 bytes that follow.
        let at = number(0) + number(19) * 12 + y * number(12) + x * 4;
        screen[at..at + 4].try_into().unwrap()
    }
}

impl Window<'_> {
    /// Types the password, and waits for the list.
    fn unlock(&self) {
        self.display.leave();
        // At the edge, where the rail of an open vault is.
        let edge = || self.display.pixel(4, 600);
        let locked = edge();
        self.display.write(PASSWORD);
        self.display.keys(&["Return"]);
        wait_for("an open vault", || edge() != locked);
        pause(800);
    }

    /// What the display looks like in three seconds: more than one picture where a cursor blinks.
    fn pictures(&self) -> BTreeSet<Vec<u8>> {
        (0..30)
            .map(|_| {
                pause(100);
                self.display.screen()
            })
            .collect()
    }
}
