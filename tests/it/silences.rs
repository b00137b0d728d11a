//! Changes to an Alertmanager that refuses, hangs up, lags behind or was changed by others: nothing is sent twice, and nothing is done to
//! what is not as it was seen.

use serde_json::{Value, json};
use stacktop::actions::Executor;
use stacktop::actions::alertmanager::AlertmanagerExecutor;
use stacktop::actions::stop::Stops;
use stacktop::config::target::{Connect, Locality, TargetConfig};
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed, Verdict, Verification};
use stacktop::core::alertmanager::{AlertmanagerAct, End, Matcher, SeenSilence};
use stacktop::core::ids::TargetId;
use stacktop::core::time::Now;
use stacktop::{sources, systems};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer, or none: the connection is closed.
type Said = Option<(u16, Value)>;

/// A server whose answers are made of the request's first words ("POST /api/v2/silences") and of those before it.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Fake {
    async fn start(
        dated: bool,
        answer: impl Fn(&str, &[(String, String)]) -> Said + Send + Sync + 'static,
    ) -> Self {
        sources::tls::install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (request, body) = request(&mut stream).await;
                let said = {
                    let mut seen = seen.lock().expect("whole");
                    let said = answer(&request, &seen);
                    seen.push((request, body));
                    said
                };
                let Some((status, body)) = said else { continue };
                let date = if dated { "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n" } else { "" };
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} said\r\n{date}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { url, asked }
    }

    fn executor(&self) -> AlertmanagerExecutor {
        AlertmanagerExecutor::new(url::http_base(&self.url).expect("a URL"))
    }

    /// What came of it: the verdict with the summary, or the error.
    async fn act(&self, act: AlertmanagerAct) -> (Option<Verdict>, String) {
        let stop = Stops::default().begin();
        match self.executor().execute(&confirmed(act), &stop).await {
            Ok(outcome) => (Some(outcome.verdict), outcome.summary),
            Err(error) => (None, error.to_string()),
        }
    }

    async fn look(&self, act: AlertmanagerAct) -> Verification {
        self.executor().verify(&confirmed(act)).await.expect("a look")
    }

    /// The bodies of the requests that begin so.
    fn sent(&self, begin: &str) -> Vec<String> {
        let asked = self.asked.lock().expect("whole");
        asked.iter().filter(|(request, _)| request.starts_with(begin)).map(|(_, body)| body.clone()).collect()
    }
}

async fn request(stream: &mut TcpStream) -> (String, String) {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        all.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return (String::new(), String::new());
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if read == 0 || body.len() >= length.unwrap_or(0) {
            let words: Vec<&str> = head.split(' ').take(2).collect();
            return (words.join(" "), body.to_owned());
        }
    }
}

fn confirmed(act: AlertmanagerAct) -> Confirmed<Action> {
    Confirmed::by_a_person(Action::Alertmanager { target: TargetId::new("am"), act })
}

fn silence() -> AlertmanagerAct {
    AlertmanagerAct::Silence {
        matchers: vec![Matcher::is("alertname", "Full")],
        end: End::After(Duration::from_secs(3600)),
        author: "ana".to_owned(),
        comment: "a deploy".to_owned(),
        quiet: vec!["f1".to_owned()],
    }
}

fn seen() -> SeenSilence {
    let ends_at = "2026-09-21T15:00:00.678Z".to_owned();
    SeenSilence { id: "s1".to_owned(), ends_at, comment: "a deploy".to_owned() }
}

/// A silence as the server has it.
fn held(state: &str) -> Value {
    json!({
        "id": "s1", "status": {"state": state}, "createdBy": "ana", "comment": "a deploy",
        "startsAt": "2026-09-21T14:00:00.123Z", "endsAt": "2026-09-21T15:00:00.678Z", "updatedAt": "2026-09-21T14:00:00.123Z",
        "matchers": [{"name": "alertname", "value": "Full", "isRegex": false, "isEqual": true}],
        "annotations": {"ticket": "7"},
    })
}

const LIST: &str = "GET /api/v2/silences";
const ONE: &str = "GET /api/v2/silence/s1";
const POST: &str = "POST /api/v2/silences";
const DELETE: &str = "DELETE /api/v2/silence/s1";

#[tokio::test]
async fn a_silence_is_made_by_the_clock_of_its_server() {
    let fake = Fake::start(true, |request, _| match request {
        LIST => Some((200, json!([]))),
        POST => Some((200, json!({"silenceID": "s1"}))),
        _ => None,
    })
    .await;
    let (verdict, words) = fake.act(silence()).await;
    assert_eq!(verdict, Some(Verdict::Done), "{words}");
    assert_eq!(words, "silence s1 until 2026-09-21T15:13:20.000Z: looking whether it holds");
    let sent: Value = serde_json::from_str(&fake.sent("POST")[0]).expect("JSON");
    let matchers = json!([{"name": "alertname", "value": "Full", "isRegex": false, "isEqual": true}]);
    assert_eq!(
        sent,
        json!({"matchers": matchers, "startsAt": "2026-09-21T14:13:20.000Z", "endsAt": "2026-09-21T15:13:20.000Z",
            "createdBy": "ana", "comment": "a deploy"})
    );
}

