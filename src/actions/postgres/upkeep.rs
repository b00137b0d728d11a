//! Upkeep: VACUUM, ANALYZE, REINDEX INDEX CONCURRENTLY, the reset of statement counters. Each on a connection of its own, under a name
//! by which its session is found (and cancelled) among the queries, for as long as it takes.

use crate::config::target::PostgresConnect;
use crate::core::action::{ActionError, Outcome, Verdict, Verification};
use crate::core::postgres::Upkeep;
use crate::sources::postgres::connection::{self, Connection, Parameter, Row};
use crate::sources::postgres::settings::Settings;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Error;
use tokio_postgres::types::Type;

/// By this name its session stands among the running ones.
const NAME: &str = "stacktop upkeep";
/// It never queues up for long behind a lock, where everybody later would queue up behind it.
const SOON: Settings =
    Settings { list: &[("statement_timeout", "0"), ("lock_timeout", "2s")], own_path: false, raw: false };
/// REINDEX CONCURRENTLY waits for old transactions, not for a lock that others need; given up half way it leaves an invalid index.
const PATIENT: Settings =
    Settings { list: &[("statement_timeout", "0"), ("lock_timeout", "0")], own_path: false, raw: false };
/// A look or a look-up that was not answered after this long failed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The relation by its name, quoted by the server, and whether it is a valid index.
const RESOLVE: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), coalesce(x.indisvalid, true) FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid \
     WHERE n.nspname || '.' || c.relname = $1 AND c.relkind::text = ANY($2)";
/// The call of the extension's own function, with every argument of it: one that somebody made beside it would be preferred for fewer.
const RESET: &str = "SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, (SELECT string_agg(CASE WHEN t = 'bool'::regtype THEN 'false::' \
       ELSE '0::' END || format_type(t, NULL), ', ') FROM unnest(p.proargtypes::oid[]) t)), true \
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid \
       AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' JOIN pg_catalog.pg_proc p ON p.oid = d.objid \
     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE e.extname = 'pg_stat_statements' AND p.proname = 'pg_stat_statements_reset'";
/// When it was last vacuumed and analyzed, by anybody.
const LAST: &str = "SELECT extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum))::float8, \
     extract(epoch FROM clock_timestamp() - greatest(s.last_analyze, s.last_autoanalyze))::float8, s.n_dead_tup \
     FROM pg_catalog.pg_stat_all_tables s WHERE s.schemaname || '.' || s.relname = $1";

async fn open(connect: &PostgresConnect, settings: Settings) -> Result<Connection, ActionError> {
    connection::connect_as(connect, &settings, NAME)
        .await
        .map_err(|error| ActionError::NotDone(error.message))
}

fn words(connect: &PostgresConnect, error: &Error) -> String {
    connection::explain(error, &connect.server(), &connect.user).message
}

async fn ask(
    connect: &PostgresConnect,
    open: &Connection,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, ActionError> {
    match tokio::time::timeout(TIMEOUT, open.ask(sql, parameters)).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => Err(ActionError::NotDone(words(connect, &error))),
        Err(_) => Err(ActionError::NotDone("the server did not answer within 5 s".to_owned())),
    }
}

/// The one relation that `relation` means now, quoted; and whether it is valid.
async fn resolve(
    connect: &PostgresConnect,
    open: &Connection,
    upkeep: Upkeep,
    relation: &str,
) -> Result<(String, bool), ActionError> {
    let rows = match upkeep {
        Upkeep::ResetStatements => ask(connect, open, RESET, &[]).await?,
        Upkeep::Analyze | Upkeep::Vacuum | Upkeep::Reindex => {
            let kinds = upkeep.kinds();
            ask(connect, open, RESOLVE, &[(&relation, Type::TEXT), (&kinds, Type::TEXT_ARRAY)]).await?
        }
    };
    match &rows[..] {
        [row] => match (row.try_get(0), row.try_get(1)) {
            (Ok(name), Ok(valid)) => Ok((name, valid)),
            _ => Err(ActionError::Refused(format!("the server's name of {relation} cannot be read"))),
        },
        [] => Err(ActionError::Refused(format!("{relation} is not there (any more)"))),
        _ => Err(ActionError::Refused(format!("{relation} means more than one relation"))),
    }
}

/// Does it, and waits for its end.
pub(super) async fn carry_out(
    connect: &PostgresConnect,
    upkeep: Upkeep,
    relation: &str,
) -> Result<Outcome, ActionError> {
    let settings = if upkeep == Upkeep::Reindex { PATIENT } else { SOON };
    let open = open(connect, settings).await?;
    if open.pooled.is_some() {
        return Err(ActionError::Refused(
            "it needs a session of its own: give the address of the server itself, not of its PgBouncer"
                .to_owned(),
        ));
    }
    let (name, _) = resolve(connect, &open, upkeep, relation).await?;
    let command = upkeep.command(&name);
    let began = Instant::now();
    match open.client.simple_query(&command).await {
        Ok(_) => {
            let took = began.elapsed().as_secs_f64();
            let summary = format!("{command}: done in {took:.1} s");
            Ok(Outcome { verdict: Verdict::Done, summary, details: Vec::new() })
        }
        Err(error) if connection::is_broken(&error) => Err(ActionError::Unknown(words(connect, &error))),
        Err(error) => {
            let hint = if upkeep == Upkeep::Reindex {
                "; an invalid index may be left behind: look at the indexes of the health screen"
            } else {
                ""
            };
            Err(ActionError::NotDone(format!("{command}: {}{hint}", words(connect, &error))))
        }
    }
}

/// What the catalog and the counters say of it now.
pub(super) async fn verify_outcome(
    connect: &PostgresConnect,
    upkeep: Upkeep,
    relation: &str,
) -> Result<Verification, ActionError> {
    let open = open(connect, SOON).await?;
    let sentence = match upkeep {
        Upkeep::ResetStatements => "the counters of statements begin anew".to_owned(),
        Upkeep::Reindex => {
            let (_, valid) = resolve(connect, &open, upkeep, relation).await?;
            format!("{relation} is {}", if valid { "valid" } else { "INVALID: drop it, or reindex it again" })
        }
        Upkeep::Analyze | Upkeep::Vacuum => {
            let rows = ask(connect, &open, LAST, &[(&relation, Type::TEXT)]).await?;
            let row = rows.first();
            let at = |index: usize| row.and_then(|row| row.try_get::<_, Option<f64>>(index).ok().flatten());
            let age = if upkeep == Upkeep::Vacuum { at(0) } else { at(1) };
            let dead: Option<i64> = row.and_then(|row| row.try_get(2).ok());
            match (age, dead) {
                (Some(age), Some(dead)) => {
                    format!("{relation}: last done {age:.0} s ago, {dead} dead rows left")
                }
                _ => format!("{relation}: the server does not say when it was last done"),
            }
        }
    };
    Ok(Verification { settled: true, sentence })
}
