//! File systems, as node_exporter tells of them: how full they are, and when they will be if it goes on like this.

use super::MetricsReading;
use crate::core::forecast::Trend;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// Kinds of file systems that do not fill up, or are another one seen twice.
const PASSING: [&str; 9] =
    ["tmpfs", "ramfs", "devtmpfs", "overlay", "squashfs", "iso9660", "rootfs", "nsfs", "fuse.lxcfs"];

/// Smaller ones hold firmware, configuration, a boot loader: they are made to measure.
const TINY_BYTES: f64 = 1024.0 * 1024.0 * 1024.0;

/// Sizes that differ by no more than this share are of the same file system.
const SAME_SIZE: f64 = 0.01;

/// One file system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disk {
    /// What is mounted there: `/dev/sda1`, `pool/data`.
    pub device: String,
    /// Its size in bytes.
    pub size: f64,
    /// What is free for programs without special rights, in bytes.
    pub free: f64,
    /// Nothing can be written there, and so it never fills up.
    pub read_only: bool,
    /// The kernel could not read it.
    pub failed: bool,
    /// Inodes in use, 0–1; none where it has no fixed number of them.
    pub inodes: Option<f64>,
    /// What is taken, in bytes.
    pub taken: f64,
    trend: Trend,
}

impl Disk {
    /// How full it is, 0–1, as df tells it: what is taken against what is taken or free for programs without special rights.
    #[must_use]
    pub fn used(&self) -> f64 {
        self.taken / (self.taken + self.free).max(1.0)
    }

    /// Whether it matters how full it is: not where nothing is written, nor where a boot loader and a few kernels are meant to fill it.
    #[must_use]
    pub fn may_fill_up(&self, place: &str) -> bool {
        !self.read_only && self.size >= TINY_BYTES && place != "/boot" && !place.starts_with("/boot/")
    }

    /// Time until it is full; nothing while it does not fill up, or with too little past.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.trend.until(self.taken + self.free).filter(|left| !left.is_zero())
    }
}

/// The file systems of one endpoint, by where they are mounted; of one that is mounted several times the shortest place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disks {
    followed: BTreeMap<String, Disk>,
    /// Every place where something is mounted: its device, and its kind. What is not followed, or is known by another place, holds files, too.
    mounts: BTreeMap<String, (String, String)>,
}

/// What holds a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holder<'a> {
    /// This file system, by the place where it is followed.
    Followed(&'a str, &'a Disk),
    /// One of this kind, which is not followed: the place where it is mounted.
    Passing(&'a str, &'a str),
    /// One that the kernel could not read: the place where it is mounted.
    Failed(&'a str),
}

