//! The pages of Countersign in Slint. No logic: pages show what their adapters hold.

slint::include_modules!();
