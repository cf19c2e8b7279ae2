//! Passwords to keys: Argon2id (RFC 9106) with bounded parameters.

/// Argon2id parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The parameters ask for more than 1 GiB, 16 passes or 16 lanes, or for less than Argon2 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key derivation of {memory_kib} KiB, {passes} passes, {lanes} lanes is out of bounds")]
pub struct KdfOutOfBounds {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfParams {
    /// 64 MiB, 3 passes, 4 lanes: RFC 9106, second recommended option.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// Checks the bounds before any work is done.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KdfOutOfBounds> {
        let _ = (memory_kib, passes, lanes);
        todo!()
    }

    /// Finds the passes that fill `target` with `self`'s memory; never fewer than `self` has. `timed` runs the work
    /// it is handed and says how long it took.
    pub fn calibrate(
        self,
        target: std::time::Duration,
        timed: impl FnMut(&mut dyn FnMut()) -> std::time::Duration,
    ) -> Self {
        let _ = (target, timed);
        todo!()
    }

    /// Memory in KiB.
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub fn lanes(self) -> u32 {
        self.lanes
    }
}
