//! Writes what is exported: files of their owner's only, which never take another one's place.

use crate::actions::lines::own_folder;
use crate::app::msg::FileText;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Only its owner reads it: it holds what the screen holds.
const FILE_MODE: u32 = 0o600;

/// Writes `files` into `folder` and says in a sentence where they are.
pub async fn write(folder: std::path::PathBuf, files: Vec<FileText>) -> String {
    let done = tokio::task::spawn_blocking(move || {
        own_folder(&folder);
        all(&folder, &files).map(|()| told(&folder, &files))
    });
    match done.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(sentence) => sentence,
        Err(error) => format!("could not be exported: {error}"),
    }
}

fn all(folder: &Path, files: &[FileText]) -> io::Result<()> {
    for file in files {
        let path = folder.join(&file.name);
        let mut opened = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
        opened.write_all(file.text.as_bytes())?;
    }
    Ok(())
}

/// The place of the first file, and the endings of all.
fn told(folder: &Path, files: &[FileText]) -> String {
    let Some(first) = files.first() else { return "there is nothing to export".to_owned() };
    let stem = Path::new(&first.name).with_extension("");
    let endings: Vec<&str> = files.iter().filter_map(|file| file.name.rsplit('.').next()).collect();
    format!("exported: {}.{}", folder.join(stem).display(), endings.join(" ."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn files_are_their_owners_and_stay_as_they_were() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("exports");
        let file = |text: &str| {
            ["txt", "csv"].map(|end| FileText { name: format!("queues-1.{end}"), text: text.to_owned() })
        };
        let told = write(folder.clone(), file("one").to_vec()).await;
        assert_eq!(told, format!("exported: {}/queues-1.txt .csv", folder.display()));
        let again = write(folder.clone(), file("two").to_vec()).await;
        assert!(again.starts_with("could not be exported"), "{again}");
        let path = folder.join("queues-1.csv");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
