//! Certificates of every kind against every way of looking at them, compared with psql; and what is said about each.

use super::libpq::Stage;
use super::topology::Own;
use super::{Watch, server};
use stacktop::config::discover::Surroundings;
use stacktop::config::resolve::resolve;
use stacktop::config::target::Connect;
use stacktop::config::wishes::Wishes;
use stacktop::core::report::PollErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// The certificate of an authority that nobody knows, as text; its key stays in `folder`.
pub fn authority(folder: &Path, name: &str) -> String {
    let file = |kind: &str| folder.join(format!("{name}.{kind}")).display().to_string();
    openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {} -out {}",
        file("key"),
        file("crt")
    ));
    std::fs::read_to_string(file("crt")).expect("made")
}

pub fn openssl(arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).output().expect("openssl runs");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Certificates of servers, made by one authority or by themselves.
pub struct Mint(tempfile::TempDir);

impl Mint {
    pub fn new() -> Self {
        let mint = Self(tempfile::tempdir().expect("a folder"));
        authority(mint.0.path(), "root");
        authority(mint.0.path(), "stranger");
        mint.sign("middle", "root", "-days 2", "basicConstraints=critical,CA:TRUE");
        mint
    }

    pub fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A certificate `name`, signed by `by`, with these dates and extensions: `;` is between two of them, `%` a semicolon in one.
    pub fn sign(&self, name: &str, by: &str, dates: &str, extensions: &str) {
        std::fs::write(self.file("ext"), format!("{}\n", extensions.replace(';', "\n").replace('%', ";")))
            .expect("written");
        let (key, csr, crt) =
            (self.file(&format!("{name}.key")), self.file("csr"), self.file(&format!("{name}.crt")));
        let subject = if name == "common_name" { "localhost" } else { name };
        openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={subject} -keyout {key} -out {csr}"
        ));
        let (ca, ca_key) = (self.file(&format!("{by}.crt")), self.file(&format!("{by}.key")));
        let ext = self.file("ext");
        if dates.starts_with("-days") {
            openssl(&format!(
                "x509 -req -in {csr} -CA {ca} -CAkey {ca_key} -CAcreateserial {dates} -extfile {ext} -out {crt}"
            ));
            return;
        }
        // Only `ca` takes both ends of the validity.
        let book = self.book();
        openssl(&format!(
            "ca -batch -notext -config {book} -in {csr} -cert {ca} -keyfile {ca_key} {dates} -extfile {ext} -out {crt}"
        ));
    }

    /// The book of an authority in which nothing is written yet.
    fn book(&self) -> String {
        std::fs::write(self.file("index"), "").expect("written");
        std::fs::write(self.file("serial"), "77\n").expect("written");
        std::fs::write(self.file("number"), "01\n").expect("written");
        let section = format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={}\nserial={}\nnew_certs_dir={}\ndefault_md=sha256\npolicy=p\nunique_subject=no\ncrlnumber={}\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n[p]\ncommonName=supplied\n",
            self.file("index"),
            self.file("serial"),
            self.0.path().display(),
            self.file("number")
        );
        std::fs::write(self.file("ca.cnf"), section).expect("written");
        self.file("ca.cnf")
    }

    /// A folder with the list of what the authority `by` has revoked, under the name that OpenSSL looks for.
    fn revoked(&self, by: &str, names: &[&str]) -> String {
        let (book, list) = (self.book(), self.file("list.pem"));
        let authority = format!(
            "-config {book} -cert {} -keyfile {}",
            self.file(&format!("{by}.crt")),
            self.file(&format!("{by}.key"))
        );
        for name in names {
            openssl(&format!("ca {authority} -revoke {}", self.file(&format!("{name}.crt"))));
        }
        openssl(&format!("ca {authority} -gencrl -crldays 2 -out {list}"));
        let hash =
            Command::new("openssl").args(["crl", "-hash", "-noout", "-in", &list]).output().expect("a hash");
        let folder = self.file(&format!("lists-of-{by}"));
        std::fs::create_dir(&folder).expect("made");
        let name = format!("{folder}/{}.r0", String::from_utf8_lossy(&hash.stdout).trim());
        std::fs::rename(list, name).expect("moved");
        folder
    }

    /// One that signed itself.
    pub fn alone(&self, name: &str, authority: bool) {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {} -out {} \
             -addext basicConstraints=critical,CA:{} -addext subjectAltName=DNS:localhost",
            self.file(&format!("{name}.key")),
            self.file(&format!("{name}.crt")),
            if authority { "TRUE" } else { "FALSE" }
        ));
    }

    /// The chain that a server with `name` sends.
    pub fn chain(&self, name: &str, with: Option<&str>) -> String {
        let read = |name: &str| std::fs::read_to_string(self.file(&format!("{name}.crt"))).expect("made");
        let path = self.file(&format!("{name}.chain"));
        std::fs::write(&path, read(name) + &with.map(read).unwrap_or_default()).expect("written");
        path
    }
}

