//! A file for another app out.

use std::{path::PathBuf, rc::Rc};

use countersign_core::{
    export::{Loss, Part, Reason},
    secret::SecretText,
    token::GroupId,
    uri::migration,
};
use countersign_ui::{
    AppWindow, BackupGroup, DetailAdapter, LossKind, LossRow, MoveOutAdapter, MoveOutFormat, MoveOutStep, SaveProblem,
};
use slint::{ComponentHandle as _, Image, ModelRc, SharedString, VecModel};

use crate::{
    bind::{Parts, backup, detail::qr_picture},
    controllers::{
        backup::{automatic::typed_path, export::judge},
        moving::export::{self, ExportProblem, Lost},
    },
    models::{badge, look, number},
    platform::Support,
};

/// The format that is shown as QR codes, and not only written.
const GOOGLE: &str = "google";

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    adapter.set_can_choose(parts.services.platform.picker.support() == Support::Supported);
    let formats: Vec<MoveOutFormat> = export::formats()
        .iter()
        .map(|format| MoveOutFormat { id: format.id.into(), encrypted: format.encrypted })
        .collect();
    adapter.set_formats(ModelRc::new(VecModel::from(formats)));
    clear(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_shown(move || {
        let Some(window) = weak.upgrade() else { return };
        show_choice(&window, &of);
    });

    let weak = window.as_weak();
    adapter.on_choose_format(move |index| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<MoveOutAdapter<'_>>().set_format(index);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_group(move |id| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<MoveOutAdapter<'_>>().set_group(id);
        show_choice(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_review(move || {
        let Some(window) = weak.upgrade() else { return };
        review(&window, &of);
    });

    let weak = window.as_weak();
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        judge_password(&window);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_go_on(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<DetailAdapter<'_>>().set_look_needs_password(of.detail.look_needs_password());
        let adapter = window.global::<MoveOutAdapter<'_>>();
        adapter.set_problem(SaveProblem::None);
        adapter.set_step(MoveOutStep::Confirm);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save(move || {
        let Some(window) = weak.upgrade() else { return };
        choose_place(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save_path(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(path) = typed_path(&window.global::<MoveOutAdapter<'_>>().get_path()) {
            save(&window, &of, path);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_turn(move |by| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<MoveOutAdapter<'_>>();
        adapter.set_code_at((adapter.get_code_at() + by).clamp(1, adapter.get_code_count()));
        show_code(&adapter, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_cancel(move || {
        let Some(window) = weak.upgrade() else { return };
        of.move_out.cancel();
        window.global::<MoveOutAdapter<'_>>().set_busy(false);
    });
}

/// Nothing chosen, nothing typed, nothing shown.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.move_out.forget();
    let adapter = window.global::<MoveOutAdapter<'_>>();
    adapter.set_step(MoveOutStep::Choose);
    for set in [
        MoveOutAdapter::set_password,
        MoveOutAdapter::set_again,
        MoveOutAdapter::set_path,
        MoveOutAdapter::set_saved_to,
        MoveOutAdapter::set_group,
    ] {
        set(&adapter, SharedString::new());
    }
    adapter.set_password_shown(false);
    adapter.set_busy(false);
    adapter.set_problem(SaveProblem::None);
    adapter.set_ask_path(!adapter.get_can_choose());
    adapter.set_losses(ModelRc::new(VecModel::<LossRow>::default()));
    adapter.set_code(Image::default());
    judge_password(window);
}

/// From a later step to the choice of a format.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    match adapter.get_step() {
        MoveOutStep::Choose | MoveOutStep::Done => return false,
        MoveOutStep::Confirm => adapter.set_step(MoveOutStep::Review),
        _ => {
            let group = adapter.get_group();
            clear(window, parts);
            adapter.set_group(group);
            show_choice(window, parts);
        }
    }
    true
}

/// The second question was answered: writes the file, or shows the codes.
pub(super) fn granted(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    if adapter.get_step() != MoveOutStep::Confirm {
        return;
    }
    if format(&adapter).id == GOOGLE {
        match parts.move_out.make_codes() {
            Ok(count) => {
                adapter.set_code_at(1);
                adapter.set_code_count(number(count));
                show_code(&adapter, parts);
                adapter.set_step(MoveOutStep::Codes);
            }
            Err(error) => adapter.set_problem(problem(error)),
        }
    } else if adapter.get_ask_path() {
        adapter.invoke_save_path();
    } else {
        choose_place(window, parts);
    }
}

fn show_choice(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    let groups: Vec<BackupGroup> = parts
        .export
        .groups()
        .into_iter()
        .map(|group| BackupGroup { id: group.id.to_string().into(), name: group.name.into() })
        .collect();
    adapter.set_groups(ModelRc::new(VecModel::from(groups)));
    adapter.set_count(number(parts.move_out.count(group(&adapter))));
}

fn review(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    let format = format(&adapter);
    if let Err(error) = parts.move_out.review(format, group(&adapter)) {
        return adapter.set_problem(problem(error));
    }
    let Some(review) = parts.move_out.reviewed() else { return };
    adapter.set_encrypted(format.encrypted);
    adapter.set_written(number(review.written()));
    adapter.set_left_out(number(review.left_out()));
    adapter.set_losses(ModelRc::new(VecModel::from(review.lost.iter().map(loss_row).collect::<Vec<_>>())));
    adapter.set_problem(SaveProblem::None);
    adapter.set_step(MoveOutStep::Review);
}

fn choose_place(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    adapter.set_problem(SaveProblem::None);
    adapter.set_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.move_out.choose(adapter.get_save_title().into(), move |chosen| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<MoveOutAdapter<'_>>();
        // The page was left meanwhile.
        if !adapter.get_busy() {
            return;
        }
        adapter.set_busy(false);
        match chosen {
            Some(Ok(path)) => save(&window, &of, path),
            Some(Err(error)) => {
                adapter.set_ask_path(true);
                adapter.set_problem(problem(error));
            }
            None => {}
        }
    });
}

fn save(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    if adapter.get_busy() || (adapter.get_encrypted() && !adapter.get_can_write()) {
        return;
    }
    adapter.set_problem(SaveProblem::None);
    adapter.set_busy(true);
    // Other apps take a password as it was typed.
    let password = adapter.get_encrypted().then(|| SecretText::new(adapter.get_password().into()));
    let saved_to = path.display().to_string();
    let weak = window.as_weak();
    parts.move_out.save(path, password, move |saved| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<MoveOutAdapter<'_>>();
        adapter.set_busy(false);
        match saved {
            Ok(()) => {
                adapter.set_password("".into());
                adapter.set_again("".into());
                adapter.set_saved_to(saved_to.into());
                adapter.set_step(MoveOutStep::Done);
            }
            Err(error) => adapter.set_problem(problem(error)),
        }
    });
}

fn show_code(adapter: &MoveOutAdapter<'_>, parts: &Parts) {
    let at = usize::try_from(adapter.get_code_at() - 1).unwrap_or(0);
    if let Some(matrix) = parts.move_out.code(at) {
        let (image, modules) = qr_picture(&matrix);
        adapter.set_code(image);
        adapter.set_code_modules(modules);
    }
}

fn judge_password(window: &AppWindow) {
    let adapter = window.global::<MoveOutAdapter<'_>>();
    let worth = judge(&adapter.get_password(), &adapter.get_again(), adapter.get_password_shown());
    adapter.set_strength(worth.strength.map_or(-1, i32::from));
    adapter.set_differs(worth.differs);
    adapter.set_can_write(worth.good);
    adapter.set_problem(SaveProblem::None);
}

fn format(adapter: &MoveOutAdapter<'_>) -> &'static countersign_core::export::Format {
    let formats = export::formats();
    let at = usize::try_from(adapter.get_format()).unwrap_or(0).min(formats.len() - 1);
    &formats[at]
}

fn group(adapter: &MoveOutAdapter<'_>) -> Option<GroupId> {
    adapter.get_group().parse().ok()
}

fn loss_row(lost: &Lost) -> LossRow {
    let spec = &lost.spec;
    let (title, account) =
        if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
    let (kind, detail) = match &lost.loss {
        None => (LossKind::KeptHere, String::new()),
        Some(Loss::LeftOut(reason)) => left_out(reason),
        Some(Loss::Without(part)) => (without(*part), String::new()),
        Some(_) => (LossKind::Parameters, String::new()),
    };
    LossRow {
        title: title.into(),
        account: account.into(),
        look: look(&spec.issuer, &spec.account, lost.icon.as_deref()),
        kind,
        detail: detail.into(),
    }
}

fn left_out(reason: &Reason) -> (LossKind, String) {
    match reason {
        Reason::Kind(kind) | Reason::Google(migration::Reason::Kind(kind)) => {
            (LossKind::OtherKind, badge(*kind).to_owned())
        }
        Reason::Digits { digits, .. } | Reason::Google(migration::Reason::Digits(digits)) => {
            (LossKind::Digits, digits.to_string())
        }
        Reason::Period { seconds, .. } | Reason::Google(migration::Reason::Period(seconds)) => {
            (LossKind::Period, seconds.to_string())
        }
        Reason::Counter(_) | Reason::Google(migration::Reason::Counter(_)) => (LossKind::Counter, String::new()),
        Reason::SameSecret(other) => (LossKind::SameSecret, other.clone()),
        Reason::PinMissing => (LossKind::NoPin, String::new()),
        other => (LossKind::OtherKind, other.to_string()),
    }
}

fn without(part: Part) -> LossKind {
    match part {
        Part::Groups => LossKind::Groups,
        Part::MoreGroups => LossKind::MoreGroups,
        Part::Note => LossKind::Note,
        Part::Favourite => LossKind::Favourite,
        Part::Issuer => LossKind::Issuer,
        Part::LongName => LossKind::LongName,
        _ => LossKind::Parameters,
    }
}

fn problem(problem: ExportProblem) -> SaveProblem {
    match problem {
        ExportProblem::Locked => SaveProblem::Locked,
        ExportProblem::Memory => SaveProblem::Memory,
        ExportProblem::TooLong => SaveProblem::TooLong,
        ExportProblem::Unsound => SaveProblem::Unsound,
        ExportProblem::NoDialog => SaveProblem::NoDialog,
        ExportProblem::File(trouble) => backup::file_problem(trouble),
    }
}
