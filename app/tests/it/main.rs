//! The program through its command line and its window.
mod window;
