//! How each page is reached.

use countersign_ui::{
    AccountAdapter, CameraProblem, MoveOutAdapter, NavigationAdapter, Page, RegisterStep, ServerFacts, ServerRow,
    SignInStep, SignInToken, TokenChoice, TokenStanding, TransferAdapter, TransferStep,
};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::{
    super::{PASSWORD, Picked, RFC_SECRET, Stage, moving::one_of_each},
    HEIGHT, Tree,
};

/// One page in one state.
pub(super) struct Place {
    /// The name of its golden file.
    pub(super) name: &'static str,
    /// What lies over the page, by its label, where that is all that can be operated.
    pub(super) within: &'static str,
    /// Labels that may be there twice, because both do the same.
    pub(super) twice: &'static [&'static str],
    reach: fn() -> Stage,
}

impl Place {
    const fn new(name: &'static str, reach: fn() -> Stage) -> Self {
        Self { name, within: "", twice: &[], reach }
    }

    /// Looks at the page in a window of that width. On a thread of its own, because a thread has one platform.
    pub(super) fn look<T: Send>(&self, width: u32, look: impl FnOnce(&Tree<'_>) -> T + Send) -> T {
        self.at(width, |stage| look(&Tree::of(stage, self)))
    }

    /// Does something there.
    pub(super) fn at<T: Send>(&self, width: u32, act: impl FnOnce(&Stage) -> T + Send) -> T {
        let run = || {
            let stage = (self.reach)();
            stage.window.window().set_size(slint::PhysicalSize::new(width, HEIGHT));
            stage.settle();
            act(&stage)
        };
        std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| panic!("{} is not reached", self.name))
    }
}

/// With one token, on that page.
fn on(page: Page) -> Stage {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.go(page);
    stage.work();
    stage
}

/// On the page of an empty vault.
fn empty(page: Page) -> Stage {
    let stage = Stage::opened();
    stage.go(page);
    stage.work();
    stage
}

/// One token's page.
fn detail() -> Stage {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Details of Example");
    stage
}

fn from_detail(label: &str) -> Stage {
    let stage = detail();
    stage.press("More");
    stage.press(label);
    stage
}

/// A server's page with these facts.
fn server(row: ServerRow) -> Stage {
    let stage = empty(Page::Account);
    let adapter = stage.window.global::<AccountAdapter<'_>>();
    adapter.set_server(row);
    adapter.set_facts(ServerFacts { until: "tomorrow".into(), encrypted: true, ..ServerFacts::default() });
    stage.go(Page::Server);
    stage.window.global::<AccountAdapter<'_>>().set_busy(false);
    stage
}

fn pam() -> ServerRow {
    ServerRow {
        address: "https://pam.example.org".into(),
        place: "pam.example.org".into(),
        name: "Corp PAM".into(),
        user: "operator".into(),
        standing: TokenStanding::Here,
        ..ServerRow::default()
    }
}

fn registering(step: RegisterStep) -> Stage {
    let stage = server(pam());
    stage.go(Page::Register);
    let adapter = stage.window.global::<AccountAdapter<'_>>();
    adapter.set_replaces("Phone (2024)".into());
    adapter.set_first_code("492 871".into());
    adapter.set_register_step(step);
    stage.settle();
    stage
}

fn signing_in(step: SignInStep) -> Stage {
    let stage = server(pam());
    stage.go(Page::SignIn);
    let adapter = stage.window.global::<AccountAdapter<'_>>();
    let choice = |id: &str, account: &str| TokenChoice {
        id: id.into(),
        issuer: "Corp PAM".into(),
        account: account.into(),
        ..TokenChoice::default()
    };
    adapter.set_choices(ModelRc::new(VecModel::from(vec![choice("1", "operator"), choice("2", "root")])));
    adapter.set_token(SignInToken {
        issuer: "Corp PAM".into(),
        account: "operator".into(),
        code: "492 871".into(),
        until: 20,
        period: 30,
        fresh: true,
        ..SignInToken::default()
    });
    adapter.set_sign_in_step(step);
    stage.settle();
    stage
}

const KEEPASS: &[u8] = include_bytes!("../../../../../core/testdata/import/keepass.kdbx");

/// On the page of importing, with that file.
fn moving_in(file: &[u8]) -> Stage {
    let stage = empty(Page::MoveIn);
    let path = stage.folder.path().join("file");
    std::fs::write(&path, file).unwrap();
    stage.picker.answer(Picked::File(path));
    stage.press("Choose a file");
    stage.work();
    stage.work();
    stage
}

/// With an entry that could not be read.
fn kept() -> Stage {
    let stage = moving_in(one_of_each().as_bytes());
    stage.press("Add 4 tokens");
    stage.go(Page::Kept);
    stage
}

/// On the page of exporting, with that format reviewed.
fn moving_out(format: &str) -> Stage {
    let stage = on(Page::MoveOut);
    let at = countersign_core::export::FORMATS.iter().position(|known| known.id == format).unwrap();
    let format = i32::try_from(at).unwrap();
    stage.window.global::<MoveOutAdapter<'_>>().invoke_choose_format(format);
    stage.press("Continue with 1 token");
    stage
}