/// A server's side of TLS with this certificate; `clients` is the authority of those that it wants from its clients.
fn acceptor(chain: &str, key: &str, clients: Option<&str>) -> tokio_rustls::TlsAcceptor {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
        .expect("a chain")
        .map(|one| one.expect("a certificate"))
        .collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(CertificateDer::pem_file_iter(ca).expect("a root").flatten());
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
    };
    let config = builder
        .with_single_cert(certificates, PrivateKeyDer::from_pem_file(key).expect("a key"))
        .expect("a pair");
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

/// A Postgres server with this certificate: TLS ends here, what is inside goes to the real one as it is.
pub fn with_certificate(chain: &str, key: &str, clients: Option<&str>, real: u16) -> u16 {
    let acceptor = acceptor(chain, key, clients);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    listener.set_nonblocking(true).expect("set");
    let listener = tokio::net::TcpListener::from_std(listener).expect("taken over");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut first = [0; 8];
                client.read_exact(&mut first).await.ok()?;
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", real)).await.ok()?;
                if first == [0, 0, 0, 8, 4, 210, 22, 47] {
                    client.write_all(b"S").await.ok()?;
                    let mut inside = acceptor.accept(client).await.ok()?;
                    tokio::io::copy_bidirectional(&mut inside, &mut server).await.ok()?;
                } else {
                    server.write_all(&first).await.ok()?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()?;
                }
                Some(())
            });
        }
    });
    port
}

/// The port in the URL of a server.
pub fn real_port(url: &str) -> u16 {
    url.rsplit_once(':').and_then(|(_, end)| end.split('/').next()?.parse().ok()).expect("a port")
}

/// What a server shows: what it stands for, the files of its chain and key, whose certificates it wants, and who is trusted.
type Shown = (&'static str, (String, String), Option<String>, &'static str);

