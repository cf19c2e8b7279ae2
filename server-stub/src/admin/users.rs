//! Users, one at a time or from a list.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use countersign_core::secret::Password;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{
    Admin, AdminError,
    shapes::{NewUser, User, UserChange, UserDetail, UserPage},
    somebody,
};
use crate::{
    domain::{
        login::session_text,
        policy::TokenKind,
        users::{self, Name, email, phone},
    },
    password,
    service::{Now, Random},
    store::{
        StoreError,
        admin::{NewToken, NewUser as NewRow, Rights, UserChange as ChangeRow},
    },
};

/// A line of a list of users.
#[derive(Clone, Default)]
pub struct UserRow {
    /// Where it stands.
    pub line: u64,
    /// What it says.
    pub user: NewUser,
}

/// A line of a list of tokens.
#[derive(Clone, Default)]
pub struct TokenRow {
    /// Where it stands.
    pub line: u64,
    /// Whose.
    pub user: String,
    /// The `otpauth://` link.
    pub uri: String,
}

/// What is wrong with a line.
#[derive(Debug)]
pub struct RowProblem {
    /// Where it stands.
    pub line: u64,
    /// What is wrong, for people.
    pub problem: String,
}

impl Admin {
    /// Adds a user.
    pub async fn add_user(&self, new: &NewUser, now: Now) -> Result<User, AdminError> {
        let mut row = self.new_user(new, now)?;
        if let Some(text) = &new.password {
            row.password_hash = Some(self.hash(text).await?);
        }
        let rights = Rights { administrator: new.administrator, exempt: new.exempt };
        self.store.add_users(&self.keys, std::slice::from_ref(&row), rights, now).await?;
        Ok(User::new(self.store.user(&row.name).await?))
    }

    /// All but the password.
    fn new_user(&self, new: &NewUser, now: Now) -> Result<NewRow, AdminError> {
        Ok(NewRow {
            id: self.random.id(now),
            name: Name::new(&new.name)?,
            phone: given(new.phone.as_deref(), phone)?.flatten(),
            email: given(new.email.as_deref(), email)?.flatten(),
            group: given(new.group.as_deref(), Name::new)?.flatten(),
            password_hash: None,
        })
    }

    /// A page of users by name: those after `after`, whose names hold `part`.
    pub async fn users(&self, part: &str, after: &str, most: u32) -> Result<UserPage, AdminError> {
        let fold = countersign_core::matching::fold;
        let page = self.store.users_like(&fold(part), after, most.into()).await?;
        let full = page.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let next = page.last().filter(|_| full).map(|(folded, _)| folded.clone());
        Ok(UserPage { users: page.into_iter().map(|(_, user)| User::new(user)).collect(), next })
    }

    /// One user, with the tokens where they are asked for.
    pub async fn user(&self, name: &str, tokens: bool) -> Result<UserDetail, AdminError> {
        let user = self.store.user(&somebody(name)?).await?;
        let tokens = if tokens { Some(self.tokens(name).await?) } else { None };
        Ok(UserDetail { tokens, user: User::new(user) })
    }

    /// Changes a user; an empty text takes away.
    pub async fn change_user(&self, name: &str, change: &UserChange, now: Now) -> Result<User, AdminError> {
        let name = somebody(name)?;
        self.store.change_user(&self.keys, &self.random, &name, &self.change(change).await?, now).await?;
        Ok(User::new(self.store.user(&name).await?))
    }

    async fn change(&self, change: &UserChange) -> Result<ChangeRow, AdminError> {
        let password_hash = match change.password.as_deref() {
            None => None,
            Some(text) => Some(Some(self.hash(text).await?)),
        };
        Ok(ChangeRow {
            phone: given(change.phone.as_deref(), phone)?,
            email: given(change.email.as_deref(), email)?,
            group: given(change.group.as_deref(), Name::new)?,
            password_hash,
            administrator: change.administrator,
            exempt: change.exempt,
        })
    }

