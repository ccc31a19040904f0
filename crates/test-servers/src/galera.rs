//! A MariaDB Galera cluster on one machine: every member takes writes, and a commit is certified by all of them.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::process::{find, free_port, until};
use crate::{MariaDb, Options, ServerError};

const NAME: &str = "Galera";
/// Where Debian's galera-4 puts the library.
const LIBRARY: &str = "/usr/lib/galera/libgalera_smm.so";
/// A member that joins copies the data of another first.
const SYNCED_WITHIN: Duration = Duration::from_secs(120);

/// A member is suspected after a second of silence and given up after two (defaults: 5 s and 15 s), so that the others
/// pause a second or two only when a test kills one. The retransmission (default 1 s) is what joining waits for: three
/// members start in 10 s instead of 20.
const TIMEOUTS: &str = "evs.keepalive_period=PT0.25S;evs.inactive_check_period=PT0.25S;evs.suspect_timeout=PT1S;\
                        evs.inactive_timeout=PT2S;evs.install_timeout=PT2S;evs.join_retrans_period=PT0.25S";

/// A running cluster. Dropping it ends all members.
#[derive(Debug)]
pub struct Galera {
    members: Vec<MariaDb>,
}

/// A member's place in the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    ports: Ports,
    /// `gcomm://` and the addresses of all members.
    cluster: String,
    /// It makes a new cluster instead of joining one; for the first start of the first member alone.
    founds: Arc<AtomicBool>,
}

/// Beside the one for clients.
#[derive(Clone, Copy, Debug)]
struct Ports {
    group: u16,
    /// For missed transactions.
    incremental: u16,
    /// For whole copies.
    state: u16,
}

impl Galera {
    /// Starts a cluster of `count` members, at least one, and waits until they are synced. Odd numbers survive the
    /// death of the smaller half.
    ///
    /// # Errors
    /// When MariaDB, Galera or rsync is not installed, or a member does not start.
    pub fn start(count: usize) -> Result<Self, ServerError> {
        require_programs()?;
        let ports: Vec<Ports> = (0..count).map(|_| Ports::free()).collect::<Result<_, _>>()?;
        let addresses: Vec<String> = ports.iter().map(|ports| format!("127.0.0.1:{}", ports.group)).collect();
        let cluster = format!("gcomm://{}", addresses.join(","));
        let mut galera = Self { members: Vec::new() };
        for ports in ports {
            let founds = Arc::new(AtomicBool::new(galera.members.is_empty()));
            let member = Member { ports, cluster: cluster.clone(), founds: Arc::clone(&founds) };
            galera.members.push(MariaDb::start_member(&Options::default(), member)?);
            founds.store(false, Ordering::Relaxed);
            galera.until_synced(galera.members.len() - 1)?;
        }
        Ok(galera)
    }

    /// How many members it was started with.
    pub fn members(&self) -> Range<usize> {
        0..self.members.len()
    }

    /// A member.
    ///
    /// # Panics
    /// When there is no such member.
    pub fn member(&self, index: usize) -> &MariaDb {
        &self.members[index]
    }

    /// Creates an empty database, and waits until every member has it.
    ///
    /// # Errors
    /// What the members say, for instance that it exists.
    pub fn create_database(&self, name: &str) -> Result<(), ServerError> {
        self.members[0].create_database(name)?;
        self.members.iter().try_for_each(catch_up)
    }

    /// Starts a member again after it was killed or stopped, and waits until it has caught up. Another member must
    /// run meanwhile.
    ///
    /// # Errors
    /// When it does not come back within two minutes.
    ///
    /// # Panics
    /// When there is no such member.
    pub fn start_again(&self, index: usize) -> Result<(), ServerError> {
        self.members[index].start_again()?;
        self.until_synced(index)
    }

    fn until_synced(&self, index: usize) -> Result<(), ServerError> {
        let member = &self.members[index];
        let state = "SELECT variable_value FROM information_schema.global_status
                     WHERE variable_name = 'wsrep_local_state_comment';";
        // A member that joins refuses queries for a while.
        let synced = until(SYNCED_WITHIN, || {
            let synced = member.execute("mysql", state).is_ok_and(|state| state == "Synced");
            (synced && catch_up(member).is_ok()).then_some(())
        });
        synced.ok_or_else(|| member.late("synced", SYNCED_WITHIN, &member.log_since(0)))
    }
}

/// Returns when a member has done what the others had committed before.
fn catch_up(member: &MariaDb) -> Result<(), ServerError> {
    member.execute("mysql", "SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM user;")?;
    Ok(())
}

impl Member {
    /// What the server is told beside the settings of a server that stands alone.
    pub(crate) fn settings(&self) -> Vec<String> {
        let Ports { group, incremental, state } = self.ports;
        let cluster = if self.founds.load(Ordering::Relaxed) { "gcomm://" } else { &self.cluster };
        vec![
            "--binlog-format=ROW".to_owned(),
            "--innodb-autoinc-lock-mode=2".to_owned(),
            "--wsrep-on=ON".to_owned(),
            format!("--wsrep-provider={LIBRARY}"),
            "--wsrep-cluster-name=payonce-test".to_owned(),
            format!("--wsrep-cluster-address={cluster}"),
            format!("--wsrep-node-address=127.0.0.1:{group}"),
            format!(
                "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{group};\
                 ist.recv_addr=127.0.0.1:{incremental};gcache.size=64M;{TIMEOUTS}"
            ),
            "--wsrep-sst-method=rsync".to_owned(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{state}"),
        ]
    }
}

impl Ports {
    fn free() -> Result<Self, ServerError> {
        Ok(Self { group: free_port()?, incremental: free_port()?, state: free_port()? })
    }
}

/// Whether its library and rsync, which copies the data, are there. MariaDB is asked for by itself.
pub fn is_installed() -> bool {
    require_programs().is_ok()
}

fn require_programs() -> Result<(), ServerError> {
    find(NAME, "rsync", None)?;
    let absent = ServerError::Absent { server: NAME, program: "libgalera_smm.so" };
    if Path::new(LIBRARY).is_file() { Ok(()) } else { Err(absent) }
}
