//! The list of tokens: which are shown, their codes, and what is done with them.

use std::{
    cell::{Ref, RefCell},
    collections::HashMap,
    rc::Rc,
};

use countersign_core::{
    matching::fold,
    otp::{Code, CodeError},
    secret::SecretText,
    token::{Token, TokenId},
    vault::content::{Change, Content, NoSuchToken},
};

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

/// Texts of tokens as they are searched, made once for each state of the vault.
#[derive(Default)]
struct Index {
    changes: u64,
    texts: Vec<String>,
}

/// The list of tokens.
pub struct TokensController {
    services: Rc<Services>,
    door: Rc<Door>,
    clipboard: Rc<ClipboardController>,
    counter_codes: RefCell<HashMap<TokenId, Code>>,
    index: RefCell<Index>,
}

impl TokensController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>, clipboard: Rc<ClipboardController>) -> Self {
        Self { services, door, clipboard, counter_codes: RefCell::default(), index: RefCell::default() }
    }

    /// The time of the clock, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.services.clock.now()
    }

    /// What the vault holds, while it is open.
    pub fn content(&self) -> Option<Ref<'_, Content>> {
        self.door.content()
    }

    /// Positions in the vault of the tokens whose issuer, account, note or groups have every word of the query:
    /// favourites first, then in the order of the vault.
    pub fn matching(&self, query: &str) -> Vec<usize> {
        let Some(content) = self.door.content() else { return Vec::new() };
        let query = fold(query);
        let words: Vec<&str> = query.split_whitespace().collect();
        let mut found: Vec<usize> = if words.is_empty() {
            (0..content.tokens().len()).collect()
        } else {
            self.refresh_index(&content);
            let index = self.index.borrow();
            let has_all = |text: &String| words.iter().all(|word| text.contains(word));
            index.texts.iter().enumerate().filter(|(_, text)| has_all(text)).map(|(at, _)| at).collect()
        };
        found.sort_by_key(|&at| !content.tokens()[at].favourite);
        found
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

    /// Copies the code that a token shows, and says after how many seconds the clipboard is cleared.
    pub fn copy(&self, id: TokenId) -> Result<u64, CopyError> {
        let code = {
            let content = self.door.content().ok_or(CopyError::NoCode)?;
            let token = content.token(id).ok_or(CopyError::NoCode)?;
            match self.shown(token, self.now()) {
                Shown::Live(code) | Shown::Counter(code) => code,
                Shown::CounterWaiting | Shown::Failed(_) => return Err(CopyError::NoCode),
            }
        };
        self.clipboard.copy(SecretText::new(code.text().to_owned())).map_err(CopyError::Clipboard)
    }

    /// Notes that a code was used. For a counter-based token that was done when its code was made.
    pub fn note_use(&self, id: TokenId) -> Result<(), ChangeError> {
        if self.is_counter(id) {
            return Ok(());
        }
        let now = self.now();
        self.door.edit(&self.services, |content| content.note_use(id, now))
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
        let now = self.now();
        self.door.edit(&self.services, |content| {
            let favourite = content.token(id).ok_or(NoSuchToken)?.favourite;
            content.change(id, Change { favourite: Some(!favourite), ..Change::default() }, now)
        })
    }

    /// Forgets every code and every text of the vault that was open.
    pub fn forget(&self) {
        self.counter_codes.borrow_mut().clear();
        *self.index.borrow_mut() = Index::default();
    }

    fn refresh_index(&self, content: &Content) {
        let mut index = self.index.borrow_mut();
        if index.changes == self.door.changes() && index.texts.len() == content.tokens().len() {
            return;
        }
        let groups: HashMap<_, _> = content.groups().iter().map(|group| (group.id, group.name.as_str())).collect();
        index.texts = content.tokens().iter().map(|token| searched_text(token, &groups)).collect();
        index.changes = self.door.changes();
    }
}

fn searched_text(token: &Token, groups: &HashMap<countersign_core::token::GroupId, &str>) -> String {
    let mut text = format!("{}\n{}\n{}", token.spec.issuer, token.spec.account, token.note);
    for name in token.groups.iter().filter_map(|id| groups.get(id)) {
        text.push('\n');
        text.push_str(name);
    }
    fold(&text)
}
