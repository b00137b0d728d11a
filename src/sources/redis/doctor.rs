//! What this user can see and do on a Redis server. Reads only: what would write is asked with `ACL DRYRUN`, or not known.

use super::connection;
use crate::config::target::RedisConnect;
use crate::core::doctor::{Check, Report, Standing};
use crate::core::report::PollError;
use crate::core::text::tidy;
use crate::sources::redis::login;
use redis::{Value, cmd, pipe};

/// What reading needs.
const MONITOR: &str = "+ping +hello +auth +client|setname +client|info +client|id +client|list +info +role +cluster|slots +cluster|info +time +scan +type +exists +pttl +llen +lindex \
     +lrange +lpos +zcard +zcount +zrange +zrangebyscore +zrevrange +zscore +get +hget +hmget +hkeys +hlen +hstrlen +srandmember +sismember +xlen +xinfo|groups +xrange +xrevrange +memory|usage +select +slowlog|get";
/// What acting needs beyond that.
const OPERATOR: &str = "+eval +evalsha +script|load +hexists +hgetall +hset +hdel +zadd +zrem +lpush +rpush +lrem +lset +ltrim +linsert +rename \
     +set +incr +sadd +srem +del +xadd +zrevrangebyscore +publish +script|kill +function|kill";

/// Read commands that are tried: the feature, the command and its arguments after the key.
const READS: [(&str, &str, &[&str]); 11] = [
    ("queue counts", "LLEN", &[]),
    ("queue counts", "ZCARD", &[]),
    ("queue counts", "ZCOUNT", &["0", "1"]),
    ("failed jobs", "ZREVRANGE", &["0", "1"]),
    ("failed jobs", "HMGET", &["name"]),
    ("one job", "HSTRLEN", &["data"]),
    ("waiting jobs", "LRANGE", &["0", "1"]),
    ("where a job is", "LPOS", &["x"]),
    ("locks of workers", "PTTL", &[]),
    ("events of a queue", "XREVRANGE", &["+", "-", "COUNT", "1"]),
    ("flows", "SRANDMEMBER", &["1"]),
];
/// Commands of the actions, asked with `ACL DRYRUN`: the action, the command and its arguments after the key.
const WRITES: [(&str, &str, &[&str]); 13] = [
    ("retry jobs", "ZREM", &["x"]),
    ("retry jobs", "LPUSH", &["x"]),
    ("retry jobs", "HDEL", &["x"]),
    ("wake workers", "ZADD", &["0", "x"]),
    ("events", "XADD", &["*", "event", "x"]),
    ("pause and resume", "HSET", &["paused", "1"]),
    ("remove jobs", "DEL", &[]),
    ("stalled jobs", "LREM", &["1", "x"]),
    ("stalled jobs", "SREM", &["x"]),
    ("put back removed jobs", "RPUSH", &["x"]),
    ("redrive", "INCR", &[]),
    ("redrive", "SET", &["x"]),
    ("retry everything", "ZREVRANGEBYSCORE", &["1", "0"]),
];

/// How a command that only reads was answered. Only an answer is a sign that it works: whatever else the server says, nothing was read.
fn read(feature: &str, answer: Option<&Value>, right: &str) -> Check {
    match answer {
        None => Check::unknown(feature, "the server gave no answer"),
        // Of a script that is not there only its absence is told, if it may be called at all.
        Some(Value::ServerError(error)) if error.code() == "NOSCRIPT" => Check::fine(feature, "permitted"),
        Some(Value::ServerError(error)) if error.code() == "NOPERM" => {
            Check::refused(feature, "not permitted", format!("permit {right}"))
        }
        Some(Value::ServerError(error)) => {
            let details = error.details().unwrap_or_default();
            Check::unknown(feature, format!("the server says {} {}", error.code(), tidy(details, 100)))
        }
        Some(_) => Check::fine(feature, "permitted"),
    }
}

