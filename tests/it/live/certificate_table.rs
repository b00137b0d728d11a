//! The whole table: what a server may show, by what name it is called, who is trusted, what we show; every row with psql and with us.

use super::certificates::{Mint, openssl, real_port, with_certificate};
use super::libpq::Stage;
use super::server;

const DAYS: &str = "-days 2";
const LOCAL: &str = "subjectAltName=DNS:localhost";
/// The names by which a server is called; where it is does not depend on them.
const NAMES: [&str; 6] =
    ["localhost", "127.0.0.1", "db.example.com", "a.db.example.com", "example.com", "LOCALHOST"];
const MODES: [&str; 4] = ["prefer", "require", "verify-ca", "verify-full"];

/// Certificates of every kind: a name, who signed it, its dates, its extensions (`;` between them), and what is sent along.
const KINDS: [(&str, &str, &str, &str, Option<&str>); 23] = [
    ("plain", "root", DAYS, LOCAL, None),
    ("wildcard", "root", DAYS, "subjectAltName=DNS:*.example.com", None),
    ("part_of_a_label", "root", DAYS, "subjectAltName=DNS:d*.example.com", None),
    ("two_stars", "root", DAYS, "subjectAltName=DNS:*.*.example.com", None),
    ("star_alone", "root", DAYS, "subjectAltName=DNS:*", None),
    ("of_upper_case", "root", DAYS, "subjectAltName=DNS:LOCALHOST", None),
    ("several", "root", DAYS, "subjectAltName=DNS:other.example.com,DNS:db.example.com,IP:127.0.0.1", None),
    ("address_as_a_name", "root", DAYS, "subjectAltName=DNS:127.0.0.1", None),
    ("other_address", "root", DAYS, "subjectAltName=IP:127.0.0.2", None),
    ("mail_only", "root", DAYS, "subjectAltName=email:a@localhost", None),
    ("common_name", "root", DAYS, "subjectAltName=DNS:other.example.com", None),
    ("for_clients", "root", DAYS, "subjectAltName=DNS:localhost;extendedKeyUsage=clientAuth", None),
    ("for_both", "root", DAYS, "subjectAltName=DNS:localhost;extendedKeyUsage=clientAuth,serverAuth", None),
    ("for_code", "root", DAYS, "subjectAltName=DNS:localhost;extendedKeyUsage=codeSigning", None),
    ("unknown_other", "root", DAYS, "subjectAltName=DNS:localhost;1.2.3.4=ASN1:UTF8String:it", None),
    (
        "leaf_of_an_authority",
        "root",
        DAYS,
        "subjectAltName=DNS:localhost;basicConstraints=critical,CA:TRUE",
        None,
    ),
    ("below_a_leaf", "plain", DAYS, LOCAL, Some("plain")),
    ("below", "middle", DAYS, LOCAL, Some("middle")),
    ("below_alone", "middle", DAYS, LOCAL, None),
    ("below_expired", "late_middle", DAYS, LOCAL, Some("late_middle")),
    ("below_narrow", "narrow_middle", DAYS, LOCAL, Some("narrow_middle")),
    ("with_a_stranger", "root", DAYS, LOCAL, Some("stranger")),
    ("with_its_root", "root", DAYS, LOCAL, Some("root")),
];

fn mint() -> Mint {
    let mint = Mint::new();
    let authority = "basicConstraints=critical,CA:TRUE";
    let past = "-startdate 20200101000000Z -enddate 20200201000000Z";
    mint.sign("late_middle", "root", past, authority);
    let narrow = "basicConstraints=critical,CA:TRUE;nameConstraints=critical,permitted%DNS:example.com";
    mint.sign("narrow_middle", "root", DAYS, narrow);
    for (name, by, dates, extensions, _) in KINDS {
        mint.sign(name, by, dates, extensions);
    }
    mint.sign("client", "root", DAYS, "keyUsage=digitalSignature");
    mint.sign("client_of_another", "stranger", DAYS, "keyUsage=digitalSignature");
    mint.sign("client_expired", "root", past, "keyUsage=digitalSignature");
    mint.sign("client_below", "middle", DAYS, "keyUsage=digitalSignature");
    mint.sign("client_for_servers", "root", DAYS, "extendedKeyUsage=serverAuth");
    mint
}

