//! What a path in the configuration file means: `~/` is the home folder, anything that is not absolute is below the folder of the file.

use super::file::File;
use super::form::Spans;
use std::path::{Path, PathBuf};

/// Makes every path of `file` whole; what cannot be is told. `folder` is that of the file, `home` that of the user.
pub(super) fn anchor(file: &mut File, places: &Spans, folder: &Path, home: Option<&str>) -> Vec<String> {
    let mut anchor = Anchor { places, folder, home, told: Vec::new() };
    if let Some(theme) = &mut file.theme
        && names_a_file(theme)
    {
        anchor.text(&["theme"], theme);
    }
    if let Some(webhook) = &mut file.notify.webhook {
        anchor.path(&["notify", "webhook", "url_file"], webhook.url_file.as_mut());
    }
    for (table, index, entry) in file.entries_mut() {
        let index = index.to_string();
        for (key, path) in entry.paths() {
            anchor.path(&[table, &index, key], path.as_mut());
        }
    }
    for (index, entry) in file.postgres.iter_mut().enumerate() {
        if let Some(pattern) = &mut entry.backups {
            anchor.text(&["postgres", &index.to_string(), "backups"], pattern);
        }
    }
    for (index, entry) in file.log.iter_mut().enumerate() {
        if let Some(program) = entry.program() {
            anchor.text(&["log", &index.to_string(), "command"], program);
        }
    }
    for (index, entry) in file.discover.iter_mut().enumerate() {
        let index = index.to_string();
        for pattern in &mut entry.files {
            anchor.text(&["discover", &index, "files"], pattern);
        }
        // A program of its folder; one without a folder is looked for in PATH.
        if let Some(program) = entry.command.first_mut().filter(|program| program.contains('/')) {
            anchor.text(&["discover", &index, "command"], program);
        }
        anchor.path(&["discover", &index, "password_file"], entry.password_file.as_mut());
        anchor.path(&["discover", &index, "token_file"], entry.token_file.as_mut());
        anchor.path(&["discover", &index, "ca"], entry.ca.as_mut());
    }
    anchor.told
}

/// Whether a theme is given by its file instead of by its name.
#[must_use]
pub fn names_a_file(theme: &str) -> bool {
    theme.contains('/') || Path::new(theme).extension().is_some()
}

struct Anchor<'a> {
    places: &'a Spans,
    folder: &'a Path,
    home: Option<&'a str>,
    told: Vec<String>,
}

impl Anchor<'_> {
    fn path(&mut self, path: &[&str], given: Option<&mut PathBuf>) {
        if let Some(given) = given {
            match whole(given, self.folder, self.home) {
                Ok(whole) => *given = whole,
                Err(why) => self.tell(path, why),
            }
        }
    }

    fn text(&mut self, path: &[&str], given: &mut String) {
        match whole(Path::new(given), self.folder, self.home) {
            Ok(whole) => *given = whole.display().to_string(),
            Err(why) => self.tell(path, why),
        }
    }

    fn tell(&mut self, path: &[&str], why: &str) {
        let key = path.last().copied().unwrap_or_default();
        self.told.push(format!("{}: {key} {why}", self.places.of(path)));
    }
}

fn whole(given: &Path, folder: &Path, home: Option<&str>) -> Result<PathBuf, &'static str> {
    if given.as_os_str().is_empty() {
        return Err("is empty");
    }
    match given.strip_prefix("~") {
        Ok(rest) => match home {
            Some(home) => Ok(Path::new(home).join(rest)),
            None => Err("begins with ~, and HOME is not set"),
        },
        Err(_) if given.to_string_lossy().starts_with('~') => {
            Err("names the home of another user by ~: write the whole path")
        }
        Err(_) => Ok(folder.join(given)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::form;

    #[test]
    fn every_path_key_is_made_whole() {
        let text = "theme = \"my/theme.toml\"\n[notify.webhook]\nurl_file = \"hook\"\n[[postgres]]\nurl = \"x\"\npassword_file = \"~/pw\"\nca = \"ca.pem\"\n\
                    pgbouncer_password_file = \"../pw\"\nbackups = \"dumps/*.gz\"\n\
                    [[redis]]\nurl = \"x\"\npassword_file = \"/abs\"\nsentinel_password_file = \"s\"\nca = \"~/ca\"\n\
                    client_cert = \"o\"\nclient_key = \"k\"\n\
                    [[search]]\nurl = \"x\"\napi_key_file = \"k\"\ntoken_file = \"t\"\nca = \"c\"\npassword_file = \"p\"\n\
                    client_cert = \"~/o\"\nclient_key = \"~/k\"\n\
                    [[metrics]]\nurl = \"x\"\ntoken_file = \"~/t\"\n\
                    [[prometheus]]\nurl = \"x\"\ntoken_file = \"t\"\npassword_file = \"p\"\nca = \"c\"\n\
                    [[discover]]\nname = \"l\"\nfiles = [\"l/*.json\"]\ntoken_file = \"t\"\npassword_file = \"p\"\nca = \"c\"\n";
        let mut form = form::read("c.toml", text);
        assert_eq!(form.mistakes, Vec::<String>::new());
        let told = anchor(&mut form.file, &form.places, Path::new("/etc/top"), Some("/h"));
        assert_eq!(told, Vec::<String>::new());
        let all = format!("{:?}", form.file);
        // Every key of a path that the file can have is in the text above, and none is left as it was.
        for key in [
            "password_file",
            "ca",
            "client_cert",
            "client_key",
            "token_file",
            "api_key_file",
            "backups",
            "theme",
            "url_file",
        ] {
            for value in all.split(&format!("{key}: Some(\"")).skip(1) {
                assert!(value.starts_with('/'), "{key} in {all}");
            }
        }
        assert!(all.contains("files: [\"/etc/top/l/*.json\"]"), "{all}");
        assert!(
            all.contains("\"/h/pw\"") && all.contains("\"/etc/top/../pw\"") && all.contains("\"/abs\""),
            "{all}"
        );
    }

    #[test]
    fn what_cannot_be_whole_is_told() {
        let text = "theme = \"dark\"\n[[redis]]\nurl = \"x\"\nca = \"~\"\npassword_file = \"~ann/pw\"\nsentinel_password_file = \"\"\n";
        let mut form = form::read("c.toml", text);
        let told = anchor(&mut form.file, &form.places, Path::new("/etc"), None);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("c.toml:5:1: password_file names the home of another user"), "{told:?}");
        assert_eq!(form.file.theme.as_deref(), Some("dark"));
    }
}
