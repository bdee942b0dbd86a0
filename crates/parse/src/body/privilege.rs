//! Programs through which one account acts as another: doas, polkit, pkexec; and what SELinux keeps from
//! programs. The name of whoever calls is the system's; commands and folders are the caller's words. (flat table)

use super::family::{Family, act, login, note};

#[rustfmt::skip]
pub(super) static DOAS: Family = Family::new(&[
    login("{?doas: ?}{user.name:word} ran command {process.command_line} as {user.effective.name:word} from {process.working_directory:word}", "doas", "success"),
    login("{?doas: ?}failed auth for {user.name:word}", "doas", "failure"),
    login("{?doas: ?}{(failed command||command not permitted)} for {user.name:word}: {process.command_line}", "doas", "failure"),
], &[]);

#[rustfmt::skip]
pub(super) static POLKIT: Family = Family::new(&[
    login("Operator of {:word} successfully authenticated as unix-user:{user.effective.name:word} to gain {:word} authorization for action {event.reason:word} for {:word} [{process.command_line}] (owned by unix-user:{user.name:word})", "polkit", "success"),
    login("Operator of {:word} FAILED to authenticate to gain {?{:word} ?}authorization for action {event.reason:word} for {:word} [{process.command_line}] (owned by unix-user:{user.name:word})", "polkit", "failure"),
    login("Operator of {:word} FAILED to authenticate as unix-user:{user.effective.name:word} to gain {?{:word} ?}authorization for action {event.reason:word} for {:word} [{process.command_line}] (owned by unix-user:{user.name:word})", "polkit", "failure"),
    note("Registered Authentication Agent for {*}"),
    note("Unregistered Authentication Agent for {*}"),
    login("{user.name:word}: Executing command [USER={user.effective.name:word}] [TTY={system.auth.sudo.tty:word}] [CWD={process.working_directory}] [COMMAND={process.command_line}]", "pkexec", "success"),
    login("{user.name:word}: Error executing command as another user: {event.reason} [USER={user.effective.name:word}] [TTY={system.auth.sudo.tty:word}] [CWD={process.working_directory}] [COMMAND={process.command_line}]", "pkexec", "failure"),
    login("{user.name:word}: The value for {*} variable {*} [USER={user.effective.name:word}] [TTY={system.auth.sudo.tty:word}] [CWD={process.working_directory}] [COMMAND={process.command_line}]", "pkexec", ""),
], &[]);

#[rustfmt::skip]
pub(super) static SELINUX: Family = Family::new(&[
    act("intrusion_detection", "SELinux is preventing {process.executable:word} from {event.reason} access on the {*}. For complete SELinux messages{*}", "selinux_denied"),
    act("intrusion_detection", "SELinux is preventing {process.executable:word} from {event.reason}. For complete SELinux messages{*}", "selinux_denied"),
], &[]);
