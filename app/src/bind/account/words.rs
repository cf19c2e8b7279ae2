//! What a person reads of an error.

use countersign_core::uri::enroll::EnrollError;
use countersign_ui::AccountProblem;

use crate::{
    api::{Failure, address::AddressError},
    controllers::{ChangeError, account::AccountError},
    models::number,
};

/// A problem and what it is about.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) problem: Option<AccountProblem>,
    pub(super) detail: String,
    pub(super) seconds: i32,
}

pub(super) fn of(error: &AccountError) -> Told {
    let mut told = Told::default();
    told.problem = Some(match error {
        AccountError::Address(AddressError::Empty) => AccountProblem::AddressEmpty,
        AccountError::Address(AddressError::NotEncrypted) => AccountProblem::NotEncrypted,
        AccountError::Address(AddressError::TooMuch) => AccountProblem::AddressTooMuch,
        AccountError::Address(_) | AccountError::Link(EnrollError::Other) => AccountProblem::AddressUnreadable,
        AccountError::Link(_) => AccountProblem::LinkNotWhole,
        AccountError::Vault(ChangeError::PasswordChanged) => AccountProblem::ChangedElsewhere,
        AccountError::Vault(_) => AccountProblem::NotSaved,
        AccountError::Gone => AccountProblem::RegistrationEnded,
        AccountError::Server(failure) => {
            told.seconds = failure.retry_after().map_or(0, number);
            server(failure, &mut told.detail)
        }
    });
    told
}

fn server(failure: &Failure, detail: &mut String) -> AccountProblem {
    match failure {
        Failure::Unreachable(_) => AccountProblem::Unreachable,
        Failure::TimedOut => AccountProblem::TimedOut,
        Failure::Untrusted(_) => AccountProblem::Untrusted,
        Failure::CertificateChanged(_) => AccountProblem::CertificateChanged,
        Failure::Strange => AccountProblem::Stranger,
        Failure::OtherAddress(address) => {
            detail.clone_from(address);
            AccountProblem::OtherAddress
        }
        Failure::Busy { .. } => AccountProblem::Busy,
        Failure::Keyring(_) => AccountProblem::Keyring,
        Failure::Refused(error) => match &*error.code {
            "credentials_wrong" => AccountProblem::Credentials,
            "too_many_messages" => AccountProblem::TooManyMessages,
            "sms_wrong" => AccountProblem::SmsWrong,
            "code_wrong" => AccountProblem::CodeWrong,
            "registration_ended" => AccountProblem::RegistrationEnded,
            "token_bound_elsewhere" => AccountProblem::BoundElsewhere,
            "signature_wrong" => AccountProblem::Signature,
            "link_ended" => AccountProblem::LinkEnded,
            "session_ended" => AccountProblem::SessionEnded,
            "request_timeout" => AccountProblem::TimedOut,
            "unavailable" => AccountProblem::Busy,
            "internal" => AccountProblem::ServerFailed,
            code => {
                // A code of a newer server: what it says is at least something to ask about.
                detail.push_str(code);
                AccountProblem::Refused
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use countersign_wire::v1::ApiError;

    use super::*;

    #[test]
    fn a_code_of_a_newer_server_is_passed_on() {
        let refused = |code: &str| {
            of(&AccountError::Server(Failure::Refused(ApiError {
                code: code.into(),
                message: String::new(),
                field: None,
                retry_after: Some(30),
            })))
        };
        assert_eq!(refused("sms_wrong").problem, Some(AccountProblem::SmsWrong));
        assert_eq!(refused("sms_wrong").seconds, 30);
        let new = refused("moon_phase");
        assert_eq!((new.problem, &*new.detail), (Some(AccountProblem::Refused), "moon_phase"));
    }
}
