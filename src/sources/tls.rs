//! TLS for every client: one provider, one way to load trusted roots, one way to look at a certificate, one way to say what is wrong.

mod anchors;
mod key;
mod revoked;
mod shown;
mod words;

pub use shown::Shown;
pub use words::{inside, words};

use crate::config::bounded::{self, CERTIFICATES_BYTES};
use crate::config::target::TlsVersions;
use crate::sources::bulkhead::FILES;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;
use x509_cert::der::asn1::{PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Depth {
    /// Nothing: whoever answers is believed.
    Nothing,
    /// That a trusted authority signed the certificate.
    Chain,
    /// That, and that it is for the name that was asked for.
    #[default]
    ChainAndName,
}

/// Whom a client trusts, and how it shows who it is.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// How much is verified.
    pub depth: Depth,
    /// PEM file of trusted roots; `None` means the system's.
    pub roots: Option<PathBuf>,
    /// PEM file of revoked certificates.
    pub revoked: Option<PathBuf>,
    /// A folder of such files.
    pub revoked_folder: Option<PathBuf>,
    /// PEM files of the client's certificate and key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// What that key is encrypted with, if it is.
    pub key_password: Option<SecretString>,
    /// Learns when the client's certificate was shown to a server that asked for it.
    pub shown: Shown,
    /// Versions that are spoken.
    pub versions: TlsVersions,
    /// The server is not told by which name it is meant.
    pub anonymous: bool,
    /// A certificate that names its host in its subject alone will do, as libpq has it.
    pub common_name: bool,
    /// The SHA-256 of the certificate that is believed, or that signed the one that is, whatever authorities and names say.
    pub fingerprint: Option<[u8; 32]>,
}

/// The cryptography behind every connection. Kept behind this one function so that it can be replaced.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates in a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let bytes = bounded::bytes(path, CERTIFICATES_BYTES)
        .map_err(|error| format!("the certificate file {shown} cannot be read: {error}"))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate file {shown} is not valid PEM: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("the certificate file {shown} holds no certificate"));
    }
    Ok(certificates)
}

/// Trusted roots: those of `file`, else the system's, else (a machine without any) the Mozilla set built in.
fn roots(file: Option<&[CertificateDer<'static>]>) -> Result<Arc<RootCertStore>, String> {
    if let Some(certificates) = file {
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(certificates.iter().cloned());
        if added == 0 {
            return Err("no certificate among the trusted ones can be used as a root".to_owned());
        }
        return Ok(Arc::new(store));
    }
    Ok(system_roots())
}

/// Roots of this machine that were read so long ago are read again by whoever needs them next.
const SHARED_FOR: Duration = Duration::from_secs(30);

/// The roots of this machine that somebody trusts now, and when they were read.
static SYSTEM_ROOTS: Mutex<Option<(Instant, Weak<RootCertStore>)>> = Mutex::new(None);

/// The roots of this machine. A hundred targets that begin together share one store; a certificate that is added later is found by whoever
/// connects a little later.
fn system_roots() -> Arc<RootCertStore> {
    let mut known = SYSTEM_ROOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = known.as_ref().filter(|(at, _)| at.elapsed() < SHARED_FOR);
    if let Some(shared) = fresh.and_then(|(_, shared)| shared.upgrade()) {
        return shared;
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let store = Arc::new(store);
    *known = Some((Instant::now(), Arc::downgrade(&store)));
    store
}

/// The configuration of a client that trusts as `trust` says.
///
/// # Errors
/// A sentence that names the file that is wrong.
pub async fn configured(trust: Trust) -> Result<ClientConfig, String> {
    let key = format!("{:?} {:?} {:?} {:?}", trust.roots, trust.revoked, trust.revoked_folder, trust.client);
    let failed = || Err("reading the certificates failed inside stacktop".to_owned());
    FILES.run(&key, move || client_config(&trust)).await.unwrap_or_else(failed)
}

/// The same. Reads files: call it off the event loop.
///
/// # Errors
/// A sentence that names the file that is wrong.
pub fn client_config(trust: &Trust) -> Result<ClientConfig, String> {
    const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
    let versions = match trust.versions {
        TlsVersions::Both => BOTH,
        TlsVersions::Only12 => &[&TLS12],
        TlsVersions::Only13 => &[&TLS13],
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier(trust)?));
    let mut config = match &trust.client {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let secret = key::private(key, trust.key_password.as_ref())?;
            builder.with_client_cert_resolver(Arc::new(
                trust.shown.telling(
                    CertifiedKey::from_der(certificates(cert)?, secret, &provider())
                        .map_err(|error| format!("certificate and key of the client do not fit: {error}"))?,
                ),
            ))
        }
    };
    config.enable_sni = !trust.anonymous;
    Ok(config)
}

