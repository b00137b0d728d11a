//! The tests of libpq's rules.

use super::*;
use crate::config::postgres::CertMode;
use crate::config::url;
use crate::config::ways::Way;

/// `vars` are `NAME=value`; the user who runs it is `ann`, whose home holds what `home` says.
fn read(url: &str, vars: &[&str], home: &[&str]) -> Result<PostgresConnect, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join(".postgresql");
    std::fs::create_dir(&own).expect("made");
    for file in home {
        std::fs::write(own.join(file), "").expect("written");
    }
    let services = folder.path().join("services");
    let text =
        "[a]\nhost=wrong\n[orders]\nhost=db9\nport=6543\nuser=monitor\n# x\ndbname=orders\n[odd]\nsslmod=x\n";
    std::fs::write(&services, text).expect("written");
    std::fs::write(folder.path().join(".s.PGSQL.5432"), "").expect("written");
    let mut around = Surroundings::empty(folder.path())
        .as_user("ann")
        .with_sockets(folder.path())
        .with("PGSERVICEFILE", &services.display().to_string());
    for var in vars {
        let (name, value) = var.split_once('=').expect("a variable");
        around = around.with(name, value);
    }
    url::postgres_around(url, None, &around)
}

#[track_caller]
fn check(url: &str, vars: &[&str], expected: &str) {
    let pg = read(url, vars, &[]).unwrap_or_else(|error| panic!("{error}"));
    let hosts: Vec<String> = pg
        .hosts
        .iter()
        .map(|host| match &host.place {
            PgPlace::Socket(_) => format!("socket:{}", host.port),
            PgPlace::Name(_) | PgPlace::Address(..) => host.to_string(),
        })
        .collect();
    let got = format!("{}@{}/{} {:?} {}", pg.user, hosts.join(","), pg.database, pg.tls, pg.session.word());
    assert_eq!(got, expected);
}

#[test]
fn what_a_url_does_not_say_comes_from_where_libpq_takes_it() {
    check("postgres://", &[], "ann@socket:5432/ann Prefer any");
    check("postgres:///shop", &[], "ann@socket:5432/shop Prefer any");
    check("postgres://localhost/db", &[], "ann@localhost:5432/db Prefer any");
    check("postgres:///shop", &["PGHOST=h", "PGPORT=7", "PGUSER=u"], "u@h:7/shop Prefer any");
    check("postgres://o@k:1/d", &["PGHOST=h", "PGPORT=7", "PGUSER=u"], "o@k:1/d Prefer any");
    check("postgres://h/d", &["PGSSLMODE=verify-full"], "ann@h:5432/d VerifyFull any");
    check("postgres://h/d?sslmode=require", &["PGSSLMODE=verify-full"], "ann@h:5432/d Require any");
    check("postgres://h/d?ssl=true", &[], "ann@h:5432/d Require any");
    check("postgres://h/d?sslrootcert=system", &[], "ann@h:5432/d VerifyFull any");
    check("postgres://h/d?schema=public&connection_limit=5", &[], "ann@h:5432/d Prefer any");
    check("postgres://", &["PGSERVICE=orders"], "monitor@db9:6543/orders Prefer any");
    check("postgres://me@/?service=orders", &["PGPORT=1"], "me@db9:6543/orders Prefer any");
    check("service=orders user=me", &["PGSSLMODE=require"], "me@db9:6543/orders Require any");
    check("postgres://%2Fvar%2Frun/d", &[], "ann@socket:5432/d Prefer any");
}

#[test]
fn every_host_counts() {
    check("postgres://a:1,b:2/d", &[], "ann@a:1,b:2/d Prefer any");
    check("postgres://a,b:2,[::1]:3/d", &[], "ann@a:5432,b:2,::1:3/d Prefer any");
    check("postgres:///d?host=a,b&port=7", &[], "ann@a:7,b:7/d Prefer any");
    check("host=a hostaddr=10.0.0.1 user=u", &[], "u@a (10.0.0.1):5432/u Prefer any");
    let url = "postgres://a,b/d?target_session_attrs=read-write&load_balance_hosts=random";
    check(url, &["PGTARGETSESSIONATTRS=any"], "ann@a:5432,b:5432/d Prefer read-write");
    assert!(read(url, &[], &[]).expect("fine").balance);
}

#[test]
fn files_of_the_users_home_are_used() {
    let pg = read("postgres://h/d", &[], &["root.crt", "root.crl", "postgresql.crt"]).expect("fine");
    assert!(pg.root_cert.is_some() && pg.revoked.is_some());
    assert!(pg.client_cert.is_some_and(|(_, key)| key.ends_with("postgresql.key")));
    let pg = read("postgres://h/d?sslcertmode=disable", &[], &["postgresql.crt"]).expect("fine");
    assert!(pg.client_cert.is_none());
    let pg = read("postgres://h/d?sslrootcert=system", &[], &["root.crt"]).expect("fine");
    assert!(pg.root_cert.is_none(), "the system's, and not those");
}

#[track_caller]
fn refused(url: &str, vars: &[&str], says: &str) {
    let error = read(url, vars, &[]).expect_err("must be refused");
    assert!(error.contains(says) && !error.contains("geheim"), "{error}");
}

