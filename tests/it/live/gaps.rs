//! Redis servers that refuse, or that serve nobody: what could not be read is said, and is never OK and never 0.

use super::Watch;
use super::queues::reading;
use super::topology::Own;
use redis::cmd;
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::time::Duration;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Redis(url::redis(url).expect("a URL")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_costs_its_own_part_and_is_said() {
    let Some(own) = Own::start("a_refusal_costs_its_own_part_and_is_said", &[]).await else { return };
    let mut client = own.client().await;
    let () = cmd("HSET")
        .arg(&["bull:mails:meta", "version", "bullmq:5.81.3"])
        .query_async(&mut client)
        .await
        .expect("set");
    let user = |name: &str| own.url().replace("redis://", &format!("redis://{name}:secret@"));
    for (name, rights) in [("calm", "~* +@all -@dangerous"), ("other", "~other:* +@all")] {
        let mut ask = cmd("ACL");
        ask.arg(&["SETUSER", name, "on", ">secret"]).arg(rights.split(' ').collect::<Vec<_>>());
        let () = ask.query_async(&mut client).await.expect("set");
    }
    let mut calm = watch(&user("calm"));
    calm.poll().await.expect("the queues are read without INFO");
    assert_eq!(reading(&calm).queues.ready().expect("queues").len(), 1);
    assert!(calm.verdict().contains("INFO is not permitted"), "{}", calm.verdict());
    let mut other = watch(&user("other"));
    other.poll().await.expect("a poll");
    let gap = reading(&other).queues.gap().expect("a refusal is no empty list").note.clone();
    assert!(gap.contains("permit the keys ~bull:*"), "{gap}");
    assert!(!other.verdict().contains("OK"), "{}", other.verdict());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_one_script_holds_is_broken() {
    let test = "a_server_that_one_script_holds_is_broken";
    let Some(own) = Own::start(test, &["--lua-time-limit", "100"]).await else { return };
    let mut seen = watch(&own.url());
    seen.poll().await.expect("a poll");
    let mut client = own.client().await;
    let holds = tokio::spawn(async move {
        cmd("EVAL").arg("while true do end").arg(0).query_async::<redis::Value>(&mut client).await
    });
    tokio::time::sleep(Duration::from_millis(1200)).await;
    seen.poll().await.expect("it is told");
    assert!(seen.verdict().contains("held by one script"), "{}", seen.verdict());
    let mut late = watch(&own.url());
    late.poll().await.expect("whoever comes now is told, too");
    assert!(late.verdict().contains("BROKEN"), "{}", late.verdict());
    let mut killer = own.client().await;
    let () = cmd("SCRIPT").arg("KILL").query_async(&mut killer).await.expect("killed");
    assert!(holds.await.expect("ended").is_err());
    seen.poll().await.expect("a poll");
    assert!(!reading(&seen).busy);
}
