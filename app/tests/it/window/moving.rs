//! Tokens move: in from another app's file, out into one, and from one Countersign to another.

use countersign::platform::{Ask, camera::PixelFormat, fake::CameraStep};
use countersign_core::{
    export::{self, Lock},
    import::{self, Outcome, Unlock},
    qr::{self, Luma},
    secret::SecretText,
    transfer,
    uri::migration,
    vault::Content,
};
use countersign_ui::{
    KeptAdapter, LedgerRemark, LedgerTexts, MoveInAdapter, MoveInProblem, MoveInStep, MoveOutAdapter, MoveOutStep,
    RestoreAdapter, RestoreStep, SaveProblem, TransferAdapter, TransferProblem, TransferStep, Verdict,
};

use super::{
    add_camera::{devices, frame},
    *,
};

/// Of the databases in core/testdata.
const KEEPASS_PASSWORD: &str = "correct horse";
const FILE_PASSWORD: &str = "plum tractor velvet oboe";

/// An entry of Aegis's, with what its `info` has beside the secret.
fn entry(issuer: &str, secret: &str, more: &str) -> String {
    format!(
        r#"{{"type":"totp","uuid":"01234567-89ab-4cde-8f01-23456789ab{:02}","name":"me@example.org","issuer":"{issuer}",
        "note":"","favorite":false,"icon":null,"info":{{"secret":"{secret}","algo":"SHA1","digits":6{more}}},"groups":[]}}"#,
        issuer.len()
    )
}

fn aegis(entries: &[String]) -> String {
    format!(
        r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":3,"entries":[{}],"groups":[]}}}}"#,
        entries.join(",")
    )
}

/// One of each fate over a vault that has "Example" with the RFC's secret.
pub(super) fn one_of_each() -> String {
    let period = r#","period":30"#;
    aegis(&[
        entry("Deno", "KRSXG5CTMVRXEZLU", period),
        entry("Airbnb", "MFRGGZDFMZTWQ2LK", "").replace("totp", "hotp"),
        entry("Example", RFC_SECRET, period),
        entry("Example", "JBSWY3DPEHPK3PXP", period),
        entry("Broken", "1!", period),
    ])
}

impl Stage {
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn move_in(&self) -> MoveInAdapter<'_> {
        self.window.global()
    }

    fn move_out(&self) -> MoveOutAdapter<'_> {
        self.window.global()
    }

    fn transfer(&self) -> TransferAdapter<'_> {
        self.window.global()
    }

    /// Chooses a file on the page of importing.
    fn import(&self, path: PathBuf) {
        self.go(Page::MoveIn);
        self.picker.answer(Picked::File(path));
        self.press("Choose a file");
        self.work();
        self.work();
    }

    /// From the page of exporting to what the format would lose.
    fn to_review(&self, format: &str) {
        self.go(Page::MoveOut);
        let at = export::FORMATS.iter().position(|known| known.id == format).unwrap();
        self.move_out().invoke_choose_format(i32::try_from(at).unwrap());
        self.press(&format!(
            "Continue with {} token{}",
            self.move_out().get_count(),
            if self.move_out().get_count() == 1 { "" } else { "s" }
        ));
        assert_eq!(self.move_out().get_step(), MoveOutStep::Review);
    }

    fn issuers(&self) -> Vec<String> {
        self.on_disk().content().tokens().iter().map(|token| token.spec.issuer.clone()).collect()
    }
}

/// What a QR code on the screen says.
fn read_code(image: &slint::Image) -> String {
    const SCALE: usize = 4;
    let pixels = image.to_rgb8().unwrap();
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut grey = Vec::with_capacity(width * height * SCALE * SCALE);
    for y in 0..height * SCALE {
        grey.extend((0..width * SCALE).map(|x| pixels.as_slice()[y / SCALE * width + x / SCALE].g));
    }
    let picture = Luma::new((width * SCALE) as u32, (height * SCALE) as u32, grey).unwrap();
    qr::read(&picture).into_iter().next().unwrap()
}

