//! The encrypted vault: its file, its slots, its content, and the session that holds it open.
//!
//! The byte format is in `core/docs/vault.md`.

pub(crate) mod cipher;
pub mod content;
mod copy;
mod file;
#[cfg(test)]
mod fixtures;
mod json;
pub mod kdf;
pub mod ledger;
mod recovery;
pub mod session;
mod slot;
pub mod store;
mod verify;

pub use content::Content;
pub use copy::{CopyInfo, CopyKey, inspect_copy, looks_like_copy, open_copy};
pub use kdf::KdfParams;
pub use recovery::RecoveryKeyError;
pub use session::Session;
pub use slot::{SlotInfo, SlotKind};
pub use verify::{GenerationContent, GenerationReport, newest_good, verify};

#[cfg(test)]
pub(crate) mod testing {
    //! Randomness that a test can repeat.

    use sha2::{Digest, Sha256};

    /// SHA-256 of a seed and a counter.
    pub(crate) struct Seeded {
        seed: u64,
        counter: u64,
    }

    impl Seeded {
        pub(crate) fn new(seed: u64) -> Self {
            Self { seed, counter: 0 }
        }
    }

    impl rand_core::TryRng for Seeded {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for chunk in bytes.chunks_mut(32) {
                let block =
                    Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(self.counter.to_le_bytes());
                self.counter += 1;
                chunk.copy_from_slice(&block.finalize()[..chunk.len()]);
            }
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Seeded {}
}
