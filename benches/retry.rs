//! What retrying costs the Redis server: our script against the five commands that any retry needs, in turns on the same queue.

use stacktop::actions::Executor;
use stacktop::actions::redis::RedisExecutor;
use stacktop::actions::stop::Stops;
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed, Verdict};
use stacktop::core::ids::TargetId;
use stacktop::core::redis::{JobAct, QueueRef, RedisAction, RetryOptions};
use std::process::{Command, Stdio};
use std::time::Duration;

type Any = Box<dyn std::error::Error>;

const JOBS: usize = 20_000;
const EACH: usize = 1_000;

/// No options, no parents, no groups, no other generation, no attempts: what is left is what cannot be left out.
const PLAIN: &str = "local call, out = redis.call, {}
for at = 1, #ARGV do
  local id, hash = ARGV[at], KEYS[5 + at]
  if call('EXISTS', hash) == 1 and call('ZREM', KEYS[1], id) == 1 then
    call('HDEL', hash, 'finishedOn', 'processedOn', 'failedReason')
    call('LPUSH', KEYS[2], id)
    call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'event', 'waiting', 'jobId', id, 'prev', 'failed')
    out[at] = 'done'
  end
end
call('ZADD', KEYS[5], 0, '0')
return out";

fn fill(connection: &mut redis::Connection) -> redis::RedisResult<()> {
    let stack =
        serde_json::json!(vec!["Error: card declined\n    at charge (/app/charge.js:10:5)"; 3]).to_string();
    let mut pipe = redis::pipe();
    pipe.cmd("FLUSHALL").ignore();
    for id in 0..JOBS {
        let data = serde_json::json!({"order": id, "customer": format!("c{id}"), "note": "x".repeat(60)});
        pipe.cmd("HSET").arg(format!("bull:q:{id}")).arg(&[
            ("name", "charge"),
            ("data", &data.to_string()),
            ("opts", r#"{"attempts":3,"backoff":{"type":"exponential","delay":1000},"delay":0}"#),
            ("timestamp", "1800000000000"),
            ("delay", "0"),
            ("priority", "0"),
            ("processedOn", "1800000001000"),
            ("finishedOn", "1800000002000"),
            ("failedReason", "card declined"),
            ("stacktrace", &stack),
            ("atm", "3"),
            ("ats", "3"),
        ]);
        pipe.ignore().cmd("ZADD").arg("bull:q:failed").arg(1_800_000_002_000_usize + id).arg(id).ignore();
    }
    pipe.cmd("HSET").arg("bull:q:meta").arg(&[("opts.maxLenEvents", "10000"), ("version", "bullmq:5.81.3")]);
    pipe.ignore().exec(connection)
}

/// The server's own time in scripts since the last reset: ms, and calls.
fn scripts(connection: &mut redis::Connection) -> redis::RedisResult<(f64, u64)> {
    let info: String = redis::cmd("INFO").arg("commandstats").query(connection)?;
    let line = info.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap_or_default();
    let number = |name: &str| -> u64 {
        let rest = line.split_once(name).map_or("0", |(_, rest)| rest);
        rest.split(',').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    Ok((number("usec=") as f64 / 1000.0, number("calls=")))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() -> Result<(), Any> {
    // `cargo test --benches` asks for a list of tests; this has none.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("stacktop-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let started = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(&folder)
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut server) = started else {
        println!("no redis-server here: nothing is measured");
        return Ok(());
    };
    let measured = measure(&format!("redis://127.0.0.1:{port}"), &folder);
    let _ = server.kill();
    let _ = server.wait();
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measure(address: &str, folder: &std::path::Path) -> Result<(), Any> {
    let client = redis::Client::open(address)?;
    let mut connection = loop {
        match client.get_connection() {
            Ok(connection) => break connection,
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    fill(&mut connection)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let executor = RedisExecutor::new(url::redis(address)?, folder);
    let plain = redis::Script::new(PLAIN);
    let queue = QueueRef { prefix: "bull".into(), name: "q".into() };
    let (mut ours, mut bare, mut call) = (Vec::new(), Vec::new(), Vec::new());
    for (round, ids) in (0..JOBS).collect::<Vec<_>>().chunks(EACH).enumerate() {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut connection)?;
        if round % 2 == 0 {
            let act =
                RedisAction::Jobs { queue: queue.clone(), ids, act: JobAct::Retry(RetryOptions::default()) };
            let action = Action::Redis { target: TargetId::new("bench"), act };
            let outcome = runtime
                .block_on(executor.execute(&Confirmed::by_a_person(action), &Stops::default().begin()))?;
            assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
            let (time, calls) = scripts(&mut connection)?;
            ours.push(time);
            call.push(time / calls as f64);
        } else {
            for batch in ids.chunks(100) {
                // As the program does between its calls.
                std::thread::sleep(Duration::from_millis(5));
                let mut invocation = plain.prepare_invoke();
                for key in ["failed", "wait", "paused", "events", "marker"] {
                    invocation.key(queue.key(key));
                }
                for id in batch {
                    invocation.key(queue.key(id)).arg(id);
                }
                let done: Vec<String> = invocation.invoke(&mut connection)?;
                assert_eq!(done.len(), batch.len());
            }
            bare.push(scripts(&mut connection)?.0);
        }
    }
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "  {EACH} retries: {ours:.1} ms of the server's time ({:.2} ms a call), the bare commands {bare:.1} ms: {:.2} times as long",
        median(call),
        ours / bare
    );
    Ok(())
}
