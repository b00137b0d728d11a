//! Most scrapes of an endpoint differ from the one before in their values only. Such a one is recognised by everything in it that is not
//! a value, and only its values are read: its names and labels are those that are known.

use crate::core::metrics::Layout;
use memchr::{memchr, memchr2, memrchr};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

/// Different expositions of one endpoint that are known at a time: several processes can answer in turn behind one address.
const MOST: usize = 4;

/// An exposition without its values, and the layout of its samples.
#[derive(Clone, Debug)]
struct Template {
    /// Everything in it that is not a value.
    hash: u64,
    layout: Arc<Layout>,
}

/// The expositions of one endpoint that are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    hashes: RandomState,
    /// The one that was seen last stands last.
    known: Vec<Template>,
}

impl Templates {
    /// The layout of `text` and its values, if it differs from a known one in nothing else.
    pub(super) fn read(&mut self, text: &str) -> Option<(Arc<Layout>, Vec<f64>)> {
        let room = self.known.last()?.layout.len();
        let (hash, values) = split(text, &self.hashes, room)?;
        let fits = |known: &Template| known.hash == hash && known.layout.len() == values.len();
        let found = self.known.iter().position(fits)?;
        let template = self.known.remove(found);
        let layout = Arc::clone(&template.layout);
        self.known.push(template);
        Some((layout, values))
    }

    /// Remembers `text`, which was scanned to these values, if it can be read like that next time.
    pub(super) fn learn(&mut self, text: &str, layout: &Arc<Layout>, values: &[f64]) {
        let Some((hash, read)) = split(text, &self.hashes, values.len()) else { return };
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        if read.len() != values.len() || !read.iter().zip(values).all(same) {
            return;
        }
        if self.known.len() == MOST {
            self.known.remove(0);
        }
        self.known.push(Template { hash, layout: Arc::clone(layout) });
    }
}

/// The values of all lines, and a hash of everything else; nothing where a line has more than a value behind its labels, or none that is
/// a plain number.
fn split(text: &str, hashes: &RandomState, room: usize) -> Option<(u64, Vec<f64>)> {
    let mut fixed = hashes.build_hasher();
    let mut values = Vec::with_capacity(room);
    // What was not hashed yet: it ends before a value.
    let mut rest = 0;
    let mut start = 0;
    let bytes = text.as_bytes();
    while start < bytes.len() {
        let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        let line = &bytes[start..end];
        if !matches!(line.first(), None | Some(b'#')) {
            let value = start + place(line)?;
            values.push(text.get(value..end)?.parse().ok()?);
            fixed.write(&bytes[rest..value]);
            rest = end;
        }
        start = end + 1;
    }
    fixed.write(&bytes[rest..]);
    Some((fixed.finish(), values))
}

/// Where the value of a line begins: behind its labels, or behind its name if it has none.
fn place(line: &[u8]) -> Option<usize> {
    let first = memchr2(b'{', b' ', line)?;
    let behind = if line[first] == b'{' { memrchr(b'}', line)? + 1 } else { first };
    (line.get(behind) == Some(&b' ')).then_some(behind + 1)
}
