//! What the tests of importers share.

use countersign_core::{
    import::{self, Format, ImportError, Outcome, Source, Unlock},
    secret::SecretText,
    token::{Kind, TokenSpec},
};
use rand_core::{TryCryptoRng, TryRng};

/// The time of every test, in Unix seconds.
pub(super) const NOW: u64 = 1_790_000_000;

/// Counts upwards: randomness that repeats.
#[derive(Default)]
pub(crate) struct Counting(u64);

impl TryRng for Counting {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 += 1;
        Ok(self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// Reads a file by its content.
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Source, ImportError> {
    read_as(bytes, None, password)
}

/// Reads a file as a format.
pub(super) fn read_as(bytes: &[u8], format: Option<&Format>, password: Option<&str>) -> Result<Source, ImportError> {
    let password = password.map(|password| SecretText::new(password.to_owned()));
    import::read(bytes, format, Unlock { password: password.as_ref(), allow_costly: false })
}

/// The tokens of a source; one that could not be read fails the test.
pub(super) fn specs(source: &Source) -> Vec<TokenSpec> {
    let spec = |record: &countersign_core::import::Record| match &record.outcome {
        Outcome::Token(draft) => draft.spec.clone(),
        Outcome::Unreadable(unread) => panic!("{}: {}", record.name, unread.problem),
    };
    source.records.iter().map(spec).collect()
}

/// A token in a line: issuer, account, kind, algorithm, digits, period or counter, secret.
pub(super) fn line(spec: &TokenSpec) -> String {
    let kind = &spec.kind;
    let rest = match kind {
        Kind::Totp { algorithm, digits, period } => format!("{algorithm} {digits} {period}"),
        Kind::Hotp { algorithm, digits, counter } => format!("{algorithm} {digits} c{counter}"),
        _ => String::new(),
    };
    let name = format!("{}/{} {}", spec.issuer, spec.account, kind.name());
    format!("{name} {rest} {}", spec.secret.base32().expose()).replace("  ", " ")
}
