//! The pages of a closed vault, and locking.

use super::*;

#[test]
fn a_new_vault_is_made_and_says_what_to_do_next() {
    let stage = Stage::new();
    stage.press("Create a vault");
    assert_eq!(stage.page(), Page::Create);
    stage.press("Make a recovery sheet");
    let adapter = stage.window.global::<UnlockAdapter<'_>>();
    stage.fill("Password", PASSWORD);
    stage.fill("Again", "correct house");
    assert!(adapter.get_differs() && !adapter.get_can_create());
    stage.fill("Again", PASSWORD);
    assert!(!adapter.get_differs() && adapter.get_can_create());
    stage.press("Create vault");
    assert!(adapter.get_busy(), "the key is worked out elsewhere");
    assert_eq!(adapter.get_password(), "", "the password has left the window");
    stage.work();
    assert_eq!(stage.page(), Page::Tokens);
    assert!(stage.shows("Enter manually") && stage.shows("Add from a picture"));
    assert_eq!(stage.on_disk().content().tokens().len(), 0);
}

#[test]
fn a_wrong_password_is_told_beside_the_field() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Lock");
    assert_eq!(stage.page(), Page::Unlock);
    stage.fill("Password", "not it");
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    let error = stage.find("Password").accessible_description().unwrap_or_default();
    assert!(error.starts_with("That is not the password."), "{error}");
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
}

#[test]
fn a_locked_window_shows_nothing_of_the_vault() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.fill("Search issuer or account", "exam");
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    let tokens = stage.window.global::<TokensAdapter<'_>>();
    assert_eq!(tokens.get_rows().row_count(), 0);
    assert_eq!(tokens.get_total(), 0);
    assert_eq!(tokens.get_query(), "");
    let detail = stage.window.global::<countersign_ui::DetailAdapter<'_>>();
    assert_eq!(detail.get_token(), countersign_ui::TokenRow::default());
    assert_eq!(detail.get_detail(), countersign_ui::TokenDetail::default());
    assert!(!stage.shows("Example, me@example.org") && !stage.shows("From a picture"));
    assert!(!stage.parts.door.is_open());
    assert_eq!(stage.clock.now(), RFC_TIME);
}

#[test]
fn an_unlock_that_ends_after_a_lock_opens_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Lock");
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    assert!(!stage.parts.door.is_open());
}

#[test]
fn what_there_is_to_do_without_a_vault_is_offered() {
    let stage = Stage::new();
    assert_eq!(stage.page(), Page::Welcome);
    for label in ["Create a vault", "Restore a backup", "Move in from another app", "Open another vault file"] {
        assert!(stage.shows(label), "{label}");
    }
    stage.press("Create a vault");
    assert_eq!(stage.page(), Page::Create);
    stage.fill("Password", PASSWORD);
    stage.press("Back");
    assert_eq!(stage.page(), Page::Welcome);
    assert_eq!(stage.window.global::<UnlockAdapter<'_>>().get_password(), "");
}

fn made_for(label: &str) -> Stage {
    let stage = Stage::new();
    stage.press(label);
    stage.fill("Password", PASSWORD);
    stage.fill("Again", PASSWORD);
    stage.press("Make a recovery sheet");
    stage.press("Create vault");
    stage.work();
    stage
}

#[test]
fn a_vault_for_a_backup_goes_on_to_its_page() {
    assert_eq!(made_for("Restore a backup").page(), Page::Restore);
}

#[test]
fn a_vault_for_the_tokens_of_another_app_asks_where_they_are() {
    assert_eq!(made_for("Move in from another app").page(), Page::MoveIn);
}

#[test]
fn a_vault_that_nobody_wants_any_more_is_not_made() {
    let stage = Stage::new();
    stage.press("Create a vault");
    stage.fill("Password", PASSWORD);
    stage.fill("Again", PASSWORD);
    stage.press("Create vault");
    stage.press("Back");
    stage.work();
    assert_eq!(stage.page(), Page::Welcome);
    assert!(!stage.parts.door.is_open() && !stage.parts.door.path().exists());
}

#[test]
fn another_vault_is_opened_and_remembered() {
    let stage = Stage::opened();
    stage.press("Lock");
    let other = stage.folder.path().join("other.json");
    std::fs::copy(stage.parts.door.path(), &other).unwrap();
    stage.picker.answer(Picked::Cancelled);
    stage.press("Open another vault file");
    stage.work();
    assert_eq!(stage.parts.door.path(), stage.parts.usual_vault);
    stage.picker.answer(Picked::File(other.clone()));
    stage.press("Open another vault file");
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    assert_eq!(stage.parts.services.settings.get().vault, Some(other.clone()));
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.page(), Page::Tokens);

    // It went away: no empty one takes its place.
    stage.press("Lock");
    std::fs::remove_file(other).unwrap();
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    assert_eq!(stage.page(), Page::Unlock);
    assert!(stage.describes("Password").starts_with("The vault file is gone."));
    stage.press("Begin again");
    assert_eq!(stage.page(), Page::Unlock);
    assert_eq!(stage.parts.door.path(), stage.parts.usual_vault);
}

