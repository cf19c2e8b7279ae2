//! Which brand an issuer names.

use countersign_core::matching::fold;
use unicode_normalization::UnicodeNormalization;

use super::{
    Icon,
    names::{INTERNATIONAL, NOT_A_BRAND, QUALIFIERS, SYNONYMS},
    pack,
};

/// The icon of the brand that the issuer names for certain:
///
/// - the name itself, whatever its case, accents, spaces and punctuation (`git hub`), or another name that it is known
///   by (`GCP`);
/// - its own site, as a host name or an address (`https://accounts.google.com/login`);
/// - the name with words behind it that say nothing about who it is (`GitHub Enterprise`, `Dropbox - work`,
///   `X (Twitter)`).
///
/// Nothing else: a word that merely contains or begins with a brand (`Metal Shop`, `Apple Valley Bank`), a name that two
/// brands share, and an ordinary word that happens to be a brand (`Local`, `Vault`) name nobody.
///
/// The account counts only where there is no issuer, for labels that were written without one; the site of an e-mail
/// address is that of the mail and never the issuer's.
pub fn find(issuer: &str, account: &str) -> Option<Icon> {
    let name = if issuer.trim().is_empty() { account } else { issuer };
    // No brand's name is longer; a text of many kilobytes is not worth folding.
    if name.len() > 256 {
        return None;
    }
    let folded = fold(name);
    by_text(&folded).or_else(|| by_text(head(&folded)))
}

fn by_text(text: &str) -> Option<Icon> {
    if text.contains('@') {
        return None;
    }
    if let Some(host) = host(text) {
        return by_host(host);
    }
    by_name(&squash(text)).or_else(|| by_qualified(text))
}

/// The icon of a squashed name, its own or another that it is known by.
fn by_name(squashed: &str) -> Option<Icon> {
    if let Some(icon) = by_synonym(squashed) {
        return Some(icon);
    }
    if NOT_A_BRAND.binary_search(&squashed).is_ok() {
        return None;
    }
    pack::by_key(squashed).map(Icon)
}

fn by_synonym(name: &str) -> Option<Icon> {
    let at = SYNONYMS.binary_search_by_key(&name, |(synonym, _)| synonym).ok()?;
    SYNONYMS.get(at).and_then(|(_, slug)| super::by_slug(slug))
}

/// `github enterprise`, `my google account`: the longest name in front of words that say nothing.
fn by_qualified(text: &str) -> Option<Icon> {
    let mut words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_' | ',' | ';'))
        .map(squash)
        .filter(|word| !word.is_empty())
        .collect();
    if words.first().is_some_and(|word| word == "my") {
        words.remove(0);
        if let Some(icon) = by_name(&words.concat()) {
            return Some(icon);
        }
    }
    while words.len() > 1 && words.last().is_some_and(|word| QUALIFIERS.binary_search(&word.as_str()).is_ok()) {
        words.pop();
        let name = words.concat();
        // One letter with a word behind it may be anything.
        if name.chars().count() < 2 {
            return None;
        }
        if let Some(icon) = by_name(&name) {
            return Some(icon);
        }
    }
    None
}

/// The part before what people add: `github (work)`, `github: alice`, `github | acme`.
fn head(text: &str) -> &str {
    const MARKS: [&str; 11] = ["(", "[", "{", "|", ":", "/", "·", "•", " - ", " – ", " — "];
    // An address has its own colon and slashes.
    if text.contains("://") {
        return text;
    }
    let end = MARKS.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim()
}

/// The host of an address, or the text where it looks like a host name: `github.com`, `https://github.com/login`.
fn host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    // A port; any other colon does not belong to a host.
    let host = match host.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    let host = host.trim_end_matches('.');
    let labels = host.split('.').collect::<Vec<_>>();
    let is_label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let (last, before) = labels.split_last()?;
    (!before.is_empty() && labels.iter().all(is_label) && last.len() > 1 && last.chars().all(char::is_alphabetic))
        .then_some(host)
}

