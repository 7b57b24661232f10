//! The executable memory of this process, as Linux tells it.

/// The number of executable mappings; none of them is writable.
pub(crate) fn executable_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let rights: Vec<&str> = maps.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(rights.iter().all(|r| !(r.contains('w') && r.contains('x'))), "{maps}");
    rights.iter().filter(|r| r.contains('x')).count()
}

/// The bytes of memory that the process holds.
pub(crate) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<usize>().ok()).expect("a number") * 1024
}
