//! Compiles the pages and their translations.

mod mirrored;

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    // Tests find elements by their names, which only unoptimised builds carry.
    let debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles)
        // One text, one translation, wherever it stands.
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        .with_bundled_translations(languages(debug)?)
        .with_debug_info(debug);
    slint_build::compile_with_config("app_window.slint", config)?;
    Ok(())
}

/// The folder of catalogues, and in unoptimised builds one more language: [`mirrored`], for tests.
fn languages(debug: bool) -> Result<String, Box<dyn Error>> {
    let to = Path::new(&env::var("OUT_DIR")?).join("lang");
    let _ = fs::remove_dir_all(&to);
    println!("cargo:rerun-if-changed=lang");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=mirrored.rs");
    for language in fs::read_dir("lang")? {
        let file = language?.path().join("LC_MESSAGES/countersign-ui.po");
        let text = fs::read_to_string(&file)?;
        let name = file.components().rev().nth(2).ok_or("a language has a folder")?;
        if debug && name.as_os_str() == "de" {
            write(&to.join("qps"), &mirrored::catalogue(&text))?;
        }
        write(&to.join(name), &text)?;
    }
    fs::File::open(&to)?.set_modified(std::time::UNIX_EPOCH)?;
    Ok(to.display().to_string())
}

fn write(language: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let folder = language.join("LC_MESSAGES");
    fs::create_dir_all(&folder)?;
    let file = folder.join("countersign-ui.po");
    fs::write(&file, text)?;
    // The compiler names these as what the build hangs on: as old as can be, they do not ask for the next build.
    for path in [&file, &folder, language] {
        fs::File::open(path)?.set_modified(std::time::UNIX_EPOCH)?;
    }
    Ok(())
}
