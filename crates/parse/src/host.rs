//! What lies in `/var/log` after a fresh installation, beside syslog: package managers, the kernel's ring, the boot, logins,
//! accounts. One file for each family; each names the programs whose files it reads.

pub(crate) mod apt;
pub(crate) mod boot;
pub(crate) mod cloud_init;
pub(crate) mod dnf;
pub(crate) mod dpkg;
pub(crate) mod logins;
pub(crate) mod packages;
pub(crate) mod pacman;
pub(crate) mod pw;
pub(crate) mod zypp;
