//! The incidents, as data: what brought each about, what it brings about, and what is true beside it. A new one is a row here and a scene.

use super::incident::{Incident, Scene};
use super::scenes::{self, BEGINS};
use crate::drill::sim::TROUBLE_AT;

/// The incidents.
pub(super) static INCIDENTS: &[Incident] = &[
    // A copy that falls behind and a node that goes are in the same minute, and of something else.
    Incident {
        name: "forgotten transaction",
        scene: Scene::Embedded,
        lasts: 90,
        begins: TROUBLE_AT,
        root: ("postgres.blocked", "shop-db"),
        effects: &[
            ("metrics.errors", "shop-api"),
            ("metrics.latency_p95", "shop-api"),
            ("queue.failing", "jobs"),
            ("queue.dead_letters", "jobs"),
            ("queue.wait", "jobs"),
            ("prometheus.alert", "prometheus"),
            ("postgres.idle_in_transaction", "shop-db"),
        ],
        beside: &[
            (("search.node_left", "catalogue"), ("search.yellow", "catalogue")),
            (("postgres.replication_lag", "shop-db-copy"), ("postgres.replication_lag", "shop-db")),
        ],
    },
    Incident {
        name: "pool of idle sessions",
        scene: Scene::Small(&scenes::POOL),
        lasts: 200,
        begins: BEGINS as f64,
        root: ("postgres.idle_in_transaction", "db"),
        effects: &[
            ("pgbouncer.waiting", "db"),
            ("pgbouncer.utilisation", "db"),
            ("metrics.latency_p95", "shop"),
        ],
        beside: &[],
    },
    Incident {
        name: "full Redis",
        scene: Scene::Small(&scenes::FULL),
        lasts: 150,
        begins: BEGINS as f64,
        root: ("redis.memory", "cache"),
        effects: &[("redis.errors", "cache"), ("queue.failing", "cache"), ("metrics.errors", "shop")],
        beside: &[],
    },
    Incident {
        name: "archiver fills a disk",
        scene: Scene::Small(&scenes::ARCHIVER),
        lasts: 200,
        begins: BEGINS as f64,
        root: ("postgres.archiver", "db"),
        effects: &[("metrics.disk", "node"), ("metrics.disk_left", "node")],
        beside: &[],
    },
    Incident {
        name: "node that left",
        scene: Scene::Small(&scenes::NODE),
        lasts: 200,
        begins: BEGINS as f64,
        root: ("search.node_left", "search"),
        effects: &[("search.yellow", "search")],
        beside: &[],
    },
    Incident {
        name: "workers that are gone",
        scene: Scene::Small(&scenes::WORKERS),
        lasts: 240,
        begins: BEGINS as f64,
        root: ("queue.no_worker", "cache"),
        effects: &[("queue.wait", "cache"), ("queue.stalled", "cache"), ("queue.scheduler", "cache")],
        beside: &[],
    },
    Incident {
        name: "two faults and decoys",
        scene: Scene::Small(&scenes::TWO),
        lasts: 150,
        begins: BEGINS as f64,
        root: ("postgres.blocked", "db"),
        effects: &[("metrics.errors", "shop"), ("postgres.idle_in_transaction", "db")],
        beside: &[
            (("redis.persistence", "cache"), ("redis.errors", "cache")),
            (("redis.persistence", "cache"), ("queue.failing", "cache")),
        ],
    },
];
