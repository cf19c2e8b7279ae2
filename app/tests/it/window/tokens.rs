//! The list: codes, copying, searching.

use countersign_core::{
    token::{Algorithm, Digits, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::content::NoSuchToken,
};
use countersign_ui::TrashAdapter;
use slint::platform::{Key, PointerEventButton, WindowEvent};

use super::*;

#[test]
fn a_code_is_copied_and_cleared_after_30_seconds() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Example, me@example.org");
    assert_eq!(stage.notice(), Notice::Copied);
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("081804"));
    stage.tick(29);
    assert!(stage.clipboard.content.borrow().is_some());
    stage.tick(1);
    assert_eq!(*stage.clipboard.content.borrow(), None);
    assert_eq!(stage.on_disk().content().tokens()[0].use_count, 1);
}

#[test]
fn what_another_program_copied_is_left_alone() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Example, me@example.org");
    *stage.clipboard.content.borrow_mut() = Some("a shopping list".into());
    stage.tick(31);
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("a shopping list"));
}

#[test]
fn a_clipboard_that_refuses_is_told() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.clipboard.refuses.set(true);
    stage.press("Example, me@example.org");
    assert_eq!(stage.notice(), Notice::CopyFailed);
}

#[test]
fn search_finds_as_it_is_typed() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("GitHub", "JBSWY3DPEHPK3PXP", |_| {});
    stage.fill("Search issuer or account", "gitH");
    assert!(stage.shows("GitHub, me@example.org"));
    assert!(!stage.shows("Example, me@example.org"));
    stage.fill("Search issuer or account", "nowhere");
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_rows().row_count(), 0);
    stage.press("Clear the search");
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_rows().row_count(), 2);
}

#[test]
fn a_counter_is_on_the_disk_before_its_code_is_seen() {
    let stage = Stage::opened();
    stage.add_by_hand("VPN", RFC_SECRET, |stage| {
        stage.press("Advanced");
        stage.press("HOTP");
    });
    // RFC 4226, appendix D: counters 0 and 1.
    assert_eq!(stage.value("VPN, me@example.org"), "Tap for next");
    stage.press("VPN, me@example.org");
    assert_eq!(stage.value("VPN, me@example.org"), "755 224");
    assert_eq!(stage.on_disk().content().tokens()[0].spec.kind.counter(), Some(1));
    stage.press("VPN, me@example.org");
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("287082"));
    assert_eq!(stage.on_disk().content().tokens()[0].spec.kind.counter(), Some(2));
}

#[test]
fn typing_anywhere_on_the_list_starts_the_search() {
    let stage = Stage::with_token("VPN", RFC_SECRET);
    for key in ["v", "p", "n"] {
        let text: slint::SharedString = key.into();
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
        stage.settle();
    }
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_query(), "vpn");
    assert!(stage.shows("VPN, me@example.org"));
}

/// With these tokens, each of a secret of its own.
fn with_tokens(issuers: &[&str]) -> Stage {
    let stage = Stage::opened();
    for (at, issuer) in issuers.iter().enumerate() {
        add(&stage, issuer, at as u8 + 1);
    }
    stage
}

/// Puts a token into the vault; the secret is made of that byte.
fn add(stage: &Stage, issuer: &str, secret: u8) {
    let spec = TokenSpec {
        issuer: issuer.into(),
        account: "me".into(),
        kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
        secret: TokenSecret::from_bytes(vec![secret; 20]).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    };
    let services = stage.services();
    let now = stage.clock.now();
    let mut bytes = [0; 16];
    (services.random)().fill_bytes(&mut bytes);
    stage
        .parts
        .door
        .edit(services, |content| Ok::<_, NoSuchToken>(content.add(TokenId::from_random(bytes), spec, now)))
        .unwrap();
    bind::show_open(&stage.window, &stage.parts);
    stage.settle();
}

impl Stage {
    fn services(&self) -> &Services {
        &self.parts.services
    }

