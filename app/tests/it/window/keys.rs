//! The keyboard is never without a hearer: whatever the focus was on went, and still the vault locks.

use i_slint_core::window::WindowInner;
use slint::platform::Key as K;

use super::{moving::one_of_each, *};

const KEEPASS: &[u8] = include_bytes!("../../../../core/testdata/import/keepass.kdbx");

impl Stage {
    /// Takes the focus from whatever has it.
    pub(super) fn lose_focus(&self) {
        let inner = WindowInner::from_pub(self.window.window());
        let focused = inner.focus_item.borrow().upgrade();
        if let Some(item) = focused {
            inner.set_focus_item(&item, false, i_slint_core::input::FocusReason::Programmatic);
        }
        assert!(inner.focus_item.borrow().upgrade().is_none());
    }

    /// Something that is seen has the keys, and they lock the vault.
    pub(super) fn locks_by_key(&self) -> bool {
        self.chord(&[K::Control], "l");
        !self.parts.door.is_open()
    }

    fn moving_in(&self, file: &[u8]) {
        let path = self.folder.path().join("file");
        std::fs::write(&path, file).unwrap();
        self.go(Page::MoveIn);
        self.picker.answer(Picked::File(path));
        self.press("Choose a file");
        self.work();
        self.work();
    }
}

#[test]
fn a_code_that_was_shown_after_the_password_still_hears_the_keys() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Details of Example");
    stage.press("More");
    stage.press("Show QR code");
    stage.fill("Vault password", PASSWORD);
    stage.hit(K::Return);
    stage.work();
    assert!(stage.shows("QR code of Example"));
    assert!(stage.locks_by_key());
}

#[test]
fn escape_leaves_a_page_that_lost_the_focus() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Details of Example");
    stage.press("More");
    stage.press("Show QR code");
    stage.fill("Vault password", PASSWORD);
    stage.hit(K::Return);
    stage.work();
    stage.hit(K::Escape);
    assert_eq!(stage.page(), Page::Detail);
}

#[test]
fn a_ledger_that_came_after_a_password_hears_the_keys() {
    let stage = Stage::opened();
    stage.moving_in(KEEPASS);
    stage.fill("Password of the file", "correct horse");
    stage.hit(K::Return);
    stage.work();
    stage.work();
    assert!(stage.locks_by_key());
}

#[test]
fn a_page_hears_the_keys_after_a_question_was_answered_with_no() {
    for key in [K::Return, K::Escape] {
        let stage = Stage::opened();
        stage.moving_in(one_of_each().as_bytes());
        stage.press("Add 4 tokens");
        stage.go(Page::Backup);
        stage.window.window().set_size(slint::PhysicalSize::new(390, 2_000));
        stage.settle();
        stage.press("Undo the last import");
        stage.hit(key);
        assert!(!stage.shows("Cancel"));
        assert!(stage.locks_by_key(), "{key:?}");
    }
}

#[test]
fn an_entry_that_is_shown_after_the_password_hears_the_keys() {
    let stage = Stage::opened();
    stage.moving_in(one_of_each().as_bytes());
    stage.press("Add 4 tokens");
    stage.go(Page::Kept);
    stage.press("Broken (me@example.org)");
    stage.fill("Vault password", PASSWORD);
    stage.hit(K::Return);
    stage.work();
    assert!(stage.locks_by_key());
}

#[test]
fn an_empty_trash_hears_the_keys() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let id = stage.parts.door.content().unwrap().tokens()[0].id;
    stage.parts.tokens.remove(&[id].into()).unwrap();
    stage.go(Page::Trash);
    let all = stage.find("Restore all");
    all.invoke_accessible_default_action();
    stage.settle();
    assert!(stage.locks_by_key());
}
