//! A camera that looks for codes: one thread takes frames off it, one searches the newest of them. Neither waits for
//! the other, and what nobody came for in time is replaced by what came later.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use countersign_core::qr::{FRAME_BUDGET, Luma, Payload, Watch};

use super::Countdown;
use crate::platform::camera::{Camera, CameraDevice, CameraError, Preview};

/// What happened since the last look.
#[derive(Default)]
pub struct News {
    /// The cameras, and which of them is open.
    pub devices: Option<(Vec<CameraDevice>, usize)>,
    /// The newest picture.
    pub preview: Option<Arc<Preview>>,
    /// What codes held, a list for each picture that had any.
    pub codes: Vec<Vec<Payload>>,
    /// The last such picture.
    pub seen: Option<Seen>,
    /// Why there are no more pictures.
    pub error: Option<CameraError>,
}

/// A picture with codes in it. The newest one may be later, and the codes elsewhere in it.
pub struct Seen {
    /// The picture.
    pub preview: Arc<Preview>,
    /// Where its codes are.
    pub outlines: Vec<Outline>,
}

/// The corners of a code, in their order around it, as shares of the picture's width and height.
pub type Outline = [(f32, f32); 4];

/// A camera that is open, or opening. Dropping it closes the camera.
pub struct Scanner(Arc<Shared>);

struct Shared {
    stop: AtomicBool,
    news: Mutex<Waiting>,
    /// Tells whoever waits in [`Scanner::wait`].
    arrived: Condvar,
    /// The newest frame, until it is searched.
    frame: Mutex<Option<(Luma, Arc<Preview>)>>,
    frame_arrived: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Waiting {
    news: News,
    /// Somebody was told, and has not looked yet: telling again would queue a second look.
    told: bool,
}

/// Frames in a row that may be damaged before the camera counts as one that is not understood: the first ones after
/// opening often are.
const BAD_FRAMES: u32 = 30;

impl Scanner {
    /// Opens the camera of that identifier, or the first one. `countdown` tells when the search in a frame has taken
    /// long enough: the next frame comes in a moment. `wake` is called on another thread when there is news,
    /// and not again before [`Scanner::take`].
    pub fn start(
        camera: Arc<dyn Camera>,
        wanted: Option<String>,
        countdown: Countdown,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            news: Mutex::default(),
            arrived: Condvar::new(),
            frame: Mutex::default(),
            frame_arrived: Condvar::new(),
            wake: Box::new(wake),
        });
        let capturing = shared.clone();
        std::thread::spawn(move || {
            // A driver's library may panic where it should say no.
            let ended = catch_unwind(AssertUnwindSafe(|| capture(&*camera, wanted.as_deref(), &capturing)))
                .unwrap_or_else(|_| Err(CameraError::Failed("the camera's library gave up".into())));
            if let Err(error) = ended {
                capturing.tell(|news| news.error = Some(error));
            }
        });
        let searching = shared.clone();
        std::thread::spawn(move || search(&searching, countdown));
        Self(shared)
    }

    /// What happened since the last look.
    pub fn take(&self) -> News {
        let mut waiting = lock(&self.0.news);
        waiting.told = false;
        std::mem::take(&mut waiting.news)
    }

    /// Waits until there is news, but no longer than that; says whether there is.
    pub fn wait(&self, longest: Duration) -> bool {
        let waiting = lock(&self.0.news);
        let (waiting, _) = self
            .0
            .arrived
            .wait_timeout_while(waiting, longest, |waiting| !waiting.told)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.told
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
        // Under the lock, so that the thread is not just about to wait.
        *lock(&self.0.frame) = None;
        self.0.frame_arrived.notify_all();
    }
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, change: impl FnOnce(&mut News)) {
        if self.stopped() {
            return;
        }
        let mut waiting = lock(&self.news);
        change(&mut waiting.news);
        let first = !std::mem::replace(&mut waiting.told, true);
        drop(waiting);
        self.arrived.notify_all();
        if first {
            (self.wake)();
        }
    }
}

fn capture(camera: &dyn Camera, wanted: Option<&str>, shared: &Shared) -> Result<(), CameraError> {
    let devices = camera.devices()?;
    let at = devices.iter().position(|device| Some(device.id.as_str()) == wanted).unwrap_or(0);
    let id = devices.get(at).ok_or(CameraError::NoCamera)?.id.clone();
    shared.tell(|news| news.devices = Some((devices, at)));
    if shared.stopped() {
        return Ok(());
    }
    let mut stream = camera.open(&id)?;
    let mut bad = 0;
    while !shared.stopped() {
        let Ok(decoded) = stream.frame()?.decode() else {
            bad += 1;
            if bad >= BAD_FRAMES {
                return Err(CameraError::Format);
            }
            continue;
        };
        bad = 0;
        let preview = Arc::new(decoded.preview);
        *lock(&shared.frame) = Some((decoded.luma, preview.clone()));
        shared.frame_arrived.notify_all();
        shared.tell(|news| news.preview = Some(preview));
    }
    Ok(())
}