    fn adapter(&self) -> TokensAdapter<'_> {
        self.window.global::<TokensAdapter<'_>>()
    }

    /// The issuers of the rows.
    fn titles(&self) -> Vec<String> {
        self.adapter().get_rows().iter().map(|row| row.title.to_string()).collect()
    }

    fn current(&self) -> String {
        let adapter = self.adapter();
        adapter.get_rows().row_data(adapter.get_current() as usize).map(|row| row.title.to_string()).unwrap_or_default()
    }

    /// The middle of what is labelled so.
    fn middle(&self, label: &str) -> slint::LogicalPosition {
        let element = self.find(label);
        let (at, size) = (element.absolute_position(), element.size());
        slint::LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
    }

    fn click(&self, label: &str, button: PointerEventButton) {
        let position = self.middle(label);
        let dispatch = |event| self.window.window().dispatch_event(event);
        dispatch(WindowEvent::PointerMoved { position });
        dispatch(WindowEvent::PointerPressed { position, button });
        dispatch(WindowEvent::PointerReleased { position, button });
        self.settle();
    }

    fn hide_codes(&self) {
        self.services().settings.change(|settings| settings.hide_codes = true).unwrap();
        self.parts.list.refresh();
        self.settle();
    }

    fn disk(&self) -> Vec<(String, u64)> {
        self.on_disk().content().tokens().iter().map(|token| (token.spec.issuer.clone(), token.use_count)).collect()
    }
}

#[test]
fn a_use_is_saved_after_the_copy_and_not_with_it() {
    let stage = with_tokens(&["A", "B"]);
    stage.press("A, me");
    stage.press("B, me");
    stage.press("A, me");
    assert_eq!(stage.disk(), [("A".into(), 0), ("B".into(), 0)]);
    stage.tick(2);
    assert_eq!(stage.disk(), [("A".into(), 2), ("B".into(), 1)]);
    stage.press("B, me");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    assert_eq!(stage.disk(), [("A".into(), 2), ("B".into(), 2)], "a lock waits for nothing");
}

#[test]
fn a_copy_moves_no_row_under_the_pointer() {
    let stage = with_tokens(&["A", "B", "C"]);
    stage.press("Sort, select, groups and trash");
    stage.press("Last used first");
    assert_eq!(stage.titles(), ["A", "B", "C"]);
    stage.press("C, me");
    stage.tick(3);
    assert_eq!(stage.titles(), ["A", "B", "C"]);
    assert_eq!(stage.current(), "C");
    stage.fill("Search issuer or account", "m");
    assert_eq!(stage.titles(), ["C", "A", "B"], "a search sorts anew");
    assert_eq!(stage.services().settings.get().sort, countersign::settings::Sort::Recency);
}

#[test]
fn a_list_is_sorted_by_name() {
    let stage = with_tokens(&["Zebra", "alpha", "Middle"]);
    stage.press("Sort, select, groups and trash");
    stage.press("Sort by name");
    assert_eq!(stage.titles(), ["alpha", "Middle", "Zebra"]);
    stage.press("Zebra, me");
    stage.chord(&[Key::Alt], Key::UpArrow);
    assert_eq!(stage.notice(), Notice::SortedOtherwise);
}

#[test]
fn alt_and_arrows_move_a_token_and_it_stays_chosen() {
    let stage = with_tokens(&["A", "B", "C"]);
    stage.hit(Key::DownArrow);
    stage.hit(Key::Home);
    stage.chord(&[Key::Alt], Key::DownArrow);
    assert_eq!((stage.titles(), stage.current().as_str()), (vec!["B".into(), "A".into(), "C".into()], "A"));
    stage.chord(&[Key::Alt], Key::DownArrow);
    stage.chord(&[Key::Alt], Key::DownArrow);
    assert_eq!(stage.titles(), ["B", "C", "A"]);
    let on_disk: Vec<String> = stage.disk().into_iter().map(|(issuer, _)| issuer).collect();
    assert_eq!(on_disk, ["B", "C", "A"]);
}

#[test]
fn a_row_is_dragged_by_its_handle() {
    let stage = with_tokens(&["A", "B", "C"]);
    stage.window.window().set_size(slint::PhysicalSize::new(1230, 844));
    stage.settle();
    let (more, height) = (stage.middle("More for A"), stage.find("A, me").size().height);
    // The handle stands beside the button.
    let from = slint::LogicalPosition::new(more.x + 36.0, more.y);
    let to = slint::LogicalPosition::new(from.x, from.y + height);
    let dispatch = |event| stage.window.window().dispatch_event(event);
    dispatch(WindowEvent::PointerMoved { position: from });
    dispatch(WindowEvent::PointerPressed { position: from, button: PointerEventButton::Left });
    dispatch(WindowEvent::PointerMoved { position: slint::LogicalPosition::new(from.x, from.y + 10.0) });
    dispatch(WindowEvent::PointerMoved { position: to });
    assert_eq!(stage.titles(), ["A", "B", "C"], "nothing moves before it is dropped");
    dispatch(WindowEvent::PointerReleased { position: to, button: PointerEventButton::Left });
    stage.settle();
    assert_eq!(stage.titles(), ["B", "A", "C"]);
}

