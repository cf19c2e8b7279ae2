//! Android. Every service is missing until it is written here, and so what would need it is hidden.

use std::{rc::Rc, sync::Arc};

use super::{Platform, Unsupported};

pub(super) fn platform() -> Platform {
    Platform {
        clipboard: Rc::new(Unsupported),
        picker: Arc::new(Unsupported),
        camera: Box::new(Unsupported),
        secure_store: Box::new(Unsupported),
        deep_links: Box::new(Unsupported),
        screen: Box::new(Unsupported),
    }
}
