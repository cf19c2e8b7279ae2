//! Hard pictures of our own, a kind for each thing that goes wrong between a code and a reader.
//!
//! Each kind runs from what anybody reads to what nobody does. The same seed gives the same pictures on every machine.

use std::{
    f32::consts::{PI, TAU},
    io::Cursor,
};

use countersign_core::{
    token::{Digits, Kind, Period, TokenSecret, TokenSpec},
    uri::migration,
};
use image::{DynamicImage, GrayImage, ImageFormat};
use qrcode::EcLevel;

use super::draw::{At, Dice, Ink, Plane, turned};

/// A picture and what is in it.
pub(crate) struct Sample {
    /// Without a file format where no codec touched it: its pixels as PNG would give them.
    pub(crate) file: Vec<u8>,
    pub(crate) texts: Vec<String>,
}

/// Makes one picture; the second argument runs from 0 (easy) to 1 (hopeless).
type Maker = fn(&mut Dice, f32) -> (Plane, Vec<String>);

/// Every kind, by its name.
pub(crate) const KINDS: [(&str, Maker); 23] = [
    ("clean", clean),
    ("rotated", rotated),
    ("perspective", perspective),
    ("blur", blur),
    ("motion", motion),
    ("noise", noise),
    ("contrast", contrast),
    ("shadow", shadow),
    ("jpeg", clean),
    ("tiny", tiny),
    ("huge", huge),
    ("screenshot", screenshot),
    ("inverted", inverted),
    ("finder", finder),
    ("glare", glare),
    ("curved", curved),
    ("several", several),
    ("moire", moire),
    ("dense", dense),
    ("styled", styled),
    ("short", short),
    ("nothing", nothing),
    ("spoilt", spoilt),
];

/// The pictures of one kind.
pub(crate) fn samples(kind: &str, make: Maker, seed: u64, count: usize) -> impl Iterator<Item = Sample> {
    (0..count).map(move |n| {
        let salt = kind.bytes().fold(seed, |sum, byte| sum.wrapping_mul(257).wrapping_add(byte.into()));
        let mut dice = Dice::new(salt.wrapping_add(n as u64 * 7919));
        let hardness = (n as f32 + 0.5) / count as f32;
        let (plane, texts) = make(&mut dice, hardness);
        let picture = plane.picture();
        let file = if kind == "jpeg" { jpeg(&picture, (42.0 - 39.0 * hardness) as u8) } else { png(picture) };
        Sample { file, texts }
    })
}