#[tokio::test]
async fn a_silence_whose_answer_was_lost_is_looked_for_and_not_made_twice() {
    let lost = |there: Value| {
        Fake::start(true, move |request, before| match request {
            LIST if before.iter().any(|(request, _)| request == POST) => Some((200, there.clone())),
            LIST => Some((200, json!([]))),
            _ => None,
        })
    };
    let fake = lost(json!([held("active")])).await;
    let (verdict, words) = fake.act(silence()).await;
    assert_eq!(verdict, Some(Verdict::Done), "{words}");
    assert!(words.starts_with("the answer was lost (") && words.contains("silence s1 is there"), "{words}");
    assert_eq!(fake.sent("POST").len(), 1);
    let fake = lost(json!([])).await;
    let (verdict, words) = fake.act(silence()).await;
    assert_eq!(verdict, None);
    assert!(words.starts_with("it is not known whether it was done: "), "{words}");
    assert_eq!(fake.sent("POST").len(), 1);
}

#[tokio::test]
async fn the_same_silence_is_not_made_beside_another_one() {
    let fake =
        Fake::start(true, |request, _| (request == LIST).then(|| (200, json!([held("active")])))).await;
    let (verdict, words) = fake.act(silence()).await;
    assert_eq!(verdict, Some(Verdict::Nothing));
    assert_eq!(
        words,
        "ana silences the same until 2026-09-21T15:00:00.678Z: nothing was made, extend that one"
    );
    assert_eq!(fake.sent("POST").len(), 0);
}

/// What is said when the server answers a new silence so.
async fn refused(status: u16, body: Value) -> String {
    let fake = Fake::start(true, move |request, _| match request {
        LIST => Some((200, json!([]))),
        _ => Some((status, body.clone())),
    })
    .await;
    let (verdict, words) = fake.act(silence()).await;
    assert_eq!((verdict, fake.sent("POST").len()), (None, 1), "{words}");
    words.replace(&fake.url, "URL").replace(fake.url.trim_start_matches("http://"), "URL")
}

#[tokio::test]
async fn a_refusal_has_the_words_of_the_server() {
    let said = refused(400, json!("bad matcher format: a-b")).await;
    assert_eq!(said, "not done: the Alertmanager refuses it (400): bad matcher format: a-b");
    let said = refused(422, json!({"code": 602, "message": "comment in body is required"})).await;
    assert_eq!(said, "not done: the Alertmanager refuses it (422): comment in body is required");
    assert!(
        refused(403, json!("no")).await.contains("does not permit this user to change silences (403): no")
    );
    assert!(refused(401, json!("no")).await.contains("wants credentials (401)"));
    assert!(refused(405, json!("")).await.contains("takes no changes here (405)"));
    assert_eq!(refused(404, json!("")).await, "not done: the server has no silences at this address (404)");
    // A proxy that gives up on a server that may go on.
    assert!(refused(504, json!("")).await.starts_with("it is not known whether it was done: "));
}

#[tokio::test]
async fn without_a_clock_of_the_server_only_a_moment_is_an_end() {
    let fake = || {
        Fake::start(false, |request, _| match request {
            LIST => Some((200, json!([]))),
            _ => Some((200, json!({"silenceID": "s1"}))),
        })
    };
    let (_, words) = fake().await.act(silence()).await;
    assert!(words.contains("does not say what time it is"), "{words}");
    let AlertmanagerAct::Silence { matchers, author, comment, quiet, .. } = silence() else { panic!() };
    let at = End::At("2026-09-21T15:00:00Z".parse().expect("a time"));
    let act = AlertmanagerAct::Silence { matchers, end: at, author, comment, quiet };
    assert_eq!(fake().await.act(act).await.0, Some(Verdict::Done));
}

