//! Why nothing could be added, in the window's words.

use std::rc::Rc;

use countersign_core::intake::KnownThing;
use countersign_ui::{AddAdapter, AddProblem, AppWindow};
use slint::ComponentHandle as _;

use super::Parts;
use crate::{
    bind::account,
    controllers::{add, problem::LinkFault},
    models::number,
};

/// Shows it where the page that is shown has its place for it. An enrollment link is none: it leads to its server.
pub(super) fn show(window: &AppWindow, parts: &Rc<Parts>, problem: add::AddProblem) {
    if problem == add::AddProblem::Known(KnownThing::Enrollment)
        && let Some(link) = parts.add.enrollment()
    {
        return account::follow(window, parts, link.expose());
    }
    let adapter = window.global::<AddAdapter<'_>>();
    if let add::AddProblem::Known(KnownThing::OtherApp(name)) = problem {
        adapter.set_other_app(name.into());
    }
    if let add::AddProblem::PartsMissing(have, of) = problem {
        adapter.set_parts_have(number(have));
        adapter.set_parts_of(number(of));
    }
    adapter.set_problem(shown(problem));
}

fn shown(problem: add::AddProblem) -> AddProblem {
    use add::AddProblem as P;
    match problem {
        P::CannotOpen => AddProblem::CannotOpen,
        P::NoDialog => AddProblem::NoDialog,
        P::NotAPicture => AddProblem::NotAPicture,
        P::TooLarge => AddProblem::TooLarge,
        P::Damaged => AddProblem::Damaged,
        P::Export => AddProblem::NotAPicture,
        P::ScreenRefused => AddProblem::ScreenRefused,
        P::ThoughtBetter => AddProblem::None,
        P::ClipboardEmpty => AddProblem::ClipboardEmpty,
        P::ClipboardRefused => AddProblem::ClipboardRefused,
        P::ClipboardMissing => AddProblem::ClipboardMissing,
        P::NoCode => AddProblem::NoCode,
        P::Binary => AddProblem::Binary,
        P::PartsMissing(..) => AddProblem::PartsMissing,
        P::NoToken => AddProblem::NoToken,
        P::BadExport => AddProblem::BadExport,
        P::Known(thing) => known(thing),
        P::Link(fault) => link(fault),
    }
}

fn known(thing: KnownThing) -> AddProblem {
    match thing {
        KnownThing::WebAddress => AddProblem::WebAddress,
        KnownThing::Wifi => AddProblem::Wifi,
        KnownThing::Mail => AddProblem::Mail,
        KnownThing::Telephone => AddProblem::Telephone,
        KnownThing::Contact => AddProblem::Contact,
        KnownThing::Calendar => AddProblem::Calendar,
        KnownThing::Location => AddProblem::Location,
        KnownThing::Passkey => AddProblem::Passkey,
        KnownThing::Payment => AddProblem::Payment,
        KnownThing::Esim => AddProblem::Esim,
        KnownThing::SmartHome => AddProblem::SmartHome,
        KnownThing::OtherApp(_) => AddProblem::OtherApp,
        KnownThing::Transfer => AddProblem::Transfer,
        KnownThing::Enrollment => AddProblem::Enrollment,
        KnownThing::Backup => AddProblem::Backup,
        KnownThing::Vault => AddProblem::Vault,
        KnownThing::BareSecret => AddProblem::BareSecret,
        _ => AddProblem::NoToken,
    }
}

fn link(fault: LinkFault) -> AddProblem {
    match fault {
        LinkFault::Unclear => AddProblem::Unclear,
        LinkFault::Other => AddProblem::BadLink,
        LinkFault::Type => AddProblem::LinkType,
        LinkFault::SecretMissing => AddProblem::LinkSecretMissing,
        LinkFault::Secret => AddProblem::LinkSecret,
        LinkFault::Algorithm => AddProblem::LinkAlgorithm,
        LinkFault::Digits => AddProblem::LinkDigits,
        LinkFault::Period => AddProblem::LinkPeriod,
        LinkFault::Counter => AddProblem::LinkCounter,
        LinkFault::Pin => AddProblem::LinkPin,
        LinkFault::MicrosoftPush => AddProblem::MicrosoftPush,
        LinkFault::PrivacyIdeaPush => AddProblem::PrivacyideaPush,
        LinkFault::PrivacyIdeaBackup => AddProblem::PrivacyideaBackup,
        LinkFault::DayPassword => AddProblem::DayPassword,
    }
}
