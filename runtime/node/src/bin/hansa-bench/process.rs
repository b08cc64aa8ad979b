//! What the system says about a process: processor time and memory (Linux, `proc(5)`).

use anyhow::Context;

/// Processor time that the process has used, microseconds. Grain: one clock tick, usually 10 ms.
pub(crate) fn cpu_us(pid: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    // The second field is the name in parentheses, which may hold spaces; user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).context("a stat line without name")?;
    let times: Vec<u64> = fields.skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    // SAFETY: sysconf reads a constant of the system.
    let ticks_per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100);
    Ok(times.iter().sum::<u64>() * 1_000_000 / ticks_per_second.max(1))
}

/// Resident memory of the process, MiB: all of it, and the part that is its own (not mapped from files).
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("no process {pid}"))?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).with_context(|| format!("no {name} in the status of process {pid}"))
    };
    Ok((mib("VmRSS:")?, mib("RssAnon:")?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_uses_something() {
        super::cpu_us(std::process::id()).unwrap();
        let (all, own) = super::resident_mib(std::process::id()).unwrap();
        assert!(all >= own && own > 0.0);
    }
}
