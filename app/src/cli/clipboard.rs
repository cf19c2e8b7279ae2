//! The clipboard from a program that is gone a moment later.
//!
//! On X11 and Wayland a clipboard's text lives in the program that offers it. So a copy is held by a second process of
//! this program, apart from the terminal, which clears it after a while if it is still there.

use std::{
    ffi::OsStr,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use arboard::Clipboard;
use countersign_core::qr::{Luma, PictureError};
use zeroize::Zeroizing;

use super::failure::Failure;

/// The first argument of the process that holds a text; no command for a person.
pub(crate) const HOLD_COMMAND: &str = "--hold-clipboard";
/// How long a code stays.
pub(crate) const CODE_SECONDS: u64 = 30;

/// What the holding process says once the text is on the clipboard.
const READY: &str = "ready";

/// What a clipboard may hold that tokens come from.
pub(crate) enum Pasted {
    Text(Zeroizing<String>),
    Picture(Result<Luma, PictureError>),
}

/// Puts the text on the clipboard for a number of seconds. The text goes through a pipe, not through arguments.
pub(crate) fn copy(text: &str, seconds: u64) -> Result<(), Failure> {
    let refused = |error: io::Error| no_clipboard(&super::failure::system_text(&error));
    let program = std::env::current_exe().map_err(refused)?;
    let mut command = Command::new(program);
    command.args([HOLD_COMMAND, &seconds.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        // Out of the terminal's process group, so that Ctrl-C in the next command does not end it.
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(refused)?;
    let answer = hand_over(&mut child, text).map_err(refused)?;
    if answer.trim_end() == READY { Ok(()) } else { Err(no_clipboard(answer.trim_end())) }
}

fn hand_over(child: &mut Child, text: &str) -> io::Result<String> {
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(text.as_bytes())?;
    }
    let mut answer = String::new();
    if let Some(pipe) = child.stdout.take() {
        BufReader::new(pipe).read_line(&mut answer)?;
    }
    Ok(answer)
}

/// Takes what is on the clipboard: text, or else a picture.
pub(crate) fn paste() -> Result<Pasted, Failure> {
    let mut clipboard = Clipboard::new().map_err(|error| no_clipboard(&error.to_string()))?;
    match clipboard.get_text() {
        Ok(text) if !text.trim().is_empty() => return Ok(Pasted::Text(Zeroizing::new(text))),
        Ok(_) | Err(arboard::Error::ContentNotAvailable) => {}
        Err(error) => return Err(no_clipboard(&error.to_string())),
    }
    match clipboard.get_image() {
        Ok(image) => Ok(Pasted::Picture(luma(&image))),
        Err(arboard::Error::ContentNotAvailable) => {
            Err(Failure::failed("The clipboard holds neither text nor a picture.")
                .hint("Copy the link, the picture or the backup text first."))
        }
        Err(error) => Err(no_clipboard(&error.to_string())),
    }
}

/// Colours to grey (ITU-R BT.601), over white where the picture is transparent.
fn luma(image: &arboard::ImageData<'_>) -> Result<Luma, PictureError> {
    let grey = |pixel: &[u8]| {
        let [r, g, b, a] = [0, 1, 2, 3].map(|index| pixel.get(index).map_or(255, |&value| u32::from(value)));
        let over_white = (299 * r + 587 * g + 114 * b) / 1000 * a / 255 + 255 - a;
        u8::try_from(over_white).unwrap_or(u8::MAX)
    };
    let pixels = image.bytes.chunks_exact(4).map(grey).collect();
    let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Luma::new(side(image.width), side(image.height), pixels)
}

/// The process that holds a text: sets it, says so, waits, and clears it if it is still there.
pub(crate) fn hold(seconds: &OsStr) -> ExitCode {
    super::process::keep_memory_private(false);
    match seconds
        .to_str()
        .and_then(|seconds| seconds.parse().ok())
        .map(|seconds| try_hold(Duration::from_secs(seconds)))
    {
        Some(Ok(())) => ExitCode::SUCCESS,
        // The program that waits for the answer says it to the user, if it still waits.
        Some(Err(error)) => {
            let _ = writeln!(io::stdout().lock(), "{error}");
            ExitCode::FAILURE
        }
        None => ExitCode::FAILURE,
    }
}

fn try_hold(time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_to_string(&mut text)?;
    let mut clipboard = put(&text)?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{READY}").and_then(|()| stdout.flush())?;
    std::thread::sleep(time);
    let still_there = clipboard.get_text().map(Zeroizing::new).is_ok_and(|now| *now == *text);
    if still_there {
        clipboard.clear()?;
    }
    Ok(())
}

/// Sets the text, marked as nothing for a clipboard manager's history.
fn put(text: &str) -> Result<Clipboard, arboard::Error> {
    let mut clipboard = Clipboard::new()?;
    let set = clipboard.set();
    #[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
    let set = arboard::SetExtLinux::exclude_from_history(set);
    #[cfg(target_os = "macos")]
    let set = arboard::SetExtApple::exclude_from_history(set);
    #[cfg(windows)]
    let set = arboard::SetExtWindows::exclude_from_cloud(arboard::SetExtWindows::exclude_from_history(set));
    set.text(text)?;
    Ok(clipboard)
}

fn no_clipboard(reason: &str) -> Failure {
    let reason = reason.trim_end_matches('.');
    Failure::failed(format!("The clipboard cannot be used: {reason}."))
        .hint("It needs a running desktop (DISPLAY or WAYLAND_DISPLAY); files and standard input work without one.")
}
