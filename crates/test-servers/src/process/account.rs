//! Who runs a server: whoever runs the tests, or, where that is root, the account that the server's package made.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::ServerError;

/// The user that a server and the programs that prepare its folder run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    gid: u32,
    /// It is not the account of this process.
    other: bool,
}

impl Account {
    /// The account for a server that refuses root and has an account `name`; `None`: it runs as anybody.
    pub(crate) fn for_server(server: &'static str, name: Option<&'static str>) -> Result<Self, ServerError> {
        let own = fs::metadata("/proc/self").map_err(ServerError::file("read", "/proc/self"))?;
        let own = Self { uid: own.uid(), gid: own.gid(), other: false };
        let Some(account) = name.filter(|_| own.uid == 0) else { return Ok(own) };
        let users = fs::read_to_string("/etc/passwd").map_err(ServerError::file("read", "/etc/passwd"))?;
        look_up(&users, account).ok_or(ServerError::NoAccount { server, account })
    }

    /// Gives it a file or folder.
    pub(crate) fn own(self, path: &Path) -> Result<(), ServerError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(ServerError::file("change the owner of", path))
    }

    /// Lets `command` run as it.
    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        // Setting it also where nothing changes would need rights that an ordinary user has not.
        if self.other { command.uid(self.uid).gid(self.gid) } else { command }
    }
}

/// `name:password:uid:gid:…`, one account a line.
fn look_up(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        Some(Account { uid, gid: fields.next()?.parse().ok()?, other: true })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\nmysqlx:x:7:7:::\nmysql:x:102:105:::\n";
        assert_eq!(look_up(users, "mysql"), Some(Account { uid: 102, gid: 105, other: true }));
        assert_eq!(look_up(users, "postgres"), None);
    }
}
