//! Linux, macOS and Windows.

mod camera;
mod clipboard;
#[cfg(target_os = "linux")]
pub mod linux;
mod picker;
mod viewer;

use std::{rc::Rc, sync::Arc};

use super::Platform;

pub(super) fn platform() -> Platform {
    let platform = Platform {
        clipboard: Rc::new(clipboard::SystemClipboard::default()),
        picker: Arc::new(picker::SystemPicker),
        viewer: Arc::new(viewer::SystemViewer),
        camera: Arc::new(camera::SystemCamera),
        network: Arc::new(crate::api::Https::default()),
        locale: sys_locale::get_locale(),
        ..Platform::unsupported()
    };
    #[cfg(target_os = "linux")]
    let platform = linux::with_services(platform);
    platform
}