/// What differs between psql and us, and how many rows there were.
struct Table {
    psql: String,
    wrong: Vec<String>,
    rows: usize,
}

impl Table {
    async fn row(&mut self, what: &str, url: &str, more: &[(&str, &str)]) {
        let vars = [&[("PGPASSWORD", "postgres-secret")], more].concat();
        let stage = Stage::new(&self.psql, &vars);
        let (theirs, ours) = (stage.psql(url).map(|_| ()), stage.ours(url).await.map(|_| ()));
        self.rows += 1;
        // A file of ours that is given and cannot be used is told; psql goes on without it where nobody looks at it. A server that shows
        // an authority's own certificate, or an address as a name, is refused with that said.
        let files = [
            "(CA:TRUE)",
            "but for 127.0.0.1",
            "the certificate file",
            "the key file",
            "do not fit",
            "used as a root",
            "holds no root",
        ];
        let stricter = ours.as_ref().is_err_and(|why| files.iter().any(|words| why.contains(words)));
        if theirs.is_ok() != ours.is_ok() && !stricter {
            self.wrong.push(format!("{what}: {url} {more:?}\n  psql: {theirs:?}\n  ours: {ours:?}"));
        }
    }

    #[track_caller]
    fn agrees(&self, least: usize) {
        assert!(self.rows >= least, "{} rows", self.rows);
        eprintln!("{} rows", self.rows);
        assert!(
            self.wrong.is_empty(),
            "{} of {} differ:\n{}",
            self.wrong.len(),
            self.rows,
            self.wrong.join("\n")
        );
    }
}

