//! Ways to write a secret, right and wrong ones, through the program itself: no part of it is shown, whatever is wrong with it.

use stacktop::config::discover::Surroundings;
use stacktop::config::resolve::resolve;
use stacktop::config::wishes::Wishes;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

/// The secret is one of these, a letter that has a meaning somewhere, and the other; none of them may be shown.
const HALVES: [&str; 2] = ["zq7XbN", "Kw9vRt"];
/// Letters that mean something in a URL, a shell or a file.
const LETTERS: [&str; 8] = ["-", "/", "?", "#", "@", ":", "%", " "];

/// One way to write a secret: what the environment, the files of the folder and the arguments are.
#[derive(Clone, Debug, Default)]
struct Way {
    variables: Vec<(&'static str, String)>,
    files: Vec<(&'static str, String)>,
    arguments: Vec<String>,
}

fn variable(name: &'static str, value: &str) -> Way {
    Way { variables: vec![(name, value.to_owned())], ..Way::default() }
}

fn file(name: &'static str, text: &str) -> Way {
    Way { files: vec![(name, text.to_owned())], ..Way::default() }
}

fn config(text: &str) -> Way {
    file("stacktop.toml", text)
}

fn arguments(given: &[&str]) -> Way {
    Way { arguments: given.iter().map(|word| (*word).to_owned()).collect(), ..Way::default() }
}

fn secret(letter: &str) -> String {
    HALVES.join(letter)
}

/// `text` as a string of TOML and of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A login in the URL of every system, in the environment and in the file, around every letter.
fn logins() -> Vec<Way> {
    let mut all = Vec::new();
    for letter in LETTERS {
        let secret = secret(letter);
        let url = |scheme: &str, end: &str| format!("{scheme}://ann:{secret}@127.0.0.1:1/{end}");
        let (pg, redis, http) = (url("postgres", "app"), url("redis", "0"), url("http", "metrics"));
        all.push(variable("DATABASE_URL", &pg));
        all.push(variable("REDIS_URL", &redis));
        all.push(variable("ELASTICSEARCH_URL", &http));
        all.push(variable("PROMETHEUS_URL", &http));
        all.push(variable(
            "DATABASE_URL",
            &format!("host=127.0.0.1 port=1 user=ann password={secret} dbname=x"),
        ));
        all.push(config(&format!("[[postgres]]\nurl = {}\n", quoted(&pg))));
        let console = quoted(&url("postgres", "pgbouncer"));
        all.push(config(&format!(
            "[[postgres]]\nurl = \"postgres://ann@127.0.0.1:1/x\"\npgbouncer = {console}\n"
        )));
        for (table, url) in [("redis", &redis), ("search", &http), ("prometheus", &http), ("metrics", &http)]
        {
            all.push(config(&format!("[[{table}]]\nurl = {}\n", quoted(url))));
        }
        let nodes = quoted(&format!("redis://:{secret}@127.0.0.1:1"));
        for key in ["sentinels", "nodes"] {
            all.push(config(&format!("[[redis]]\nurl = \"redis://127.0.0.1:1\"\n{key} = [{nodes}]\n")));
        }
    }
    all
}

/// A secret where a URL lacks what should be around it.
fn broken_urls() -> Vec<Way> {
    let secret = secret("-");
    let mut all = Vec::new();
    let texts = [
        secret.clone(),
        format!("ann:{secret}@127.0.0.1:1/app"),
        format!("{secret}@127.0.0.1"),
        format!("ann:{secret}://127.0.0.1:1"),
    ];
    let places = [
        ("DATABASE_URL", "postgres", "postgres"),
        ("REDIS_URL", "redis", "redis"),
        ("ELASTICSEARCH_URL", "http", "search"),
        ("PROMETHEUS_URL", "https", "metrics"),
    ];
    for (name, scheme, table) in places {
        for text in &texts {
            all.push(variable(name, text));
            all.push(config(&format!("[[{table}]]\nurl = {}\n", quoted(text))));
        }
        for rest in
            [format!("ann:{secret}"), format!(":{secret}"), format!("ann:{secret}@"), format!("h:{secret}/0")]
        {
            all.push(variable(name, &format!("{scheme}://{rest}")));
        }
    }
    all.push(variable("REDIS_URL", &format!("redis://{secret}@127.0.0.1:1")));
    all.push(variable("ELASTICSEARCH_URL", &format!("http://{secret}@127.0.0.1:1")));
    all.push(variable("PROMETHEUS_URL", &format!("http://127.0.0.1:1/?token={secret}")));
    all.push(variable("DATABASE_URL", &format!("postgres://ann@127.0.0.1:1/x?password={secret}")));
    all.push(variable("DATABASE_URL", &format!("postgres://ann@127.0.0.1:1/x?sslmode={secret}")));
    all.push(variable("DATABASE_URL", &format!("host=127.0.0.1 user=ann port={secret}")));
    all.push(variable("DATABASE_URL", &format!("ann:{secret}=x")));
    all.push(config(&format!("[[metrics]]\nurl = \"http://127.0.0.1:1/metrics?token={secret}\"\n")));
    for (name, value) in [("PGPORT", &secret), ("PGSSLMODE", &secret), ("PGPASSWORD", &secret)] {
        let host = ("PGHOST", "127.0.0.1".to_owned());
        let user = ("PGUSER", "ann".to_owned());
        all.push(Way { variables: vec![host, user, (name, value.clone())], ..Way::default() });
    }
    all
}

/// A secret in a place of the file that is for something else, and in a file that cannot be read.
#[expect(clippy::too_many_lines, reason = "a table")]
fn wrong_places() -> Vec<Way> {
    let secret = secret("-");
    let mut all = Vec::new();
    let entries = [
        (
            "redis",
            "redis://127.0.0.1:1",
            vec![
                "password_file",
                "sentinel_password_file",
                "ca",
                "interval",
                "timeout",
                "redrive_per_second",
                "read_only",
                "sentinels",
                "mask",
                "passwort",
                "envelope",
            ],
        ),
        (
            "postgres",
            "postgres://ann@127.0.0.1:1/x",
            vec!["password_file", "pgbouncer_password_file", "pgbouncer", "ca", "max_lag", "password"],
        ),
        (
            "search",
            "http://127.0.0.1:1",
            vec!["token_file", "api_key_file", "password_file", "ca", "api_key"],
        ),
        ("prometheus", "http://127.0.0.1:1", vec!["token_file", "ca", "query", "token"]),
    ];
    for (table, url, keys) in &entries {
        for key in keys {
            all.push(config(&format!("[[{table}]]\nurl = \"{url}\"\n{key} = \"{secret}\"\n")));
        }
    }
    for line in [
        "theme = \"{S}\"",
        "ascii = \"{S}\"",
        "[keys]\nquit = \"{S}\"",
        "[engine]\nbackoff_cap = \"{S}\"",
        "postgres = \"{S}\"",
        "[rules.\"redis.memory\"]\nwarning = \"{S}\"",
        "[rules.\"redis.memory\"]\nhold = \"{S}\"",
        "url = {S}",
        "{S}",
        "x = \"{S}",
        "[[redis]]\nurl = redis://:{S}@h",
        "[[redis]]\nurl = 'redis://:{S}@h",
        "[[redis]\nurl = \"redis://:{S}@h\"",
        "[[redis]]\nurl = \"redis://h\" password = \"{S}\"",
        "a = 1\na = \"{S}\"",
        "[[redis]]\nenvelope = { payload = \"{S}\" }\nurl = \"redis://h\"",
    ] {
        all.push(config(&line.replace("{S}", &secret)));
    }
    for text in [
        "services: {db: {image: postgres, ports: ['127.0.0.1:1:5432'], environment: {POSTGRES_PASSWORD: '{S}'}}}",
        "services: {db: {image: postgres, ports: ['127.0.0.1:1:5432'], environment: ['POSTGRES_PASSWORD={S}']}}",
        "services: {r: {image: redis, ports: ['127.0.0.1:1:6379'], command: redis-server --requirepass {S}}}",
        "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: \"{S}\n",
        "services:\n  db:\n    environment:\n      {S}: 1\n      {S}: 2\n",
        "services: [{S}\n",
        "%{S}\n",
        "services: *{S}\n",
    ] {
        all.push(file("compose.yaml", &text.replace("{S}", &secret)));
    }
    let commands = [
        "{S}",
        "{S} show",
        "PASS={S} false",
        "false {S}",
        "echo {S}; echo {S} >&2; false",
        "echo denied {S} >&2; exit 3",
        "sh -c 'echo Authorization: Bearer {S} >&2; exit 1'",
        "printf 'https://ann:{S}@h is down' >&2; exit 1",
    ];
    for command in commands {
        let command = quoted(&command.replace("{S}", &secret));
        all.push(config(&format!(
            "[[redis]]\nurl = \"redis://127.0.0.1:1\"\npassword_command = {command}\n"
        )));
    }
    all
}

fn typed() -> Vec<Way> {
    let secret = secret("-");
    let url = format!("postgres://ann:{secret}@127.0.0.1/x");
    let mut all: Vec<Way> = [&secret, &url]
        .into_iter()
        .flat_map(|text| {
            [
                arguments(&[text]),
                arguments(&["--config", &url]),
                arguments(&["--theme", text]),
                arguments(&["demo", "--seed", text]),
            ]
        })
        .collect();
    all.push(arguments(&["targets", &secret]));
    all.push(arguments(&["doctor", &url]));
    all.push(arguments(&[&format!("--password={secret}")]));
    all.push(arguments(&[&format!("-p{secret}")]));
    all
}

fn run(folder: &Path, way: &Way, words: &[&str]) -> Output {
    // A folder's own file would have to be trusted first.
    let named = if has_config(way) { &["--config", "stacktop.toml"][..] } else { &[] };
    Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .args(words)
        .args(named)
        .args(&way.arguments)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "xterm")
        .envs(way.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs")
}

fn has_config(way: &Way) -> bool {
    way.files.iter().any(|(name, _)| *name == "stacktop.toml")
}

/// What the program shows of this way.
fn shown(way: &Way) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in &way.files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let around = way
        .variables
        .iter()
        .fold(Surroundings::empty(folder.path()), |around, (name, value)| around.with(name, value));
    let config = has_config(way).then(|| folder.path().join("stacktop.toml"));
    let settings = resolve(&Wishes { config, ..Wishes::default() }, &around);
    // What cannot be understood is told by every command in the same words; what can is connected to.
    let mut runs: Vec<&[&str]> = vec![&["targets"]];
    if settings.is_ok() {
        runs.push(&["doctor"]);
    }
    if has_config(way) {
        runs.push(&["check-config"]);
    }
    if !way.arguments.is_empty() {
        runs = vec![&[]];
    }
    // Whatever is held of a target in memory can be printed by mistake.
    let held = settings.map(|settings| (settings.targets, settings.trail));
    let mut all = vec![format!("{held:?}")];
    for words in runs {
        let output = run(folder.path(), way, words);
        let text = [output.stdout, output.stderr].concat();
        assert!(!text.is_empty(), "{words:?} says nothing about {way:?}");
        all.push(String::from_utf8_lossy(&text).into_owned());
    }
    all
}

#[test]
fn no_way_to_write_a_secret_shows_it() {
    let ways: Vec<Way> = [logins(), broken_urls(), wrong_places(), typed()].concat();
    assert!(ways.len() >= 76, "{}", ways.len());
    let showing = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for part in ways.chunks(ways.len().div_ceil(4)) {
            let showing = &showing;
            scope.spawn(move || {
                for way in part {
                    for text in shown(way) {
                        if HALVES.iter().any(|half| text.contains(half)) {
                            showing.lock().expect("no panic").push(format!("{way:?}\n{text}"));
                        }
                    }
                }
            });
        }
    });
    let showing = showing.into_inner().expect("no panic");
    assert!(showing.is_empty(), "{} of {} ways show it:\n{}", showing.len(), ways.len(), showing.join("\n"));
}

