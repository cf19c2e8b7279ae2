//! A part of a content: some of its tokens, for a backup of only those.

use std::collections::HashSet;

use super::{Content, Extras};
use crate::token::Token;

impl Content {
    /// The tokens that `keep` names, with the groups that they are in. The trash, imports, settings and entries that
    /// could not be read stay behind.
    pub fn part(&self, keep: impl Fn(&Token) -> bool) -> Self {
        let tokens: Vec<Token> = self.tokens.iter().filter(|token| keep(token)).cloned().collect();
        let used: HashSet<_> = tokens.iter().flat_map(|token| token.groups.iter().copied()).collect();
        let ids: HashSet<_> = tokens.iter().map(|token| token.id).collect();
        let mut extra = Extras::default();
        extra
            .tokens
            .extend(self.extra.tokens.iter().filter(|(id, _)| ids.contains(id)).map(|(id, e)| (*id, e.clone())));
        extra
            .groups
            .extend(self.extra.groups.iter().filter(|(id, _)| used.contains(id)).map(|(id, e)| (*id, e.clone())));
        let groups = self.groups.iter().filter(|group| used.contains(&group.id)).cloned().collect();
        Self { tokens, groups, extra, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use crate::vault::fixtures::sample;

    #[test]
    fn a_part_has_its_tokens_and_their_groups_only() {
        let content = sample();
        let first = content.tokens()[0].clone();
        let part = content.part(|token| token.id == first.id);
        assert_eq!(part.tokens(), [first]);
        assert_eq!(part.groups(), content.groups());
        assert!(part.trash().is_empty() && part.imports().is_empty() && part.unreadable().is_empty());
        assert!(content.part(|token| token.groups.is_empty()).groups().is_empty());
        assert_eq!(content.part(|_| true).tokens(), content.tokens());
    }
}
