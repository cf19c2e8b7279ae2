use std::path::PathBuf;

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, GroupId, Kind, Period, Registration, TokenSecret, TokenSpec},
    vault::{
        KdfParams, Session,
        content::servers::{AppKey, Server},
        store::FileStore,
    },
};

use super::*;
use crate::{
    api::key::app_id,
    platform::{
        Platform,
        fake::{FakeClipboard, FakeClock},
    },
    settings::{Settings, SettingsStore, Sort},
    tasks::Tasks,
};

const NOW: u64 = 1_111_111_109;

struct Kit {
    tokens: TokensController,
    services: Rc<Services>,
    door: Rc<Door>,
    clock: Rc<FakeClock>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn id(n: u8) -> TokenId {
    TokenId::from_random([n; 16])
}

fn ids<const N: usize>(numbers: [u8; N]) -> HashSet<TokenId> {
    numbers.map(id).into()
}

fn group(n: u8) -> GroupId {
    GroupId::from_random([n; 16])
}

fn totp(issuer: &str, account: &str, secret: u8) -> TokenSpec {
    TokenSpec {
        issuer: issuer.into(),
        account: account.into(),
        kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
        secret: TokenSecret::from_bytes(vec![secret; 20]).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    }
}

impl Kit {
    /// Tokens 1 and on of these specs.
    fn new(specs: impl IntoIterator<Item = TokenSpec>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.json");
        let clock = Rc::new(FakeClock::new(NOW));
        let services = Rc::new(Services {
            clock: clock.clone(),
            random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
            platform: Platform { clipboard: Rc::new(FakeClipboard::default()), ..Platform::unsupported() },
            settings: SettingsStore::in_memory(Settings::default()),
            tasks: Tasks::waiting(),
            kdf: KdfParams::new(64, 1, 1).unwrap(),
        });
        let door = Rc::new(Door::new(path.clone()));
        let mut random = (services.random)();
        let store = Box::new(FileStore::new(&path));
        door.enter(Session::create(store, &Password::new("p"), services.kdf, &mut *random, NOW).unwrap());
        door.edit(&services, |content| {
            for (at, spec) in specs.into_iter().enumerate() {
                content.add(id(at as u8 + 1), spec, NOW);
            }
            Ok::<_, NoSuchToken>(())
        })
        .unwrap();
        let clipboard = Rc::new(ClipboardController::new(services.clone()));
        let tokens = TokensController::new(services.clone(), door.clone(), clipboard);
        Self { tokens, services, door, clock, path, _folder: folder }
    }

    fn edit(&self, change: impl FnOnce(&mut Content)) {
        self.door
            .edit(&self.services, |content| {
                change(content);
                Ok::<_, NoSuchToken>(())
            })
            .unwrap();
    }

    /// The numbers of the tokens that are shown.
    fn shown(&self, query: &str, filter: Filter) -> Vec<u8> {
        let places = self.tokens.matching(query, filter);
        places.iter().map(|place| (1..=99).find(|n| id(*n) == place.id).unwrap()).collect()
    }

    fn sort(&self, sort: Sort) {
        self.tokens.set_sort(sort).unwrap();
    }

