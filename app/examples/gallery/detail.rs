//! The pages of one token.

use countersign_core::{
    token::{GroupId, TokenId},
    vault::content::{Change, NoSuchToken},
};
use countersign_ui::{DetailAdapter, DetailOver, Page, TokensAdapter};
use slint::{ComponentHandle as _, Model as _};

use super::{NOW, Outcome, PASSWORD, Stage};

pub(crate) fn draw(stage: &Stage) -> Outcome {
    let tokens = stage.window.global::<TokensAdapter<'_>>();
    let detail = stage.window.global::<DetailAdapter<'_>>();
    let id = |at: u8| TokenId::from_random([at; 16]);
    stage.parts.door.edit(&stage.services, |content| {
        let groups = ["Work", "Home", "Travel"].map(|name| {
            let bytes = [name.len() as u8 ^ name.as_bytes()[0]; 16];
            content.group(GroupId::from_random(bytes), name)
        });
        let token = content.token(id(2)).ok_or(NoSuchToken)?;
        let mut spec = token.spec.clone();
        spec.account = "dev@example.org".into();
        let earlier = Change {
            spec: Some(countersign_core::token::TokenSpec { account: "developer@old.example".into(), ..spec.clone() }),
            ..Change::default()
        };
        content.change(id(2), earlier, NOW - 86_400 * 9)?;
        let change = Change {
            spec: Some(spec),
            groups: Some(vec![groups[0], groups[2]]),
            note: Some("The recovery codes are in the safe.".into()),
            ..Change::default()
        };
        content.change(id(2), change, NOW - 86_400 * 2)?;
        for day in [3, 1] {
            content.note_use(id(2), NOW - 86_400 * day)?;
        }
        Ok::<_, NoSuchToken>(())
    })?;
    let row = |at: usize| tokens.get_rows().row_data(at).unwrap_or_default().id;
    tokens.invoke_select(row(1));
    stage.go(Page::Detail);
    stage.shot("detail")?;
    detail.set_over(DetailOver::Menu);
    stage.shot("detail-menu")?;
    detail.set_over(DetailOver::None);
    detail.invoke_read();
    stage.shot("big-code")?;
    detail.invoke_close_code();

    detail.invoke_edit();
    stage.shot("edit")?;
    detail.set_account("somebody@example.org".into());
    detail.set_advanced(true);
    detail.set_digits("8".into());
    detail.invoke_form_edited();
    stage.shot("edit-advanced")?;
    stage.navigation().invoke_back();
    stage.shot("edit-leave")?;
    detail.set_over(DetailOver::None);
    detail.set_icons_open(true);
    stage.shot("edit-icons")?;
    stage.navigation().invoke_back();
    stage.navigation().invoke_back();
    detail.invoke_discard();

    detail.invoke_show_history();
    stage.shot("history")?;
    stage.navigation().invoke_back();
    detail.invoke_show_qr();
    stage.shot("token-qr-locked")?;
    detail.set_look_password(PASSWORD.into());
    detail.invoke_look();
    stage.tasks.run_waiting();
    stage.shot("token-qr")?;
    stage.navigation().invoke_back();

    tokens.invoke_select(row(4));
    detail.invoke_read();
    detail.invoke_close_code();
    stage.shot("detail-counter")?;
    Ok(())
}
