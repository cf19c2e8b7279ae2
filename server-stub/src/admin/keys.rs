//! API keys.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    Admin, AdminError,
    shapes::{ApiKey, MadeKey},
};
use crate::{
    domain::{scope::Scopes, users::Name},
    service::Now,
    store::{StoreError, admin::ApiKey as Row},
};

/// What an API key begins with, so that one that strays is found by its look.
pub const API_KEY_PREFIX: &str = "csk_";

impl Admin {
    /// Makes a key; `own` is what whoever makes it may. Its text is not kept.
    pub async fn add_key(&self, name: &str, scopes: &[String], own: &Scopes, now: Now) -> Result<MadeKey, AdminError> {
        let name = Name::new(name)?;
        let scopes = Scopes::parse(scopes)?;
        if scopes.is_empty() {
            return Err(AdminError::NoScope);
        }
        if !own.covers(&scopes) {
            return Err(AdminError::ScopeBeyond);
        }
        let random = Zeroizing::new(self.random.bytes::<32>());
        let text = format!("{API_KEY_PREFIX}{}", BASE64URL_NOPAD.encode(&*random));
        let key = Row {
            id: self.random.id(now),
            name: name.shown().to_owned(),
            scopes: scopes.names(),
            created_at: now.seconds(),
        };
        self.store.add_api_key(&self.keys, &key, &Sha256::digest(text.as_bytes()).into(), now).await?;
        Ok(MadeKey { name: key.name, scopes: key.scopes, key: text })
    }

    /// All keys by name.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, AdminError> {
        Ok(self.store.api_keys().await?.into_iter().map(ApiKey::from).collect())
    }

    /// Takes a key back; `own` is what whoever takes it may.
    pub async fn revoke_key(&self, name: &str, own: &Scopes, now: Now) -> Result<(), AdminError> {
        let name = Name::new(name).map_err(|_| StoreError::Missing("API key"))?;
        let keys = self.store.api_keys().await?;
        let found = keys.iter().find(|key| key.name == name.shown()).ok_or(StoreError::Missing("API key"))?;
        if !own.covers(&Scopes::from_stored(&found.scopes)) {
            return Err(AdminError::ScopeBeyond);
        }
        Ok(self.store.revoke_api_key(&self.keys, name.shown(), now).await?)
    }
}
