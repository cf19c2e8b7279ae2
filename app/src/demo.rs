//! Sample tokens in a vault that vanishes with the window.

use std::path::PathBuf;

use countersign_core::{
    secret::{Password, SecretText},
    token::{Algorithm, Digits, GroupId, Kind, Period, SecretError, TokenId, TokenSecret, TokenSpec},
    vault::{
        Content, KdfParams, Session,
        content::{Change, NoSuchToken},
        store::FileStore,
    },
};
use rand_core::Rng as _;

use crate::{controllers::Services, shell::WindowError};

/// The password of the samples, for whoever locks them.
pub const PASSWORD: &str = "demo";

/// The vault of samples.
pub(crate) struct Demo {
    pub(crate) path: PathBuf,
    pub(crate) session: Option<Session>,
    _folder: Folder,
}

/// A folder that is removed on drop.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind at worst: samples, encrypted.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes the vault and opens it.
pub(crate) fn make(services: &Services) -> Result<Demo, WindowError> {
    let failed = |error: &dyn std::fmt::Display| WindowError::Demo(error.to_string());
    let mut random = (services.random)();
    let mut name = [0; 16];
    random.fill_bytes(&mut name);
    let folder = std::env::temp_dir().join(format!("countersign-demo-{}", TokenId::from_random(name)));
    std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let folder = Folder(folder);
    let path = folder.0.join("vault.countersign");
    let now = services.clock.now();
    // Nothing here is worth guessing, and nobody should wait for it.
    let kdf = KdfParams::new(8 * 1024, 1, 1).map_err(|error| failed(&error))?;
    let mut session =
        Session::create(Box::new(FileStore::new(&path)), &Password::new(PASSWORD), kdf, &mut *random, now)
            .map_err(|error| failed(&error))?;
    let specs = samples().map_err(|error| failed(&error))?;
    let mut ids = (services.random)();
    session
        .edit(&mut *random, now, |content| {
            for spec in specs {
                let mut bytes = [0; 16];
                ids.fill_bytes(&mut bytes);
                content.add(TokenId::from_random(bytes), spec, now);
            }
            sort_in(content, now)
        })
        .map_err(|error| failed(&error))?;
    Ok(Demo { path, session: Some(session), _folder: folder })
}

/// Puts the samples into groups, and makes the first one a favourite.
pub fn sort_in(content: &mut Content, now: u64) -> Result<(), NoSuchToken> {
    let work = content.group(GroupId::from_random([1; 16]), "Work");
    let home = content.group(GroupId::from_random([2; 16]), "Home");
    let tokens: Vec<_> = content.tokens().iter().map(|token| (token.id, token.spec.issuer.clone())).collect();
    for (at, (id, issuer)) in tokens.into_iter().enumerate() {
        let groups = match issuer.as_str() {
            "Corp PAM" | "AWS root" | "Office gate" | "VPN gateway" => vec![work],
            "Steam" | "Bank of Example" | "Mastodon" => vec![home],
            "GitHub" | "Microsoft" => vec![work, home],
            _ => Vec::new(),
        };
        content.change(id, Change { favourite: Some(at == 0), groups: Some(groups), ..Change::default() }, now)?;
    }
    Ok(())
}

/// Tokens of every kind that looks different, and enough to search and scroll. The first one is the favourite.
pub fn samples() -> Result<Vec<TokenSpec>, SecretError> {
    let totp = |algorithm, digits| Kind::Totp { algorithm, digits, period: Period::THIRTY };
    let usual = totp(Algorithm::Sha1, Digits::SIX);
    let motp = Kind::Motp { pin: Some(SecretText::new("4711".into())) };
    let samples = [
        ("Corp PAM", "operator", usual.clone()),
        ("GitHub", "dev@example.org", usual.clone()),
        ("AWS root", "billing@example.org", usual.clone()),
        ("Office gate", "badge 0713", motp),
        ("VPN gateway", "branch office", Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 14 }),
        ("Microsoft", "me@example.org", totp(Algorithm::Sha1, Digits::EIGHT)),
        ("Steam", "player_one", Kind::Steam),
        ("Proton", "me@example.org", usual.clone()),
        ("GitLab", "dev@example.org", usual.clone()),
        ("Bank of Example", "0042 9917", totp(Algorithm::Sha256, Digits::EIGHT)),
        ("Mastodon", "@me@example.social", usual),
    ];
    samples
        .into_iter()
        .enumerate()
        .map(|(at, (issuer, account, kind))| {
            Ok(TokenSpec {
                issuer: issuer.into(),
                account: account.into(),
                kind,
                secret: TokenSecret::from_bytes(vec![at as u8 + 7; 20])?,
                label_issuer: None,
                uri_parameters: Vec::new(),
            })
        })
        .collect()
}
