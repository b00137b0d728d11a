//! The private key of a client, as libpq reads it: nobody else's to read, and perhaps encrypted.

use crate::config::bounded::{self, CERTIFICATES_BYTES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs5::EncryptionScheme;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use x509_cert::der::asn1::OctetStringRef;
use x509_cert::der::{self, Decode, Reader};

/// The lines around a key that is encrypted.
const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// What is said of the ciphers of old times.
const OTHER_WAY: &str =
    "is encrypted in a way that is not read here: openssl pkcs8 -topk8 -v2 aes-256-cbc writes it anew";
/// What a key says that OpenSSL encrypted in its own old way.
const OLD: &str = "Proc-Type: 4,ENCRYPTED";

/// The key in this file. A key that others may read is none; what is not encrypted needs no password, whether one is given or not.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn private(
    path: &Path,
    password: Option<&SecretString>,
) -> Result<PrivateKeyDer<'static>, String> {
    let shown = path.display();
    let meta =
        std::fs::metadata(path).map_err(|error| format!("the key file {shown} cannot be read: {error}"))?;
    // As libpq: root may let a group read its keys.
    let forbidden = if meta.uid() == 0 { 0o037 } else { 0o077 };
    if meta.mode() & forbidden != 0 {
        return Err(format!("the key file {shown} may be read by others: chmod 600 {shown}"));
    }
    let bytes = bounded::bytes(path, CERTIFICATES_BYTES)
        .map_err(|error| format!("the key file {shown} cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains(OLD) {
        return Err(format!(
            "the key file {shown} is encrypted in OpenSSL's old way, which is not read here: \
             openssl pkcs8 -topk8 -in {shown} writes it anew"
        ));
    }
    let Some(inside) = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)) else {
        return PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|error| format!("the key file {shown} cannot be used: {error}"));
    };
    let password = password.ok_or_else(|| {
        format!(
            "the key file {shown} is encrypted: give sslpassword in the url of a Postgres, or a key without \
             a passphrase"
        )
    })?;
    opened(inside.0, password).map_err(|why| format!("the key file {shown} {why}"))
}

/// The key that this text holds, encrypted.
fn opened(text: &str, password: &SecretString) -> Result<PrivateKeyDer<'static>, &'static str> {
    let packed: String = text.split_whitespace().collect();
    let der = STANDARD.decode(packed).map_err(|_| "is not valid PEM")?;
    let (scheme, data) = parts(&der).map_err(|_| OTHER_WAY)?;
    let key = scheme.decrypt(password.expose_secret(), data).map_err(|error| match error {
        // (It says the second one where what was decrypted does not end as it should.)
        pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed => "is not opened by sslpassword",
        _ => OTHER_WAY,
    })?;
    // A wrong password may leave what looks like an end, and is no key.
    der::AnyRef::from_der(&key).map_err(|_| "is not opened by sslpassword")?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)))
}

/// How it is encrypted, and what is.
fn parts(der: &[u8]) -> der::Result<(EncryptionScheme<'_>, &[u8])> {
    let mut reader = der::SliceReader::new(der)?;
    let found = reader.sequence(|inner| {
        let scheme = EncryptionScheme::decode(inner)?;
        Ok((scheme, OctetStringRef::decode(inner)?.as_bytes()))
    })?;
    reader.finish(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    /// A key as OpenSSL writes it, and what becomes of it with a password.
    fn read(arguments: &str, password: Option<&str>) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let plain = folder.path().join("plain");
        let openssl = |arguments: &str| {
            let output = Command::new("openssl").args(arguments.split(' ')).output().expect("openssl runs");
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        openssl(&format!("genrsa -traditional -out {} 2048", plain.display()));
        openssl(&format!("{arguments} -in {} -out {}", plain.display(), path.display()));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        let password = password.map(SecretString::from);
        private(&path, password.as_ref()).map(|key| {
            assert!(matches!(key, PrivateKeyDer::Pkcs8(_)));
        })
    }

    #[track_caller]
    fn check(arguments: &str, password: Option<&str>, expected: Result<(), &str>) {
        match (read(arguments, password), expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) if error.contains(part) => {
                assert!(!error.contains("geheim"), "{error}");
            }
            (got, expected) => panic!("{arguments} {password:?}: {got:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_key_that_is_encrypted_is_opened_by_its_password_alone() {
        let new = "pkcs8 -topk8 -passout pass:geheim";
        check(new, Some("geheim"), Ok(()));
        check(new, Some("another-geheim"), Err("is not opened by sslpassword"));
        check(new, Some(""), Err("is not opened by sslpassword"));
        check(new, None, Err("is encrypted: give sslpassword"));
        check(&format!("{new} -v2 aes128"), Some("geheim"), Ok(()));
        check(&format!("{new} -scrypt"), Some("geheim"), Ok(()));
        check(&format!("{new} -v2 des3"), Some("geheim"), Err("not read here: openssl pkcs8"));
        check("pkcs8 -topk8 -nocrypt", Some("geheim"), Ok(()));
        check("pkcs8 -topk8 -nocrypt", None, Ok(()));
        let old = "rsa -traditional -aes256 -passout pass:geheim";
        check(old, Some("geheim"), Err("OpenSSL's old way"));
    }
}
