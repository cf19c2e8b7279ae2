//! The pages of a closed vault.

use std::rc::Rc;

use countersign_core::secret::Password;
use countersign_ui::{AppWindow, UnlockAdapter, UnlockProblem};
use slint::ComponentHandle as _;

use super::Parts;
use crate::controllers::lock::{self, check_new};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<UnlockAdapter<'_>>();
    adapter.set_vault_path(parts.door.path().display().to_string().into());

    let weak = window.as_weak();
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        adapter.set_problem(UnlockProblem::None);
        judge(&adapter);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_unlock(move || {
        let Some(window) = weak.upgrade() else { return };
        let Some(password) = take_password(&window) else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.open(password, move |result| finished(&weak, &parts, result));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_create(move || {
        let Some(window) = weak.upgrade() else { return };
        if !window.global::<UnlockAdapter<'_>>().get_can_create() {
            return;
        }
        let Some(password) = take_password(&window) else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.create(password, move |result| finished(&weak, &parts, result));
    });
}

/// Nothing typed, nothing wrong.
pub(super) fn clear(adapter: &UnlockAdapter<'_>) {
    adapter.set_password("".into());
    adapter.set_again("".into());
    adapter.set_busy(false);
    adapter.set_problem(UnlockProblem::None);
    judge(adapter);
}

fn judge(adapter: &UnlockAdapter<'_>) {
    let check = check_new(&adapter.get_password(), &adapter.get_again());
    adapter.set_strength(check.strength.map_or(-1, i32::from));
    adapter.set_differs(check.differs);
    adapter.set_can_create(check.good);
}

/// The password, where one is typed and none is being tried. It leaves the window here.
fn take_password(window: &AppWindow) -> Option<Password> {
    let adapter = window.global::<UnlockAdapter<'_>>();
    let typed = adapter.get_password();
    if typed.is_empty() || adapter.get_busy() {
        return None;
    }
    clear(&adapter);
    adapter.set_busy(true);
    Some(Password::new(&typed))
}

fn finished(weak: &slint::Weak<AppWindow>, parts: &Parts, result: Result<(), lock::UnlockProblem>) {
    let Some(window) = weak.upgrade() else { return };
    let adapter = window.global::<UnlockAdapter<'_>>();
    adapter.set_busy(false);
    match result {
        Ok(()) => super::show_open(&window, parts),
        Err(problem) => adapter.set_problem(match problem {
            lock::UnlockProblem::WrongPassword => UnlockProblem::WrongPassword,
            lock::UnlockProblem::Missing => UnlockProblem::Missing,
            lock::UnlockProblem::Damaged => UnlockProblem::Damaged,
            lock::UnlockProblem::Newer => UnlockProblem::Newer,
            lock::UnlockProblem::Unreadable => UnlockProblem::Unreadable,
            lock::UnlockProblem::CannotSave => UnlockProblem::CannotSave,
        }),
    }
}
