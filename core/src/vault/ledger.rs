//! What an import or a backup would change, one line a record, before anything changes.

use std::collections::{HashMap, HashSet};

use rand_core::CryptoRng;

use super::{
    cipher::random,
    content::{Content, Foreign, Import, MAX_IMPORTS},
};
use crate::{
    matching::fold,
    token::{GroupId, Token, TokenId},
};

/// What happens to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is new.
    Add,
    /// A token with the same secret and parameters is there: of the same name, or of one that no other record has.
    AlreadyThere(TokenId),
    /// A token of the same issuer and account is there with another secret or other parameters: it is added beside it.
    Differs(TokenId),
}

/// One record and what happens to it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record.
    pub token: Token,
    /// What happens to it.
    pub verdict: Verdict,
}

/// All lines; as many as there are records.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The lines, in the order of the records.
    pub lines: Vec<Line>,
    /// Entries of the source that could not be read; they come along word for word.
    pub unreadable: usize,
}

impl Ledger {
    /// Number of lines that add a token.
    pub fn adds(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line.verdict, Verdict::AlreadyThere(_))).count()
    }
}

impl Content {
    /// Compares `source` (a backup's content, say) with what is here. Nothing changes.
    ///
    /// A record that is twice in the source, name and all, is new once; the second is there already, by the id of the
    /// first. Records of one secret under several names are several tokens, as they were where the source was written.
    pub fn compare(&self, source: &Content) -> Ledger {
        self.compare_lines(source).0
    }

    /// The ledger, and for each line the earlier line that its verdict speaks of, where it is none of ours.
    fn compare_lines(&self, source: &Content) -> (Ledger, Vec<Option<usize>>) {
        let mut index = Index::default();
        for token in &self.tokens {
            index.insert(token, None);
        }
        // A token here that has its own record does not stand for another record as well.
        for token in &source.tokens {
            if let Some((id, None)) = index.exact(token) {
                index.spoken_for.insert(id);
            }
        }
        let mut lines = Vec::with_capacity(source.tokens.len());
        let mut earlier = Vec::with_capacity(source.tokens.len());
        for token in &source.tokens {
            let (verdict, line) = index.verdict(token);
            if !matches!(verdict, Verdict::AlreadyThere(_)) {
                index.insert(token, Some(lines.len()));
            }
            lines.push(Line { token: token.clone(), verdict });
            earlier.push(line);
        }
        (Ledger { lines, unreadable: source.unreadable.len() }, earlier)
    }

    /// Adds what [`Content::compare`] says is new, with its groups, as one [`Import`] that can be undone.
    ///
    /// A token keeps its identifier where that is free. The source's trash and its unreadable entries come along too,
    /// as far as they are not here yet.
    pub fn merge(&mut self, source: &Content, source_name: &str, rng: &mut dyn CryptoRng, now: u64) -> Ledger {
        let (ledger, added, groups) = self.add_new(source, rng);
        let kept = self.adopt_kept(source, now, source_name);
        self.note_import(Import { at: now, source: source_name.to_owned(), added, groups }, kept);
        ledger
    }

    /// [`Content::merge`] of the tokens of `source`, and of records of another app's file that could not be read.
    pub(crate) fn merge_foreign(
        &mut self,
        source: &Content,
        unread: impl Iterator<Item = Foreign>,
        source_name: &str,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Ledger {
        let (ledger, added, groups) = self.add_new(source, rng);
        let kept = self.keep_new(unread, now, source_name);
        self.note_import(Import { at: now, source: source_name.to_owned(), added, groups }, kept);
        ledger
    }

    /// Remembers an import that brought something.
    fn note_import(&mut self, import: Import, kept: usize) {
        if !import.added.is_empty() || kept > 0 {
            self.imports.push(import);
            let too_many = self.imports.len().saturating_sub(MAX_IMPORTS);
            for forgotten in self.imports.drain(..too_many) {
                self.extra.imports.remove(&(forgotten.at, forgotten.source));
            }
        }
    }

    /// Adds what is new, and says which tokens came and which groups were made.
    pub(crate) fn add_new(
        &mut self,
        source: &Content,
        rng: &mut dyn CryptoRng,
    ) -> (Ledger, Vec<TokenId>, Vec<GroupId>) {
        let (mut ledger, earlier) = self.compare_lines(source);
        let (mut added, mut made) = (Vec::new(), Vec::new());
        let mut groups = HashMap::new();
        let mut ids: HashSet<TokenId> = self.ids().collect();
        for (at, earlier) in earlier.into_iter().enumerate() {
            let new_id = earlier.map(|earlier| ledger.lines[earlier].token.id);
            let line = &mut ledger.lines[at];
            if let (Verdict::AlreadyThere(id) | Verdict::Differs(id), Some(new_id)) = (&mut line.verdict, new_id) {
                *id = new_id;
            }
            if matches!(line.verdict, Verdict::AlreadyThere(_)) {
                continue;
            }
            let (old_id, mut token) = (line.token.id, line.token.clone());
            while !ids.insert(token.id) {
                token.id = TokenId::from_random(random(rng));
            }
            token.groups = self.adopt_groups(source, &token.groups, &mut groups, &mut made, rng);
            if let Some(extra) = source.extra.tokens.get(&old_id) {
                self.extra.tokens.insert(token.id, extra.clone());
            }
            line.token = token.clone();
            added.push(token.id);
            self.tokens.push(token);
        }
        for trashed in source.trash.iter().filter(|trashed| ids.insert(trashed.token.id)) {
            let mut trashed = trashed.clone();
            trashed.token.groups = self.adopt_groups(source, &trashed.token.groups, &mut groups, &mut made, rng);
            if let Some(extra) = source.extra.tokens.get(&trashed.token.id) {
                self.extra.tokens.insert(trashed.token.id, extra.clone());
            }
            self.trash.push(trashed);
        }
        (ledger, added, made)
    }

    fn ids(&self) -> impl Iterator<Item = TokenId> + '_ {
        self.tokens.iter().chain(self.trash.iter().map(|trashed| &trashed.token)).map(|token| token.id)
    }

