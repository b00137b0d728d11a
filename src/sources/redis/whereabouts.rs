//! Where a Redis server is: how it sees our end of the connection and its own, and whether its files call it production. Asked once a
//! connection.

use super::connection::Connection;
use super::decode;
use crate::config::target::RedisConnect;
use crate::core::whereabouts::{End, Whereabouts, compare};
use crate::sources::{container, dial};
use redis::{Value, cmd};

/// Where the server is; of a cluster, where any of its nodes is that is not here.
pub(super) async fn of(connection: &mut Connection, connect: &RedisConnect) -> Whereabouts {
    let ports: Vec<u16> =
        std::iter::once(connect.port).chain(connect.nodes.iter().map(|(_, port)| *port)).collect();
    for server in 0..connection.servers() {
        let found = one(&mut connection.at(server), &ports).await;
        if found != Whereabouts::Here {
            return found;
        }
    }
    Whereabouts::Here
}

async fn one(node: &mut Connection, ports: &[u16]) -> Whereabouts {
    let Some(line) = own_line(node).await else {
        return Whereabouts::Elsewhere(
            "it does not say how it sees us; permit +client|info (before 6.2 +client|id and +client|list)"
                .to_owned(),
        );
    };
    let field = |name: &str| line.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let end = |name: &str| {
        let (host, port) = field(name)?.rsplit_once(':')?;
        match port.trim().parse().ok()? {
            0 => Some(End::Unix(None)),
            port => End::read(host, port),
        }
    };
    let (seen, own) = (end("addr"), end("laddr"));
    let info: Value = cmd("INFO").arg("server").query_async(node).await.unwrap_or_default();
    let info = decode::text(&info).unwrap_or_default();
    let info = |name: &str| {
        info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
    };
    found(ports, seen, own, info("process_id").parse().ok()).saying(&[("config_file", info("config_file"))])
}

/// What the ends say; `server` is the process of the server.
fn found(ports: &[u16], seen: Option<End>, own: Option<End>, server: Option<i64>) -> Whereabouts {
    if seen == Some(End::Unix(None)) {
        let ours = dial::latest_ends(ports).into_iter().find(|end| matches!(end, End::Unix(_)));
        return compare(ours, seen, |peer| server == Some(i64::from(peer)), |_| false);
    }
    let ends: Vec<End> =
        dial::latest_ends(ports).into_iter().filter(|end| matches!(end, End::Tcp(_))).collect();
    let ours = ends.iter().find(|end| Some(**end) == seen).or_else(|| ends.first());
    let in_container = |seen| matches!(own, Some(End::Tcp(own)) if container::holds(seen, own));
    compare(ours.copied(), seen, |_| false, in_container)
}

/// What the server's list of clients says about this very connection.
async fn own_line(node: &mut Connection) -> Option<String> {
    let info: Result<Value, _> = cmd("CLIENT").arg("INFO").query_async(node).await;
    if let Some(line) = info.ok().and_then(|value| decode::text(&value)) {
        return Some(line);
    }
    let id: i64 = cmd("CLIENT").arg("ID").query_async(node).await.ok()?;
    let list: Value = cmd("CLIENT").arg("LIST").query_async(node).await.ok()?;
    let list = decode::text(&list)?;
    list.lines().find(|line| line.starts_with(&format!("id={id} "))).map(str::to_owned)
}
