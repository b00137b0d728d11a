//! Which certificates of a file of roots a chain may end at, as OpenSSL has it: one that another has signed is none unless that one lies
//! beside it.

use rustls::pki_types::CertificateDer;
use x509_cert::der::{Decode, Encode};

/// Subject and issuer, as they are written.
fn names(certificate: &CertificateDer<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let parsed = x509_cert::Certificate::from_der(certificate).ok()?.tbs_certificate;
    Some((parsed.subject.to_der().ok()?, parsed.issuer.to_der().ok()?))
}

/// Those of `all` that are their own issuers, and those that lead to one of these.
pub(super) fn rooted(all: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let named: Vec<_> = all.iter().map(names).collect();
    // What cannot be read is told about by whoever uses it.
    let own =
        |one: &Option<(Vec<u8>, Vec<u8>)>| one.as_ref().is_none_or(|(subject, issuer)| subject == issuer);
    let mut kept: Vec<bool> = named.iter().map(own).collect();
    for _ in 0..all.len() {
        for at in 0..all.len() {
            let Some((_, issuer)) = &named[at] else { continue };
            let mut above = named.iter().zip(&kept).filter(|(_, kept)| **kept);
            kept[at] |= above.any(|(other, _)| other.as_ref().is_some_and(|(subject, _)| subject == issuer));
        }
    }
    all.into_iter().zip(kept).filter_map(|(one, kept)| kept.then_some(one)).collect()
}