    fn places(&self) -> Vec<Place> {
        self.tokens.matching("", Filter::All)
    }
}

#[test]
fn favourites_come_first_in_every_order() {
    let kit = Kit::new([totp("Zebra", "", 1), totp("alpha", "b", 2), totp("Ärzte", "", 3), totp("alpha", "a", 4)]);
    kit.tokens.set_favourites(&ids([3]), true).unwrap();
    kit.edit(|content| {
        for _ in 0..3 {
            content.note_use(id(2), 50).unwrap();
        }
        content.note_use(id(4), 90).unwrap();
    });
    assert_eq!(kit.shown("", Filter::All), [3, 1, 2, 4]);
    kit.sort(Sort::Name);
    assert_eq!(kit.shown("", Filter::All), [3, 4, 2, 1]);
    kit.tokens.set_favourites(&ids([3]), false).unwrap();
    assert_eq!(kit.shown("", Filter::All), [4, 2, 3, 1], "Ä stands beside A");
    kit.sort(Sort::Use);
    assert_eq!(kit.shown("", Filter::All), [2, 4, 1, 3]);
    kit.sort(Sort::Recency);
    assert_eq!(kit.shown("", Filter::All), [4, 2, 1, 3]);
}

#[test]
fn a_tokens_standing_follows_what_is_known_of_its_server() {
    let kit = Kit::new([totp("Corp", "ada", 1), totp("Corp", "bob", 2)]);
    let key = |first: u8| AppKey { public: vec![first; 65], secret: None };
    let server = |key| Server { address: "https://pam.example.org".into(), app_key: Some(key), ..Server::default() };
    let standing = |n: u8| {
        let content = kit.tokens.content().unwrap();
        kit.tokens.standing(content.token(id(n)).unwrap())
    };
    kit.edit(|content| {
        content.set_server(server(key(4)));
        let registration = Registration {
            server: "https://PAM.example.org/".into(),
            token_id: "t".into(),
            app_id: app_id(&key(4).public),
            registered_at: NOW,
            moved_at: None,
            taken_back: false,
            exportable: true,
        };
        content.set_registration(id(1), Some(registration)).unwrap();
    });
    assert_eq!((standing(1), standing(2)), (Some(Standing::Here), None));
    kit.edit(|content| content.set_server(server(key(5))));
    assert_eq!(standing(1), Some(Standing::Elsewhere));
    kit.edit(|content| content.set_server(server(key(4))));
    assert_eq!(standing(1), Some(Standing::Here));
    kit.edit(|content| assert!(content.remove_server("https://pam.example.org")));
    assert_eq!(standing(1), Some(Standing::Elsewhere));
}

#[test]
fn a_prepared_search_knows_what_changed_since() {
    let kit = Kit::new([totp("GitHub", "", 1)]);
    kit.tokens.prepare_search();
    kit.edit(|content| {
        content.add(id(2), totp("GitLab", "", 2), NOW);
    });
    assert_eq!(kit.shown("git", Filter::All), [1, 2]);
    kit.tokens.prepare_search();
    assert_eq!(kit.shown("lab", Filter::All), [2]);
}

#[test]
fn search_and_filter_go_together() {
    let kit = Kit::new([totp("GitHub", "work", 1), totp("GitHub", "me", 2), totp("GitLab", "me", 3)]);
    let work = kit.tokens.add_group("Work").unwrap();
    kit.tokens.set_group(&ids([1, 3]), work, true).unwrap();
    assert_eq!(kit.shown("github", Filter::All), [1, 2]);
    assert_eq!(kit.shown("WORK", Filter::All), [1, 3], "an account and a group");
    assert_eq!(kit.shown("github", Filter::Group(work)), [1]);
    assert_eq!(kit.shown("lab me", Filter::Group(work)), [3]);
    assert_eq!(kit.shown("", Filter::Favourites), [0_u8; 0]);
    assert_eq!(kit.shown("", Filter::Group(group(9))), [0_u8; 0]);
}

#[test]
fn a_search_overlooks_accents_and_the_dot_of_an_i() {
    let kit = Kit::new([totp("İstanbul", "me", 1), totp("Café Zwölf", "jürgen", 2)]);
    for query in ["istanbul", "ISTANBUL", "ıstanbul", "İstanbul"] {
        assert_eq!(kit.shown(query, Filter::All), [1], "{query}");
    }
    for query in ["cafe", "café", "ZWOLF", "jurgen zwölf"] {
        assert_eq!(kit.shown(query, Filter::All), [2], "{query}");
    }
}

#[test]
fn duplicates_have_the_same_secret_and_the_same_parameters() {
    let eight = Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, period: Period::THIRTY };
    let kit = Kit::new([
        totp("A", "", 1),
        totp("B", "", 2),
        totp("C", "", 1),
        TokenSpec { kind: eight.clone(), ..totp("D", "", 1) },
        totp("E", "", 2),
        totp("F", "", 1),
        totp("G", "", 3),
    ]);
    assert_eq!(kit.shown("", Filter::Duplicates), [1, 3, 6, 2, 5], "families side by side");
    assert_eq!(kit.tokens.counts().duplicates, 5);
    assert_eq!(kit.tokens.twin(id(1)).as_deref(), Some("C"));
    assert_eq!(kit.tokens.twin(id(6)).as_deref(), Some("A"));
    assert_eq!(kit.tokens.twin(id(4)), None);
    kit.tokens.remove(&ids([3, 6])).unwrap();
    assert_eq!(kit.tokens.twin(id(1)), None, "what is in the trash makes no codes");
}

