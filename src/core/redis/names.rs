//! What a queue is called where it is seen. Its identity is prefix and name; the prefix is said where the name alone would be two. Pure.

use super::{QueueRef, RedisReading};
use crate::core::text::tidy;
use std::collections::BTreeSet;

/// Names are cut to so many characters.
const CHARS: usize = 40;

/// Names of more than one queue of this server.
#[must_use]
pub fn twice(reading: &RedisReading) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let queues = reading.queues.ready().into_iter().flatten();
    queues.map(|queue| queue.queue.name.as_str()).filter(|name| !names.insert(*name)).collect()
}

/// The queue as it is seen; with its prefix where others have its name.
#[must_use]
pub fn seen_as(queue: &QueueRef, twice: bool) -> String {
    let name = tidy(&queue.name, CHARS);
    if twice { format!("{}:{name}", tidy(&queue.prefix, CHARS)) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Part, Warm};
    use crate::core::redis::QueueReading;
    use crate::core::time::Now;

    #[test]
    fn a_prefix_is_said_where_it_tells_two_apart() {
        let queue = |prefix: &str, name: &str| QueueReading {
            queue: QueueRef { prefix: prefix.into(), name: name.into() },
            ..QueueReading::default()
        };
        let queues = [queue("bull", "mails"), queue("eu", "mails"), queue("eu", "bills")];
        let queues = Part::Ready(queues.map(|queue| Warm::new(Now::example(0), queue)).to_vec());
        let reading = RedisReading { queues, ..RedisReading::default() };
        let twice = twice(&reading);
        let seen = |prefix: &str, name: &str| {
            seen_as(&QueueRef { prefix: prefix.into(), name: name.into() }, twice.contains(name))
        };
        assert_eq!(
            [seen("bull", "mails"), seen("eu", "mails"), seen("eu", "bills")],
            ["bull:mails", "eu:mails", "bills"]
        );
    }
}
