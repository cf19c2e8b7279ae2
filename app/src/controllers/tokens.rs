//! The list of tokens: which are shown, their codes, and what is done with them.

mod groups;
mod hidden;
mod index;
mod marks;
mod order;
#[cfg(test)]
mod tests;
mod trash;
mod uses;

pub use groups::{GroupError, MAX_NAME, Share};
pub use index::{Counts, Filter, Place};
pub use marks::Marks;
pub use order::MoveError;
pub use trash::Removed;

use std::{
    cell::{Ref, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
};

use countersign_core::{
    otp::{Code, CodeError},
    secret::SecretText,
    token::{Token, TokenId},
    vault::content::{Change, Content, NoSuchToken},
};

use self::{hidden::Revealed, index::Index, uses::Uses};
use crate::account::keep::Standing;

use super::{ChangeError, Door, Services, clipboard::ClipboardController};
use crate::platform::PlatformError;

/// Why a code was not copied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// There is none.
    #[error("there is no code to copy")]
    NoCode,
    /// The clipboard did not take it.
    #[error("the clipboard did not take the code: {0}")]
    Clipboard(PlatformError),
}

/// What a token shows at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A code of this time.
    Live(Code),
    /// A counter-based token of which no code was asked for since the vault was opened.
    CounterWaiting,
    /// The last code of a counter-based token.
    Counter(Code),
    /// There is no code.
    Failed(CodeError),
}

/// The list of tokens.
pub struct TokensController {
    services: Rc<Services>,
    door: Rc<Door>,
    clipboard: Rc<ClipboardController>,
    counter_codes: RefCell<HashMap<TokenId, Code>>,
    index: RefCell<Index>,
    uses: Uses,
    revealed: Revealed,
    /// Tokens that are marked.
    pub marks: Marks,
}