fn by_host(host: &str) -> Option<Icon> {
    let domain = registrable(host);
    // The domain first; then a brand that is called like its site: Booking.com, Last.fm.
    let own = by_synonym(domain).or_else(|| pack::by_key(domain).map(Icon)).or_else(|| by_name(&squash(domain)));
    if own.is_some() {
        return own;
    }
    let (label, suffix) = domain.split_once('.')?;
    if label.chars().count() < 4 {
        return None;
    }
    let name = squash(label);
    // Where the brand's own site is known, the same word under another ending is somebody else's, unless the brand has
    // sites by country.
    let by_country = suffix.split('.').next_back().is_some_and(|last| last.len() == 2);
    let known = pack::has_key_prefix(&format!("{label}."));
    if (by_country && INTERNATIONAL.binary_search(&name.as_str()).is_ok()) || (suffix == "com" && !known) {
        return by_name(&name);
    }
    None
}

/// `accounts.google.co.uk` to `google.co.uk`: the part that somebody registered. The countries' own second levels in
/// the simple way of `make.py`; one that is not known leaves a part that matches nothing.
fn registrable(host: &str) -> &str {
    const SECOND_LEVEL: [&str; 7] = ["ac", "co", "com", "edu", "gov", "net", "org"];
    let mut labels = host.rsplit('.');
    let (Some(last), Some(second)) = (labels.next(), labels.next()) else { return host };
    let mut length = last.len() + 1 + second.len();
    if let Some(third) = labels.next()
        && last.len() == 2
        && SECOND_LEVEL.contains(&second)
    {
        length += 1 + third.len();
    }
    host.get(host.len() - length..).unwrap_or(host)
}