#[test]
fn without_a_dialog_for_files_the_option_is_named() {
    let stage = Stage::new();
    stage.press("Open another vault file");
    stage.work();
    assert!(stage.shows("The system has no dialog for files. Start Countersign with --vault and the file."));
}

#[test]
fn an_open_vault_counts_down_and_locks_when_nobody_is_there() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let left = || stage.window.global::<SecurityAdapter<'_>>().get_locks_in();
    stage.window.global::<NavigationAdapter<'_>>().set_notice(Notice::None);
    stage.idle(239);
    assert_eq!(left(), -1);
    stage.idle(19);
    assert_eq!(left(), 42);
    assert!(stage.shows("The vault locks within a minute. Press any key to keep it open."));
    bind::locking::touched(&stage.window, &stage.parts);
    assert_eq!(left(), -1);
    stage.idle(299);
    assert_eq!((left(), stage.page()), (1, Page::Tokens));
    // In the middle of something, too.
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.idle(1);
    assert_eq!((left(), stage.page()), (-1, Page::Unlock));
    assert!(!stage.parts.door.is_open() && !stage.shows("From a picture"));
}

#[test]
fn a_vault_that_never_locks_by_itself_stays_open() {
    let stage = Stage::opened();
    stage.go(Page::Locking);
    stage.press("Never");
    stage.idle(100_000);
    assert!(stage.parts.door.is_open());
    stage.press("After one minute");
    stage.idle(60);
    assert!(!stage.parts.door.is_open());
}

#[test]
fn the_system_locks_the_vault_before_it_sleeps_and_with_its_screen() {
    use countersign::platform::presence::{Abilities, PresenceEvent, SleepDelay};

    let held = Arc::new(());
    let stage = Stage::with_token("Example", RFC_SECRET);
    let tell = |event| bind::locking::told(&stage.window, &stage.parts, event);
    let unlock = || {
        stage.settle();
        stage.fill("Password", PASSWORD);
        stage.press("Unlock");
        stage.work();
        assert!(stage.parts.door.is_open());
    };
    tell(PresenceEvent::ScreenUnlocked);
    tell(PresenceEvent::Resumed);
    assert!(stage.parts.door.is_open());
    tell(PresenceEvent::Suspending(SleepDelay::holding(held.clone())));
    assert!(!stage.parts.door.is_open());
    assert_eq!(Arc::strong_count(&held), 1, "the computer may sleep now");
    unlock();
    tell(PresenceEvent::ScreenLocked);
    assert!(!stage.parts.door.is_open());
    // What is not offered is not shown.
    unlock();
    stage.go(Page::Locking);
    assert!(!stage.shows("When the screen is locked") && !stage.shows("When the window is minimised"));
    tell(PresenceEvent::Watching(Abilities { screen_lock: true, sleep: true }));
    bind::locking::can_tell_minimised(&stage.window, true);
    stage.settle();
    for label in ["When the screen is locked", "When the computer goes to sleep"] {
        stage.press(label);
    }
    tell(PresenceEvent::ScreenLocked);
    tell(PresenceEvent::Suspending(SleepDelay::none()));
    assert!(stage.parts.door.is_open());
    bind::locking::minimised(&stage.window, &stage.parts);
    assert!(stage.parts.door.is_open());
    stage.press("When the window is minimised");
    bind::locking::minimised(&stage.window, &stage.parts);
    assert!(!stage.parts.door.is_open());
    // Five hours of sleep count, whatever else is chosen.
    unlock();
    stage.clock.advance(5 * 3600);
    tell(PresenceEvent::Resumed);
    assert!(!stage.parts.door.is_open());
}

#[test]
fn time_is_told_only_to_whom_it_shows_something() {
    use countersign::bind::locking::{Rhythm, rhythm, tick_unseen};

    let stage = Stage::with_token("Example", RFC_SECRET);
    assert_eq!(rhythm(&stage.parts, false), Rhythm::Seconds);
    assert_eq!(rhythm(&stage.parts, true), Rhythm::Once(300));
    let id = stage.on_disk().content().tokens()[0].id;
    stage.parts.tokens.copy(id).unwrap();
    assert!(stage.clipboard.content.borrow().is_some());
    assert_eq!(rhythm(&stage.parts, true), Rhythm::Once(30));
    stage.press("Lock");
    assert_eq!(rhythm(&stage.parts, false), Rhythm::Once(30));
    stage.clock.advance(30);
    tick_unseen(&stage.window, &stage.parts);
    assert!(stage.clipboard.content.borrow().is_none());
    assert_eq!(rhythm(&stage.parts, false), Rhythm::Still);
}

