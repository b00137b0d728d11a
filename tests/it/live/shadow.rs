//! Whoever may create functions in a watched database must not get them run by us: every function and operator that a statement of
//! ours names is planted there again, and none of them runs.

use super::{Watch, client, reading, server};
use futures_util::StreamExt;
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::part::Part;
use stacktop::core::postgres::{BackendId, Look, PgAction, Planned, Promise, SqlPanel, TOPICS, Upkeep};
use stacktop::core::time::Clock;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The folders and files with our statements.
const OURS: [&str; 3] = ["src/sources/postgres", "src/actions/postgres", "src/core/postgres/action.rs"];

/// How what is planted gets before what is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// The database's owner sets a path (every version).
    Path,
    /// Any role makes something in `public` that fits better (up to 14, where any may).
    Fit,
}

/// All that our files say, for the server to find its own functions and operators in.
pub fn statements() -> String {
    fn read(path: &Path, all: &mut String) {
        if path.is_dir() {
            let entries =
                std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
            entries.for_each(|entry| read(&entry, all));
        } else {
            all.push_str(&std::fs::read_to_string(path).expect("a file"));
        }
    }
    let mut all = String::new();
    for path in OURS {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &mut all);
    }
    all
}

/// Words before a parenthesis.
pub fn called(text: &str) -> Vec<String> {
    let ends = text.match_indices('(').map(|(at, _)| &text[..at]);
    let words = ends.map(|before| before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next());
    words
        .flatten()
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// What stands between blanks and consists of an operator's letters.
fn operators(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter(|word| word.chars().all(|c| "+-*/<>=~!@#%^&|".contains(c)));
    words.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Plants everything of the server's that is named in the temporary tables `called` and `written`: with the same arguments, and where
/// the server's takes any number of any type, with up to twelve texts.
const PLANT: &str = r"
DO $plant$
DECLARE it record; body text; made int := 0; args text;
BEGIN
  FOR it IN SELECT p.oid, p.proname, p.prokind, p.proretset, p.proargmodes, p.proargtypes,
      pg_catalog.pg_get_function_arguments(p.oid) AS arguments, pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity,
      pg_catalog.pg_get_function_result(p.oid) AS result, pg_catalog.format_type(p.prorettype, NULL) AS kind
      FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a')
      AND p.proname IN (SELECT name FROM called) LOOP
    BEGIN
      IF it.prokind = 'a' THEN
        EXECUTE pg_catalog.format('CREATE FUNCTION public.shadow_%s(state %s%s) RETURNS %s LANGUAGE plpgsql AS %L', it.oid, it.kind,
          CASE WHEN it.identity = '' THEN '' ELSE ', ' || it.identity END, it.kind, 'BEGIN RETURN state; END');
        EXECUTE pg_catalog.format('CREATE AGGREGATE public.%I(%s) (SFUNC = public.shadow_%s, STYPE = %s)', it.proname,
          CASE WHEN it.identity = '' THEN '*' ELSE it.identity END, it.oid, it.kind);
      ELSE
        body := CASE WHEN it.proretset OR 'o' = ANY(it.proargmodes) THEN 'BEGIN RETURN; END' ELSE 'BEGIN RETURN NULL; END' END;
        EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', it.proname, it.arguments, it.result, body);
      END IF;
      made := made + 1;
    EXCEPTION WHEN invalid_function_definition OR feature_not_supported OR undefined_object OR undefined_function OR duplicate_function OR datatype_mismatch THEN NULL;
    END;
    IF it.arguments LIKE '%VARIADIC%' THEN
      FOR many IN 1..12 LOOP
        args := pg_catalog.array_to_string(pg_catalog.array_fill('text'::text, ARRAY[many]), ', ');
        EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', it.proname, args, it.result, 'BEGIN RETURN NULL; END');
      END LOOP;
    END IF;
  END LOOP;
  FOR it IN SELECT o.oid, o.oprname, pg_catalog.format_type(nullif(o.oprleft, 0), NULL) AS l, pg_catalog.format_type(o.oprright, NULL) AS r,
      pg_catalog.format_type(o.oprresult, NULL) AS result FROM pg_catalog.pg_operator o
      WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprright <> 0 AND o.oprname IN (SELECT name FROM written) LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION public.shadow_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', it.oid,
        pg_catalog.concat_ws(', ', it.l, it.r), it.result, 'BEGIN RETURN NULL; END');
      EXECUTE pg_catalog.format('CREATE OPERATOR public.%s (%s RIGHTARG = %s, FUNCTION = public.shadow_%s)', it.oprname,
        CASE WHEN it.l IS NULL THEN '' ELSE 'LEFTARG = ' || it.l || ',' END, it.r, it.oid);
      made := made + 1;
    EXCEPTION WHEN invalid_function_definition OR feature_not_supported OR undefined_object OR undefined_function OR duplicate_function OR datatype_mismatch THEN NULL;
    END;
  END LOOP;
  -- The extension lives in a schema where others may make something: a function with fewer arguments is preferred to its defaults.
  CREATE FUNCTION public.pg_stat_statements_reset() RETURNS void LANGUAGE plpgsql AS 'BEGIN RETURN; END';
  IF made < 400 THEN RAISE EXCEPTION 'only % were planted', made; END IF;
END $plant$;
";

/// The database with everything planted: the superuser's URL of it.
async fn planted(url: &str, name: &str, way: Way) -> String {
    let admin = client(url).await;
    admin
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await
        .expect("nothing is there");
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    admin
        .batch_execute(&format!("ALTER DATABASE {name} SET track_functions = 'all'"))
        .await
        .expect("counted");
    let there = url.replace("/postgres", &format!("/{name}")).replace(&format!("//{name}"), "//postgres");
    let owner = client(&there).await;
    owner
        .batch_execute("CREATE EXTENSION pg_stat_statements; CREATE TABLE goods (id int PRIMARY KEY)")
        .await
        .expect("a scene");
    let planter = match way {
        Way::Path => owner,
        Way::Fit => {
            client(&there.replace("postgres:postgres-secret", "nobody_role:nobody_role-secret")).await
        }
    };
    let lists = "SET search_path = pg_catalog, pg_temp; CREATE TEMP TABLE called (name name); CREATE TEMP TABLE written (name name)";
    planter.batch_execute(lists).await.expect("two lists");
    let text = statements();
    for (table, names) in [("called", called(&text)), ("written", operators(&text))] {
        let sql = format!("INSERT INTO pg_temp.{table} SELECT unnest($1::text[])");
        planter.execute(&sql, &[&names]).await.expect("listed");
    }
    planter.batch_execute(PLANT).await.expect("planted");
    if way == Way::Path {
        let sql = format!("ALTER DATABASE {name} SET search_path = public, pg_catalog");
        admin.batch_execute(&sql).await.expect("its path is set");
    }
    there
}

/// Looks until it is answered.
async fn look(watch: &mut Watch, look: Look) {
    for _ in 0..200 {
        watch.poll_with(&[Focus::Look(look.clone())]).await.expect("a poll");
        let found = reading(watch).looks.iter().find(|looked| looked.look == look).expect("it is looked at");
        if found.table != Part::NotAsked && !found.asking {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{look:?} was not answered");
}

async fn act(watch: &Watch, act: PgAction) -> Outcome {
    watch.act(Action::Postgres { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

/// Everything that the program ever asks a server.
async fn everything(there: &str, version: u32) {
    let interval = Duration::from_secs(60);
    let panel =
        SqlPanel { name: "own".to_owned(), sql: "TABLE goods".to_owned(), interval, ..SqlPanel::default() };
    let connect = PostgresConnect { panels: vec![panel], ..url::postgres(there).expect("a URL") };
    let mut watch = Watch::new(Connect::Postgres(connect));
    // Somebody is blocked: locks and their holders are asked for.
    let (holder, waiter) = (client(there).await, client(there).await);
    holder.batch_execute("BEGIN; LOCK TABLE goods").await.expect("locked");
    let waiting = tokio::spawn(async move { waiter.batch_execute("TABLE goods").await });
    for _ in 0..200 {
        watch.poll().await.expect("a poll");
        if reading(&watch).locks.ready().is_some_and(|locks| !locks.rows.is_empty()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(reading(&watch).locks.ready().is_some(), "{version}: {:?}", reading(&watch).locks.gap());
    let found = reading(&watch);
    for gap in [found.sessions.gap(), found.databases.gap(), found.health.gap(), found.statements.gap()] {
        assert_eq!(gap, None, "{version}");
    }
    let sessions = found.sessions.ready().expect("sessions").clone();
    let goods = |state: &str| {
        let session = sessions.iter().find(|session| {
            session.query.contains("TABLE goods")
                && session.state.words() == state
                && there.ends_with(&session.database)
        });
        session.unwrap_or_else(|| panic!("{version}: no session is {state}")).clone()
    };
    let (waits, holds) = (goods("active"), goods("idle in transaction"));
    let query_start_micros = waits.query_start_micros.expect("it runs something");
    act(&watch, PgAction::Cancel { backend: waits.id, query_start_micros, promise: Promise::default() })
        .await;
    assert!(waiting.await.expect("no panic").is_err(), "{version}: it was cancelled");
    let gone = BackendId { pid: 1, backend_start_micros: 1 };
    let several = vec![(holds.id, None), (gone, None)];
    assert_eq!(
        act(&watch, PgAction::Several { backends: several, terminate: true, promise: Promise::default() })
            .await
            .verdict,
        Verdict::Partly
    );
    let statement = reading(&watch).statements.ready().expect("statements").rows[0].0;
    for topic in TOPICS {
        look(&mut watch, Look::Topic(topic.id.to_owned())).await;
    }
    look(&mut watch, Look::Panel("own".to_owned())).await;
    watch.poll_with(&[Focus::StatementTexts(vec![statement.query])]).await.expect("a poll");
    let planned = Planned { query: statement.query, user: statement.user, database: statement.database };
    look(&mut watch, Look::Plan(planned)).await;
    for (upkeep, relation) in [
        (Upkeep::Analyze, "public.goods"),
        (Upkeep::Vacuum, "public.goods"),
        (Upkeep::Reindex, "public.goods_pkey"),
        (Upkeep::ResetStatements, ""),
    ] {
        let outcome = act(&watch, PgAction::Upkeep { upkeep, relation: relation.to_owned() }).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{version}: {outcome:?}");
    }
    let now = watch.clock.now();
    stacktop::systems::examine(&watch.target, now).await.expect("examined");
}

/// The planted ones that ran, with how often. The counters of a session are there when it has ended.
async fn ran(there: &str) -> Vec<(String, i64)> {
    let sql = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let counter = client(there).await;
    counter
        .batch_execute("SET search_path = pg_catalog, pg_temp; SET track_functions = 'none'")
        .await
        .expect("set");
    for _ in 0..100 {
        if counter.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    // Up to 14 a process of its own writes them down.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let sql = "SELECT f.funcid::regprocedure::text, f.calls FROM pg_catalog.pg_stat_user_functions f \
               JOIN pg_catalog.pg_proc p ON p.oid = f.funcid WHERE p.prosrc LIKE 'BEGIN RETURN%' ORDER BY f.calls DESC LIMIT 20";
    let rows = counter.query(sql, &[]).await.expect("counted");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_or_operator_of_a_watched_database_runs() {
    let test = "no_function_or_operator_of_a_watched_database_runs";
    let mut tries = Vec::new();
    for version in 13..=18_u32 {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let ways = if version <= 14 { &[Way::Path, Way::Fit][..] } else { &[Way::Path] };
        tries.extend(ways.iter().map(|way| (version, *way, url.clone())));
    }
    let runs = tries.into_iter().map(|(version, way, url)| nothing_runs(version, way, url));
    futures_util::stream::iter(runs).buffer_unordered(3).collect::<Vec<()>>().await;
}

async fn nothing_runs(version: u32, way: Way, url: String) {
    let url = url.as_str();
    let name = format!("shadow_{way:?}_{version}").to_lowercase();
    let there = planted(url, &name, way).await;
    // It is counted when somebody is caught.
    let caught = [("public.concat_ws(text,text,text)".to_owned(), 1)];
    client(&there).await.batch_execute("SELECT concat_ws(':', 'a'::text, 'b'::text)").await.expect("called");
    assert_eq!(ran(&there).await, caught, "{version} {way:?}");
    everything(&there, version).await;
    assert_eq!(ran(&there).await, caught, "{version} {way:?}");
    let admin = client(url).await;
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("cleaned");
}