/// Answers everybody with what they said: Redis as servers do that do not know AUTH, HTTP as debugging proxies do.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    let said = String::from_utf8_lossy(&bytes[..count]).replace("\r\n", " ");
                    let reply = if said.starts_with('*') {
                        let line =
                            format!("-ERR unknown command 'AUTH', with args beginning with: '{said}'\r\n");
                        line.repeat(said.matches('*').count())
                    } else {
                        format!("HTTP/1.1 403 No\r\nContent-Length: {}\r\n\r\n{said}", said.len())
                    };
                    if stream.write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_server_that_repeats_what_it_was_told_shows_no_secret() {
    let (port, secret) = (echo(), secret("-"));
    let config = config(&format!(
        "[[redis]]\nurl = \"redis://:{secret}@127.0.0.1:{port}\"\n[[search]]\nurl = \"http://ann:{secret}@127.0.0.1:{port}\"\n"
    ));
    let all = shown(&config).join("\n");
    assert!(all.contains("refuses the password") && all.contains("(403): GET"), "{all}");
    // The last is user and password as basic authentication writes them.
    for part in [HALVES[0], HALVES[1], "YW5uOnpxN1hiTi1Ldzl2UnQ="] {
        assert!(!all.contains(part), "{part} in {all}");
    }
}
