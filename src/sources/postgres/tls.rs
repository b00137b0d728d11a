//! TLS to Postgres, as libpq means its words: `require` encrypts without looking, `verify-ca` looks at the chain, `verify-full` at the
//! name too. Never falls back to something weaker than asked.

use crate::config::target::{PgTls, PostgresConnect};
use crate::sources::tls::{certificates, provider, roots};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Nothing,
    Chain,
    ChainAndName,
}

#[derive(Debug)]
struct Verifier {
    depth: Depth,
    provider: Arc<CryptoProvider>,
    roots: RootCertStore,
    /// The configured certificates themselves: a self-signed server certificate given as root is accepted, as libpq does.
    pinned: Vec<CertificateDer<'static>>,
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
        let parsed = ParsedCertificate::try_from(leaf)?;
        if !self.pinned.iter().any(|known| known.as_ref() == leaf.as_ref()) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        }
        if self.depth == Depth::ChainAndName {
            verify_server_name(&parsed, name)?;
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

impl Verifier {
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

/// The TLS configuration for `connect`. Reads certificate files: call it off the event loop.
///
/// # Errors
/// A sentence that names the file that is wrong.
pub fn config(connect: &PostgresConnect) -> Result<ClientConfig, String> {
    let depth = match connect.tls {
        PgTls::Disable | PgTls::Allow | PgTls::Prefer => Depth::Nothing,
        PgTls::Require if connect.root_cert.is_none() => Depth::Nothing,
        PgTls::Require | PgTls::VerifyCa => Depth::Chain,
        PgTls::VerifyFull => Depth::ChainAndName,
    };
    let looks = depth != Depth::Nothing;
    let file = connect.root_cert.as_deref().filter(|_| looks);
    let verifier = Verifier {
        depth,
        provider: provider(),
        roots: if looks { roots(file)? } else { RootCertStore::empty() },
        pinned: file.map_or_else(|| Ok(Vec::new()), certificates)?,
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match &connect.client_cert {
        None => Ok(builder.with_no_client_auth()),
        Some((cert, key)) => {
            let shown = key.display();
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("the key file {shown} cannot be used: {error}"))?;
            builder
                .with_client_auth_cert(certificates(cert)?, key)
                .map_err(|error| format!("certificate and key of the client do not fit: {error}"))
        }
    }
}
