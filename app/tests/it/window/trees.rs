//! What a screen reader is told of each page, kept as golden files in `trees/`: roles, labels, states, and the order of
//! focus. `COUNTERSIGN_UPDATE_TREES=1` writes them anew; read the difference before it is committed.
//!
//! A line is `role "label" [place in the order of focus] states`; what lies within is indented. Beside that each page is
//! held to rules: every control has a label of its own, is reached by Tab, and is large enough for a finger.

mod element;
mod pages;

use std::{fmt::Write as _, path::PathBuf};

use i_slint_core::{
    accessibility::nearest_accessible_item, item_tree::ParentItemTraversalMode, items::ItemRc, window::WindowInner,
};
use slint::{
    ComponentHandle as _,
    platform::{Key, WindowEvent},
};

use super::Stage;
use element::Element;
use pages::{PAGES, Place};

/// Taller than any page, so that nothing is scrolled away.
const HEIGHT: u32 = 2_600;
const NARROW: u32 = 390;
const WIDE: u32 = 1_230;
/// The smallest that a finger hits, in logical pixels (WCAG 2.2, success criterion 2.5.5).
const TARGET: f32 = 44.0;
const UPDATE: &str = "COUNTERSIGN_UPDATE_TREES";

#[test]
fn every_page_is_as_it_was_told_last() {
    let mut wrong = String::new();
    for place in PAGES {
        let told = place.look(NARROW, |tree| tree.told());
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/window/trees/{}.txt", place.name));
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if kept != told {
            write!(wrong, "{}:\n{}", path.display(), difference(&kept, &told)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nWhere that is meant: {UPDATE}=1 cargo nextest run -p countersign trees");
}

#[test]
fn no_page_has_a_control_that_somebody_cannot_use() {
    let mut faults = Vec::new();
    for place in PAGES {
        for width in [NARROW, WIDE] {
            let found = place.look(width, |tree| tree.faults());
            faults.extend(found.into_iter().map(|fault| format!("{}, {width} wide: {fault}", place.name)));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_keys_lock_from_every_page_also_after_the_focus_fell_to_nothing() {
    let mut deaf = Vec::new();
    for place in PAGES {
        for width in [NARROW, WIDE] {
            let locks = place.at(width, |stage| {
                let open = stage.parts.door.is_open();
                stage.lose_focus();
                stage.settle();
                !open || stage.locks_by_key()
            });
            if !locks {
                deaf.push(format!("{}, {width} wide", place.name));
            }
        }
    }
    assert!(deaf.is_empty(), "{deaf:?}");
}

/// The elements of a page that a screen reader knows, in their order, and which of them Tab stops at.
struct Tree<'a> {
    place: &'a Place,
    elements: Vec<Element>,
    /// The stops, each as its place in `elements`.
    stops: Vec<Option<usize>>,
    /// Stops that are none of the elements: outside of what lies over the page, or unknown to a screen reader.
    strange: Vec<String>,
    /// What is another path in each run.
    folder: String,
}

impl<'a> Tree<'a> {
    fn of(stage: &Stage, place: &'a Place) -> Self {
        let inner = WindowInner::from_pub(stage.window.window());
        let root = ItemRc::new_root(inner.component());
        let mut elements = Vec::new();
        Element::collect(&root, 0, &mut elements);
        for popup in inner.active_popups().iter() {
            Element::collect(&ItemRc::new_root(popup.component.clone()), 1, &mut elements);
        }
        if !place.within.is_empty() {
            elements = within(elements, place.within);
        }
        let mut seen: Vec<ItemRc> = Vec::new();
        let (mut stops, mut strange) = (Vec::new(), Vec::new());
        // More than any page has, should the focus never come round. The first stop is where the page put it.
        for _ in 0..200 {
            let focused = inner.focus_item.borrow().upgrade();
            if let Some(item) = focused.filter(|item| !is_the_windows(item)) {
                if seen.contains(&item) {
                    break;
                }
                let told = nearest_accessible_item(item.clone());
                let stop = elements.iter().position(|element| element.item == told);
                if stop.is_none() {
                    strange.push(element::describe(&told));
                }
                stops.push(stop);
                seen.push(item);
            }
            for event in
                [WindowEvent::KeyPressed { text: Key::Tab.into() }, WindowEvent::KeyReleased { text: Key::Tab.into() }]
            {
                stage.window.window().dispatch_event(event);
            }
            stage.settle();
        }
        Self { place, elements, stops, strange, folder: stage.folder.path().display().to_string() }
    }

    fn told(&self) -> String {
        let mut text = String::new();
        for (at, element) in self.elements.iter().enumerate() {
            let order: Vec<String> = self
                .stops
                .iter()
                .zip(1..)
                .filter(|(stop, _)| **stop == Some(at))
                .map(|(_, n)| format!(" [{n}]"))
                .collect();
            writeln!(text, "{}{}{}{}", "  ".repeat(element.depth), element.name(), order.concat(), element.states())
                .unwrap();
        }
        // West of Greenwich it is a day earlier.
        let text = text.replace(&self.folder, "FOLDER").replace("17 Mar 2005", "18 Mar 2005");
        without_time(&text)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> =
            self.strange.iter().map(|stop| format!("Tab stops at {stop}, of which nothing is told")).collect();
        let controls: Vec<(usize, &Element)> =
            self.elements.iter().enumerate().filter(|(_, element)| element.is_control()).collect();
        for &(at, element) in &controls {
            let name = element.name();
            if element.label.is_empty() {
                faults.push(format!("{name} has no label"));
            } else if controls
                .iter()
                .any(|&(other, e)| other < at && e.role == element.role && e.label == element.label)
                && !self.place.twice.contains(&element.label.as_str())
            {
                faults.push(format!("{name} is there twice"));
            }
            if element.is_pressed() && element.enabled && !self.is_reached(at) {
                faults.push(format!("{name} cannot be reached by Tab"));
            }
            let (width, height) = element.target();
            // Half a pixel, for layouts that divide.
            if element.enabled && width.min(height) + 0.5 < TARGET {
                faults.push(format!("{name} is {width} x {height}, too small for a finger"));
            }
        }
        faults
    }

    /// The elements that one is in, from the inside out.
    fn around(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let outer = move |at: &usize| {
            let depth = self.elements[*at].depth;
            self.elements[..*at].iter().rposition(|element| element.depth < depth)
        };
        std::iter::successors(outer(&at), outer)
    }

    /// By Tab itself, or by arrows within a list that Tab reaches.
    fn is_reached(&self, at: usize) -> bool {
        let stops = |at: usize| self.stops.contains(&Some(at));
        let list = || self.elements[at].is_in_a_list() && self.around(at).any(stops);
        // A row's menu has what is in the row.
        let row =
            || self.around(at).next().is_some_and(|row| self.elements[row].is_in_a_list() && self.is_reached(row));
        stops(at) || list() || row()
    }
}

/// Moments of the clock are written in this place's time, which is another one elsewhere, and a recovery key is random.
fn without_time(text: &str) -> String {
    let changes = |word: &str| {
        let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let is_key = word.len() >= 19 && word.split('-').count() == 4 && word.chars().all(|c| !c.is_lowercase());
        is_key || shape.starts_with("0000-00-00") || shape.starts_with("00:00")
    };
    let words = text.split_inclusive(|c: char| c.is_whitespace());
    let plain = |word: &str| word.replace(|c: char| c.is_ascii_alphanumeric(), "0");
    words.map(|word| if changes(word.trim_matches(['"', '\n'])) { plain(word) } else { word.to_owned() }).collect()
}

/// The window's own scope, which takes keys while nothing else has the focus.
fn is_the_windows(item: &ItemRc) -> bool {
    let parent = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    parent
        .is_some_and(|parent| parent.is_root() && parent.parent_item(ParentItemTraversalMode::FindAllParents).is_none())
}

/// The element of that label and what is in it.
fn within(elements: Vec<Element>, label: &str) -> Vec<Element> {
    let from = elements.iter().position(|element| element.label == label);
    let Some(from) = from else { panic!("nothing is labelled {label:?}") };
    let depth = elements[from].depth;
    let inside = |(at, element): &(usize, Element)| *at == 0 || element.depth > depth;
    elements.into_iter().skip(from).enumerate().take_while(inside).map(|(_, element)| element).collect()
}

/// The lines that are only in one of the two, in their order.
fn difference(kept: &str, told: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), told.lines().collect());
    // The longest common part, by the usual table.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for (i, j) in (0..old.len()).rev().flat_map(|i| (0..new.len()).rev().map(move |j| (i, j))) {
        common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            writeln!(text, "- {}", old[i]).unwrap();
            i += 1;
        } else {
            writeln!(text, "+ {}", new[j]).unwrap();
            j += 1;
        }
    }
    text
}

#[test]
fn a_difference_shows_what_went_and_what_came() {
    assert_eq!(difference("a\nb\nc\n", "a\nx\nc\nd\n"), "- b\n+ x\n+ d\n");
    assert_eq!(difference("a\n", "a\n"), "");
}