    /// Hashes a password, one at a time and where nobody waits for it: whoever verifies a code goes on.
    async fn hash(&self, text: &str) -> Result<String, AdminError> {
        static PLACE: Semaphore = Semaphore::const_new(1);
        let (text, random) = (Zeroizing::new(text.to_owned()), self.random.clone());
        let _place = PLACE.acquire().await.map_err(|_| password::HashFailed)?;
        tokio::task::spawn_blocking(move || hash(&text, &random)).await.map_err(|_| password::HashFailed)?
    }

    /// Lets a user try again.
    pub async fn unlock_user(&self, name: &str, now: Now) -> Result<User, AdminError> {
        let name = somebody(name)?;
        self.store.unlock_user(&self.keys, &name, now).await?;
        Ok(User::new(self.store.user(&name).await?))
    }

    /// Deletes a user's tokens; how many there were.
    pub async fn clear_user(&self, name: &str, now: Now) -> Result<u64, AdminError> {
        Ok(self.store.clear_user(&self.keys, &self.random, &somebody(name)?, now).await?)
    }

    /// Has a user's tokens confirmed again; how many there are.
    pub async fn unconfirm_user(&self, name: &str, now: Now) -> Result<u64, AdminError> {
        Ok(self.store.unconfirm_user(&self.keys, &self.random, &somebody(name)?, now).await?)
    }

    /// Deletes a user.
    pub async fn delete_user(&self, name: &str, now: Now) -> Result<(), AdminError> {
        Ok(self.store.delete_user(&self.keys, &somebody(name)?, now).await?)
    }

    /// Opens the door for an administrator; how many tokens went, and what opens a session where one is wanted.
    pub async fn rescue(
        &self,
        name: &str,
        change: &UserChange,
        session: bool,
        now: Now,
    ) -> Result<(u64, Option<Zeroizing<String>>), AdminError> {
        let opened = session.then(|| session_text(&self.random));
        let (id, hash) = (self.random.id(now), opened.as_ref().map(|text| Sha256::digest(text.as_bytes()).into()));
        let row = hash.as_ref().map(|hash| (id.as_str(), hash));
        let (name, change) = (somebody(name)?, self.change(change).await?);
        let deleted = self.store.rescue(&self.keys, &self.random, &name, &change, row, now).await?;
        Ok((deleted, opened))
    }

    /// Adds the users of a list: all, or none where a line is wrong. `dry_run` looks only.
    ///
    /// # Errors
    ///
    /// The database failed. What is wrong with lines is in the answer, which is empty where all is well.
    pub async fn import_users(&self, rows: &[UserRow], dry_run: bool, now: Now) -> Result<Vec<RowProblem>, AdminError> {
        let (mut problems, mut new) = (Vec::new(), Vec::new());
        let groups: BTreeSet<String> = self.groups().await?.iter().map(|group| fold(&group.name)).collect();
        let mut lines = BTreeMap::new();
        for row in rows {
            let mut wrong = |problem: String| problems.push(RowProblem { line: row.line, problem });
            match self.new_user(&row.user, now) {
                Err(error) => wrong(error.to_string()),
                Ok(user) => {
                    if let Some(first) = lines.insert(user.name.folded().to_owned(), row.line) {
                        wrong(format!("{} stands in line {first} already", user.name.shown()));
                    } else if self.is_there(&user.name).await? {
                        wrong(format!("{} exists already", user.name.shown()));
                    }
                    if let Some(group) = user.group.as_ref().filter(|group| !groups.contains(group.folded())) {
                        wrong(format!("there is no group {}", group.shown()));
                    }
                    let password = row.user.password.as_deref().filter(|text| !text.is_empty());
                    if let Some(Err(error)) = password.map(users::password) {
                        wrong(error.to_string());
                    }
                    new.push((user, password));
                }
            }
        }
        if !problems.is_empty() || dry_run {
            return Ok(problems);
        }
        let new = hash_all(new, &self.random)?;
        self.store.add_users(&self.keys, &new, Rights::default(), now).await?;
        Ok(problems)
    }

