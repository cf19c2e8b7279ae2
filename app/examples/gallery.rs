//! Draws every page into a folder, light and dark, narrow and wide: `cargo run --example gallery -- FOLDER`.
//!
//! The pages are the real ones over a real vault; only the clock stands still, so that pictures of two versions can be
//! compared.

use std::{error::Error, path::Path, rc::Rc, sync::Arc};

use countersign::{
    bind::{self, Parts},
    controllers::Services,
    demo,
    platform::fake::{FakeClipboard, FakeClock, FakePicker},
    tasks::Tasks,
};
use countersign_core::{
    token::TokenId,
    vault::{
        KdfParams,
        content::{Change, NoSuchToken},
    },
};
use countersign_ui::{AddAdapter, AppWindow, NavigationAdapter, Page, Palette, TokensAdapter, UnlockAdapter};
use i_slint_backend_testing::{TestingBackend, TestingBackendOptions};
use slint::{ComponentHandle as _, Model as _, language::ColorScheme};

const NARROW: (u32, u32) = (390, 844);
const WIDE: (u32, u32) = (1230, 844);
/// Seven seconds into a step of 30, so that the ten seconds of mOTP are nearly over.
const NOW: u64 = 1_795_370_527;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: gallery FOLDER")?;
    std::fs::create_dir_all(&folder)?;
    slint::platform::set_platform(Box::new(TestingBackend::new(TestingBackendOptions {
        mock_time: true,
        renderer_name: Some("software".into()),
        ..TestingBackendOptions::default()
    })))?;
    for (size, layout) in [(NARROW, "narrow"), (WIDE, "wide")] {
        for (scheme, name) in [(ColorScheme::Light, "light"), (ColorScheme::Dark, "dark")] {
            draw_all(Path::new(&folder), size, layout, scheme, name)?;
        }
    }
    Ok(())
}

fn draw_all(
    folder: &Path,
    size: (u32, u32),
    layout: &str,
    scheme: ColorScheme,
    name: &str,
) -> Result<(), Box<dyn Error>> {
    let vault = tempfile::tempdir()?;
    let path = vault.path().join("vault.countersign");
    let tasks = Tasks::waiting();
    let services = Rc::new(Services {
        clock: Rc::new(FakeClock::new(NOW)),
        random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
        clipboard: Rc::new(FakeClipboard::default()),
        picker: Arc::new(FakePicker::default()),
        tasks: tasks.clone(),
        kdf: KdfParams::new(8 * 1024, 1, 1)?,
    });
    let window = AppWindow::new()?;
    window.global::<Palette<'_>>().set_color_scheme(scheme);
    window.window().set_size(slint::PhysicalSize::new(size.0, size.1));
    window.show()?;
    let parts = Parts::new(services.clone(), path.clone());
    bind::connect(&window, &parts);
    window.global::<UnlockAdapter<'_>>().set_vault_path("~/.local/share/countersign/vault.countersign".into());
    let shot = |page: &str| shoot(&window, &folder.join(format!("{page}-{layout}-{name}.png")));

    let unlock = window.global::<UnlockAdapter<'_>>();
    unlock.set_password("correct horse battery".into());
    unlock.set_again("correct horse battery".into());
    unlock.invoke_typed();
    shot("create")?;
    unlock.invoke_create();
    tasks.run_waiting();
    shot("empty")?;

    let samples = demo::samples()?;
    parts.door.edit(&services, |content| {
        for (at, spec) in samples.into_iter().enumerate() {
            let id = content.add(TokenId::from_random([at as u8 + 1; 16]), spec, NOW - 86_400 * 20);
            if at == 0 {
                content.change(id, Change { favourite: Some(true), ..Change::default() }, NOW)?;
            }
        }
        Ok::<_, NoSuchToken>(())
    })?;
    bind::show_open(&window, &parts);
    shot("tokens")?;
    let tokens = window.global::<TokensAdapter<'_>>();
    let navigation = window.global::<NavigationAdapter<'_>>();
    tokens.invoke_activate(tokens.get_rows().row_data(1).unwrap_or_default().id);
    shot("copied")?;
    navigation.set_notice(countersign_ui::Notice::None);
    navigation.set_page(Page::Detail);
    shot("detail")?;
    navigation.set_page(Page::Tokens);
    navigation.invoke_add();
    shot("add")?;

    navigation.invoke_add_from_picture();
    shot("picture")?;
    navigation.invoke_add_by_hand();
    let add = window.global::<AddAdapter<'_>>();
    add.set_issuer("Example".into());
    add.set_account("me@example.org".into());
    add.set_secret("JBSW Y3DP EHP1 K3PX".into());
    add.invoke_form_edited();
    shot("manual")?;
    add.set_advanced(true);
    shot("manual-advanced")?;
    add.set_secret("JBSW Y3DP EHPK 3PXP".into());
    add.invoke_form_edited();
    add.invoke_preview();
    shot("found")?;

    navigation.invoke_lock();
    unlock.set_password("wrong password".into());
    shot("unlock")?;
    unlock.invoke_unlock();
    shot("unlocking")?;
    tasks.run_waiting();
    shot("wrong-password")?;
    window.hide()?;
    Ok(())
}

fn shoot(window: &AppWindow, path: &Path) -> Result<(), Box<dyn Error>> {
    // Time for what moves to arrive.
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(400));
    let picture = window.window().take_snapshot()?;
    let pixels: Vec<u8> = picture.as_slice().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    image::save_buffer(path, &pixels, picture.width(), picture.height(), image::ColorType::Rgb8)?;
    Ok(())
}
