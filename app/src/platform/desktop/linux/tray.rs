//! The icon in the tray on Linux: a StatusNotifierItem, which KDE shows by itself, GNOME with an extension, and the
//! panels of smaller desktops mostly.

use std::sync::{Arc, Mutex, PoisonError};

use ksni::{
    MenuItem,
    blocking::{Handle, TrayMethods as _},
    menu::StandardItem,
};

use super::{
    bus::{self, Bus},
    desktop_entry::APP_ID,
};
use crate::platform::{
    PlatformError, Support,
    tray::{OnAction, Tray, TrayAction, TrayWords},
};

/// The desktop's panel.
#[derive(Default)]
pub struct StatusNotifier {
    shown: Mutex<Option<Handle<Item>>>,
}

impl Tray for StatusNotifier {
    fn support(&self) -> Support {
        let panel = async_io::block_on(async {
            let Ok(bus) = Bus::Session.connect().await else { return false };
            bus::has_owner(&bus, "org.kde.StatusNotifierWatcher").await
        });
        if panel { Support::Supported } else { Support::Unsupported }
    }

    fn show(&self, words: TrayWords, on_action: OnAction) -> Result<(), PlatformError> {
        self.hide();
        let item = Item { words, on_action: on_action.into() };
        let handle = item.spawn().map_err(|error| PlatformError::Refused(error.to_string()))?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(())
    }

    fn hide(&self) {
        if let Some(handle) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            handle.shutdown().wait();
        }
    }
}

struct Item {
    words: TrayWords,
    on_action: Arc<dyn Fn(TrayAction) + Send + Sync>,
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        APP_ID.into()
    }

    fn title(&self) -> String {
        "Countersign".into()
    }

    // Where no desktop entry installed the program's own icon, the panel finds this one in every theme.
    fn icon_name(&self) -> String {
        "dialog-password".into()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        vec![mark(22), mark(44)]
    }

    fn activate(&mut self, _: i32, _: i32) {
        (self.on_action)(TrayAction::Show);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let item = |label: &str, action| {
            StandardItem {
                label: label.into(),
                activate: Box::new(move |item: &mut Self| (item.on_action)(action)),
                ..StandardItem::default()
            }
            .into()
        };
        vec![
            item(&self.words.show, TrayAction::Show),
            item(&self.words.lock, TrayAction::Lock),
            MenuItem::Separator,
            item(&self.words.quit, TrayAction::Quit),
        ]
    }
}

/// The program's mark, a white check on green, in ARGB32 of network byte order.
fn mark(size: i32) -> ksni::Icon {
    // The check of the window's mark, on its grid of 24.
    const CHECK: [(f32, f32); 3] = [(5.0, 12.5), (10.0, 17.5), (19.5, 7.0)];
    let unit = 24.0 / size as f32;
    let mut data = Vec::with_capacity((size * size * 4) as usize);
    for y in 0..size {
        for x in 0..size {
            let at = ((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit);
            let near = CHECK.windows(2).map(|line| distance(at, line[0], line[1])).fold(f32::MAX, f32::min);
            let white = (1.9 - near).clamp(0.0, 1.0);
            let inside = (0.5 - outside(at, 24.0, 7.0)).clamp(0.0, 1.0);
            let blend = |from: u8| (f32::from(from) + (255.0 - f32::from(from)) * white) as u8;
            data.extend([(inside * 255.0) as u8, blend(0x0A), blend(0x7F), blend(0x62)]);
        }
    }
    ksni::Icon { width: size, height: size, data }
}

/// How far a point is from a line between two others.
fn distance(at: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let part = (((at.0 - from.0) * dx + (at.1 - from.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    (at.0 - from.0 - part * dx).hypot(at.1 - from.1 - part * dy)
}

/// How far a point is outside a square with round corners; negative within it.
fn outside(at: (f32, f32), side: f32, radius: f32) -> f32 {
    let beyond = |v: f32| (v - side / 2.0).abs() - (side / 2.0 - radius);
    let (x, y) = (beyond(at.0), beyond(at.1));
    x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - radius
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_a_white_check_on_a_round_green_square() {
        let icon = mark(24);
        assert_eq!(icon.data.len(), 24 * 24 * 4);
        let pixel = |x: usize, y: usize| &icon.data[(y * 24 + x) * 4..][..4];
        assert_eq!(pixel(0, 0)[0], 0, "corners are clear");
        assert_eq!(pixel(12, 3), [255, 0x0A, 0x7F, 0x62]);
        assert_eq!(pixel(10, 17), [255, 255, 255, 255]);
    }
}
