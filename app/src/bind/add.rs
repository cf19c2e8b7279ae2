//! The pages of adding.

use std::{path::PathBuf, rc::Rc};

use countersign_core::{
    secret::SecretText,
    token::{Algorithm, KindName, SecretError},
    uri::Parsed,
};
use countersign_ui::{AddAdapter, AppWindow, FoundRow, Notice, Page, PictureProblem, SecretProblem};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::{Parts, navigation::show, notice, tell_change, tokens};
use crate::{
    controllers::add::{self, Checked, FileProblem, Form, Found},
    models::{badge, colour, initial, parameters},
    platform::Support,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_can_choose(parts.services.picker.support() == Support::Supported);
    clear(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_picture(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        adapter.set_picture_problem(PictureProblem::None);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.add.choose_picture(move |chosen| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<AddAdapter<'_>>().set_busy(false);
            match chosen {
                Some(Ok(path)) => read(&window, &parts, path),
                Some(Err(problem)) => show_problem(&window, problem),
                None => {}
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_path(move || {
        let Some(window) = weak.upgrade() else { return };
        let typed = window.global::<AddAdapter<'_>>().get_path();
        // File managers copy a path with quotes or as a file address.
        let path = typed.trim().trim_matches(['"', '\'']);
        let path = path.strip_prefix("file://").unwrap_or(path);
        if !path.is_empty() {
            read(&window, &of, PathBuf::from(path));
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_parts(move || {
        let Some(window) = weak.upgrade() else { return };
        show_found(&window, &of);
    });

    let weak = window.as_weak();
    adapter.on_path_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AddAdapter<'_>>().set_picture_problem(PictureProblem::None);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_form_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        let checked = of.add.check(&form(&adapter));
        show_checked(&adapter, &checked);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_preview(move || {
        let Some(window) = weak.upgrade() else { return };
        let checked = of.add.check(&form(&window.global::<AddAdapter<'_>>()));
        if !checked.tokens.is_empty() {
            of.add.preview(checked.tokens);
            show_found(&window, &of);
        }
    });

    let weak = window.as_weak();
    adapter.on_name_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        rename_first(&window.global::<AddAdapter<'_>>());
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        match of.add.confirm(&adapter.get_found_issuer(), &adapter.get_found_account()) {
            Ok(count) => {
                clear(&window, &of);
                of.list.clear();
                tokens::clear(&window, &of);
                let last = of.tokens.content().and_then(|content| content.tokens().last().map(|t| t.id.to_string()));
                show(&window, Page::Tokens);
                tokens::select(&window, &of, &last.unwrap_or_default());
                notice(&window, Notice::Added, count);
            }
            Err(error) => tell_change(&window, error),
        }
    });
}

/// Begins anew: nothing typed, nothing found.
pub(super) fn begin(window: &AppWindow, parts: &Parts) {
    clear(window, parts);
}

/// Empties every field and what was found; the secret among them.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.add.forget();
    let adapter = window.global::<AddAdapter<'_>>();
    for set in [
        AddAdapter::set_path,
        AddAdapter::set_issuer,
        AddAdapter::set_account,
        AddAdapter::set_secret,
        AddAdapter::set_pin,
        AddAdapter::set_found_issuer,
        AddAdapter::set_found_account,
    ] {
        set(&adapter, SharedString::new());
    }
    adapter.set_digits("6".into());
    adapter.set_period("30".into());
    adapter.set_counter("0".into());
    adapter.set_kind(0);
    adapter.set_algorithm(0);
    adapter.set_advanced(false);
    adapter.set_busy(false);
    adapter.set_picture_problem(PictureProblem::None);
    show_checked(&adapter, &Checked::default());
    adapter.set_found(ModelRc::new(VecModel::from(Vec::new())));
    adapter.set_unreadable(0);
    adapter.set_new_count(0);
}

/// Renews the codes of the preview.
pub(super) fn renew_found(window: &AppWindow, parts: &Parts) {
    if !parts.add.found().is_empty() {
        fill_found(window, parts);
        rename_first(&window.global::<AddAdapter<'_>>());
    }
}

fn read(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    window.global::<AddAdapter<'_>>().set_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.add.read_file(path, move |result| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AddAdapter<'_>>().set_busy(false);
        match result {
            Ok(()) => show_found(&window, &of),
            Err(problem) => show_problem(&window, problem),
        }
    });
}

fn show_problem(window: &AppWindow, problem: FileProblem) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_picture_problem(match problem {
        FileProblem::CannotOpen => PictureProblem::CannotOpen,
        FileProblem::NoDialog => PictureProblem::NoDialog,
        FileProblem::NotAPicture => PictureProblem::NotAPicture,
        FileProblem::TooLarge => PictureProblem::TooLarge,
        FileProblem::Damaged => PictureProblem::Damaged,
        FileProblem::NoCode => PictureProblem::NoCode,
        FileProblem::WebAddress => PictureProblem::WebAddress,
        FileProblem::NoToken => PictureProblem::NoToken,
        FileProblem::BadLink => PictureProblem::BadLink,
        FileProblem::Backup => PictureProblem::Backup,
        FileProblem::PartsMissing(have, of) => {
            adapter.set_parts_have(i32::try_from(have).unwrap_or(i32::MAX));
            adapter.set_parts_of(i32::try_from(of).unwrap_or(i32::MAX));
            PictureProblem::PartsMissing
        }
    });
}

fn form(adapter: &AddAdapter<'_>) -> Form {
    let choice = |index: i32| usize::try_from(index).unwrap_or(0);
    Form {
        issuer: adapter.get_issuer().into(),
        account: adapter.get_account().into(),
        secret: SecretText::new(adapter.get_secret().into()),
        kind: KindName::ALL.get(choice(adapter.get_kind())).copied().unwrap_or(KindName::Totp),
        algorithm: *[Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
            .get(choice(adapter.get_algorithm()))
            .unwrap_or(&Algorithm::Sha1),
        digits: adapter.get_digits().into(),
        period: adapter.get_period().into(),
        counter: adapter.get_counter().into(),
        pin: SecretText::new(adapter.get_pin().into()),
    }
}

fn show_checked(adapter: &AddAdapter<'_>, checked: &Checked) {
    let problem = match &checked.secret {
        None => SecretProblem::None,
        Some(add::SecretProblem::Link) => SecretProblem::BadLink,
        Some(add::SecretProblem::Secret(SecretError::Character { position, character, suggestions })) => {
            let meant = |at: usize| suggestions.get(at).map(|c| c.to_string()).unwrap_or_default().into();
            adapter.set_wrong_position(i32::try_from(*position).unwrap_or(i32::MAX));
            adapter.set_wrong_character(character.to_string().into());
            adapter.set_meant_first(meant(0));
            adapter.set_meant_second(meant(1));
            SecretProblem::Character
        }
        Some(add::SecretProblem::Secret(SecretError::OddHex)) => SecretProblem::OddHex,
        Some(add::SecretProblem::Secret(_)) => SecretProblem::TooLong,
    };
    adapter.set_secret_problem(problem);
    adapter.set_digits_wrong(checked.digits_wrong);
    adapter.set_period_wrong(checked.period_wrong);
    adapter.set_counter_wrong(checked.counter_wrong);
    adapter.set_can_preview(!checked.tokens.is_empty());
}

fn show_found(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AddAdapter<'_>>();
    fill_found(window, parts);
    if let [one] = parts.add.found().as_slice() {
        adapter.set_found_issuer(one.parsed.spec.issuer.as_str().into());
        adapter.set_found_account(one.parsed.spec.account.as_str().into());
    }
    show(window, Page::Found);
}

fn fill_found(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AddAdapter<'_>>();
    let found = parts.add.found();
    let rows: Vec<FoundRow> = found.iter().map(|found| found_row(parts, found)).collect();
    let new = found.iter().filter(|found| !found.already_there).count();
    adapter.set_new_count(i32::try_from(new).unwrap_or(i32::MAX));
    adapter.set_unreadable(i32::try_from(parts.add.unreadable()).unwrap_or(i32::MAX));
    adapter.set_found(ModelRc::new(VecModel::from(rows)));
}

fn found_row(parts: &Parts, found: &Found) -> FoundRow {
    let Found { parsed: Parsed { spec, warnings }, already_there } = found;
    let title = if spec.issuer.is_empty() { &spec.account } else { &spec.issuer };
    let code = spec.code_at(parts.tokens.now()).ok();
    let stands = code.as_ref().and_then(|code| code.stands());
    FoundRow {
        title: title.into(),
        account: spec.account.as_str().into(),
        letter: initial(title).into(),
        colour: colour(title),
        code: code.map(|code| code.grouped().expose().into()).unwrap_or_default(),
        period: stands.map_or(0, |s| i32::try_from(s.until - s.from).unwrap_or(i32::MAX)),
        until: stands.map_or(0, |s| parts.list.seconds(s.until)),
        badge: badge(spec.kind.name()).into(),
        parameters: parameters(spec).into(),
        already_there: *already_there,
        warning: !warnings.is_empty(),
    }
}

/// The head of the preview follows what is typed below it.
fn rename_first(adapter: &AddAdapter<'_>) {
    use slint::Model as _;

    let rows = adapter.get_found();
    let Some(mut row) = rows.row_data(0).filter(|_| rows.row_count() == 1) else { return };
    let (issuer, account) = (adapter.get_found_issuer(), adapter.get_found_account());
    let title = if issuer.trim().is_empty() { account.clone() } else { issuer };
    row.letter = initial(&title).into();
    row.colour = colour(&title);
    row.title = title;
    row.account = account;
    rows.set_row_data(0, row);
}
