//! Cameras through nokhwa: V4L2, AVFoundation and Media Foundation.

use nokhwa::{
    NokhwaError,
    utils::{ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType},
};

use crate::platform::{
    Support,
    camera::{Camera, CameraDevice, CameraError, CameraStream, PixelFormat, RawFrame},
};

pub(super) struct SystemCamera;

/// Every format that [`RawFrame::decode`] reads.
const FORMATS: [FrameFormat; 6] = [
    FrameFormat::YUYV,
    FrameFormat::NV12,
    FrameFormat::MJPEG,
    FrameFormat::GRAY,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

/// The pixels of a good frame: enough for a dense code, and quickly searched.
const GOOD_PIXELS: u32 = 1280 * 720;

/// Below this, in frames a second, a preview stutters.
const SMOOTH: u32 = 15;

impl Camera for SystemCamera {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn devices(&self) -> Result<Vec<CameraDevice>, CameraError> {
        allowed()?;
        let found = nokhwa::query(ApiBackend::Auto).map_err(|error| explain(&error))?;
        let mut devices: Vec<CameraDevice> = found
            .into_iter()
            .filter(|info| is_capture(info.index()))
            .map(|info| CameraDevice { id: info.index().as_string(), name: info.human_name() })
            .collect();
        // Linux lists them in the order of a folder, which is none.
        devices.sort_by_key(|device| (device.id.len(), device.id.clone()));
        if devices.is_empty() { Err(CameraError::NoCamera) } else { Ok(devices) }
    }

    fn open(&self, id: &str) -> Result<Box<dyn CameraStream>, CameraError> {
        let index = id.parse().map_or_else(|_| CameraIndex::String(id.to_owned()), CameraIndex::Index);
        check(&index)?;
        let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
        let mut camera = nokhwa::Camera::new(index, any).map_err(|error| explain(&error))?;
        // A camera that does not take the better format keeps the one that it opened with.
        if let Ok(formats) = camera.compatible_camera_formats()
            && let Some(best) = best(&formats)
            && best != camera.camera_format()
        {
            let opened = camera.camera_format();
            if camera
                .set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(best), &FORMATS))
                .is_err()
            {
                let _ = camera
                    .set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(opened), &FORMATS));
            }
        }
        camera.open_stream().map_err(|error| explain(&error))?;
        Ok(Box::new(SystemStream(camera)))
    }
}

struct SystemStream(nokhwa::Camera);

impl CameraStream for SystemStream {
    fn frame(&mut self) -> Result<RawFrame, CameraError> {
        let frame = self.0.frame().map_err(|error| match explain(&error) {
            // It was there a moment ago, so whatever is missing now was taken away.
            CameraError::NoCamera | CameraError::Failed(_) => CameraError::Gone,
            known => known,
        })?;
        let format = match frame.source_frame_format() {
            FrameFormat::YUYV => PixelFormat::Yuyv,
            FrameFormat::NV12 => PixelFormat::Nv12,
            FrameFormat::MJPEG => PixelFormat::Mjpeg,
            FrameFormat::GRAY => PixelFormat::Grey,
            FrameFormat::RAWRGB => PixelFormat::Rgb,
            FrameFormat::RAWBGR => PixelFormat::Bgr,
        };
        let size = frame.resolution();
        Ok(RawFrame::new(size.width(), size.height(), format, frame.buffer().to_vec()))
    }
}

impl Drop for SystemStream {
    fn drop(&mut self) {
        // It closes either way; an error here has nobody to be told.
        let _ = self.0.stop_stream();
    }
}

/// The format that shows most of a code without stuttering: smooth before large, up to [`GOOD_PIXELS`]; the fewest
/// bytes to work on among equals.
fn best(formats: &[CameraFormat]) -> Option<CameraFormat> {
    formats.iter().filter(|format| FORMATS.contains(&format.format())).copied().max_by_key(|format| {
        let pixels = format.width().saturating_mul(format.height());
        let size = if pixels > GOOD_PIXELS { GOOD_PIXELS.saturating_sub(pixels - GOOD_PIXELS) } else { pixels };
        let plain = format.format() != FrameFormat::MJPEG;
        (format.frame_rate() >= SMOOTH, size, plain, format.frame_rate().min(30))
    })
}

