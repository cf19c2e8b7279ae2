//! The list, its groups and its trash.

use std::collections::HashSet;

use countersign_core::{
    token::{TokenId, TokenSpec},
    vault::content::NoSuchToken,
};
use countersign_ui::{
    GroupAsking, GroupsAdapter, ListFilter, ListMenu, Page, TokenRow, TokensAdapter, TrashAdapter, TrashAsking,
};
use slint::{ComponentHandle as _, Model as _};

use super::{NOW, Outcome, Stage};

pub(crate) fn draw(stage: &Stage) -> Outcome {
    stage.shot("tokens")?;
    let tokens = stage.window.global::<TokensAdapter<'_>>();
    let row = |at| -> TokenRow { tokens.get_rows().row_data(at).unwrap_or_default() };
    tokens.invoke_activate(row(1).id);
    stage.shot("copied")?;
    stage.no_notice();

    tokens.set_menu_x(180.0);
    tokens.set_menu_y(260.0);
    tokens.invoke_open_menu(row(2).id);
    stage.shot("tokens-menu")?;
    tokens.set_menu(ListMenu::None);
    tokens.set_menu_x(if stage.window.window().size().width > 600 { 690.0 } else { 340.0 });
    tokens.set_menu_y(56.0);
    tokens.set_menu(ListMenu::List);
    stage.shot("tokens-sort")?;
    tokens.set_menu(ListMenu::None);

    for at in [1, 2, 4] {
        tokens.invoke_mark(row(at).id);
    }
    stage.shot("tokens-selection")?;
    let groups = stage.window.global::<GroupsAdapter<'_>>();
    groups.invoke_choose("".into());
    stage.shot("groups-of-selection")?;
    groups.set_choosing(false);
    tokens.invoke_end_marking();

    stage.services.settings.change(|settings| settings.show_next = true)?;
    stage.parts.list.refresh();
    stage.shot("tokens-next")?;
    stage.services.settings.change(|settings| settings.hide_codes = true)?;
    stage.parts.list.refresh();
    tokens.invoke_activate(row(1).id);
    stage.shot("tokens-hidden")?;
    stage.services.settings.change(|settings| (settings.hide_codes, settings.show_next) = (false, false))?;

    let group = groups.get_groups().row_data(1).unwrap_or_default().id;
    tokens.invoke_show_only(ListFilter::Group, group.clone());
    stage.shot("tokens-groups")?;
    tokens.invoke_show_only(ListFilter::All, "".into());

    duplicate(stage)?;
    tokens.invoke_show_only(ListFilter::Duplicates, "".into());
    stage.shot("duplicates")?;
    tokens.invoke_show_only(ListFilter::All, "".into());

    stage.go(Page::Groups);
    stage.shot("groups")?;
    groups.invoke_ask(GroupAsking::Rename, group);
    stage.shot("groups-rename")?;
    groups.set_asking(GroupAsking::None);
    stage.go(Page::Tokens);

    stage.go(Page::Trash);
    stage.shot("trash-empty")?;
    stage.go(Page::Tokens);
    throw_away(stage)?;
    let trash = stage.window.global::<TrashAdapter<'_>>();
    stage.go(Page::Trash);
    trash.invoke_opened();
    stage.shot("trash")?;
    trash.invoke_ask(TrashAsking::Empty, "".into());
    stage.shot("trash-question")?;
    stage.go(Page::Tokens);
    Ok(())
}

/// Adds a token of the secret that another has.
fn duplicate(stage: &Stage) -> Outcome {
    stage.parts.door.edit(&stage.services, |content| {
        let spec = content.tokens().get(1).ok_or(NoSuchToken)?.spec.clone();
        let spec = TokenSpec { account: "old phone".into(), ..spec };
        content.add(TokenId::from_random([200; 16]), spec, NOW);
        Ok::<_, NoSuchToken>(())
    })?;
    stage.parts.list.refresh();
    countersign::bind::tick(&stage.window, &stage.parts);
    Ok(())
}

/// Moves tokens to the trash, long ago and now.
fn throw_away(stage: &Stage) -> Outcome {
    stage.parts.door.edit(&stage.services, |content| {
        let ids: Vec<TokenId> = content.tokens().iter().map(|token| token.id).collect();
        for (at, days) in [(3, 28), (6, 12), (9, 0)] {
            content.remove_all(&HashSet::from([ids[at]]), NOW - days * 86_400);
        }
        Ok::<_, NoSuchToken>(())
    })?;
    stage.parts.list.refresh();
    Ok(())
}
