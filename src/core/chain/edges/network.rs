//! Edges from what does not answer, from a host, and to what another system tells of it.

use super::parts::{JOBS_FAIL, REASON, SERVICE};
use crate::core::alertmanager::rules as manager_rules;
use crate::core::chain::edge::Edge;
use crate::core::chain::ties::{changes, health as health_ties, network, ours, service};
use crate::core::health::rules as health_rules;
use crate::core::metrics::rules as metrics_rules;
use crate::core::postgres::rules::{blocked, copies, health, sessions, standby, statements};
use crate::core::prometheus::rules as prometheus_rules;
use crate::core::redis::rules::{ends, queues, server};
use crate::core::search::rules as search_rules;
use crate::core::search::rules::nodes;
use crate::core::source_rules::{CHANGED, CLOCK, FULL, OURS, SILENT};

pub(super) static EDGES: &[Edge] = &[
    Edge {
        verb: "does not answer them",
        causes: &[SILENT.id, FULL.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: network::named_in_reason,
    },
    Edge {
        verb: "is what Prometheus cannot scrape",
        causes: &[SILENT.id],
        effects: &[prometheus_rules::TARGET_DOWN.spec.id],
        withdrawn_by: "Prometheus reaches it and we do not",
        ties: network::scraped_by_prometheus,
    },
    Edge {
        verb: "is what the alert is about",
        causes: &[
            blocked::BLOCKED.spec.id,
            sessions::CONNECTIONS.spec.id,
            copies::REPLICATION_LAG.spec.id,
            server::MEMORY.spec.id,
            queues::NO_WORKER.spec.id,
            queues::WAIT.spec.id,
            ends::FAILING.spec.id,
            ends::DEAD_LETTERS.spec.id,
            search_rules::RED.spec.id,
            search_rules::YELLOW.spec.id,
            nodes::DISK.spec.id,
            metrics_rules::ERRORS.spec.id,
            metrics_rules::LATENCY.spec.id,
            metrics_rules::DISK.spec.id,
            prometheus_rules::TARGET_DOWN.spec.id,
            SILENT.id,
        ],
        effects: &[prometheus_rules::ALERT.spec.id, manager_rules::ALERT.spec.id],
        withdrawn_by: "the labels name another one",
        ties: network::alert_about,
    },
    Edge {
        verb: "is what it depends on",
        causes: &[
            SILENT.id,
            FULL.id,
            server::ERRORS.spec.id,
            server::SERVES_NOBODY.spec.id,
            search_rules::RED.spec.id,
            search_rules::NO_MASTER.spec.id,
            search_rules::READ_ONLY.spec.id,
        ],
        effects: SERVICE,
        withdrawn_by: "it answers again and the errors go on",
        ties: network::said_to_depend,
    },
    Edge {
        verb: "is what its check reports",
        causes: &[
            SILENT.id,
            FULL.id,
            sessions::CONNECTIONS.spec.id,
            server::ERRORS.spec.id,
            server::SERVES_NOBODY.spec.id,
            search_rules::RED.spec.id,
            search_rules::NO_MASTER.spec.id,
            search_rules::READ_ONLY.spec.id,
        ],
        effects: &[health_rules::STATUS.spec.id, health_rules::BREAKER.spec.id],
        withdrawn_by: "it answers again and the check stays as it is",
        ties: health_ties::checked,
    },
    Edge {
        verb: "is its host's full disk",
        causes: &[metrics_rules::DISK.spec.id, metrics_rules::DISK_ERROR.spec.id],
        effects: &[
            nodes::DISK.spec.id,
            search_rules::READ_ONLY.spec.id,
            server::PERSISTENCE.spec.id,
            health::ARCHIVER.spec.id,
            SILENT.id,
        ],
        withdrawn_by: "room is there and it stays",
        ties: network::same_host,
    },
    Edge {
        verb: "waits for its own pool",
        causes: &[metrics_rules::levels::POOL.spec.id],
        effects: SERVICE,
        withdrawn_by: "the pool has connections to spare and the requests suffer on",
        ties: service::same_service,
    },
    Edge {
        verb: "computes and answers nobody",
        causes: &[metrics_rules::levels::EVENT_LOOP.spec.id, metrics_rules::vitals::COLLECTING.spec.id],
        effects: &[metrics_rules::LATENCY.spec.id],
        withdrawn_by: "its event loop is in time and the requests are not",
        ties: service::same_service,
    },
    Edge {
        verb: "uses up its budget of errors",
        causes: &[metrics_rules::ERRORS.spec.id],
        effects: &[metrics_rules::budget::BURN.spec.id],
        withdrawn_by: "its requests are answered again and as much of them fails",
        ties: service::its_requests,
    },
    Edge {
        verb: "finds little in its cache",
        causes: &[metrics_rules::levels::CACHE_HIT.spec.id],
        effects: &[metrics_rules::LATENCY.spec.id, metrics_rules::levels::QUERY_P95.spec.id],
        withdrawn_by: "its cache is warm again and the requests take as long",
        ties: service::same_service,
    },
    Edge {
        verb: "was done from here",
        causes: &[OURS.id],
        effects: &[ends::FAILING.spec.id, ends::DEAD_LETTERS.spec.id, queues::PAUSED.spec.id],
        withdrawn_by: "the newest failures are of later, or name another reason",
        ties: ours::did,
    },
    Edge {
        verb: "came before a new kind of failure",
        causes: &[CHANGED.id],
        effects: JOBS_FAIL,
        withdrawn_by: "the same failures were there before, or stay with the version of before",
        ties: changes::new_kind,
    },
    Edge {
        verb: "came before another plan",
        causes: &[CHANGED.id],
        effects: &[statements::STATEMENT_SLOWER.spec.id],
        withdrawn_by: "it is as slow with the plan of before",
        ties: changes::other_plan,
    },
    Edge {
        verb: "makes ages too large",
        causes: &[CLOCK.id],
        effects: &[
            copies::REPLICATION_LAG.spec.id,
            standby::ROTATION.spec.id,
            queues::WAIT.spec.id,
            queues::SCHEDULER.spec.id,
        ],
        withdrawn_by: "the clock is right and the age stays",
        ties: service::wrong_age,
    },
];
