//! Tokens that move: other apps' files in and out, another Countersign, and what could not be read.

use countersign_core::qr::{Luma, Matrix};
use countersign_ui::{
    AddAdapter, DetailAdapter, KeptAdapter, MoveInAdapter, MoveOutAdapter, NavigationAdapter, Page, TransferAdapter,
    TransferStep,
};
use slint::{ComponentHandle as _, Model as _};

use super::{Outcome, Stage};

/// The ledger of the design: one entry of each fate, over the samples.
const AEGIS: &str = r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,"groups":[],"entries":[
{"type":"totp","uuid":"01234567-89ab-4cde-8f01-000000000001","name":"user","issuer":"Deno","note":"","favorite":false,"icon":null,"info":{"secret":"KRSXG5CTMVRXEZLU","algo":"SHA1","digits":6,"period":30},"groups":[]},
{"type":"totp","uuid":"01234567-89ab-4cde-8f01-000000000002","name":"user","issuer":"SPDX","note":"","favorite":false,"icon":null,"info":{"secret":"MFRGGZDFMZTWQ2LK","algo":"SHA512","digits":7,"period":20},"groups":[]},
{"type":"hotp","uuid":"01234567-89ab-4cde-8f01-000000000003","name":"user","issuer":"Air Canada","note":"","favorite":false,"icon":null,"info":{"secret":"KUVJJOM753IHTNDSZVCNKL7GII","algo":"SHA256","digits":7,"counter":50},"groups":[]},
{"type":"steam","uuid":"01234567-89ab-4cde-8f01-000000000004","name":"user","issuer":"Boeing","note":"","favorite":false,"icon":null,"info":{"secret":"JRZCL47CMXVOQMNPZR2F7J4RGI","algo":"SHA1","digits":5,"period":30},"groups":[]},
{"type":"hotp","uuid":"01234567-89ab-4cde-8f01-000000000005","name":"user","issuer":"Airbnb","note":"","favorite":false,"icon":null,"info":{"secret":"GEZDGNBVGY3TQOJQ","algo":"SHA1","digits":6},"groups":[]},
{"type":"totp","uuid":"01234567-89ab-4cde-8f01-000000000006","name":"dev@example.org","issuer":"GitHub","note":"","favorite":false,"icon":null,"info":{"secret":"JBSWY3DPEHPK3PXP","algo":"SHA1","digits":6,"period":30},"groups":[]},
{"type":"totp","uuid":"01234567-89ab-4cde-8f01-000000000007","name":"","issuer":"Entry 7","note":"","favorite":false,"icon":null,"info":{"secret":"1!","algo":"SHA1","digits":6,"period":30},"groups":[]}
]}}"#;

pub(crate) fn draw(stage: &Stage) -> Outcome {
    screen(stage)?;
    in_(stage)?;
    out(stage)?;
    transfer(stage)
}

fn screen(stage: &Stage) -> Outcome {
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_screen();
    stage.shot("add-screen")?;
    *stage.screen.0.lock().map_err(|_| "poisoned")? = Some(a_web_page()?);
    stage.window.global::<AddAdapter<'_>>().invoke_look_at_screen();
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_secs(1));
    stage.tasks.run_waiting();
    stage.shot("add-screen-none")
}