/// A name without case, accents, spaces and punctuation. The same as `squash` in `app/assets/icons/make.py`, so that a
/// name and its key meet.
pub(super) fn squash(name: &str) -> String {
    let folded = fold(name);
    let bare = if folded.is_ascii() {
        folded
    } else {
        folded.nfd().filter(|c| !('\u{300}'..='\u{36F}').contains(c)).nfc().collect()
    };
    let mut squashed = String::with_capacity(bare.len());
    let mut chars = bare.chars();
    // .NET is not the net
    if chars.next() == Some('.') && chars.next().is_some_and(char::is_alphanumeric) {
        squashed.push_str("dot");
    }
    for c in bare.chars() {
        match c {
            '+' => squashed.push_str("plus"),
            '&' => squashed.push_str("and"),
            '#' => squashed.push_str("sharp"),
            'æ' => squashed.push_str("ae"),
            'œ' => squashed.push_str("oe"),
            'ø' => squashed.push('o'),
            'ł' => squashed.push('l'),
            'đ' => squashed.push('d'),
            'ı' => squashed.push('i'),
            _ if c.is_alphanumeric() => squashed.push(c),
            _ => {}
        }
    }
    squashed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What people's tokens are called, and the icon that each gets (`-` for the letter).
    const ISSUERS: &str = "
        GitHub | github
        github | github
         GITHUB  | github
        git hub | github
        Git-Hub | github
        github.com | github
        www.github.com | github
        https://github.com | github
        https://github.com/login?x=1 | github
        github.com:443 | github
        GitHub Enterprise | github
        GitHub Enterprise Server | github
        GitHub (work) | github
        GitHub - work | github
        GitHub: alice | github
        GitHub:alice@example.com | github
        GitHub [old] | github
        my GitHub | github
        GitHub 2 | github
        GitLab | gitlab
        GitLab.com | gitlab
        gitlab.com | gitlab
        Bitbucket | bitbucket
        Google | google
        Google, Inc. | google
        Google Workspace | google
        G Suite | google
        My Google Account | google
        accounts.google.com | google
        google.de | google
        google.co.uk | google
        https://myaccount.google.com.tr/ | google
        Google Cloud | googlecloud
        Google Cloud Platform | googlecloud
        GCP | googlecloud
        Gmail | gmail
        Apple ID | apple
        X | x
        x.com | x
        X (Twitter) | x
        Twitter | x
        twitter.com | x
        Facebook | facebook
        Meta | meta
        Meta Business | meta
        Instagram | instagram
        Discord | discord
        discord.com | discord
        Discord test server | discord
        Reddit | reddit
        Dropbox | dropbox
        Dropbox - Business | dropbox
        Box | box
        PayPal | paypal
        Stripe | stripe
        Square | square
        Square Enix Support | squareenix
        Coinbase | coinbase
        Coinbase Pro | coinbase
        Binance | binance
        Binance.com | binance
        Cloudflare | cloudflare
        dash.cloudflare.com | cloudflare
        DigitalOcean | digitalocean
        Digital Ocean | digitalocean
        Hetzner | hetzner
        Hetzner Cloud | hetzner
        OVHcloud | ovh
        Vultr | vultr
        Namecheap | namecheap
        GoDaddy | godaddy
        npm | npm
        npmjs.com | npm
        PyPI | pypi
        pypi.org | pypi
        Docker | docker
        Docker Hub | docker
        RubyGems.org | rubygems
        Node.js | nodedotjs
        sso.godaddy.com | godaddy
        medium.com | medium
        Raspberry Pi | raspberrypi
        id.atlassian.com | atlassian
        WordPress.com | wordpress
        Booking.com | bookingdotcom
        Battle.net | battledotnet
        Last.fm | lastdotfm
        H&M | handm
        Proton | proton
        Proton Mail | protonmail
        ProtonMail | protonmail
        Proton VPN | protonvpn
        proton.me | proton
        Bitwarden | bitwarden
        vault.bitwarden.eu | bitwarden
        1Password | 1password
        Okta | okta
        Auth0 | auth0
        Steam | steam
        store.steampowered.com | steam
        PlayStation Network | playstation
        Epic Games | epicgames
        MongoDB Atlas | mongodb
        Ubuntu One | ubuntu
        mailbox.org | mailbox
        Mailbox | -
        EA | ea
        Ubisoft | ubisoft
        Twitch | twitch
        Synology DSM | synology
        Nextcloud | nextcloud
        Nextcloud - home | nextcloud
        UniFi | ubiquiti
        Mailchimp | mailchimp
        Citroën | citroen
        Citroen | citroen
        Revolut Business | revolut
        Wikipedia | wikipedia
        t.me | telegram

        Amazon | -
        Amazon Web Services | -
        AWS | -
        AWS - GitHub | -
        amazon.com | -
        signin.aws.amazon.com | -
        Microsoft | -
        Microsoft Azure | -
        MS Azure | -
        Azure DevOps | -
        login.microsoftonline.com | -
        Slack | -
        LinkedIn | -
        Adobe | -
        OpenAI | -
        Heroku | -
        Metal Shop | -
        Metallica | -
        meta mask | -
        Xerox | -
        Xbox | -
        XS4ALL | -
        X Server | -
        Apple Valley Bank | -
        Pineapple | -
        Applebee's | -
        Steamboat Bank | -
        Delta Dental | -
        Squarespacer | -
        Discover Puerto Rico | -
        Boxcryptor | -
        Dropboxer | -
        Stripes | -
        Ringcentral | -
        Goo | -
        Githubber | -
        GitHubber Enterprise | -
        Google Bank | -
        Not GitHub | -
        Login (GitHub) | -
        google.evil.example | -
        google.com.evil.example | -
        github.io | -
        alice.github.io | -
        git.hub.example | -
        apple.example | -
        apple.org | -
        gitlab.corp.example | -
        nextcloud.example.com | -
        alice@gmail.com | -
        alice@github.com | -
        alice@gmail.com (work) | -
        https://alice@github.com/ | -
        Local | -
        Vault | -
        Homepage | -
        Root | -
        C | -
        Net | -
        TME | -
        Hive | -
        Corp PAM | -
        Кредит | -
        account | -
        2FA | -
        https:// | -
        . | -
        : | -
        - | -
    ";

    #[test]
    fn issuers_get_their_own_brand_or_none() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in ISSUERS.lines().filter(|line| !line.trim().is_empty()) {
            let (issuer, wanted) = line.rsplit_once(" | ").unwrap();
            count += 1;
            let found = find(issuer, "").map_or("-", Icon::slug);
            if found != wanted.trim() {
                wrong.push(format!("{issuer:?}: {found}, not {wanted}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count >= 160, "{count}");
    }

    #[test]
    fn the_account_counts_only_without_an_issuer() {
        let slug = |issuer, account| find(issuer, account).map(Icon::slug);
        assert_eq!(slug("", "GitHub"), Some("github"));
        assert_eq!(slug(" ", "GitHub:alice@example.com"), Some("github"));
        assert_eq!(slug("", "alice@gmail.com"), None);
        assert_eq!(slug("", ""), None);
        assert_eq!(slug("Corp PAM", "GitHub"), None);
        assert_eq!(slug("Microsoft", "alice@github.com"), None);
    }

    #[test]
    fn tables_are_sorted_squashed_and_name_icons() {
        assert!(SYNONYMS.is_sorted_by(|a, b| a.0 < b.0));
        for (name, slug) in SYNONYMS {
            assert!(super::super::by_slug(slug).is_some(), "{slug}");
            assert!(name.contains('.') || squash(name) == *name, "{name}");
            assert!(pack::by_key(name).is_none_or(|entry| entry.slug() != *slug), "{name} says what the data says");
        }
        for words in [NOT_A_BRAND, QUALIFIERS, INTERNATIONAL] {
            assert!(words.is_sorted_by(|a, b| a < b));
            assert!(words.iter().all(|word| squash(word) == *word));
        }
        for word in NOT_A_BRAND.iter().chain(INTERNATIONAL) {
            assert!(pack::by_key(word).is_some(), "{word} is no name");
        }
    }

    #[test]
    fn a_brand_inside_other_words_names_nobody() {
        for (key, entry) in pack::keys().filter(|(key, _)| !key.contains('.')) {
            for text in [
                format!("zq{key}"),
                format!("{key}zq"),
                format!("zq {key}"),
                format!("{key} dental"),
                format!("{key}dental bank"),
                format!("{key}.zqzq.example"),
                format!("me@{key}.com"),
            ] {
                assert_eq!(find(&text, ""), None, "{text}");
            }
            for text in [format!("{key} account"), format!("{key} (work)"), key.to_uppercase()] {
                let found = find(&text, "");
                let own = by_name(key);
                assert!(own.is_none_or(|own| own == Icon(entry) || SYNONYMS.iter().any(|(name, _)| name == &key)));
                // `google authenticator` and the like are names of their own.
                let longer = by_name(&squash(&text));
                let one_letter = key.chars().count() == 1 && text.contains("account");
                assert!(found == longer || (longer.is_none() && found == own) || one_letter, "{text}: {found:?}");
            }
        }
    }

    #[test]
    fn the_registered_part_of_a_host() {
        for (host, wanted) in [
            ("github.com", "github.com"),
            ("a.b.github.com", "github.com"),
            ("google.co.uk", "google.co.uk"),
            ("accounts.google.com.tr", "google.com.tr"),
            ("co.uk", "co.uk"),
            ("a.com.example", "com.example"),
        ] {
            assert_eq!(registrable(host), wanted);
        }
    }

    #[test]
    fn squashing_keeps_what_tells_brands_apart() {
        for (name, wanted) in [
            ("C++", "cplusplus"),
            ("C#", "csharp"),
            ("H&M", "handm"),
            (".NET", "dotnet"),
            ("Node.js", "nodejs"),
            ("Żabka", "zabka"),
            ("Straße", "strasse"),
            ("ＧｉｔＨｕｂ", "github"),
            ("アメブロ", "アメブロ"),
            ("  ", ""),
        ] {
            assert_eq!(squash(name), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(issuer in ".*", account in ".{0,20}") {
            let found = find(&issuer, &account);
            prop_assert_eq!(found, find(&issuer.to_uppercase().to_lowercase(), &account).or(found));
        }

        #[test]
        fn hosts_of_strangers_name_nobody(name in "[a-z]{1,8}", brand in "github|google|paypal|steam|x") {
            prop_assert_eq!(find(&format!("{brand}.{name}-zq.com"), ""), None);
            prop_assert_eq!(find(&format!("https://{brand}-{name}zq.com/{brand}.com"), ""), None);
        }
    }
}
