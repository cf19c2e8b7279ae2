//! What the data of the collection cannot say: names that mean a brand, and words that do not. Each table is sorted.

/// Other names of a brand, squashed, and sites whose name is not the brand's, each with the brand's slug. A name goes in here when the
/// brand itself uses it or did, and nobody else does. Brands that are not in the collection (Amazon, Microsoft, Slack,
/// LinkedIn, Adobe and others) get no other's icon: they keep their letter.
#[rustfmt::skip]
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("appleid", "apple"), ("archive.org", "internetarchive"), ("bigcommerce.com", "bigcommerce"),
    ("bit.ly", "bitly"), ("blizzardbattlenet", "battledotnet"), ("bosch.com", "bosch"), ("claude.com", "claude"),
    ("coinbaseexchange", "coinbase"), ("coinbasepro", "coinbase"), ("docker.io", "docker"), ("dockerhub", "docker"),
    ("eagames", "ea"), ("electronicarts", "ea"), ("epicgamesstore", "epicgames"), ("expo.io", "expo"),
    ("facebookmeta", "facebook"), ("fb", "facebook"), ("firefoxaccount", "mozilla"), ("firefoxaccounts", "mozilla"),
    ("gcp", "googlecloud"), ("gitea.com", "gitea"), ("githubenterprise", "github"), ("gmx.at", "gmx"),
    ("gmx.ch", "gmx"), ("gmx.com", "gmx"), ("gmx.de", "gmx"), ("gmx.net", "gmx"), ("godaddy.com", "godaddy"),
    ("googleapps", "google"), ("googlecloudplatform", "googlecloud"), ("googlemail", "gmail"),
    ("googlemail.com", "gmail"), ("googleworkspace", "google"), ("gsuite", "google"), ("hetzner.de", "hetzner"),
    ("hetznercloud", "hetzner"), ("hetznerrobot", "hetzner"), ("honda.com", "honda"), ("ionos.com", "ionos"),
    ("keepersecurity", "keeper"), ("keepersecurity.com", "keeper"), ("lidl.com", "lidl"),
    ("mastodon.social", "mastodon"), ("mattermost.com", "mattermost"), ("mega.nz", "mega"),
    ("mongodbatlas", "mongodb"), ("mozilla.org", "mozilla"), ("mozillaaccount", "mozilla"),
    ("mozillaaccounts", "mozilla"), ("n8n.io", "n8n"), ("notion.com", "notion"), ("npmjs", "npm"),
    ("npmjs.com", "npm"), ("okx.com", "okx"), ("openproject.com", "openproject"), ("openvpn.com", "openvpn"),
    ("ovhcloud", "ovh"), ("ovhcloud.com", "ovh"), ("peugeot.com", "peugeot"), ("playstationnetwork", "playstation"),
    ("pm.me", "protonmail"), ("protonmail.com", "protonmail"), ("protonme", "proton"),
    ("proxmoxbackupserver", "proxmox"), ("proxmoxve", "proxmox"), ("proxmoxvirtualenvironment", "proxmox"),
    ("psn", "playstation"), ("pve", "proxmox"), ("pythonpackageindex", "pypi"), ("qnapnas", "qnap"),
    ("qq.com", "qq"), ("railway.com", "railway"), ("raspberrypi.com", "raspberrypi"), ("redis.com", "redis"),
    ("rockstar", "rockstargames"), ("sonyentertainmentnetwork", "playstation"), ("sonyplaystation", "playstation"),
    ("spreadshirt.com", "spreadshirt"), ("steamcommunity.com", "steam"), ("steamguard", "steam"),
    ("steampowered.com", "steam"), ("synologydsm", "synology"), ("t.me", "telegram"), ("transferwise", "wise"),
    ("tutamail", "tuta"), ("tutanota.com", "tuta"), ("twitter.com", "x"), ("twitterx", "x"), ("ubi.com", "ubisoft"),
    ("ubisoftconnect", "ubisoft"), ("ubnt", "ubiquiti"), ("ubuntuone", "ubuntu"), ("ui.com", "ubiquiti"),
    ("unifi", "ubiquiti"), ("uplay", "ubisoft"), ("vkontakte", "vk"), ("vodafone.com", "vodafone"),
    ("webflow.com", "webflow"), ("wikimedia", "wikimediafoundation"), ("wikipedia.org", "wikipedia"),
    ("wise.com", "wise"), ("wordpress.com", "wordpress"), ("xaccount", "x"), ("xcorp", "x"), ("xtwitter", "x"),
    ("zalando.com", "zalando"),
];

