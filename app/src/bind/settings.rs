//! The pages of settings.

use std::{io, path::PathBuf, rc::Rc};

use countersign_ui::{
    AppWindow, ClockProblem as ShownClock, LoginStart, Notice, Palette, SettingChoice, SettingsAdapter,
    SettingsProblem, Theme,
};
use slint::{ComponentHandle as _, ModelRc, language::ColorScheme};

use super::{Parts, notice, tray};
use crate::{
    controllers::{
        clock::ClockProblem,
        settings::{CLIPBOARD_SECONDS, TEXT_SIZES},
    },
    models::number,
    platform::{
        Support,
        login_start::{LoginStartError, LoginStartState},
    },
    settings::{Scheme, Settings},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    adapter.set_version(env!("CARGO_PKG_VERSION").into());
    let seconds = CLIPBOARD_SECONDS.map(number);
    adapter.set_clipboard_choices(ModelRc::from(seconds));
    adapter.set_text_sizes(ModelRc::from(TEXT_SIZES.map(i32::from)));
    apply_look(window, parts);
    show(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_shown(move || {
        let Some(window) = weak.upgrade() else { return };
        show(&window, &of);
        look_around(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move |what, index| {
        let Some(window) = weak.upgrade() else { return };
        choose(&window, &of, what, usize::try_from(index).unwrap_or(0));
    });

    type Toggle = fn(&mut Settings);
    let toggle = |change: Toggle| {
        let (weak, of) = (window.as_weak(), parts.clone());
        move || {
            let Some(window) = weak.upgrade() else { return };
            let saved = of.settings.change(change);
            changed(&window, &of, saved);
        }
    };
    adapter.on_toggle_hide_codes(toggle(|settings| settings.hide_codes = !settings.hide_codes));
    adapter.on_toggle_show_next(toggle(|settings| settings.show_next = !settings.show_next));
    adapter.on_toggle_high_contrast(toggle(|settings| settings.high_contrast = !settings.high_contrast));
    adapter.on_toggle_reduce_motion(toggle(|settings| settings.reduce_motion = !settings.reduce_motion));

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_tray(move || {
        let Some(window) = weak.upgrade() else { return };
        let saved = of.settings.change(|settings| settings.tray = !settings.tray);
        changed(&window, &of, saved);
        tray::apply(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_login_start(move || {
        let Some(window) = weak.upgrade() else { return };
        switch_login_start(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_links(move || {
        let Some(window) = weak.upgrade() else { return };
        switch_links(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_dismiss_clock(move || {
        let Some(window) = weak.upgrade() else { return };
        of.clock.dismiss();
        show_clock(&window, &of);
        window.invoke_take_keys();
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    parts.settings.ask_wishes(move || {
        let Some(window) = weak.upgrade() else { return };
        apply_look(&window, &of);
        show(&window, &of);
    });
    tray::connect(window, parts);
}

/// The vault was opened.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    parts.clock.tick();
    ask_clock(window, parts);
}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, _parts: &Parts) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    adapter.set_choosing(SettingChoice::None);
    adapter.set_problem(SettingsProblem::None);
    adapter.set_problem_path("".into());
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    tray::tick(window, parts);
    if !parts.door.is_open() {
        return;
    }
    if parts.clock.tick() {
        ask_clock(window, parts);
    }
    show_clock(window, parts);
}

/// Light, dark, contrast, size, movement and language, on everything that is shown.
fn apply_look(window: &AppWindow, parts: &Parts) {
    let look = parts.settings.look();
    let palette = window.global::<Palette<'_>>();
    match look.scheme {
        Scheme::Light => palette.set_color_scheme(ColorScheme::Light),
        Scheme::Dark => palette.set_color_scheme(ColorScheme::Dark),
        // Untouched it follows the system by itself; once it was touched, not knowing means the same.
        Scheme::System if parts.scheme_touched.get() => palette.set_color_scheme(ColorScheme::Unknown),
        Scheme::System => {}
    }
    parts.scheme_touched.set(parts.scheme_touched.get() || look.scheme != Scheme::System);
    let theme = window.global::<Theme<'_>>();
    theme.set_high_contrast(look.high_contrast);
    theme.set_reduce_motion(look.reduce_motion);
    theme.set_scale(look.scale);
    // Fails only for a language that is not bundled, and then English stays.
    let _ = slint::select_bundled_translation(look.language);
}

/// What holds now, on the pages of settings.
fn show(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    parts.services.settings.with(|settings| {
        // Less than a minute counts as one: 0 is never.
        adapter.set_lock_minutes(settings.lock_after.map_or(0, |seconds| number(seconds.div_ceil(60).max(1))));
        adapter.set_lock_on_minimise(settings.lock_on_minimise);
        adapter.set_clipboard_seconds(number(settings.clipboard_seconds));
        adapter.set_hide_codes(settings.hide_codes);
        adapter.set_show_next(settings.show_next);
        adapter.set_scheme(match settings.scheme {
            Scheme::System => 0,
            Scheme::Light => 1,
            Scheme::Dark => 2,
        });
        adapter.set_high_contrast(settings.high_contrast);
        adapter.set_text_size(i32::from(settings.text_size));
        adapter.set_reduce_motion(settings.reduce_motion);
        adapter.set_tray(settings.tray);
    });
    adapter.set_language(i32::try_from(parts.settings.language_choice()).unwrap_or(0));
    let wishes = parts.settings.wishes();
    adapter.set_system_high_contrast(wishes.high_contrast);
    adapter.set_system_reduce_motion(wishes.reduce_motion);
}

fn choose(window: &AppWindow, parts: &Rc<Parts>, what: SettingChoice, index: usize) {
    window.global::<SettingsAdapter<'_>>().set_choosing(SettingChoice::None);
    let saved = match what {
        SettingChoice::Clipboard => parts.settings.choose_clipboard(index),
        SettingChoice::Language => parts.settings.choose_language(index),
        SettingChoice::Scheme => parts.settings.choose_scheme(index),
        SettingChoice::TextSize => parts.settings.choose_text_size(index),
        SettingChoice::None => return,
    };
    changed(window, parts, saved);
    if what == SettingChoice::Language {
        // The words of its menu are the tray's own until they are given anew.
        tray::apply(window, parts);
    }
}

/// A setting was changed: it holds at once, and whoever changed it is told where it could not be saved.
fn changed(window: &AppWindow, parts: &Rc<Parts>, saved: io::Result<()>) {
    apply_look(window, parts);
    show(window, parts);
    if parts.door.is_open() {
        parts.list.refresh();
    }
    if saved.is_err() {
        notice(window, Notice::SettingNotSaved, 0);
    }
}

/// Asks other programs what a page of settings shows of them.
fn look_around(window: &AppWindow, parts: &Rc<Parts>) {
    let platform = &parts.services.platform;
    let (login_start, links, tray) = (platform.login_start.clone(), platform.links.clone(), platform.tray.clone());
    let weak = window.as_weak();
    parts.services.tasks.run(
        move || (login_start.state(), links.state(), tray.support()),
        move |(login_start, links, tray)| {
            let Some(window) = weak.upgrade() else { return };
            let adapter = window.global::<SettingsAdapter<'_>>();
            adapter.set_tray_offered(tray == Support::Supported || adapter.get_tray());
            show_login_start(&window, login_start);
            show_links(&window, links);
        },
    );
}

fn switch_login_start(window: &AppWindow, parts: &Rc<Parts>) {
    let on = window.global::<SettingsAdapter<'_>>().get_login_start() != LoginStart::On;
    let (weak, login_start) = (window.as_weak(), parts.services.platform.login_start.clone());
    parts.services.tasks.run(
        move || login_start.switch(on).and_then(|()| login_start.state()),
        move |state| {
            let Some(window) = weak.upgrade() else { return };
            let adapter = window.global::<SettingsAdapter<'_>>();
            adapter.set_problem(SettingsProblem::None);
            show_login_start(&window, state);
        },
    );
}

fn show_login_start(window: &AppWindow, state: Result<LoginStartState, LoginStartError>) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    match entry(state) {
        Ok(state) => adapter.set_login_start(state),
        Err((problem, path)) => {
            adapter.set_problem_path(path.display().to_string().into());
            adapter.set_problem(problem);
        }
    }
}

/// How an entry of the desktop's stands, or why it could not be written.
fn entry(state: Result<LoginStartState, LoginStartError>) -> Result<LoginStart, (SettingsProblem, PathBuf)> {
    match state {
        Ok(LoginStartState::On) => Ok(LoginStart::On),
        Ok(LoginStartState::Off) => Ok(LoginStart::Off),
        Ok(LoginStartState::Elsewhere) => Ok(LoginStart::Elsewhere),
        Err(LoginStartError::UnusablePath(path)) => Err((SettingsProblem::LoginPath, path)),
        Err(LoginStartError::File { path, .. }) => Err((SettingsProblem::LoginFile, path)),
        _ => Ok(LoginStart::Unsupported),
    }
}

fn switch_links(window: &AppWindow, parts: &Rc<Parts>) {
    let on = window.global::<SettingsAdapter<'_>>().get_links() != LoginStart::On;
    let (weak, links) = (window.as_weak(), parts.services.platform.links.clone());
    parts.services.tasks.run(
        move || links.switch(on).and_then(|()| links.state()),
        move |state| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<SettingsAdapter<'_>>().set_problem(SettingsProblem::None);
            show_links(&window, state);
        },
    );
}

fn show_links(window: &AppWindow, state: Result<LoginStartState, LoginStartError>) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    match entry(state) {
        Ok(state) => adapter.set_links(state),
        Err((problem, path)) => {
            adapter.set_problem_path(path.display().to_string().into());
            adapter.set_problem(problem);
        }
    }
}

fn ask_clock(window: &AppWindow, parts: &Rc<Parts>) {
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.clock.ask(move || {
        let Some(window) = weak.upgrade() else { return };
        show_clock(&window, &of);
    });
}

fn show_clock(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<SettingsAdapter<'_>>();
    let (shown, seconds) = match parts.clock.problem() {
        None => (ShownClock::None, 0),
        Some(ClockProblem::NotSet) => (ShownClock::NotSet, 0),
        Some(ClockProblem::Moved(by)) if by > 0 => (ShownClock::SetForward, by),
        Some(ClockProblem::Moved(by)) => (ShownClock::SetBack, by),
    };
    adapter.set_clock_minutes(number(seconds.unsigned_abs().div_ceil(60)));
    adapter.set_clock_problem(shown);
}
