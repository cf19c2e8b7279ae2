//! Whether the system's clock can be believed: codes of a wrong clock are wrong codes.

/// What the system knows of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    /// It was set by a time server, and lately enough.
    Synchronised,
    /// It was not, or so long ago that it may have drifted: the clock need not be wrong, but nobody vouches for it.
    NotSynchronised {
        /// Whether setting it by a time server is switched on; where it is not, that is what to do.
        automatic: bool,
    },
    /// The system does not tell.
    Unknown,
}

/// Who vouches for the clock.
pub trait ClockWitness: Send + Sync {
    /// What is known now. It asks another program: not on the window's thread.
    fn trust(&self) -> ClockTrust;
}

/// A witness that always says the same: [`ClockTrust::Unknown`] where a system does not tell, anything in a test.
#[derive(Clone, Copy, Debug)]
pub struct FixedWitness(pub ClockTrust);

impl ClockWitness for FixedWitness {
    fn trust(&self) -> ClockTrust {
        self.0
    }
}