fn verifier(trust: &Trust) -> Result<Verifier, String> {
    let looks = trust.depth != Depth::Nothing;
    let pinned = match trust.roots.as_deref().filter(|_| looks) {
        Some(path) if trust.common_name => {
            let rooted = anchors::rooted(certificates(path)?);
            let lacks = "holds no root: whoever signed what is in it is not there; add that certificate";
            Some(rooted)
                .filter(|rooted| !rooted.is_empty())
                .ok_or_else(|| format!("{} {lacks}", path.display()))
                .map(Some)?
        }
        Some(path) => Some(certificates(path)?),
        None => None,
    };
    let store = if looks { roots(pinned.as_deref())? } else { Arc::new(RootCertStore::empty()) };
    let (file, folder) = (trust.revoked.as_deref(), trust.revoked_folder.as_deref());
    let lists = match if looks { revoked::lists(file, folder)? } else { None } {
        None => None,
        Some(lists) => {
            let built = WebPkiServerVerifier::builder_with_provider(Arc::clone(&store), provider())
                .with_crls(lists)
                .build();
            Some(built.map_err(|error| revoked::of_no_use(file, folder, &error))?)
        }
    };
    Ok(Verifier {
        depth: trust.depth,
        common_name: trust.common_name,
        provider: provider(),
        roots: store,
        pinned: pinned.unwrap_or_default(),
        revocation: lists,
        fingerprint: trust.fingerprint,
    })
}

#[derive(Debug)]
struct Verifier {
    depth: Depth,
    common_name: bool,
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    /// The configured certificates themselves: a self-signed certificate that is an authority's by its own word is accepted where it
    /// is the very one that is trusted, as OpenSSL does.
    pinned: Vec<CertificateDer<'static>>,
    /// Looks at the chain and at the lists of what was revoked.
    revocation: Option<Arc<WebPkiServerVerifier>>,
    fingerprint: Option<[u8; 32]>,
}

impl Verifier {
    fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let looked = match &self.revocation {
            None => {
                let parsed = ParsedCertificate::try_from(leaf)?;
                let algorithms = self.provider.signature_verification_algorithms.all;
                verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &self.roots,
                    intermediates,
                    now,
                    algorithms,
                )
            }
            Some(lists) => match lists.verify_server_cert(leaf, intermediates, name, &[], now) {
                // It looks at the chain first: what is left is the name, which is not its business here.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(()),
                other => other.map(|_| ()),
            },
        };
        match looked {
            // Its validity was looked at before this.
            Err(error) if words::is_authority(&error) && self.pinned.iter().any(|known| known == leaf) => {
                Ok(())
            }
            other => other,
        }
    }

    /// The certificate is the one that is believed, or the one that is believed came along and has signed it.
    fn believed(
        &self,
        wanted: [u8; 32],
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let is_it = |certificate: &CertificateDer<'_>| Sha256::digest(certificate).as_slice() == wanted;
        if is_it(leaf) {
            return Ok(());
        }
        let Some(authority) = others.iter().find(|other| is_it(other)) else {
            return Err(Error::General(words::OTHER_FINGERPRINT.to_owned()));
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned()).map_err(|_| CertificateError::UnknownIssuer)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let leaf = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&leaf, &roots, others, now, algorithms)
    }

    /// Without verification a certificate that cannot even be parsed is no reason to refuse.
    fn lenient(
        &self,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match result {
            Err(Error::InvalidCertificate(CertificateError::BadEncoding)) if self.depth == Depth::Nothing => {
                Ok(HandshakeSignatureValid::assertion())
            }
            other => other,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.depth == Depth::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(wanted) = self.fingerprint {
            return self.believed(wanted, leaf, intermediates, now).map(|()| ServerCertVerified::assertion());
        }
        self.chain(leaf, intermediates, name, now)?;
        if self.depth == Depth::ChainAndName {
            let named = verify_server_name(&ParsedCertificate::try_from(leaf)?, name);
            if named.is_err() && !(self.common_name && subject_names(leaf, &name.to_str())) {
                named?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.lenient(verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.lenient(verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the subject's common name is `host`, in a certificate that names no host or address in the proper place.
fn subject_names(leaf: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(certificate) = x509_cert::Certificate::from_der(leaf) else { return false };
    let proper =
        certificate.tbs_certificate.get::<SubjectAltName>().ok().flatten().is_some_and(|(_, names)| {
            let counts =
                |name: &GeneralName| matches!(name, GeneralName::DnsName(_) | GeneralName::IpAddress(_));
            names.0.iter().any(counts)
        });
    let subject = &certificate.tbs_certificate.subject;
    let common = subject.0.iter().flat_map(|set| set.0.iter()).find(|part| part.oid == COMMON_NAME);
    let name = common.and_then(|part| {
        let der = part.value.to_der().ok()?;
        Utf8StringRef::from_der(&der)
            .map(|text| text.as_str().to_owned())
            .or_else(|_| PrintableStringRef::from_der(&der).map(|text| text.as_str().to_owned()))
            .or_else(|_| TeletexStringRef::from_der(&der).map(|text| text.as_str().to_owned()))
            .ok()
    });
    !proper && name.is_some_and(|name| means(&name, host))
}

/// libpq's rule: letter by letter without case, and `*.` stands for one label.
fn means(name: &str, host: &str) -> bool {
    let (name, host) = (name.to_ascii_lowercase(), host.to_ascii_lowercase());
    let wild = name.strip_prefix("*.").zip(host.split_once('.'));
    name == host || wild.is_some_and(|(rest, (label, domain))| !label.is_empty() && rest == domain)
}

/// Makes the provider the one that every library finds by itself, unless another one was there first.
pub fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
