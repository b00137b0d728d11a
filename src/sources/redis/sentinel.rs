//! Asks Sentinels which server is the primary now.

use crate::config::target::RedisConnect;
use crate::core::report::{PollError, PollErrorKind};
use redis::{Value, cmd};
use std::time::Duration;

/// A Sentinel that has not answered by then is passed over.
const PATIENCE: Duration = Duration::from_millis(800);

/// The target with the address of its primary, by the first Sentinel that knows it.
///
/// # Errors
/// When none of them does; the sentence says what each answered.
pub(super) async fn primary(target: &RedisConnect) -> Result<RedisConnect, PollError> {
    let mut answers = Vec::new();
    for sentinel in &target.sentinels {
        match tokio::time::timeout(PATIENCE, ask(target, sentinel)).await {
            Ok(Ok((host, port))) => {
                return Ok(RedisConnect { host, port, sentinels: Vec::new(), ..target.clone() });
            }
            Ok(Err(why)) => answers.push(format!("{}:{} {why}", sentinel.0, sentinel.1)),
            Err(_) => answers.push(format!("{}:{} does not answer", sentinel.0, sentinel.1)),
        }
    }
    let message = format!("no Sentinel names a primary for {}: {}", target.host, answers.join("; "));
    Err(PollError::new(PollErrorKind::Unreachable, message)
        .remedy("check `sentinels`, and the primary's name, which is the host in the url"))
}

async fn ask(target: &RedisConnect, sentinel: &(String, u16)) -> Result<(String, u16), String> {
    let wanted = RedisConnect {
        host: sentinel.0.clone(),
        port: sentinel.1,
        database: 0,
        user: None,
        password: target.sentinel_password.clone(),
        sentinels: Vec::new(),
        ..target.clone()
    };
    let mut open = super::login::one(&wanted).await.map_err(|error| error.message)?;
    let answer: Value = cmd("SENTINEL")
        .arg("get-master-addr-by-name")
        .arg(&target.host)
        .query_async(&mut open)
        .await
        .map_err(|error| format!("says {error}"))?;
    let parts: Vec<String> = super::decode::list(&answer).iter().filter_map(super::decode::text).collect();
    match &parts[..] {
        [host, port] => Ok((host.clone(), port.parse().map_err(|_| "names no port".to_owned())?)),
        _ => Err(format!("knows no primary called {}", target.host)),
    }
}