#[test]
fn ways_to_log_in_and_folders_of_lists_are_taken() {
    let pg = read("postgres://h/d?require_auth=scram-sha-256,md5", &[], &["root.crl"]).expect("fine");
    assert!(pg.require_auth.is_some_and(|ways| ways.allows(Way::Md5) && !ways.allows(Way::Nothing)));
    assert!(pg.revoked.is_some() && pg.revoked_folder.is_none());
    let pg =
        read("postgres://h/d", &["PGREQUIREAUTH=!none", "PGSSLCRLDIR=/lists"], &["root.crl"]).expect("fine");
    assert!(pg.require_auth.is_some_and(|ways| ways.allows(Way::Md5) && !ways.allows(Way::Nothing)));
    assert_eq!(pg.revoked_folder, Some("/lists".into()));
    assert!(pg.revoked.is_none(), "the home's list is for those who name none");
    let url = "postgres://h/d?sslcertmode=require";
    assert_eq!(read(url, &[], &["postgresql.crt"]).expect("fine").cert_mode, CertMode::Require);
}

#[test]
fn what_cannot_be_honoured_is_refused_with_a_sentence() {
    refused("postgres://u:geheim@h/d?sslmod=require", &[], "did you mean `sslmode`");
    refused("postgres://u:geheim@h/d?require_auth=scram", &[], "there are password, md5");
    refused("postgres://h/d", &["PGREQUIREAUTH=!md5,password"], "all with `!` or all without");
    refused("postgres://h/d?sslcertmode=require", &[], "needs a certificate of ours");
    refused("postgres://h/d?sslcertmode=require&sslcert=/c&sslkey=/k&sslmode=disable", &[], "goes with TLS");
    refused("postgres://h/d?gssencmode=require", &[], "Kerberos is not spoken");
    refused("postgres://h/d", &["PGGSSENCMODE=require"], "Kerberos is not spoken");
    for (url, vars) in [("postgres://h/d?require_auth=", &[][..]), ("postgres://h/d", &["PGREQUIREAUTH="])] {
        let ways = read(url, vars, &[]).expect("fine").require_auth.expect("a list");
        assert!(ways.allows(Way::Nothing) && !ways.allows(Way::Scram), "{url}");
    }
    refused("postgres://h/d?krbsrvname=db", &[], "Kerberos is not spoken");
    refused("postgres://h/d?scram_client_key=geheim", &[], "scram_client_key= cannot be honoured: a key");
    refused("postgres://h/d?oauth_issuer=https://i", &[], "OAuth is not spoken here");
    refused("postgres://h/d?min_protocol_version=3.2", &[], "version 3.0 of the protocol is spoken");
    refused("postgres://h/d?max_protocol_version=4", &[], "max_protocol_version");
    refused("postgres://h/d", &["PGKRBSRVNAME=db"], "Kerberos is not spoken");
    refused("postgres://h/d?sslmode=geheim", &[], "there are disable, allow, prefer");
    refused("postgres://h/d?ssl=1x", &[], "write sslmode=");
    refused("postgres://h/d?channel_binding=yes", &[], "there are disable, prefer, require");
    refused("postgres://h/d?target_session_attrs=master", &[], "prefer-standby");
    refused("postgres://h/d?sslmode=require&sslrootcert=system", &[], "verify-full only");
    refused("postgres://h/d?sslmode=verify-ca", &[], "needs the authority");
    refused("hostaddr=10.0.0.1 sslmode=verify-full", &[], "needs the name of the host");
    refused("postgres://h/d?sslnegotiation=direct", &[], "goes with sslmode=require");
    refused("postgres://h/d?ssl_max_protocol_version=TLSv1.1", &[], "below 1.2");
    refused("postgres://a,b/d?hostaddr=10.0.0.1", &[], "do not fit together");
    refused("host=a,b,c port=1,2", &[], "do not fit together");
    refused("postgres://h:0/d", &[], "not a number from 1 to 65535");
    refused("postgres://", &["PGSERVICE=nowhere"], "is in no service file");
    refused("postgres://", &["PGSERVICE=odd"], "did you mean `sslmode`");
}

#[test]
fn an_authority_that_is_named_is_looked_at() {
    let around = Surroundings::empty(Path::new("/")).as_user("ann");
    let with = |url: &str| url::postgres_around(url, Some(Path::new("/ca.pem")), &around);
    assert_eq!(with("postgres://h/d").expect("fine").tls, PgTls::VerifyFull);
    assert_eq!(with("postgres://h/d?sslmode=verify-ca").expect("fine").tls, PgTls::VerifyCa);
    for weak in ["postgres://h/d?sslmode=prefer", "postgres://h/d?sslmode=disable", "postgres://%2Frun/d"] {
        let error = with(weak).expect_err("not honoured");
        assert!(error.contains("`ca` is given"), "{error}");
    }
}

#[test]
fn the_server_of_this_machine_is_met_at_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let around = Surroundings::empty(folder.path()).as_user("postgres").with_sockets(folder.path());
    let place = |around: &Surroundings| on_this_machine(around, 5432).expect("fine").hosts[0].place.clone();
    assert_eq!(place(&around), PgPlace::Name("127.0.0.1".to_owned()));
    std::fs::write(folder.path().join(".s.PGSQL.5432"), "").expect("written");
    assert_eq!(place(&around), PgPlace::Socket(folder.path().to_owned()));
    let pg = on_this_machine(&around, 5432).expect("fine");
    assert_eq!((pg.user.as_str(), pg.database.as_str()), ("postgres", "postgres"));
}
