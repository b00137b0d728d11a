//! Whether a server is in a container of this machine: a socket of this machine reaches the very address that the server gives as its own,
//! over a bridge to which nothing but virtual ends is tied. A tunnel leads to addresses that no socket here reaches, whatever they look like.
//!
//! Read from `/proc` and `/sys`. Where there are none (another system, a proxy in a virtual machine or in another namespace) nobody can tell.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;

/// A machine with a hundred thousand sockets lists them in this many bytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// In the list of sockets: an open connection.
const ESTABLISHED: &str = "01";
/// In the list of routes: one that leads to a neighbour, not to a gateway.
const DIRECT: &str = "00000000";

/// Whether the server that says `server` of itself and `seen` of us is in a container of this machine.
#[must_use]
pub fn holds(seen: SocketAddr, server: SocketAddr) -> bool {
    holds_by(Path::new("/"), seen, server)
}

fn holds_by(root: &Path, seen: SocketAddr, server: SocketAddr) -> bool {
    let (Some(seen), Some(server)) = (version_4(seen), version_4(server)) else { return false };
    if seen.ip().is_loopback() || server.ip().is_loopback() {
        return false;
    }
    let Some(interface) = interface(root, *server.ip()) else { return false };
    is_virtual_bridge(root, &interface) && is_connected(root, seen, server)
}

fn version_4(address: SocketAddr) -> Option<SocketAddrV4> {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, address.port())),
        IpAddr::V6(_) => None,
    }
}

fn text(root: &Path, name: &str) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(root.join(name)).ok()?;
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The interface of this machine that `to` is a neighbour on.
fn interface(root: &Path, to: Ipv4Addr) -> Option<String> {
    let text = text(root, "proc/net/route")?;
    let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::swap_bytes);
    let routes = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (destination, mask) = (number(fields.get(1)?)?, number(fields.get(7)?)?);
        let leads = to.to_bits() & mask == destination;
        leads.then(|| (mask, *fields.first().unwrap_or(&""), fields.get(2) == Some(&DIRECT)))
    });
    let (_, name, direct) = routes.max_by_key(|(mask, _, _)| *mask)?;
    direct.then(|| name.to_owned())
}

/// Whether this is a bridge on which there are only ends of containers: what is on it is on this machine. A card, a bond, a VLAN, a tunnel
/// or the tap of a virtual machine leads elsewhere.
fn is_virtual_bridge(root: &Path, interface: &str) -> bool {
    let folder = root.join("sys/class/net");
    let Ok(ports) = std::fs::read_dir(folder.join(interface).join("brif")) else { return false };
    ports.flatten().all(|port| is_end_of_a_pair(&folder.join(port.file_name())))
}

/// Whether this interface is one end of a pair whose other end is in another network of this machine (veth).
fn is_end_of_a_pair(interface: &Path) -> bool {
    let number = |name: &str| std::fs::read_to_string(interface.join(name)).ok()?.trim().parse::<u32>().ok();
    let leads_on = ["device", "bonding", "tun_flags"].iter().any(|name| interface.join(name).exists());
    let lower = std::fs::read_dir(interface).into_iter().flatten().flatten();
    let has_lower = lower.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("lower_"));
    let pair = number("ifindex").zip(number("iflink"));
    !leads_on && !has_lower && pair.is_some_and(|(own, other)| own != other)
}