    /// Gives the users of a list their tokens: all, or none where a line is wrong. `dry_run` looks only.
    ///
    /// # Errors
    ///
    /// As [`Admin::import_users`].
    pub async fn import_tokens(
        &self,
        rows: &[TokenRow],
        dry_run: bool,
        now: Now,
    ) -> Result<Vec<RowProblem>, AdminError> {
        let (mut problems, mut new): (_, Vec<(Name, NewToken)>) = (Vec::new(), Vec::new());
        let (mut lines, mut given) = (BTreeMap::new(), BTreeMap::new());
        for row in rows {
            let mut wrong = |problem: String| problems.push(RowProblem { line: row.line, problem });
            let user = match Name::new(&row.user) {
                Err(error) => {
                    wrong(error.to_string());
                    continue;
                }
                Ok(user) => user,
            };
            let there = self.is_there(&user).await?;
            if !there {
                wrong(format!("there is no user {}", user.shown()));
            }
            match self.new_token(&row.uri, now) {
                Err(error) => wrong(error.to_string()),
                Ok((token, print)) => {
                    if let Some(first) = lines.insert((user.folded().to_owned(), print), row.line) {
                        wrong(format!("the same token stands in line {first} already"));
                    } else if self.has_secret(&user, &row.uri).await? {
                        wrong(format!("{} has this token already", user.shown()));
                    }
                    if there {
                        let kinds: &mut BTreeSet<TokenKind> = given.entry(user.folded().to_owned()).or_default();
                        match self.admits(&user, &token, kinds).await {
                            Ok(kind) => drop(kinds.insert(kind)),
                            Err(error @ AdminError::NotAdmitted { .. }) => wrong(error.to_string()),
                            Err(error) => return Err(error),
                        }
                    }
                    new.push((user, token));
                }
            }
        }
        if problems.is_empty() && !dry_run {
            self.store.add_tokens(&self.keys, &new, now).await?;
        }
        Ok(problems)
    }

    async fn is_there(&self, name: &Name) -> Result<bool, AdminError> {
        match self.store.user(name).await {
            Ok(_) => Ok(true),
            Err(StoreError::Missing(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the user has a token with the secret of this link.
    async fn has_secret(&self, user: &Name, link: &str) -> Result<bool, AdminError> {
        let Ok(parsed) = countersign_core::uri::parse(link.trim()) else { return Ok(false) };
        Ok(self.store.has_secret(&self.keys, user, parsed.spec.secret.bytes().expose()).await?)
    }
}

fn fold(text: &str) -> String {
    countersign_core::matching::fold(text)
}

/// Reads what was given; an empty text is an inner `None`.
fn given<T, E>(text: Option<&str>, read: impl Fn(&str) -> Result<T, E>) -> Result<Option<Option<T>>, E> {
    match text.map(str::trim) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => read(text).map(|value| Some(Some(value))),
    }
}

fn hash(text: &str, random: &Random) -> Result<String, AdminError> {
    users::password(text)?;
    Ok(password::hash(&Password::new(text), random)?)
}

/// Hashes the passwords of a list on every core: one takes tens of milliseconds, and a list may have thousands.
fn hash_all(mut new: Vec<(NewRow, Option<&str>)>, random: &Random) -> Result<Vec<NewRow>, AdminError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = new.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work = |part: &mut [(NewRow, Option<&str>)]| {
            part.iter_mut().try_for_each(|(row, text)| {
                row.password_hash = text.map(|text| hash(text, random)).transpose()?;
                Ok::<(), AdminError>(())
            })
        };
        let running: Vec<_> = new.chunks_mut(share).map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(AdminError::Hash(password::HashFailed))))
    })?;
    Ok(new.into_iter().map(|(row, _)| row).collect())
}
