//! Linux, macOS and Windows.

mod clipboard;
#[cfg(target_os = "linux")]
pub mod linux;
mod picker;

use std::{rc::Rc, sync::Arc};

use super::{Platform, Unsupported};

pub(super) fn platform() -> Platform {
    Platform {
        clipboard: Rc::new(clipboard::SystemClipboard::default()),
        picker: Arc::new(picker::SystemPicker),
        camera: Box::new(Unsupported),
        secure_store: Box::new(Unsupported),
        deep_links: Box::new(Unsupported),
        screen: Box::new(Unsupported),
    }
}
