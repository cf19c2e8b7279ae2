//! Servers: adding one, registering a token, signing in.

use countersign_ui::{
    AccountAdapter, AccountProblem, AppWindow, Page, RegisterStep, ServerFacts, ServerRow, SignInStep, SignInToken,
    TokenChoice, TokenStanding,
};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::{Outcome, Stage};

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

fn facts() -> ServerFacts {
    ServerFacts {
        until: "2026-11-22 22:02".into(),
        fingerprint: "9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08"
            .into(),
        encrypted: true,
        ..ServerFacts::default()
    }
}

/// The pages of an adapter that nothing overwrites: no request is under way.
fn show(window: &AppWindow, row: ServerRow) {
    let adapter = window.global::<AccountAdapter<'_>>();
    adapter.set_server(row);
    adapter.set_facts(facts());
    adapter.set_busy(false);
    adapter.set_problem(AccountProblem::None);
}

pub(crate) fn draw(stage: &Stage) -> Outcome {
    let adapter = stage.window.global::<AccountAdapter<'_>>();
    stage.go(Page::Account);
    stage.shot("account-empty")?;
    let other = ServerRow {
        address: "https://vpn.example.org".into(),
        place: "vpn.example.org".into(),
        name: "Branch VPN".into(),
        standing: TokenStanding::Moved,
        since: countersign_ui::Day { day: 3, month: 11, year: 2026 },
        ..ServerRow::default()
    };
    adapter.set_servers(ModelRc::new(VecModel::from(vec![pam(), other.clone()])));
    stage.shot("account")?;

    show(&stage.window, pam());
    stage.go(Page::Server);
    show(&stage.window, pam());
    stage.shot("server")?;
    show(&stage.window, other);
    stage.shot("server-moved")?;

    stage.go(Page::AddServer);
    adapter.set_typed_address("pam.example.org".into());
    adapter.set_problem(AccountProblem::Untrusted);
    adapter.set_asked_fingerprint(facts().fingerprint);
    stage.shot("add-server")?;

    show(&stage.window, pam());
    stage.go(Page::Register);
    show(&stage.window, pam());
    adapter.set_user("operator".into());
    adapter.set_password("seven calm otters".into());
    adapter.set_register_step(RegisterStep::Credentials);
    stage.shot("register")?;
    adapter.set_code("419".into());
    adapter.set_phone_hint("67".into());
    adapter.set_resend_in(42);
    adapter.set_minutes_left(10);
    adapter.set_register_step(RegisterStep::Sms);
    stage.shot("register-sms")?;
    adapter.set_replaces("Phone (2024)".into());
    adapter.set_register_step(RegisterStep::Takes);
    stage.shot("register-takes")?;
    adapter.set_first_code("492 871".into());
    adapter.set_register_step(RegisterStep::Done);
    stage.shot("register-done")?;

    stage.go(Page::SignIn);
    show(&stage.window, pam());
    adapter.set_sign_in_step(SignInStep::Password);
    stage.shot("sign-in")?;
    let look = countersign::models::look("Corp PAM", "operator", None);
    adapter.set_token(SignInToken {
        issuer: "Corp PAM".into(),
        account: "operator".into(),
        look: look.clone(),
        code: "492 871".into(),
        until: stage.parts.list.seconds(stage.parts.tokens.now()) + 20,
        period: 30,
        fresh: true,
        ..SignInToken::default()
    });
    adapter.set_sign_in_step(SignInStep::Token);
    stage.shot("sign-in-token")?;
    let choice = |account: &str| TokenChoice {
        id: account.into(),
        issuer: "Corp PAM".into(),
        account: account.into(),
        look: look.clone(),
    };
    adapter.set_choices(ModelRc::new(VecModel::from(vec![choice("operator"), choice("root")])));
    adapter.set_sign_in_step(SignInStep::Choose);
    stage.shot("sign-in-choose")?;
    adapter.set_sign_in_step(SignInStep::None);
    stage.shot("sign-in-none")?;
    adapter.set_sign_in_step(SignInStep::Done);
    stage.shot("sign-in-done")?;
    stage.go(Page::Tokens);
    Ok(())
}
