//! What is worked out of the vault once for each of its states: the texts that are searched, the order, equal secrets,
//! how many tokens there are of what, and which of them are this app's.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, hash_map::Entry},
};

use countersign_core::{
    matching::search_key,
    token::{GroupId, Token, TokenId},
    vault::content::Content,
};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{
    account::keep::{OwnApps, Standing},
    settings::Sort,
};

/// Which tokens are shown, whatever is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those that come first.
    Favourites,
    /// Those that make the same codes as another, side by side.
    Duplicates,
    /// Those of a group.
    Group(GroupId),
}

/// Where a token is in the vault. The position is a hint: another program may have moved it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position.
    pub at: usize,
    /// Its identifier.
    pub id: TokenId,
}

/// How many tokens there are of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// Favourites.
    pub favourites: usize,
    /// Those that make the same codes as another.
    pub duplicates: usize,
    /// The groups in their order, and how many tokens are in each.
    pub groups: Vec<(GroupId, String, usize)>,
}

/// Filled piece by piece, as it is asked for.
#[derive(Default)]
pub(super) struct Index {
    changes: Option<u64>,
    texts: Option<Vec<String>>,
    order: Option<(Sort, Vec<usize>)>,
    twins: Option<HashMap<TokenId, Twin>>,
    counts: Option<Counts>,
    own_apps: Option<OwnApps>,
}

/// A token that makes the same codes as another.
#[derive(Clone, Copy)]
struct Twin {
    /// The number of its family.
    family: usize,
    /// Another of it: the first one, or the second one of the first.
    other: TokenId,
}

impl Index {
    /// Forgets what belongs to another state of the vault.
    pub(super) fn fresh(&mut self, changes: u64) -> &mut Self {
        if self.changes != Some(changes) {
            *self = Self { changes: Some(changes), ..Self::default() };
        }
        self
    }

    /// Makes the texts that are searched, where they are not made yet.
    pub(super) fn prepare(&mut self, content: &Content) {
        self.texts.get_or_insert_with(|| texts(content));
    }

    /// The tokens that have every word of the query and that the filter lets through, in their order.
    pub(super) fn matching(&mut self, content: &Content, query: &str, filter: Filter, sort: Sort) -> Vec<Place> {
        let query = search_key(query);
        let words: Vec<&str> = query.split_whitespace().collect();
        if !words.is_empty() || sort == Sort::Name {
            self.prepare(content);
        }
        if filter == Filter::Duplicates {
            self.twins(content);
        }
        if self.order.as_ref().is_none_or(|(of, _)| *of != sort) {
            self.order = Some((sort, order(content, sort, self.texts.as_deref().unwrap_or_default())));
        }
        let Some((_, order)) = &self.order else { return Vec::new() };
        let texts = self.texts.as_deref().unwrap_or_default();
        let twins = self.twins.as_ref();
        let shown = |token: &Token| match filter {
            Filter::All => true,
            Filter::Favourites => token.favourite,
            Filter::Duplicates => twins.is_some_and(|twins| twins.contains_key(&token.id)),
            Filter::Group(group) => token.groups.contains(&group),
        };
        let has_all = |at: usize| texts.get(at).is_some_and(|text| words.iter().all(|word| text.contains(word)));
        let mut found: Vec<Place> = order
            .iter()
            .filter(|&&at| words.is_empty() || has_all(at))
            .filter_map(|&at| content.tokens().get(at).map(|token| (at, token)))
            .filter(|(_, token)| shown(token))
            .map(|(at, token)| Place { at, id: token.id })
            .collect();
        if let (Filter::Duplicates, Some(twins)) = (filter, twins) {
            found.sort_by_key(|place| twins.get(&place.id).map(|twin| twin.family));
        }
        found
    }

    /// Another token that makes the same codes.
    pub(super) fn twin(&mut self, content: &Content, id: TokenId) -> Option<TokenId> {
        self.twins(content).get(&id).map(|twin| twin.other)
    }

