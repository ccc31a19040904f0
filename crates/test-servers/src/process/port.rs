//! Loopback ports for servers.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ServerError;

/// Below the ports that Linux gives to outgoing connections (32768 and up, `net.ipv4.ip_local_port_range`). A port from
/// there could be taken by a client while its server is being restarted; a client that calls a dead server again and
/// again can even reach itself, when it is given the number that it calls.
const FIRST: u32 = 10_240;
const COUNT: u32 = 32_768 - FIRST;
/// Keeps the ports that processes with neighbouring ids try first apart.
const STRIDE: u32 = 101;

/// A port that nobody holds. Somebody may take it before the server does; whoever starts a server tries again then.
///
/// # Errors
/// [`ServerError::NoFreePort`].
pub fn free_port() -> Result<u16, ServerError> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(STRIDE);
    (0..COUNT)
        .map(|_| FIRST + first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(ServerError::NoFreePort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_below_those_of_clients_and_given_once() {
        let ports = [free_port().unwrap(), free_port().unwrap()];
        assert!(ports.iter().all(|port| (10_240..32_768).contains(port)));
        assert_ne!(ports[0], ports[1]);
    }
}