#[test]
fn every_entry_of_a_file_has_its_line_and_the_import_is_undone_as_one() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.import(stage.write("aegis.json", one_of_each()));
    let adapter = stage.move_in();
    assert_eq!(adapter.get_step(), MoveInStep::Ledger);
    assert!(stage.shows("Import from Aegis") && stage.shows("5 entries in the file"));
    let counts = adapter.get_counts();
    let fates = [counts.new, counts.repaired, counts.already_here, counts.conflicts, counts.unreadable];
    assert_eq!((fates, counts.total), ([1; 5], 5));
    let rows: Vec<_> = adapter.get_rows().iter().collect();
    let verdicts: Vec<_> = rows.iter().map(|row| row.verdict).collect();
    use Verdict::{AlreadyHere, Conflict, New, Repaired, Unreadable};
    assert_eq!(verdicts, [New, Repaired, AlreadyHere, Conflict, Unreadable]);
    assert_eq!((rows[1].remark, rows[1].counter), (LedgerRemark::Assumed, 0));
    assert_eq!(rows[2].code, RFC_CODE);
    assert_eq!(rows[3].code_here, RFC_CODE);
    // Whoever does not see them compares them, too.
    let spoken = rows[0].code.chars().filter(char::is_ascii_digit).map(String::from).collect::<Vec<_>>();
    let spoken = format!("{}, {}", spoken[..3].join(" "), spoken[3..].join(" "));
    assert_eq!(stage.describes("Deno, me@example.org"), format!("New. Code {spoken}"));
    let conflicts = ElementHandle::find_by_accessible_label(&stage.window, "Example, me@example.org");
    let told: Vec<_> = conflicts.filter_map(|row| row.accessible_description()).collect();
    assert!(told.iter().any(|told| told.ends_with(", here 0 8 1, 8 0 4")), "{told:?}");
    assert_ne!(rows[3].code, rows[3].code_here);
    assert_eq!(rows[4].remark, LedgerRemark::BadCharacter);
    assert!(stage.describes("Airbnb, me@example.org").contains("counter: missing, taken as 0"));
    // Nothing was added by looking.
    assert_eq!(stage.issuers(), ["Example"]);

    // The codes go on.
    let before = rows[0].code.clone();
    stage.tick(30);
    assert_ne!(adapter.get_rows().row_data(0).unwrap().code, before);

    stage.press("Add 3 tokens");
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::Added));
    assert_eq!(stage.issuers(), ["Example", "Deno", "Airbnb", "Example"]);
    assert_eq!(stage.on_disk().content().unreadable().len(), 1);
    stage.press("Undo");
    assert_eq!(stage.notice(), Notice::ImportUndone);
    assert_eq!(stage.issuers(), ["Example"]);
    assert!(stage.on_disk().content().unreadable().is_empty());
}

#[test]
fn an_encrypted_file_asks_for_its_password() {
    let stage = Stage::opened();
    let mut content = Content::default();
    let Outcome::Token(draft) =
        import::read(one_of_each().as_bytes(), None, Unlock::default()).unwrap().records.remove(0).outcome
    else {
        panic!("no token")
    };
    content.add(countersign_core::token::TokenId::from_random([1; 16]), draft.spec, RFC_TIME);
    let password = SecretText::new(FILE_PASSWORD.to_owned());
    let lock = Lock { password: &password };
    let mut random = (stage.parts.services.random)();
    let format = export::format("stratum-encrypted").unwrap();
    let file = export::write(&content, format, Some(lock), &mut *random, RFC_TIME).unwrap();
    stage.import(stage.write("file.stratum", &file.bytes));
    let adapter = stage.move_in();
    assert_eq!(adapter.get_step(), MoveInStep::Open);
    assert!(stage.shows("Import from Stratum"));
    stage.fill("Password of the file", "another");
    stage.press("Open the file");
    stage.work();
    assert_eq!(adapter.get_problem(), MoveInProblem::WrongPassword);
    assert_eq!(stage.describes("Password of the file"), "That is not the password of the file.");
    stage.fill("Password of the file", FILE_PASSWORD);
    stage.press("Open the file");
    stage.work();
    assert_eq!(adapter.get_step(), MoveInStep::Ledger);
    assert_eq!(adapter.get_password(), "");
    stage.press("Add 1 token");
    assert_eq!(stage.issuers(), ["Deno"]);
    stage.go(Page::MoveIn);
    assert_eq!(adapter.get_step(), MoveInStep::Find);
}

