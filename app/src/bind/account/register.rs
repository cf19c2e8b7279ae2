//! The page that registers a token.

use std::rc::Rc;

use countersign_core::secret::{Password, SecretText};
use countersign_ui::{AccountAdapter, AppWindow, Page, RegisterStep};
use slint::ComponentHandle as _;

use super::{Parts, choose, navigation, show, tell};
use crate::{api::Credentials, controllers::account::AccountError, models::number};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_register(move || {
        let Some(window) = weak.upgrade() else { return };
        begin(&window, &of, None);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_begin(move || {
        let Some(window) = weak.upgrade() else { return };
        ask_for_message(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_resend(move || {
        let Some(window) = weak.upgrade() else { return };
        resend(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_code_edited(move |text| {
        let Some(window) = weak.upgrade() else { return };
        code_edited(&window, &of, &text);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        confirm(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_activate(move || {
        let Some(window) = weak.upgrade() else { return };
        activate(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_token(move || {
        let Some(window) = weak.upgrade() else { return };
        let token = *of.visiting.registered.borrow();
        navigation::show(&window, &of, Page::Tokens);
        if let Some(token) = token {
            super::super::tokens::select(&window, &of, &token.to_string());
        }
    });
}

/// Shows the page at the step where the registration stands.
pub(super) fn begin(window: &AppWindow, parts: &Rc<Parts>, link: Option<SecretText>) {
    let at = parts.visiting.at.borrow().clone();
    let adapter = window.global::<AccountAdapter<'_>>();
    // The page of signing in is no place to come back to: it would ask for a token that is only made here.
    if navigation::page(window) == Page::SignIn {
        navigation::step_back(window, parts);
    }
    choose(window, parts, &at);
    navigation::go(window, parts, Page::Register);
    super::forget_typed(window, parts);
    let now = parts.tokens.now();
    let pending =
        parts.account.server(&at).and_then(|server| server.pending).filter(|pending| pending.expires_at > now);
    adapter.set_by_link(link.is_some());
    let step = match (&link, pending) {
        (None, Some(pending)) => {
            let replaces = pending.delivered.as_ref().and_then(|delivered| delivered.replaces.clone());
            adapter.set_replaces(replaces.unwrap_or_default().into());
            if pending.delivered.is_some() { RegisterStep::Takes } else { RegisterStep::Sms }
        }
        _ => RegisterStep::Credentials,
    };
    *parts.visiting.link.borrow_mut() = link;
    adapter.set_register_step(step);
    tick(window, parts);
}

/// How long the message is good, and when another can be asked for.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    if adapter.get_register_step() != RegisterStep::Sms {
        return;
    }
    let at = parts.visiting.at.borrow().clone();
    let Some(pending) = parts.account.server(&at).and_then(|server| server.pending) else { return };
    let now = parts.tokens.now();
    adapter.set_digits(pending.digits.into());
    adapter.set_phone_hint(pending.phone_hint.as_str().into());
    adapter.set_resend_in(number(pending.resend_at.saturating_sub(now)));
    adapter.set_minutes_left(number(pending.expires_at.saturating_sub(now).div_ceil(60)));
    if pending.expires_at <= now && !adapter.get_busy() {
        tell(window, Some(&AccountError::Gone));
        adapter.set_register_step(RegisterStep::Credentials);
    }
}

fn credentials(window: &AppWindow, parts: &Parts) -> Option<Credentials> {
    if let Some(link) = &*parts.visiting.link.borrow() {
        return Some(Credentials::Link(link.clone()));
    }
    let adapter = window.global::<AccountAdapter<'_>>();
    let (user, password) = (adapter.get_user(), adapter.get_password());
    let typed = !user.trim().is_empty() && !password.is_empty();
    typed.then(|| Credentials::Password(user.into(), Password::new(&password)))
}

fn ask_for_message(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let Some(credentials) = credentials(window, parts).filter(|_| !adapter.get_busy()) else { return };
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.register(&at, credentials, move |result| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AccountAdapter<'_>>();
        adapter.set_busy(false);
        match result {
            Ok(()) => {
                adapter.set_code("".into());
                adapter.set_register_step(RegisterStep::Sms);
                tick(&window, &of);
            }
            Err(error) => tell(&window, Some(&error)),
        }
    });
}

/// Another message needs the password again, where it is no longer there.
fn resend(window: &AppWindow, parts: &Rc<Parts>) {
    if credentials(window, parts).is_some() {
        return ask_for_message(window, parts);
    }
    window.global::<AccountAdapter<'_>>().set_register_step(RegisterStep::Credentials);
}

/// Keeps the digits of what was typed. Of a whole message that was pasted the first run of as many digits as a code has.
fn code_edited(window: &AppWindow, parts: &Rc<Parts>, text: &str) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let wanted = usize::try_from(adapter.get_digits()).unwrap_or(6);
    let digits = digits_of(text, wanted);
    let whole = digits.len() == wanted && digits != adapter.get_code().as_str();
    adapter.set_code(digits.as_str().into());
    tell(window, None);
    // A pasted code is handed over at once; a typed one waits for the button.
    if whole && text.chars().count() > wanted {
        confirm(window, parts);
    }
}

fn digits_of(text: &str, wanted: usize) -> String {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    let own = runs.clone().find(|run| run.len() == wanted);
    own.map(str::to_owned).unwrap_or_else(|| text.chars().filter(char::is_ascii_digit).take(wanted).collect())
}

fn confirm(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let code = adapter.get_code();
    if adapter.get_busy() || code.chars().count() != usize::try_from(adapter.get_digits()).unwrap_or(6) {
        return;
    }
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.confirm(&at, &code, move |result| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AccountAdapter<'_>>();
        adapter.set_busy(false);
        match result {
            Ok(replaces) => {
                adapter.set_code("".into());
                adapter.set_password("".into());
                let asks = replaces.is_some();
                adapter.set_replaces(replaces.unwrap_or_default().into());
                adapter.set_register_step(RegisterStep::Takes);
                if !asks {
                    activate(&window, &of);
                }
            }
            Err(error) => refused(&window, &of, &error),
        }
    });
}

fn activate(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.activate(&at, move |result| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AccountAdapter<'_>>().set_busy(false);
        match result {
            Ok(token) => done(&window, &of, token),
            Err(error) => refused(&window, &of, &error),
        }
    });
}

fn done(window: &AppWindow, parts: &Rc<Parts>, token: countersign_core::token::TokenId) {
    let adapter = window.global::<AccountAdapter<'_>>();
    *parts.visiting.registered.borrow_mut() = Some(token);
    let code = parts.door.content().and_then(|content| {
        let code = content.token(token)?.spec.code_at(parts.tokens.now()).ok()?;
        Some(code.grouped().expose().into())
    });
    adapter.set_first_code(code.unwrap_or_default());
    parts.list.refresh();
    super::super::tokens::show_counts(window, parts);
    show(window, parts);
    adapter.set_register_step(RegisterStep::Done);
}

/// What a refusal leads to: an end begins anew, everything else stays where it is.
fn refused(window: &AppWindow, parts: &Rc<Parts>, error: &AccountError) {
    let adapter = window.global::<AccountAdapter<'_>>();
    tell(window, Some(error));
    let over = matches!(error, AccountError::Gone)
        || matches!(error, AccountError::Server(failure) if failure.ends_registration());
    if over {
        adapter.set_code("".into());
        adapter.set_register_step(RegisterStep::Credentials);
        show(window, parts);
    }
}

#[cfg(test)]
mod tests {
    use super::digits_of;

    #[test]
    fn a_pasted_message_gives_its_code() {
        for (text, digits) in [
            ("419203", "419203"),
            ("419 203", "419203"),
            ("419203 is your code for Corp PAM. Valid 10 minutes.", "419203"),
            ("Corp 24: your code is 419203, call 0800 123", "419203"),
            ("4192", "4192"),
            ("41x", "41"),
            ("", ""),
        ] {
            assert_eq!(digits_of(text, 6), digits, "{text}");
        }
    }
}
