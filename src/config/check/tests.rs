//! The tests of the check of a configuration.

use super::*;
use crate::config::form;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let form = form::read("c.toml", text);
    assert_eq!(form.mistakes, Vec::<String>::new());
    let told = mistakes(&form.file, &form.places);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.contains(expected), "{told}, not {expected}");
    }
}

fn rule(id: &str, body: &str) -> String {
    format!("[rules.\"{id}\"]\n{body}\n")
}

#[test]
fn thresholds_that_can_never_be_right_are_refused_at_their_key() {
    let connections = |body: &str| rule("postgres.connections", body);
    let ratio = "c.toml:2:1: warning is a ratio from 0 to 1: write 0.8 for 80 %";
    check(&connections("warning = 80.0"), &[ratio, "critical is below warning"]);
    check(&connections("warning = 0.95"), &["critical is below warning"]);
    check(&connections("warning = nan"), &["c.toml:2:1: warning is no number"]);
    check(&connections("hold = \"1s\"\ncritical = inf"), &["c.toml:3:1: critical is no number"]);
    check(&connections("warning = 0.5\ncritical = 0.5"), &[]);
    check(&rule("postgres.blocked", "warning = -1.0"), &["below 0 (seconds)"]);
    let named = "[[postgres]]\nname = \"shop\"\nurl = \"postgres://h/d\"\n";
    let on =
        |place: &str, body: &str| format!("{named}[rules.\"postgres.connections\".on.{place}]\n{body}\n");
    check(&on("shop", "warning = 0.5\ncritical = 0.6"), &[]);
    check(&on("shop", "warning = 0.95"), &["critical is below warning"]);
    check(&on("shop", "critical = 7.0"), &["c.toml:5:1: critical is a ratio"]);
    check(&on("shp", "enabled = false"), &["there is no target called shp; did you mean `shop`?"]);
    check(&on("shop.on.b", "enabled = false"), &["`on` stands once"]);
    let copy = format!("{named}[rules.\"postgres.replication_lag\".on.walreceiver]\ncritical = 6.0\n");
    check(&copy, &[]);
    check(&rule("postgres.blocked", "hold = \"25h\""), &["c.toml:2:1: hold can be from 0s to 24h"]);
    check(&rule("postgres.time_left", "critical = 99999.0"), &["critical is above warning"]);
    check(&rule("postgres.time_left", "warning = 3600.0"), &[]);
    check(&rule("redis.persistence", "warning = 1.0"), &["has no number"]);
    check(
        &rule("postgres.blokked", "warning = 1.0"),
        &["c.toml:1:8: there is no such rule; did you mean `postgres.blocked`?"],
    );
}

#[test]
fn numbers_out_of_bounds_and_empty_names_are_all_told() {
    check(
        "environment = \" \"\n[engine]\nbackoff_cap = \"0s\"\nbreaker_failures = 0\n",
        &[
            "c.toml:1:1: environment is empty",
            "c.toml:3:1: backoff_cap can be from 1s to 1h",
            "c.toml:4:1: breaker_failures can be from 1 to 1000",
        ],
    );
    check(
        "[[redis]]\nname = \"\"\nurl = \"redis://h\"\ninterval = \"10ms\"\ntimeout = \"9000h\"\nmask = [\"\"]\n\
         redrive_per_second = 0\n[[metrics]]\nname = \"a\\u009b\"\nurl = \"http://h\"\n",
        &[
            "c.toml:2:1: name is empty",
            "c.toml:4:1: interval can be from 200ms to 1h",
            "c.toml:5:1: timeout can be from 100ms to 5m",
            "c.toml:9:1: name holds characters",
            "c.toml:6:9: an entry of mask is empty",
            "c.toml:7:1: redrive_per_second can be from 1 to 10000",
        ],
    );
    let two = "[[redis]]\nname = \"a\"\nurl = \"redis://h\"\n[[metrics]]\nname = \"a\"\nurl = \"http://h\"\n";
    check(two, &["c.toml:5:1: a second target has this name"]);
    check(
        "[[panel]]\nname = \"p\"\nkind = \"sql\"\nsql = \"x\"\nwarning = { n = 5.0 }\ncritical = { n = 1.0 }\n",
        &["c.toml:6:1: critical is below warning"],
    );
    let query = "[[prometheus.query]]\ntitle = \"a\"\nexpr = \"up\"\n";
    check(
        &format!("[[prometheus]]\nurl = \"http://h\"\n{query}{query}"),
        &["c.toml:7:1: a second query of this target has this title"],
    );
    check(
        "[[prometheus]]\nurl = \"http://h\"\n[[prometheus.query]]\ntitle = \"\"\nexpr = \" \"\nwarning = inf\n",
        &["c.toml:4:1: title is empty", "c.toml:5:1: expr is empty", "c.toml:6:1: warning is no number"],
    );
}

