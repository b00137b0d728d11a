//! Whether a server asked for the client's certificate: only TLS itself knows.

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of it; a clone knows the same.
#[derive(Clone, Debug, Default)]
pub struct Shown(Arc<AtomicBool>);

impl Shown {
    /// A server asked since [`forget`](Self::forget), and got the certificate.
    #[must_use]
    pub fn was(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Before the next server is asked.
    pub fn forget(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// This certificate and key, which tell when they are wanted.
    pub(super) fn telling(&self, own: CertifiedKey) -> Telling {
        Telling { own: SingleCertAndKey::from(own), shown: self.clone() }
    }
}

#[derive(Debug)]
pub(super) struct Telling {
    own: SingleCertAndKey,
    shown: Shown,
}

impl ResolvesClientCert for Telling {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let found = self.own.resolve(authorities, schemes);
        // A key that signs in none of the ways that the server knows is not shown to it.
        if found.as_ref().is_some_and(|own| own.key.choose_scheme(schemes).is_some()) {
            self.shown.0.store(true, Ordering::Relaxed);
        }
        found
    }

    fn only_raw_public_keys(&self) -> bool {
        self.own.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.own.has_certs()
    }
}