fn search(shared: &Shared, countdown: Countdown) {
    let mut watch = Watch::default();
    loop {
        let mut frame = lock(&shared.frame);
        while frame.is_none() && !shared.stopped() {
            frame = shared.frame_arrived.wait(frame).unwrap_or_else(PoisonError::into_inner);
        }
        let Some((picture, preview)) = frame.take().filter(|_| !shared.stopped()) else { return };
        drop(frame);
        let is_over = countdown(FRAME_BUDGET);
        // A page that was left does not wait for a picture in which nothing is found.
        let codes = watch.look(&picture, &|| is_over() || shared.stopped()).codes;
        if codes.is_empty() {
            continue;
        }
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let place = |(x, y): (f32, f32)| preview.place((x / width, y / height));
        let outlines = codes.iter().map(|code| code.corners.map(place)).collect();
        shared.tell(|news| {
            news.seen = Some(Seen { preview, outlines });
            news.codes.push(codes.into_iter().map(|code| code.payload).collect());
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::platform::{
        camera::{PixelFormat, RawFrame},
        fake::{CameraStep, FakeCamera},
    };

    const LONG: Duration = Duration::from_secs(60);
    const NEVER: Countdown = |_| Box::new(|| false);

    fn until(scanner: &Scanner, mut done: impl FnMut(&News) -> bool) -> News {
        loop {
            assert!(scanner.wait(LONG), "nothing came from the camera");
            let news = scanner.take();
            if done(&news) {
                return news;
            }
        }
    }

    #[test]
    fn a_camera_is_opened_shown_and_closed() {
        let camera = Arc::new(FakeCamera::new(&["Front", "Back"]));
        let scanner = Scanner::start(camera.clone(), Some("1".into()), NEVER, || {});
        let (devices, at) = until(&scanner, |news| news.devices.is_some()).devices.unwrap();
        assert_eq!((devices.len(), at), (2, 1));
        let preview = until(&scanner, |news| news.preview.is_some()).preview.unwrap();
        assert_eq!((preview.width, preview.height), (64, 48));
        assert_eq!(camera.open_now(), ["1"]);
        drop(scanner);
        // It closes on its own thread, when its frame is over.
        while !camera.open_now().is_empty() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn nobody_is_told_twice_before_they_look() {
        let told = Arc::new(AtomicUsize::new(0));
        let counted = told.clone();
        let camera = Arc::new(FakeCamera::new(&["Front"]));
        let scanner = Scanner::start(camera, None, NEVER, move || _ = counted.fetch_add(1, Ordering::SeqCst));
        assert!(scanner.wait(LONG));
        while lock(&scanner.0.news).news.preview.is_none() {
            std::thread::yield_now();
        }
        assert_eq!(told.load(Ordering::SeqCst), 1, "the news and the picture came with one word");
        scanner.take();
        // The next word comes with the next frame, a moment after it can be seen.
        while told.load(Ordering::SeqCst) < 2 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn errors_come_with_what_came_before() {
        let none = Scanner::start(Arc::new(FakeCamera::default()), None, NEVER, || {});
        assert_eq!(until(&none, |news| news.error.is_some()).error, Some(CameraError::NoCamera));
        for refusal in [CameraError::Denied, CameraError::Busy] {
            let camera = FakeCamera::new(&["Front"]);
            camera.refuse(Some(refusal.clone()));
            let scanner = Scanner::start(Arc::new(camera), None, NEVER, || {});
            assert_eq!(until(&scanner, |news| news.error.is_some()).error, Some(refusal));
        }
        let camera = FakeCamera::new(&["Front"]);
        camera.play([CameraStep::Fail(CameraError::Gone)]);
        let scanner = Scanner::start(Arc::new(camera), None, NEVER, || {});
        assert_eq!(until(&scanner, |news| news.error.is_some()).error, Some(CameraError::Gone));
    }

    #[test]
    fn a_camera_that_only_sends_nonsense_is_given_up() {
        let camera = FakeCamera::new(&["Front"]);
        camera.play([CameraStep::Frame(RawFrame::new(640, 480, PixelFormat::Mjpeg, vec![1, 2, 3]))]);
        let scanner = Scanner::start(Arc::new(camera), None, NEVER, || {});
        assert_eq!(until(&scanner, |news| news.error.is_some()).error, Some(CameraError::Format));
    }
}