#[test]
fn a_key_file_opens_the_file_that_it_was_chosen_for_and_no_other() {
    const DATABASE: &[u8] = include_bytes!("../../../../core/testdata/import/keepass-3-key.kdbx");
    let stage = Stage::opened();
    let (database, key) = (stage.write("a.kdbx", DATABASE), stage.write("a.key", "any file at all\n"));
    let adapter = stage.move_in();
    let open = || {
        stage.fill("Password of the file", KEEPASS_PASSWORD);
        stage.press("Open the file");
        stage.work();
    };
    stage.import(database.clone());
    stage.picker.answer(Picked::File(key.clone()));
    stage.press("Choose a key file");
    // Another file is looked at before the dialog answers, and before the key file is read.
    stage.go(Page::Tokens);
    stage.import(database);
    assert_eq!((adapter.get_step(), adapter.get_key_file().as_str()), (MoveInStep::Open, ""));
    open();
    assert_eq!(adapter.get_problem(), MoveInProblem::WrongPassword);
    // The dialog is open while the file is opened without the key.
    stage.picker.answer(Picked::File(key));
    stage.press("Choose a key file");
    open();
    assert_eq!((adapter.get_problem(), adapter.get_key_file().as_str()), (MoveInProblem::WrongPassword, "a.key"));
    // One that cannot be read takes nothing from the one that is there.
    stage.picker.answer(Picked::File(stage.folder.path().join("gone")));
    stage.press("Key file: a.key");
    stage.work();
    assert_eq!((adapter.get_problem(), adapter.get_key_file().as_str()), (MoveInProblem::CannotOpen, "a.key"));
    open();
    assert_eq!((adapter.get_step(), adapter.get_counts().total), (MoveInStep::Ledger, 2));
    // A lock forgets it.
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    assert_eq!(adapter.get_key_file(), "");
}

#[test]
fn what_is_no_export_is_named_and_nothing_changes() {
    let stage = Stage::opened();
    let vault = std::fs::read(stage.folder.path().join("vault.countersign")).unwrap();
    for (name, bytes, problem) in [
        ("empty", Vec::new(), MoveInProblem::Empty),
        ("text", b"a shopping list".to_vec(), MoveInProblem::Unknown),
        ("cut", one_of_each().into_bytes()[..400].to_vec(), MoveInProblem::Unknown),
        ("newer", one_of_each().replacen("\"version\":1", "\"version\":9", 1).into_bytes(), MoveInProblem::Newer),
    ] {
        stage.import(stage.write(name, bytes));
        assert_eq!(stage.move_in().get_problem(), problem, "{name}");
        assert_eq!(stage.move_in().get_step(), MoveInStep::Find, "{name}");
    }
    stage.picker.answer(Picked::File(stage.folder.path().join("gone")));
    stage.press("Choose a file");
    stage.work();
    stage.work();
    assert_eq!(stage.move_in().get_problem(), MoveInProblem::CannotOpen);
    stage.press("Choose a file");
    stage.work();
    assert_eq!(stage.move_in().get_problem(), MoveInProblem::NoDialog);
    stage.fill("Path of the file", &stage.write("late.json", one_of_each()).display().to_string());
    stage.press("Read this file");
    stage.work();
    assert_eq!(stage.move_in().get_step(), MoveInStep::Ledger);
    assert_eq!(std::fs::read(stage.folder.path().join("vault.countersign")).unwrap(), vault);
    // A lock leaves nothing of it.
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    assert_eq!(stage.move_in().get_rows().row_count(), 0);
    assert!(stage.parts.import.opened().is_none());
}

