//! The page that an enrollment link opens.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use countersign_core::secret::SecretText;
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{MessagePage, language, own_form, page as answer};
use crate::{
    domain::{
        links::{LinkError, Opened, Shown, app_address},
        texts::Language,
    },
    http::{App, api::server::address},
    store::StoreError,
};

/// Light modules that ISO/IEC 18004 asks for on every side.
const QUIET: usize = 4;
/// The shortest side of a code on the page, in CSS pixels.
const PIXELS: usize = 315;

#[derive(Template)]
#[template(path = "enroll.html")]
struct EnrollPage<'a> {
    language: Language,
    root: &'static str,
    host: &'a str,
    link: &'a str,
    app_address: SecretText,
    qr: String,
    note: String,
    opened: &'a Opened,
}

#[derive(Template)]
#[template(path = "secret.html")]
struct SecretPage<'a> {
    language: Language,
    root: &'static str,
    host: &'a str,
    link: &'a str,
    qr: String,
    shown: &'a Shown,
    groups: String,
    spec: String,
    wrong: bool,
}

/// A first code.
#[derive(Deserialize)]
pub(super) struct FirstCode {
    code: String,
}

/// What every handler begins with.
struct Visit {
    language: Language,
    server: String,
    /// The way from the page's address to the server's.
    root: &'static str,
}

impl Visit {
    async fn new(app: &App, headers: &HeaderMap, root: &'static str) -> Result<Self, Response> {
        let language = language(headers);
        match app.snapshot.get(&app.store).await {
            Ok(snapshot) => Ok(Self { language, server: address(app, &snapshot.settings, headers), root }),
            Err(error) => Err(Self { language, server: String::new(), root }.failed(LinkError::Store(error))),
        }
    }

    /// The server's name, as people know it.
    fn host(&self) -> &str {
        self.server.split_once("://").map_or(self.server.as_str(), |(_, host)| host)
    }

    fn message(&self, status: StatusCode, title: &'static str, text: &'static str) -> Response {
        let page = MessagePage { language: self.language, root: self.root, host: self.host(), title, text };
        answer(status, self.language, &page)
    }

    fn failed(&self, error: LinkError) -> Response {
        let words = self.language;
        match error {
            LinkError::Store(error) => {
                tracing::warn!(%error, "a page cannot be answered");
                let status = match error {
                    StoreError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                self.message(status, words.not_now(), words.not_now_text())
            }
            // One page, whatever the reason.
            _ => self.message(StatusCode::GONE, words.over(), words.over_text()),
        }
    }

    fn secret(&self, link: &str, shown: &Shown, wrong: bool) -> Response {
        let columns = &shown.columns;
        let page = SecretPage {
            language: self.language,
            root: self.root,
            host: self.host(),
            link,
            qr: qr(shown.uri.expose(), self.language.qr_label()),
            groups: grouped(shown.secret.expose()),
            spec: self.language.spec(&columns.algorithm, columns.digits, columns.period),
            shown,
            wrong,
        };
        answer(if wrong { StatusCode::FORBIDDEN } else { StatusCode::OK }, self.language, &page)
    }
}

/// The page. Looking changes nothing.
pub(super) async fn page(State(app): State<App>, Path(link): Path<String>, headers: HeaderMap) -> Response {
    let visit = match Visit::new(&app, &headers, "..").await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let link = Zeroizing::new(link);
    let opened = match app.desk.open_link(&link, app.clock.now()).await {
        Ok(opened) => opened,
        Err(error) => return visit.failed(error),
    };
    let address = app_address(&visit.server, &link);
    let page = EnrollPage {
        language: visit.language,
        root: visit.root,
        host: visit.host(),
        link: &link,
        qr: qr(address.expose(), visit.language.qr_label()),
        app_address: address,
        note: visit.language.link_is(&opened.user, opened.expires_at),
        opened: &opened,
    };
    answer(StatusCode::OK, visit.language, &page)
}

/// The secret for another authenticator. A form, because what opens links by itself sends none.
pub(super) async fn secret(State(app): State<App>, Path(link): Path<String>, headers: HeaderMap) -> Response {
    let visit = match Visit::new(&app, &headers, "../..").await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if !own_form(&headers, &visit.server) {
        return visit.message(StatusCode::FORBIDDEN, visit.language.refused(), visit.language.refused_text());
    }
    let link = Zeroizing::new(link);
    match app.desk.show_secret(&link, app.clock.now()).await {
        Ok(shown) => visit.secret(&link, &shown, false),
        Err(error) => visit.failed(error),
    }
}

/// A first code of it.
pub(super) async fn confirm(
    State(app): State<App>,
    Path(link): Path<String>,
    headers: HeaderMap,
    form: Result<Form<FirstCode>, FormRejection>,
) -> Response {
    let visit = match Visit::new(&app, &headers, "../..").await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let words = visit.language;
    if !own_form(&headers, &visit.server) {
        return visit.message(StatusCode::FORBIDDEN, words.refused(), words.refused_text());
    }
    let Ok(Form(form)) = form else {
        return visit.message(StatusCode::BAD_REQUEST, words.refused(), words.refused_text());
    };
    let (link, code) = (Zeroizing::new(link), Zeroizing::new(form.code));
    match app.desk.confirm_link(&link, &code, app.clock.now()).await {
        Ok(()) => visit.message(StatusCode::OK, words.works(), words.works_text()),
        Err(LinkError::Code) => match app.desk.show_secret(&link, app.clock.now()).await {
            Ok(shown) => visit.secret(&link, &shown, true),
            Err(error) => visit.failed(error),
        },
        Err(error) => visit.failed(error),
    }
}

/// A secret in groups of four, as people read it.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A QR code as an SVG element. `label` is our own word; nothing of `text` stands in it but its modules.
fn qr(text: &str, label: &str) -> String {
    // On a screen nothing is torn or dirty: fewer, larger modules serve better than more correction.
    let code = QrCode::with_error_correction_level(text, EcLevel::L);
    let Ok(code) = code else { return String::new() };
    let size = code.width();
    let colors = code.into_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(size).enumerate() {
        let mut x = 0;
        while x < size {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET));
            }
            x += run.max(1);
        }
    }
    let side = size + 2 * QUIET;
    // Whole pixels a module.
    let pixels = side * PIXELS.div_ceil(side);
    format!(
        "<svg class=\"qr\" width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}