/// Examines the server.
///
/// # Errors
/// When it cannot be connected to; the sentence says what to do.
pub async fn examine(connect: &RedisConnect) -> Result<Report, PollError> {
    let mut open = connection::connect(connect).await?;
    let prefix = connect.prefixes.first().map_or("bull", String::as_str);
    let key = format!("{prefix}:stacktop-doctor:none");
    let failed = |error: redis::RedisError| login::explain(&error, connect);
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("INFO").cmd("CLIENT").arg("LIST").cmd("SLOWLOG").arg("GET").arg(1);
    ask.cmd("SCAN").arg(0).arg("COUNT").arg(1).cmd("ACL").arg("WHOAMI");
    ask.cmd("EVALSHA").arg("0".repeat(40)).arg(0);
    for (_, command, arguments) in READS {
        ask.cmd(command).arg(&key).arg(arguments);
    }
    let values: Vec<Value> = ask.query_async(&mut open).await.map_err(failed)?;
    if let Some(Value::ServerError(error)) = values.first()
        && matches!(error.code(), "NOAUTH" | "WRONGPASS")
    {
        return Err(failed(error.clone().into()));
    }
    let mut checks = vec![Check::fine("connection", if connect.tls { "encrypted" } else { "not encrypted" })];
    for (index, feature, right) in [
        (0, "server state (INFO)", "+info"),
        (1, "connected workers", "+client|list"),
        (2, "slow log", "+slowlog|get"),
        (3, "finding queues", "+scan (or name the queues in the configuration)"),
    ] {
        checks.push(read(feature, values.get(index), right));
    }
    for (index, (feature, command, _)) in READS.iter().enumerate() {
        checks.push(read(feature, values.get(6 + index), &format!("+{}", command.to_lowercase())));
    }
    let scripts = read("calling scripts", values.get(5), "+eval +evalsha +script|load");
    // Only actions need it.
    let standing = if scripts.standing == Standing::Refused { Standing::Missing } else { scripts.standing };
    checks.push(Check { standing, ..scripts });
    let user = values.get(4).and_then(super::decode::text).unwrap_or_else(|| "default".to_owned());
    for (feature, command, arguments) in WRITES {
        let mut dry = cmd("ACL");
        dry.arg("DRYRUN").arg(&user).arg(command).arg(&key).arg(arguments);
        checks.push(match dry.query_async::<Value>(&mut open).await {
            Ok(Value::Okay) => Check::fine(feature, format!("{user} may {command}")),
            Ok(_) => Check::missing(feature, "not permitted", format!("permit +{}", command.to_lowercase())),
            Err(error) if error.is_io_error() => return Err(failed(error)),
            // An action that is not permitted hides nothing, and neither does one of which that is not known.
            Err(_) => Check {
                standing: Standing::Untried,
                ..Check::unknown(
                    feature,
                    format!("{user} may not ask (ACL DRYRUN, Redis 7); an action would say so"),
                )
            },
        });
    }
    checks.dedup_by(|later, earlier| later.feature == earlier.feature && earlier.works() && later.works());
    let info = values.first().and_then(super::decode::text).unwrap_or_default();
    let version = super::info::server(&info).version;
    Ok(Report { checks, setup: setup(prefix, &version) })
}

/// The two lines for the access list of a server of this version.
fn setup(prefix: &str, version: &str) -> Vec<String> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    // Before 7 a key pattern cannot be for reading only; before 7.2 a rule that names SETINFO is an error.
    let read = if version >= (7, 0) { "%R~" } else { "~" };
    let named = if version >= (7, 2) { " +client|setinfo" } else { "" };
    let drawn = if version >= (6, 2) { " +hrandfield" } else { "" };
    // Bull tells its queues of a changed delay by a message; channels are guarded from 6.2 on.
    let channels = if version >= (6, 2) { format!(" resetchannels &{prefix}:*") } else { String::new() };
    let user = "ACL SETUSER stacktop on >PASSWORD resetkeys";
    vec![
        format!("{user} {read}{prefix}:* -@all {MONITOR}{drawn}{named}"),
        "# and for those who act:".to_owned(),
        format!("{user} ~{prefix}:*{channels} -@all {MONITOR}{drawn}{named} {OPERATOR}"),
    ]
}
