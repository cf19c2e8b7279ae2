//! The composition root of the window: the only place that knows everything.

use std::path::PathBuf;

/// What the window opens.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    /// The vault's file. Where there is none, the window offers to make it.
    pub vault: PathBuf,
    /// Sample tokens in a temporary vault, opened at once; `vault` is not touched.
    pub demo: bool,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// No screen to open a window on: no X server or Wayland compositor answers.
    #[error("there is no display to open a window on: {0}")]
    NoDisplay(String),
    /// The toolkit failed later.
    #[error("the window failed: {0}")]
    Toolkit(#[from] slint::PlatformError),
    /// The vault of sample tokens could not be made.
    #[error("the sample vault could not be made: {0}")]
    Demo(String),
}

/// Opens the window and returns when it is closed.
pub fn run_window(options: WindowOptions) -> Result<(), WindowError> {
    use slint::ComponentHandle as _;

    let _ = options;
    let window = countersign_ui::AppWindow::new().map_err(|error| WindowError::NoDisplay(error.to_string()))?;
    window.run()?;
    Ok(())
}