fn in_(stage: &Stage) -> Outcome {
    stage.go(Page::MoveIn);
    stage.shot("move-in")?;
    let adapter = stage.window.global::<MoveInAdapter<'_>>();
    let read = |name: &str, bytes: &[u8]| -> Outcome {
        let path = stage.vault.path().join(name);
        std::fs::write(&path, bytes)?;
        adapter.set_path(path.display().to_string().into());
        adapter.invoke_read_path();
        stage.tasks.run_waiting();
        adapter.set_path("~/aegis-backup.json".into());
        Ok(())
    };
    read("list.txt", b"a shopping list")?;
    stage.shot("move-in-unknown")?;
    adapter.invoke_begin();
    read("keepass.kdbx", include_bytes!("../../../core/testdata/import/keepass.kdbx"))?;
    stage.shot("move-in-password")?;
    adapter.set_password("no".into());
    adapter.invoke_open();
    stage.tasks.run_waiting();
    stage.shot("move-in-wrong")?;
    adapter.invoke_begin();
    read("aegis.json", AEGIS.as_bytes())?;
    stage.shot("move-in-ledger")?;
    adapter.invoke_add();
    stage.shot("move-in-done")?;
    stage.no_notice();
    stage.go(Page::Backup);
    stage.shot("backup-after-import")?;
    stage.go(Page::Kept);
    stage.shot("kept")?;
    let kept = stage.window.global::<KeptAdapter<'_>>();
    let id = kept.get_rows().row_data(0).ok_or("nothing is kept")?.id;
    kept.invoke_choose(id);
    stage.shot("kept-one")?;
    look(stage);
    stage.shot("kept-shown")
}

fn out(stage: &Stage) -> Outcome {
    stage.go(Page::MoveOut);
    stage.shot("move-out")?;
    let adapter = stage.window.global::<MoveOutAdapter<'_>>();
    let choose = |id: &str| -> Outcome {
        let at = adapter.get_formats().iter().position(|format| format.id == id).ok_or("no such format")?;
        adapter.invoke_choose_format(i32::try_from(at)?);
        adapter.invoke_review();
        Ok(())
    };
    choose("aegis-encrypted")?;
    adapter.set_password("plum tractor velvet oboe".into());
    adapter.invoke_typed();
    stage.shot("move-out-encrypted")?;
    stage.navigation().invoke_back();
    choose("google")?;
    stage.shot("move-out-losses")?;
    adapter.invoke_go_on();
    stage.shot("move-out-confirm")?;
    look(stage);
    stage.shot("move-out-codes")?;
    stage.go(Page::Backup);
    Ok(())
}

fn transfer(stage: &Stage) -> Outcome {
    let adapter = stage.window.global::<TransferAdapter<'_>>();
    stage.go(Page::Receive);
    stage.shot("receive")?;
    adapter.set_digits("04721 95530".into());
    adapter.set_step(TransferStep::Compare);
    stage.shot("receive-compare")?;
    stage.go(Page::Backup);
    stage.go(Page::Send);
    adapter.set_typing(true);
    stage.shot("send-typing")?;
    let invitation = stage.parts.transfer.invite().ok_or("no invitation")?.1;
    adapter.set_typed(invitation.into());
    adapter.invoke_take_typed();
    stage.tasks.run_waiting();
    stage.shot("send-compare")?;
    adapter.invoke_agree();
    stage.shot("send-frames")?;
    stage.go(Page::Backup);
    Ok(())
}

/// Answers the second look.
fn look(stage: &Stage) {
    let adapter = stage.window.global::<DetailAdapter<'_>>();
    adapter.set_look_password(super::PASSWORD.into());
    adapter.invoke_look();
    stage.tasks.run_waiting();
}

/// A screen with a web page, and on it a code that is no token.
fn a_web_page() -> Result<Luma, Box<dyn std::error::Error>> {
    const WIDTH: usize = 1_280;
    const HEIGHT: usize = 800;
    let code = Matrix::new("https://example.org")?;
    let shade = |x: usize, y: usize| {
        if y < 60 {
            return 210;
        }
        let (column, row) = (x.wrapping_sub(820) / 8, y.wrapping_sub(260) / 8);
        if x >= 820 && y >= 260 && column < code.size() && row < code.size() {
            return if code.is_dark(column, row) { 20 } else { 255 };
        }
        let text = (120..700).contains(&x) && y > 200 && y < 620 && y % 36 < 12 && x % 97 > 12;
        if text { 130 } else { 248 }
    };
    Ok(Luma::new(WIDTH as u32, HEIGHT as u32, (0..WIDTH * HEIGHT).map(|at| shade(at % WIDTH, at / WIDTH)).collect())?)
}