#[test]
fn a_token_moves_among_its_like() {
    let kit = Kit::new((1..=5).map(|n| totp(&format!("{n}"), "", n)));
    kit.tokens.set_favourites(&ids([2, 4]), true).unwrap();
    assert_eq!(kit.shown("", Filter::All), [2, 4, 1, 3, 5]);
    let moves = |n, row| kit.tokens.move_to(id(n), row, &kit.places());
    moves(1, 4).unwrap();
    assert_eq!(kit.shown("", Filter::All), [2, 4, 3, 5, 1], "to the end");
    moves(1, 0).unwrap();
    assert_eq!(kit.shown("", Filter::All), [2, 4, 1, 3, 5], "no further up than the favourites");
    moves(2, 4).unwrap();
    assert_eq!(kit.shown("", Filter::All), [4, 2, 1, 3, 5], "no further down than the favourites");
    moves(5, 3).unwrap();
    assert_eq!(kit.shown("", Filter::All), [4, 2, 1, 5, 3]);
    moves(1, 3).unwrap();
    assert_eq!(kit.shown("", Filter::All), [4, 2, 5, 1, 3]);
    kit.sort(Sort::Name);
    assert_eq!(moves(1, 4), Err(MoveError::NotByHand));
}

#[test]
fn among_some_tokens_one_moves_beside_its_neighbours() {
    let kit = Kit::new((1..=6).map(|n| totp(if n % 2 == 0 { "even" } else { "odd" }, "", n)));
    let even = kit.tokens.matching("even", Filter::All);
    kit.tokens.move_to(id(6), 0, &even).unwrap();
    assert_eq!(kit.shown("", Filter::All), [1, 6, 2, 3, 4, 5]);
    let even = kit.tokens.matching("even", Filter::All);
    kit.tokens.move_to(id(6), 2, &even).unwrap();
    assert_eq!(kit.shown("", Filter::All), [1, 2, 3, 4, 6, 5]);
}

#[test]
fn what_was_removed_comes_back_to_its_place() {
    let kit = Kit::new((1..=5).map(|n| totp(&format!("{n}"), "", n)));
    let removed = kit.tokens.remove(&ids([2, 3])).unwrap();
    assert_eq!(kit.shown("", Filter::All), [1, 4, 5]);
    kit.tokens.take_back(&removed).unwrap();
    assert_eq!(kit.shown("", Filter::All), [1, 2, 3, 4, 5]);
    assert_eq!(kit.tokens.remove(&ids([9])).unwrap_err(), ChangeError::NoSuchToken);
}

#[test]
fn the_trash_says_how_long_it_keeps() {
    let kit = Kit::new((1..=3).map(|n| totp(&format!("{n}"), "", n)));
    let days = || kit.tokens.trash(|token, days| (token.spec.issuer.clone(), days));
    kit.tokens.remove(&ids([1])).unwrap();
    kit.clock.advance(86_400);
    kit.tokens.remove(&ids([2])).unwrap();
    assert_eq!(days(), [("2".to_owned(), 30), ("1".to_owned(), 29)]);
    kit.clock.advance(29 * 86_400 - 1);
    assert_eq!(days(), [("2".to_owned(), 2), ("1".to_owned(), 1)]);
    kit.tokens.delete_for_good(id(1)).unwrap();
    assert_eq!(kit.tokens.restore(id(1)), Err(ChangeError::NoSuchToken));
    assert_eq!(kit.tokens.restore_all(), Ok(1));
    assert_eq!(kit.shown("", Filter::All), [3, 2]);
    kit.tokens.remove(&ids([2, 3])).unwrap();
    assert_eq!(kit.tokens.empty_trash(), Ok(2));
    assert_eq!(days(), []);
}

