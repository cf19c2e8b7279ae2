//! Locks and keys of an open vault.

use countersign::{
    bind,
    platform::presence::{Abilities, PresenceEvent},
};
use countersign_core::secret::Password;
use countersign_ui::{Page, SecurityAdapter, UnlockAdapter, WelcomeAdapter};
use slint::ComponentHandle as _;

use super::{Outcome, Stage};

pub(crate) fn draw(stage: &Stage) -> Outcome {
    let security = stage.window.global::<SecurityAdapter<'_>>();
    let abilities = Abilities { screen_lock: true, sleep: true };
    bind::locking::told(&stage.window, &stage.parts, PresenceEvent::Watching(abilities));
    bind::locking::can_tell_minimised(&stage.window, true);
    security.set_locks_in(42);
    stage.go(Page::Tokens);
    stage.shot("locking-soon")?;
    security.set_locks_in(-1);
    stage.go(Page::Locking);
    stage.shot("locking")?;

    stage.go(Page::Security);
    stage.tasks.run_waiting();
    stage.shot("security")?;
    security.invoke_toggle_device();
    stage.tasks.run_waiting();
    security.invoke_ask_sheet();
    security.set_current(super::PASSWORD.into());
    security.invoke_confirm();
    stage.tasks.run_waiting();
    let welcome = stage.window.global::<WelcomeAdapter<'_>>();
    // The same in every picture.
    welcome.set_key_first("K7QF-2MZN-9TRA-XW4D".into());
    welcome.set_key_second("H3PJ-6VCE-8YBG-5SKV".into());
    welcome.set_qr(slint::Image::default());
    welcome.set_vault_path("~/.local/share/countersign/vault.json".into());
    bind::draw_key(&stage.window, "K7QF-2MZN-9TRA-XW4D-H3PJ-6VCE-8YBG-5SKV");
    stage.shot("recovery-sheet")?;
    welcome.invoke_check();
    welcome.set_third("9TRB".into());
    stage.shot("recovery-confirm")?;
    welcome.invoke_confirm();
    stage.shot("recovery-wrong")?;
    welcome.invoke_later();
    stage.no_notice();
    stage.shot("security-device")?;
    let own = security.get_ways();
    if let Some(way) = slint::Model::iter(&own).find(|way| way.own) {
        security.invoke_ask_remove(way.id);
        stage.shot("security-remove")?;
        security.invoke_cancel();
    }

    security.invoke_open_change_password();
    let unlock = stage.window.global::<UnlockAdapter<'_>>();
    security.set_current("not it".into());
    unlock.set_password(super::PASSWORD.into());
    unlock.set_again(super::PASSWORD.into());
    unlock.invoke_typed();
    stage.shot("change-password")?;
    stage.go(Page::Security);
    security.invoke_open_strength();
    stage.tasks.run_waiting();
    stage.shot("kdf")?;

    // Closed again: with this device, with the sheet, and with a file that is damaged.
    stage.navigation().invoke_lock();
    unlock.set_vault_path("~/.local/share/countersign/vault.json".into());
    stage.shot("unlock-device")?;
    unlock.invoke_use_recovery_key();
    unlock.set_recovery_key("K7QF-2MZN-9TRA-XW4D-H3PJ".into());
    unlock.invoke_recover();
    stage.tasks.run_waiting();
    stage.shot("unlock-recovery")?;
    unlock.invoke_use_password();
    std::fs::write(stage.parts.door.path(), "{ this is none")?;
    unlock.set_password(Password::new(super::PASSWORD).expose().into());
    unlock.invoke_unlock();
    stage.tasks.run_waiting();
    stage.shot("unlock-damaged")?;
    Ok(())
}
