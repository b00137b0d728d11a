//! Connections as psql with the newest libpq makes them: what is honoured has the same outcome, and what is not is refused by its name.

use super::certificates::{Mint, real_port, with_certificate};
use super::libpq::Stage;
use super::server;
use crate::headless::program;
use std::path::Path;
use std::process::Command;

/// Ports of servers of three versions, which all show a certificate for `localhost` and `127.0.0.1`; the authority, and another one.
struct Places {
    psql: String,
    p15: u16,
    p17: u16,
    p18: u16,
    ca: String,
}

fn places(test: &str) -> Option<Places> {
    let port = |variable| server(test, variable).map(|url| real_port(&url));
    Some(Places {
        psql: server(test, "STACKTOP_TEST_PSQL18")?,
        p15: port("STACKTOP_TEST_PG15_URL")?,
        p17: port("STACKTOP_TEST_PG17_URL")?,
        p18: port("STACKTOP_TEST_PG18_URL")?,
        ca: server(test, "STACKTOP_TEST_PG_CA")?,
    })
}

/// What differs, and how much was compared.
#[derive(Default)]
struct Compared {
    rows: usize,
    wrong: Vec<String>,
}

impl Compared {
    async fn row(&mut self, places: &Places, url: &str, more: &[(&str, &str)]) {
        let vars = [&[("PGPASSWORD", "postgres-secret")], more].concat();
        let stage = Stage::new(&places.psql, &vars);
        let (theirs, ours) = (stage.psql(url), stage.ours(url).await);
        self.rows += 1;
        if theirs.as_ref().ok() != ours.as_ref().ok() {
            self.wrong.push(format!("{url} {more:?}\n  psql: {theirs:?}\n  ours: {ours:?}"));
        }
    }

