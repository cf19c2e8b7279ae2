//! Twins of the system's services that do what a test's script says.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use countersign_core::qr::Luma;

use super::{
    Ask, Clipboard, FilePicker, NoDialog, Picked, PlatformError, Screen, Support, Viewer,
    camera::{Camera, CameraDevice, CameraError, CameraStream, PixelFormat, RawFrame},
};
use crate::controllers::{Clock, Stopwatch};

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct FakeClock {
    now: Cell<u64>,
    steady: Cell<u64>,
}

impl FakeClock {
    /// Stands at `now` Unix seconds.
    pub fn new(now: u64) -> Self {
        Self { now: Cell::new(now), steady: Cell::new(0) }
    }

    /// Moves on by that many seconds.
    pub fn advance(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds);
        self.steady.set(self.steady.get() + seconds);
    }

    /// Is set to another time, as a user does with a system's clock: nothing went by.
    pub fn set(&self, now: u64) {
        self.now.set(now);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> u64 {
        self.now.get()
    }

    fn steady(&self) -> u64 {
        self.steady.get()
    }

    fn stopwatch(&self) -> Stopwatch {
        |work| {
            work();
            Duration::from_millis(400)
        }
    }
}

/// A clipboard in memory.
#[derive(Debug, Default)]
pub struct FakeClipboard {
    /// The text that it holds.
    pub content: RefCell<Option<String>>,
    /// The picture that it holds.
    pub picture: RefCell<Option<Luma>>,
    /// Whether it refuses.
    pub refuses: Cell<bool>,
}

impl FakeClipboard {
    fn check(&self) -> Result<(), PlatformError> {
        if self.refuses.get() { Err(PlatformError::Refused("owned by another".into())) } else { Ok(()) }
    }
}

impl Clipboard for FakeClipboard {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn put(&self, text: &str) -> Result<(), PlatformError> {
        self.check()?;
        *self.content.borrow_mut() = Some(text.to_owned());
        Ok(())
    }

    fn clear_if_holds(&self, text: &str) -> Result<bool, PlatformError> {
        self.check()?;
        let holds = self.content.borrow().as_deref() == Some(text);
        if holds {
            *self.content.borrow_mut() = None;
        }
        Ok(holds)
    }

    fn text(&self) -> Result<Option<String>, PlatformError> {
        self.check()?;
        Ok(self.content.borrow().clone())
    }

    fn image(&self) -> Result<Option<Luma>, PlatformError> {
        self.check()?;
        Ok(self.picture.borrow().clone())
    }
}

/// A dialog whose answers are written down before; without one it says that it could not be opened.
#[derive(Debug, Default)]
pub struct FakePicker {
    answers: Mutex<VecDeque<Picked>>,
    asked: Mutex<Vec<Ask>>,
}

impl FakePicker {
    /// What was asked for so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }

    /// Adds an answer.
    pub fn answer(&self, picked: Picked) {
        if let Ok(mut answers) = self.answers.lock() {
            answers.push_back(picked);
        }
    }
}

impl FilePicker for FakePicker {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn pick(&self, ask: &Ask, _title: &str) -> Picked {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(ask.clone());
        }
        self.answers.lock().ok().and_then(|mut answers| answers.pop_front()).unwrap_or(Picked::NoDialog)
    }

    /// The files of all answers that are there.
    fn pick_pictures(&self, title: &str) -> Result<Vec<PathBuf>, NoDialog> {
        let mut files = Vec::new();
        loop {
            match self.pick(&Ask::Picture, title) {
                Picked::File(path) => files.push(path),
                Picked::Cancelled => return Ok(files),
                Picked::NoDialog if files.is_empty() => return Err(NoDialog),
                Picked::NoDialog => return Ok(files),
            }
        }
    }
}

/// A viewer that keeps what it was shown, and that refuses when told to.
#[derive(Debug, Default)]
pub struct FakeViewer {
    shown: Mutex<Vec<String>>,
    refuses: std::sync::atomic::AtomicBool,
}

impl FakeViewer {
    /// What every file that was opened held at that moment.
    pub fn shown(&self) -> Vec<String> {
        self.shown.lock().map(|shown| shown.clone()).unwrap_or_default()
    }