    /// How many there are of what.
    pub(super) fn counts(&mut self, content: &Content) -> &Counts {
        let duplicates = self.twins(content).len();
        self.counts.get_or_insert_with(|| count(content, duplicates))
    }

    /// How a token stands that a server handed out.
    pub(super) fn standing(&mut self, content: &Content, token: &Token) -> Option<Standing> {
        self.own_apps.get_or_insert_with(|| OwnApps::of(content)).standing(token)
    }

    fn twins(&mut self, content: &Content) -> &HashMap<TokenId, Twin> {
        self.twins.get_or_insert_with(|| twins(content.tokens()))
    }
}

fn count(content: &Content, duplicates: usize) -> Counts {
    let mut sizes: HashMap<GroupId, usize> = HashMap::new();
    for token in content.tokens() {
        for group in token.groups.iter().collect::<HashSet<_>>() {
            *sizes.entry(*group).or_default() += 1;
        }
    }
    let size = |id| sizes.get(&id).copied().unwrap_or_default();
    Counts {
        total: content.tokens().len(),
        favourites: content.tokens().iter().filter(|token| token.favourite).count(),
        duplicates,
        groups: content.groups().iter().map(|group| (group.id, group.name.clone(), size(group.id))).collect(),
    }
}

/// Issuer, account, note and groups of each token, as it is searched.
fn texts(content: &Content) -> Vec<String> {
    let groups: HashMap<GroupId, &str> = content.groups().iter().map(|group| (group.id, group.name.as_str())).collect();
    let text = |token: &Token| {
        let mut text = format!("{}\n{}\n{}", token.spec.issuer, token.spec.account, token.note);
        for name in token.groups.iter().filter_map(|id| groups.get(id)) {
            text.push('\n');
            text.push_str(name);
        }
        search_key(&text)
    };
    content.tokens().iter().map(text).collect()
}

/// Positions in the order in which tokens are shown.
fn order(content: &Content, sort: Sort, texts: &[String]) -> Vec<usize> {
    let tokens = content.tokens();
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    match sort {
        Sort::Hand => {}
        Sort::Name => order.sort_by_cached_key(|&at| texts.get(at).map(|text| without_marks(text))),
        Sort::Use => order.sort_by_key(|&at| Reverse(tokens[at].use_count)),
        Sort::Recency => order.sort_by_key(|&at| Reverse(tokens[at].used_at)),
    }
    order.sort_by_key(|&at| !tokens[at].favourite);
    order
}

/// Letters as a list of names is read: `ä` beside `a`, the Turkish `ı` beside `i`.
fn without_marks(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    text.nfd().filter(|c| !is_combining_mark(*c)).map(|c| if c == 'ı' { 'i' } else { c }).collect()
}

/// The tokens that make the same codes as another, found by their secrets: one pass, however many there are.
fn twins(tokens: &[Token]) -> HashMap<TokenId, Twin> {
    let mut by_secret: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(tokens.len());
    // Families of tokens that make the same codes, of which most have one member.
    let mut families: Vec<Vec<&Token>> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match by_secret.entry(token.spec.secret.bytes().expose()) {
            Entry::Vacant(entry) => {
                entry.insert(vec![families.len()]);
                families.push(vec![token]);
            }
            Entry::Occupied(mut entry) => {
                let same = entry.get().iter().find(|&&family| families[family][0].spec.same_codes(&token.spec));
                match same {
                    Some(&family) => families[family].push(token),
                    None => {
                        entry.get_mut().push(families.len());
                        families.push(vec![token]);
                    }
                }
            }
        }
    }
    let mut twins = HashMap::new();
    for (family, members) in families.iter().enumerate() {
        let [first, second, ..] = members[..] else { continue };
        for token in members {
            let other = if token.id == first.id { second.id } else { first.id };
            twins.insert(token.id, Twin { family, other });
        }
    }
    twins
}
