//! What the user asked of every program of this system.

/// What the user asked of every program. A system that does not tell asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// No movement.
    pub reduce_motion: bool,
    /// More contrast.
    pub high_contrast: bool,
}

/// Who knows it.
pub trait SystemWishes: Send + Sync {
    /// How they are now. It asks another program: not on the window's thread.
    fn wishes(&self) -> Wishes;
}

/// Wishes that stay: none where a system does not tell, any in a test.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedWishes(pub Wishes);

impl SystemWishes for FixedWishes {
    fn wishes(&self) -> Wishes {
        self.0
    }
}