#[test]
fn a_hidden_code_is_shown_by_the_first_press_and_copied_by_the_second() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.hide_codes();
    assert_eq!(stage.value("Example, me@example.org"), "Hidden");
    let row = stage.adapter().get_rows().row_data(0).unwrap();
    assert_eq!((row.code.as_str(), row.spoken.as_str(), row.next_code.as_str()), ("••• •••", "", ""));
    // The pane beside the list hides the next one, too.
    let next = || stage.window.global::<countersign_ui::DetailAdapter<'_>>().get_detail().next_code;
    stage.tick(0);
    assert_eq!(next(), "");
    stage.press("Example, me@example.org");
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
    assert_eq!(next(), "050 471");
    assert_eq!(*stage.clipboard.content.borrow(), None);
    stage.press("Example, me@example.org");
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("081804"));
    stage.tick(29);
    assert_ne!(stage.value("Example, me@example.org"), "Hidden");
    stage.tick(1);
    assert_eq!(stage.value("Example, me@example.org"), "Hidden");
}

#[test]
fn the_next_code_stands_beside_where_it_is_asked_for() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let next = || stage.adapter().get_rows().row_data(0).unwrap().next_code;
    assert_eq!(next(), "");
    stage.services().settings.change(|settings| settings.show_next = true).unwrap();
    stage.parts.list.refresh();
    assert_eq!(next(), "050 471");
}

#[test]
fn a_code_is_spoken_in_groups_and_never_each_second() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let said = || stage.find("Example, me@example.org").accessible_description().unwrap_or_default().to_string();
    assert_eq!(said(), "0 8 1, 8 0 4, one second left");
    stage.tick(1);
    assert_eq!(said(), "0 5 0, 4 7 1, 30 seconds left");
    stage.tick(4);
    assert_eq!(said(), "0 5 0, 4 7 1, 30 seconds left", "nothing is said by itself");
    stage.hit(Key::DownArrow);
    stage.hit(Key::Home);
    assert_eq!(said(), "0 5 0, 4 7 1, 26 seconds left", "the keyboard came back to it");
}

#[test]
fn groups_are_made_filled_renamed_and_removed() {
    let stage = with_tokens(&["A", "B"]);
    stage.press("Sort, select, groups and trash");
    stage.press("Groups");
    assert_eq!(stage.page(), Page::Groups);
    stage.press("New group");
    stage.press("Create group");
    let error =
        |stage: &Stage| stage.find("Name of the group").accessible_description().unwrap_or_default().to_string();
    assert_eq!(error(&stage), "Type a name.");
    stage.fill("Name of the group", "Work");
    stage.press("Create group");
    stage.press("New group");
    stage.fill("Name of the group", "work");
    assert_eq!(error(&stage), "Another group has this name.");
    stage.press("Cancel");
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();

    stage.press("More for A");
    stage.press("Groups…");
    stage.press("Work");
    stage.press("New group");
    stage.fill("Name of the group", "Home");
    stage.press("Create group");
    stage.press("Done");
    let on_disk = stage.on_disk();
    assert_eq!(on_disk.content().tokens()[0].groups.len(), 2, "one that was ticked, one that was made for it");
    stage.press("Work");
    assert_eq!(stage.titles(), ["A"]);
    stage.press("All 2");
    assert_eq!(stage.titles(), ["A", "B"]);

    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Groups);
    stage.settle();
    stage.press("Rename Work");
    stage.fill("Name of the group", "Office");
    stage.press("Rename");
    assert!(stage.shows("Rename Office"));
    stage.press("Remove Office");
    stage.press("Remove group");
    assert!(!stage.shows("Rename Office"));
    assert_eq!(stage.on_disk().content().tokens().len(), 2, "the tokens stay");
}

#[test]
fn a_group_that_is_removed_while_it_is_shown_shows_all() {
    let stage = with_tokens(&["A", "B"]);
    let group = stage.parts.tokens.add_group("Work").unwrap();
    bind::show_open(&stage.window, &stage.parts);
    stage.settle();
    stage.press("Work");
    assert!(stage.titles().is_empty());
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Groups);
    stage.settle();
    stage.press("Remove Work");
    stage.press("Remove group");
    assert_eq!(stage.parts.tokens.counts().groups.iter().filter(|(id, ..)| *id == group).count(), 0);
    assert_eq!(stage.titles(), ["A", "B"]);
}

