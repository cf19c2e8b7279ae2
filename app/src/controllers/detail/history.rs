//! What a token was before.

use countersign_core::{
    token::{Kind, Revision, Token, TokenId},
    vault::content::{Change, NoSuchToken},
};

use super::DetailController;
use crate::controllers::ChangeError;

/// Earlier values, and in what they differ from the present ones.
#[derive(Debug)]
pub struct Earlier<'a> {
    /// The values.
    pub revision: &'a Revision,
    /// Their place in the history.
    pub index: usize,
    /// Another issuer or account.
    pub name: bool,
    /// Another kind, algorithm, number of digits, period or PIN. Counters run on, and say nothing here.
    pub parameters: bool,
    /// Another secret.
    pub secret: bool,
    /// Another note.
    pub note: bool,
}

/// Where the values went that earlier ones took the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Their place in the history.
    pub index: usize,
    /// When, in Unix seconds.
    pub replaced_at: u64,
}

/// The history of a token, newest first.
pub fn earlier(token: &Token) -> Vec<Earlier<'_>> {
    let now = &token.spec;
    let revisions = token.history.iter().enumerate().rev();
    revisions
        .map(|(index, revision)| Earlier {
            revision,
            index,
            name: revision.spec.issuer != now.issuer || revision.spec.account != now.account,
            parameters: !revision.spec.kind.same_parameters(&now.kind),
            secret: revision.spec.secret.bytes() != now.secret.bytes(),
            note: revision.note != token.note,
        })
        .collect()
}

impl DetailController {
    /// Makes earlier values the present ones, which become history. Says where these are now; `None` where both were
    /// the same. `replaced_at` has to be that of the place: another program may have moved it.
    pub fn restore(&self, id: TokenId, index: usize, replaced_at: u64) -> Result<Option<Restored>, ChangeError> {
        let now = self.services.clock.now();
        self.door.edit(&self.services, |content| {
            let token = content.token(id).ok_or(NoSuchToken)?;
            let revision = token.history.get(index).filter(|revision| revision.replaced_at == replaced_at);
            let Revision { mut spec, note, .. } = revision.ok_or(NoSuchToken)?.clone();
            // Codes that were used stay used: a counter does not go back with a name.
            if spec.same_codes(&token.spec)
                && let (Kind::Hotp { counter, .. }, Some(current)) = (&mut spec.kind, token.spec.kind.counter())
            {
                *counter = current;
            }
            let same = spec == token.spec && note == token.note;
            content.change(id, Change { spec: Some(spec), note: Some(note), ..Change::default() }, now)?;
            let length = content.token(id).map_or(0, |token| token.history.len());
            Ok::<_, NoSuchToken>((!same).then(|| Restored { index: length.saturating_sub(1), replaced_at: now }))
        })
    }
}