/// Whether a socket of this machine is connected from `seen` to `server`.
fn is_connected(root: &Path, seen: SocketAddrV4, server: SocketAddrV4) -> bool {
    let written = |end: SocketAddrV4| format!("{:08X}:{:04X}", end.ip().to_bits().swap_bytes(), end.port());
    let (seen, server) = (written(seen), written(server));
    // The proxy of a container engine may hold its sockets in the newer protocol's list.
    ["proc/net/tcp", "proc/net/tcp6"].into_iter().filter_map(|name| text(root, name)).any(|list| {
        list.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let mut ends = |wanted: &str| fields.next().is_some_and(|end| end.ends_with(wanted));
            ends(&seen) && ends(&server) && fields.next() == Some(ESTABLISHED)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A machine with an ordinary card, a bridge of containers, and a bridge that the card is tied to.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write(
            "proc/net/route",
            "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
             eth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\n\
             eth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
             br-1f 000012AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n\
             br0 0002000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
             br1 0003000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
             br2 0004000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
        );
        write(
            "proc/net/tcp",
            "  sl  local_address rem_address   st\n\
             0: 010012AC:9C40 020012AC:1538 01 0\n\
             1: 010012AC:9C41 020012AC:1538 06 0\n\
             2: 0501A8C0:9C40 0901A8C0:1538 01 0\n\
             3: 0102000A:9C40 0902000A:1538 01 0\n\
             4: 0100007F:9C40 0100007F:1538 01 0\n\
             5: 0103000A:9C40 0903000A:1538 01 0\n\
             6: 0104000A:9C40 0904000A:1538 01 0\n",
        );
        write(
            "proc/net/tcp6",
            "head\n0: 0000000000000000FFFF0000010012AC:9C50 0000000000000000FFFF0000020012AC:1538 01 0\n",
        );
        write("sys/class/net/br-1f/brif/veth7/state", "3\n");
        write("sys/class/net/veth7/ifindex", "7\n");
        write("sys/class/net/veth7/iflink", "2\n");
        // A bond has no device of its own, and a VLAN hangs on a card.
        write("sys/class/net/br1/brif/bond0/state", "3\n");
        write("sys/class/net/bond0/ifindex", "5\n");
        write("sys/class/net/bond0/iflink", "5\n");
        write("sys/class/net/br2/brif/eth0.100/state", "3\n");
        write("sys/class/net/eth0.100/ifindex", "6\n");
        write("sys/class/net/eth0.100/iflink", "1\n");
        write("sys/class/net/eth0.100/lower_eth0/ifindex", "1\n");
        write("sys/class/net/br0/brif/eth0/state", "3\n");
        write("sys/class/net/eth0/device/vendor", "x\n");
        root
    }

    #[test]
    fn only_a_socket_of_this_machine_on_a_bridge_of_containers_tells_that_a_server_is_here() {
        let root = machine();
        for (what, seen, server, expected) in [
            ("the proxy of a container engine", "172.18.0.1:40000", "172.18.0.2:5432", true),
            ("the same in the newer protocol's list", "172.18.0.1:40016", "172.18.0.2:5432", true),
            (
                "containers of another machine with like addresses",
                "172.18.0.1:40002",
                "172.18.0.2:5432",
                false,
            ),
            ("a socket that was closed", "172.18.0.1:40001", "172.18.0.2:5432", false),
            ("a pooler here, its server on the network", "192.168.1.5:40000", "192.168.1.9:5432", false),
            ("a bridge with a card of the machine", "10.0.2.1:40000", "10.0.2.9:5432", false),
            ("a bridge with a bond of cards", "10.0.3.1:40000", "10.0.3.9:5432", false),
            ("a bridge with a VLAN of a card", "10.0.4.1:40000", "10.0.4.9:5432", false),
            ("a tunnel whose far end speaks to itself", "127.0.0.1:40000", "127.0.0.1:5432", false),
            ("behind a gateway", "172.18.0.1:40000", "8.8.8.8:5432", false),
            ("no older protocol", "[2001:db8::1]:40000", "[2001:db8::2]:5432", false),
        ] {
            let end = |text: &str| text.parse().expect("an end");
            assert_eq!(holds_by(root.path(), end(seen), end(server)), expected, "{what}");
        }
        let nothing = tempfile::tempdir().expect("a folder");
        let end = |text: &str| text.parse().expect("an end");
        assert!(!holds_by(nothing.path(), end("172.18.0.1:40000"), end("172.18.0.2:5432")));
    }
}
