//! Tokens from one Countersign to another, from screen to camera.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use countersign_core::{
    qr::{Matrix, Payload},
    token::Token,
    transfer::{FrameError, Greeting, Receiver, SendError, Sender, Taken},
};

use crate::controllers::{Door, Services};

/// Why it does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferProblem {
    /// What was read is of no use now.
    Frame(FrameError),
    /// What would be sent is too large.
    Send(SendError),
    /// The vault was locked meanwhile.
    Locked,
}

/// What the sender shows.
#[derive(Default)]
enum Sending {
    #[default]
    Looking,
    Greeting(Box<Greeting>),
    Frames(Box<Sender>, u32),
}

/// A transfer, of one side or the other.
pub struct TransferController {
    services: Rc<Services>,
    door: Rc<Door>,
    sending: RefCell<Sending>,
    /// Gone while it works on another thread; frames that are seen meanwhile are missed, which does no harm.
    receiver: RefCell<Option<Receiver>>,
    /// Counts what was begun anew, so that what was worked out for another transfer is dropped.
    round: Cell<u64>,
}

impl TransferController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, sending: RefCell::default(), receiver: RefCell::default(), round: Cell::new(0) }
    }

    /// How many tokens would go out.
    pub fn count(&self) -> usize {
        self.door.content().map_or(0, |content| content.tokens().iter().filter(|token| token.may_leave()).count())
    }

    /// Takes an invitation, scanned or typed; `done` gets the digits to compare. Working them out takes as long as an
    /// unlock.
    pub fn greet(self: &Rc<Self>, invitation: String, done: impl FnOnce(Result<String, TransferProblem>) + 'static) {
        let (random, this, round) = (self.services.random, self.clone(), self.round.get());
        self.services.tasks.run(
            move || Greeting::new(&invitation, &mut *random()),
            move |greeting| {
                if this.round.get() != round {
                    return;
                }
                done(greeting.map_err(TransferProblem::Frame).map(|greeting| {
                    let digits = greeting.code().text().to_owned();
                    *this.sending.borrow_mut() = Sending::Greeting(Box::new(greeting));
                    digits
                }));
            },
        );
    }

    /// The person said that the digits agree: encrypts the tokens for the other device.
    pub fn send(&self) -> Result<(), TransferProblem> {
        let content = self.door.content().ok_or(TransferProblem::Locked)?.part(Token::may_leave);
        let before = std::mem::take(&mut *self.sending.borrow_mut());
        let after = match before {
            Sending::Greeting(greeting) => {
                Sending::Frames(Box::new(greeting.agreed(&content).map_err(TransferProblem::Send)?), 0)
            }
            // Pressed twice.
            other => other,
        };
        *self.sending.borrow_mut() = after;
        Ok(())
    }

    /// The code that the sender shows now; of the frames each time the next one.
    pub fn shown(&self) -> Option<Matrix> {
        let text = match &mut *self.sending.borrow_mut() {
            Sending::Looking => return None,
            Sending::Greeting(greeting) => greeting.frame(),
            Sending::Frames(sender, at) => {
                let frame = sender.frame(*at);
                *at = at.wrapping_add(1);
                frame
            }
        };
        // Every frame fits.
        Matrix::new(&text).ok()
    }

    /// Makes an invitation: its code, and its text in groups for whoever types it.
    pub fn invite(&self) -> Option<(Matrix, String)> {
        self.forget();
        let receiver = Receiver::new(&mut *(self.services.random)());
        let text = receiver.invitation();
        *self.receiver.borrow_mut() = Some(receiver);
        Some((Matrix::new(&text).ok()?, in_groups(&text)))
    }

    /// Takes what codes before the receiver's camera held; `done` is not called where there was none of a transfer.
    pub fn take(self: &Rc<Self>, payloads: &[Payload], done: impl FnOnce(Result<Taken, TransferProblem>) + 'static) {
        let frames = frames(payloads);
        if frames.is_empty() {
            return;
        }
        let Some(mut receiver) = self.receiver.borrow_mut().take() else { return };
        let (this, round) = (self.clone(), self.round.get());
        self.services.tasks.run(
            move || {
                let mut taken = Err(FrameError::NotAFrame);
                for frame in &frames {
                    taken = receiver.take(frame);
                    if matches!(taken, Ok(Taken::Whole(_))) {
                        break;
                    }
                }
                (receiver, taken)
            },
            move |(receiver, taken)| {
                if this.round.get() != round {
                    return;
                }
                *this.receiver.borrow_mut() = Some(receiver);
                done(taken.map_err(TransferProblem::Frame));
            },
        );
    }

    /// The person said that the digits agree: from now on pieces are taken.
    pub fn agree_to_receive(&self) {
        if let Some(receiver) = self.receiver.borrow_mut().as_mut() {
            receiver.agreed();
        }
    }

    /// Ends it; its keys go.
    pub fn forget(&self) {
        self.round.set(self.round.get() + 1);
        *self.sending.borrow_mut() = Sending::Looking;
        *self.receiver.borrow_mut() = None;
    }
}

/// The texts among what codes held, those of transfers first.
pub fn frames(payloads: &[Payload]) -> Vec<String> {
    let texts = payloads.iter().filter_map(|payload| match payload {
        Payload::Text(text) => Some(text.clone()),
        Payload::Binary(_) => None,
    });
    let (mut frames, others): (Vec<String>, Vec<String>) =
        texts.partition(|text| countersign_core::transfer::is_frame(text));
    if frames.is_empty() {
        frames = others;
    }
    frames
}

/// A text in groups of five, so that whoever types it keeps the place.
fn in_groups(text: &str) -> String {
    let mut grouped = String::with_capacity(text.len() * 6 / 5);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 5 == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}