    /// Opens nothing from now on.
    pub fn refuse(&self) {
        self.refuses.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Viewer for FakeViewer {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn open(&self, path: &Path) -> Result<(), PlatformError> {
        if self.refuses.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(PlatformError::Refused("no viewer".into()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| PlatformError::Refused(error.to_string()))?;
        if let Ok(mut shown) = self.shown.lock() {
            shown.push(text);
        }
        Ok(())
    }
}

/// What a scripted camera does next.
#[derive(Clone, Debug)]
pub enum CameraStep {
    /// Shows this.
    Frame(RawFrame),
    /// Fails so; an open camera is closed by it.
    Fail(CameraError),
}

/// Cameras that do what a script says. When it has been played, they show their last frame on and on.
#[derive(Debug, Default)]
pub struct FakeCamera(Arc<Script>);

#[derive(Debug, Default)]
struct Script {
    state: Mutex<ScriptState>,
    /// Tells whoever waits for a frame that there is one.
    more: Condvar,
}

#[derive(Debug, Default)]
struct ScriptState {
    devices: Vec<CameraDevice>,
    steps: VecDeque<CameraStep>,
    /// What opening answers instead of a camera.
    refusal: Option<CameraError>,
    open: Vec<String>,
    opened: Vec<String>,
}

impl FakeCamera {
    /// Cameras of these names.
    pub fn new(names: &[&str]) -> Self {
        let camera = Self::default();
        camera.with(|state| {
            state.devices = names
                .iter()
                .enumerate()
                .map(|(at, name)| CameraDevice { id: at.to_string(), name: (*name).to_owned() })
                .collect();
        });
        camera
    }

    /// Adds to the script.
    pub fn play(&self, steps: impl IntoIterator<Item = CameraStep>) {
        self.with(|state| state.steps.extend(steps));
        self.0.more.notify_all();
    }

    /// What opening answers from now on; a camera where it is `None`.
    pub fn refuse(&self, error: Option<CameraError>) {
        self.with(|state| state.refusal = error);
    }

    /// Takes all cameras away, or puts them back, without a word.
    pub fn set_devices(&self, devices: Vec<CameraDevice>) {
        self.with(|state| state.devices = devices);
    }

    /// The cameras that are open now.
    pub fn open_now(&self) -> Vec<String> {
        self.with(|state| state.open.clone())
    }

    /// Every camera that was opened so far, in order.
    pub fn opened(&self) -> Vec<String> {
        self.with(|state| state.opened.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut ScriptState) -> T) -> T {
        work(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Camera for FakeCamera {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn devices(&self) -> Result<Vec<CameraDevice>, CameraError> {
        let devices = self.with(|state| state.devices.clone());
        if devices.is_empty() { Err(CameraError::NoCamera) } else { Ok(devices) }
    }

    fn open(&self, id: &str) -> Result<Box<dyn CameraStream>, CameraError> {
        self.with(|state| match &state.refusal {
            Some(error) => Err(error.clone()),
            None if state.devices.iter().any(|device| device.id == id) => {
                state.open.push(id.to_owned());
                state.opened.push(id.to_owned());
                Ok(())
            }
            None => Err(CameraError::Gone),
        })?;
        Ok(Box::new(FakeStream { script: self.0.clone(), id: id.to_owned(), last: None }))
    }
}

struct FakeStream {
    script: Arc<Script>,
    id: String,
    last: Option<RawFrame>,
}

impl CameraStream for FakeStream {
    fn frame(&mut self) -> Result<RawFrame, CameraError> {
        /// As fast as a camera is.
        const FRAME: Duration = Duration::from_millis(20);
        let state = self.script.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .script
            .more
            .wait_timeout_while(state, FRAME, |state| state.steps.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        match state.steps.pop_front() {
            Some(CameraStep::Frame(frame)) => self.last = Some(frame),
            Some(CameraStep::Fail(error)) => return Err(error),
            None => {}
        }
        let dark = || RawFrame::new(64, 48, PixelFormat::Grey, vec![0; 64 * 48]);
        Ok(self.last.clone().unwrap_or_else(dark))
    }
}

impl Drop for FakeStream {
    fn drop(&mut self) {
        let mut state = self.script.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = state.open.iter().position(|id| *id == self.id) {
            state.open.remove(at);
        }
    }
}

/// A screen that shows one picture, or may not be looked at.
#[derive(Debug, Default)]
pub struct FakeScreen(pub Mutex<Option<Luma>>);

impl Screen for FakeScreen {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn capture(&self) -> Result<Option<Luma>, PlatformError> {
        let picture = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        picture.map(Some).ok_or_else(|| PlatformError::Refused("not allowed".into()))
    }
}
