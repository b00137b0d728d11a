//! The tests of connection strings.

use super::*;
use secrecy::ExposeSecret;

fn plain(secret: Option<&Secret>) -> String {
    match secret {
        None => String::new(),
        Some(Secret::Inline(secret)) => secret.expose_secret().to_owned(),
        Some(other) => panic!("{other:?}"),
    }
}

#[track_caller]
fn pg(text: &str, expected: &str) {
    let got = postgres(text).unwrap();
    let shown = format!(
        "{} {} {} {} {:?}",
        got.server(),
        got.user,
        got.database,
        plain(got.password.as_ref()),
        got.tls
    );
    assert_eq!(shown, expected);
}

#[test]
fn postgres_urls() {
    pg("postgres://ana:p%40ss@db:5433/app", "db:5433 ana app p@ss Prefer");
    pg("postgresql://ana@[::1]/", "::1:5432 ana ana  Prefer");
    pg(
        "postgres://ana@/app?host=/var/run/postgresql&sslmode=verify-full",
        "/var/run/postgresql:5432 ana app  VerifyFull",
    );
    pg("postgres://ana:x@one:1,two:2/app", "one:1,two:2 ana app x Prefer");
    pg("host=db user=ana password='a b\\'c' dbname=app sslmode=disable", "db:5432 ana app a b'c Disable");
}

#[test]
fn redis_urls() {
    let got = redis("rediss://:s%3Acret@cache:6380/2").unwrap();
    assert_eq!((got.host.as_str(), got.port, got.database, got.tls), ("cache", 6380, 2, true));
    assert_eq!(plain(got.password.as_ref()), "s:cret");
    assert_eq!(got.user, None);
    let unix = redis("unix:///run/redis.sock?db=3").unwrap();
    assert_eq!(unix.unix_socket, Some(PathBuf::from("/run/redis.sock")));
    assert_eq!(unix.database, 3);
    assert_eq!(redis("redis://localhost").unwrap().port, 6379);
}

#[test]
fn http_urls_give_up_their_password() {
    let got = http("https://elastic:geheim@es:9200/prefix?x=1").unwrap();
    assert_eq!(got.url, "https://es:9200/prefix?x=1");
    assert_eq!(got.shown_url(), "https://es:9200/prefix");
    assert!(matches!(got.auth, HttpAuth::Basic { .. }));
    assert!(!format!("{got:?}").contains("geheim"));
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, String>, says: &str) {
    let error = result.unwrap_err();
    assert!(error.contains(says), "{error}");
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn mistakes_are_named_without_the_password() {
    refused(postgres("mysql://ana:geheim@db/app"), "not Postgres");
    refused(postgres("postgres://ana:geheim@db:99999/app"), "its port is not a number");
    refused(postgres("postgres://ana:geheim@db:0/app"), "its port is not a number");
    refused(postgres("host=db user=ana port=geheim"), "its port is not a number");
    refused(postgres("postgres://ana:x@d b/app"), "no host name");
    refused(redis("redis://[::1]geheim:1/0"), "no host name");
    refused(postgres("postgres://db/app"), "no user");
    refused(postgres("postgres://ana:geheim@db/app?sslmode=geheim"), "verify-full");
    refused(postgres("postgres://ana:geheim@db/app?sslmode=verify-ful"), "did you mean `verify-full`?");
    refused(redis("redis://:geheim@h/x"), "number of a database");
    refused(redis("redis://:geheim@h/0?ssl=true"), "write rediss://");
    refused(redis("redis://:geheim@h/0?max_connection=1"), "did you mean `max_connections`?");
    refused(redis("redis://:geheim@a:1,b:2/0"), "`nodes` or `sentinels`");
    refused(http_base("https://u:geheim@h?ssl_verify=false"), "nothing reads them");
    refused(http("ftp://ana:geheim@h"), "not http");
    refused(postgres("geheim"), "neither");
    refused(postgres("geheim=x"), "not a setting of a Postgres connection");
    refused(postgres("ana:geheim=x"), "neither");
}

#[test]
fn a_password_with_an_unescaped_letter_is_refused_and_not_repeated() {
    for letter in ['/', '?'] {
        let url = |scheme: &str| format!("{scheme}://ana:ge{letter}heim@db/0");
        for error in [
            postgres(&url("postgres")).unwrap_err(),
            redis(&url("redis")).unwrap_err(),
            http(&url("https")).unwrap_err(),
        ] {
            assert!(error.contains("%2F") && !error.contains("ge"), "{error}");
        }
    }
    // These are no doubt: the last `@` ends the login.
    let got = postgres("postgres://ana:a@b#c:d@db/app").unwrap();
    assert_eq!((got.server().as_str(), plain(got.password.as_ref()).as_str()), ("db:5432", "a@b#c:d"));
}

#[test]
fn nodes_of_one_cluster_share_scheme_path_and_credentials() {
    let http = http_base("https://elastic:p%2Cw@one:9200,two:9201, three/search").expect("it is well");
    assert_eq!(http.url, "https://one:9200/search");
    assert_eq!(http.others, ["https://two:9201/search", "https://three/search"]);
    assert!(matches!(http.auth, HttpAuth::Basic { user, .. } if user == "elastic"));
    assert!(http_base("https://one:9200,two:x").is_err());
    assert_eq!(http_base("http://one:9200/a,b").expect("a path").others, Vec::<String>::new());
}
