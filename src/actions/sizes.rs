//! Keeps sizes for runs to come: append-only JSON lines in a file of bounded size, which several stacktops may share. A line has names of
//! databases, tables, nodes and places, and bytes; nothing that was stored there. Its failure is told once and never breaks the run.

use super::follow::Shared;
use super::kept::Kept;
use crate::core::sizes::SizesAt;
use std::path::PathBuf;

/// The file is put aside once it has so many bytes; one older one is kept. A week of ten servers.
const FILE_BYTES: u64 = 2 * 1024 * 1024;
/// So much of the end of each is read at the start: all of it.
const TAIL_BYTES: u64 = FILE_BYTES + 64 * 1024;
/// Who keeps them.
#[derive(Debug)]
pub struct SizeKeeper(Kept);

impl SizeKeeper {
    /// One that keeps them at `path`, and one older file beside it.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self::of(path, FILE_BYTES)
    }

    fn of(path: PathBuf, most: u64) -> Self {
        Self(Kept::at("sizes are", path, most, TAIL_BYTES))
    }

    /// What earlier runs kept, and others beside this one.
    pub fn recall(&self) -> impl Future<Output = Vec<SizesAt>> + Send + use<> {
        self.0.read(Shared::all::<SizesAt>)
    }

    /// Keeps `sizes`, in the order in which this is called. When they cannot be kept, why: told once.
    pub fn keep(&self, sizes: Vec<SizesAt>) -> impl Future<Output = Option<String>> + Send + use<> {
        self.0.keep(move |file| file.keep(&sizes))
    }

    /// Waits for what was given to be on the disk, but not for long.
    pub async fn settle(&self) {
        self.0.settle().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Now;
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    fn sizes(second: u64, target: &str) -> SizesAt {
        let bytes = BTreeMap::from([("database shop".to_owned(), second), ("table a.b".to_owned(), 7)]);
        SizesAt { at: Now::example(second).wall, target: target.to_owned(), of: "7301".to_owned(), bytes }
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_and_is_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/sizes.jsonl");
        let keeper = SizeKeeper::at(path.clone());
        assert_eq!(keeper.recall().await, Vec::new());
        assert_eq!(keeper.keep(vec![sizes(100, "pg"), sizes(101, "r")]).await, None);
        keeper.settle().await;
        assert_eq!(SizeKeeper::at(path.clone()).recall().await, [sizes(100, "pg"), sizes(101, "r")]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_torn_line_strange_bytes_and_lines_of_others_cost_only_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sizes.jsonl");
        let keeper = SizeKeeper::at(path.clone());
        keeper.keep(vec![sizes(1, "pg")]).await;
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"\xff\xfe\n{\"at\":\"yesterday\"}\n{\"at\":\"2026-01-01T00:00:00Z\",\"target\":\"r")
            .unwrap();
        keeper.keep(vec![sizes(2, "pg")]).await;
        assert_eq!(keeper.recall().await, [sizes(1, "pg"), sizes(2, "pg")]);
    }

    #[tokio::test]
    async fn the_file_is_bounded_and_two_who_write_it_garble_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sizes.jsonl");
        let most = 4096;
        let (one, other) = (SizeKeeper::of(path.clone(), most), SizeKeeper::of(path.clone(), most));
        for second in 0..80 {
            let written = [one.keep(vec![sizes(second, "one")]), other.keep(vec![sizes(second, "other")])];
            assert_eq!(futures_util::future::join_all(written).await, [None, None]);
        }
        let length = |path: &std::path::Path| std::fs::metadata(path).unwrap().len();
        let older = folder.path().join("sizes.jsonl.1");
        assert!(length(&path) < most + 512 && length(&older) < most + 512);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let recalled = one.recall().await;
        let newest = |who: &str| recalled.contains(&sizes(79, who));
        assert!(newest("one") && newest("other") && recalled.len() > 20, "{}", recalled.len());
    }

    #[tokio::test]
    async fn a_place_that_takes_nothing_is_told_once() {
        for place in ["/dev/full", "/proc/stacktop/sizes.jsonl"] {
            let keeper = SizeKeeper::at(PathBuf::from(place));
            let told = keeper.keep(vec![sizes(1, "pg")]).await.expect("told");
            assert!(told.contains("not kept for later") && told.contains(place), "{told}");
            assert_eq!(keeper.keep(vec![sizes(2, "pg")]).await, None);
            assert_eq!(keeper.recall().await, Vec::new());
        }
    }
}