#[test]
fn an_export_finds_its_way_from_wherever_it_comes() {
    let stage = Stage::opened();
    // Dropped.
    bind::dropped(&stage.window, &stage.parts, stage.write("aegis.json", one_of_each()));
    stage.settle();
    stage.work();
    stage.work();
    assert_eq!((stage.page(), stage.move_in().get_step()), (Page::MoveIn, MoveInStep::Ledger));
    // Pasted.
    stage.go(Page::Tokens);
    *stage.clipboard.content.borrow_mut() = Some(one_of_each());
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_clipboard();
    stage.work();
    assert_eq!((stage.page(), stage.move_in().get_step()), (Page::MoveIn, MoveInStep::Ledger));
    // A list of links stays where links are looked at.
    stage.go(Page::Tokens);
    *stage.clipboard.content.borrow_mut() = Some(format!("otpauth://totp/a?secret={RFC_SECRET}\n"));
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_clipboard();
    stage.settle();
    assert_eq!(stage.page(), Page::Found);
    // From the sheet.
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.press("Import from another app");
    assert_eq!(stage.page(), Page::MoveIn);
    stage.press("Paste from the clipboard");
    stage.work();
    assert_eq!(stage.move_in().get_step(), MoveInStep::Ledger);
}

#[test]
fn whoever_moves_in_is_led_there() {
    let stage = Stage::new();
    stage.press("Move in from another app");
    stage.fill("Password", PASSWORD);
    stage.fill("Again", PASSWORD);
    stage.press("Make a recovery sheet");
    stage.press("Create vault");
    stage.work();
    assert_eq!(stage.page(), Page::MoveIn);
}

#[test]
fn what_could_not_be_read_is_shown_behind_a_second_look_and_can_be_deleted() {
    let stage = Stage::opened();
    stage.import(stage.write("aegis.json", one_of_each()));
    stage.press("Add 4 tokens");
    stage.go(Page::Backup);
    stage.window.window().set_size(slint::PhysicalSize::new(390, 1_600));
    stage.settle();
    stage.press("Kept unreadable");
    let adapter = stage.window.global::<KeptAdapter<'_>>();
    assert_eq!(adapter.get_rows().row_count(), 1);
    stage.press("Try to read them again");
    assert_eq!((stage.notice(), adapter.get_rows().row_count()), (Notice::StillUnreadable, 1));
    stage.press("Broken (me@example.org)");
    assert!(adapter.get_raw().is_empty());
    stage.fill("Vault password", "wrong");
    stage.press("Show it word for word");
    stage.work();
    assert!(!adapter.get_raw_shown());
    stage.fill("Vault password", PASSWORD);
    stage.press("Show it word for word");
    stage.work();
    assert!(adapter.get_raw().contains("\"1!\""), "{}", adapter.get_raw());
    stage.press("Back");
    assert!(adapter.get_raw().is_empty());
    stage.press("Broken (me@example.org)");
    stage.press("Delete it");
    stage.press("Delete for good");
    assert_eq!(adapter.get_rows().row_count(), 0);
    assert!(stage.on_disk().content().unreadable().is_empty());
}

