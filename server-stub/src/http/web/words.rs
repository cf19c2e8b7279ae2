//! The words of the pages.

use time::OffsetDateTime;

use crate::domain::texts::Language;

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident: $english:literal, $german:literal, $turkish:literal;)*) => {
        impl Language {
            $(
                $(#[$meta])*
                pub(super) fn $name(self) -> &'static str {
                    match self {
                        Self::English => $english,
                        Self::German => $german,
                        Self::Turkish => $turkish,
                    }
                }
            )*
        }
    };
}

words! {
    set_up: "Set up your token", "Richten Sie Ihren Token ein", "Tokenınızı kurun";
    scan: "Open Countersign on your phone and scan this code, or", "Öffnen Sie Countersign auf Ihrem Telefon und scannen Sie diesen Code, oder", "Telefonunuzda Countersign’ı açıp bu kodu tarayın ya da";
    on_this_device: "open it on this device", "öffnen Sie es auf diesem Gerät", "bu cihazda açın";
    open_countersign: "Open in Countersign", "In Countersign öffnen", "Countersign’da aç";
    done_step: "Done: the token works in that app only.", "Fertig: Der Token gilt nur in dieser App.", "Tamam: token yalnızca o uygulamada çalışır.";
    no_phone: "There is no phone number of yours on file, to which the code for Countersign could go. Ask your administrator.", "Für Sie ist keine Telefonnummer hinterlegt, an die der Code für Countersign gehen könnte. Fragen Sie Ihre Administration.", "Countersign kodunun gönderilebileceği bir telefon numaranız kayıtlı değil. Yöneticinize sorun.";
    other_app: "Another authenticator app: show the secret", "Andere Authenticator-App: Geheimnis zeigen", "Başka bir doğrulama uygulaması: gizli anahtarı göster";
    other_title: "Another authenticator app", "Andere Authenticator-App", "Başka bir doğrulama uygulaması";
    other_scan: "Scan this code with the app, or", "Scannen Sie diesen Code mit der App, oder", "Bu kodu uygulamayla tarayın ya da";
    other_type: "If it has no camera, enter this secret:", "Ohne Kamera geben Sie dieses Geheimnis ein:", "Kamera yoksa bu gizli anahtarı girin:";
    other_code: "Enter the code that the app shows now.", "Geben Sie den Code ein, den die App jetzt zeigt.", "Uygulamanın şimdi gösterdiği kodu girin.";
    keep_to_yourself: "Whoever sees this secret can make your codes. Show it to nobody.", "Wer dieses Geheimnis sieht, kann Ihre Codes erzeugen. Zeigen Sie es niemandem.", "Bu gizli anahtarı gören herkes kodlarınızı üretebilir. Kimseye göstermeyin.";
    code_label: "Code", "Code", "Kod";
    confirm: "Confirm", "Bestätigen", "Onayla";
    back: "Back", "Zurück", "Geri";
    account: "Account", "Konto", "Hesap";
    issuer: "Issuer", "Aussteller", "Veren";
    kind: "Kind", "Art", "Tür";
    wrong_code: "This code is not right. Wait for the next one and check the clock of the device; after several wrong ones, wait a while.", "Dieser Code ist nicht richtig. Warten Sie auf den nächsten und prüfen Sie die Uhr des Geräts; nach mehreren falschen warten Sie eine Weile.", "Bu kod doğru değil. Bir sonrakini bekleyin ve cihazın saatini denetleyin; birkaç yanlıştan sonra bir süre bekleyin.";
    works: "The token works", "Der Token gilt", "Token çalışıyor";
    works_text: "From now on the app makes your codes. You can close this page.", "Von jetzt an erzeugt die App Ihre Codes. Sie können diese Seite schließen.", "Kodlarınızı artık uygulama üretiyor. Bu sayfayı kapatabilirsiniz.";
    over: "This link is over", "Dieser Link gilt nicht mehr", "Bu bağlantı artık geçerli değil";
    over_text: "It was used, a newer one took its place, its day has passed, or it is not whole. Ask your administrator for a new one.", "Er wurde benutzt, durch einen neueren ersetzt, ist älter als ein Tag oder nicht vollständig. Bitten Sie Ihre Administration um einen neuen.", "Kullanıldı, yerini yenisi aldı, bir günden eski ya da eksik. Yöneticinizden yenisini isteyin.";
    not_now: "Not now", "Gerade nicht möglich", "Şu anda olmuyor";
    not_now_text: "The server cannot answer at the moment. Nothing is lost: try again in a minute.", "Der Server kann gerade nicht antworten. Nichts ist verloren: Versuchen Sie es in einer Minute noch einmal.", "Sunucu şu anda yanıt veremiyor. Hiçbir şey kaybolmadı: bir dakika sonra yeniden deneyin.";
    refused: "This form came from elsewhere", "Dieses Formular kam von anderswo", "Bu form başka bir yerden geldi";
    refused_text: "Open your link again and go on from there.", "Öffnen Sie Ihren Link noch einmal und fahren Sie dort fort.", "Bağlantınızı yeniden açın ve oradan devam edin.";
    qr_label: "QR code of this link", "QR-Code dieses Links", "Bu bağlantının karekodu";
}

impl Language {
    /// Where the code goes.
    pub(super) fn enter_code(self, hint: &str) -> String {
        match self {
            Self::English => format!("Enter the code that we send by SMS to ••• ••• {hint}."),
            Self::German => format!("Geben Sie den Code ein, den wir per SMS an ••• ••• {hint} senden."),
            Self::Turkish => format!("••• ••• {hint} numarasına SMS ile gönderdiğimiz kodu girin."),
        }
    }

    /// Whose a link is, and until when.
    pub(super) fn link_is(self, user: &str, until: i64) -> String {
        let until = self.moment(until);
        match self {
            Self::English => format!("The link is for {user}, opens one registration, and ends on {until}."),
            Self::German => format!("Der Link ist für {user}, gilt für eine Registrierung und endet am {until}."),
            Self::Turkish => format!("Bağlantı {user} içindir, tek bir kayıt için geçerlidir; bitişi: {until}."),
        }
    }

    /// What a token is made of.
    pub(super) fn spec(self, algorithm: &str, digits: i64, period: i64) -> String {
        let algorithm = algorithm.replace("SHA", "SHA-");
        match self {
            Self::English => format!("TOTP, {algorithm}, {digits} digits, {period} seconds"),
            Self::German => format!("TOTP, {algorithm}, {digits} Stellen, {period} Sekunden"),
            Self::Turkish => format!("TOTP, {algorithm}, {digits} hane, {period} saniye"),
        }
    }

    fn moment(self, seconds: i64) -> String {
        let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
        let months = match self {
            Self::English => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            Self::German => {
                ["Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."]
            }
            Self::Turkish => ["Oca", "Şub", "Mar", "Nis", "May", "Haz", "Tem", "Ağu", "Eyl", "Eki", "Kas", "Ara"],
        };
        let month = months[usize::from(u8::from(at.month())) - 1];
        let dot = if self == Self::German { "." } else { "" };
        format!("{}{dot} {month} {}, {:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_people_write_it() {
        assert_eq!(Language::English.moment(1_795_711_200), "26 Nov 2026, 16:40 UTC");
        assert_eq!(Language::German.moment(1_795_711_200), "26. Nov. 2026, 16:40 UTC");
        assert_eq!(Language::Turkish.moment(1_795_711_200), "26 Kas 2026, 16:40 UTC");
    }
}
