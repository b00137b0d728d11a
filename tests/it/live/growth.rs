//! What grows by the day, by our own samples of real servers: half an hour passes between two looks, by the clock that is told to the source.

use super::happened::{connection, own, run};
use super::looks::connect;
use super::{client, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::alert::Rulebook;
use stacktop::core::growth::{SeenBy, seen_by_us};
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::report::PollReport;
use stacktop::core::sizes::SizesAt;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::sources::Source;
use stacktop::sources::postgres::PostgresSource;
use std::time::Duration;

const MIB: f64 = 1_048_576.0;
const HALF: u64 = 1800;

fn world(kind: SystemKind) -> World {
    let (id, now) = (TargetId::new("it"), Now::example(0));
    let state = TargetState::new(id, kind, "here:1".to_owned(), Duration::from_secs(1), now);
    World::new(vec![state], Rulebook::defaults(&all_rules()))
}

/// One poll at the moment `at`.
async fn poll(source: &mut dyn Source, world: &mut World, at: Now) {
    let reading = source.poll(at, &[]).await.expect("a poll");
    world.apply(PollReport::example(TargetId::new("it"), Ok(reading), at));
    world.evaluate(at);
}

/// What grows, by MiB a day, with the hours that it was seen for.
fn grows(world: &World, at: Now) -> Vec<(String, f64, u64)> {
    let target = world.target("it").expect("there");
    let told = |growth: stacktop::core::growth::Growth| {
        let SeenBy::Us(span) = growth.seen_by else { panic!("{growth:?}") };
        (growth.what, growth.per_day / MIB, span.as_secs() / 3600)
    };
    seen_by_us(target, at).into_iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_grows_is_told_with_its_figure_and_what_is_held_costs_only_itself() {
    let test = "a_table_that_grows_is_told_with_its_figure_and_what_is_held_costs_only_itself";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        admin.batch_execute("DROP DATABASE IF EXISTS grown WITH (FORCE)").await.expect("none");
        admin.batch_execute("CREATE DATABASE grown").await.expect("a database");
        let url = format!("{}/grown", url.rsplit_once('/').expect("a database").0);
        let writer = client(&url).await;
        let scene = "CREATE TABLE orders (id bigserial PRIMARY KEY, text text) WITH (autovacuum_enabled = off); \
            CREATE TABLE calm AS SELECT generate_series(1, 20000) AS id; CREATE TABLE held AS SELECT * FROM calm; \
            INSERT INTO orders (text) SELECT repeat('x', 900) FROM generate_series(1, 2000); ANALYZE";
        writer.batch_execute(scene).await.expect("the scene");
        let holder = client(&url).await;
        holder.batch_execute("BEGIN; LOCK TABLE held").await.expect("held");
        let mut source = PostgresSource::new(connect(&url)).watching_each(Duration::from_secs(HALF));
        let (mut world, mut kept) = (world(SystemKind::Postgres), Vec::<SizesAt>::new());
        let size = "SELECT pg_total_relation_size('orders')";
        let before: i64 = writer.query_one(size, &[]).await.expect("a size").get(0);
        for half in 0..=13 {
            // A MiB and its keys, in half an hour.
            let more = "INSERT INTO orders (text) SELECT repeat('x', 900) FROM generate_series(1, 1165)";
            if half > 0 {
                writer.batch_execute(more).await.expect("more");
            }
            let at = Now::example(half * HALF);
            let wanted = |kept: &[SizesAt]| {
                let newest = |what: &str| {
                    let all = kept.iter().filter(|sizes| sizes.bytes.contains_key(what));
                    all.map(|sizes| sizes.at).max() >= Some(at.wall)
                };
                newest("table public.orders") && newest("database grown")
            };
            for second in 0..400 {
                poll(&mut source, &mut world, at.plus(Duration::from_secs(second * 6))).await;
                kept.extend(world.take_sizes());
                if wanted(&kept) {
                    break;
                }
                assert!(second < 399, "{version}: {half}: {kept:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let after: i64 = writer.query_one(size, &[]).await.expect("a size").get(0);
        let (a_day, now) = ((after - before) as f64 / MIB / 6.5 * 24.0, Now::example(14 * HALF));
        let found = grows(&world, now);
        let of = |what: &str| found.iter().find(|(name, ..)| name == what);
        let (_, figure, hours) = of("table public.orders").unwrap_or_else(|| panic!("{version}: {found:?}"));
        assert!((figure / a_day - 1.0).abs() < 0.25 && (5..=7).contains(hours), "{a_day}: {found:?}");
        let (_, figure, _) = of("database grown").unwrap_or_else(|| panic!("{version}: {found:?}"));
        assert!((figure / a_day - 1.0).abs() < 0.35, "{a_day}: {found:?}");
        assert!(of("table public.calm").is_none(), "{found:?}");
        let named = |what: &str| kept.iter().any(|sizes| sizes.bytes.contains_key(what));
        assert!(named("table public.calm") && !named("table public.held"), "{kept:?}");
        // What was kept tells the same to the next run; what was emptied begins anew.
        let mut next = self::world(SystemKind::Postgres);
        next.recall_sizes(kept, now);
        poll(&mut source, &mut next, now).await;
        assert!(grows(&next, now).iter().any(|(what, ..)| what == "table public.orders"));
        holder
            .batch_execute("COMMIT; TRUNCATE orders; INSERT INTO orders (text) SELECT 'x'")
            .await
            .expect("emptied");
        let later = Now::example(16 * HALF);
        for second in 0..200 {
            poll(&mut source, &mut next, later.plus(Duration::from_secs(second * 6))).await;
            if grows(&next, later).is_empty() {
                break;
            }
            assert!(second < 199, "{:?}", grows(&next, later));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop((source, writer, holder));
        admin.batch_execute("DROP DATABASE grown WITH (FORCE)").await.expect("dropped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_grows_is_told_until_the_server_is_another_run() {
    let test = "memory_that_grows_is_told_until_the_server_is_another_run";
    let Some(own) = own(test) else { return };
    let mut admin = connection(&own.url).await;
    run(&mut admin, &["CONFIG", "SET", "maxmemory", "64mb"]).await;
    run(&mut admin, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    let connect = Connect::Redis(url::redis(&own.url).expect("a URL"));
    let mut source = super::Watch::new(connect).source;
    let mut world = world(SystemKind::Redis);
    let payload = "x".repeat(2 * 1_048_576);
    for half in 0..=14_u64 {
        run(&mut admin, &["SET", &format!("key {half}"), &payload]).await;
        poll(&mut *source, &mut world, Now::example(half * HALF)).await;
    }
    let now = Now::example(14 * HALF + 120);
    let found = grows(&world, now);
    let [(what, figure, 7)] = &found[..] else { panic!("{found:?}") };
    // Two MiB in half an hour, and what the allocator rounds them up to.
    assert!(what == "memory" && (90.0..140.0).contains(figure), "{found:?}");
    for second in [1, 60, 120] {
        poll(&mut *source, &mut world, Now::example(14 * HALF + second)).await;
    }
    let told = world.alerts.firing();
    let told = told.iter().find(|finding| finding.breach.rule == "redis.memory_full_in").expect("it is told");
    let words = &told.breach.sentence;
    assert!(
        words.contains("memory is full (64 MiB) in ") && words.ends_with("a day as seen for 7 h"),
        "{words}"
    );
    run(&mut admin, &["FLUSHALL"]).await;
    poll(&mut *source, &mut world, Now::example(15 * HALF)).await;
    assert_eq!(grows(&world, Now::example(15 * HALF)), []);
}