#[test]
fn why_an_entry_could_not_be_read_is_told_in_the_windows_language() {
    let period = r#","period":30"#;
    let good = entry("A", "KRSXG5CTMVRXEZLU", period);
    let broken = aegis(&[
        entry("A", "AAAA1!", period),
        entry("A", "", period),
        good.replace("SHA1", "SHA3"),
        good.replace(r#""digits":6"#, r#""digits":99"#),
        good.replace(r#""period":30"#, r#""period":0"#),
        good.replace(r#""type":"totp""#, r#""type":"quantum""#),
        good.replace(r#""info""#, r#""other""#),
        good.replace(r#""digits":6"#, r#""digits":[]"#),
        "[]".to_owned(),
    ]);
    // What it says in the ledger of the import, and on the page of what was kept.
    let told = |language: &str| -> (Vec<String>, Vec<String>) {
        let stage = Stage::on(|platform| platform.locale = Some(language.into()));
        let mut random = (stage.parts.services.random)();
        let store = Box::new(FileStore::new(stage.parts.door.path()));
        let (password, kdf) = (Password::new(PASSWORD), stage.parts.services.kdf);
        stage.parts.door.enter(Session::create(store, &password, kdf, &mut *random, RFC_TIME).unwrap());
        bind::show_open(&stage.window, &stage.parts);
        let path = stage.write("aegis.json", &broken);
        bind::dropped(&stage.window, &stage.parts, path);
        stage.settle();
        stage.work();
        let texts = stage.window.global::<LedgerTexts<'_>>();
        let adapter = stage.move_in();
        let rows = adapter.get_rows();
        let ledger = rows
            .iter()
            .map(|row| texts.invoke_text(row.remark, row.remark_part, row.remark_found, row.remark_taken).to_string());
        let ledger = ledger.collect();
        adapter.invoke_add();
        stage.go(Page::Kept);
        let kept = stage.window.global::<KeptAdapter<'_>>();
        (ledger, kept.get_rows().iter().map(|row| kept.invoke_reason(row).to_string()).collect())
    };
    let english = [
        "Character 5 of the secret, “1”, cannot stand there",
        "The secret is damaged or missing",
        "The algorithm is unknown",
        "A number of digits that is not 1 to 12",
        "A period that cannot be",
        "Of a kind that makes no codes here: “quantum”",
        "“info” is missing",
        "“digits” is not what it should be",
        "No entry of this format",
    ];
    let german = [
        "Zeichen 5 des Geheimnisses, „1“, kann dort nicht stehen",
        "Das Geheimnis ist beschädigt oder fehlt",
        "Der Algorithmus ist unbekannt",
        "Eine Stellenzahl, die nicht 1 bis 12 ist",
        "Ein Zeitraum, den es nicht gibt",
        "Von einer Art, die hier keine Codes macht: „quantum“",
        "„info“ fehlt",
        "„digits“ ist nicht, was es sein soll",
        "Kein Eintrag dieses Formats",
    ];
    let turkish = [
        "Gizli anahtarın 5. karakteri “1” orada olamaz",
        "Gizli anahtar bozuk ya da eksik",
        "Algoritma bilinmiyor",
        "1 ile 12 arasında olmayan bir basamak sayısı",
        "Olamayacak bir süre",
        "Burada kod üretmeyen bir türden: “quantum”",
        "“info” eksik",
        "“digits” olması gereken değil",
        "Bu biçimin bir girdisi değil",
    ];
    for (language, meant) in [("en", english), ("de", german), ("tr", turkish)] {
        let (ledger, kept) = told(language);
        assert_eq!(ledger, meant);
        assert_eq!(kept, meant);
    }
}

#[test]
fn an_encrypted_file_goes_out_and_opens_again() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("Counter", "KRSXG5CTMVRXEZLU", |_| {});
    stage.to_review("stratum-encrypted");
    assert_eq!(stage.move_out().get_written(), 2);
    assert!(!stage.move_out().get_can_write());
    stage.fill("Password of the file", FILE_PASSWORD);
    stage.fill("Again", "plum");
    assert!(!stage.move_out().get_can_write());
    stage.fill("Again", FILE_PASSWORD);
    let path = stage.folder.path().join("out.stratum");
    stage.picker.answer(Picked::File(path.clone()));
    stage.press("Save to a file");
    stage.work();
    assert!(matches!(stage.picker.asked().last(), Some(Ask::Save { name }) if name == "countersign-export.stratum"));
    stage.work();
    assert_eq!(stage.move_out().get_step(), MoveOutStep::Done);
    assert_eq!(stage.move_out().get_password(), "");
    let password = SecretText::new(FILE_PASSWORD.to_owned());
    let unlock = Unlock { password: Some(&password), allow_costly: true };
    let back = import::read(&std::fs::read(&path).unwrap(), None, unlock).unwrap();
    assert_eq!((back.format, back.records.len()), ("Stratum", 2));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    stage.press("Done");
    assert_eq!(stage.page(), Page::Backup);
}

#[test]
fn a_plain_file_is_asked_about_twice_and_never_replaces_the_vault() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.to_review("uri");
    let path = stage.folder.path().join("out.txt");
    stage.press("Go on without encryption");
    assert_eq!(stage.move_out().get_step(), MoveOutStep::Confirm);
    stage.fill("Vault password", "wrong");
    stage.press("Write the file");
    stage.work();
    assert!(!path.exists() && stage.picker.asked().is_empty());
    for (place, problem) in [
        (stage.folder.path().join("vault.countersign"), SaveProblem::Vault),
        (stage.folder.path().join("no/such/folder.txt"), SaveProblem::Gone),
    ] {
        stage.picker.answer(Picked::File(place));
        stage.fill("Vault password", PASSWORD);
        stage.press("Write the file");
        stage.work();
        stage.work();
        stage.work();
        assert_eq!(stage.move_out().get_problem(), problem);
    }
    stage.picker.answer(Picked::File(path.clone()));
    stage.fill("Vault password", PASSWORD);
    stage.press("Write the file");
    stage.work();
    stage.work();
    stage.work();
    assert_eq!(stage.move_out().get_step(), MoveOutStep::Done);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("otpauth://totp/Example"));
    assert_eq!(stage.issuers(), ["Example"]);
}

#[test]
fn what_google_cannot_hold_is_listed_and_the_rest_is_shown_ten_a_code() {
    let stage = Stage::opened();
    for at in "ABCDEFGHIJK".chars() {
        stage.add_by_hand(&format!("Issuer {at}"), &format!("GEZDGNBVGY3TQOJ{at}"), |_| {});
    }
    stage.add_by_hand("Long", "GEZDGNBVGY3TQOJL", |stage| {
        stage.press("Advanced");
        stage.fill("Digits", "7");
    });
    stage.to_review("google");
    assert_eq!((stage.move_out().get_written(), stage.move_out().get_left_out()), (11, 1));
    assert_eq!(stage.describes("Long, me@example.org"), "Left out: 7 digits are not possible there");
    assert!(stage.shows("11 of 12 tokens go into the codes.") && !stage.shows("11 of 12 tokens go into the file."));
    stage.press("Go on without encryption");
    stage.fill("Vault password", PASSWORD);
    stage.press("Show the codes");
    stage.work();
    let adapter = stage.move_out();
    assert_eq!((adapter.get_step(), adapter.get_code_count()), (MoveOutStep::Codes, 2));
    let side = stage.find("QR code 1 of 2").size().width;
    assert!(side >= 3.0 * adapter.get_code_modules() as f32, "{side} for {}", adapter.get_code_modules());
    let first = migration::parse(&read_code(&adapter.get_code())).unwrap();
    stage.press("Next code");
    let second = migration::parse(&read_code(&adapter.get_code())).unwrap();
    assert_eq!((first.entries.len(), second.entries.len(), second.index), (10, 1, 1));
    assert_eq!(first.batch_id, second.batch_id);
    stage.press("Done");
    assert!(stage.parts.move_out.code(0).is_none());
}

/// A receiver that looks at a sender's screen.
struct Pair {
    from: Stage,
    to: Stage,
}

impl Pair {
    fn new() -> Self {
        let from = Stage::with_token("Example", RFC_SECRET);
        from.add_by_hand("Deno", "KRSXG5CTMVRXEZLU", |_| {});
        let to = Stage::opened();
        to.camera.set_devices(devices(&["Front"]));
        Self { from, to }
    }

    /// The receiver's camera sees what the sender shows, and the receiver has looked at it.
    fn look(&self) {
        let text = read_code(&self.from.transfer().get_code());
        self.to.camera.play([CameraStep::Frame(frame(&text, PixelFormat::Grey, 0))]);
    }

    /// Looks at the receiver's news until it is so.
    fn until(&self, what: &str, so: impl Fn() -> bool) {
        for _ in 0..6_000 {
            self.to.window.global::<AddAdapter<'_>>().invoke_camera_news();
            self.to.work();
            if so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never: {what}");
    }

    /// As far as the digits, which are compared.
    fn compare(&self) {
        self.to.go(Page::Receive);
        let invitation = read_code(&self.to.transfer().get_code());
        assert!(transfer::is_frame(&invitation));
        self.from.go(Page::Send);
        // No camera here: the text is typed.
        self.from.press("Type it instead");
        self.from.fill("Text of the other device", &self.to.transfer().get_invitation());
        self.from.press("Continue");
        self.from.work();
        assert_eq!(self.from.transfer().get_step(), TransferStep::Compare);
        self.to.press("It was scanned: look at its answer");
        self.look();
        self.until("the digits", || self.to.transfer().get_step() == TransferStep::Compare);
        assert_eq!(self.from.transfer().get_digits(), self.to.transfer().get_digits());
    }
}

#[test]
fn tokens_go_from_one_countersign_to_another() {
    let pair = Pair::new();
    pair.compare();
    pair.from.press("They are the same");
    pair.to.press("They are the same");
    assert_eq!(pair.to.transfer().get_step(), TransferStep::Pieces);
    let arrived = || {
        let adapter = pair.to.window.global::<RestoreAdapter<'_>>();
        pair.to.page() == Page::Restore && adapter.get_step() == RestoreStep::Ledger
    };
    for turn in 0..200 {
        pair.from.transfer().invoke_next_frame();
        // One of three is missed.
        if turn % 3 == 0 {
            continue;
        }
        let before = pair.to.transfer().get_have();
        pair.look();
        pair.until("a piece", || arrived() || pair.to.transfer().get_have() > before);
        if arrived() {
            break;
        }
    }
    assert!(arrived() && pair.to.shows("Receive from another Countersign"));
    assert!(pair.to.issuers().is_empty());
    pair.to.press("Add 2 tokens");
    assert_eq!(pair.to.issuers(), ["Example", "Deno"]);
    assert_eq!(pair.to.on_disk().content().imports().last().unwrap().source, "another Countersign");
    assert!(pair.to.camera.open_now().is_empty() || pair.to.page() == Page::Tokens);
}

#[test]
fn digits_that_differ_end_a_transfer() {
    let pair = Pair::new();
    pair.compare();
    pair.from.press("They differ");
    assert!(pair.from.parts.transfer.shown().is_none());
    pair.to.press("They differ");
    assert_ne!(pair.to.page(), Page::Receive);
    // What is no invitation is named.
    pair.from.go(Page::Send);
    pair.from.press("Type it instead");
    pair.from.fill("Text of the other device", "otpauth://totp/a?secret=AA");
    pair.from.press("Continue");
    pair.from.work();
    assert_eq!(pair.from.transfer().get_problem(), TransferProblem::NotAFrame);
    // A lock ends it.
    pair.to.go(Page::Receive);
    pair.to.window.global::<NavigationAdapter<'_>>().invoke_lock();
    assert!(pair.to.transfer().get_invitation().is_empty());
}