pub(super) const PAGES: &[Place] = &[
    Place::new("welcome", Stage::new),
    Place::new("create", || {
        let stage = Stage::new();
        stage.press("Create a vault");
        stage
    }),
    Place::new("unlock", || {
        let stage = Stage::opened();
        stage.press("Lock");
        stage
    }),
    Place::new("tokens", || on(Page::Tokens)),
    Place::new("tokens-empty", || empty(Page::Tokens)),
    Place::new("detail", detail),
    Place::new("edit", || {
        let stage = detail();
        stage.press("Edit token");
        stage
    }),
    Place::new("history", || from_detail("History")),
    Place::new("token-qr", || from_detail("Show QR code")),
    Place::new("trash", || on(Page::Trash)),
    Place::new("groups", || on(Page::Groups)),
    Place {
        within: "Add a token",
        ..Place::new("add-sheet", || {
            let stage = Stage::opened();
            stage.window.global::<NavigationAdapter<'_>>().invoke_add();
            stage.settle();
            stage
        })
    },
    Place::new("add-camera", || {
        let stage = Stage::scanning(&["Front", "Document camera"]);
        stage.until("a picture", |adapter| adapter.get_camera_live());
        stage
    }),
    Place {
        within: "Cameras",
        ..Place::new("add-camera-choice", || {
            let stage = Stage::scanning(&["Front", "Document camera"]);
            stage.until("a picture", |adapter| adapter.get_camera_live());
            stage.press("Camera 1");
            stage
        })
    },
    Place::new("add-camera-none", || {
        let stage = Stage::scanning(&[]);
        stage.until("no camera", |adapter| adapter.get_camera_problem() == CameraProblem::NoCamera);
        stage
    }),
    Place::new("add-picture", || empty(Page::AddPicture)),
    Place::new("add-screen", || empty(Page::AddScreen)),
    Place::new("add-clipboard", || empty(Page::AddClipboard)),
    Place::new("add-manual", || empty(Page::AddManual)),
    Place::new("found", || {
        let stage = Stage::opened();
        let link = format!("otpauth://totp/Example:bob?secret={RFC_SECRET}&issuer=Example");
        *stage.clipboard.content.borrow_mut() = Some(link);
        stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_clipboard();
        stage.work();
        stage
    }),
    Place::new("backup", || on(Page::Backup)),
    Place::new("restore", || on(Page::Restore)),
    Place::new("move-in", || empty(Page::MoveIn)),
    Place::new("move-in-password", || moving_in(KEEPASS)),
    Place::new("move-in-ledger", || moving_in(one_of_each().as_bytes())),
    Place::new("kept", kept),
    Place::new("kept-one", || {
        let stage = kept();
        stage.press("Broken (me@example.org)");
        stage
    }),
    Place::new("move-out", || on(Page::MoveOut)),
    Place::new("move-out-encrypted", || moving_out("aegis-encrypted")),
    Place::new("move-out-plain", || {
        let stage = moving_out("uri");
        stage.press("Go on without encryption");
        stage
    }),
    Place::new("send", || on(Page::Send)),
    Place::new("receive", || {
        let stage = empty(Page::Receive);
        // Another one each time.
        stage.window.global::<TransferAdapter<'_>>().set_invitation("CSX1: AAAAA".into());
        stage.settle();
        stage
    }),
    Place::new("transfer-compare", || {
        let stage = empty(Page::Receive);
        let adapter = stage.window.global::<TransferAdapter<'_>>();
        adapter.set_digits("04721 95530".into());
        adapter.set_step(TransferStep::Compare);
        stage.settle();
        stage
    }),
    Place::new("automatic", || on(Page::Automatic)),
    Place::new("settings", || on(Page::Settings)),
    Place::new("appearance", || on(Page::Appearance)),
    Place::new("locking", || on(Page::Locking)),
    Place::new("security", || on(Page::Security)),
    Place::new("change-password", || {
        let stage = on(Page::Security);
        stage.press("Change password");
        stage
    }),
    Place::new("key-strength", || {
        let stage = on(Page::Security);
        stage.window.global::<countersign_ui::SecurityAdapter<'_>>().invoke_open_strength();
        stage.work();
        stage
    }),
    Place::new("recovery-sheet", || {
        let stage = on(Page::Security);
        stage.press("Recovery sheet");
        stage.fill("Vault password", PASSWORD);
        stage.press("Make it");
        stage.work();
        stage
    }),
    Place {
        within: "Keys",
        ..Place::new("keys", || {
            let stage = Stage::opened();
            stage.window.global::<NavigationAdapter<'_>>().set_keys_open(true);
            stage.settle();
            stage
        })
    },
    Place::new("about", || on(Page::About)),
    Place::new("account", || {
        let stage = empty(Page::Account);
        let rows = ModelRc::new(VecModel::from(vec![pam()]));
        stage.window.global::<AccountAdapter<'_>>().set_servers(rows);
        stage.settle();
        stage
    }),
    Place::new("account-empty", || empty(Page::Account)),
    Place::new("server", || server(pam())),
    Place::new("add-server", || empty(Page::AddServer)),
    Place::new("register-credentials", || registering(RegisterStep::Credentials)),
    Place::new("register-sms", || registering(RegisterStep::Sms)),
    Place::new("register-takes", || registering(RegisterStep::Takes)),
    Place::new("register-done", || registering(RegisterStep::Done)),
    Place::new("sign-in-password", || signing_in(SignInStep::Password)),
    Place::new("sign-in-token", || signing_in(SignInStep::Token)),
    Place::new("sign-in-choose", || signing_in(SignInStep::Choose)),
    Place::new("sign-in-none", || signing_in(SignInStep::None)),
    Place::new("sign-in-done", || signing_in(SignInStep::Done)),
];