#[test]
fn a_file_dialog_that_ends_after_a_lock_shows_nothing() {
    let stage = Stage::opened();
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.press("From a picture");
    stage.press("Choose pictures");
    stage.picker.answer(Picked::File(stage.folder.path().join("none.png")));
    stage.idle(300);
    assert_eq!(stage.page(), Page::Unlock);
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    assert_eq!(stage.window.global::<AddAdapter<'_>>().get_problem(), AddProblem::None);
}

#[test]
fn a_damaged_vault_offers_the_copy_before_it_and_keeps_the_damaged_file() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("Later", "JBSWY3DPEHPK3PXP", |_| {});
    stage.press("Lock");
    let path = stage.parts.door.path();
    std::fs::write(&path, "{ this is none").unwrap();
    stage.fill("Password", "not it");
    stage.press("Unlock");
    stage.work();
    assert!(stage.describes("Password").contains("no earlier copy"));
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert!(stage.describes("Password").starts_with("The vault file is damaged. An earlier copy opens"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ this is none", "nothing is overwritten by itself");
    stage.press("Open the earlier copy");
    stage.work();
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::CopyRestored));
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
    let aside = stage.folder.path().join("vault.countersign.aside-1");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{ this is none");
}

#[test]
fn a_vault_file_that_is_gone_offers_the_copy_before_it() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("Later", "JBSWY3DPEHPK3PXP", |_| {});
    let path = stage.parts.door.path();
    std::fs::remove_file(&path).unwrap();
    stage.press("Lock");
    assert_eq!(stage.page(), Page::Unlock, "no new vault takes the place of one that can be opened");
    assert!(stage.describes("Password").starts_with("The vault file is gone, but earlier copies"));
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert!(stage.describes("Password").starts_with("The vault file is gone. An earlier copy opens"));
    assert!(!path.exists(), "nothing is written by itself");
    stage.fill("Password", "not it");
    stage.press("Unlock");
    stage.work();
    assert!(stage.describes("Password").starts_with("The vault file is gone, and no earlier copy"));
    assert!(!stage.shows("Open the earlier copy") && stage.shows("Begin again"));
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    stage.press("Open the earlier copy");
    stage.work();
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::CopyOpened));
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
}

#[test]
fn whoever_begins_again_beside_copies_is_told_that_they_stay() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    std::fs::remove_file(stage.parts.door.path()).unwrap();
    stage.press("Lock");
    stage.press("Begin again");
    assert_eq!(stage.page(), Page::Welcome);
    stage.press("Create a vault");
    assert!(stage.shows("Earlier copies of another vault are there. They are kept under another name (“aside”)."));
}

#[test]
fn a_vault_file_that_goes_while_it_is_open_is_told_once_and_then_made_anew() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let path = stage.parts.door.path();
    std::fs::remove_file(&path).unwrap();
    let token = stage.parts.door.content().unwrap().tokens()[0].id;
    stage.window.global::<TokensAdapter<'_>>().invoke_toggle_favourite(token.to_string().into());
    assert_eq!(stage.notice(), Notice::FileGone);
    assert!(!path.exists(), "nothing is written by itself");
    stage.window.global::<TokensAdapter<'_>>().invoke_toggle_favourite(token.to_string().into());
    assert!(stage.on_disk().content().tokens()[0].favourite);
}

#[test]
fn files_that_do_not_open_say_why() {
    let stage = Stage::opened();
    stage.press("Lock");
    let path = stage.parts.door.path();
    let said = |stage: &Stage| {
        stage.fill("Password", PASSWORD);
        stage.press("Unlock");
        stage.work();
        stage.describes("Password")
    };
    let good = std::fs::read_to_string(&path).unwrap();
    let header = good.find("\"header_sha256\"").unwrap();
    let end = good[header..].find(',').unwrap();
    let newer = good.replace(&good[header..=header + end], "").replace("\"version\":1", "\"version\":2");
    std::fs::write(&path, newer).unwrap();
    assert!(said(&stage).starts_with("A newer Countersign"), "{}", said(&stage));
    std::fs::remove_file(&path).unwrap();
    assert!(said(&stage).starts_with("The vault file is gone."));
}
