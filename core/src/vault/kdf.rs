//! Passwords to keys: Argon2id (RFC 9106) with bounded parameters.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};

use super::cipher::SecretKey;
use crate::secret::Password;

/// The most memory that a file may ask for: 1 GiB.
pub const MAX_MEMORY_KIB: u32 = 1024 * 1024;
/// The most passes that a file may ask for.
pub const MAX_PASSES: u32 = 16;
/// The most lanes that a file may ask for.
pub const MAX_LANES: u32 = 16;

/// Argon2id parameters, always within the bounds.
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

/// The system has less memory to give than the parameters ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is not enough memory for the key derivation")]
pub struct KdfFailed;

impl From<KdfFailed> for std::io::Error {
    fn from(failed: KdfFailed) -> Self {
        Self::new(std::io::ErrorKind::OutOfMemory, failed)
    }
}

impl KdfParams {
    /// 64 MiB, 3 passes, 4 lanes: RFC 9106, second recommended option.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// Checks the bounds before any work is done.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KdfOutOfBounds> {
        let lanes_fit = (1..=MAX_LANES).contains(&lanes);
        // RFC 9106, section 3.1: at least eight blocks of 1 KiB a lane.
        let memory_fits = lanes_fit && (8 * lanes..=MAX_MEMORY_KIB).contains(&memory_kib);
        if !memory_fits || !(1..=MAX_PASSES).contains(&passes) {
            return Err(KdfOutOfBounds { memory_kib, passes, lanes });
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// Finds the passes that fill `target` with `self`'s memory; never fewer than `self` has. `timed` runs the work
    /// it is handed and says how long it took.
    ///
    /// The memory stays, so that a phone can open what a workstation made.
    pub fn calibrate(self, target: Duration, mut timed: impl FnMut(&mut dyn FnMut()) -> Duration) -> Self {
        let probe = Password::new("calibration");
        let took = timed(&mut || {
            // A failed allocation shows as a short time; the bound below keeps the outcome sane.
            let _ = self.derive(&probe, &[0; 16]);
        });
        let each = took.as_nanos() / u128::from(self.passes);
        let passes = match each {
            0 => self.passes,
            each => u32::try_from(target.as_nanos() / each).unwrap_or(MAX_PASSES),
        };
        Self { passes: passes.clamp(self.passes, MAX_PASSES), ..self }
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

    /// The 32 bytes that Argon2id, version 0x13, makes of the password and the salt.
    pub(crate) fn derive(self, password: &Password, salt: &[u8]) -> Result<SecretKey, KdfFailed> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| KdfFailed)?;
        let mut key = SecretKey::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.expose().as_bytes(), salt, key.as_mut_slice())
            .map_err(|_| KdfFailed)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_before_any_work() {
        for (memory, passes, lanes) in [
            (u32::MAX, 3, 4),
            (MAX_MEMORY_KIB + 1, 3, 4),
            (64, 17, 1),
            (64, 0, 1),
            (1024, 1, 17),
            (64, 1, 0),
            (64, u32::MAX, 1),
            (1024, 1, u32::MAX),
            (31, 1, 4),
            (7, 1, 1),
        ] {
            assert!(KdfParams::new(memory, passes, lanes).is_err(), "{memory} {passes} {lanes}");
        }
        assert!(KdfParams::new(MAX_MEMORY_KIB, MAX_PASSES, MAX_LANES).is_ok());
        assert!(KdfParams::new(8, 1, 1).is_ok());
    }

    #[test]
    fn calibration_raises_passes_only() {
        let base = KdfParams::new(32, 3, 4).unwrap();
        let half = |work: &mut dyn FnMut()| {
            work();
            Duration::from_millis(150)
        };
        assert_eq!(base.calibrate(Duration::from_millis(500), half), KdfParams { passes: 10, ..base });
        assert_eq!(base.calibrate(Duration::from_millis(1), half), base);
        assert_eq!(base.calibrate(Duration::from_secs(500), half), KdfParams { passes: 16, ..base });
        assert_eq!(base.calibrate(Duration::from_millis(500), |_| Duration::ZERO), base);
    }

    /// Made with OpenSSL (through Python's cryptography), so that another reader gets the same key.
    #[test]
    fn derives_what_the_reference_derives() {
        let key = KdfParams::new(64, 3, 4).unwrap().derive(&Password::new("password"), b"somesaltsomesalt").unwrap();
        let hex = data_encoding::HEXLOWER.encode(key.as_slice());
        assert_eq!(hex, "9cb56f6cad0c84f51536569e63acbc47d2fdefaeea4b4f711efb5409e37f34ca");
    }
}
