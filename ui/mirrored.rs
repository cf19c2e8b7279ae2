//! A language that nobody speaks: the English texts in Hebrew letters, from right to left and 40 % longer. Whatever is
//! clipped in it, or does not go through the catalogue, would be so in a real language, too.

/// The catalogue of that language, made from any complete one.
pub(crate) fn catalogue(complete: &str) -> String {
    let mut out = String::from(
        "msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n\"Plural-Forms: nplurals=2; plural=(n != 1);\\n\"\n\n",
    );
    let (mut about, mut one, mut many) = (String::new(), String::new(), String::new());
    for line in complete.lines().chain([""]) {
        if line.starts_with("msgctxt ") {
            about = format!("{line}\n");
        } else if let Some(text) = quoted(line, "msgid ") {
            one = text.to_owned();
        } else if let Some(text) = quoted(line, "msgid_plural ") {
            many = text.to_owned();
        } else if line.trim().is_empty() && !one.is_empty() {
            let (first, second) = (mirrored(&one), mirrored(&many));
            out += &if many.is_empty() {
                format!("{about}msgid \"{one}\"\nmsgstr \"{first}\"\n\n")
            } else {
                format!(
                    "{about}msgid \"{one}\"\nmsgid_plural \"{many}\"\nmsgstr[0] \"{first}\"\nmsgstr[1] \"{second}\"\n\n"
                )
            };
            about.clear();
            one.clear();
            many.clear();
        }
    }
    out
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix('"')?.strip_suffix('"')
}

/// Placeholders and escapes stay as they are.
fn mirrored(text: &str) -> String {
    const LETTERS: [char; 22] =
        ['א', 'ב', 'ג', 'ד', 'ה', 'ו', 'ז', 'ח', 'ט', 'י', 'כ', 'ל', 'מ', 'נ', 'ס', 'ע', 'פ', 'צ', 'ק', 'ר', 'ש', 'ת'];
    let (mut out, mut letters, mut in_placeholder, mut escaped) = (String::new(), 0, false, false);
    for c in text.chars() {
        in_placeholder = (in_placeholder && c != '}') || c == '{';
        if c.is_ascii_alphabetic() && !in_placeholder && !escaped {
            out.push(LETTERS[usize::from(c.to_ascii_lowercase() as u8 - b'a') % LETTERS.len()]);
            letters += 1;
        } else {
            out.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    // Words, and no one long one, so that it can break where the text could.
    for at in 0..letters * 2 / 5 {
        if at % 5 == 0 {
            out.push(' ');
        }
        out.push(LETTERS[at % LETTERS.len()]);
    }
    out
}