impl TokensController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>, clipboard: Rc<ClipboardController>) -> Self {
        Self {
            services,
            door,
            clipboard,
            counter_codes: RefCell::default(),
            index: RefCell::default(),
            uses: Uses::default(),
            revealed: Revealed::default(),
            marks: Marks::default(),
        }
    }

    /// The time of the clock, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.services.clock.now()
    }

    /// What the vault holds, while it is open.
    pub fn content(&self) -> Option<Ref<'_, Content>> {
        self.door.content()
    }

    /// The tokens whose issuer, account, note or groups have every word of the query, of those that the filter lets
    /// through: favourites first, then in the order that was chosen.
    pub fn matching(&self, query: &str, filter: Filter) -> Vec<Place> {
        let Some(content) = self.door.content() else { return Vec::new() };
        self.index.borrow_mut().fresh(self.door.changes()).matching(&content, query, filter, self.sort())
    }

    /// Makes what a search looks through, so that its first key does not wait for it. Does nothing where it is made.
    pub fn prepare_search(&self) {
        let Some(content) = self.door.content() else { return };
        self.index.borrow_mut().fresh(self.door.changes()).prepare(&content);
    }

    /// How many tokens there are of what.
    pub fn counts(&self) -> Counts {
        let Some(content) = self.door.content() else { return Counts::default() };
        self.index.borrow_mut().fresh(self.door.changes()).counts(&content).clone()
    }

    /// The name of another token that makes the same codes.
    pub fn twin(&self, id: TokenId) -> Option<String> {
        let content = self.door.content()?;
        let other = self.index.borrow_mut().fresh(self.door.changes()).twin(&content, id)?;
        content.token(other).map(|token| token.spec.title())
    }

    /// How a token stands that a server handed out.
    pub fn standing(&self, token: &Token) -> Option<Standing> {
        token.registration.as_ref()?;
        let content = self.door.content()?;
        self.index.borrow_mut().fresh(self.door.changes()).standing(&content, token)
    }

    /// What a token shows at `now`.
    pub fn shown(&self, token: &Token, now: u64) -> Shown {
        if token.spec.kind.counter().is_some() {
            return match self.counter_codes.borrow().get(&token.id) {
                Some(code) => Shown::Counter(code.clone()),
                None => Shown::CounterWaiting,
            };
        }
        match token.spec.code_at(now) {
            Ok(code) => Shown::Live(code),
            Err(error) => Shown::Failed(error),
        }
    }

    /// Whether a token's code is hidden until it is asked for. A counter's code was asked for when it was made.
    pub fn is_hidden(&self, token: &Token, now: u64) -> bool {
        self.services.settings.with(|settings| settings.hide_codes)
            && token.spec.kind.counter().is_none()
            && !self.revealed.is_shown(token.id, now)
    }

    /// Shows a token's codes for a while where they are hidden; says whether they were.
    pub fn reveal(&self, id: TokenId) -> bool {
        let now = self.now();
        let hidden = self.door.content().is_some_and(|c| c.token(id).is_some_and(|token| self.is_hidden(token, now)));
        if hidden {
            self.revealed.reveal(id, now);
        }
        hidden
    }

    /// Takes the tokens whose codes are hidden again.
    pub fn hidden_again(&self) -> Vec<TokenId> {
        self.revealed.over(self.now())
    }

    /// Whether the next code stands beside the current one.
    pub fn shows_next(&self) -> bool {
        self.services.settings.with(|settings| settings.show_next)
    }

    /// Copies the code that a token shows, and says after how many seconds the clipboard is cleared.
    pub fn copy(&self, id: TokenId) -> Result<u64, CopyError> {
        self.copy_code(id, |token, now| match self.shown(token, now) {
            Shown::Live(code) | Shown::Counter(code) => Some(code),
            Shown::CounterWaiting | Shown::Failed(_) => None,
        })
    }

    /// Copies the code that comes after the current one, and says in how many seconds it begins to be good.
    pub fn copy_next(&self, id: TokenId) -> Result<u64, CopyError> {
        let mut begins = 0;
        self.copy_code(id, |token, now| {
            let code = token.spec.next_code_at(now).ok()?;
            begins = code.stands()?.from.saturating_sub(now);
            Some(code)
        })?;
        Ok(begins)
    }

    fn copy_code(&self, id: TokenId, code: impl FnOnce(&Token, u64) -> Option<Code>) -> Result<u64, CopyError> {
        let code = {
            let content = self.door.content().ok_or(CopyError::NoCode)?;
            let token = content.token(id).ok_or(CopyError::NoCode)?;
            code(token, self.now()).ok_or(CopyError::NoCode)?
        };
        self.clipboard.copy(SecretText::new(code.text().to_owned())).map_err(CopyError::Clipboard)
    }

    /// Notes that a code was used; [`TokensController::save_uses`] saves it. For a counter-based token that was done
    /// when its code was made.
    pub fn note_use(&self, id: TokenId) {
        if !self.is_counter(id) {
            self.uses.note(id, self.now());
        }
    }

    /// Whether uses have waited long enough to be saved.
    pub fn uses_due(&self) -> bool {
        self.uses.due(self.now())
    }

    /// Saves the uses that were noted, and says whether there were any. Those that cannot be saved are forgotten: a
    /// count that is too low harms nobody.
    pub fn save_uses(&self) -> Result<bool, ChangeError> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(false);
        }
        self.door.edit(&self.services, |content| {
            for (id, at) in uses {
                // Gone meanwhile: nothing to note.
                let _ = content.note_use(id, at);
            }
            Ok::<_, NoSuchToken>(true)
        })
    }

    /// Makes the next code of a counter-based token. The counter is on the disk before the code can be seen, so that
    /// no code is ever shown twice as new.
    pub fn next(&self, id: TokenId) -> Result<(), ChangeError> {
        let now = self.now();
        let code = self.door.edit(&self.services, |content| {
            let token = content.token(id).ok_or(NoSuchToken)?;
            let code = token.spec.code_at(now).ok();
            content.note_use(id, now)?;
            Ok::<_, NoSuchToken>(code)
        })?;
        if let Some(code) = code {
            self.counter_codes.borrow_mut().insert(id, code);
        }
        Ok(())
    }

    /// Whether a token's codes come from a counter.
    pub fn is_counter(&self, id: TokenId) -> bool {
        self.door.content().is_some_and(|c| c.token(id).is_some_and(|token| token.spec.kind.counter().is_some()))
    }

    /// Makes a token a favourite, or no longer.
    pub fn toggle_favourite(&self, id: TokenId) -> Result<(), ChangeError> {
        let favourite = self.door.content().is_some_and(|c| c.token(id).is_some_and(|token| token.favourite));
        self.set_favourites(&HashSet::from([id]), !favourite)
    }

    /// Makes tokens favourites, or no longer.
    pub fn set_favourites(&self, ids: &HashSet<TokenId>, favourite: bool) -> Result<(), ChangeError> {
        self.change_all(ids, |token| {
            (token.favourite != favourite).then(|| Change { favourite: Some(favourite), ..Change::default() })
        })
    }

    /// Whether all of these are favourites.
    pub fn all_favourites(&self, ids: &HashSet<TokenId>) -> bool {
        let meant = |token: &&Token| ids.contains(&token.id);
        self.door.content().is_some_and(|content| content.tokens().iter().filter(meant).all(|token| token.favourite))
    }

    /// Forgets every code and every text of the vault that was open.
    pub fn forget(&self) {
        self.counter_codes.borrow_mut().clear();
        *self.index.borrow_mut() = Index::default();
        self.uses.take();
        self.revealed.clear();
        self.marks.clear();
    }

    /// Changes tokens in one save.
    fn change_all(&self, ids: &HashSet<TokenId>, change: impl Fn(&Token) -> Option<Change>) -> Result<(), ChangeError> {
        let now = self.now();
        self.door.edit(&self.services, |content| {
            let changes: Vec<(TokenId, Change)> = content
                .tokens()
                .iter()
                .filter(|token| ids.contains(&token.id))
                .filter_map(|token| change(token).map(|change| (token.id, change)))
                .collect();
            changes.into_iter().try_for_each(|(id, change)| content.change(id, change, now))
        })
    }
}
