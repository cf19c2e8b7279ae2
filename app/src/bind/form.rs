//! The form of a token, between the window's values and the controllers'.

use countersign_core::token::{Algorithm, KindName, SecretError};
use countersign_ui::{FormFault, SecretProblem};

use crate::{
    controllers::form::{self, Checked},
    models::number,
};

/// The hashes in the order in which they are offered.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

/// The kind at that place of the choice.
pub(super) fn kind(place: i32) -> KindName {
    at(&KindName::ALL, place)
}

/// The place of a kind in the choice.
pub(super) fn place_of_kind(kind: KindName) -> i32 {
    place(&KindName::ALL, &kind)
}

/// The hash at that place of the choice.
pub(super) fn algorithm(place: i32) -> Algorithm {
    at(&ALGORITHMS, place)
}

/// The place of a hash in the choice.
pub(super) fn place_of_algorithm(algorithm: Algorithm) -> i32 {
    place(&ALGORITHMS, &algorithm)
}

/// What is wrong with a form.
pub(super) fn fault(checked: &Checked) -> FormFault {
    let mut fault = FormFault {
        digits_wrong: checked.digits_wrong,
        period_wrong: checked.period_wrong,
        counter_wrong: checked.counter_wrong,
        ..FormFault::default()
    };
    fault.secret = match &checked.secret {
        None => SecretProblem::None,
        Some(form::SecretProblem::Link) => SecretProblem::BadLink,
        Some(form::SecretProblem::Secret(SecretError::Character { position, character, suggestions })) => {
            let meant = |at: usize| suggestions.get(at).map(|c| c.to_string()).unwrap_or_default().into();
            fault.position = number(*position);
            fault.character = character.to_string().into();
            fault.meant_first = meant(0);
            fault.meant_second = meant(1);
            SecretProblem::Character
        }
        Some(form::SecretProblem::Secret(SecretError::OddHex)) => SecretProblem::OddHex,
        Some(form::SecretProblem::Secret(_)) => SecretProblem::TooLong,
    };
    fault
}

fn at<T: Copy, const N: usize>(all: &[T; N], place: i32) -> T {
    usize::try_from(place).ok().and_then(|place| all.get(place)).copied().unwrap_or(all[0])
}

fn place<T: PartialEq>(all: &[T], one: &T) -> i32 {
    all.iter().position(|other| other == one).and_then(|place| i32::try_from(place).ok()).unwrap_or(0)
}
