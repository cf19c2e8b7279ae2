//! Backups.

use countersign_core::{
    backup,
    secret::Password,
    token::TokenId,
    vault::content::{Change, Content, NoSuchToken},
};
use countersign_ui::{AutomaticAdapter, BackupAdapter, Page, RestoreAdapter};
use slint::ComponentHandle as _;

use super::{NOW, Outcome, Stage};

const BACKUP_PASSWORD: &str = "plum tractor velvet oboe";

pub(crate) fn draw(stage: &Stage) -> Outcome {
    out(stage)?;
    back(stage)?;
    automatic(stage)?;
    reminder(stage)
}

fn out(stage: &Stage) -> Outcome {
    stage.go(Page::Backup);
    stage.shot("backup")?;
    let adapter = stage.window.global::<BackupAdapter<'_>>();
    adapter.set_password(BACKUP_PASSWORD.into());
    adapter.set_again(BACKUP_PASSWORD.into());
    adapter.invoke_typed();
    adapter.invoke_copy();
    stage.shot("backup-busy")?;
    stage.tasks.run_waiting();
    stage.shot("backup-text")
}

fn back(stage: &Stage) -> Outcome {
    stage.go(Page::Restore);
    stage.shot("restore")?;
    let adapter = stage.window.global::<RestoreAdapter<'_>>();
    let text = another_backup(stage)?;
    adapter.set_text(text.chars().take(800).collect::<String>().into());
    adapter.invoke_read_text();
    stage.tasks.run_waiting();
    stage.shot("restore-problem")?;
    adapter.set_text(text.into());
    adapter.invoke_read_text();
    stage.tasks.run_waiting();
    adapter.set_password("plum tractor".into());
    adapter.invoke_open();
    stage.tasks.run_waiting();
    stage.shot("restore-wrong")?;
    adapter.set_password(BACKUP_PASSWORD.into());
    adapter.invoke_open();
    stage.tasks.run_waiting();
    stage.shot("ledger")
}

fn automatic(stage: &Stage) -> Outcome {
    stage.go(Page::Automatic);
    stage.shot("automatic-off")?;
    let adapter = stage.window.global::<AutomaticAdapter<'_>>();
    let folder = stage.vault.path().join("stick");
    std::fs::create_dir(&folder)?;
    adapter.set_typed_folder(folder.display().to_string().into());
    adapter.invoke_use_typed();
    stage.tasks.run_waiting();
    adapter.set_folder("/media/me/Stick/Countersign".into());
    stage.shot("automatic")?;
    std::fs::remove_dir_all(&folder)?;
    adapter.invoke_make();
    stage.tasks.run_waiting();
    adapter.set_folder("/media/me/Stick/Countersign".into());
    stage.no_notice();
    stage.shot("automatic-problem")?;
    adapter.invoke_toggle();
    Ok(())
}

fn reminder(stage: &Stage) -> Outcome {
    stage.go(Page::Tokens);
    stage.parts.door.edit(&stage.services, |content| {
        let ids: Vec<_> = content.tokens().iter().take(3).map(|token| token.id).collect();
        for id in ids {
            content.change(id, Change { note: Some("moved".to_owned()), ..Change::default() }, NOW)?;
        }
        Ok::<_, NoSuchToken>(())
    })?;
    countersign::bind::tick(&stage.window, &stage.parts);
    stage.shot("reminder")?;
    Ok(())
}

/// A backup of another vault: some tokens of this one, others, and one that conflicts.
fn another_backup(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    let content = stage.parts.door.content().ok_or("the vault is closed")?;
    let mut other = Content::default();
    for (at, token) in content.tokens().iter().take(5).enumerate() {
        let mut spec = token.spec.clone();
        match at {
            0 | 1 => {}
            2 => spec.secret = countersign_core::token::TokenSecret::from_base32("JBSWY3DPEHPK3PXP")?,
            _ => {
                spec.issuer = ["Deno", "Boeing"][at - 3].to_owned();
                spec.secret = countersign_core::token::TokenSecret::from_base32("KRSXG5CTMVRXEZLU")?;
            }
        }
        other.add(TokenId::from_random([at as u8 + 100; 16]), spec, NOW);
    }
    let mut random = (stage.services.random)();
    Ok(backup::write(&other, &Password::new(BACKUP_PASSWORD), stage.services.kdf, &mut *random, NOW)?)
}
