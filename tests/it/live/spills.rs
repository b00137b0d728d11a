//! Temporary files of a session, and WAL that waits for the archiver, on real servers.

use super::looks::connect;
use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::core::alert::RuleSetting;
use stacktop::core::world::all_rules;
use stacktop::sources::postgres::PostgresSource;
use std::time::Duration;

fn told(watch: &Watch) -> Vec<String> {
    let all = watch.world.alerts.firing().into_iter();
    let all = all.filter(|finding| finding.breach.rule == "postgres.temp_files");
    all.map(|finding| finding.breach.sentence.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_files_are_of_the_session_that_sorts_and_end_with_it() {
    let test = "temporary_files_are_of_the_session_that_sorts_and_end_with_it";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        watch.source = Box::new(PostgresSource::new(connect(&url)));
        let spec = all_rules().into_iter().find(|spec| spec.id == "postgres.temp_files").expect("a rule");
        let setting = watch.world.rules.get(spec.id);
        let setting = RuleSetting { warning: Some(1e6), hold: Duration::ZERO, ..setting };
        assert!(watch.world.rules.set("postgres.temp_files", setting));
        watch.poll().await.expect("a poll");
        let reading = watch.world.targets()[0].system.postgres().and_then(|state| state.reading());
        let clock = reading.and_then(|reading| reading.clock).expect("it tells its time");
        assert!(clock.abs() < 2.0, "it runs here: {clock}");
        let sorts = client(&url).await;
        let scene = "SET work_mem = '64kB'; BEGIN; DECLARE sorted CURSOR FOR \
             SELECT n, repeat('x', 50) FROM generate_series(1, 200000) n ORDER BY n DESC; FETCH 1 FROM sorted";
        sorts.batch_execute(scene).await.expect("a sort on disk");
        let pid: i32 = sorts.query_one("SELECT pg_backend_pid()", &[]).await.expect("a row").get(0);
        let words = format!("pid {pid} (");
        for end in [false, true] {
            if end {
                sorts.batch_execute("ROLLBACK").await.expect("the end");
            }
            let mut seen = None;
            for _ in 0..400 {
                watch.poll().await.expect("a poll");
                let all = told(&watch);
                let found = all.iter().any(|sentence| sentence.starts_with(&words));
                seen = Some(all);
                if found != end {
                    seen = None;
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(seen, None, "{version}: pid {pid}, ended: {end}");
        }
    }
}
