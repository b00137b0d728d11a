//! How the program gets in: what a role's own defaults do, what a closed database says, passwords that change meanwhile.

use super::{Watch, client, reading, server};
use stacktop::config::secret::Secret;
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::report::PollErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// `url` as another user.
fn as_user(url: &str, user: &str, password: &str) -> String {
    let place = url.rsplit_once('@').expect("a user").1;
    format!("postgres://{user}:{password}@{place}")
}

/// A file as a secret has to be kept.
fn secret_file(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_whose_role_begins_serializable_is_read() {
    let test = "a_standby_whose_role_begins_serializable_is_read";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(standby) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let primary = client(&url).await;
    let role = "DROP ROLE IF EXISTS guest_serial; CREATE ROLE guest_serial LOGIN SUPERUSER PASSWORD 'serial'; \
        ALTER ROLE guest_serial SET default_transaction_isolation = serializable";
    primary.batch_execute(role).await.expect("a role");
    for attrs in ["any", "read-only"] {
        let standby = format!("{}?target_session_attrs={attrs}", as_user(&standby, "guest_serial", "serial"));
        let mut watch = Watch::new(Connect::Postgres(url::postgres(&standby).expect("a URL")));
        let mut last = watch.poll().await;
        // The role may not have got there yet.
        for _ in 0..100 {
            if last.as_ref().is_err_and(|error| error.message.contains("password")) {
                tokio::time::sleep(Duration::from_millis(50)).await;
                last = watch.poll().await;
            }
        }
        last.expect("a poll");
        let reading = reading(&watch);
        assert!(reading.server.in_recovery, "{:?}", reading.server);
        for gap in [reading.sessions.gap(), reading.databases.gap(), reading.standby.gap()] {
            assert_eq!(gap, None, "{attrs}");
        }
    }
    primary.batch_execute("DROP ROLE guest_serial").await.expect("dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lets_nobody_in_says_what_opens_it() {
    let test = "a_database_that_lets_nobody_in_says_what_opens_it";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    for sql in [
        "DROP DATABASE IF EXISTS \"guest Closed\"",
        "DROP ROLE IF EXISTS \"guest-x\"",
        "CREATE ROLE \"guest-x\" LOGIN PASSWORD 'x'",
        "CREATE DATABASE \"guest Closed\"",
        "REVOKE CONNECT ON DATABASE \"guest Closed\" FROM PUBLIC",
    ] {
        admin.batch_execute(sql).await.expect(sql);
    }
    let place = as_user(&url, "guest-x", "x").replace("/postgres", "/guest%20Closed");
    let mut watch =
        Watch::new(Connect::Postgres(url::postgres(&format!("{place}?sslmode=disable")).expect("a URL")));
    let refused = watch.poll().await.expect_err("nobody is let in");
    assert_eq!(refused.kind, PollErrorKind::Credentials, "{refused:?}");
    let remedy = refused.remedy.expect("a remedy");
    assert_eq!(remedy, "GRANT CONNECT ON DATABASE \"guest Closed\" TO \"guest-x\";");
    // It is one that works.
    admin.batch_execute(&remedy).await.expect("granted");
    watch.poll().await.expect("let in");
    drop(watch);
    admin
        .batch_execute("ALTER DATABASE \"guest Closed\" ALLOW_CONNECTIONS false")
        .await
        .expect("closed for all");
    let mut watch =
        Watch::new(Connect::Postgres(url::postgres(&format!("{place}?sslmode=disable")).expect("a URL")));
    let refused = watch.poll().await.expect_err("nobody is let in").remedy.expect("a remedy");
    let remedy = refused.rsplit_once("or ").expect("a statement").1;
    admin.batch_execute(remedy).await.expect("opened");
    watch.poll().await.expect("let in");
    drop(watch);
    for sql in ["DROP DATABASE \"guest Closed\" WITH (FORCE)", "DROP ROLE \"guest-x\""] {
        admin.batch_execute(sql).await.expect(sql);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_changed_is_read_again() {
    let test = "a_password_that_changed_is_read_again";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    let role = "DROP ROLE IF EXISTS guest_rotates; CREATE ROLE guest_rotates LOGIN PASSWORD 'old'; GRANT pg_monitor TO guest_rotates";
    admin.batch_execute(role).await.expect("a role");
    let folder = tempfile::tempdir().expect("a folder");
    let (file, passfile) = (folder.path().join("secret"), folder.path().join("pgpass"));
    let write = |password: &str| {
        secret_file(&file, &format!("{password}\n"));
        secret_file(&passfile, &format!("# ours\n*:*:postgres:guest_rotates:{password}\n"));
    };
    write("old");
    let base = url::postgres(&as_user(&url, "guest_rotates", "").replace(":@", "@")).expect("a URL");
    let entry = ["127.0.0.1", "5432", "postgres", "guest_rotates"].map(str::to_owned);
    let mut kinds = Vec::new();
    for secret in [Secret::File(file.clone()), Secret::Passfile(passfile.clone(), entry)] {
        let connect = PostgresConnect { password: Some(secret), ..base.clone() };
        let mut watch = Watch::new(Connect::Postgres(connect));
        watch.poll().await.expect("a poll with the old one");
        kinds.push(watch);
    }
    admin.batch_execute("ALTER ROLE guest_rotates PASSWORD 'new'").await.expect("changed");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest_rotates'";
    admin.batch_execute(end).await.expect("ended");
    for watch in &mut kinds {
        let mut refused = None;
        for _ in 0..20 {
            refused = watch.poll().await.err();
            if refused.as_ref().is_some_and(|error| error.kind == PollErrorKind::Credentials) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let refused = refused.expect("the old one is not taken any more");
        assert_eq!(refused.kind, PollErrorKind::Credentials, "{refused:?}");
    }
    write("new");
    for watch in &mut kinds {
        watch.poll().await.expect("the new one is taken, without a restart");
        assert_eq!(reading(watch).sessions.gap(), None);
    }
    drop(kinds);
    admin.batch_execute("DROP ROLE guest_rotates").await.expect("dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_redis_that_changed_is_read_again() {
    let test = "a_password_of_redis_that_changed_is_read_again";
    let Some(url) = server(test, "STACKTOP_TEST_REDIS_AUTH_URL") else { return };
    let admin = redis::Client::open(url.as_str()).expect("a URL");
    let mut admin = admin.get_multiplexed_async_connection().await.expect("connected");
    let run = async |admin: &mut redis::aio::MultiplexedConnection, words: &[&str]| {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let _: redis::Value = command.query_async(admin).await.expect("done");
    };
    run(&mut admin, &["ACL", "SETUSER", "guest-rotates", "reset", "on", ">old", "~*", "&*", "+@all"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    secret_file(&file, "old\n");
    let place = url.rsplit_once('@').expect("a password").1;
    let mut connect = url::redis(&format!("redis://guest-rotates@{place}")).expect("a URL");
    connect.password = Some(Secret::File(file.clone()));
    let mut watch = Watch::new(Connect::Redis(connect));
    watch.poll().await.expect("a poll with the old one");
    run(&mut admin, &["ACL", "SETUSER", "guest-rotates", "resetpass", ">new"]).await;
    run(&mut admin, &["CLIENT", "KILL", "USER", "guest-rotates"]).await;
    let mut refused = None;
    for _ in 0..20 {
        refused = watch.poll().await.err();
        if refused.as_ref().is_some_and(|error| error.kind == PollErrorKind::Credentials) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(refused.expect("the old one is not taken any more").kind, PollErrorKind::Credentials);
    secret_file(&file, "new\n");
    watch.poll().await.expect("the new one is taken, without a restart");
    run(&mut admin, &["ACL", "DELUSER", "guest-rotates"]).await;
}
