//! What the list costs with 10,000 tokens: a search, each order, and the rows of one screen.
//!
//!     cargo bench -p countersign --bench list

#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::{error::Error, hint::black_box, rc::Rc, time::Instant};

use countersign::{
    controllers::{Door, Services, clipboard::ClipboardController, tokens::Filter, tokens::TokensController},
    models::TokenListModel,
    platform::{
        Platform,
        fake::{FakeClipboard, FakeClock},
    },
    settings::{SettingsStore, Sort},
    tasks::Tasks,
};
use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, GroupId, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::{
        KdfParams, Session,
        content::{Change, NoSuchToken},
        store::FileStore,
    },
};
use slint::Model as _;

const COUNT: usize = 10_000;
const NOW: u64 = 1_795_370_527;
/// Rows of a tall window.
const SCREEN: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let services = Rc::new(Services {
        clock: Rc::new(FakeClock::new(NOW)),
        random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
        platform: Platform { clipboard: Rc::new(FakeClipboard::default()), ..Platform::unsupported() },
        settings: SettingsStore::default(),
        tasks: Tasks::waiting(),
        kdf: KdfParams::new(64, 1, 1)?,
    });
    let path = folder.path().join("vault.json");
    let door = Rc::new(Door::new(path.clone()));
    let store = Box::new(FileStore::new(&path));
    door.enter(Session::create(store, &Password::new("p"), services.kdf, &mut *(services.random)(), NOW)?);
    let specs = (0..COUNT).map(spec).collect::<Result<Vec<_>, _>>()?;
    once("add and save", || {
        door.edit(&services, |content| {
            let groups: Vec<_> = ["Work", "Home", "Customers"]
                .iter()
                .zip(1_u8..)
                .map(|(name, n)| content.group(GroupId::from_random([n; 16]), name))
                .collect();
            for (n, spec) in specs.into_iter().enumerate() {
                let mut id = [0; 16];
                id[..8].copy_from_slice(&(n as u64 + 1).to_le_bytes());
                let id = content.add(TokenId::from_random(id), spec, NOW);
                // Changing a token looks for it: these are found at once.
                if n < 300 {
                    let groups = Some(vec![groups[n % groups.len()]]);
                    content.change(id, Change { groups, ..Change::default() }, NOW)?;
                }
            }
            Ok::<_, NoSuchToken>(())
        })
    })?;

    let clipboard = Rc::new(ClipboardController::new(services.clone()));
    let tokens = Rc::new(TokensController::new(services.clone(), door.clone(), clipboard));
    let list = TokenListModel::new(tokens.clone());
    once("first refresh", || list.refresh());
    once("duplicates and counts, first", || tokens.counts());
    once("texts of a search, made once", || tokens.prepare_search());
    once("search, first", || list.search("g"));
    for query in ["g", "gi", "git", "github", "github user 77", "nothing has this"] {
        let what = format!("search {query:?}");
        let rows = often(&what, || {
            list.search(query);
            list.row_count()
        });
        println!("{:40} {rows:>10} rows", "");
    }
    list.search("");
    for sort in [Sort::Hand, Sort::Name, Sort::Use, Sort::Recency] {
        tokens.set_sort(sort)?;
        once(&format!("refresh, sorted by {sort:?}, first"), || list.refresh());
        often(&format!("refresh, sorted by {sort:?}"), || list.refresh());
    }
    tokens.set_sort(Sort::Hand)?;
    often("only duplicates", || list.set_filter(Filter::Duplicates));
    list.set_filter(Filter::All);
    often("rows of a screen, in the middle", || {
        (0..SCREEN).filter_map(|row| list.row_data(COUNT / 2 + row)).map(|row| row.code.len()).sum::<usize>()
    });
    let mut at = 0;
    often("rows of a screen, scrolling", || {
        at = (at + SCREEN) % (COUNT - SCREEN);
        (0..SCREEN).filter_map(|row| list.row_data(at + row)).map(|row| row.code.len()).sum::<usize>()
    });
    let last = list.id_at(COUNT - 1).map(|id| id.to_string()).unwrap_or_default();
    often("the row of the last token", || list.row_of(&last));
    if let Some(id) = list.id_at(COUNT - 1) {
        let _ = often("copy, its use noted", || {
            let copied = tokens.copy(id);
            tokens.note_use(id);
            copied
        });
        once("uses saved", || tokens.save_uses())?;
    }
    Ok(())
}

/// Some issuers have icons, some names are not ASCII, and every hundredth secret is there twice.
fn spec(n: usize) -> Result<TokenSpec, countersign_core::token::SecretError> {
    const ISSUERS: [&str; 8] =
        ["GitHub", "Microsoft", "Corp PAM", "Büro Süd", "AWS", "İstanbul Kart", "Proton", "Bank of Example"];
    let mut secret = vec![7; 20];
    let number = if n % 100 == 99 { n - 1 } else { n };
    secret[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Ok(TokenSpec {
        issuer: format!("{} {}", ISSUERS[n % ISSUERS.len()], n / 50),
        account: format!("user{n}@example.org"),
        kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
        secret: TokenSecret::from_bytes(secret)?,
        label_issuer: None,
        uri_parameters: Vec::new(),
    })
}

fn once<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    println!("{what:40} {:>10.3} ms once", start.elapsed().as_secs_f64() * 1e3);
    result
}

/// The middle and the longest of many runs.
fn often<T>(what: &str, mut run: impl FnMut() -> T) -> T {
    let mut times: Vec<f64> = (0..30)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{what:40} {:>10.3} ms, at most {:.3}", times[15], times[29]);
    run()
}
