//! Lists of revoked certificates, from a file and from a folder of files.

use crate::config::bounded::{self, CERTIFICATES_BYTES};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};

/// A folder of lists has no more files than this: each authority has one or two, and a link to it.
const MOST_FILES: usize = 1000;

type Lists = Vec<CertificateRevocationListDer<'static>>;

/// All lists that are named; nothing where none is.
pub(super) fn lists(file: Option<&Path>, folder: Option<&Path>) -> Result<Option<Lists>, String> {
    let mut lists = Lists::new();
    if let Some(file) = file {
        lists.extend(in_file(file)?);
    }
    if let Some(folder) = folder {
        let shown = folder.display();
        for file in files(folder).map_err(|error| format!("the folder {shown} cannot be read: {error}"))? {
            lists.extend(in_file(&file)?);
        }
        if lists.is_empty() {
            return Err(format!("the folder {shown} holds no list of revoked certificates"));
        }
    }
    // Folders hold each list twice: under its own name, and under the one that OpenSSL looks for.
    lists.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
    lists.dedup();
    Ok((file.is_some() || folder.is_some()).then_some(lists))
}

/// What is said of lists that are not understood.
pub(super) fn of_no_use(
    file: Option<&Path>,
    folder: Option<&Path>,
    error: &impl std::fmt::Display,
) -> String {
    let places: Vec<_> = file.iter().chain(&folder).map(|path| path.display().to_string()).collect();
    format!("a list of revoked certificates in {} is of no use: {error}", places.join(" or "))
}

fn in_file(path: &Path) -> Result<Lists, String> {
    let wrong =
        |error: String| format!("the list of revoked certificates {} is of no use: {error}", path.display());
    let bytes = bounded::bytes(path, CERTIFICATES_BYTES).map_err(|error| wrong(error.to_string()))?;
    CertificateRevocationListDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(std::io::Error::other(format!("it holds more than {MOST_FILES} files")));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_list_is_an_error_and_other_files_do_no_harm() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = || lists(None, Some(folder.path())).map(|found| found.map(|lists| lists.len()));
        let error = read().expect_err("there is none");
        assert!(error.contains("holds no list"), "{error}");
        let list = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
        for (name, text) in [("README", "what this is\n"), ("root.crl", list), ("0a1b2c3d.r0", list)] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        assert_eq!(read(), Ok(Some(1)));
        assert_eq!(lists(None, None).map(|found| found.is_none()), Ok(true));
        let words = of_no_use(Some(Path::new("/a.crl")), Some(Path::new("/b")), &"no");
        assert_eq!(words, "a list of revoked certificates in /a.crl or /b is of no use: no");
        let error = lists(None, Some(&folder.path().join("nowhere"))).expect_err("it is not there");
        assert!(error.contains("cannot be read"), "{error}");
    }
}