/// Names of brands that are ordinary words, or that others of some size carry too: alone they say nothing certain, and
/// people call their own servers so. Whoever wants such an icon chooses it.
#[rustfmt::skip]
pub(super) const NOT_A_BRAND: &[&str] = &[
    "abstract", "ada", "agora", "alchemy", "alfred", "amp", "ana", "answer", "apostrophe", "aqua", "arc", "arm",
    "aspire", "asterisk", "astra", "astral", "astro", "await", "axios", "babel", "bamboo", "bat", "beats", "bem",
    "bento", "bim", "biome", "bit", "black", "blueprint", "bluetooth", "boost", "bootstrap", "bower", "breaker",
    "bricks", "bruno", "buddy", "bun", "c", "capacitor", "castro", "ce", "celery", "charles", "chef", "circle",
    "claris", "clerk", "cockpit", "coder", "concourse", "consul", "convex", "cora", "cplusplus", "craftsman",
    "crayon", "crystal", "css", "cts", "cucumber", "cypress", "d", "dart", "dash", "delphi", "delta", "deno",
    "diaspora", "discover", "doi", "dolphin", "drizzle", "drone", "e", "e3", "eac", "eagle", "eight", "electron",
    "elk", "elm", "embark", "eraser", "express", "falcon", "fathom", "fi", "fig", "filament", "files", "first",
    "fizz", "flask", "flat", "flood", "flower", "fluke", "folo", "fox", "fresh", "frigate", "genius", "geode",
    "gin", "git", "glance", "glass", "gleam", "glide", "globus", "go", "hal", "haystack", "hearth", "helium",
    "helix", "helm", "here", "hermes", "homeassistantcommunitystore", "homepage", "honey", "html5", "hugo", "hyper",
    "iced", "iceland", "icon", "icq", "infuse", "ingress", "insomnia", "inspire", "iris", "javascript", "jest",
    "jet", "jordan", "json", "julia", "just", "katana", "keystone", "kirby", "kit", "known", "koc", "launchpad",
    "lazarus", "leaflet", "lens", "less", "lighthouse", "lightning", "linux", "lit", "literal", "local", "locust",
    "loop", "loops", "lua", "lucia", "lucid", "lumen", "magic", "mailbox", "malt", "man", "markdown", "marko",
    "matrix", "max", "maze", "medusa", "mermaid", "meteor", "metro", "mg", "mini", "mix", "mocha", "modal",
    "monica", "monster", "moo", "mural", "nano", "ndi", "near", "neon", "neptune", "nfc", "nomad", "note", "now",
    "nuke", "observable", "odin", "openid", "optimism", "org", "origin", "osf", "outline", "oxygen", "pangolin",
    "passport", "pelican", "penny", "perl", "persistent", "photon", "pi", "pix", "plane", "planet", "plume",
    "poetry", "poly", "polygon", "powers", "prefect", "prevention", "progress", "proteus", "pug", "quest", "radar",
    "ram", "rapid", "ray", "react", "reason", "recoil", "red", "redox", "refine", "reflex", "relay", "remix",
    "rich", "rider", "rime", "rocket", "rome", "root", "roots", "ros", "rss", "ruff", "rye", "satellite", "saturn",
    "scala", "scalar", "scan", "session", "shadow", "sharp", "shell", "shortcut", "skeleton", "slides", "smart",
    "snort", "socket", "solid", "sonar", "spectrum", "spine", "spotlight", "sst", "stellar", "stencil", "stimulus",
    "stylus", "swarm", "sway", "swc", "swift", "symphony", "tails", "talos", "tangled", "tapas", "task", "teal",
    "temporal", "textual", "things", "tile", "tina", "toll", "ton", "tower", "trove", "turbo", "twenty", "ty",
    "typescript", "v", "vapor", "vault", "vega", "vegas", "velocity", "vox", "wails", "warp", "webauthn", "wine",
    "wire", "wish", "workplace", "xml", "yale", "yeti", "yolo", "zap", "zod",
];

/// Words behind a brand that do not make it another: `GitHub Enterprise` is GitHub. Not here: words that many
/// companies have as the second half of their name (bank, cloud, mail, store, pro).
#[rustfmt::skip]
pub(super) const QUALIFIERS: &[&str] = &[
    "1", "2", "2fa", "3", "account", "accounts", "admin", "alternate", "auth", "authentication", "authenticator",
    "backup", "business", "classic", "console", "corporate", "customer", "dashboard", "demo", "dev", "developer",
    "developers", "development", "enterprise", "hosted", "id", "ii", "inc", "internal", "login", "main", "mfa",
    "new", "old", "online", "otp", "partner", "partners", "password", "personal", "portal", "primary", "private",
    "prod", "production", "profile", "root", "second", "secondary", "server", "signin", "sso", "staff", "staging",
    "support", "team", "teams", "test", "testing", "totp", "user", "users", "verification", "verify", "web",
    "website", "work", "workspace",
];

/// Brands that are themselves under the domains of many countries (`ebay.de`, `google.co.uk`).
#[rustfmt::skip]
pub(super) const INTERNATIONAL: &[&str] = &[
    "adidas", "airbnb", "allegro", "binance", "bitwarden", "blackberry", "cloudflare", "dropbox", "ebay", "etsy",
    "expedia", "facebook", "fiverr", "flickr", "godaddy", "google", "groupon", "hetzner", "hostinger", "ikea",
    "indeed", "instagram", "ionos", "kaufland", "lidl", "mediamarkt", "netflix", "nvidia", "ovh", "payoneer",
    "paypal", "pinterest", "playstation", "proton", "samsung", "siemens", "sony", "spotify", "starbucks", "steam",
    "synology", "tesla", "toyota", "trivago", "uber", "vodafone", "volkswagen", "wikipedia", "zalando", "zoho",
    "zomato",
];
