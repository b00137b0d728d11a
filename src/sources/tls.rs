//! TLS for every client: one provider, one way to load trusted roots.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;

/// The cryptography behind every connection. Kept behind this one function so that it can be replaced.
#[must_use]
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates in a PEM file.
///
/// # Errors
/// A sentence that names the file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|error| format!("the certificate file {shown} cannot be read: {error}"))?
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate file {shown} is not valid PEM: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("the certificate file {shown} holds no certificate"));
    }
    Ok(certificates)
}

/// Trusted roots: those of `file`, else the system's, else (a machine without any) the Mozilla set built in.
///
/// # Errors
/// A sentence that names the file.
pub fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(path) = file {
        let (added, _) = store.add_parsable_certificates(certificates(path)?);
        if added == 0 {
            return Err(format!("no certificate in {} can be used as a root", path.display()));
        }
        return Ok(store);
    }
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

/// A verifying client configuration with the roots of `file` (or the system's), for HTTP.
///
/// # Errors
/// A sentence that names what is wrong with the roots.
pub fn client_config(file: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    Ok(rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots(file)?)
        .with_no_client_auth())
}

/// Makes the provider the one that every library finds by itself, unless another one was there first.
pub fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
