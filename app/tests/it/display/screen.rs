//! Codes that the screen shows.

use countersign_core::qr::{Luma, Matrix};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, CreateGCAux, CreateWindowAux, ImageFormat, WindowClass},
    rust_connection::RustConnection,
};

use super::*;

/// Shows a picture at a place of the screen, for as long as the connection lives.
fn show(display: &Display, picture: &Luma, left: i16, top: i16) -> RustConnection {
    let (connection, number) = RustConnection::connect(Some(&display.name)).unwrap();
    let screen = connection.setup().roots[number].clone();
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    let (window, context) = (connection.generate_id().unwrap(), connection.generate_id().unwrap());
    let look = CreateWindowAux::new().override_redirect(1).background_pixel(screen.white_pixel);
    connection
        .create_window(0, window, screen.root, left, top, width, height, 0, WindowClass::INPUT_OUTPUT, 0, &look)
        .unwrap();
    connection.map_window(window).unwrap();
    connection.create_gc(context, window, &CreateGCAux::new()).unwrap();
    for (y, row) in picture.pixels().chunks_exact(width.into()).enumerate() {
        let data: Vec<u8> = row.iter().flat_map(|&shade| [shade, shade, shade, 0]).collect();
        connection
            .put_image(ImageFormat::Z_PIXMAP, window, context, width, 1, 0, y as i16, 0, screen.root_depth, &data)
            .unwrap();
    }
    // A reply says that everything before was done.
    connection.get_input_focus().unwrap().reply().unwrap();
    connection
}

#[test]
fn what_the_screen_shows_is_added() {
    let Some(display) = Display::start() else { return };
    fill(&display.vault(), 1, KdfParams::new(64, 1, 1).unwrap());
    let password = display.home.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = display.command(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--password-file").arg(&password).args(arguments).stderr(Stdio::piped());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, error) = run(&["add", "--screen"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("the screen: no QR code was found"), "{error}");

    let link = |issuer: &str| format!("otpauth://totp/{issuer}:ada?secret=JBSWY3DPEHPK3PXP&issuer={issuer}");
    let picture = |text: &str| Luma::from_file_bytes(&Matrix::new(text).unwrap().to_png(160)).unwrap();
    let _first = show(&display, &picture(&link("Birch")), 700, 500);
    let _second = show(&display, &picture(&link("Cedar")), 60, 40);
    let (code, _, error) = run(&["add", "--screen"]);
    assert_eq!(code, Some(0), "{error}");
    let (_, list, _) = run(&["list"]);
    assert!(list.contains("Birch") && list.contains("Cedar"), "{list}");
}
