//! Adding.

use std::time::Duration;

use countersign::platform::{
    camera::{CameraDevice, CameraError, PixelFormat, RawFrame},
    fake::CameraStep,
};
use countersign_core::{qr::Matrix, uri::migration};
use countersign_ui::{AddAdapter, CameraProblem, Page};
use slint::ComponentHandle as _;

use super::{Outcome, Stage};

const LINK: &str = "otpauth://totp/GitHub:dev@example.org?secret=JBSWY3DPEHPK3PXP&issuer=GitHub";

pub(crate) fn draw(stage: &Stage) -> Outcome {
    let navigation = stage.navigation();
    navigation.invoke_add();
    stage.shot("add")?;
    camera(stage)?;
    navigation.invoke_add_from_clipboard();
    stage.shot("clipboard-problem")?;
    navigation.invoke_add_from_picture();
    stage.shot("picture")?;
    let add = stage.window.global::<AddAdapter<'_>>();
    add.set_path("/nowhere/qr.png".into());
    add.invoke_read_path();
    stage.tasks.run_waiting();
    stage.shot("picture-problem")?;
    navigation.invoke_add_by_hand();
    add.set_issuer("Example".into());
    add.set_account("me@example.org".into());
    add.set_secret("JBSW Y3DP EHP1 K3PX".into());
    add.invoke_form_edited();
    stage.shot("manual")?;
    add.set_secret("JBSW Y3DP EHPK 3PXP".into());
    add.invoke_form_edited();
    add.set_advanced(true);
    stage.shot("manual-advanced")?;
    found(stage)
}

fn camera(stage: &Stage) -> Outcome {
    let add = stage.window.global::<AddAdapter<'_>>();
    stage.camera.set_devices(
        ["Integrated Camera", "Document camera"]
            .iter()
            .enumerate()
            .map(|(at, name)| CameraDevice { id: at.to_string(), name: (*name).to_owned() })
            .collect(),
    );
    // Mostly outside, so that it is seen and not read.
    stage.camera.play([CameraStep::Frame(scene(LINK, 640 + 30)?)]);
    stage.navigation().invoke_add_from_camera();
    until(stage, |stage| stage.window.global::<AddAdapter<'_>>().get_camera_picture().size().width > 100)?;
    stage.shot("camera")?;
    // Beside the middle, so that the outline is seen to be where the code is.
    stage.camera.play([CameraStep::Frame(scene(LINK, 290)?)]);
    // No time goes by, because the page goes on in a moment.
    while !add.get_camera_found() {
        add.invoke_camera_news();
        std::thread::sleep(Duration::from_millis(10));
    }
    stage.shot_after("camera-found", Duration::from_millis(200))?;
    stage.go(Page::Tokens);
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(100));
    // What comes next is for the camera that is opened then.
    while !stage.camera.open_now().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    stage.navigation().invoke_add_from_camera();
    let specs: Vec<_> = ["Alder", "Birch", "Cedar", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Kapok", "Larch"]
        .iter()
        .map(|name| {
            countersign_core::uri::parse(&format!("otpauth://totp/{name}?secret=GEZDGNBVGY3TQOJQ&issuer={name}"))
        })
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|parsed| parsed.spec)
        .collect();
    let export = migration::write(&specs, 7);
    let part = export.parts.last().ok_or("an export has a part")?;
    stage.camera.play([CameraStep::Frame(scene(part.expose(), 320)?)]);
    until(stage, |stage| stage.window.global::<AddAdapter<'_>>().get_parts_have() == 1)?;
    stage.shot("camera-parts")?;
    stage.camera.play([CameraStep::Fail(CameraError::Gone)]);
    let problem =
        |problem| move |stage: &Stage| stage.window.global::<AddAdapter<'_>>().get_camera_problem() == problem;
    until(stage, problem(CameraProblem::Gone))?;
    stage.shot("camera-gone")?;
    for (error, is, name) in [
        (CameraError::Denied, CameraProblem::Denied, "camera-denied"),
        (CameraError::Busy, CameraProblem::Busy, "camera-busy"),
        (CameraError::NoCamera, CameraProblem::NoCamera, "camera-none"),
    ] {
        stage.camera.refuse(Some(error));
        add.invoke_camera_again();
        until(stage, problem(is))?;
        stage.shot(name)?;
    }
    stage.navigation().invoke_back();
    Ok(())
}

fn found(stage: &Stage) -> Outcome {
    let navigation = stage.navigation();
    stage.go(Page::Tokens);
    *stage.clipboard.content.borrow_mut() = Some(LINK.to_owned());
    navigation.invoke_add_from_clipboard();
    let add = stage.window.global::<AddAdapter<'_>>();
    for (name, chosen) in [("Home", false), ("Work", true)] {
        add.set_new_group(name.into());
        add.invoke_add_group();
        if !chosen {
            add.invoke_toggle_group(0);
        }
    }
    stage.shot("found")?;
    stage.go(Page::Tokens);
    let mut text = String::new();
    for token in stage.parts.tokens.content().ok_or("the vault is open")?.tokens().iter().take(2) {
        text.push_str(countersign_core::uri::write(&token.spec).expose());
        text.push('\n');
    }
    for name in ["Alder", "Birch", "Cedar", "Elm", "Fir", "Gorse"] {
        text.push_str(&format!("otpauth://totp/{name}:ada@example.org?secret=GEZDGNBVGY3TQOJQ{name}&issuer={name}\n"));
    }
    text.push_str("otpauth://totp/Fir:work?secret=GEZDGNBVGY3TQOJQFir&issuer=Fir\n");
    text.push_str("otpauth://hotp/VPN:ada?secret=GEZDGNBVGY3TQOJQVPN&issuer=VPN&counter=14\notpauth://totp/none");
    *stage.clipboard.content.borrow_mut() = Some(text);
    navigation.invoke_add_from_clipboard();
    stage.shot("found-many")?;
    Ok(())
}

/// Lets the camera's news in, as the event loop would.
fn until(stage: &Stage, so: impl Fn(&Stage) -> bool) -> Outcome {
    for _ in 0..6_000 {
        i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(20));
        stage.window.global::<AddAdapter<'_>>().invoke_camera_news();
        if so(stage) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err("the camera did not do what its script says".into())
}

/// A screen with a code on it, as a camera sees it.
fn scene(text: &str, left: usize) -> Result<RawFrame, Box<dyn std::error::Error>> {
    const WIDTH: usize = 640;
    const HEIGHT: usize = 480;
    let code = Matrix::new(text)?;
    let module = (200 / code.size()).max(2);
    let side = code.size() * module;
    let (left, top) = (left.saturating_sub(side / 2), (HEIGHT - side) / 2);
    let mut bytes = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let margin = 4 * module;
            let on_paper =
                x + margin >= left && x < left + side + margin && y + margin >= top && y < top + side + margin;
            let in_code = x >= left && y >= top && x < left + side && y < top + side;
            bytes.extend(if in_code && code.is_dark((x - left) / module, (y - top) / module) {
                [28, 30, 34]
            } else if on_paper {
                [226, 228, 224]
            } else {
                let light = 150 - (x * 70 / WIDTH) - (y * 60 / HEIGHT);
                [(light * 8 / 10) as u8, (light * 9 / 10) as u8, light as u8]
            });
        }
    }
    Ok(RawFrame::new(WIDTH as u32, HEIGHT as u32, PixelFormat::Rgb, bytes))
}
