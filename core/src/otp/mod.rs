//! Codes: one algorithm a file, with the published vectors beside it.

use crate::{secret::SecretText, token::TokenSpec};

/// One code and when it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    text: SecretText,
    stands: Option<Stands>,
}

/// The Unix seconds in which a time-based code stands: `from..until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Its first second.
    pub from: u64,
    /// The second in which the next code takes over.
    pub until: u64,
}

impl Code {
    /// The code as it is typed into a form: digits or letters, nothing between.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// The code as it is shown, in groups: `492 871`, `8841 0276`, `7 104 882`; letters stay together.
    pub fn grouped(&self) -> SecretText {
        todo!()
    }

    /// When it stands; `None` for a counter-based code.
    pub fn stands(&self) -> Option<Stands> {
        self.stands
    }
}

/// Why there is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// mOTP and Yandex need the PIN.
    #[error("the token has no PIN")]
    PinMissing,
    /// A Yandex secret that has neither 16 nor 26 bytes.
    #[error("a Yandex secret has 16 or 26 bytes, this one has {0}")]
    SecretLength(usize),
}

impl TokenSpec {
    /// The code at `at` Unix seconds; for a counter-based token the code of its counter.
    pub fn code_at(&self, at: u64) -> Result<Code, CodeError> {
        let _ = at;
        todo!()
    }

    /// The code after that one: of the next step, or of the next counter.
    pub fn next_code_at(&self, at: u64) -> Result<Code, CodeError> {
        let _ = at;
        todo!()
    }
}
