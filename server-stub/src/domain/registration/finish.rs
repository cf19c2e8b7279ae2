//! The second step and the last: the SMS code, which delivers the token, and the token's first code.

use countersign_wire::v1::registration::{ACTIVATE, CONFIRM};
use serde_json::json;
use sqlx::AnyConnection;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Confirmed, Desk, GOOD_FOR, RegistrationError, TokenToBe};
use crate::{
    domain::{
        app_key::AppKey,
        audit::Event,
        judge::{Judgement, TypedCode, judge},
        policy::TokenKind,
        shown::{IN_MESSAGES, app_name},
        texts::Notice,
    },
    service::Now,
    store::{
        StoreError, apps, links as link_rows,
        registration::{self as rows, Registration},
        users, verify,
    },
};

impl Desk {
    /// The SMS code: delivers the token, which does not work yet.
    pub async fn confirm(
        &self,
        server: &str,
        id: &str,
        code: &str,
        seal_key: (&str, &AppKey),
        signature: &str,
        now: Now,
    ) -> Result<Confirmed, RegistrationError> {
        let mut transaction = self.store.begin().await?;
        let (settings, registration, key) = self.read(&mut transaction, id).await?;
        if !key.signed(CONFIRM, &[server, id, &registration.nonce, code, seal_key.0], signature) {
            return Err(RegistrationError::Signature);
        }
        let registration = self.locked(&mut transaction, &registration).await?;
        if registration.state == "revoked" {
            return Err(RegistrationError::Ended);
        }
        let user = verify::Who::Id(registration.user_id.clone());
        let subject = verify::subject(&mut transaction, &self.keys, &user).await?.ok_or(RegistrationError::Ended)?;
        let policy = settings.policy_of(subject.group_policy.as_deref());
        // The same budget as for every other code of the user: a new SMS opens no new one.
        let failures = verify::claim(&mut transaction, &registration.user_id, &policy, now.seconds()).await?;
        let typed: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace()).take(16).collect());
        let key_id = u32::try_from(registration.sms_key_id).unwrap_or(0);
        let right = self.sms_mac(key_id, id, &typed)?.ct_eq(&registration.sms_mac);
        // A second request with the code is another's, unless it is the first one once more, of an app that lost the
        // answer. That one costs no try, however often the answer gets lost.
        let confirmed = registration.state == "confirmed";
        let taken = confirmed && registration.seal_key.as_deref() != Some(seal_key.0);
        let again = confirmed && !taken && bool::from(right);
        let tried = failures.is_some() && (again || rows::claim_sms(&mut transaction, id, now.seconds()).await?);
        if !tried || taken || !bool::from(right) {
            let reason = if tried { "sms_wrong" } else { "budget_spent" };
            self.tell_if_locked(&mut transaction, &registration.user_id, &policy, failures, now).await?;
            let event = Event::new(now, "registration.refused", Some(&registration.user_id));
            let detail = json!({ "registration": id, "reason": reason });
            self.finish(&mut transaction, vec![event.with(detail)]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::Sms);
        }
        verify::give_back(&mut transaction, &registration.user_id).await?;
        if let Some((token, columns, kept)) = registration.token.as_ref().filter(|_| confirmed) {
            // The same token again, to the same key.
            let secret = self.keys.open(verify::SECRET_PLACE, token, kept);
            let secret = secret.map_err(|_| StoreError::Damaged("registrations"))?;
            let sealed = seal_key.1.seal(&secret, id, &self.random).map_err(|_| RegistrationError::Signature)?;
            let replaces = self.replaces(&mut transaction, &registration.user_id, &key).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            let exportable = policy.exportable;
            return Ok(Confirmed { token: token.clone(), columns: columns.clone(), sealed, replaces, exportable });
        }

        let account = users::user_name(&mut transaction, &registration.user_id).await?;
        let TokenToBe { id: token, columns, secret, kept } = self.token_to_be(&policy, account, now);
        let until = now.seconds() + GOOD_FOR;
        if !rows::confirm(&mut transaction, id, &token, &columns, kept, seal_key.0, until).await? {
            return Err(RegistrationError::Ended);
        }
        let sealed = seal_key.1.seal(&secret, id, &self.random).map_err(|_| RegistrationError::Signature)?;
        let replaces = self.replaces(&mut transaction, &registration.user_id, &key).await?;
        let detail = json!({ "registration": id, "token": token });
        let event = Event::new(now, "registration.confirmed", Some(&registration.user_id)).with(detail);
        self.finish(&mut transaction, vec![event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Confirmed { token, columns, sealed, replaces, exportable: policy.exportable })
    }

    /// A first code: the token works from now on, and the one before does not. The same request again is answered
    /// again, for an app that lost the answer.
    pub async fn activate(
        &self,
        server: &str,
        id: &str,
        code: &str,
        signature: &str,
        now: Now,
    ) -> Result<(String, String), RegistrationError> {
        let mut transaction = self.store.begin().await?;
        let (settings, registration, key) = self.read(&mut transaction, id).await?;
        let Some((token, ..)) = &registration.token else { return Err(RegistrationError::Ended) };
        if !key.signed(ACTIVATE, &[server, id, &registration.nonce, token, code], signature) {
            return Err(RegistrationError::Signature);
        }
        let registration = self.locked(&mut transaction, &registration).await?;
        let Some((token, columns, sealed)) = &registration.token else { return Err(RegistrationError::Ended) };
        let user_id = &registration.user_id;
        let done = (token.clone(), key.id());
        match registration.state.as_str() {
            // Good for no longer than that on any clock: one that is set back does not bring it back.
            "confirmed" if (1..=GOOD_FOR).contains(&(registration.expires_at - now.seconds())) => {}
            "confirmed" | "revoked" => return Err(RegistrationError::Ended),
            "active" => {
                let bound = apps::binding_of(&mut transaction, user_id).await?;
                let still = bound.is_some_and(|bound| bound.credential_id == *token);
                return if still { Ok(done) } else { Err(RegistrationError::BoundElsewhere) };
            }
            _ => return Err(RegistrationError::BoundElsewhere),
        }
        let subject = verify::subject(&mut transaction, &self.keys, &verify::Who::Id(user_id.clone())).await?;
        let policy = settings.policy_of(subject.ok_or(RegistrationError::Ended)?.group_policy.as_deref());
        // What was allowed when it began may have ended since, with another group or other rules.
        let has = users::kinds(&mut transaction, user_id).await?;
        let begun = policy.self_enrollment || registration.link_id.is_some();
        if !begun || policy.admits(TokenKind::Totp, &has).is_err() {
            let detail = json!({ "registration": id, "reason": "policy" });
            let event = Event::new(now, "registration.refused", Some(user_id)).with(detail);
            self.finish(&mut transaction, vec![event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::Ended);
        }
        let failures = verify::claim(&mut transaction, user_id, &policy, now.seconds()).await?;
        let secret = self.keys.open(verify::SECRET_PLACE, token, sealed);
        let secret = secret.map_err(|_| StoreError::Damaged("registrations"))?;
        let spec = verify::token(columns, -1, &secret).ok_or(StoreError::Damaged("registrations"))?;
        let judged = judge(&spec, -1, None, &TypedCode::new(code), &policy, now.seconds());
        let (Some(_), Judgement::Step(step)) = (failures, judged) else {
            self.tell_if_locked(&mut transaction, user_id, &policy, failures, now).await?;
            let reason = if failures.is_some() { "wrong" } else { "budget_spent" };
            let detail = json!({ "registration": id, "reason": reason });
            let event = Event::new(now, "registration.refused", Some(user_id)).with(detail);
            self.finish(&mut transaction, vec![event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::Code);
        };
        if let Some(link) = &registration.link_id
            && !link_rows::take(&mut transaction, link, now.seconds()).await?
        {
            return Err(RegistrationError::Link);
        }
        let before = apps::binding_of(&mut transaction, user_id).await?;
        if !rows::activate(&mut transaction, &registration, &key.id(), step, now.seconds()).await? {
            return Err(RegistrationError::BoundElsewhere);
        }
        verify::forgive(&mut transaction, user_id).await?;
        // Whose token it is hears of it, in case it was somebody else.
        let app = app_name(&registration.app_name, &registration.platform, IN_MESSAGES);
        let notice = Notice::Registered { app: &app };
        self.teller(now).tell(&mut transaction, user_id, &policy, notice).await?;
        let detail = json!({
            "registration": id, "token": token, "app": key.id(), "before": before.map(|b| b.app_id),
            "link": registration.link_id,
        });
        let event = Event::new(now, "registration.activated", Some(user_id)).with(detail);
        self.finish(&mut transaction, vec![event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.outbox.notify_one();
        Ok(done)
    }

    /// A registration as it is once nobody else changes anything of its user: of two requests at once the second sees what
    /// the first did, and neither goes on with what a change of the user has ended.
    async fn locked(
        &self,
        connection: &mut AnyConnection,
        seen: &Registration,
    ) -> Result<Registration, RegistrationError> {
        link_rows::lock_user(connection, &seen.user_id).await?;
        rows::read(connection, &seen.id).await?.ok_or(RegistrationError::Ended)
    }

    /// The app that a user's token would be taken from.
    async fn replaces(
        &self,
        connection: &mut AnyConnection,
        user_id: &str,
        key: &AppKey,
    ) -> Result<Option<String>, StoreError> {
        let bound = apps::binding_of(connection, user_id).await?;
        Ok(bound
            .filter(|bound| bound.app_id != key.id())
            .map(|bound| app_name(&bound.app_name, &bound.platform, IN_MESSAGES)))
    }
}
