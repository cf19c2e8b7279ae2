//! The pages of a closed vault.

use countersign_ui::{NavigationAdapter, Purpose, UnlockAdapter, WelcomeAdapter};
use slint::ComponentHandle as _;

use super::{Outcome, Stage};

pub(crate) fn draw(stage: &Stage) -> Outcome {
    stage.shot("welcome")?;
    stage.window.global::<WelcomeAdapter<'_>>().invoke_begin(Purpose::Empty);
    let unlock = stage.window.global::<UnlockAdapter<'_>>();
    unlock.set_password(super::PASSWORD.into());
    unlock.set_again(super::PASSWORD.into());
    unlock.invoke_typed();
    stage.shot("create")?;
    unlock.set_make_sheet(false);
    unlock.invoke_create();
    stage.tasks.run_waiting();
    stage.shot("empty")?;
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    unlock.set_vault_path("~/.local/share/countersign/vault.json".into());
    unlock.set_password("wrong password".into());
    stage.shot("unlock")?;
    unlock.invoke_unlock();
    stage.shot("unlocking")?;
    stage.tasks.run_waiting();
    stage.shot("wrong-password")?;
    Ok(())
}
