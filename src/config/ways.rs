//! The ways to log in that a server may ask for: libpq's `require_auth`.

use super::misspelt::suggestion;

/// One way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The password as it is.
    Password,
    /// Its MD5, with salt.
    Md5,
    /// Kerberos.
    Gss,
    /// Windows' own.
    Sspi,
    /// A proof that the password is known, of the server as well.
    Scram,
    /// A token of a third party.
    Oauth,
    /// The server asks for nothing.
    Nothing,
}

const ALL: [(&str, Way); 7] = [
    ("password", Way::Password),
    ("md5", Way::Md5),
    ("gss", Way::Gss),
    ("sspi", Way::Sspi),
    ("scram-sha-256", Way::Scram),
    ("oauth", Way::Oauth),
    ("none", Way::Nothing),
];

impl Way {
    /// libpq's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        ALL.iter().find(|(_, way)| *way == self).map_or("", |(word, _)| word)
    }
}

/// Those that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways([bool; ALL.len()]);

impl Ways {
    /// A list with commas: those that are allowed or, each with `!` before it, those that are not.
    ///
    /// # Errors
    /// When a word is not known, or both kinds are mixed.
    pub fn read(text: &str) -> Result<Self, String> {
        // As libpq has it: with an empty list only a server that asks for nothing is let in on.
        let text = if text.is_empty() { Way::Nothing.word() } else { text };
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let negative = words[0].starts_with('!');
        let mut ways = [negative; ALL.len()];
        for word in words {
            let (not, word) = word.strip_prefix('!').map_or((false, word), |word| (true, word));
            if not != negative {
                return Err("require_auth has words with and without `!`: write all with `!` or all without"
                    .to_owned());
            }
            let Some(at) = ALL.iter().position(|(known, _)| *known == word) else {
                let known = ALL.map(|(known, _)| known);
                let meant = suggestion(word, known);
                return Err(format!(
                    "require_auth has a word that is not known there; there are {}{meant}",
                    known.join(", ")
                ));
            };
            ways[at] = !negative;
        }
        Ok(Self(ways))
    }

    /// Whether the server may ask for this one.
    #[must_use]
    pub fn allows(self, way: Way) -> bool {
        ALL.iter().zip(self.0).any(|((_, known), allowed)| *known == way && allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match Ways::read(text) {
            Ok(ways) => {
                let allowed: Vec<&str> =
                    ALL.iter().filter(|(_, way)| ways.allows(*way)).map(|(word, _)| *word).collect();
                allowed.join(" ")
            }
            Err(error) => error,
        };
        assert!(told.contains(expected), "{text}: {told}");
    }

    #[test]
    fn lists_allow_or_refuse() {
        check("scram-sha-256", "scram-sha-256");
        check("md5, scram-sha-256", "md5 scram-sha-256");
        check("!password,!md5", "gss sspi scram-sha-256 oauth none");
        check("none", "none");
        check("!none", "password md5 gss sspi scram-sha-256 oauth");
        check("scram", "is not known there");
        check("md5,!none", "all with `!` or all without");
        check("", "none");
        check(",", "is not known there");
        assert_eq!(Way::Scram.word(), "scram-sha-256");
    }
}
