//! Where Go's regular expressions, which an Alertmanager tries, and ours do not mean the same. What differs is refused: a preview that names
//! other alerts than are silenced then is worse than none. What only one of the two can read does no harm, and is told by whoever cannot.
//! Pure.

/// The most often that Go repeats something.
const MOST: u32 = 1000;

/// What in `pattern` an Alertmanager reads otherwise than we do, and what to write instead.
#[must_use]
pub(super) fn differs(pattern: &str) -> Option<String> {
    let signs: Vec<char> = pattern.chars().collect();
    let mut walk = Walk { signs: &signs, at: 0, folds: false, wide: false };
    let found = walk.first();
    if found.is_some() || !(walk.folds && walk.wide) {
        return found;
    }
    Some(
        "`(?i)` with letters beyond ASCII is tried otherwise by an Alertmanager: write both cases, as `[Éé]`"
            .to_owned(),
    )
}

/// A walk over the signs of a pattern.
struct Walk<'a> {
    signs: &'a [char],
    at: usize,
    /// Whether upper and lower case are the same somewhere.
    folds: bool,
    /// Whether a sign beyond ASCII is named.
    wide: bool,
}

impl Walk<'_> {
    fn sign(&self) -> Option<char> {
        self.signs.get(self.at).copied()
    }

    /// The signs from here on, up to and with the first `end`.
    fn up_to(&self, end: char) -> Option<String> {
        let rest = &self.signs[self.at..];
        let length = rest.iter().position(|sign| *sign == end)?;
        Some(rest[..=length].iter().collect())
    }

    /// The first thing that differs.
    fn first(&mut self) -> Option<String> {
        let mut repeated = false;
        while let Some(sign) = self.sign() {
            self.at += 1;
            let repeats = matches!(sign, '*' | '+' | '?' | '{');
            if repeats && repeated {
                return Some(format!(
                    "`{sign}` behind a repetition is refused by an Alertmanager: put what is repeated into `(?:…)`"
                ));
            }
            let found = match sign {
                '\\' => self.escape(),
                '[' => self.class(),
                '(' if self.sign() == Some('?') => self.flags(),
                '{' => self.repetition(),
                sign => {
                    self.wide |= !sign.is_ascii();
                    None
                }
            };
            if found.is_some() {
                return found;
            }
            repeated = repeats;
            if repeats && self.sign() == Some('?') {
                self.at += 1;
            }
        }
        None
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<String> {
        let sign = self.sign()?;
        self.at += 1;
        match sign {
            '<' | '>' => Some(format!(
                "`\\{sign}` is the sign {sign} for an Alertmanager, not an edge of a word: write `{sign}` or `\\b`"
            )),
            'b' | 'B' if self.sign() == Some('{') => {
                Some(format!("`\\{sign}{{` is no edge of a word for an Alertmanager: write `\\b`"))
            }
            'u' | 'U' => Some(format!(
                "`\\{sign}` is unknown to an Alertmanager: write the sign itself, or `\\x{{…}}`"
            )),
            'x' => {
                let digits: String = match self.sign() {
                    Some('{') => self.up_to('}').unwrap_or_default(),
                    _ => self.signs[self.at..].iter().take(2).collect(),
                };
                let code = u32::from_str_radix(digits.trim_matches(['{', '}']), 16);
                self.wide |= code.is_ok_and(|code| code > 0x7f);
                self.at = (self.at + digits.chars().count()).min(self.signs.len());
                None
            }
            _ => None,
        }
    }

    /// A class, up to its end. Classes within classes are refused by ours.
    fn class(&mut self) -> Option<String> {
        if self.sign() == Some('^') {
            self.at += 1;
        }
        let begin = self.at;
        while let Some(sign) = self.sign() {
            self.at += 1;
            match sign {
                ']' if self.at > begin + 1 => return None,
                '[' if self.sign() == Some(':') => {
                    let length = self.up_to(']').map_or(0, |name| name.chars().count());
                    self.at += length;
                }
                '\\' => {
                    if let Some(found) = self.escape() {
                        return Some(found);
                    }
                }
                sign => self.wide |= !sign.is_ascii(),
            }
        }
        None
    }

    /// What follows `(?`: flags, or a name.
    fn flags(&mut self) -> Option<String> {
        self.at += 1;
        let mut on = true;
        while let Some(sign) = self.sign() {
            self.at += 1;
            match sign {
                '-' => on = false,
                'i' => self.folds |= on,
                'x' | 'R' | 'u' => {
                    return Some(format!("the flag `{sign}` is unknown to an Alertmanager: leave it out"));
                }
                '<' => {
                    return Some(
                        "a name as `(?<…>` is unknown to older ones: write `(?:` or `(?P<…>`".to_owned(),
                    );
                }
                'm' | 's' | 'U' => {}
                _ => return None,
            }
        }
        None
    }

    /// What follows `{`: how often.
    fn repetition(&mut self) -> Option<String> {
        let inner = self.up_to('}').unwrap_or_default();
        let inner = inner.trim_end_matches('}');
        let (least, most) = inner.split_once(',').map_or((inner, ""), |(least, most)| (least, most));
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|sign| sign.is_ascii_digit());
        if !is_number(least) || !(most.is_empty() || is_number(most)) {
            return Some(format!(
                "`{{{inner}}}` is no repetition for an Alertmanager, but these signs themselves: write `{{0,3}}`, or `\\{{`"
            ));
        }
        let is_many =
            |text: &str| !text.is_empty() && text.parse::<u32>().map_or(true, |number| number > MOST);
        if is_many(least) || is_many(most) {
            return Some(format!("an Alertmanager repeats nothing more than {MOST} times"));
        }
        self.at += inner.chars().count() + 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(pattern: &str) {
        assert_eq!(differs(pattern), None, "{pattern}");
        assert!(regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok(), "{pattern} is read");
    }

    #[track_caller]
    fn other(pattern: &str, begins: &str) {
        let found = differs(pattern).unwrap_or_default();
        assert!(found.starts_with(begins), "{pattern}: {found}");
    }

    #[test]
    fn what_both_mean_alike_is_tried() {
        for pattern in [
            "",
            "a|b",
            "db-[0-9]+\\.shop",
            "(?i)error",
            "(?i:a)b",
            "a*?b+?c??",
            "a{2}b{2,}c{2,3}?",
            "[]a]",
            "[^]<>{*+?]+",
            "[[:alpha:]_]",
            "\\d\\w\\b\\.",
            "é+",
            "[é-ü]",
            "(?P<name>a)",
            "(?s).*",
            "(?-i)é",
            "\\x41\\x{e9}",
            "(a*)*",
            "\\*+",
            "(?:a+)+",
        ] {
            same(pattern);
        }
    }

    #[test]
    fn what_an_alertmanager_reads_otherwise_is_refused_and_named() {
        for (pattern, begins) in [
            ("\\<db", "`\\<` is the sign <"),
            ("db\\>", "`\\>` is the sign >"),
            ("[\\<]", "`\\<` is the sign <"),
            ("\\b{start}a", "`\\b{` is no edge"),
            ("(?i)é", "`(?i)` with letters beyond ASCII"),
            ("é(?i)a", "`(?i)` with letters beyond ASCII"),
            ("(?i)[à-ü]", "`(?i)` with letters beyond ASCII"),
            ("(?i)\\xe9", "`(?i)` with letters beyond ASCII"),
            ("(?si:\\x{e9})", "`(?i)` with letters beyond ASCII"),
            ("(?x)a b", "the flag `x`"),
            ("(?R)a", "the flag `R`"),
            ("(?-u)a", "the flag `u`"),
            ("(?<n>a)", "a name as"),
            ("\\u00e9", "`\\u` is unknown"),
            ("a**", "`*` behind a repetition"),
            ("a*+", "`+` behind a repetition"),
            ("a{2}{3}", "`{` behind a repetition"),
            ("a{,3}", "`{,3}` is no repetition"),
            ("a{ 1 , 2 }", "`{ 1 , 2 }` is no repetition"),
            ("a{x}", "`{x}` is no repetition"),
            ("a{1001}", "an Alertmanager repeats nothing"),
            ("a{1,99999999999}", "an Alertmanager repeats nothing"),
        ] {
            other(pattern, begins);
        }
    }
}