fn table(test: &str) -> Option<(Table, u16)> {
    let (psql, url) = server(test, "STACKTOP_TEST_PSQL").zip(server(test, "STACKTOP_TEST_PG_URL"))?;
    Some((Table { psql, wrong: Vec::new(), rows: 0 }, real_port(&url)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_certificate_by_every_name_is_taken_as_by_psql() {
    let test = "every_kind_of_certificate_by_every_name_is_taken_as_by_psql";
    let Some((mut table, real)) = table(test) else { return };
    let mint = mint();
    let root = mint.file("root.crt");
    for (name, _, _, _, with) in KINDS {
        let port = with_certificate(&mint.chain(name, with), &mint.file(&format!("{name}.key")), None, real);
        for mode in MODES {
            for host in NAMES {
                // Only who looks at the name is told by it.
                if mode != "verify-full" && host != "localhost" {
                    continue;
                }
                let url =
                    format!("postgres://postgres@{host}:{port}/postgres?hostaddr=127.0.0.1&sslmode={mode}");
                table.row(name, &url, &[("PGSSLROOTCERT", &root)]).await;
            }
        }
    }
    table.agrees(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_of_roots_is_taken_as_by_psql() {
    let test = "every_file_of_roots_is_taken_as_by_psql";
    let Some((mut table, real)) = table(test) else { return };
    let mint = mint();
    let text_of = |name: &str| std::fs::read_to_string(mint.file(&format!("{name}.crt"))).expect("made");
    let file = |name: &str, text: &str| {
        std::fs::write(mint.file(name), text).expect("written");
        mint.file(name)
    };
    let both = file("both.pem", &(text_of("stranger") + &text_of("root")));
    let chatty = file("chatty.pem", &format!("what this is\n{}and more\n", text_of("root")));
    let roots = [
        ("the right one", mint.file("root.crt")),
        ("two", both),
        ("with words around", chatty),
        ("another", mint.file("stranger.crt")),
        ("the one between", mint.file("middle.crt")),
        ("one between and its root", file("chain.pem", &(text_of("middle") + &text_of("root")))),
        ("the leaf itself", mint.file("below.crt")),
        ("empty", file("empty.pem", "")),
        ("no certificate", file("words.pem", "nothing of the kind\n")),
        ("a key", mint.file("root.key")),
        ("broken", file("broken.pem", &text_of("root").replace("MII", "MIX"))),
        ("not there", mint.file("nowhere.pem")),
        ("a folder", mint.file(".")),
    ];
    for name in ["plain", "below", "below_alone"] {
        let with = (name == "below").then_some("middle");
        let port = with_certificate(&mint.chain(name, with), &mint.file(&format!("{name}.key")), None, real);
        for (what, root) in &roots {
            for mode in ["allow", "prefer", "require", "verify-ca", "verify-full"] {
                let url = format!("postgres://postgres@localhost:{port}/postgres?sslmode={mode}");
                table.row(&format!("{name}, roots: {what}"), &url, &[("PGSSLROOTCERT", root)]).await;
            }
        }
    }
    table.agrees(150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_certificate_of_ours_is_shown_as_by_psql() {
    let test = "every_certificate_of_ours_is_shown_as_by_psql";
    let Some((mut table, real)) = table(test) else { return };
    let mint = mint();
    let root = mint.file("root.crt");
    let (key, open) = (mint.file("client.key"), mint.file("open.key"));
    std::fs::copy(&key, &open).expect("copied");
    let permit = |path: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    permit(&open, 0o644);
    let group = mint.file("group.key");
    std::fs::copy(&key, &group).expect("copied");
    permit(&group, 0o640);
    for (form, command) in [("sec1", "ec"), ("pkcs8", "pkcs8 -topk8 -nocrypt")] {
        openssl(&format!("{command} -in {key} -out {}", mint.file(&format!("{form}.key"))));
        permit(&mint.file(&format!("{form}.key")), 0o600);
    }
    let text_of = |name: &str| std::fs::read_to_string(mint.file(name)).expect("made");
    std::fs::write(mint.file("client_chain.crt"), text_of("client_below.crt") + &text_of("middle.crt"))
        .expect("written");
    let ours = [
        ("none", "nowhere.crt", "nowhere.key"),
        ("the right one", "client.crt", "client.key"),
        ("of another authority", "client_of_another.crt", "client_of_another.key"),
        ("expired", "client_expired.crt", "client_expired.key"),
        ("for servers only", "client_for_servers.crt", "client_for_servers.key"),
        ("a chain", "client_chain.crt", "client_below.key"),
        ("a chain without its middle", "client_below.crt", "client_below.key"),
        ("another key", "client.crt", "client_expired.key"),
        ("no key", "client.crt", "nowhere.key"),
        ("a key that all may read", "client.crt", "open.key"),
        ("a key for its group", "client.crt", "group.key"),
        ("a key of the older form", "client.crt", "sec1.key"),
        ("a key of the newer form", "client.crt", "pkcs8.key"),
        ("no certificate in it", "client.key", "client.key"),
    ];
    for (what, wants) in [("wants one", true), ("wants none", false)] {
        let wants = wants.then_some(root.as_str());
        let port = with_certificate(&mint.chain("plain", None), &mint.file("plain.key"), wants, real);
        for (shown, certificate, key) in ours {
            let (certificate, key) = (mint.file(certificate), mint.file(key));
            // By TLS 1.2 it is refused within the handshake, by 1.3 only afterwards: who merely prefers TLS goes on in the first case.
            for (mode, most) in [
                ("allow", "1.3"),
                ("prefer", "1.3"),
                ("prefer", "1.2"),
                ("require", "1.3"),
                ("require", "1.2"),
                ("verify-full", "1.3"),
            ] {
                let url = format!(
                    "postgres://postgres@localhost:{port}/postgres?sslmode={mode}&ssl_max_protocol_version=TLSv{most}"
                );
                let vars = [("PGSSLROOTCERT", &*root), ("PGSSLCERT", &certificate), ("PGSSLKEY", &key)];
                table.row(&format!("{what}, {shown}"), &url, &vars).await;
            }
        }
    }
    table.agrees(160);
}
