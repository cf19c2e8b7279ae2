//! Pictures and the clipboard.

use std::{path::PathBuf, rc::Rc, time::Duration};

use countersign_ui::{AddAdapter, AddProblem, AppWindow, NavigationAdapter, Page};
use slint::{ComponentHandle as _, Timer};

use super::{Parts, begin, found, navigation, problems, use_as_secret};
use crate::{
    bind::moving,
    controllers::add::{self, Pasted},
    platform::Support,
};

/// How long files that are dropped together may take to come.
const DROP_TIME: Duration = Duration::from_millis(100);

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_can_choose(parts.services.platform.picker.support() == Support::Supported);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_picture(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        adapter.set_problem(AddProblem::None);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.add.choose_pictures(adapter.get_choose_title().into(), move |chosen| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<AddAdapter<'_>>().set_busy(false);
            match chosen {
                Ok(paths) if paths.is_empty() => {}
                Ok(paths) => read(&window, &parts, paths),
                Err(problem) => problems::show(&window, &parts, problem),
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_path(move || {
        let Some(window) = weak.upgrade() else { return };
        let typed = window.global::<AddAdapter<'_>>().get_path();
        // File managers copy a path with quotes or as a file address.
        let path = typed.trim().trim_matches(['"', '\'']);
        let path = path.strip_prefix("file://").unwrap_or(path);
        if !path.is_empty() {
            read(&window, &of, vec![PathBuf::from(path)]);
        }
    });

    let weak = window.as_weak();
    adapter.on_path_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AddAdapter<'_>>().set_problem(AddProblem::None);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_parts(move || {
        let Some(window) = weak.upgrade() else { return };
        found::show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_use_as_secret(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(secret) = of.add.pasted_secret() {
            use_as_secret(&window, &of, &secret);
        }
    });
}

/// Adds what is on the clipboard; says what it is where it is no token.
pub(in crate::bind) fn paste(window: &AppWindow, parts: &Rc<Parts>) {
    begin(window, parts);
    match parts.add.paste() {
        Ok(Pasted::Text(result)) => pasted(window, parts, result),
        Ok(Pasted::Export(text)) => moving::read_text(window, parts, text),
        Ok(Pasted::File(path)) => {
            navigation::go(window, parts, Page::AddClipboard);
            read(window, parts, vec![path]);
        }
        Ok(Pasted::Picture(picture)) => {
            navigation::go(window, parts, Page::AddClipboard);
            window.global::<AddAdapter<'_>>().set_busy(true);
            let (weak, of) = (window.as_weak(), parts.clone());
            parts.add.read_picture(picture, move |result| {
                let Some(window) = weak.upgrade() else { return };
                window.global::<AddAdapter<'_>>().set_busy(false);
                pasted(&window, &of, result);
            });
        }
        Err(problem) => pasted(window, parts, Err(problem)),
    }
}

/// Adds what a link holds that another program handed over.
pub(in crate::bind) fn follow(window: &AppWindow, parts: &Rc<Parts>, link: &str) {
    begin(window, parts);
    pasted(window, parts, parts.add.take_text(link));
}

/// A file was dropped.
pub(super) fn dropped(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    if !parts.door.is_open() {
        return;
    }
    let first = parts.adding.dropped.borrow().is_empty();
    parts.adding.dropped.borrow_mut().push(path);
    if !first {
        return;
    }
    let (weak, of) = (window.as_weak(), parts.clone());
    Timer::single_shot(DROP_TIME, move || {
        let Some(window) = weak.upgrade() else { return };
        // Emptied by a lock meanwhile.
        let paths = std::mem::take(&mut *of.adding.dropped.borrow_mut());
        if !paths.is_empty() {
            begin(&window, &of);
            navigation::go(&window, &of, Page::AddPicture);
            read(&window, &of, paths);
        }
    });
}

fn read(window: &AppWindow, parts: &Rc<Parts>, paths: Vec<PathBuf>) {
    window.global::<AddAdapter<'_>>().set_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    let single = <[PathBuf; 1]>::try_from(paths.clone()).ok();
    parts.add.read_files(paths, move |result| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AddAdapter<'_>>().set_busy(false);
        match (result, single) {
            (Err(add::AddProblem::Export), Some([path])) => moving::read_file(&window, &of, path),
            (Ok(()), _) => found::show(&window, &of),
            (Err(problem), _) => problems::show(&window, &of, problem),
        }
    });
}

fn pasted(window: &AppWindow, parts: &Rc<Parts>, result: Result<(), add::AddProblem>) {
    match result {
        Ok(()) => found::show(window, parts),
        Err(problem) => {
            problems::show(window, parts, problem);
            let page = navigation::page(window);
            if page == Page::AddServer {
                return;
            }
            if window.global::<NavigationAdapter<'_>>().get_page() != Page::AddClipboard {
                navigation::go(window, parts, Page::AddClipboard);
            }
        }
    }
}
