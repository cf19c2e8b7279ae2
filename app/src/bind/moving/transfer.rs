//! Tokens to and from another Countersign.

use std::rc::Rc;

use countersign_core::{
    qr::{Matrix, Payload},
    transfer::{FrameError, SendError, Taken},
};
use countersign_ui::{AppWindow, Page, TransferAdapter, TransferProblem, TransferStep};
use slint::{ComponentHandle as _, Image, SharedString};

use crate::{
    bind::{Parts, add, backup, detail::qr_picture, navigation},
    controllers::moving::transfer,
    models::number,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TransferAdapter<'_>>();
    adapter.set_can_scan(parts.add.can_scan());
    clear(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_shown(move |send| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TransferAdapter<'_>>();
        clear(&window, &of);
        adapter.set_tokens(number(of.transfer.count()));
        if send {
            adapter.set_step(TransferStep::Scan);
            if adapter.get_can_scan() {
                add::open_camera(&window, &of);
            }
        } else if let Some((matrix, text)) = of.transfer.invite() {
            adapter.set_step(TransferStep::Invite);
            adapter.set_invitation(text.into());
            show(&adapter, &matrix);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_scan(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TransferAdapter<'_>>();
        adapter.set_typing(false);
        adapter.set_problem(TransferProblem::None);
        adapter.set_step(TransferStep::Scan);
        add::open_camera(&window, &of);
    });

    let weak = window.as_weak();
    adapter.on_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<TransferAdapter<'_>>().set_problem(TransferProblem::None);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_take_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        let typed: String = window.global::<TransferAdapter<'_>>().get_typed().trim().into();
        if !typed.is_empty() {
            greet(&window, &of, typed);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_agree(move || {
        let Some(window) = weak.upgrade() else { return };
        agree(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_differ(move || {
        let Some(window) = weak.upgrade() else { return };
        // Somebody answered who was not meant: nothing of this transfer is used again.
        navigation::step_back(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_next_frame(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(matrix) = of.transfer.shown() {
            show(&window.global::<TransferAdapter<'_>>(), &matrix);
        }
    });
}

/// No transfer, and nothing of one.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.transfer.forget();
    add::close_camera(window, parts);
    let adapter = window.global::<TransferAdapter<'_>>();
    adapter.set_step(TransferStep::Scan);
    adapter.set_busy(false);
    adapter.set_typing(false);
    adapter.set_problem(TransferProblem::None);
    for set in [TransferAdapter::set_typed, TransferAdapter::set_invitation, TransferAdapter::set_digits] {
        set(&adapter, SharedString::new());
    }
    adapter.set_code(Image::default());
    adapter.set_have(0);
    adapter.set_need(0);
}

/// A window that is seen again has its camera again.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if matches!(navigation::page(window), Page::Send | Page::Receive) {
        add::resume_camera(window, parts);
    }
}

/// The camera saw codes while one of these pages is shown; says whether it does.
pub(in crate::bind) fn codes(window: &AppWindow, parts: &Rc<Parts>, payloads: &[Payload]) -> bool {
    match navigation::page(window) {
        Page::Send => {
            let adapter = window.global::<TransferAdapter<'_>>();
            let text = transfer::frames(payloads).into_iter().next();
            if let Some(text) = text.filter(|_| adapter.get_step() == TransferStep::Scan && !adapter.get_busy()) {
                greet(window, parts, text);
            }
            true
        }
        Page::Receive => {
            take(window, parts, payloads);
            true
        }
        _ => false,
    }
}

fn greet(window: &AppWindow, parts: &Rc<Parts>, invitation: String) {
    let adapter = window.global::<TransferAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    adapter.set_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.transfer.greet(invitation, move |digits| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TransferAdapter<'_>>();
        adapter.set_busy(false);
        match digits {
            Ok(digits) => {
                add::close_camera(&window, &of);
                adapter.set_problem(TransferProblem::None);
                adapter.set_digits(digits.into());
                if let Some(matrix) = of.transfer.shown() {
                    show(&adapter, &matrix);
                }
                adapter.set_step(TransferStep::Compare);
            }
            Err(error) => adapter.set_problem(problem(&error)),
        }
    });
}

fn agree(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TransferAdapter<'_>>();
    if adapter.get_step() != TransferStep::Compare {
        return;
    }
    if navigation::page(window) == Page::Send {
        match parts.transfer.send() {
            Ok(()) => {
                adapter.invoke_next_frame();
                adapter.set_step(TransferStep::Frames);
            }
            Err(error) => adapter.set_problem(problem(&error)),
        }
    } else {
        parts.transfer.agree_to_receive();
        adapter.set_problem(TransferProblem::None);
        adapter.set_step(TransferStep::Pieces);
        add::open_camera(window, parts);
    }
}

fn take(window: &AppWindow, parts: &Rc<Parts>, payloads: &[Payload]) {
    let adapter = window.global::<TransferAdapter<'_>>();
    let step = adapter.get_step();
    if !matches!(step, TransferStep::Scan | TransferStep::Pieces) {
        return;
    }
    if step == TransferStep::Scan {
        adapter.set_busy(true);
    }
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.transfer.take(payloads, move |taken| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TransferAdapter<'_>>();
        adapter.set_busy(false);
        match taken {
            Ok(Taken::Greeting(code)) => {
                // The sender's first code may still be seen after the digits were compared.
                if adapter.get_step() == TransferStep::Scan {
                    add::close_camera(&window, &of);
                    adapter.set_problem(TransferProblem::None);
                    adapter.set_digits(code.text().into());
                    adapter.set_step(TransferStep::Compare);
                }
            }
            Ok(Taken::Piece { have, need }) => {
                adapter.set_problem(TransferProblem::None);
                adapter.set_have(number(have));
                adapter.set_need(number(need));
            }
            Ok(Taken::Whole(content)) => backup::show_received(&window, &of, *content),
            Err(error) => adapter.set_problem(problem(&error)),
        }
    });
}

fn show(adapter: &TransferAdapter<'_>, matrix: &Matrix) {
    let (image, modules) = qr_picture(matrix);
    adapter.set_code(image);
    adapter.set_code_modules(modules);
}

fn problem(problem: &transfer::TransferProblem) -> TransferProblem {
    match problem {
        transfer::TransferProblem::Locked => TransferProblem::Locked,
        transfer::TransferProblem::Send(SendError::TooLarge { .. }) => TransferProblem::TooLarge,
        transfer::TransferProblem::Send(_) => TransferProblem::NotAuthentic,
        transfer::TransferProblem::Frame(error) => match error {
            FrameError::NotAFrame => TransferProblem::NotAFrame,
            FrameError::Damaged => TransferProblem::Damaged,
            FrameError::Newer => TransferProblem::Newer,
            FrameError::OtherStep | FrameError::NotAgreed => TransferProblem::OtherStep,
            FrameError::OtherSender => TransferProblem::OtherSender,
            FrameError::Content(_) => TransferProblem::Unreadable,
            FrameError::Memory(_) => TransferProblem::Memory,
            _ => TransferProblem::NotAuthentic,
        },
    }
}
