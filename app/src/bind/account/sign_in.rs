//! The page that signs in.

use std::rc::Rc;

use countersign_core::{matching::Ask, secret::Password, token::TokenId};
use countersign_ui::{AccountAdapter, AppWindow, AskWhy, Page, SignInStep, SignInToken, TokenChoice, TokenWhy};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::{Parts, navigation, show, tell};
use crate::{
    account::{
        keep,
        pick::{Choice, Why},
    },
    controllers::account::{AccountController, AccountError, LoggedIn},
    models::look,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_sign_in(move || {
        let Some(window) = weak.upgrade() else { return };
        // Behind it is the server's page, wherever it was asked for.
        if navigation::page(&window) == Page::Register {
            navigation::replace(&window, &of, Page::SignIn);
        } else {
            navigation::go(&window, &of, Page::SignIn);
        }
        super::forget_typed(&window, &of);
        window.global::<AccountAdapter<'_>>().set_sign_in_step(SignInStep::Password);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_log_in(move || {
        let Some(window) = weak.upgrade() else { return };
        log_in(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_answer(move || {
        let Some(window) = weak.upgrade() else { return };
        answer(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_another(move || {
        let Some(window) = weak.upgrade() else { return };
        let tokens = own_tokens(&of);
        offer(&window, &of, &tokens, AskWhy::Asked);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Ok(id) = id.parse::<TokenId>() else { return };
        let at = of.visiting.at.borrow().clone();
        // Where it is not remembered, it is asked for again the next time.
        let _ = of.account.choose(&at, id);
        take(&window, &of, id, None);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_done(move || {
        let Some(window) = weak.upgrade() else { return };
        navigation::step_back(&window, &of);
    });
}

/// The code that is shown is the one of now.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    let chosen = *parts.visiting.token.borrow();
    let adapter = window.global::<AccountAdapter<'_>>();
    if let Some((id, why)) = chosen
        && adapter.get_sign_in_step() == SignInStep::Token
        && adapter.get_token().until <= parts.list.seconds(parts.tokens.now())
    {
        show_token(window, parts, id, why);
    }
}

fn log_in(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let (user, password) = (adapter.get_user(), adapter.get_password());
    if adapter.get_busy() || user.trim().is_empty() || password.is_empty() {
        return;
    }
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.log_in(&at, &user, Password::new(&password), move |result| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AccountAdapter<'_>>();
        adapter.set_busy(false);
        match result {
            Ok(LoggedIn::Done) => {
                adapter.set_password("".into());
                show(&window, &of);
                adapter.set_sign_in_step(SignInStep::Done);
            }
            Ok(LoggedIn::Challenge { challenge, choice }) => {
                adapter.set_password("".into());
                *of.visiting.challenge.borrow_mut() = Some(challenge);
                show(&window, &of);
                match choice {
                    Choice::Token { id, why } => take(&window, &of, id, Some(why)),
                    Choice::Ask { tokens, because } => offer(&window, &of, &tokens, ask_why(because)),
                    Choice::None(_) => adapter.set_sign_in_step(SignInStep::None),
                }
            }
            Err(error) => tell(&window, Some(&error)),
        }
    });
}

fn ask_why(because: Ask) -> AskWhy {
    match because {
        Ask::OtherIssuer => AskWhy::OtherIssuer,
        Ask::OtherServer => AskWhy::OtherServer,
        _ => AskWhy::Several,
    }
}

/// This app's tokens, those of this server first.
fn own_tokens(parts: &Parts) -> Vec<TokenId> {
    let at = parts.visiting.at.borrow().clone();
    let (Some(content), Some(server)) = (parts.door.content(), parts.account.server(&at)) else { return vec![] };
    keep::own_tokens(&content, &server).into_iter().map(|(id, _)| id).collect()
}

fn offer(window: &AppWindow, parts: &Rc<Parts>, tokens: &[TokenId], why: AskWhy) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let choices: Vec<TokenChoice> = {
        let Some(content) = parts.door.content() else { return };
        let tokens = tokens.iter().filter_map(|id| content.token(*id));
        tokens
            .map(|token| TokenChoice {
                id: token.id.to_string().into(),
                issuer: token.spec.issuer.as_str().into(),
                account: token.spec.account.as_str().into(),
                look: look(&token.spec.issuer, &token.spec.account, token.icon.as_deref()),
            })
            .collect()
    };
    adapter.set_choices(ModelRc::new(VecModel::from(choices)));
    adapter.set_ask_why(why);
    adapter.set_sign_in_step(SignInStep::Choose);
}

fn take(window: &AppWindow, parts: &Rc<Parts>, id: TokenId, why: Option<Why>) {
    *parts.visiting.token.borrow_mut() = Some((id, why));
    show_token(window, parts, id, why);
    window.global::<AccountAdapter<'_>>().set_sign_in_step(SignInStep::Token);
}

fn show_token(window: &AppWindow, parts: &Rc<Parts>, id: TokenId, why: Option<Why>) {
    let at = parts.visiting.at.borrow().clone();
    let Some(server) = parts.account.server(&at) else { return };
    let (time, now) = (parts.account.code_time(&server), parts.tokens.now());
    let Some(content) = parts.door.content() else { return };
    let Some(token) = content.token(id) else { return };
    let code = token.spec.code_at(time).ok();
    // The ring follows this device's clock, moved as the code is.
    let left = code.as_ref().and_then(|code| code.stands()).map_or(0, |stands| stands.until.saturating_sub(time));
    let row = SignInToken {
        issuer: token.spec.issuer.as_str().into(),
        account: token.spec.account.as_str().into(),
        look: look(&token.spec.issuer, &token.spec.account, token.icon.as_deref()),
        code: code.map(|code| code.grouped().expose().into()).unwrap_or_default(),
        until: parts.list.seconds(now + left),
        period: token.spec.kind.period().map_or(30, |period| i32::try_from(period.seconds()).unwrap_or(30)),
        fresh: parts.account.is_fresh(&server, token),
        why: match why {
            Some(Why::Issuer) => TokenWhy::Issuer,
            Some(Why::Remembered) => TokenWhy::Remembered,
            None => TokenWhy::Chosen,
        },
    };
    drop(content);
    window.global::<AccountAdapter<'_>>().set_token(row);
}

fn answer(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let (challenge, chosen) = (parts.visiting.challenge.borrow().clone(), *parts.visiting.token.borrow());
    let (Some(challenge), Some((token, _)), false) = (challenge, chosen, adapter.get_busy()) else { return };
    if !adapter.get_token().fresh {
        return;
    }
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.answer(&at, &adapter.get_user(), challenge, token, move |result| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AccountAdapter<'_>>();
        adapter.set_busy(false);
        show(&window, &of);
        match result {
            Ok(()) => {
                *of.visiting.challenge.borrow_mut() = None;
                adapter.set_sign_in_step(SignInStep::Done);
            }
            Err(error) => refused(&window, &of, &error),
        }
    });
}

fn refused(window: &AppWindow, parts: &Rc<Parts>, error: &AccountError) {
    tell(window, Some(error));
    let AccountError::Server(failure) = error else { return };
    let adapter = window.global::<AccountAdapter<'_>>();
    match failure.code() {
        Some("token_bound_elsewhere") => {
            parts.list.refresh();
            *parts.visiting.token.borrow_mut() = None;
            adapter.set_sign_in_step(SignInStep::None);
        }
        Some("code_wrong") => {
            let at = parts.visiting.at.borrow().clone();
            let follows = parts.services.settings.with(|settings| settings.follow_server_clock);
            let off = parts.account.server(&at).is_some_and(|server| AccountController::clock_matters(&server));
            if off && !follows {
                adapter.set_problem(countersign_ui::AccountProblem::ClockWrong);
            }
        }
        _ => {}
    }
}
