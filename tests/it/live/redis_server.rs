//! The Redis server in detail: what a real one says, and what a user without rights is told.

use super::topology::Own;
use super::{Watch, server};
use redis::AsyncCommands;
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::redis::RedisState;
use stacktop::core::world::SystemState;
use std::time::Duration;

fn state(watch: &Watch) -> &RedisState {
    match &watch.world.targets()[0].system {
        SystemState::Redis(state) => state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_slow_log_clients_and_a_monitor_are_seen() {
    let Some(url) =
        server("commands_slow_log_clients_and_a_monitor_are_seen", "STACKTOP_TEST_REDIS_AUTH_URL")
    else {
        return;
    };
    let client = redis::Client::open(url.as_str()).expect("a URL");
    let mut own = client.get_multiplexed_async_connection().await.expect("connected");
    let mut watch = Watch::new(Connect::Redis(url::redis(&url).expect("a URL")));
    watch.poll_with(&[Focus::Server { node: String::new() }]).await.expect("a poll");
    let set = async |own: &mut redis::aio::MultiplexedConnection, micros: &str| {
        let mut ask = redis::cmd("CONFIG");
        ask.arg("SET").arg("slowlog-log-slower-than").arg(micros);
        let () = ask.query_async(own).await.expect("set");
    };
    set(&mut own, "0").await;
    let () = own.set("detail:secret", "a payload that nobody must see").await.expect("set");
    let () = redis::cmd("MSET").arg(&["a", "1", "b", "top secret"]).query_async(&mut own).await.expect("set");
    set(&mut own, "10000").await;
    let monitor = client.get_async_monitor().await.expect("a monitor");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    watch.poll_with(&[Focus::Server { node: String::new() }]).await.expect("a poll");
    let detail = state(&watch).reading().expect("a reading").detail.as_ref().expect("the detail");
    let slow = detail.slow.ready().expect("the slow log");
    let shown: Vec<&str> = slow.iter().map(|entry| entry.command.as_str()).collect();
    assert!(
        shown.contains(&"SET detail:secret (+1 more)") && shown.contains(&"MSET a (+3 more)"),
        "{shown:?}"
    );
    assert!(shown.iter().all(|command| !command.contains("payload") && !command.contains("secret\"")));
    let clients = detail.clients.ready().expect("clients");
    assert!(clients.iter().any(|group| group.monitors), "{clients:?}");
    assert!(detail.number("used_memory").is_some_and(|bytes| bytes > 1e5));
    let commands = &state(&watch).commands;
    let mset = commands.iter().find(|rate| rate.name == "mset").expect("it was called");
    assert!(mset.calls_per_second > 0.0 && mset.share > 0.0, "{mset:?}");
    drop(monitor);
    // Nobody looks: nothing of it is asked, and nothing old is shown.
    watch.poll().await.expect("a poll");
    assert!(
        state(&watch).reading().expect("a reading").detail.is_none() && state(&watch).commands.is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_rights_each_part_names_its_own() {
    let Some(url) = server("without_the_rights_each_part_names_its_own", "STACKTOP_TEST_REDIS_AUTH_URL")
    else {
        return;
    };
    let client = redis::Client::open(url.as_str()).expect("a URL");
    let mut own = client.get_multiplexed_async_connection().await.expect("connected");
    let mut setuser = redis::cmd("ACL");
    setuser.arg(&[
        "SETUSER",
        "bare",
        "reset",
        "on",
        ">bare-secret",
        "-@all",
        "+hello",
        "+info",
        "+time",
        "+client|setname",
    ]);
    let () = setuser.query_async(&mut own).await.expect("set");
    let bare = url.replace(":redis-secret", "bare:bare-secret");
    let mut watch = Watch::new(Connect::Redis(url::redis(&bare).expect("a URL")));
    watch.poll_with(&[Focus::Server { node: String::new() }]).await.expect("a poll");
    let detail = state(&watch).reading().expect("a reading").detail.as_ref().expect("the detail");
    assert!(detail.slow.gap().expect("not permitted").note.contains("needs +slowlog|get"));
    assert!(detail.clients.gap().expect("not permitted").note.contains("needs +client|list"));
    assert!(!detail.commands.is_empty() && !detail.info.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn consumer_groups_of_streams_are_found_and_read_only() {
    let test = "consumer_groups_of_streams_are_found_and_read_only";
    let Some(own) = super::topology::Own::start(test, &[]).await else { return };
    let mut client = own.client().await;
    for n in 0..3 {
        let () = client.xadd("orders:log", "*", &[("n", n)]).await.expect("added");
    }
    let () = client.xadd("bull:mails:events", "*", &[("event", "completed")]).await.expect("added");
    let () = client.xgroup_create("orders:log", "billing", "0").await.expect("a group");
    let read: redis::Value = redis::cmd("XREADGROUP")
        .arg(&["GROUP", "billing", "one", "COUNT", "1", "STREAMS", "orders:log", ">"])
        .query_async(&mut client)
        .await
        .expect("one entry");
    assert!(!matches!(read, redis::Value::Nil));
    let mut watch = Watch::new(Connect::Redis(url::redis(&own.url()).expect("a URL")));
    watch.poll_with(&[Focus::Server { node: String::new() }]).await.expect("a poll");
    let detail = state(&watch).reading().expect("a reading").detail.as_ref().expect("the detail");
    let groups = detail.streams.ready().expect("streams");
    assert_eq!(groups.len(), 1, "{groups:?}");
    let group = &groups[0];
    assert_eq!((group.stream.as_str(), group.group.as_str(), group.length), ("orders:log", "billing", 3));
    assert_eq!((group.pending, group.consumers, group.lag), (1, 1, Some(2)), "{group:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_its_own_cause() {
    let test = "a_refusal_names_its_own_cause";
    let Some(own) = Own::start(test, &["--maxclients", "8", "--databases", "2"]).await else { return };
    let check = async |path: &str, says: &str, remedy: &str| {
        let mut watch =
            Watch::new(Connect::Redis(url::redis(&format!("{}{path}", own.url())).expect("a URL")));
        let error = watch.poll().await.expect_err("it is refused");
        assert!(error.message.contains(says), "{error}");
        assert!(error.remedy.as_ref().is_some_and(|text| text.contains(remedy)), "{error:?}");
        let next = watch.world.alerts.firing()[0].breach.step.words();
        assert!(next.contains(remedy), "the finding's next step is the remedy: {next}");
    };
    check("/7", "no logical database", "end of the url").await;
    // Whoever takes the last slot leaves none for us; the server says so and hangs up.
    let idle: Vec<_> = (0..8).map(|_| std::net::TcpStream::connect(("127.0.0.1", own.port))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    check("", "maxclients is reached", "CONFIG SET maxclients").await;
    drop(idle);
}