    #[track_caller]
    fn agrees(&self, least: usize) {
        let Self { rows, wrong } = self;
        eprintln!("{rows} rows");
        assert!(
            *rows >= least && wrong.is_empty(),
            "{} of {rows} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_tls_is_as_the_newest_psql_has_it() {
    let Some(places) = places("direct_tls_is_as_the_newest_psql_has_it") else { return };
    let mut compared = Compared::default();
    let ca = places.ca.clone();
    // A server before 17 does not know it.
    for port in [places.p15, places.p17, places.p18] {
        for negotiation in ["direct", "postgres", "Direct"] {
            for mode in ["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
                let mode = if mode.is_empty() { String::new() } else { format!("&sslmode={mode}") };
                let url = format!(
                    "postgres://postgres@localhost:{port}/postgres?sslnegotiation={negotiation}{mode}"
                );
                compared.row(&places, &url, &[("PGSSLROOTCERT", &ca)]).await;
            }
        }
        let url = format!("postgres://postgres@localhost:{port}/postgres?sslmode=require");
        for more in [
            &[("PGSSLNEGOTIATION", "direct")][..],
            &[("PGSSLNEGOTIATION", "direct"), ("PGCHANNELBINDING", "require")],
            &[("PGSSLNEGOTIATION", "direct"), ("PGSSLMAXPROTOCOLVERSION", "TLSv1.2")],
            &[("PGSSLNEGOTIATION", "direct"), ("PGREQUIREAUTH", "scram-sha-256")],
            &[("PGSSLNEGOTIATION", "direct"), ("PGREQUIREAUTH", "!scram-sha-256")],
            &[("PGSSLNEGOTIATION", "direct"), ("PGSSLSNI", "0")],
        ] {
            compared.row(&places, &url, more).await;
        }
    }
    compared.agrees(80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ways_to_log_in_are_as_the_newest_psql_has_them() {
    let Some(places) = places("ways_to_log_in_are_as_the_newest_psql_has_them") else { return };
    let mut compared = Compared::default();
    let ways = [
        "",
        "none",
        "!none",
        "password",
        "md5",
        "scram-sha-256",
        "!scram-sha-256",
        "scram-sha-256,none",
        "scram-sha-256,md5,password",
        "!password,!md5,!none",
        "!password,none",
        "oauth",
        "gss",
        "gss,scram-sha-256",
        "scram",
        "SCRAM-SHA-256",
        "!",
        ",",
    ];
    // `postgres` is asked for its password, `crowd` for nothing.
    for user in ["postgres", "crowd"] {
        for mode in ["disable", "prefer", "require"] {
            for way in ways {
                let way = way.replace('!', "%21").replace(' ', "%20");
                let url = format!(
                    "postgres://{user}@127.0.0.1:{}/postgres?sslmode={mode}&require_auth={way}",
                    places.p18
                );
                compared.row(&places, &url, &[]).await;
            }
        }
    }
    compared.agrees(100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_ours_is_shown_as_the_newest_psql_shows_it() {
    let Some(places) = places("a_certificate_of_ours_is_shown_as_the_newest_psql_shows_it") else { return };
    let mint = Mint::new();
    mint.sign("plain", "root", "-days 2", "subjectAltName=DNS:localhost");
    mint.sign("client", "root", "-days 2", "keyUsage=digitalSignature");
    mint.sign("foreign", "stranger", "-days 2", "keyUsage=digitalSignature");
    let root = mint.file("root.crt");
    let mut compared = Compared::default();
    for wants in [Some(root.as_str()), None] {
        let port = with_certificate(&mint.chain("plain", None), &mint.file("plain.key"), wants, places.p18);
        for shown in ["client", "foreign", "nowhere"] {
            let (certificate, key) = (mint.file(&format!("{shown}.crt")), mint.file(&format!("{shown}.key")));
            for mode in ["disable", "prefer", "require", "verify-full"] {
                for when in ["disable", "allow", "require", "always"] {
                    for most in ["TLSv1.3", "TLSv1.2"] {
                        let url = format!("postgres://postgres@localhost:{port}/postgres?sslmode={mode}");
                        let mut vars = vec![
                            ("PGSSLROOTCERT", root.as_str()),
                            ("PGSSLMAXPROTOCOLVERSION", most),
                            ("PGSSLCERTMODE", when),
                        ];
                        if shown != "nowhere" {
                            vars.extend([("PGSSLCERT", certificate.as_str()), ("PGSSLKEY", key.as_str())]);
                        }
                        let stage = Stage::new(
                            &places.psql,
                            &[&vars[..], &[("PGPASSWORD", "postgres-secret")]].concat(),
                        );
                        // (The server's own port and its idea of TLS are hidden behind ours.)
                        let (theirs, ours) =
                            (stage.psql(&url).map(|_| ()), stage.ours(&url).await.map(|_| ()));
                        compared.rows += 1;
                        // (psql holds nobody to it who went on without TLS after a handshake that failed.)
                        let stricter =
                            ours.as_ref().is_err_and(|why| why.contains("sslcertmode=require is asked"));
                        if theirs.is_ok() != ours.is_ok() && !(stricter && mode == "prefer") {
                            compared.wrong.push(format!(
                                "wanted {} {shown}: {url} {when} {most}\n  psql: {theirs:?}\n  ours: {ours:?}",
                                wants.is_some()
                            ));
                        }
                    }
                }
            }
        }
    }
    compared.agrees(190);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_settings_are_as_the_newest_psql_has_them() {
    let Some(places) = places("other_settings_are_as_the_newest_psql_has_them") else { return };
    let mut compared = Compared::default();
    let Places { p17, p18, .. } = places;
    for settings in [
        "load_balance_hosts=random",
        "load_balance_hosts=disable",
        "load_balance_hosts=all",
        "target_session_attrs=standby",
        "target_session_attrs=prefer-standby",
        "target_session_attrs=primary",
        "target_session_attrs=master",
        "max_protocol_version=3.0",
        "max_protocol_version=3.2",
        "max_protocol_version=latest",
        "max_protocol_version=3.1",
        "min_protocol_version=3.0",
        "min_protocol_version=3",
        "sslcompression=1",
        "sslsni=0",
        "sslsni=1",
        "gssdelegation=1",
        "gssencmode=disable",
        "gssencmode=require",
        "gssencmode=maybe",
        "channel_binding=require",
        "channel_binding=disable",
        "channel_binding=yes",
        "ssl_min_protocol_version=TLSv1.3",
        "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
        "ssl_min_protocol_version=TLSv2",
        "sslrootcert=system&sslmode=require",
        "sslrootcert=system&sslmode=verify-ca",
        "sslrootcert=system&sslmode=prefer",
        "sslrootcert=system&sslmode=disable",
        "application_name=x&fallback_application_name=y",
        "no_such_setting=1",
        "scram_client_keys=1",
    ] {
        let url = format!("postgres://postgres@127.0.0.1:{p18}/postgres?{settings}");
        compared.row(&places, &url, &[]).await;
    }
    // Of several servers that take us either will do: only that it is one of them is compared.
    let url =
        format!("postgres://postgres@127.0.0.1:{p17},127.0.0.1:{p18}/postgres?load_balance_hosts=random");
    let stage = Stage::new(&places.psql, &[("PGPASSWORD", "postgres-secret")]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        seen.insert(stage.ours(&url).await.expect("one of them"));
    }
    assert_eq!(seen.len(), 2, "both are chosen: {seen:?}");
    compared.agrees(30);
    // What psql would honour and we cannot is refused by its name, before anybody is asked.
    for (settings, name) in [
        ("scram_client_key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "scram_client_key"),
        ("scram_server_key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "scram_server_key"),
        ("oauth_issuer=https://issuer&oauth_client_id=x", "oauth_"),
        ("oauth_scope=x", "oauth_scope"),
        ("min_protocol_version=3.2", "min_protocol_version"),
        ("min_protocol_version=latest", "min_protocol_version"),
        ("krbsrvname=other", "krbsrvname"),
        ("replication=database", "replication"),
    ] {
        let error = stage.ours(&format!("postgres://postgres@127.0.0.1:1/postgres?{settings}")).await;
        let error = error.expect_err("it is refused");
        assert!(error.contains(name) && error.contains("cannot be honoured"), "{settings}: {error}");
    }
}

/// Whether the program itself gets in, with this environment: whom the system trusts is read from there.
fn gets_in(url: &str, vars: &[(&str, &str)]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = program(folder.path(), &["check", "--format", "json", url]);
    let output =
        command.env("PGPASSWORD", "postgres-secret").envs(vars.iter().copied()).output().expect("it runs");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    told["targets"][0]["freshness"] == "fresh"
}

/// The file in a folder, under the name that OpenSSL looks for.
fn hashed(folder: &Path, file: &str) {
    let hash =
        Command::new("openssl").args(["x509", "-hash", "-noout", "-in", file]).output().expect("a hash");
    let name = format!("{}.0", String::from_utf8_lossy(&hash.stdout).trim());
    std::fs::copy(file, folder.join(name)).expect("copied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_system_trusts_is_as_the_newest_psql_has_it() {
    let Some(places) = places("whom_the_system_trusts_is_as_the_newest_psql_has_it") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    super::authority(folder.path(), "other");
    let other = path("other.crt");
    for name in ["right", "wrong", "none"] {
        std::fs::create_dir(folder.path().join(name)).expect("made");
    }
    hashed(&folder.path().join("right"), &places.ca);
    hashed(&folder.path().join("wrong"), &other);
    let (right, wrong, none, missing) = (path("right"), path("wrong"), path("none"), path("missing"));
    let ca = places.ca.clone();
    let mut compared = Compared::default();
    for vars in [
        &[][..],
        &[("SSL_CERT_FILE", ca.as_str())],
        &[("SSL_CERT_FILE", &other)],
        &[("SSL_CERT_FILE", &missing)],
        &[("SSL_CERT_DIR", &right)],
        &[("SSL_CERT_DIR", &wrong)],
        &[("SSL_CERT_DIR", &none)],
        &[("SSL_CERT_FILE", &other), ("SSL_CERT_DIR", &right)],
        &[("SSL_CERT_FILE", &ca), ("SSL_CERT_DIR", &none)],
    ] {
        for (host, settings) in [
            ("localhost", "sslrootcert=system"),
            ("127.0.0.1", "sslrootcert=system&sslmode=verify-full"),
            ("localhost", "sslrootcert=system&sslnegotiation=direct"),
        ] {
            let url = format!("postgres://postgres@{host}:{}/postgres?{settings}", places.p18);
            let all = [vars, &[("PGPASSWORD", "postgres-secret")]].concat();
            let theirs = Stage::new(&places.psql, &all).psql(&url);
            let ours = gets_in(&url, vars);
            compared.rows += 1;
            if theirs.is_ok() != ours {
                compared.wrong.push(format!("{url} {vars:?}\n  psql: {theirs:?}\n  ours: {ours}"));
            }
        }
    }
    compared.agrees(27);
}