#[test]
fn fields_of_a_health_endpoint_that_cannot_be_are_told_with_their_place() {
    let fields = |fields: &str, expected: &[&str]| {
        check(&format!("[[health]]\nurl = \"http://h/health\"\nfields = [{fields}]\n"), expected);
    };
    fields("{ pointer = \"/a\", unit = \"ratio\", warning_below = 0.5 }", &[]);
    fields("{ pointer = \"a\" }", &["c.toml:3:13: it is no JSON pointer; it begins with a slash"]);
    fields("{ pointer = \"/a\", unit = \"ratio\", warning_below = 50.0 }", &["is a ratio from 0 to 1"]);
    fields("{ pointer = \"/a\", warning_above = 2.0, critical_above = 1.0 }", &["critical_above is below"]);
    fields("{ pointer = \"/a\", warning_below = 1.0, critical_below = 2.0 }", &["critical_below is above"]);
    fields("{ pointer = \"/a\", warning_below = nan }", &["warning_below is no number"]);
    fields("{ pointer = \"/a\", warning_below = 1.0, expect = \"x\" }", &["keep one of them"]);
    fields(
        "{ pointer = \"/a\", unit = \"ratoi\" }",
        &["c.toml:3:29: unit is not known; did you mean `ratio`?"],
    );
    fields("{ pointer = \"/a/x\" }, { pointer = \"/b/x\" }", &["a second field is called `x`"]);
    let masked = "[[health]]\nurl = \"http://h\"\nmask = [\"email\", \" \"]\nfields = [{ pointer = \"/a/Email/n\" }]\n";
    check(
        masked,
        &["c.toml:3:1: an entry of mask is empty", "c.toml:4:13: mask hides `email`: what stands there"],
    );
    let misspelt = "[[health]]\nurl = \"http://h\"\nfields = [{ pointer = \"/a\", warning_belw = 1.0 }]\n";
    let told = form::read("c.toml", misspelt).mistakes;
    assert!(told.len() == 1 && told[0].contains("did you mean `warning_below`?"), "{told:?}");
}

#[test]
fn probes_that_cannot_be_are_told_with_their_place() {
    let probe = |keys: &str, expected: &[&str]| check(&format!("[[probe]]\n{keys}\n"), expected);
    probe("tcp = \"h:25\"", &[]);
    probe("url = \"https://h\"\nstatus = 401\ncontains = \"x\"\nlink = \"https://h/d\"", &[]);
    probe(
        "url = \"http://h\"\nkind = \"grafna\"",
        &["c.toml:3:1: there is no such kind of probe; did you mean `grafana`?"],
    );
    probe("url = \"http://h\"\nstatus = 42", &["c.toml:3:1: status is one of HTTP"]);
    probe("tcp = \"h:25\"\nstatus = 200", &["status is for a probe of kind http"]);
    probe(
        "url = \"http://h\"\nkind = \"minio\"\ncontains = \"x\"",
        &["contains is for a probe of kind http"],
    );
    probe("url = \"http://h\"\ncontains = \"\"", &["contains is empty"]);
    probe("tcp = \"h:25\"\nlink = \"wiki\"", &["link is the address of a page"]);
}

#[test]
fn a_runbook_is_an_address_that_can_be_shown() {
    let runbook = |url: &str| no_runbook(url);
    assert_eq!(runbook("https://wiki.example/run#blocked"), None);
    for (url, why) in [
        ("wiki.example", "begins with https://"),
        ("https://", "begins with https://"),
        ("javascript:alert(1)", "begins with https://"),
        ("https://ana:secret@wiki.example/", "a login"),
        ("https://wiki.example/a b", "cannot be in an address"),
        ("https://wiki.example/\u{1b}]0;x", "cannot be in an address"),
    ] {
        assert!(runbook(url).is_some_and(|told| told.contains(why)), "{url}");
    }
    assert!(runbook(&format!("https://h/{}", "x".repeat(300))).is_some());
    let path = "rules.\"postgres.blocked\"";
    check(&format!("[{path}]\nrunbook = \"wiki\"\n"), &["c.toml:2:1: runbook is the address of a page"]);
}

#[test]
fn rules_that_look_for_too_little_are_known() {
    let low: Vec<&str> =
        all_rules().iter().filter(|spec| spec.less_is_worse()).map(|spec| spec.id.as_str()).collect();
    assert_eq!(
        low,
        [
            "redis.memory_full_in",
            "search.disk_full_in",
            "metrics.disk_full_in",
            "postgres.cache_hit",
            "postgres.time_left",
            "metrics.cache_hit",
            "metrics.disk_left",
            "health.cache_hit",
            "probe.certificate"
        ]
    );
}