fn servers() -> (Mint, Vec<Shown>) {
    let mint = Mint::new();
    let days = "-days 2";
    mint.sign("good", "root", days, "subjectAltName=DNS:localhost,IP:127.0.0.1");
    mint.sign(
        "expired",
        "root",
        "-startdate 20200101000000Z -enddate 20200201000000Z",
        "subjectAltName=DNS:localhost",
    );
    mint.sign(
        "future",
        "root",
        "-startdate 20490101000000Z -enddate 20490201000000Z",
        "subjectAltName=DNS:localhost",
    );
    mint.sign("elsewhere", "root", days, "subjectAltName=DNS:db.example.com");
    mint.sign("foreign", "stranger", days, "subjectAltName=DNS:localhost");
    mint.sign("common_name", "root", days, "keyUsage=digitalSignature");
    mint.sign("address", "root", days, "subjectAltName=IP:127.0.0.1");
    mint.sign("below", "middle", days, "subjectAltName=DNS:localhost");
    mint.alone("own_authority", true);
    mint.alone("own_leaf", false);
    mint.sign("client", "root", days, "keyUsage=digitalSignature");
    let chain = |name: &str, with: Option<&str>| (mint.chain(name, with), mint.file(&format!("{name}.key")));
    let servers = vec![
        ("good", chain("good", None), None, "root"),
        ("expired", chain("expired", None), None, "root"),
        ("not yet valid", chain("future", None), None, "root"),
        ("another name", chain("elsewhere", None), None, "root"),
        ("another authority", chain("foreign", None), None, "root"),
        ("common name only", chain("common_name", None), None, "root"),
        ("address only", chain("address", None), None, "root"),
        ("intermediate sent", chain("below", Some("middle")), None, "root"),
        ("intermediate missing", chain("below", None), None, "root"),
        ("its own authority", chain("own_authority", None), None, "own_authority"),
        ("its own leaf", chain("own_leaf", None), None, "own_leaf"),
        ("its own authority, not known", chain("own_authority", None), None, "root"),
        ("wants a client's", chain("good", None), Some(mint.file("root.crt")), "root"),
    ];
    (mint, servers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_accepted_and_refused_as_by_psql() {
    let test = "certificates_are_accepted_and_refused_as_by_psql";
    let (Some(psql), Some(url)) = (server(test, "STACKTOP_TEST_PSQL"), server(test, "STACKTOP_TEST_PG_URL"))
    else {
        return;
    };
    let real = real_port(&url);
    let (mint, servers) = servers();
    let client_key = mint.file("client.key");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (what, (chain, key), clients, root) in &servers {
        let port = with_certificate(chain, key, clients.as_deref(), real);
        let root = mint.file(&format!("{root}.crt"));
        for (host, mode, rooted, with_client) in [
            ("localhost", "prefer", false, false),
            ("localhost", "prefer", true, false),
            ("localhost", "require", false, false),
            ("localhost", "require", true, false),
            ("localhost", "verify-ca", true, false),
            ("localhost", "verify-full", true, false),
            ("127.0.0.1", "verify-full", true, false),
            ("localhost", "verify-full", true, true),
        ] {
            // Who looks at nothing accepts everything: once is enough.
            if mode != "verify-full" && !rooted && *what != "good" && clients.is_none() {
                continue;
            }
            if with_client != clients.is_some() && (with_client || mode == "verify-full") {
                continue;
            }
            let mut vars = vec![("PGPASSWORD", "postgres-secret")];
            if rooted {
                vars.push(("PGSSLROOTCERT", root.as_str()));
            }
            let client = mint.file("client.crt");
            if with_client {
                vars.extend([("PGSSLCERT", client.as_str()), ("PGSSLKEY", client_key.as_str())]);
            }
            let stage = Stage::new(&psql, &vars);
            let url = format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}");
            // The server's own port, and its own idea of TLS, are hidden behind ours.
            let known = |result: Result<String, String>| result.map(|_| ());
            let (theirs, ours) = (known(stage.psql(&url)), known(stage.ours(&url).await));
            count += 1;
            if theirs.is_ok() != ours.is_ok() {
                wrong.push(format!(
                    "{what}: {host} {mode} root {rooted}\n  psql: {theirs:?}\n  ours: {ours:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_said_with_its_remedy() {
    let test = "what_is_wrong_with_tls_is_said_with_its_remedy";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let real = real_port(&url);
    let mint = Mint::new();
    mint.sign(
        "expired",
        "root",
        "-startdate 20200101000000Z -enddate 20200201000000Z",
        "subjectAltName=DNS:localhost",
    );
    mint.sign(
        "future",
        "root",
        "-startdate 20490101000000Z -enddate 20490201000000Z",
        "subjectAltName=DNS:localhost",
    );
    mint.sign("elsewhere", "root", "-days 2", "subjectAltName=DNS:db.example.com");
    mint.sign("foreign", "stranger", "-days 2", "subjectAltName=DNS:localhost");
    mint.sign("good", "root", "-days 2", "subjectAltName=DNS:localhost");
    mint.alone("own_authority", true);
    for (name, clients, words, remedy) in [
        ("expired", false, "ended on 2020-02-01 00:00 UTC", "clock"),
        ("future", false, "valid from 2049-01-01 00:00 UTC", "clock"),
        ("elsewhere", false, "not for localhost, but for db.example.com", "connect by a name"),
        ("foreign", false, "signed by nobody who is trusted here", "set `ca`"),
        ("own_authority", false, "an authority's own (CA:TRUE)", "name that certificate itself"),
        ("good", true, "wants a certificate from us", "sslcert and sslkey"),
    ] {
        let clients = clients.then(|| mint.file("root.crt"));
        let port = with_certificate(
            &mint.chain(name, None),
            &mint.file(&format!("{name}.key")),
            clients.as_deref(),
            real,
        );
        let url = format!(
            "postgres://postgres:postgres-secret@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={}",
            mint.file("root.crt")
        );
        let error = super::postgres::watch(&url).poll().await.expect_err("refused");
        let (message, advice) = (&error.message, error.remedy.as_deref().unwrap_or_default());
        assert!(message.contains(words) && advice.contains(remedy), "{name}: {message} / {advice}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_lists_of_revoked_certificates_counts_as_with_psql() {
    let test = "a_folder_of_lists_of_revoked_certificates_counts_as_with_psql";
    let (Some(psql), Some(url)) = (server(test, "STACKTOP_TEST_PSQL"), server(test, "STACKTOP_TEST_PG_URL"))
    else {
        return;
    };
    let mint = Mint::new();
    for name in ["good", "gone"] {
        mint.sign(name, "root", "-days 2", "subjectAltName=DNS:localhost");
    }
    let lists = mint.revoked("root", &["gone"]);
    let others = mint.revoked("stranger", &[]);
    let empty = mint.file("empty");
    std::fs::create_dir(&empty).expect("made");
    let root = mint.file("root.crt");
    for (name, folder, accepted) in [
        ("good", lists.as_str(), true),
        ("gone", &lists, false),
        // Nobody knows whether it was revoked.
        ("good", &others, false),
        ("good", &empty, false),
    ] {
        let key = mint.file(&format!("{name}.key"));
        let port = with_certificate(&mint.chain(name, None), &key, None, real_port(&url));
        let vars =
            [("PGPASSWORD", "postgres-secret"), ("PGSSLROOTCERT", root.as_str()), ("PGSSLCRLDIR", folder)];
        let stage = Stage::new(&psql, &vars);
        let url = format!("postgres://postgres@localhost:{port}/postgres?sslmode=verify-full");
        let (theirs, ours) = (stage.psql(&url), stage.ours(&url).await);
        assert_eq!(
            (theirs.is_ok(), ours.is_ok()),
            (accepted, accepted),
            "{name} {folder}: {theirs:?} {ours:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_must_want_our_certificate_is_held_to_it() {
    let test = "a_server_that_must_want_our_certificate_is_held_to_it";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let mint = Mint::new();
    mint.sign("good", "root", "-days 2", "subjectAltName=DNS:localhost");
    mint.sign("client", "root", "-days 2", "keyUsage=digitalSignature");
    let root = mint.file("root.crt");
    let at = |port: u16, mode: &str| {
        format!(
            "postgres://postgres:postgres-secret@localhost:{port}/postgres?sslmode={mode}&sslrootcert={root}&sslcert={}&sslkey={}&sslcertmode=require",
            mint.file("client.crt"),
            mint.file("client.key")
        )
    };
    let shows = |clients: Option<&str>| {
        with_certificate(&mint.chain("good", None), &mint.file("good.key"), clients, real_port(&url))
    };
    let (wants, does_not) = (shows(Some(&root)), shows(None));
    for mode in ["prefer", "require", "verify-full"] {
        super::postgres::watch(&at(wants, mode)).poll().await.expect("it wants one and gets it");
        let error =
            super::postgres::watch(&at(does_not, mode)).poll().await.expect_err("it does not want one");
        assert!(error.message.contains("without a look at our certificate"), "{mode}: {}", error.message);
    }
    let error = super::postgres::watch(&at(wants, "allow")).poll().await.expect_err("that is without TLS");
    assert!(error.message.contains("without a look at our certificate"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_encrypted_is_opened_as_by_psql() {
    let test = "a_key_that_is_encrypted_is_opened_as_by_psql";
    let (Some(psql), Some(url)) = (server(test, "STACKTOP_TEST_PSQL"), server(test, "STACKTOP_TEST_PG_URL"))
    else {
        return;
    };
    let mint = Mint::new();
    mint.sign("good", "root", "-days 2", "subjectAltName=DNS:localhost");
    mint.sign("client", "root", "-days 2", "keyUsage=digitalSignature");
    let (plain, locked) = (mint.file("client.key"), mint.file("locked.key"));
    openssl(&format!("pkcs8 -topk8 -in {plain} -passout pass:geheim -out {locked}"));
    let root = mint.file("root.crt");
    let port =
        with_certificate(&mint.chain("good", None), &mint.file("good.key"), Some(&root), real_port(&url));
    let stage = Stage::new(&psql, &[("PGPASSWORD", "postgres-secret"), ("PGSSLROOTCERT", root.as_str())]);
    for (key, more, accepted) in [
        (&locked, "&sslpassword=geheim", true),
        (&locked, "&sslpassword=other", false),
        (&plain, "&sslpassword=geheim", true),
        (&plain, "", true),
    ] {
        let at = format!(
            "postgres://postgres@localhost:{port}/postgres?sslmode=verify-full&sslcert={}&sslkey={key}{more}",
            mint.file("client.crt")
        );
        let (theirs, ours) = (stage.psql(&at), stage.ours(&at).await);
        assert_eq!((theirs.is_ok(), ours.is_ok()), (accepted, accepted), "{more}: {theirs:?} {ours:?}");
        let said = ours.err().unwrap_or_default();
        assert!(accepted || (said.contains("sslpassword") && !said.contains("geheim")), "{more}: {said}");
    }
    // Here psql asks whoever sits there.
    let at = format!(
        "postgres://postgres@localhost:{port}/postgres?sslmode=verify-full&sslcert={}&sslkey={locked}",
        mint.file("client.crt")
    );
    let said = stage.ours(&at).await.expect_err("nobody says the password");
    assert!(said.contains("is encrypted: give sslpassword"), "{said}");
}

/// An endpoint behind `acceptor` that answers every request with one metric.
async fn endpoint(acceptor: tokio_rustls::TlsAcceptor) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut inside = acceptor.accept(client).await.ok()?;
                if inside.read(&mut [0; 4096]).await.ok()? == 0 {
                    return None;
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nup 1\n";
                inside.write_all(answer).await.ok()?;
                inside.shutdown().await.ok()
            });
        }
    });
    port
}

/// The one target of a configuration file.
fn configured(mint: &Mint, text: &str) -> Connect {
    let config = mint.0.path().join("stacktop.toml");
    std::fs::write(&config, text).expect("written");
    let wishes = Wishes { config: Some(config), ..Wishes::default() };
    let settings = resolve(&wishes, &Surroundings::empty(mint.0.path())).expect("it is valid");
    settings.targets[0].connect.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_and_http_servers_get_the_certificate_that_they_ask_for() {
    let test = "redis_and_http_servers_get_the_certificate_that_they_ask_for";
    let mint = Mint::new();
    mint.sign("good", "root", "-days 2", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    mint.sign("client", "root", "-days 2", "keyUsage=digitalSignature");
    mint.sign("other", "stranger", "-days 2", "keyUsage=digitalSignature");
    let (root, shown, key) = (mint.file("root.crt"), mint.file("good.crt"), mint.file("good.key"));
    let tls_port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port().to_string();
    let more = [
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        &shown,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &root,
    ];
    let Some(_own) = Own::start(test, &[&more[..], &["--tls-auth-clients", "yes"]].concat()).await else {
        return;
    };
    let http = endpoint(acceptor(&mint.chain("good", None), &key, Some(&root))).await;
    // As the configuration file says it, so that the keys are what is tested.
    for (table, url) in [
        ("redis", format!("rediss://localhost:{tls_port}")),
        ("metrics", format!("https://localhost:{http}/metrics")),
    ] {
        for (ours, says) in [(None, "certificate"), (Some("other"), "certificate"), (Some("client"), "")] {
            let own = ours.map_or(String::new(), |name| {
                let file = |kind: &str| mint.file(&format!("{name}.{kind}"));
                format!("client_cert = \"{}\"\nclient_key = \"{}\"\n", file("crt"), file("key"))
            });
            let config = format!("[[{table}]]\nurl = \"{url}\"\nca = \"{root}\"\n{own}");
            let mut watch = Watch::new(configured(&mint, &config));
            match watch.poll().await {
                Ok(()) => assert_eq!(ours, Some("client"), "{table}"),
                Err(error) => {
                    assert_ne!(ours, Some("client"), "{table}: {error:?}");
                    assert_eq!(error.kind, PollErrorKind::Tls, "{table} {ours:?}: {error:?}");
                    // What it said may be overtaken by its hanging up.
                    let told = format!("{} {}", error.message, error.remedy.as_deref().unwrap_or_default());
                    assert!(told.contains(says), "{table} {ours:?}: {error:?}");
                }
            }
        }
    }
}

/// A fingerprint stands for an authority and a name: what it is of, or what that has signed, is believed, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_fingerprint_is_believed_instead_of_an_authority() {
    let mint = Mint::new();
    mint.sign("elsewhere", "root", "-days 2", "subjectAltName=DNS:a-container");
    mint.sign("foreign", "stranger", "-days 2", "subjectAltName=DNS:localhost");
    let of = |name: &str| {
        let command = format!("x509 -noout -fingerprint -sha256 -in {}", mint.file(&format!("{name}.crt")));
        let output = Command::new("openssl").args(command.split(' ')).output().expect("openssl runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.trim().rsplit('=').next().expect("a value").to_owned()
    };
    for (served, pinned, good) in [
        ("elsewhere", "root", true),
        ("elsewhere", "elsewhere", true),
        ("elsewhere", "stranger", false),
        // The one that is believed comes along, and has not signed it.
        ("foreign", "root", false),
    ] {
        let chain = mint.chain(served, Some("root"));
        let port = endpoint(acceptor(&chain, &mint.file(&format!("{served}.key")), None)).await;
        let print = of(pinned);
        let print = if good { print } else { print.replace(':', "").to_lowercase() };
        let entry = |kind: &str| {
            format!(
                "[[{kind}]]\nurl = \"https://127.0.0.1:{port}/metrics\"\ncertificate_fingerprint = \"{print}\"\n"
            )
        };
        // This endpoint is no Prometheus; whether it is the right machine is known before.
        let error = Watch::new(configured(&mint, &entry("prometheus"))).poll().await.expect_err("none");
        assert_eq!(error.kind == PollErrorKind::Tls, !good, "{served} by {pinned}: {error:?}");
        let config = entry("metrics");
        match Watch::new(configured(&mint, &config)).poll().await {
            Ok(()) => assert!(good, "{served} by {pinned}"),
            Err(error) => {
                assert!(!good && error.kind == PollErrorKind::Tls, "{served} by {pinned}: {error:?}");
                let told = format!("{} {}", error.message, error.remedy.unwrap_or_default());
                assert!(pinned == "root" || told.contains("has the fingerprint"), "{told}");
            }
        }
    }
}
