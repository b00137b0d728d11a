//! `[notify]` of the configuration file: who is told of findings beside the screen. The URL of a webhook is a secret: whoever has it may
//! post there.

use super::bounded;
use super::command::SecretCommand;
use super::secret::Secret;
use super::target::DEFAULT_TIMEOUT;
use super::url;
use crate::core::alert::Severity;
use crate::core::notify::{Desktop, NotifySettings};
use serde::Deserialize;
use serde::de::{Error, Visitor};
use std::fmt;
use std::path::PathBuf;

/// From how bad on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Option<Severity>);

/// One of a few words; which ones is told where another one stands.
struct Word(&'static str);

impl Visitor<'_> for Word {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        const WORDS: &str = "\"critical\", \"warning\" or \"off\"";
        match reader.deserialize_str(Word(WORDS))?.as_str() {
            "critical" => Ok(Self(Some(Severity::Critical))),
            "warning" => Ok(Self(Some(Severity::Warning))),
            "off" => Ok(Self(None)),
            _ => Err(D::Error::custom(format!("this is no level; write {WORDS}"))),
        }
    }
}

/// How the desktop is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means(pub Desktop);

impl<'de> Deserialize<'de> for Means {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        const WORDS: &str = "\"off\", \"osc9\" or \"osc777\"";
        match reader.deserialize_str(Word(WORDS))?.as_str() {
            "off" => Ok(Self(Desktop::Off)),
            "osc9" => Ok(Self(Desktop::Osc9)),
            "osc777" => Ok(Self(Desktop::Osc777)),
            _ => Err(D::Error::custom(format!("this is no way to tell the desktop; write {WORDS}"))),
        }
    }
}

/// Who is told of findings beside the screen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyFile {
    /// From how bad on the terminal's bell rings.
    pub bell: Option<Level>,
    /// How the desktop is told.
    pub desktop: Option<Means>,
    /// Where findings are posted.
    pub webhook: Option<WebhookFile>,
}

/// Where findings are posted as JSON.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookFile {
    /// Its URL.
    pub url: Option<String>,
    /// File with the URL.
    pub url_file: Option<PathBuf>,
    /// Command that prints the URL.
    pub url_command: Option<String>,
    /// From how bad on it is told.
    pub min: Option<Level>,
}

impl fmt::Debug for WebhookFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookFile")
            .field("url_file", &self.url_file)
            .field("min", &self.min)
            .finish_non_exhaustive()
    }
}

impl NotifyFile {
    /// The command that reading the URL would run.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.webhook.as_ref()?.url_command.as_deref()
    }

    /// Where findings would be sent, in words without the secret.
    #[must_use]
    pub fn deed(&self) -> Option<String> {
        let webhook = self.webhook.as_ref()?;
        let place = webhook.url.as_deref().and_then(|url| url::http(url).ok()).map(|http| http.host());
        let place = place.unwrap_or_else(|| "an address that is kept elsewhere".to_owned());
        Some(format!("a webhook at {place}, which is told of findings"))
    }

    /// What is in force, and the URL of the webhook.
    #[must_use]
    pub fn in_force(&self) -> (NotifySettings, Option<Secret>) {
        let default = NotifySettings::default();
        let url = self.webhook.as_ref().and_then(secret);
        let least = self
            .webhook
            .as_ref()
            .map_or(Level(None), |webhook| webhook.min.unwrap_or(Level(Some(Severity::Critical))));
        let settings = NotifySettings {
            bell: self.bell.map_or(default.bell, |level| level.0),
            desktop: self.desktop.map_or(default.desktop, |means| means.0),
            webhook: least.0.filter(|_| url.is_some()),
        };
        (settings, url)
    }

    /// Why it cannot be so, and the key of the webhook that this is about.
    pub(super) fn mistake(&self) -> Option<(&'static str, String)> {
        let webhook = self.webhook.as_ref()?;
        let given = [webhook.url.is_some(), webhook.url_file.is_some(), webhook.url_command.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Some(("", "give one of url, url_file and url_command".to_owned()));
        }
        if let Some(Err(why)) = webhook.url.as_deref().map(url::http) {
            return Some(("url", why));
        }
        let path = webhook.url_file.as_deref()?;
        // The URL itself may stand there by mistake: it is not repeated.
        let unreadable = |_| ("url_file", "the file that it names cannot be read".to_owned());
        bounded::bytes(path, bounded::SECRET_BYTES).err().map(unreadable)
    }
}

fn secret(webhook: &WebhookFile) -> Option<Secret> {
    let command = |text: &String| Secret::Command(SecretCommand::new(text, DEFAULT_TIMEOUT));
    let inline = webhook.url.as_ref().map(Secret::inline);
    inline
        .or_else(|| webhook.url_file.clone().map(Secret::File))
        .or_else(|| webhook.url_command.as_ref().map(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::form;

    fn read(text: &str) -> (NotifyFile, Vec<String>) {
        let form = form::read("c.toml", text);
        let mut told = form.mistakes.clone();
        let at = |key| form.places.of(&["notify", "webhook", key]);
        told.extend(form.file.notify.mistake().map(|(key, why)| format!("{}: {why}", at(key))));
        (form.file.notify, told)
    }

    #[track_caller]
    fn refused(text: &str, expected: &[&str]) {
        let (_, told) = read(text);
        assert_eq!(told.len(), 1, "{told:?}");
        for expected in expected {
            assert!(told[0].contains(expected), "{told:?}");
        }
        assert!(!told[0].contains("hunter2"), "{told:?}");
    }

    #[test]
    fn mistakes_name_their_place_and_the_remedy_and_no_secret() {
        refused("[notify]\nbel = \"off\"\n", &["c.toml:2:1: unknown field `bel`", "did you mean `bell`?"]);
        refused("[notify]\nbell = \"loud\"\n", &["c.toml:2:", "\"critical\", \"warning\" or \"off\""]);
        refused("[notify]\nbell = 3\n", &["c.toml:2:8", "an integer is not \"critical\""]);
        refused("[notify]\ndesktop = \"growl\"\n", &["c.toml:2:", "\"osc9\" or \"osc777\""]);
        refused("[[notify]]\n", &["write [notify] in single brackets"]);
        refused("[notify.webhook]\nmin = \"critical\"\n", &["c.toml:1:9: give one of url"]);
        refused("[notify.webhook]\nurl = \"http://h/hunter2\"\nurl_command = \"x\"\n", &["give one of url"]);
        refused("[notify.webhook]\nurl = \"ftp://h/hunter2\"\n", &["c.toml:2:1", "not http:// or https://"]);
        refused("[notify.webhook]\nurl_file = \"/nowhere/hunter2\"\n", &["c.toml:2:1", "cannot be read"]);
    }

    #[test]
    fn without_a_word_the_bell_rings_for_what_is_critical_and_nothing_else_is_told() {
        let (settings, url) = NotifyFile::default().in_force();
        assert_eq!(settings, NotifySettings::default());
        assert!(url.is_none() && settings.webhook.is_none());
        let (file, told) = read(
            "[notify]\nbell = \"off\"\ndesktop = \"osc9\"\n[notify.webhook]\nurl = \"https://h/hunter2\"\n",
        );
        assert_eq!(told, Vec::<String>::new());
        let (settings, url) = file.in_force();
        let expected =
            NotifySettings { bell: None, desktop: Desktop::Osc9, webhook: Some(Severity::Critical) };
        assert_eq!(settings, expected);
        assert!(url.is_some() && !format!("{file:?} {url:?}").contains("hunter2"));
        assert_eq!(file.deed().as_deref(), Some("a webhook at h, which is told of findings"));
    }
}
