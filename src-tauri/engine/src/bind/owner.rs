//! Whose a port is, where the system tells: on Linux the tables under `/proc`. Other systems tell it to administrators or
//! to their own libraries only.

use std::net::SocketAddr;

/// The program that listens there, in words.
#[cfg(target_os = "linux")]
pub(super) fn of(address: SocketAddr) -> Option<String> {
    linux::of(address)
}

/// The program that listens there, in words.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(_address: SocketAddr) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::path::Path;

    /// The state of a socket that listens (`include/net/tcp_states.h`).
    const LISTEN: &str = "0A";

    /// A socket that listens.
    #[derive(Debug, PartialEq, Eq)]
    struct Socket {
        address: SocketAddr,
        uid: u32,
        inode: u64,
    }

    pub(super) fn of(address: SocketAddr) -> Option<String> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().filter_map(|path| fs::read_to_string(path).ok());
        let sockets: Vec<Socket> =
            tables.flat_map(|table| table.lines().filter_map(socket).collect::<Vec<_>>()).collect();
        let socket = sockets.iter().find(|socket| overlap(socket.address, address))?;
        process(socket.inode).or_else(|| user(socket.uid).map(|name| format!("a program of the user {name}")))
    }

    fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
        let any = |address: SocketAddr| address.ip().is_unspecified();
        let same = one.ip().to_canonical() == other.ip().to_canonical();
        one.port() == other.port() && (same || any(one) || any(other))
    }

    /// A line of `/proc/net/tcp` or `tcp6` (proc_net_tcp.txt of the kernel), when its socket listens.
    fn socket(line: &str) -> Option<Socket> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (ip, port) = fields.get(1)?.split_once(':')?;
        if *fields.get(3)? != LISTEN {
            return None;
        }
        Some(Socket {
            address: SocketAddr::new(ip_address(ip)?, u16::from_str_radix(port, 16).ok()?),
            uid: fields.get(7)?.parse().ok()?,
            inode: fields.get(9)?.parse().ok()?,
        })
    }

    /// Words of four bytes as this computer stores them.
    fn ip_address(text: &str) -> Option<IpAddr> {
        let word = |at: usize| u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
        match text.len() {
            8 => Some(Ipv4Addr::from(word(0)?).into()),
            32 => {
                let all: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
                Some(Ipv6Addr::from(<[u8; 16]>::try_from(all).ok()?).into())
            }
            _ => None,
        }
    }

    /// The process that holds a socket, when this user may look at it.
    fn process(inode: u64) -> Option<String> {
        let link = format!("socket:[{inode}]");
        let holds = |folder: &Path| {
            let files = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
            files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == &*link)
        };
        let (pid, folder) = fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            holds(&entry.path()).then(|| (pid, entry.path()))
        })?;
        if pid == std::process::id() {
            return Some("Relayscope itself".to_owned());
        }
        let name = fs::read_to_string(folder.join("comm")).ok()?;
        Some(format!("{} (process {pid})", name.trim()))
    }

    fn user(uid: u32) -> Option<String> {
        let users = fs::read_to_string("/etc/passwd").ok()?;
        let found = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        found
            .into_iter()
            .find(|user| user.get(2).is_some_and(|id| id.parse() == Ok(uid)))
            .map(|user| user[0].to_owned())
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    mod tests {
        use super::*;

        #[test]
        fn lines_of_the_kernel_are_read() {
            let line = "   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 12345 1 0 100 0";
            let read = socket(line);
            if cfg!(target_endian = "little") {
                let address = SocketAddr::from(([127, 0, 0, 1], 1883));
                assert_eq!(read, Some(Socket { address, uid: 108, inode: 12345 }));
            }
            assert_eq!(socket(&line.replace(" 0A ", " 01 ")), None, "a connection");
            assert_eq!(socket("  sl  local_address rem_address   st tx_queue rx_queue"), None);
            let six = line.replace("0100007F", "00000000000000000000000001000000");
            assert!(socket(&six).unwrap().address.ip().is_loopback());
            assert_eq!(socket(&line.replace("0100007F", "01")), None);
        }

        #[test]
        fn a_socket_of_every_address_stands_in_the_way() {
            let at = |text: &str| text.parse::<SocketAddr>().unwrap();
            assert!(overlap(at("[::]:1883"), at("127.0.0.1:1883")) && overlap(at("127.0.0.1:1"), at("0.0.0.0:1")));
            assert!(overlap(at("[::ffff:127.0.0.1]:1"), at("127.0.0.1:1")));
            assert!(!overlap(at("127.0.0.1:1"), at("127.0.0.2:1")) && !overlap(at("127.0.0.1:1"), at("127.0.0.1:2")));
        }

        #[test]
        fn users_have_names() {
            assert_eq!(user(0).as_deref(), Some("root"));
            assert_eq!(user(u32::MAX - 7), None);
        }
    }
}