/// Whether what is mounted at `place` may hold `path`.
fn holds(place: &str, path: &str) -> bool {
    let rest = path.strip_prefix(place.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Disks {
    /// Every file system with its place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Disk)> {
        self.followed.iter().map(|(place, disk)| (place.as_str(), disk))
    }

    /// What is mounted closest above `path`, as far as the endpoint tells, with the length of that place; never what is mounted further up.
    #[must_use]
    pub fn holder(&self, path: &str) -> Option<(usize, Holder<'_>)> {
        let above = self.mounts.iter().filter(|(place, _)| holds(place, path));
        let (place, (device, kind)) = above.max_by_key(|(place, _)| place.len())?;
        let same = || self.iter().find(|(_, disk)| disk.device == *device);
        let followed = self.iter().find(|(known, _)| known == place).or_else(same);
        let holder = match followed {
            Some((_, disk)) if disk.failed => Holder::Failed(place),
            Some((known, disk)) => Holder::Followed(known, disk),
            None => Holder::Passing(place, kind),
        };
        Some((place.len(), holder))
    }

    pub(super) fn absorb(&mut self, reading: &MetricsReading, now: Now) {
        let (mut sizes, mut unused) = (BTreeMap::<&str, f64>::new(), BTreeMap::<&str, f64>::new());
        let mut found: BTreeMap<&str, (&str, f64)> = BTreeMap::new();
        let mut more: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        let mut failed: BTreeMap<&str, &str> = BTreeMap::new();
        let mut mounts = BTreeMap::new();
        for (sample, value) in reading.samples() {
            if !sample.name().starts_with("node_filesystem_") {
                continue;
            }
            let told = (sample.label("mountpoint"), sample.label("device"), sample.label("fstype"));
            let (Some(place), Some(device), Some(kind)) = told else { continue };
            let lasting = !PASSING.contains(&kind);
            if lasting || !mounts.contains_key(place) {
                mounts.insert(place.to_owned(), (device.to_owned(), kind.to_owned()));
            }
            if !lasting {
                continue;
            }
            match sample.name() {
                "node_filesystem_size_bytes" if value > 0.0 => {
                    sizes.insert(place, value);
                }
                "node_filesystem_free_bytes" => {
                    unused.insert(place, value);
                }
                name @ ("node_filesystem_readonly"
                | "node_filesystem_files"
                | "node_filesystem_files_free") => {
                    more.insert((place, name), value);
                }
                // Of such a one nothing else is told.
                "node_filesystem_device_error" if value > 0.0 => {
                    failed.insert(device, place);
                }
                "node_filesystem_avail_bytes" if value >= 0.0 => {
                    let shorter = found.get(device).is_none_or(|(known, _)| place.len() < known.len());
                    if shorter {
                        found.insert(device, (place, value));
                    }
                }
                _ => {}
            }
        }
        self.mounts = mounts;
        let mut before = std::mem::take(&mut self.followed);
        for (device, (place, free)) in found {
            let Some(size) = sizes.get(place).copied() else { continue };
            let mut disk = before.remove(place).unwrap_or_default();
            // Another one is mounted there, or it was given room: its past is not that of this one. One of a pool has another size with
            // each write to its neighbours.
            if disk.device != device || (disk.size - size).abs() > disk.size * SAME_SIZE {
                disk = Disk { device: device.to_owned(), ..Disk::default() };
            }
            disk.size = size;
            disk.free = free;
            disk.taken = size - unused.get(place).copied().unwrap_or(free);
            disk.trend.push(now, disk.taken);
            let told = |name: &str| more.get(&(place, name)).copied();
            disk.read_only = told("node_filesystem_readonly").is_some_and(|value| value > 0.0);
            let inodes = told("node_filesystem_files").filter(|all| *all > 0.0);
            let unused = told("node_filesystem_files_free");
            disk.inodes = inodes.zip(unused).map(|(all, unused)| 1.0 - unused / all);
            self.followed.insert(place.to_owned(), disk);
        }
        for (device, place) in failed {
            let device = device.to_owned();
            let disk = Disk { device, failed: true, read_only: true, ..Disk::default() };
            self.followed.entry(place.to_owned()).or_insert(disk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MetricSample;
    use super::*;

    fn sample(name: &str, device: &str, place: &str, kind: &str, value: f64) -> MetricSample {
        let labels = [("device", device), ("mountpoint", place), ("fstype", kind)];
        MetricSample {
            name: name.to_owned(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            value,
        }
    }

    fn of(samples: &[MetricSample]) -> MetricsReading {
        MetricsReading::of(samples, &BTreeMap::new())
    }

    fn reading(free: f64) -> Vec<MetricSample> {
        let both = |device: &str, place: &str, kind: &str, free: f64| {
            [
                sample("node_filesystem_size_bytes", device, place, kind, 1000.0),
                // A tenth is kept for root.
                sample("node_filesystem_free_bytes", device, place, kind, free + 100.0),
                sample("node_filesystem_avail_bytes", device, place, kind, free),
            ]
        };
        let samples = [
            both("/dev/sda1", "/var/lib/data", "ext4", free),
            both("/dev/sda1", "/", "ext4", free),
            both("/dev/sdb1", "/backup", "xfs", 800.0),
            both("tmpfs", "/run", "tmpfs", 0.0),
        ];
        samples.concat()
    }

    #[test]
    fn a_disk_that_fills_up_has_an_end_and_is_told_once() {
        let mut disks = Disks::default();
        for step in 0..=30_u32 {
            disks.absorb(&of(&reading(700.0 - 10.0 * f64::from(step))), Now::example(u64::from(step) * 10));
        }
        let places: Vec<&str> = disks.iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["/", "/backup"]);
        let (_, root) = disks.iter().next().expect("the root");
        assert!((root.used() - 500.0 / 900.0).abs() < 1e-9, "{}", root.used());
        // One a second, and four hundred are left.
        assert!((root.left().expect("an end").as_secs_f64() - 400.0).abs() < 1.0, "{:?}", root.left());
        assert_eq!(disks.iter().nth(1).and_then(|(_, backup)| backup.left()), None);
    }

    #[test]
    fn another_disk_in_the_same_place_begins_anew() {
        let mut disks = Disks::default();
        for step in 0..=30_u32 {
            disks.absorb(&of(&reading(700.0 - 10.0 * f64::from(step))), Now::example(u64::from(step) * 10));
        }
        let mut larger = reading(400.0);
        for sample in larger.iter_mut().filter(|sample| sample.name.contains("size")) {
            sample.value = 5000.0;
        }
        disks.absorb(&of(&larger), Now::example(310));
        assert_eq!(disks.iter().next().and_then(|(_, root)| root.left()), None);
    }

    #[test]
    fn what_cannot_fill_up_is_no_alarm_and_inodes_and_errors_are() {
        use crate::core::alert::{Rulebook, judge};
        use crate::core::ids::TargetId;
        use crate::core::metrics::MetricsState;
        let gib = 1024.0 * 1024.0 * 1024.0;
        let full = |device: &str, place: &str, size: f64| {
            [
                sample("node_filesystem_size_bytes", device, place, "ext4", size),
                sample("node_filesystem_free_bytes", device, place, "ext4", 0.0),
                sample("node_filesystem_avail_bytes", device, place, "ext4", 0.0),
            ]
        };
        let mut samples = full("/dev/sr0", "/media/cd", 4.0 * gib).to_vec();
        samples.extend(full("/dev/sda1", "/boot", 4.0 * gib));
        samples.extend(full("/dev/sda15", "/firmware", 0.1 * gib));
        samples.extend(full("/dev/sdb1", "/data", 100.0 * gib));
        let mut add =
            |name: &str, place: &str, value: f64| samples.push(sample(name, place, place, "ext4", value));
        add("node_filesystem_readonly", "/media/cd", 1.0);
        add("node_filesystem_files", "/data", 1000.0);
        add("node_filesystem_files_free", "/data", 5.0);
        add("node_filesystem_device_error", "/broken", 1.0);
        let mut state = MetricsState::default();
        state.absorb(of(&samples), Now::example(0));
        let rules = Rulebook::defaults(&crate::core::world::all_rules());
        let mut found: Vec<(String, &str)> = judge(&state, &TargetId::new("host"), &rules, Now::example(1))
            .into_iter()
            .map(|breach| (breach.subject, breach.rule.as_str()))
            .collect();
        found.sort();
        let expected =
            [("/broken", "metrics.disk_error"), ("/data", "metrics.disk"), ("/data inodes", "metrics.disk")];
        assert_eq!(found, expected.map(|(subject, rule)| (subject.to_owned(), rule)));
    }
}