#[test]
fn a_menu_is_opened_and_used_by_keys_alone() {
    let stage = with_tokens(&["A", "B"]);
    stage.hit(Key::DownArrow);
    stage.hit(Key::Home);
    stage.hit(Key::Menu);
    assert!(stage.shows("What to do with A"));
    stage.hit(Key::Escape);
    assert!(!stage.shows("What to do with A"));
    stage.chord(&[Key::Shift], Key::F10);
    stage.hit(Key::DownArrow);
    stage.hit(Key::DownArrow);
    stage.hit(Key::Return);
    assert!(!stage.shows("What to do with A"));
    assert!(stage.on_disk().content().tokens()[0].favourite, "the third entry");
    stage.hit(Key::Menu);
    stage.hit(Key::UpArrow);
    stage.hit(Key::Return);
    assert_eq!(stage.titles(), ["B"], "the last entry, and the keys are back in the list");
    assert_eq!(stage.notice(), Notice::Removed);
}

#[test]
fn a_right_click_opens_the_menu_and_a_press_beside_it_only_closes_it() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.click("Example, me@example.org", PointerEventButton::Right);
    assert!(stage.shows("What to do with Example"));
    let beside = slint::LogicalPosition::new(20.0, 90.0);
    for event in [
        WindowEvent::PointerMoved { position: beside },
        WindowEvent::PointerPressed { position: beside, button: PointerEventButton::Left },
        WindowEvent::PointerReleased { position: beside, button: PointerEventButton::Left },
    ] {
        stage.window.window().dispatch_event(event);
    }
    stage.settle();
    assert!(!stage.shows("What to do with Example"));
    assert_eq!(*stage.clipboard.content.borrow(), None);
    stage.click("Example, me@example.org", PointerEventButton::Right);
    stage.press("Copy next code");
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("050471"));
    assert_eq!(stage.notice(), Notice::CopiedNext);
}

#[test]
fn a_long_press_opens_the_menu_and_copies_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let position = stage.middle("Example, me@example.org");
    let button = PointerEventButton::Left;
    stage.window.window().dispatch_event(WindowEvent::PointerMoved { position });
    stage.window.window().dispatch_event(WindowEvent::PointerPressed { position, button });
    mock_elapsed_time(Duration::from_millis(700));
    assert!(stage.shows("What to do with Example"));
    stage.window.window().dispatch_event(WindowEvent::PointerReleased { position, button });
    stage.settle();
    assert!(stage.shows("What to do with Example"));
    assert_eq!(*stage.clipboard.content.borrow(), None);
}

#[test]
fn several_tokens_are_chosen_and_changed_at_once() {
    let stage = with_tokens(&["A", "B", "C", "D"]);
    stage.hit(Key::DownArrow);
    stage.hit(Key::Home);
    stage.chord(&[Key::Control], Key::Space);
    assert_eq!(stage.adapter().get_marked_count(), 1);
    stage.chord(&[Key::Shift], Key::DownArrow);
    assert_eq!(stage.adapter().get_marked_count(), 2);
    stage.press("D, me");
    assert_eq!(stage.adapter().get_marked_count(), 3, "a press chooses while tokens are chosen");
    assert!(stage.shows("3 selected"));
    assert_eq!(*stage.clipboard.content.borrow(), None);
    stage.press("Add the selected tokens to favourites");
    assert_eq!(stage.titles(), ["A", "B", "D", "C"]);
    stage.press("Groups of the selected tokens");
    stage.press("New group");
    stage.fill("Name of the group", "Three");
    stage.press("Create group");
    stage.press("Done");
    assert_eq!(stage.on_disk().content().tokens().iter().filter(|token| !token.groups.is_empty()).count(), 3);
    stage.press("Move the selected tokens to the trash");
    assert_eq!(stage.titles(), ["C"]);
    assert!(!stage.adapter().get_marking());
    stage.press("Undo");
    assert_eq!(stage.titles(), ["A", "B", "D", "C"]);
    stage.chord(&[Key::Control], "a");
    assert_eq!(stage.adapter().get_marked_count(), 4);
    stage.hit(Key::Escape);
    assert!(!stage.adapter().get_marking());
}

#[test]
fn what_is_deleted_by_mistake_comes_back_to_its_place() {
    let stage = with_tokens(&["A", "B", "C"]);
    stage.press("B, me");
    assert_eq!(stage.current(), "B");
    stage.hit(Key::Delete);
    assert_eq!((stage.titles(), stage.current().as_str()), (vec!["A".into(), "C".into()], "C"));
    stage.press("Undo");
    assert_eq!((stage.titles(), stage.current().as_str()), (vec!["A".into(), "B".into(), "C".into()], "B"));
}