fn png(picture: GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn jpeg(picture: &GrayImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    bytes
}

fn link(dice: &mut Dice) -> String {
    const NAMES: [&str; 6] =
        ["Alder", "Birch%20Mail", "Cedar%20Bank", "Elm", "Hazel%20Cloud%20Services", "Oak%20%26%20Ash"];
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let name = NAMES[dice.below(NAMES.len())];
    let length = [16, 32, 32, 52][dice.below(4)];
    let secret: String = (0..length).map(|_| char::from(LETTERS[dice.below(32)])).collect();
    let account = dice.below(100_000);
    let tail = ["", "&algorithm=SHA1&digits=6&period=30"][dice.below(2)];
    format!("otpauth://totp/{name}:ada{account}%40example.org?secret={secret}&issuer={name}{tail}")
}

fn export(dice: &mut Dice, entries: usize) -> String {
    let specs: Vec<TokenSpec> = (0..entries)
        .map(|n| TokenSpec {
            issuer: format!("Issuer {n} of {}", dice.below(900)),
            account: format!("ada.lovelace{}@example.org", dice.below(900)),
            kind: Kind::Totp { algorithm: Default::default(), digits: Digits::SIX, period: Period::THIRTY },
            secret: TokenSecret::from_bytes((0..20).map(|_| dice.below(256) as u8).collect()).unwrap(),
            label_issuer: None,
            uri_parameters: Vec::new(),
        })
        .collect();
    migration::write(&specs, dice.below(1 << 30) as i32).parts[0].expose().to_owned()
}

fn ink(dice: &mut Dice) -> (Ink, String) {
    let text = link(dice);
    let level = [EcLevel::L, EcLevel::M, EcLevel::M, EcLevel::Q][dice.below(4)];
    (Ink::new(&text, level), text)
}

/// A code of so many pixels a module in the middle of clouds, its corners moved by `change`.
fn on_clouds(dice: &mut Dice, ink: &Ink, scale: f32, change: impl FnOnce(&mut Dice, [At; 4], f32) -> [At; 4]) -> Plane {
    let side = ink.side() * scale;
    let (width, height) = ((side * dice.between(1.3, 1.9)) as usize, (side * dice.between(1.3, 1.6)) as usize);
    let mut plane = Plane::new(width, height, dice.between(90.0, 190.0));
    plane.clouds(dice, 50.0);
    let corners = change(dice, turned((width as f32 / 2.0, height as f32 / 2.0), side, 0.0), side);
    plane.place(ink, corners);
    plane
}

/// Held in a hand: a little turned, a little slanted.
fn by_hand(dice: &mut Dice, corners: [At; 4], side: f32) -> [At; 4] {
    let center = ((corners[0].0 + corners[2].0) / 2.0, (corners[0].1 + corners[2].1) / 2.0);
    let angle = dice.between(-0.2, 0.2);
    slanted(dice, turned(center, side, angle), side, 0.03)
}

fn slanted(dice: &mut Dice, corners: [At; 4], side: f32, share: f32) -> [At; 4] {
    corners.map(|(x, y)| (x + side * dice.between(-share, share), y + side * dice.between(-share, share)))
}

fn clean(dice: &mut Dice, _: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(2.6, 9.0);
    let mut plane = Plane::new((ink.side() * scale) as usize + 20, (ink.side() * scale) as usize + 10, 255.0);
    let (width, height) = (plane.width as f32, plane.height as f32);
    plane.place(&ink, turned((width / 2.0, height / 2.0), ink.side() * scale, 0.0));
    (plane, vec![text])
}

fn rotated(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = 7.0 - 4.5 * hard;
    let plane = on_clouds(dice, &ink, scale, |dice, corners, side| {
        let center = ((corners[0].0 + corners[2].0) / 2.0, (corners[0].1 + corners[2].1) / 2.0);
        turned(center, side, dice.between(-PI, PI))
    });
    (plane, vec![text])
}

fn perspective(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(3.5, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, |dice, corners, side| {
        let center = ((corners[0].0 + corners[2].0) / 2.0, (corners[0].1 + corners[2].1) / 2.0);
        let mut corners = turned(center, side, 0.0);
        // Away from the eye at one side, as on a table.
        let narrow = side * 0.5 * hard * dice.between(0.5, 1.0);
        corners[0].0 += narrow;
        corners[1].0 -= narrow;
        corners[0].1 += narrow * 0.8;
        corners[1].1 += narrow * 0.8;
        let (sin, cos) = dice.between(-PI, PI).sin_cos();
        corners.map(|(x, y)| {
            let (x, y) = (x - center.0, y - center.1);
            (center.0 + x * cos - y * sin, center.1 + x * sin + y * cos)
        })
    });
    plane.blur(0.6);
    plane.grain(dice, 4.0);
    (plane, vec![text])
}

fn blur(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(4.0, 9.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.blur(scale * (0.2 + 0.65 * hard));
    plane.grain(dice, 3.0);
    (plane, vec![text])
}

fn motion(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(4.0, 9.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.smear(scale * (0.3 + 1.7 * hard), dice.between(0.0, PI));
    plane.grain(dice, 4.0);
    (plane, vec![text])
}

fn noise(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(3.5, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.grain(dice, 15.0 + 110.0 * hard);
    (plane, vec![text])
}

fn contrast(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (mut ink, text) = ink(dice);
    let middle = dice.between(60.0, 200.0);
    let half = 45.0 - 41.0 * hard;
    (ink.dark, ink.light) = (middle - half, middle + half);
    let scale = dice.between(3.5, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.grain(dice, 2.0);
    (plane, vec![text])
}

fn shadow(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(3.5, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    let (width, height) = (plane.width as f32, plane.height as f32);
    let (sin, cos) = dice.between(-PI, PI).sin_cos();
    let (least, soft) = (0.5 - 0.45 * hard, dice.between(0.003, 0.5) * width);
    let edge = dice.between(-0.2, 0.2) * width;
    plane.map(|x, y, shade| {
        let along = (x as f32 - width / 2.0) * cos + (y as f32 - height / 2.0) * sin - edge;
        let light = least + (1.0 - least) * (along / soft + 0.5).clamp(0.0, 1.0);
        shade * light
    });
    plane.blur(0.7);
    plane.grain(dice, 3.0);
    (plane, vec![text])
}

fn tiny(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = 3.0 - 1.6 * hard;
    let angle = if dice.below(2) == 0 { 0.0 } else { dice.between(-0.4, 0.4) };
    let plane = on_clouds(dice, &ink, scale, |_, corners, side| {
        let center = ((corners[0].0 + corners[2].0) / 2.0, (corners[0].1 + corners[2].1) / 2.0);
        turned((center.0 + 0.37, center.1 + 0.71), side, angle)
    });
    (plane, vec![text])
}

/// Twelve million pixels with a small code somewhere.
fn huge(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let mut plane = Plane::new(4000, 3000, 130.0);
    plane.clouds(dice, 70.0);
    for _ in 0..4 {
        let (left, top) = (dice.below(2600), dice.below(2000));
        let shade = dice.between(0.0, 80.0);
        plane.text(dice, left, top, left + 900, top + 600, shade);
    }
    let scale = 14.0 - 11.0 * hard;
    let side = ink.side() * scale;
    let center = (dice.between(side, 4000.0 - side), dice.between(side * 0.8, 3000.0 - side * 0.8));
    let corners = by_hand(dice, turned(center, side, 0.0), side);
    let angle = dice.between(-0.5, 0.5);
    let corners = corners.map(|(x, y)| {
        let (x, y) = (x - center.0, y - center.1);
        (center.0 + x * angle.cos() - y * angle.sin(), center.1 + x * angle.sin() + y * angle.cos())
    });
    plane.place(&ink, corners);
    plane.blur(1.0);
    plane.grain(dice, 6.0);
    (plane, vec![text])
}

/// A whole screen with windows, text and a code in a page.
fn screenshot(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (mut ink, text) = ink(dice);
    let (width, height) = [(1920, 1080), (2560, 1440), (3840, 2160)][dice.below(3)];
    let dark = dice.below(3) == 0;
    let (paper, letters) = if dark { (30.0, 220.0) } else { (250.0, 20.0) };
    let mut plane = Plane::new(width, height, paper);
    for _ in 0..14 {
        let (left, top) = (dice.below(width * 3 / 4), dice.below(height * 3 / 4));
        plane.text(dice, left, top, left + width / 4, top + height / 4, letters);
    }
    ink.quiet = [4.0, 2.0, 1.0][dice.below(3)];
    let scale = (6.5 - 5.0 * hard).round().max(2.0);
    let side = ink.side() * scale;
    let center = (dice.between(side, width as f32 - side).round(), dice.between(side, height as f32 - side).round());
    let shift = if (side as usize).is_multiple_of(2) { 0.0 } else { 0.5 };
    plane.place(&ink, turned((center.0 + shift, center.1 + shift), side, 0.0));
    (plane, vec![text])
}

fn inverted(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (mut ink, text) = ink(dice);
    (ink.dark, ink.light) = (255.0 - 120.0 * hard * dice.between(0.0, 1.0), 60.0 * hard * dice.between(0.0, 1.0));
    ink.quiet = [4.0, 3.0, 2.0][dice.below(3)];
    let scale = 7.0 - 4.0 * hard;
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.grain(dice, 6.0 * hard);
    (plane, vec![text])
}

/// One finder pattern has a stain, a fold, or is torn off.
fn finder(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (mut ink, text) = ink(dice);
    let last = ink.size as f32;
    let (left, top) = [(0.0, 0.0), (last - 7.0, 0.0), (0.0, last - 7.0)][dice.below(3)];
    let shade = [0.0, 128.0, 255.0][dice.below(3)];
    let reach = 0.6 + 6.4 * hard;
    let (x, y) = (left + dice.between(0.0, 7.0 - reach), top + dice.between(0.0, 7.0 - reach));
    ink.covers.push((x, y, x + reach, y + reach, shade));
    let scale = dice.between(4.0, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.blur(0.6);
    plane.grain(dice, 4.0);
    (plane, vec![text])
}

/// A lamp in the screen or in the glossy paper.
fn glare(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(4.0, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    let side = ink.side() * scale;
    let (x0, y0) = (plane.width as f32 / 2.0, plane.height as f32 / 2.0);
    let (x0, y0) = (x0 + side * dice.between(-0.3, 0.3), y0 + side * dice.between(-0.3, 0.3));
    let (core, halo) = (side * (0.03 + 0.14 * hard), side * (0.1 + 0.4 * hard));
    plane.map(|x, y, shade| {
        let far = (x as f32 - x0).hypot(y as f32 - y0);
        let light = (1.0 - (far - core) / halo).clamp(0.0, 1.0);
        shade * 0.75 + (255.0 - shade * 0.55) * light
    });
    plane.blur(0.7);
    plane.grain(dice, 3.0);
    (plane, vec![text])
}

/// On a bottle.
fn curved(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(4.5, 8.0);
    let half = ink.side() * scale / 2.0;
    let side = (half * 3.2) as usize;
    let mut plane = Plane::new(side, side, 120.0);
    plane.clouds(dice, 50.0);
    plane.wrap(&ink, (side as f32 / 2.0, side as f32 / 2.0), half, 0.15 + 1.0 * hard);
    plane.blur(0.7);
    plane.grain(dice, 3.0);
    (plane, vec![text])
}

fn several(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let count = 2 + (4.99 * hard) as usize;
    let (columns, rows) = if count > 4 { (3, 2) } else { (2, 2) };
    let cell = 420;
    let mut plane = Plane::new(cell * columns, cell * rows, 200.0);
    plane.clouds(dice, 30.0);
    let mut texts = Vec::new();
    for n in 0..count {
        let (ink, text) = ink(dice);
        let side = (ink.side() * dice.between(2.8, 6.0)).min(300.0);
        let center = ((n % columns * cell + cell / 2) as f32, (n / columns * cell + cell / 2) as f32);
        let angle = if hard < 0.5 { 0.0 } else { dice.between(-0.6, 0.6) };
        let corners = turned(center, side, angle);
        let corners = slanted(dice, corners, side, 0.02);
        plane.place(&ink, corners);
        texts.push(text);
    }
    plane.blur(0.5);
    plane.grain(dice, 4.0);
    (plane, texts)
}

/// A phone that photographs a screen: its grid of dots beats against the sensor's.
fn moire(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, text) = ink(dice);
    let scale = dice.between(4.0, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    let (period, other) = (dice.between(2.1, 5.0), dice.between(9.0, 40.0));
    let angle = dice.between(-0.3, 0.3);
    let depth = 0.25 + 0.6 * hard;
    plane.map(|x, y, shade| {
        let (u, v) = (x as f32 * angle.cos() - y as f32 * angle.sin(), x as f32 * angle.sin() + y as f32 * angle.cos());
        let fine = (u / period * TAU).sin() * (v / period * TAU).sin();
        let beat = (u / other * TAU).sin() * 0.5 + (v / other * TAU).sin() * 0.5;
        let light = 1.0 - depth * (0.5 + 0.25 * fine + 0.25 * beat);
        (shade * 0.85 + 25.0) * light
    });
    plane.blur(0.8);
    plane.grain(dice, 6.0);
    (plane, vec![text])
}

/// Exports of Google Authenticator: up to ten tokens in one code.
fn dense(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let text = export(dice, 4 + (6.99 * hard) as usize);
    let ink = Ink::new(&text, [EcLevel::L, EcLevel::M, EcLevel::Q][dice.below(3)]);
    let scale = dice.between(5.5, 7.0) - 3.8 * hard;
    let mut plane = on_clouds(dice, &ink, scale, |dice, corners, side| {
        let corners = by_hand(dice, corners, side);
        slanted(dice, corners, side, 0.03)
    });
    plane.blur(0.3 + scale * 0.25 * hard);
    plane.grain(dice, 4.0);
    (plane, vec![text])
}

/// Dots, colours, a picture in the middle.
fn styled(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let text = link(dice);
    let mut ink = Ink::new(&text, [EcLevel::Q, EcLevel::H][dice.below(2)]);
    ink.dot = [Some(1.0), Some(0.8), Some(0.6), None][dice.below(4)];
    (ink.dark, ink.light) = (dice.between(0.0, 110.0), dice.between(200.0, 255.0));
    let (middle, half) = (ink.size as f32 / 2.0, ink.size as f32 * (0.05 + 0.13 * hard));
    ink.covers.push((middle - half, middle - half, middle + half, middle + half, dice.between(0.0, 255.0)));
    ink.quiet = 2.0;
    let scale = dice.between(3.0, 9.0);
    (on_clouds(dice, &ink, scale, by_hand), vec![text])
}

/// The smallest codes, with a few characters.
fn short(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let text = ["HELLO WORLD", "0123456789", "http://a.example", "Hello, world"][dice.below(4)].to_owned();
    let ink = Ink::new(&text, [EcLevel::L, EcLevel::M, EcLevel::Q][dice.below(3)]);
    let scale = dice.between(4.0, 8.0);
    let mut plane = on_clouds(dice, &ink, scale, by_hand);
    plane.blur(0.5);
    plane.grain(dice, 5.0 + 60.0 * hard);
    (plane, vec![text])
}

/// Small codes of which nobody can tell what they held: whatever is read is wrong.
fn spoilt(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let text = ["A", "short", "otpauth://totp/a?secret=GEZDGNBV"][dice.below(3)];
    let mut ink = Ink::new(text, EcLevel::L);
    ink.spoil(dice, 0.5 - 0.15 * hard);
    (on_clouds(dice, &ink, 6.0, by_hand), Vec::new())
}

/// No code at all, or too little of one.
fn nothing(dice: &mut Dice, hard: f32) -> (Plane, Vec<String>) {
    let (ink, _) = ink(dice);
    let mut plane = Plane::new(900, 700, 140.0);
    plane.clouds(dice, 90.0);
    plane.text(dice, 20, 20, 500, 600, 10.0);
    let side = ink.side() * 5.0;
    // Less than half of it is in the picture.
    let x = if dice.below(2) == 0 { 900.0 + side * 0.08 } else { -side * 0.08 };
    plane.place(&ink, turned((x, 350.0), side, 0.0));
    plane.grain(dice, 5.0 + 120.0 * hard);
    (plane, Vec::new())
}
