//! One frame of a camera after another. Most show no code, and the next one comes in a moment: so each gets a glance, and
//! the whole ladder only those that promise something, or now and then.

use std::time::Duration;

use super::{
    Luma, Reading,
    ladder::{Climb, Effort},
};

/// How long the search in one frame should take at the most: [`Watch::look`]'s `stop` says so once it is over. Fifteen
/// frames a second are 67 ms each.
pub const FRAME_BUDGET: Duration = Duration::from_millis(60);

/// How many frames come before a frame without anything that looks like a code is searched thoroughly: what the glance
/// cannot see at all is found within a second.
const REST: u32 = 8;
/// The same for a frame with something that looks like a part of a code. A page of text does so in every frame.
const SHORT_REST: u32 = 3;

/// Looks for codes in the frames of a camera, in their order.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Frames since one was searched thoroughly.
    rested: u32,
}

impl Watch {
    /// Looks at the next frame. Give a `stop` that says `true` when [`FRAME_BUDGET`] has passed, or when nobody looks any
    /// more; it is asked between any two steps, of which the longest take some milliseconds on a frame of 1920 x 1080.
    /// Never panics, and believes no payload that [`super::read_until`] would not.
    pub fn look(&mut self, frame: &Luma, stop: &dyn Fn() -> bool) -> Reading {
        let mut climb = Climb::new(frame, stop);
        let mut is_complete = climb.up(|rung| rung.effort == Effort::Glance);
        let rest = if climb.is_promising() { SHORT_REST } else { REST };
        let is_left = climb.codes.is_empty() || climb.is_promising();
        if is_left && self.rested >= rest {
            self.rested = 0;
            is_complete = is_complete && climb.up(|rung| rung.effort == Effort::Steps);
        } else {
            self.rested = self.rested.saturating_add(1);
        }
        Reading { codes: climb.codes, is_complete }
    }
}
