//! Changing a token.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use countersign_core::{
    matching::fold,
    secret::SecretText,
    token::{KindName, TokenSecret},
};
use countersign_ui::{
    AppWindow, AvatarLook, DetailAdapter, DetailOver, EditProblem, FormFault, GroupChoice, IconChoice, Page,
};
use slint::{ComponentHandle as _, Model as _, ModelRc, SharedString, VecModel};

use super::selected;
use crate::{
    bind::{
        Parts, account, form,
        navigation::{self, page},
        notice, tokens,
    },
    controllers::{
        ChangeError,
        detail::{Draft, GroupDraft, SaveProblem},
        form::Form,
    },
    icons,
    models::look,
};

/// Where the page was about to be left for, when it was asked whether to lose what was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bind) enum Leave {
    /// The page before.
    Back,
    /// This page.
    For(Page),
    /// The program was to end.
    Quit,
}

/// What the page of changing holds that the window does not.
#[derive(Default)]
pub(in crate::bind) struct EditState {
    /// The groups, as they are offered.
    groups: RefCell<Vec<GroupDraft>>,
    /// The kind that the secret in the form is written for.
    kind: Cell<i32>,
    leave: RefCell<Option<Leave>>,
}

/// Icons that are shown at once.
const ICONS: usize = 48;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    clear(&adapter, parts);
    let on = |act: fn(&AppWindow, &Rc<Parts>)| {
        let (weak, of) = (window.as_weak(), parts.clone());
        move || {
            if let Some(window) = weak.upgrade() {
                act(&window, &of);
            }
        }
    };
    adapter.on_edit(on(begin));
    adapter.on_show_server(on(|window, parts| {
        let server = window.global::<DetailAdapter<'_>>().get_detail().server;
        account::show_server_of(window, parts, &server);
    }));
    adapter.on_form_edited(on(edited));
    adapter.on_save(on(save));
    adapter.on_discard(on(discard));

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_group(move |index| {
        let Some(window) = weak.upgrade() else { return };
        let choices = window.global::<DetailAdapter<'_>>().get_group_choices();
        let Ok(index) = usize::try_from(index) else { return };
        if let Some(choice) = choices.row_data(index) {
            choices.set_row_data(index, GroupChoice { chosen: !choice.chosen, ..choice });
        }
        edited(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add_group(move |name| {
        let Some(window) = weak.upgrade() else { return };
        add_group(&window, &of, name.trim());
        edited(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_search_icons(move |query| {
        let Some(window) = weak.upgrade() else { return };
        show_icons(&window, &of, &query);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_icon(move |slug| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<DetailAdapter<'_>>();
        adapter.set_icon(slug);
        adapter.set_icons_open(false);
        edited(&window, &of);
    });
}

/// Nothing of the token that was changed, its secret least of all.
pub(super) fn clear(adapter: &DetailAdapter<'_>, parts: &Parts) {
    *parts.detail.edit.borrow_mut() = None;
    parts.edit.groups.borrow_mut().clear();
    *parts.edit.leave.borrow_mut() = None;
    for set in [
        DetailAdapter::set_issuer,
        DetailAdapter::set_account,
        DetailAdapter::set_note,
        DetailAdapter::set_secret,
        DetailAdapter::set_pin,
        DetailAdapter::set_digits,
        DetailAdapter::set_period,
        DetailAdapter::set_counter,
        DetailAdapter::set_icon,
        DetailAdapter::set_icon_query,
        DetailAdapter::set_trial_code,
    ] {
        set(adapter, SharedString::new());
    }
    for set in [
        DetailAdapter::set_secret_shown,
        DetailAdapter::set_secret_asked,
        DetailAdapter::set_has_pin,
        DetailAdapter::set_advanced,
        DetailAdapter::set_icons_open,
        DetailAdapter::set_edited,
        DetailAdapter::set_can_save,
        DetailAdapter::set_nameless,
        DetailAdapter::set_secretless,
    ] {
        set(adapter, false);
    }
    adapter.set_fault(FormFault::default());
    adapter.set_edit_problem(EditProblem::None);
    for set in [DetailAdapter::set_edit_look, DetailAdapter::set_automatic_look, DetailAdapter::set_letter_look] {
        set(adapter, AvatarLook::default());
    }
    adapter.set_group_choices(ModelRc::new(VecModel::from(Vec::new())));
    adapter.set_icons(ModelRc::new(VecModel::from(Vec::new())));
}

/// The code of the changed parameters runs on.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if page(window) == Page::Edit && !window.global::<DetailAdapter<'_>>().get_trial_code().is_empty() {
        judge(window, parts);
    }
}

/// Whether leaving would lose something.
pub(super) fn is_changed(adapter: &DetailAdapter<'_>) -> bool {
    adapter.get_edited()
}

/// A step back within the page; says whether that was all.
pub(super) fn back(window: &AppWindow, parts: &Parts) -> bool {
    let adapter = window.global::<DetailAdapter<'_>>();
    if page(window) == Page::Edit && adapter.get_icons_open() {
        adapter.set_icons_open(false);
        return true;
    }
    !may_leave(window, parts, Leave::Back)
}

/// Whether the page may be left; where it may not yet, it is asked.
pub(super) fn may_leave(window: &AppWindow, parts: &Parts, leave: Leave) -> bool {
    let adapter = window.global::<DetailAdapter<'_>>();
    if page(window) != Page::Edit || !is_changed(&adapter) {
        return true;
    }
    *parts.edit.leave.borrow_mut() = Some(leave);
    adapter.set_over(DetailOver::Leave);
    false
}

/// The second look was granted: the secret can be seen and changed.
pub(super) fn show_secret(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let kind = form::kind(adapter.get_kind());
    let text = parts.detail.edit.borrow_mut().as_mut().map(|edit| edit.show_secret(kind));
    let Some(text) = text else { return };
    adapter.set_secret(text.expose().into());
    adapter.set_secret_shown(true);
    adapter.set_secret_asked(false);
    judge(window, parts);
}

fn begin(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    if page(window) == Page::Edit {
        return;
    }
    clear(&adapter, parts);
    if !selected(parts).is_some_and(|id| parts.detail.begin_edit(id)) {
        return;
    }
    navigation::go(window, parts, Page::Edit);
    if let Some(edit) = parts.detail.edit.borrow().as_ref() {
        let Draft { form, note, groups, favourite, icon } = edit.draft();
        adapter.set_issuer(form.issuer.into());
        adapter.set_account(form.account.into());
        adapter.set_note(note.into());
        adapter.set_favourite(favourite);
        adapter.set_icon(icon.unwrap_or_default().into());
        adapter.set_kind(form::place_of_kind(form.kind));
        parts.edit.kind.set(adapter.get_kind());
        adapter.set_algorithm(form::place_of_algorithm(form.algorithm));
        adapter.set_digits(form.digits.into());
        adapter.set_period(form.period.into());
        adapter.set_counter(form.counter.into());
        adapter.set_has_pin(edit.before().spec.kind.pin().is_some());
        adapter.set_look_needs_password(parts.detail.look_needs_password());
        show_groups(&adapter, parts, &groups);
    }
    judge(window, parts);
}

fn show_groups(adapter: &DetailAdapter<'_>, parts: &Parts, chosen: &[GroupDraft]) {
    let Some(content) = parts.tokens.content() else { return };
    let known = content.groups().iter().map(|group| (GroupDraft::Known(group.id), group.name.as_str()));
    let (drafts, choices): (Vec<_>, Vec<_>) = known
        .map(|(draft, name)| {
            let choice = GroupChoice { name: name.into(), chosen: chosen.contains(&draft) };
            (draft, choice)
        })
        .unzip();
    *parts.edit.groups.borrow_mut() = drafts;
    adapter.set_group_choices(ModelRc::new(VecModel::from(choices)));
}

/// Puts the token into a group of that name, which is made by the save where there is none.
fn add_group(window: &AppWindow, parts: &Parts, name: &str) {
    if name.is_empty() {
        return;
    }
    let choices = window.global::<DetailAdapter<'_>>().get_group_choices();
    let folded = fold(name);
    if let Some((at, choice)) = choices.iter().enumerate().find(|(_, choice)| fold(&choice.name) == folded) {
        choices.set_row_data(at, GroupChoice { chosen: true, ..choice });
        return;
    }
    if let Some(choices) = choices.as_any().downcast_ref::<VecModel<GroupChoice>>() {
        parts.edit.groups.borrow_mut().push(GroupDraft::New(name.to_owned()));
        choices.push(GroupChoice { name: name.into(), chosen: true });
    }
}

fn edited(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    adapter.set_edit_problem(EditProblem::None);
    let kind = form::kind(adapter.get_kind());
    let before = form::kind(parts.edit.kind.replace(adapter.get_kind()));
    if adapter.get_secret_shown()
        && (kind == KindName::Motp) != (before == KindName::Motp)
        && let Some(secret) = recoded(&adapter.get_secret(), kind)
    {
        adapter.set_secret(secret.expose().into());
    }
    judge(window, parts);
}

fn judge(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let edit = parts.detail.edit.borrow();
    let Some(edit) = edit.as_ref() else { return };
    let draft = draft(&adapter, parts);
    let judged = edit.judge(&draft);
    let trial = judged.spec.as_ref().filter(|spec| judged.other_codes && spec.kind.counter().is_none());
    let trial = trial.and_then(|spec| spec.code_at(parts.tokens.now()).ok());
    adapter.set_trial_code(trial.map(|code| code.grouped().expose().into()).unwrap_or_default());
    adapter.set_fault(form::fault(&judged.checked));
    adapter.set_nameless(judged.nameless);
    adapter.set_secretless(judged.secretless);
    adapter.set_edited(judged.changed);
    adapter.set_can_save(judged.changed && judged.spec.is_some());
    let looks = |icon: Option<&str>| look(&draft.form.issuer, &draft.form.account, icon);
    adapter.set_edit_look(looks(draft.icon.as_deref()));
    adapter.set_automatic_look(looks(None));
    adapter.set_letter_look(looks(Some(icons::LETTER)));
}

/// What the page says now.
fn draft(adapter: &DetailAdapter<'_>, parts: &Parts) -> Draft {
    let drafts = parts.edit.groups.borrow();
    let chosen = adapter.get_group_choices().iter().map(|choice| choice.chosen).collect::<Vec<_>>();
    let icon = adapter.get_icon();
    Draft {
        form: Form {
            issuer: adapter.get_issuer().into(),
            account: adapter.get_account().into(),
            secret: SecretText::new(adapter.get_secret().into()),
            kind: form::kind(adapter.get_kind()),
            algorithm: form::algorithm(adapter.get_algorithm()),
            digits: adapter.get_digits().into(),
            period: adapter.get_period().into(),
            counter: adapter.get_counter().into(),
            pin: SecretText::new(adapter.get_pin().into()),
        },
        note: adapter.get_note().into(),
        groups: drafts.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(draft, _)| draft.clone()).collect(),
        favourite: adapter.get_favourite(),
        icon: (!icon.is_empty()).then(|| icon.into()),
    }
}

fn save(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let draft = draft(&adapter, parts);
    let Some(id) = parts.detail.edit.borrow().as_ref().map(|edit| edit.id().to_string()) else { return };
    match parts.detail.save_edit(&draft) {
        Ok(()) => {
            adapter.set_edited(false);
            parts.list.refresh();
            navigation::step_back(window, parts);
            tokens::select(window, parts, &id);
            notice(window, countersign_ui::Notice::Saved, 0);
        }
        Err(SaveProblem::Invalid) => judge(window, parts),
        Err(SaveProblem::Change(error)) => adapter.set_edit_problem(match error {
            ChangeError::PasswordChanged => EditProblem::ChangedElsewhere,
            ChangeError::NoSuchToken | ChangeError::Locked => EditProblem::Gone,
            ChangeError::NotSaved => EditProblem::NotSaved,
            ChangeError::FileGone => EditProblem::FileGone,
        }),
    }
}

/// Leaves as was asked for, without what was changed.
fn discard(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    adapter.set_over(DetailOver::None);
    adapter.set_edited(false);
    let leave = parts.edit.leave.borrow_mut().take();
    match leave {
        Some(Leave::For(page)) => navigation::go(window, parts, page),
        Some(Leave::Quit) => crate::bind::tray::quit(),
        Some(Leave::Back) | None => navigation::step_back(window, parts),
    }
}

fn show_icons(window: &AppWindow, parts: &Parts, query: &str) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let draft = draft(&adapter, parts);
    let found = icons::search(query, ICONS).into_iter().map(|icon| IconChoice {
        slug: icon.slug().into(),
        title: icon.title().into(),
        look: look(&draft.form.issuer, &draft.form.account, Some(icon.slug())),
    });
    adapter.set_icons(ModelRc::new(VecModel::from(found.collect::<Vec<_>>())));
}

/// A secret that is in the form, as the other alphabet writes it: hexadecimal for mOTP, Base32 for the rest.
fn recoded(text: &str, to: KindName) -> Option<SecretText> {
    match to {
        KindName::Motp => TokenSecret::from_base32(text).ok().map(|secret| secret.hex()),
        _ => TokenSecret::from_hex(text).ok().map(|secret| secret.base32()),
    }
}
