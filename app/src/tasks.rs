//! Work off the window's thread. What comes back after a lock is dropped unseen, so that nothing of a locked session
//! reaches the screen.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use crate::memory;

/// Where work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// On a thread of its own; the window's event loop brings the result back.
    Threads,
    /// When [`Tasks::run_waiting`] is called: for tests, which so see what the window shows meanwhile.
    Waiting,
}

struct Work(Box<dyn FnOnce()>);

struct Finish(Box<dyn FnOnce(Box<dyn Any>)>);

/// Runs work and hands its result back on the window's thread.
#[derive(Clone)]
pub struct Tasks {
    mode: Mode,
    waiting: Rc<RefCell<VecDeque<Work>>>,
}

thread_local! {
    // What to do with results. Stays on the window's thread, because it holds the window's things.
    static DONE: RefCell<HashMap<u64, Finish>> = RefCell::default();
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

impl Tasks {
    /// Work runs on threads; needs the event loop.
    pub fn threads() -> Self {
        Self { mode: Mode::Threads, waiting: Rc::default() }
    }

    /// Work waits until the test runs it.
    pub fn waiting() -> Self {
        Self { mode: Mode::Waiting, waiting: Rc::default() }
    }

    /// Does `work` elsewhere and calls `done` here with what came out, unless [`Tasks::forget`] was called meanwhile.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static, done: impl FnOnce(T) + 'static) {
        let id = NEXT.replace(NEXT.get() + 1);
        let finish = Finish(Box::new(move |result: Box<dyn Any>| {
            if let Ok(result) = result.downcast::<T>() {
                done(*result);
            }
        }));
        DONE.with_borrow_mut(|all| all.insert(id, finish));
        match self.mode {
            Mode::Threads => {
                std::thread::spawn(move || {
                    work_and_hand_over(id, work);
                    // The system keeps the stack for the next thread.
                    memory::wipe_stack();
                });
            }
            Mode::Waiting => {
                self.waiting.borrow_mut().push_back(Work(Box::new(move || finished(id, Box::new(work())))));
            }
        }
    }

    /// Drops the results of all work under way.
    pub fn forget(&self) {
        DONE.with_borrow_mut(HashMap::clear);
    }

    /// Does the work that waits, and what that starts.
    pub fn run_waiting(&self) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            match next {
                Some(Work(work)) => work(),
                None => return,
            }
        }
    }
}

// A frame of its own, below which everything is wiped afterwards.
#[inline(never)]
fn work_and_hand_over<T: Send + 'static>(id: u64, work: impl FnOnce() -> T) {
    let result = Box::new(work());
    // Fails only where the event loop is gone, and with it whoever would look at the result.
    let _ = slint::invoke_from_event_loop(move || finished(id, result));
}

fn finished(id: u64, result: Box<dyn Any>) {
    if let Some(Finish(done)) = DONE.with_borrow_mut(|all| all.remove(&id)) {
        done(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_comes_back_once() {
        let tasks = Tasks::waiting();
        let seen = Rc::new(Cell::new(0));
        let seen_by_done = seen.clone();
        tasks.run(|| 7, move |n| seen_by_done.set(seen_by_done.get() + n));
        assert_eq!(seen.get(), 0);
        tasks.run_waiting();
        tasks.run_waiting();
        assert_eq!(seen.get(), 7);
    }

    #[test]
    fn a_forgotten_result_is_dropped() {
        let tasks = Tasks::waiting();
        let seen = Rc::new(Cell::new(false));
        let seen_by_done = seen.clone();
        tasks.run(|| (), move |()| seen_by_done.set(true));
        tasks.forget();
        tasks.run_waiting();
        assert!(!seen.get());
    }
}
