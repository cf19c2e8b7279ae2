//! A transfer between two Countersigns, frame by frame.

#![expect(clippy::unwrap_used, reason = "a test")]

use countersign_core::{
    token::{TokenId, TokenSecret, TokenSpec},
    transfer::{FrameError, Greeting, Receiver, Sender, Taken, is_frame},
    vault::Content,
};
use getrandom::SysRng;
use rand_core::UnwrapErr;

fn content(tokens: u32) -> Content {
    let mut content = Content::default();
    for n in 0..tokens {
        let secret = (0..20u32).map(|byte| (n.wrapping_mul(2_654_435_761).rotate_left(byte) >> 7) as u8).collect();
        let spec = TokenSpec {
            issuer: format!("Bank {n}"),
            account: format!("alice{}@example.org", n * 7),
            kind: countersign_core::token::Kind::Steam,
            secret: TokenSecret::from_bytes(secret).unwrap(),
            label_issuer: None,
            uri_parameters: Vec::new(),
        };
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        content.add(TokenId::from_random(id), spec, 1_795_000_000);
    }
    content
}

/// Both sides, after the codes were compared.
fn agreed(content: &Content) -> (Sender, Receiver) {
    let mut rng = UnwrapErr(SysRng);
    let mut receiver = Receiver::new(&mut rng);
    let greeting = Greeting::new(&receiver.invitation(), &mut rng).unwrap();
    let Taken::Greeting(code) = receiver.take(&greeting.frame()).unwrap() else { panic!("no greeting") };
    assert_eq!(&code, greeting.code());
    assert_eq!(receiver.code(), Some(&code));
    receiver.agreed();
    (greeting.agreed(content).unwrap(), receiver)
}

fn same(a: &Content, b: &Content) -> bool {
    a.tokens() == b.tokens() && a.groups() == b.groups()
}

/// A camera that misses frames and sees others twice, in no order.
#[test]
fn a_third_of_the_frames_may_be_lost_in_any_order() {
    for tokens in [1, 40, 1_000] {
        let whole = content(tokens);
        let (sender, mut receiver) = agreed(&whole);
        let least = sender.least();
        // A different third is lost each time; what is left comes shuffled, every fifth frame twice.
        let mut order: Vec<u32> = (0..least * 3 / 2 + 4).collect();
        let mut dice = u64::from(tokens) + 1;
        let mut roll = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            dice >> 33
        };
        for at in (1..order.len()).rev() {
            order.swap(at, roll() as usize % (at + 1));
        }
        order.truncate(order.len() - order.len() * 3 / 10);
        let mut taken = 0;
        let mut received = None;
        for n in order {
            for _ in 0..1 + u32::from(n % 5 == 0) {
                match receiver.take(&sender.frame(n)) {
                    Ok(Taken::Whole(content)) => received = Some(content),
                    Ok(Taken::Piece { have, need }) => assert!(have <= taken + 1 && need == least, "{have} of {need}"),
                    Ok(Taken::Greeting(_)) | Err(_) => panic!("frame {n}"),
                }
                if received.is_some() {
                    break;
                }
            }
            taken += 1;
            if received.is_some() {
                break;
            }
        }
        assert!(received.is_some_and(|received| same(&received, &whole)), "{tokens} tokens, {taken} of {least} frames");
        assert!(taken <= least + 3, "{taken} frames for {least} pieces");
    }
}

#[test]
fn frames_are_qr_codes_that_a_camera_reads() {
    use countersign_core::qr::{Luma, Matrix, read};
    let (sender, receiver) = agreed(&content(3));
    for text in [receiver.invitation(), sender.frame(0), sender.frame(sender.least() + 1)] {
        assert!(is_frame(&text));
        let matrix = Matrix::new(&text).unwrap();
        // Version 14 at most.
        assert!(matrix.size() <= 73, "{}", matrix.size());
        assert_eq!(read(&Luma::from_file_bytes(&matrix.to_png(400)).unwrap()), [text]);
    }
}

#[test]
fn nothing_is_taken_before_the_codes_are_compared() {
    let mut rng = UnwrapErr(SysRng);
    let mut receiver = Receiver::new(&mut rng);
    let greeting = Greeting::new(&receiver.invitation(), &mut rng).unwrap();
    let frame = greeting.frame();
    let sender = greeting.agreed(&content(2)).unwrap();
    assert_eq!(receiver.take(&sender.frame(0)).unwrap_err(), FrameError::NotAgreed);
    receiver.take(&frame).unwrap();
    assert_eq!(receiver.take(&sender.frame(0)).unwrap_err(), FrameError::NotAgreed);
    receiver.agreed();
    assert!(receiver.take(&sender.frame(0)).is_ok());
}

