//! The tests of targets from a compose project.

use super::*;
use crate::config::secret::Secret;
use crate::config::target::HttpAuth;

#[test]
fn reads_services_as_developers_write_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "
services:
  db:
    image: postgres:16-alpine
    ports: [\"${DB_PORT:-5433}:5432\"]
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: \"${PW}\", POSTGRES_DB: orders}
  cache:
    image: docker.io/valkey/valkey:8
    command: valkey-server --requirepass hush
    ports:
      - target: 6379
        published: \"6380\"
  search:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.19.0
    ports: [\"127.0.0.1:9201:9200/tcp\"]
    environment: [\"ELASTIC_PASSWORD=x\", \"xpack.security.enabled=false\"]
  hidden: {image: \"redis:7\"}
  exporter: {image: prom/redis-exporter, ports: [\"9121:9121\"]}
";
    std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
    std::fs::write(folder.path().join(".env"), "PW='s3cret'\n").expect("written");
    let mut trail = Vec::new();
    let found = find(&Surroundings::empty(folder.path()), &mut trail).expect("understood");
    let names: Vec<_> = found.iter().filter_map(|found| found.name.clone()).collect();
    assert_eq!(names, ["db", "cache", "search"], "{trail:?}");
    match &found[0].connect {
        Connect::Postgres(pg) => {
            assert_eq!((pg.hosts[0].port, pg.user.as_str(), pg.database.as_str()), (5433, "shop", "orders"));
            assert!(pg.password.is_some());
        }
        other => panic!("{other:?}"),
    }
    assert!(
        matches!(&found[1].connect, Connect::Redis(redis) if redis.port == 6380 && redis.password.is_some())
    );
    assert!(matches!(&found[2].connect, Connect::Search(http) if matches!(http.auth, HttpAuth::None)));
    assert!(
        trail.iter().any(|line| line.contains("service hidden is not used, because it publishes no port")),
        "{trail:?}"
    );
    assert!(
        trail.iter().any(|line| line.contains("nothing of the kind: exporter (prom/redis-exporter)")),
        "{trail:?}"
    );
}

#[track_caller]
fn trail_of(text: &str) -> (Vec<Found>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
    let mut trail = Vec::new();
    let around = Surroundings::empty(folder.path()).with("SECRET", "far.example").with("PGPASSWORD", "mine");
    let found = find(&around, &mut trail).expect("understood");
    (found, trail.join("\n"))
}

#[test]
fn a_health_check_over_http_is_asked_from_here() {
    let text = "
services:
  api:
    build: .
    ports: [\"8080:3000\"]
    healthcheck: {test: [CMD, curl, -f, \"http://localhost:3000/healthz\"]}
  site:
    image: nginx
    ports: [\"127.0.0.1:8081:80\"]
    healthcheck: {test: \"wget -q http://localhost/ping || exit 1\"}
  inner:
    image: worker
    healthcheck: {test: [CMD, curl, \"http://localhost:9/health\"]}
  far:
    image: worker
    ports: [\"10.1.2.3:9:9\"]
    healthcheck: {test: [CMD, curl, \"http://localhost:9/health\"]}
";
    let (found, trail) = trail_of(text);
    let told: Vec<(String, bool, String)> = found
        .iter()
        .map(|found| {
            let at = found.connect.way().expect("a way").address();
            (found.name.clone().unwrap_or_default(), matches!(found.connect, Connect::Health(_)), at)
        })
        .collect();
    let expected = [
        ("api".to_owned(), true, "http://127.0.0.1:8080/healthz".to_owned()),
        ("site".to_owned(), false, "http://127.0.0.1:8081/ping".to_owned()),
    ];
    assert_eq!(told, expected, "{trail}");
    assert!(found[0].because.ends_with("for service api, and its healthcheck asks for /healthz"));
    assert!(trail.contains("service inner is not used, because it publishes no port"), "{trail}");
    assert!(
        trail.contains("service far is not used, because it publishes its port on an address"),
        "{trail}"
    );
}

#[test]
fn nothing_in_the_file_chooses_another_machine() {
    for host in ["10.1.2.3", "far.example", "${SECRET}", "127.0.0.1.far.example", "[2001:db8::1]"] {
        for ports in [
            format!("[\"{host}:5432:5432\"]"),
            format!("[{{target: 5432, published: 5432, host_ip: \"{host}\"}}]"),
        ] {
            let text = format!("services:\n  db:\n    image: postgres\n    ports: {ports}\n");
            let (found, trail) = trail_of(&text);
            assert!(found.is_empty(), "{host}: {trail}");
            assert!(trail.contains("name it in a configuration"), "{text}: {trail}");
            assert!(!trail.contains("far.example"), "{trail}");
        }
    }
    let both = "services:\n  db:\n    image: postgres\n    ports: [\"10.1.2.3:5432:5432\", \"127.0.0.1:5433:5432\"]\n";
    assert_eq!(trail_of(both).0.len(), 1);
}

#[test]
fn a_file_that_would_take_long_is_refused_at_once() {
    let hundred = 100_000;
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, of) in
        ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(",")));
    }
    for (what, text) in [
        ("brackets", "[".repeat(hundred)),
        ("braces", "{a: ".repeat(hundred / 4)),
        ("bomb", bomb.clone()),
        ("large bomb", format!("{bomb}z: [{}]\n", vec!["*b"; hundred / 3].join(","))),
        ("wide bomb", format!("{bomb}z: [{}]\n", vec!["x"; hundred / 2].join(","))),
        (
            "bomb of services",
            format!("{bomb}services: {{db: *i, cache: {{image: redis, environment: *b}}}}\n"),
        ),
        ("bomb of ports", format!("{bomb}services: {{db: {{image: postgres, ports: *i}}}}\n")),
        ("dashes", "- ".repeat(hundred / 2)),
        ("questions", "? ".repeat(hundred / 2)),
        ("keys", "a: ".repeat(hundred / 3)),
        ("large", "#".repeat(256 * 1024 + 1)),
    ] {
        let started = tokio::time::Instant::now();
        let (found, trail) = trail_of(&text);
        assert!(found.is_empty(), "{what}: {trail}");
        assert!(started.elapsed() < std::time::Duration::from_secs(2), "{what}");
    }
}

/// What is found in a folder of these files: each target's name and address, then why others are not used.
#[track_caller]
fn folder(files: &[(&str, &str)], set: &[(&str, &str)]) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let mut around = Surroundings::empty(folder.path());
    for (name, value) in set {
        around = around.with(name, value);
    }
    let mut trail = Vec::new();
    let found = find(&around, &mut trail).expect("understood");
    let told = |found: &Found| {
        use secrecy::ExposeSecret;
        let password = |secret: Option<&Secret>| match secret {
            Some(Secret::Inline(text)) => format!(" pw={}", text.expose_secret()),
            _ => String::new(),
        };
        let (place, password) = match &found.connect {
            Connect::Postgres(pg) => {
                (format!("{}@{}", pg.user, pg.configured()), password(pg.password.as_ref()))
            }
            Connect::Redis(redis) => (format!("redis {}", redis.port), password(redis.password.as_ref())),
            Connect::Search(http) => (http.url.clone(), String::new()),
            other => (format!("{other:?}"), String::new()),
        };
        format!("{}: {place}{password}", found.name.as_deref().unwrap_or_default())
    };
    (found.iter().map(told).collect(), trail.join("\n"))
}

#[track_caller]
fn finds(files: &[(&str, &str)], set: &[(&str, &str)], expected: &[&str]) {
    let (found, trail) = folder(files, set);
    assert_eq!(found, expected, "{files:?}\n{trail}");
}

#[track_caller]
fn unused(text: &str, because: &str) {
    let (found, trail) = folder(&[("compose.yaml", text)], &[]);
    assert_eq!(found, [] as [&str; 0], "{trail}");
    assert!(trail.contains(because), "{trail}");
}

const DB: &str = "services:\n  db: {image: postgres, ports: [\"5433:5432\"], environment: {POSTGRES_PASSWORD: \"${PW:-one}\"}}\n";

#[test]
fn files_are_laid_over_one_another() {
    let over = "services: {db: {environment: [\"POSTGRES_PASSWORD=two\"]}}\n";
    let db = "db: postgres@127.0.0.1:5433/postgres";
    finds(&[("compose.yaml", DB)], &[], &[&format!("{db} pw=one")]);
    finds(&[("compose.yaml", DB), (".env", "PW=three")], &[], &[&format!("{db} pw=three")]);
    finds(&[("compose.yaml", DB), (".env", "PW=three")], &[("PW", "four")], &[&format!("{db} pw=four")]);
    finds(&[("compose.yaml", DB), ("compose.override.yml", over)], &[], &[&format!("{db} pw=two")]);
    let ports = "services: {db: {ports: !override [\"6000:5432\"]}}\n";
    finds(
        &[("docker-compose.yml", DB), ("docker-compose.override.yml", ports)],
        &[],
        &["db: postgres@127.0.0.1:6000/postgres pw=one"],
    );
    finds(
        &[("compose.yaml", "services: {}"), ("deploy/a.yml", DB), ("deploy/b.yml", over)],
        &[("COMPOSE_FILE", "deploy/a.yml:deploy/b.yml")],
        &[&format!("{db} pw=two")],
    );
    finds(
        &[("a.yml", DB), ("b.yml", over), (".env", "COMPOSE_FILE=a.yml,b.yml\nCOMPOSE_PATH_SEPARATOR=,\n")],
        &[],
        &[&format!("{db} pw=two")],
    );
}

#[test]
fn a_few_files_cannot_stand_for_more_than_fits() {
    let larger = "with what it repeats the project is larger than 8 MiB: what is beyond that is not read";
    let many = |entry: &str| {
        let services = (0..2000).map(|number| format!("  s{number}: {{image: postgres, {entry}}}\n"));
        format!("services:\n{}", services.collect::<String>())
    };
    let long = format!("LONG={}\n", "x".repeat(60_000));
    let base = format!("  base: {{image: postgres, labels: [{}]}}\n", "a, ".repeat(20_000));
    for (entry, more) in [
        ("env_file: long.env", ""),
        ("extends: base", &*base),
        ("extends: {file: common.yml, service: base}", ""),
        ("command: \"${LONG}\"", ""),
    ] {
        let text = many(entry) + more;
        let common = format!("services:\n{base}");
        let files = [("compose.yaml", &*text), ("common.yml", &common), (".env", &long), ("long.env", &long)];
        let (_, trail) = folder(&files, &[]);
        assert!(trail.contains(larger), "{entry}: {}", trail.chars().take(500).collect::<String>());
    }
}

#[test]
fn services_are_included_and_extended() {
    let db = "db: postgres@127.0.0.1:5433/postgres";
    finds(
        &[
            ("compose.yaml", "include: [infra/compose.yaml]\n"),
            ("infra/compose.yaml", DB),
            ("infra/.env", "PW=inner"),
        ],
        &[],
        &[&format!("{db} pw=inner")],
    );
    let long = "include:\n  - path: [infra/a.yml]\n    env_file: own.env\nservices: {db: {environment: {POSTGRES_USER: ann}}}\n";
    finds(
        &[("compose.yaml", long), ("infra/a.yml", DB), ("own.env", "PW=own")],
        &[],
        &["db: ann@127.0.0.1:5433/ann pw=own"],
    );
    let extends = "services:\n  base: {image: \"redis:7\", command: [redis-server, --requirepass, \"${PW}\"], profiles: [never]}\n  \
                   cache: {extends: base, profiles: !reset null, ports: [\"6380:6379\"]}\n  \
                   db: {extends: {file: common/db.yml, service: db}, ports: !override [\"5440:5432\"]}\n";
    finds(
        &[("compose.yaml", extends), ("common/db.yml", DB), (".env", "PW='a b'")],
        &[],
        &["cache: redis 6380 pw=a b", "db: postgres@127.0.0.1:5440/postgres pw=a b"],
    );
    // Forty services of one file.
    let mut many = String::from("services:\n");
    for number in 0..40 {
        many += &format!(
            "  s{number}: {{extends: {{file: common/db.yml, service: db}}, ports: !override [\"{}:5432\"]}}\n",
            6000 + number
        );
    }
    let (found, trail) = folder(&[("compose.yaml", &many), ("common/db.yml", DB)], &[]);
    assert_eq!(found.len(), 40, "{trail}");
    let merged = "x-env: &env {POSTGRES_USER: ann, POSTGRES_DB: shop}\nservices:\n  db:\n    image: postgres\n    ports: [\"5433:5432\"]\n    \
                  environment: {<<: *env, POSTGRES_DB: orders}\n";
    finds(&[("compose.yaml", merged)], &[], &["db: ann@127.0.0.1:5433/orders"]);
    let circle = "services: {a: {image: postgres, extends: b}, b: {image: postgres, extends: a}}\n";
    unused(circle, "extends itself");
    unused("include: [compose.yaml]\nservices: {}\n", "includes itself");
    unused(
        "include: [\"oci://far.example/x\"]\nservices: {}\n",
        "included by oci: is not read: it is not on this machine",
    );
    unused(
        "services: {a: {image: postgres, extends: {file: none.yml, service: a}}}\n",
        "none.yml cannot be read",
    );
}

#[test]
fn values_come_from_files_of_variables_and_of_secrets() {
    let text = "services:\n  db:\n    image: postgres\n    ports: [\"5433:5432\"]\n    env_file: [one.env, {path: two.env, required: false}]\n    \
                environment: {POSTGRES_DB: shop, POSTGRES_PASSWORD_FILE: /run/secrets/pw}\n    secrets: [{source: db_pw, target: pw}]\n\
                secrets: {db_pw: {file: ./pw.txt}}\n";
    finds(
        &[("compose.yaml", text), ("one.env", "POSTGRES_USER=ann\nPOSTGRES_DB=no\n"), ("pw.txt", "hush\n")],
        &[],
        &["db: ann@127.0.0.1:5433/shop pw=hush"],
    );
    let passed = "services: {cache: {image: valkey/valkey, ports: [\"6379:6379\"], environment: [REDIS_PASSWORD_FILE=/run/secrets/r]}}\n\
                  secrets: {r: {environment: FROM_SHELL}}\n";
    finds(&[("compose.yaml", passed)], &[("FROM_SHELL", "hush")], &["cache: redis 6379 pw=hush"]);
    let named = "services: {cache: {image: redis, ports: [\"6379:6379\"], environment: [REDIS_PASSWORD]}}\n";
    finds(&[("compose.yaml", named)], &[("REDIS_PASSWORD", "hush")], &["cache: redis 6379 pw=hush"]);
    let (_, trail) = folder(&[("compose.yaml", text)], &[]);
    assert!(
        trail.contains("service db: its env_file") && trail.contains("one.env cannot be read"),
        "{trail}"
    );
}

#[test]
fn images_of_others_are_known_with_their_own_variables() {
    let service = |image: &str, port: u16, more: &str| {
        format!("services: {{s: {{image: \"{image}\", ports: [\"7000:{port}\"], {more}}}}}\n")
    };
    for (image, port, more, expected) in [
        (
            "bitnami/postgresql:16",
            5432,
            "environment: {POSTGRESQL_USERNAME: ann, POSTGRESQL_PASSWORD: p, POSTGRESQL_DATABASE: shop}",
            "s: ann@127.0.0.1:7000/shop pw=p",
        ),
        (
            "bitnami/postgresql",
            5432,
            "environment: {POSTGRESQL_PASSWORD: p}",
            "s: postgres@127.0.0.1:7000/postgres pw=p",
        ),
        ("bitnamilegacy/redis", 6379, "environment: {REDIS_PASSWORD: p}", "s: redis 7000 pw=p"),
        (
            "bitnami/redis",
            6400,
            "environment: {REDIS_PORT_NUMBER: 6400, ALLOW_EMPTY_PASSWORD: \"yes\"}",
            "s: redis 7000",
        ),
        ("bitnami/valkey", 6379, "environment: {VALKEY_PASSWORD: p}", "s: redis 7000 pw=p"),
        (
            "eqalpha/keydb",
            6379,
            "command: keydb-server /etc/keydb.conf --requirepass p",
            "s: redis 7000 pw=p",
        ),
        (
            "docker.dragonflydb.io/dragonflydb/dragonfly",
            6379,
            "command: [\"--requirepass=p\"]",
            "s: redis 7000 pw=p",
        ),
        (
            "docker.dragonflydb.io/dragonflydb/dragonfly",
            6379,
            "environment: {DFLY_requirepass: p}",
            "s: redis 7000 pw=p",
        ),
        (
            "redis",
            6379,
            "environment: {PW: p}, command: [sh, -c, 'exec redis-server --requirepass \"$$PW\"']",
            "s: redis 7000 pw=p",
        ),
        (
            "citusdata/citus:12",
            5432,
            "environment: {POSTGRES_PASSWORD: p}",
            "s: postgres@127.0.0.1:7000/postgres pw=p",
        ),
        (
            "opensearchproject/opensearch:2",
            9200,
            "environment: [\"DISABLE_SECURITY_PLUGIN=true\"]",
            "s: http://127.0.0.1:7000",
        ),
        ("bitnami/elasticsearch:8", 9200, "environment: {}", "s: http://127.0.0.1:7000"),
        ("postgis/postgis", 6432, "command: postgres -c port=6432", "s: postgres@127.0.0.1:7000/postgres"),
    ] {
        finds(&[("compose.yaml", &service(image, port, more))], &[], &[expected]);
    }
}

#[test]
fn a_service_may_be_in_the_network_of_this_machine_or_of_another_one() {
    finds(
        &[("compose.yaml", "services: {db: {image: postgres, network_mode: host}}\n")],
        &[],
        &["db: postgres@127.0.0.1:5432/postgres"],
    );
    let shared = "services: {vpn: {image: vpn, ports: [\"5433:5432\"]}, db: {image: postgres, network_mode: \"service:vpn\"}}\n";
    finds(&[("compose.yaml", shared)], &[], &["db: postgres@127.0.0.1:5433/postgres"]);
    let profile = "services: {db: {image: postgres, network_mode: host, profiles: [dev, ci]}}\n";
    finds(
        &[("compose.yaml", profile)],
        &[("COMPOSE_PROFILES", "x, ci")],
        &["db: postgres@127.0.0.1:5432/postgres"],
    );
}

#[test]
fn every_service_that_is_not_used_says_why() {
    let db = |more: &str| format!("services:\n  db: {{image: postgres, {more}}}\n");
    unused(
        &db("expose: [5432]"),
        "db is not used, because it publishes no port of this machine (`ports: [\"127.0.0.1:5432:5432\"]`",
    );
    unused(&db("ports: [5432]"), "its port is chosen when its container starts");
    unused(&db("ports: [\"5400-5500:5432\"]"), "its port is chosen when its container starts");
    unused(&db("network_mode: host, profiles: [dev]"), "its profile dev is not active (COMPOSE_PROFILES=dev");
    unused(&db("ports: [\"hush:5432\"]"), "an entry of its `ports` is none");
    unused(
        "services:\n  db:\n    image: postgres\n    ports: [\"5433:5432\"]\n    environment: {POSTGRES_PASSWORD: \"${PW:?no}\"}\n",
        "compose.yaml:5:39: PW is not set: set it in the shell or in the .env file",
    );
    unused("services: {web: {image: nginx}, api: {build: .}}\n", "nothing of the kind: web (nginx), api");
    unused("services:\n  db: [\n", "compose.yaml:");
    let many: Vec<String> = (0..15).map(|n| format!("a{n}: {{image: x}}")).collect();
    unused(&format!("services: {{{}}}\n", many.join(", ")), "a11 (x), 3 more");
    for helper in [
        "prom/redis-exporter",
        "rediscommander/redis-commander",
        "prodrigestivill/postgres-backup-local",
        "opensearchproject/opensearch-dashboards",
    ] {
        unused(
            &format!("services: {{s: {{image: \"{helper}\", network_mode: host}}}}\n"),
            "nothing of the kind",
        );
    }
    // A service that cannot be understood keeps no other from being used.
    let both = "services:\n  a: {image: \"redis:${V:?}\", network_mode: host}\n  b: {image: redis, network_mode: host}\n";
    finds(&[("compose.yaml", both)], &[], &["b: redis 6379"]);
}