#[tokio::test]
async fn an_extension_leaves_everything_else_as_it_is() {
    let fake = Fake::start(true, |request, _| match request {
        ONE => Some((200, held("active"))),
        POST => Some((200, json!({"silenceID": "s1"}))),
        _ => None,
    })
    .await;
    let end = End::After(Duration::from_secs(1800));
    let (verdict, words) = fake.act(AlertmanagerAct::Extend { silence: seen(), end }).await;
    assert_eq!(
        (verdict, words.as_str()),
        (Some(Verdict::Done), "silence s1 ends 2026-09-21T15:30:00.678Z now")
    );
    let sent: Value = serde_json::from_str(&fake.sent("POST")[0]).expect("JSON");
    let mut expected = held("active");
    let fields = expected.as_object_mut().expect("fields");
    fields.remove("status");
    fields.remove("updatedAt");
    fields.insert("endsAt".to_owned(), json!("2026-09-21T15:30:00.678Z"));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn what_is_not_as_it_was_seen_is_left_alone() {
    let acts = || {
        let end = End::After(Duration::from_secs(1800));
        [
            AlertmanagerAct::Extend { silence: seen(), end },
            AlertmanagerAct::Expire { silence: seen(), quiet: Vec::new() },
        ]
    };
    let mut longer = held("active");
    longer["endsAt"] = json!("2026-09-21T18:00:00.000Z");
    longer["createdBy"] = json!("ben");
    let mut why = held("active");
    why["comment"] = json!("another one");
    for (status, there, said) in [
        (200, longer, "was changed meanwhile: it is ben's and ends 2026-09-21T18:00:00.000Z"),
        (200, why, "\"another one\"; nothing was done, look again"),
        (200, held("expired"), "is over already, since"),
        (404, json!(""), "silence s1 is gone: nothing was done"),
    ] {
        for act in acts() {
            let there = there.clone();
            let fake =
                Fake::start(true, move |request, _| (request == ONE).then(|| (status, there.clone()))).await;
            let (verdict, words) = fake.act(act).await;
            assert_eq!(verdict, Some(Verdict::Nothing), "{words}");
            assert!(words.contains(said), "{words}");
            assert!(fake.sent("POST").is_empty() && fake.sent("DELETE").is_empty());
        }
    }
}

#[tokio::test]
async fn an_end_whose_answer_was_lost_is_looked_for() {
    let after = |over: bool| {
        Fake::start(true, move |request, before| match request {
            ONE if over && before.iter().any(|(request, _)| request == DELETE) => {
                Some((200, held("expired")))
            }
            ONE => Some((200, held("active"))),
            _ => None,
        })
    };
    let act = || AlertmanagerAct::Expire { silence: seen(), quiet: Vec::new() };
    let fake = after(true).await;
    let (verdict, words) = fake.act(act()).await;
    assert!(verdict == Some(Verdict::Done) && words.contains("but silence s1 is over"), "{words}");
    let fake = after(false).await;
    let (verdict, words) = fake.act(act()).await;
    assert!(verdict.is_none() && words.starts_with("it is not known"), "{words}");
    assert_eq!(fake.sent("DELETE").len(), 1);
}

#[tokio::test]
async fn a_member_that_has_not_heard_of_it_yet_is_no_failure() {
    let fake = Fake::start(true, |request, _| match request {
        ONE => Some((200, held("active"))),
        _ => Some((200, json!([]))),
    })
    .await;
    let found = fake.look(silence()).await;
    assert!(!found.settled && found.sentence.contains("another member of a cluster"), "{}", found.sentence);
    let found = fake.look(AlertmanagerAct::Expire { silence: seen(), quiet: Vec::new() }).await;
    assert!(!found.settled && found.sentence.contains("still stands"), "{}", found.sentence);
    let end = End::After(Duration::from_secs(1800));
    let found = fake.look(AlertmanagerAct::Extend { silence: seen(), end }).await;
    assert!(!found.settled && found.sentence.contains("as before"), "{}", found.sentence);
}

#[tokio::test]
async fn what_is_no_alertmanager_is_changed_in_nothing() {
    // vmalert and a Prometheus have rules and alerts, and no silences.
    let fake = Fake::start(true, |_, _| Some((404, json!("")))).await;
    let (verdict, words) = fake.act(silence()).await;
    assert!(verdict.is_none() && words.contains("does not know this path (404)"), "{words}");
    assert_eq!(fake.sent("POST").len(), 0);
    let page = Fake::start(true, |_, _| Some((200, json!({"status": "success"})))).await;
    let (verdict, words) = page.act(silence()).await;
    assert!(verdict.is_none() && words.contains("not as an Alertmanager does"), "{words}");
}

/// What a poll of such a server says, and what would mend it.
async fn polled(status: u16, body: Value) -> String {
    let fake = Fake::start(true, move |_, _| Some((status, body.clone()))).await;
    let target = TargetConfig {
        group: None,
        id: TargetId::new("am"),
        chosen_because: String::new(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        read_only: false,
        locality: Locality::default(),
        connect: Connect::Alertmanager(url::http_base(&fake.url).expect("a URL")),
    };
    let error = systems::open_source(&target).poll(Now::example(0), &[]).await.expect_err("it is refused");
    format!("{}; {}", error.message.replace(&fake.url, "URL"), error.remedy.unwrap_or_default())
}

/// Mimir and Cortex without a tenant, and without a configuration of it; vmalert, which has only rules.
#[tokio::test]
async fn what_speaks_nearly_the_same_is_told_with_what_would_mend_it() {
    let words = polled(401, json!("no org id")).await;
    assert!(words.ends_with("name the tenant: headers = { X-Scope-OrgID = \"…\" }"), "{words}");
    let words = polled(404, json!("the Alertmanager is not configured")).await;
    assert!(words.contains("(404): ") && words.contains("its tenant has no configuration"), "{words}");
    for (status, body) in
        [(400, "unsupported path requested: /api/v2/alerts/groups"), (404, "404 page not found")]
    {
        let words = polled(status, json!(body)).await;
        assert!(
            words.contains(body) && words.contains("vmalert, Thanos and Prometheus hold no silences"),
            "{words}"
        );
    }
}
