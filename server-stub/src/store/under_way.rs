//! What is under way for a user (sessions, sign-ins, registrations, links), and what ends it.

use sqlx::AnyConnection;

use super::{StoreError, links};

/// A change of a user, by what it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Another password, or none: whatever the one before opened. A registration by a link stays.
    Password,
    /// Another number, or none: whatever the one before opened, and what was sent to it.
    Phone,
    /// Tokens taken away, a right given or taken, an administrator rescued: everything.
    Everything,
    /// Tokens that have to be confirmed again: sessions, and registrations, which would go around it. A link stays, and so
    /// does a sign-in, which confirms.
    Unconfirmed,
    /// The second factor is asked for again: sessions that had none. The one that a rescue opened stays.
    Asked,
    /// An app taken away: registrations. One of the same app would bind it again.
    App,
}

/// Ends what is under way for a user. How many registrations there were. The caller has locked the user's row: whoever
/// goes on with one of them locks it, too, and finds it ended.
pub(super) async fn end(connection: &mut AnyConnection, user_id: &str, change: Change) -> Result<u64, StoreError> {
    const SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1";
    const BY_PASSWORD_ALONE: &str = "DELETE FROM sessions WHERE user_id = $1 AND credential_id IS NULL AND rescue = 0";
    const CHALLENGES: &str = "DELETE FROM challenges WHERE user_id = $1";
    const REGISTRATIONS: &str = "UPDATE registrations SET state = 'revoked', secret = NULL WHERE user_id = $1 \
        AND state IN ('started', 'confirmed')";
    const BY_PASSWORD: &str = "UPDATE registrations SET state = 'revoked', secret = NULL WHERE user_id = $1 \
        AND state IN ('started', 'confirmed') AND link_id IS NULL";
    let (statements, registrations): (&[&str], _) = match change {
        Change::Password => (&[SESSIONS, CHALLENGES], Some(BY_PASSWORD)),
        Change::Phone | Change::Everything => (&[SESSIONS, CHALLENGES], Some(REGISTRATIONS)),
        Change::Unconfirmed => (&[SESSIONS], Some(REGISTRATIONS)),
        Change::Asked => (&[BY_PASSWORD_ALONE], None),
        Change::App => (&[], Some(REGISTRATIONS)),
    };
    for statement in statements {
        sqlx::query(*statement).bind(user_id).execute(&mut *connection).await?;
    }
    let mut ended = 0;
    if let Some(statement) = registrations {
        ended = sqlx::query(statement).bind(user_id).execute(&mut *connection).await?.rows_affected();
    }
    if matches!(change, Change::Phone | Change::Everything) {
        links::revoke(connection, user_id).await?;
    }
    Ok(ended)
}
