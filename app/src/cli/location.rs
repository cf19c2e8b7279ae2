//! Where the vault is when nobody says.

use std::path::PathBuf;

use etcetera::{AppStrategy as _, AppStrategyArgs};

use super::failure::Failure;

/// `vault.json` in the system's folder for program data: `~/.local/share/countersign` on Linux,
/// `~/Library/Application Support/org.countersign.Countersign` on macOS, `%APPDATA%\countersign\Countersign\data` on
/// Windows.
pub(crate) fn default_vault() -> Result<PathBuf, Failure> {
    let args = AppStrategyArgs {
        top_level_domain: "org".into(),
        author: "countersign".into(),
        app_name: "Countersign".into(),
    };
    etcetera::app_strategy::choose_native_strategy(args)
        .map(|strategy| strategy.data_dir().join("vault.json"))
        .map_err(|_| Failure::failed("There is no home folder to keep a vault in.").hint("Name its file with --vault."))
}
