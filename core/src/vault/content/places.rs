//! Where a token is: its place in the order, and the trash.

use std::collections::{HashMap, HashSet};

use super::{Content, NoSuchToken, TRASH_SECONDS, Trashed};
use crate::token::TokenId;

impl Content {
    /// Moves a token to `position` in the order, at most to the end.
    pub fn reorder(&mut self, id: TokenId, position: usize) -> Result<(), NoSuchToken> {
        let from = self.tokens.iter().position(|token| token.id == id).ok_or(NoSuchToken)?;
        let token = self.tokens.remove(from);
        self.tokens.insert(position.min(self.tokens.len()), token);
        Ok(())
    }

    /// Puts the tokens into this order. Those that it does not name come after, in the order that they had.
    pub fn arrange(&mut self, order: &[TokenId]) {
        let places: HashMap<TokenId, usize> = order.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        self.tokens.sort_by_key(|token| places.get(&token.id).copied().unwrap_or(usize::MAX));
    }

    /// Moves a token to the trash.
    pub fn remove(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let from = self.tokens.iter().position(|token| token.id == id).ok_or(NoSuchToken)?;
        let token = self.tokens.remove(from);
        self.trash.push(Trashed { token, removed_at: now });
        Ok(())
    }

    /// Moves many tokens to the trash, and says how many were there.
    pub fn remove_all(&mut self, ids: &HashSet<TokenId>, now: u64) -> usize {
        let (gone, kept): (Vec<_>, _) =
            std::mem::take(&mut self.tokens).into_iter().partition(|token| ids.contains(&token.id));
        self.tokens = kept;
        let count = gone.len();
        self.trash.extend(gone.into_iter().map(|token| Trashed { token, removed_at: now }));
        count
    }

    /// Takes a token back out of the trash.
    pub fn restore(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let from = self.trash.iter().position(|trashed| trashed.token.id == id).ok_or(NoSuchToken)?;
        let mut token = self.trash.remove(from).token;
        token.updated_at = now;
        self.tokens.push(token);
        Ok(())
    }

    /// Takes many tokens back out of the trash, and says how many were there.
    pub fn restore_all(&mut self, ids: &HashSet<TokenId>, now: u64) -> usize {
        let (back, kept): (Vec<_>, _) =
            std::mem::take(&mut self.trash).into_iter().partition(|trashed| ids.contains(&trashed.token.id));
        self.trash = kept;
        let count = back.len();
        for Trashed { mut token, .. } in back {
            token.updated_at = now;
            self.tokens.push(token);
        }
        count
    }

    /// Removes a token of the trash for good.
    pub fn delete_for_good(&mut self, id: TokenId) -> Result<(), NoSuchToken> {
        let from = self.trash.iter().position(|trashed| trashed.token.id == id).ok_or(NoSuchToken)?;
        self.trash.remove(from);
        self.extra.tokens.remove(&id);
        Ok(())
    }

    /// Removes everything in the trash for good, and says how many tokens that were.
    pub fn empty_trash(&mut self) -> usize {
        for trashed in &self.trash {
            self.extra.tokens.remove(&trashed.token.id);
        }
        let gone = self.trash.len();
        self.trash.clear();
        gone
    }

    /// Removes for good what has been in the trash for [`TRASH_SECONDS`]. A save does this by itself.
    pub(in crate::vault) fn purge(&mut self, now: u64) {
        let extras = &mut self.extra.tokens;
        self.trash.retain(|trashed| {
            let keep = now < trashed.removed_at.saturating_add(TRASH_SECONDS);
            if !keep {
                extras.remove(&trashed.token.id);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        token::{Algorithm, Digits, Kind, Period, TokenSecret, TokenSpec},
        vault::content::Extra,
    };

    fn id(n: u8) -> TokenId {
        TokenId::from_random([n; 16])
    }

    /// Tokens 1 to `count`, added at 10.
    fn content(count: u8) -> Content {
        let mut content = Content::default();
        for n in 1..=count {
            let spec = TokenSpec {
                issuer: format!("Issuer {n}"),
                account: String::new(),
                kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
                secret: TokenSecret::from_bytes(vec![n; 20]).unwrap(),
                label_issuer: None,
                uri_parameters: Vec::new(),
            };
            content.add(id(n), spec, 10);
        }
        content
    }

    fn order(content: &Content) -> Vec<TokenId> {
        content.tokens().iter().map(|token| token.id).collect()
    }

    fn trash(content: &Content) -> Vec<TokenId> {
        content.trash().iter().map(|trashed| trashed.token.id).collect()
    }

    #[test]
    fn many_go_and_come_back_as_one_would() {
        let mut content = content(5);
        let before = order(&content);
        assert_eq!(content.remove_all(&HashSet::from([id(4), id(2), id(9)]), 20), 2);
        assert_eq!((order(&content), trash(&content)), (vec![id(1), id(3), id(5)], vec![id(2), id(4)]));
        assert!(content.trash().iter().all(|trashed| trashed.removed_at == 20));
        assert_eq!(content.restore_all(&HashSet::from([id(2), id(4), id(1)]), 30), 2);
        assert_eq!(order(&content), [id(1), id(3), id(5), id(2), id(4)]);
        assert_eq!(content.token(id(2)).unwrap().updated_at, 30);
        content.arrange(&before);
        assert_eq!(order(&content), before);
    }

    #[test]
    fn what_an_order_does_not_name_comes_after_as_it_was() {
        let mut content = content(4);
        content.arrange(&[id(3), id(9), id(1)]);
        assert_eq!(order(&content), [id(3), id(1), id(2), id(4)]);
    }

    #[test]
    fn one_of_the_trash_goes_for_good_and_so_do_its_unknown_fields() {
        let mut content = content(3);
        let later =
            Extra { fields: vec![("later".into(), crate::secret::SecretText::new("1".into()))], ..Extra::default() };
        content.extra.tokens.insert(id(1), later.clone());
        content.extra.tokens.insert(id(2), later);
        content.remove(id(1), 20).unwrap();
        content.remove(id(3), 20).unwrap();
        assert_eq!(content.delete_for_good(id(2)), Err(NoSuchToken), "it is not in the trash");
        assert_eq!(content.delete_for_good(id(1)), Ok(()));
        assert_eq!((trash(&content), order(&content)), (vec![id(3)], vec![id(2)]));
        assert_eq!(content.extra.tokens.keys().collect::<Vec<_>>(), [&id(2)]);
        assert_eq!(content.delete_for_good(id(1)), Err(NoSuchToken));
    }

    #[test]
    fn an_emptied_trash_leaves_the_tokens_that_are_in_use() {
        let mut content = content(3);
        content.extra.tokens.insert(id(1), Extra::default());
        content.extra.tokens.insert(id(2), Extra::default());
        content.remove(id(1), 20).unwrap();
        content.remove(id(3), 20).unwrap();
        assert_eq!(content.empty_trash(), 2);
        assert_eq!((trash(&content), order(&content)), (vec![], vec![id(2)]));
        assert_eq!(content.extra.tokens.keys().collect::<Vec<_>>(), [&id(2)]);
        assert_eq!(content.empty_trash(), 0);
    }
}
