//! What the process may have of the machine: memory and processors, as its control groups (version 2) or else the machine
//! allow. Read at every scrape, because both can be changed while it runs.

use std::path::{Path, PathBuf};

const CGROUPS: &str = "/sys/fs/cgroup";

/// The process's control group and those around it, from the inside out.
fn groups(root: &Path, own: &str) -> Vec<PathBuf> {
    // Version 2 is the line without a controller's name.
    let path = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let group = root.join(path.trim_start_matches('/'));
    group.ancestors().take_while(|group| group.starts_with(root)).map(Path::to_owned).collect()
}

fn least(groups: &[PathBuf], file: &str, limit: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let limits = groups.iter().filter_map(|group| limit(std::fs::read_to_string(group.join(file)).ok()?.trim()));
    limits.reduce(f64::min)
}

/// `max`, or bytes.
fn bytes(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// `max PERIOD`, or `QUOTA PERIOD`: processors that may be used at once.
fn cores(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0).then(|| quota / period)
}

/// Memory of the machine in bytes.
fn machine_bytes(text: &str) -> Option<f64> {
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(kilobytes.split_ascii_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}

/// Sets the gauges of both limits.
pub(crate) fn measure() {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups(Path::new(CGROUPS), &own);
    let machine = machine_bytes(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default());
    if let Some(memory) = least(&groups, "memory.max", bytes).into_iter().chain(machine).reduce(f64::min) {
        metrics::gauge!("process_memory_limit_bytes").set(memory);
    }
    // What the standard library tells is cut to whole processors.
    let machine = std::thread::available_parallelism().map_or(1.0, |number| number.get() as f64);
    let own = least(&groups, "cpu.max", cores).filter(|own| own.floor().max(1.0) <= machine);
    metrics::gauge!("process_cpu_limit_cores").set(own.unwrap_or(machine));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_on_the_way_out_holds() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("machine/service");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("memory.max"), "max\n").unwrap();
        std::fs::write(inner.join("cpu.max"), "50000 100000\n").unwrap();
        std::fs::write(root.path().join("machine/memory.max"), "536870912\n").unwrap();
        std::fs::write(root.path().join("machine/cpu.max"), "max 100000\n").unwrap();
        let groups = groups(root.path(), "1:name=systemd:/x\n0::/machine/service\n");
        assert_eq!(groups.len(), 3);
        assert_eq!(least(&groups, "memory.max", bytes), Some(536_870_912.0));
        assert_eq!(least(&groups, "cpu.max", cores), Some(0.5));
        assert_eq!(least(&groups, "absent", bytes), None);
        assert_eq!(machine_bytes("MemTotal:       16 kB\nMemFree: 1 kB\n"), Some(16384.0));
    }
}