#[test]
fn a_group_has_a_name_of_its_own() {
    let kit = Kit::new([totp("A", "", 1)]);
    let work = kit.tokens.add_group(" Work ").unwrap();
    assert_eq!(kit.tokens.add_group("wORK").unwrap_err(), GroupError::Taken);
    assert_eq!(kit.tokens.add_group("  ").unwrap_err(), GroupError::Empty);
    assert_eq!(kit.tokens.add_group(&"x".repeat(MAX_NAME + 1)).unwrap_err(), GroupError::TooLong);
    kit.tokens.rename_group(work, "WORK").unwrap();
    let home = kit.tokens.add_group("Home").unwrap();
    assert_eq!(kit.tokens.rename_group(home, "work").unwrap_err(), GroupError::Taken);
    assert_eq!(kit.tokens.counts().groups, [(work, "WORK".to_owned(), 0), (home, "Home".to_owned(), 0)]);
    kit.tokens.remove_group(home).unwrap();
    assert_eq!(kit.tokens.counts().groups.len(), 1);
}

#[test]
fn a_group_tells_how_many_of_some_tokens_it_has() {
    let kit = Kit::new((1..=3).map(|n| totp(&format!("{n}"), "", n)));
    let group = kit.tokens.add_group("G").unwrap();
    let share = |meant: &HashSet<TokenId>| kit.tokens.shares(meant)[0].2;
    assert_eq!(share(&ids([1, 2])), Share::None);
    kit.tokens.set_group(&ids([1]), group, true).unwrap();
    assert_eq!((share(&ids([1])), share(&ids([1, 2]))), (Share::All, Share::Some));
    kit.tokens.set_group(&ids([1, 2]), group, true).unwrap();
    assert_eq!(kit.tokens.content().unwrap().token(id(1)).unwrap().groups, [group], "it is in it once");
    kit.tokens.set_group(&ids([1, 2]), group, false).unwrap();
    assert_eq!(share(&ids([1, 2])), Share::None);
}

#[test]
fn uses_are_saved_together_and_late() {
    let kit = Kit::new([totp("A", "", 1), totp("B", "", 2)]);
    let saved = || kit.tokens.content().unwrap().token(id(1)).map(|token| (token.use_count, token.used_at)).unwrap();
    let file = || std::fs::read(&kit.path).unwrap();
    let before = file();
    kit.tokens.copy(id(1)).unwrap();
    kit.tokens.note_use(id(1));
    kit.tokens.note_use(id(1));
    kit.tokens.note_use(id(2));
    assert!(!kit.tokens.uses_due());
    assert_eq!((saved(), file() == before), ((0, None), true));
    kit.clock.advance(2);
    assert!(kit.tokens.uses_due());
    assert_eq!(kit.tokens.save_uses(), Ok(true));
    assert_eq!(saved(), (2, Some(NOW)), "when they were, not when they were saved");
    assert_eq!(kit.tokens.save_uses(), Ok(false));
    kit.tokens.note_use(id(1));
    kit.tokens.remove(&ids([1])).unwrap();
    assert_eq!(kit.tokens.save_uses(), Ok(true), "what is gone is no error");
}

#[test]
fn hidden_codes_are_shown_for_a_while() {
    let counter = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 0 };
    let kit = Kit::new([totp("A", "", 1), TokenSpec { kind: counter, ..totp("B", "", 2) }]);
    let hidden = |n| kit.tokens.is_hidden(kit.tokens.content().unwrap().token(id(n)).unwrap(), kit.tokens.now());
    assert!(!hidden(1) && !kit.tokens.reveal(id(1)));
    kit.services.settings.change(|settings| settings.hide_codes = true).unwrap();
    assert!(hidden(1) && !hidden(2));
    assert!(kit.tokens.reveal(id(1)) && !kit.tokens.reveal(id(1)) && !kit.tokens.reveal(id(2)));
    assert!(!hidden(1));
    kit.clock.advance(30);
    assert!(hidden(1));
    assert_eq!(kit.tokens.hidden_again(), [id(1)]);
    kit.tokens.reveal(id(1));
    kit.tokens.forget();
    assert!(hidden(1));
}

#[test]
fn the_next_code_says_when_it_begins() {
    let kit = Kit::new([totp("A", "", 1)]);
    // NOW is one second before a step.
    assert_eq!(kit.tokens.copy_next(id(1)), Ok(1));
    kit.clock.advance(1);
    assert_eq!(kit.tokens.copy_next(id(1)), Ok(30));
    assert_eq!(kit.tokens.copy_next(id(9)), Err(CopyError::NoCode));
}
