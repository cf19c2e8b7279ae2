//! Compiles the pages.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Tests find elements by their names, which only unoptimised builds carry.
    let debug_info = std::env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles)
        .with_debug_info(debug_info);
    slint_build::compile_with_config("app_window.slint", config)?;
    Ok(())
}
