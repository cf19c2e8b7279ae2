//! How each page is reached.

use slint::ComponentHandle as _;

use super::{super::Stage, HEIGHT, Tree};

/// One page in one state.
pub(super) struct Place {
    /// The name of its golden file.
    pub(super) name: &'static str,
    /// What lies over the page, by its label, where that is all that can be operated.
    pub(super) within: &'static str,
    /// Labels that may be there twice, because both do the same.
    pub(super) twice: &'static [&'static str],
    reach: fn() -> Stage,
}

impl Place {
    const fn new(name: &'static str, reach: fn() -> Stage) -> Self {
        Self { name, within: "", twice: &[], reach }
    }

    /// Looks at the page in a window of that width. On a thread of its own, because a thread has one platform.
    pub(super) fn look<T: Send>(&self, width: u32, look: impl FnOnce(&Tree<'_>) -> T + Send) -> T {
        let run = || {
            let stage = (self.reach)();
            stage.window.window().set_size(slint::PhysicalSize::new(width, HEIGHT));
            stage.settle();
            look(&Tree::of(&stage, self))
        };
        std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| panic!("{} is not reached", self.name))
    }
}

pub(super) const PAGES: &[Place] = &[
    Place::new("welcome", Stage::new),
    Place::new("unlock", || {
        let stage = Stage::opened();
        stage.press("Lock");
        stage
    }),
];