/// What went wrong, out of the text that is all that nokhwa keeps of it: the system's number on Unix, an HRESULT on
/// Windows, words on macOS.
fn explain(error: &NokhwaError) -> CameraError {
    let text = error.to_string();
    let lower = text.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if has(&["os error 13)", "os error 1)", "0x80070005", "access is denied", "permission", "not authorized"]) {
        CameraError::Denied
    } else if has(&["os error 16)", "0xc00d3704", "0xc00d3ea3", "in use", "already", "lock rejected"]) {
        CameraError::Busy
    } else if has(&["os error 19)", "os error 5)", "os error 6)", "0xc00d3ea2"]) {
        CameraError::Gone
    } else if has(&["os error 2)", "no such", "not found"]) {
        CameraError::NoCamera
    } else if has(&["fufill", "framerate not whole", "rejected", "unsupported"]) {
        CameraError::Format
    } else {
        CameraError::Failed(text)
    }
}

/// A camera of Linux has a second file for what is no picture; the first of each device gives pictures.
#[cfg(target_os = "linux")]
fn is_capture(index: &CameraIndex) -> bool {
    let path = format!("/sys/class/video4linux/video{index}/index");
    std::fs::read_to_string(path).map_or(true, |index| index.trim() == "0")
}

#[cfg(not(target_os = "linux"))]
fn is_capture(_: &CameraIndex) -> bool {
    true
}

/// Asks the file itself, whose answer is not lost in a text.
#[cfg(target_os = "linux")]
fn check(index: &CameraIndex) -> Result<(), CameraError> {
    use std::io::ErrorKind;

    match std::fs::OpenOptions::new().read(true).write(true).open(format!("/dev/video{index}")) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::PermissionDenied => CameraError::Denied,
            ErrorKind::NotFound => CameraError::Gone,
            ErrorKind::ResourceBusy => CameraError::Busy,
            _ => CameraError::Failed(error.to_string()),
        }),
    }
}

#[cfg(not(target_os = "linux"))]
fn check(_: &CameraIndex) -> Result<(), CameraError> {
    Ok(())
}

/// macOS asks the person, and waits for the answer.
#[cfg(target_os = "macos")]
fn allowed() -> Result<(), CameraError> {
    let (answer, answered) = std::sync::mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |allowed| {
        let _ = answer.try_send(allowed);
    });
    match answered.recv() {
        Ok(true) => Ok(()),
        _ => Err(CameraError::Denied),
    }
}

#[cfg(not(target_os = "macos"))]
fn allowed() -> Result<(), CameraError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use nokhwa::utils::Resolution;

    use super::*;

    fn format(width: u32, height: u32, format: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), format, rate)
    }

    #[test]
    fn a_smooth_picture_comes_before_a_large_one() {
        let formats = [
            format(640, 480, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(1920, 1080, FrameFormat::MJPEG, 30),
            format(320, 240, FrameFormat::YUYV, 60),
        ];
        assert_eq!(best(&formats), Some(formats[2]));
        assert_eq!(best(&formats[..2]), Some(formats[0]));
        assert_eq!(best(&formats[1..2]), Some(formats[1]), "a slow one is better than none");
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn errors_are_told_apart() {
        let open = |text: &str| explain(&NokhwaError::OpenDeviceError("0".into(), text.into()));
        assert_eq!(open("V4L2 Error: Permission denied (os error 13)"), CameraError::Denied);
        assert_eq!(open("V4L2 Error: Device or resource busy (os error 16)"), CameraError::Busy);
        assert_eq!(open("V4L2 Error: No such device (os error 19)"), CameraError::Gone);
        assert_eq!(open("V4L2 Error: No such file or directory (os error 2)"), CameraError::NoCamera);
        assert_eq!(open("hresult 0xC00D3704"), CameraError::Busy);
        let fulfil =
            NokhwaError::GetPropertyError { property: "CameraFormat".into(), error: "Failed to Fufill".into() };
        assert_eq!(explain(&fulfil), CameraError::Format);
        assert!(matches!(open("anything else"), CameraError::Failed(_)));
    }

    // Where the tests run there may be a camera or none; the real path answers either way.
    #[test]
    fn the_system_is_asked_for_cameras() {
        match SystemCamera.devices() {
            Ok(devices) => assert!(devices.iter().all(|device| !device.id.is_empty())),
            Err(error) => assert_eq!(error, CameraError::NoCamera),
        }
        assert!(matches!(
            SystemCamera.open("4711").map(|_| ()),
            Err(CameraError::NoCamera | CameraError::Gone | CameraError::Failed(_))
        ));
    }
}
