//! Work on all peers of a world, done by all cores.

/// `make(0)` to `make(count - 1)`, in this order, made by all cores.
pub(crate) fn in_parallel<T: Send>(count: u32, make: impl Fn(u32) -> T + Sync) -> Vec<T> {
    parts(count, |range| range.map(&make).collect::<Vec<_>>()).into_iter().flatten().collect()
}

/// Cuts `0..count` into as many ranges as there are cores, and makes one result of each, in this order.
pub(crate) fn parts<T: Send>(count: u32, make: impl Fn(std::ops::Range<u32>) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    let size = part_size(count, cores);
    let make = &make;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .step_by(size as usize)
            .map(|start| scope.spawn(move || make(start..count.min(start.saturating_add(size)))))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn part_size(count: u32, cores: u32) -> u32 {
    count.div_ceil(cores).max(1)
}
