//! A server's own log: its end, for those who may read it; the others are told which right that needs.

use super::looks::{answer, connect};
use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::core::part::{GapKind, Part};
use stacktop::core::postgres::{Look, SqlTable};

fn lines(table: &Part<SqlTable>) -> Vec<&str> {
    table.ready().map_or(Vec::new(), |table| table.column("line").map(|(_, line)| line).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_servers_log_is_read_where_that_is_permitted() {
    let test = "the_end_of_a_servers_log_is_read_where_that_is_permitted";
    let Some(url) = server(test, "STACKTOP_TEST_PG_LOG_URL") else { return };
    let own = client(&url).await;
    let role = format!("log_reader_{}", std::process::id());
    let table = format!("nowhere_{}", std::process::id());
    own.batch_execute(&format!("SELECT 'gelöscht' FROM {table}")).await.expect_err("there is none");
    own.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'reads-logs'; GRANT pg_monitor TO {role}"))
        .await
        .expect("a role");
    let look = Look::Topic("log".to_owned());
    let mut watch = Watch::new(Connect::Postgres(connect(&url)));
    // The collector writes a moment later.
    let mut found = answer(&mut watch, &look, &[]).await;
    for _ in 0..20 {
        if lines(&found).iter().any(|line| line.contains(&table)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        watch = Watch::new(Connect::Postgres(connect(&url)));
        found = answer(&mut watch, &look, &[]).await;
    }
    let told = lines(&found);
    assert!(
        told.iter().any(|line| line.contains(&format!("relation \"{table}\" does not exist"))),
        "{found:?}"
    );
    assert!(told.iter().any(|line| line.contains("SELECT 'gelöscht'")), "it is text again: {found:?}");
    assert!(told.iter().all(|line| !line.contains("reads-logs")), "{found:?}");
    assert!(told.iter().all(|line| !line.contains("/* stacktop */")), "our own are no news: {found:?}");
    let limited = url.replacen("postgres:postgres-secret", &format!("{role}:reads-logs"), 1);
    let mut watch = Watch::new(Connect::Postgres(connect(&limited)));
    let refused = answer(&mut watch, &look, &[]).await;
    let gap = refused.gap().expect("it may not");
    assert_eq!(gap.kind, GapKind::NotPermitted);
    assert!(
        gap.note.contains("GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint)"),
        "{gap:?}"
    );
    let grant = "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint) TO";
    own.batch_execute(&format!("{grant} {role}")).await.expect("granted");
    let mut watch = Watch::new(Connect::Postgres(connect(&limited)));
    let permitted = answer(&mut watch, &look, &[]).await;
    own.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("it is gone");
    assert!(lines(&permitted).iter().any(|line| line.contains(&table)), "{permitted:?}");
}