/// Somebody in the middle shows the sender a key of their own, and the receiver a greeting of their own.
#[test]
fn the_codes_of_a_middleman_differ_and_the_first_greeting_stays() {
    let mut rng = UnwrapErr(SysRng);
    let mut receiver = Receiver::new(&mut rng);
    let middle = Receiver::new(&mut rng);
    let sender = Greeting::new(&middle.invitation(), &mut rng).unwrap();
    let forged = Greeting::new(&receiver.invitation(), &mut rng).unwrap();
    receiver.take(&forged.frame()).unwrap();
    assert_ne!(receiver.code(), Some(sender.code()));
    // The true one comes too late, and so do its pieces.
    assert_eq!(receiver.take(&sender.frame()).unwrap_err(), FrameError::OtherSender);
    assert_eq!(receiver.code(), Some(forged.code()));
    receiver.agreed();
    let pieces = sender.agreed(&content(1)).unwrap();
    assert_eq!(receiver.take(&pieces.frame(0)).unwrap_err(), FrameError::OtherSender);
    // The same greeting again changes nothing.
    assert!(matches!(receiver.take(&forged.frame()), Ok(Taken::Greeting(_))));
}

#[test]
fn what_is_no_frame_of_this_step_is_named() {
    let mut rng = UnwrapErr(SysRng);
    let mut receiver = Receiver::new(&mut rng);
    let invitation = receiver.invitation();
    assert_eq!(receiver.take(&invitation).unwrap_err(), FrameError::OtherStep);
    assert_eq!(receiver.take("https://example.org").unwrap_err(), FrameError::NotAFrame);
    let greeting = Greeting::new(&invitation, &mut rng).unwrap();
    assert_eq!(Greeting::new(&greeting.frame(), &mut rng).err(), Some(FrameError::OtherStep));
    assert_eq!(Greeting::new("otpauth://totp/a?secret=AA", &mut rng).err(), Some(FrameError::NotAFrame));
    assert_eq!(Greeting::new(&invitation[..30], &mut rng).err(), Some(FrameError::Damaged));
    // Typed in groups, in small letters.
    let typed: Vec<String> =
        invitation.to_lowercase().as_bytes().chunks(4).map(|c| String::from_utf8(c.to_vec()).unwrap()).collect();
    let start = typed[..2].concat();
    assert!(Greeting::new(&format!("{start} {}", typed[2..].join("-")), &mut rng).is_ok());
}

/// Frames of the right session with pieces that are none: it says so, and what comes afterwards is received.
#[test]
fn forged_pieces_do_not_open_and_are_forgotten() {
    use data_encoding::BASE32_NOPAD;
    use sha2::{Digest as _, Sha256};
    let whole = content(30);
    let (sender, mut receiver) = agreed(&whole);
    let forged = |n: u32, change: &dyn Fn(&mut Vec<u8>)| {
        let text = sender.frame(n);
        let mut bytes = BASE32_NOPAD.decode(text.strip_prefix("CSX1:").unwrap().as_bytes()).unwrap();
        bytes.truncate(bytes.len() - 4);
        change(&mut bytes);
        let check = Sha256::digest(&bytes);
        bytes.extend_from_slice(&check[..4]);
        format!("CSX1:{}", BASE32_NOPAD.encode(&bytes))
    };
    // Lengths, blocks and sizes that no sender shows.
    for change in [
        &(|bytes: &mut Vec<u8>| bytes[9..13].fill(0xff)) as &dyn Fn(&mut Vec<u8>),
        &|bytes| bytes[9..13].fill(0),
        &|bytes| bytes[13] = 200,
        &|bytes| bytes.truncate(40),
        &|bytes| bytes.truncate(13),
        &|bytes| bytes.push(0),
    ] {
        assert_eq!(receiver.take(&forged(0, change)).unwrap_err(), FrameError::Damaged);
    }
    let mut errors = Vec::new();
    for n in 0..sender.least() + 3 {
        errors.extend(receiver.take(&forged(n, &|bytes| bytes[20] ^= 1)).err());
    }
    assert!(errors.contains(&FrameError::NotAuthentic), "{errors:?}");
    let mut received = None;
    for n in 0..4 * sender.least() {
        if let Ok(Taken::Whole(content)) = receiver.take(&sender.frame(n)) {
            received = Some(content);
            break;
        }
    }
    assert!(received.is_some_and(|received| same(&received, &whole)));
}
