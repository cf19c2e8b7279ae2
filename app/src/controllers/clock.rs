//! Watches the system's clock, because codes of a wrong clock are wrong codes.

use std::{cell::Cell, rc::Rc};

use super::Services;
use crate::platform::clock_trust::ClockTrust;

/// What is known to be wrong with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockProblem {
    /// No time server sets it.
    NotSet,
    /// It was moved by so many seconds while this program ran, and nobody vouches for it since.
    Moved(i64),
}

/// Servers accept codes of half a minute before and after; less than this costs no code.
const WORTH_TELLING: i64 = 20;

/// Seconds until the system is asked again.
const ASK_AGAIN: u64 = 60 * 60;

/// The clock against the count of seconds that nobody can move.
pub struct ClockWatch {
    services: Rc<Services>,
    /// Clock minus the steady count, when the clock was believed last.
    believed: Cell<Option<i64>>,
    trust: Cell<ClockTrust>,
    /// The steady count at the last question.
    asked: Cell<Option<u64>>,
    moved: Cell<i64>,
    dismissed: Cell<Option<ClockProblem>>,
}

impl ClockWatch {
    /// Over the clock of `services`.
    pub fn new(services: Rc<Services>) -> Self {
        Self {
            services,
            believed: Cell::default(),
            trust: Cell::new(ClockTrust::Unknown),
            asked: Cell::default(),
            moved: Cell::default(),
            dismissed: Cell::default(),
        }
    }

    /// Looks at the clock, and says whether the system is to be asked about it ([`ClockWatch::ask`]).
    pub fn tick(&self) -> bool {
        let steady = self.services.clock.steady();
        let ahead = self.ahead(steady);
        let believed = self.believed.get().unwrap_or(ahead);
        self.believed.set(Some(believed));
        let moved = ahead - believed;
        let jumped = (moved - self.moved.get()).abs() >= WORTH_TELLING;
        if jumped {
            self.moved.set(moved);
        }
        self.due(steady) || jumped
    }

    /// Asks the system whether it vouches for the clock; `done` is called here when it said so.
    pub fn ask(self: &Rc<Self>, done: impl FnOnce() + 'static) {
        self.asked.set(Some(self.services.clock.steady()));
        let (witness, this) = (self.services.platform.clock_witness.clone(), self.clone());
        self.services.tasks.run(
            move || witness.trust(),
            move |trust| {
                this.heard(trust);
                done();
            },
        );
    }

    /// What is wrong, unless it was waved away.
    pub fn problem(&self) -> Option<ClockProblem> {
        self.found().filter(|found| self.dismissed.get() != Some(*found))
    }

    /// Says no more of it, until something else is wrong.
    pub fn dismiss(&self) {
        self.dismissed.set(self.found());
    }

    fn found(&self) -> Option<ClockProblem> {
        if self.moved.get().abs() >= WORTH_TELLING {
            return Some(ClockProblem::Moved(self.moved.get()));
        }
        // With `automatic` a server will be reached sooner or later, and until then nobody knows anything.
        matches!(self.trust.get(), ClockTrust::NotSynchronised { automatic: false }).then_some(ClockProblem::NotSet)
    }

    fn heard(&self, trust: ClockTrust) {
        self.trust.set(trust);
        if trust == ClockTrust::Synchronised {
            // Whatever moved it was right.
            self.moved.set(0);
            self.believed.set(Some(self.ahead(self.services.clock.steady())));
        }
    }

    fn ahead(&self, steady: u64) -> i64 {
        i64::try_from(self.services.clock.now()).unwrap_or(i64::MAX).saturating_sub_unsigned(steady)
    }

    fn due(&self, now: u64) -> bool {
        self.asked.get().is_none_or(|asked| now.saturating_sub(asked) >= ASK_AGAIN)
    }
}
