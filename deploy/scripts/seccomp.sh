#!/usr/bin/env bash
# Writes the profile of system calls for containers from systemd's own groups, as the units have it: seccomp.sh [--check]. What is
# not named is refused with EPERM. With --check it tells whether deploy/seccomp.json is what would be written.
set -euo pipefail
cd "$(dirname "$0")/../.."
calls() { # GROUP: its calls, groups within it resolved
  systemd-analyze syscall-filter "$1" | sed 1,2d | while read -r one; do
    case $one in '#'* | '') ;; @*) calls "$one" ;; *) echo "$one" ;; esac
  done
}
version=$(systemd-analyze --version | head -1 | cut -d' ' -f2)
# Ways out of a container, and into other processes, that services of systemd's group may have and ours do not use.
never="setns unshare userfaultfd process_vm_readv process_vm_writev kcmp io_uring_enter io_uring_register io_uring_setup name_to_handle_at
  personality mknod mknodat"
refused=$(for group in @privileged @resources @obsolete @keyring; do calls "$group"; done; tr -s ' ' '\n' <<<"$never")
wanted=$(comm -23 <(calls @system-service | sort -u) <(sort -u <<<"$refused"))
made=$(python3 - "$version" $wanted <<'PYTHON'
import json, sys
profile = {
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
    "syscalls": [{"names": sorted(sys.argv[2:]), "action": "SCMP_ACT_ALLOW", "comment": "groups of systemd " + sys.argv[1]}],
}
print(json.dumps(profile, indent=2))
PYTHON
)
if [ "${1:-}" != --check ]; then echo "$made" >deploy/seccomp.json; exit; fi
grep -q "\"groups of systemd $version\"" deploy/seccomp.json || { echo "NOTE: another systemd than the one that deploy/seccomp.json was made with: not compared"; exit 0; }
[ "$made" = "$(cat deploy/seccomp.json)" ] || { echo "deploy/seccomp.json is not what deploy/scripts/seccomp.sh writes with this systemd" >&2; exit 1; }
