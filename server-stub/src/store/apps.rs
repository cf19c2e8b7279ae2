//! Apps that have a token, and how it is taken away from one.

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Store, StoreError, former,
    under_way::{self, Change},
    users,
};
use crate::{
    domain::{audit::Event, notices::Teller, texts::Notice, users::Name},
    seal::Keys,
    service::{Now, Random},
};

/// A token and the app that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The token's id.
    pub credential_id: String,
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub user: String,
    /// The app's id.
    pub app_id: String,
    /// The app's name.
    pub app_name: String,
    /// The app's platform.
    pub platform: String,
    /// Since when, in Unix seconds.
    pub bound_at: i64,
}

/// An app that was taken away from a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The user's name.
    pub user: String,
    /// The app's id.
    pub app_id: String,
    /// The app's name.
    pub app_name: String,
    /// The app's platform.
    pub platform: String,
    /// The token that it had, and since when in Unix seconds; `None` where it was about to register only.
    pub token: Option<(String, i64)>,
    /// How many registrations under way have ended.
    pub registrations: u64,
}

macro_rules! binding_sql {
    ($rest:literal) => {
        concat!(
            "SELECT b.credential_id, b.user_id, u.name, b.app_id, b.app_name, b.platform, b.bound_at ",
            "FROM bindings b JOIN users u ON u.id = b.user_id ",
            $rest
        )
    };
}

fn binding(row: &AnyRow) -> Result<Binding, StoreError> {
    Ok(Binding {
        credential_id: row.try_get(0)?,
        user_id: row.try_get(1)?,
        user: row.try_get(2)?,
        app_id: row.try_get(3)?,
        app_name: row.try_get(4)?,
        platform: row.try_get(5)?,
        bound_at: row.try_get(6)?,
    })
}

/// The app that a user's token is bound to.
pub async fn binding_of(connection: &mut AnyConnection, user_id: &str) -> Result<Option<Binding>, StoreError> {
    let row = sqlx::query(binding_sql!("WHERE b.user_id = $1")).bind(user_id).fetch_optional(connection).await?;
    row.as_ref().map(binding).transpose()
}

impl Store {
    /// Every app that has a token, by user.
    pub async fn bindings(&self) -> Result<Vec<Binding>, StoreError> {
        self.bindings_after("", i64::MAX).await
    }

    /// Apps that have a token, by their users' folded names, after that one.
    pub async fn bindings_after(&self, folded: &str, most: i64) -> Result<Vec<Binding>, StoreError> {
        let query = sqlx::query(binding_sql!("WHERE u.folded > $1 ORDER BY u.folded LIMIT $2"));
        let rows = query.bind(folded).bind(most).fetch_all(&self.readers).await?;
        rows.iter().map(binding).collect()
    }

    /// Takes a user's registered token away from its app: it makes no right code any more. Ends the registrations that are
    /// under way, too; where there is nothing else, these alone.
    pub async fn revoke_app(&self, keys: &Keys, random: &Random, user: &Name, now: Now) -> Result<Revoked, StoreError> {
        const UNDER_WAY: &str = "SELECT r.app_id, r.app_name, r.platform, u.name FROM registrations r \
            JOIN users u ON u.id = r.user_id WHERE r.user_id = $1 AND r.state IN ('started', 'confirmed') \
            AND r.expires_at > $2 ORDER BY r.id DESC LIMIT 1";
        let mut transaction = self.begin().await?;
        let missing = |error| match error {
            StoreError::Missing(_) => StoreError::Missing("registered app"),
            error => error,
        };
        let user_id = self.locked(&mut transaction, user).await.map_err(missing)?;
        let bound = binding_of(&mut transaction, &user_id).await?;
        let newest =
            sqlx::query(UNDER_WAY).bind(&user_id).bind(now.seconds()).fetch_optional(&mut *transaction).await?;
        let registrations = under_way::end(&mut transaction, &user_id, Change::App).await?;
        let revoked = match (bound, newest) {
            (Some(bound), _) => Revoked {
                user: bound.user,
                app_id: bound.app_id,
                app_name: bound.app_name,
                platform: bound.platform,
                token: Some((bound.credential_id, bound.bound_at)),
                registrations,
            },
            (None, Some(row)) => Revoked {
                app_id: row.try_get(0)?,
                app_name: row.try_get(1)?,
                platform: row.try_get(2)?,
                user: row.try_get(3)?,
                token: None,
                registrations,
            },
            (None, None) => return Err(StoreError::Missing("registered app")),
        };
        let token = revoked.token.as_ref().map(|(id, _)| id);
        if let Some(id) = token {
            former::remember(&mut transaction, &user_id, false, now.seconds()).await?;
            sqlx::query("DELETE FROM credentials WHERE id = $1").bind(id).execute(&mut *transaction).await?;
            let (_, policy) = users::policy(&mut transaction, &user_id).await?;
            let teller = Teller { keys, random, now };
            teller.tell(&mut transaction, &user_id, &policy, Notice::Revoked).await?;
        }
        let detail = json!({ "app": revoked.app_id, "token": token, "registrations": registrations });
        let event = Event::new(now, "app.revoked", Some(&user_id)).with(detail);
        self.record(&mut transaction, keys, vec![event]).await?;
        transaction.commit().await?;
        Ok(revoked)
    }
}