#[test]
fn the_trash_gives_back_and_deletes_for_good_only_when_asked_twice() {
    let stage = with_tokens(&["A", "B", "C", "D"]);
    stage.chord(&[Key::Control], "a");
    stage.press("Move the selected tokens to the trash");
    assert!(stage.titles().is_empty());
    stage.press("Sort, select, groups and trash");
    stage.press("Trash");
    assert_eq!(stage.page(), Page::Trash);
    let said = stage.find("A, me").accessible_description().unwrap_or_default().to_string();
    assert_eq!(said, "Goes for good in 30 days");
    stage.press("Restore A");
    assert_eq!(stage.notice(), Notice::BroughtBack);
    stage.press("Delete B for good");
    stage.press("Cancel");
    assert_eq!(stage.on_disk().content().trash().len(), 3);
    stage.press("Delete B for good");
    stage.press("Delete for good");
    assert_eq!(stage.on_disk().content().trash().len(), 2);
    stage.press("Empty trash");
    stage.press("Empty");
    assert_eq!(stage.on_disk().content().trash().len(), 0);
    assert!(stage.shows("The trash is empty"));
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();
    assert_eq!(stage.titles(), ["A"]);
}

#[test]
fn a_question_over_the_trash_is_gone_after_a_lock() {
    let stage = with_tokens(&["A", "B"]);
    stage.hit(Key::DownArrow);
    stage.hit(Key::Delete);
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Trash);
    stage.settle();
    stage.press("Empty trash");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    assert!(!stage.shows("Empty") && !stage.shows("A, me"));
    assert_eq!(stage.window.global::<TrashAdapter<'_>>().get_rows().row_count(), 0);
    assert_eq!(stage.on_disk().content().trash().len(), 1);
}

#[test]
fn duplicates_are_told_and_shown_side_by_side() {
    let stage = with_tokens(&["A", "B"]);
    assert!(!stage.shows("Duplicates 2"));
    add(&stage, "Old phone", 1);
    stage.press("Duplicates 2");
    assert_eq!(stage.titles(), ["A", "Old phone"]);
    let said = stage.find("A, me").accessible_description().unwrap_or_default();
    assert!(said.ends_with("Same secret as Old phone (me)"), "{said}");
    stage.press("More for Old phone");
    stage.press("Move to trash");
    assert_eq!(stage.titles(), ["A", "B"], "none are left to be shown");
}

#[test]
fn a_token_that_another_program_removed_leaves_the_right_rows() {
    let stage = with_tokens(&["A", "B", "C"]);
    let mut other = stage.on_disk();
    let id = other.content().tokens()[0].id;
    let mut random = (stage.services().random)();
    other.edit(&mut *random, RFC_TIME, |content| content.remove(id, RFC_TIME)).unwrap();
    stage.press("C, me");
    stage.tick(2);
    assert_eq!(stage.titles(), ["B", "C"]);
    assert_eq!(stage.disk(), [("B".into(), 0), ("C".into(), 1)]);
}

#[test]
fn a_use_that_cannot_be_saved_takes_nothing_from_what_was_copied() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let away = stage.folder.path().with_extension("away");
    std::fs::rename(stage.folder.path(), &away).unwrap();
    stage.press("Example, me@example.org");
    assert_eq!(stage.notice(), Notice::Copied);
    for _ in 0..20 {
        stage.tick(1);
    }
    std::fs::rename(away, stage.folder.path()).unwrap();
    assert_ne!(stage.notice(), Notice::SaveFailed);
}

#[test]
fn an_empty_list_leads_to_a_trash_that_is_not() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let id = stage.parts.door.content().unwrap().tokens()[0].id;
    stage.adapter().invoke_remove(id.to_string().into());
    stage.settle();
    stage.press("One token in the trash");
    assert_eq!(stage.page(), Page::Trash);
}

#[test]
fn what_another_program_saved_is_shown_within_a_second() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.tick(1);
    let mut other = stage.on_disk();
    let id = other.content().tokens()[0].id;
    let mut random = (stage.services().random)();
    other.edit(&mut *random, RFC_TIME, |content| content.remove(id, RFC_TIME)).unwrap();
    assert_eq!(stage.titles(), ["Example"]);
    stage.tick(1);
    assert!(stage.titles().is_empty());
}