    /// The groups here that have the names of those groups of the source.
    fn adopt_groups(
        &mut self,
        source: &Content,
        theirs: &[GroupId],
        mapped: &mut HashMap<GroupId, GroupId>,
        made: &mut Vec<GroupId>,
        rng: &mut dyn CryptoRng,
    ) -> Vec<GroupId> {
        let mut ours = Vec::with_capacity(theirs.len());
        for id in theirs {
            let group = match mapped.get(id) {
                Some(group) => *group,
                None => {
                    let Some(group) = source.groups.iter().find(|group| group.id == *id) else { continue };
                    let mut new_id = group.id;
                    while self.groups.iter().any(|other| other.id == new_id) {
                        new_id = GroupId::from_random(random(rng));
                    }
                    let found = self.group(new_id, &group.name);
                    if found == new_id {
                        made.push(new_id);
                        if let Some(extra) = source.extra.groups.get(id) {
                            self.extra.groups.insert(new_id, extra.clone());
                        }
                    }
                    mapped.insert(*id, found);
                    found
                }
            };
            if !ours.contains(&group) {
                ours.push(group);
            }
        }
        ours
    }
}

/// Tokens by what their codes are made of and by their name; those of the source with their line.
#[derive(Default)]
struct Index<'a> {
    exact: HashMap<(&'a [u8], Name), Vec<Seen<'a>>>,
    ours: HashMap<&'a [u8], Vec<&'a Token>>,
    names: HashMap<Name, (TokenId, Option<usize>)>,
    spoken_for: HashSet<TokenId>,
}

/// A token, and its line where it is the source's.
struct Seen<'a> {
    token: &'a Token,
    line: Option<usize>,
}

/// Issuer and account, folded.
type Name = (String, String);

impl<'a> Index<'a> {
    fn insert(&mut self, token: &'a Token, line: Option<usize>) {
        let secret = token.spec.secret.bytes().expose();
        self.exact.entry((secret, name(token))).or_default().push(Seen { token, line });
        if line.is_none() {
            self.ours.entry(secret).or_default().push(token);
        }
        self.names.entry(name(token)).or_insert((token.id, line));
    }

    /// The token of the same name and the same codes.
    fn exact(&self, token: &'a Token) -> Option<(TokenId, Option<usize>)> {
        let same = self.exact.get(&(token.spec.secret.bytes().expose(), name(token)))?;
        same.iter().find(|seen| seen.token.spec.same_codes(&token.spec)).map(|seen| (seen.token.id, seen.line))
    }

    /// Takes the first of our tokens that makes the same codes and that no record stands for yet: a renamed one.
    fn renamed(&mut self, token: &Token) -> Option<TokenId> {
        let ours = self.ours.get_mut(token.spec.secret.bytes().expose())?;
        ours.retain(|other| !self.spoken_for.contains(&other.id));
        let at = ours.iter().position(|other| other.spec.same_codes(&token.spec))?;
        Some(ours.remove(at).id)
    }

    fn verdict(&mut self, token: &'a Token) -> (Verdict, Option<usize>) {
        if let Some((id, line)) = self.exact(token) {
            return (Verdict::AlreadyThere(id), line);
        }
        if let Some(id) = self.renamed(token) {
            return (Verdict::AlreadyThere(id), None);
        }
        match self.names.get(&name(token)) {
            Some((id, line)) => (Verdict::Differs(*id), *line),
            None => (Verdict::Add, None),
        }
    }
}

fn name(token: &Token) -> Name {
    (fold(&token.spec.issuer), fold(&token.spec.account))
}
