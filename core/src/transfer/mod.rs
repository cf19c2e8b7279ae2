//! Tokens from one Countersign to another, as QR codes that one screen shows and the other's camera reads. No network.
//!
//! The receiver shows its public key, the sender answers with a greeting, and both show the same code of ten digits.
//! When the person has seen that the codes agree and has said so on both sides, the sender shows frames of what it
//! encrypted to that key. Any few frames more than there are pieces will do, in any order. What somebody films of both
//! screens opens nothing. `core/docs/transfer.md` has the bytes, and what holds against whom.

mod frame;
mod receiver;
mod sender;

pub use frame::{FrameError, MAX_BYTES, is_frame};
pub use receiver::{Receiver, Taken};
pub use sender::{Greeting, SendError, Sender};

use crate::{
    secret::Password,
    vault::{KdfParams, kdf::KdfFailed},
};
use frame::{KEY_BYTES, Session};

/// What both sides show, to be compared by the person: ten digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Works it out from both public keys. Argon2id makes each attempt at another key with the same code as dear as an
    /// attempt at a password; there are 2^33 codes, and the keys live as long as the page is open.
    fn of(receiver: &[u8; KEY_BYTES], sender: &[u8; KEY_BYTES]) -> Result<Self, KdfFailed> {
        let keys = data_encoding::HEXLOWER.encode(&[*receiver, *sender].concat());
        let key = KdfParams::RECOMMENDED.derive(&Password::new(&keys), b"countersign-transfer/1/code")?;
        let number = key.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes)) % 10_000_000_000;
        Ok(Self(format!("{:05} {:05}", number / 100_000, number % 100_000)))
    }

    /// Two groups of five digits.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What HPKE binds the encryption to, besides the keys.
const INFO: &[u8] = b"countersign-transfer/1/content";

fn session(receiver: &[u8; KEY_BYTES], sender: &[u8; KEY_BYTES]) -> Session {
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::new().chain_update(INFO).chain_update(receiver).chain_update(sender).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}
