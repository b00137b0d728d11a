//! Acts on clusters that the real builds at hand lack or cannot be brought to: lifecycles of both products, refusals, lost answers.
//! The shapes are those of the products' own documentation and source.

use crate::http::http;
use serde_json::{Value, json};
use stacktop::actions::Executor;
use stacktop::actions::search::SearchExecutor;
use stacktop::actions::stop::Stops;
use stacktop::config::target::HttpAuth;
use stacktop::core::action::{Action, ActionError, Confirmed, Outcome, Verdict};
use stacktop::core::ids::TargetId;
use stacktop::core::search::{IndexId, Keeper, SearchAction};
use stacktop::sources;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn index() -> IndexId {
    IndexId { name: "logs".to_owned(), uuid: "u1".to_owned() }
}

fn retry(keeper: Keeper) -> SearchAction {
    SearchAction::RetryStep { index: index(), step: "shrink".to_owned(), keeper }
}

/// A cluster that answers a request with this; what it does not know is not there.
struct Fake(MockServer);

impl Fake {
    /// One in which the index is what was seen.
    async fn new() -> Self {
        sources::tls::install_provider();
        let fake = Self(MockServer::start().await);
        let settings = json!({"logs": {"settings": {"index.uuid": "u1", "index.number_of_replicas": "2"}}});
        let names = "index.uuid,index.blocks.read_only_allow_delete,index.number_of_replicas,index.auto_expand_replicas";
        fake.says("GET", &format!("/logs/_settings/{names}"), 200, settings).await
    }

    async fn says(self, verb: &str, at: &str, status: u16, body: Value) -> Self {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.0).await;
        self
    }

    fn executor(&self) -> SearchExecutor {
        SearchExecutor::new(http(&self.0, HttpAuth::None))
    }

    async fn act(&self, act: SearchAction) -> Result<Outcome, ActionError> {
        let action = Action::Search { target: TargetId::new("es"), act };
        self.executor().execute(&Confirmed::by_a_person(action), &Stops::default().begin()).await
    }

    async fn look(&self, act: SearchAction) -> (bool, String) {
        let action = Action::Search { target: TargetId::new("es"), act };
        let found = self.executor().verify(&Confirmed::by_a_person(action)).await.expect("a look");
        (found.settled, found.sentence)
    }

    /// The requests that change something.
    async fn changes(&self) -> Vec<String> {
        let all = self.0.received_requests().await.expect("they are kept");
        let changing = all.iter().filter(|request| request.method != "GET");
        changing.map(|request| format!("{} {}", request.method, request.url.path())).collect()
    }
}

fn ilm(step: &str, failed: &str) -> Value {
    json!({"indices": {"logs": {"index": "logs", "managed": true, "policy": "hot", "phase": "warm", "action": "shrink",
        "step": step, "failed_step": failed, "step_info": {"type": "illegal_argument_exception", "reason": "no node"}}}})
}

fn ism(failed: bool) -> Value {
    json!({"logs": {"index.plugins.index_state_management.policy_id": "hot", "index": "logs", "index_uuid": "u1",
        "policy_id": "hot", "state": {"name": "warm"}, "action": {"name": "shrink", "failed": failed, "consumed_retries": 3},
        "retry_info": {"failed": failed, "consumed_retries": 3}, "info": {"message": "no node"}}, "total_managed_indices": 1})
}

#[tokio::test]
async fn a_step_of_elasticsearch_is_retried_while_it_stands_there() {
    let fake = Fake::new().await.says("GET", "/logs/_ilm/explain", 200, ilm("ERROR", "shrink")).await;
    let fake = fake.says("POST", "/logs/_ilm/retry", 200, json!({"acknowledged": true})).await;
    let outcome = fake.act(retry(Keeper::Ilm)).await.expect("an outcome");
    assert_eq!((outcome.verdict, outcome.summary.as_str()), (Verdict::Done, "logs: the step is tried again"));
    assert_eq!(fake.changes().await, ["POST /logs/_ilm/retry"]);
    assert_eq!(
        fake.look(retry(Keeper::Ilm)).await,
        (false, "logs stands at shrink: it failed again, or was not tried yet".to_owned())
    );
}

#[tokio::test]
async fn a_step_that_moved_on_is_not_retried() {
    for (step, failed, words) in [
        ("ERROR", "rollover", "logs stands at rollover by now: nothing was done"),
        ("check-shrink-ready", "", "logs does not stand at a failed step any more: nothing was done"),
    ] {
        let fake = Fake::new().await.says("GET", "/logs/_ilm/explain", 200, ilm(step, failed)).await;
        let outcome = fake.act(retry(Keeper::Ilm)).await.expect("an outcome");
        assert_eq!((outcome.verdict, outcome.summary.as_str()), (Verdict::Nothing, words));
        assert_eq!(fake.changes().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_step_of_open_search_is_retried_and_its_refusal_is_told() {
    let retried = |failures: bool| {
        let why = json!([{"index_name": "logs", "index_uuid": "u1", "reason": "This index is not in failed state."}]);
        json!({"updated_indices": u8::from(!failures), "failures": failures, "failed_indices": if failures { why } else { json!([]) }})
    };
    let fake = |failures| async move {
        let fake = Fake::new().await.says("GET", "/_plugins/_ism/explain/logs", 200, ism(true)).await;
        fake.says("POST", "/_plugins/_ism/retry/logs", 200, retried(failures)).await
    };
    let outcome = fake(false).await.act(retry(Keeper::Ism)).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    let outcome = fake(true).await.act(retry(Keeper::Ism)).await.expect("an outcome");
    let words = "logs: the retry was refused: This index is not in failed state.";
    assert_eq!((outcome.verdict, outcome.summary.as_str()), (Verdict::Nothing, words));
    let gone = Fake::new().await.says("GET", "/_plugins/_ism/explain/logs", 200, ism(false)).await;
    assert_eq!(
        gone.look(retry(Keeper::Ism)).await,
        (true, "logs does not stand at a failed step any more".to_owned())
    );
}

fn fewer() -> SearchAction {
    SearchAction::Replicas { index: index(), from: 2, to: 1 }
}

/// What it means that the server answers so.
#[track_caller]
fn told(error: &ActionError, unknown: bool, words: &str) {
    let is_unknown = matches!(error, ActionError::Unknown(_));
    assert!(is_unknown == unknown && error.to_string().contains(words), "{error:?}");
}

#[tokio::test]
async fn a_missing_right_is_named_and_a_lost_answer_is_not_known() {
    let error = |kind: &str| json!({"error": {"type": kind, "reason": "no"}, "status": 1});
    for (status, kind, unknown, words) in [
        (403, "security_exception", false, "it takes the index privilege `manage`"),
        (403, "cluster_block_exception", false, "the cluster itself is blocked"),
        (400, "illegal_argument_exception", false, "illegal_argument_exception"),
        (429, "cluster_block_exception", false, "cluster_block_exception"),
        (503, "process_cluster_event_timeout_exception", false, "process_cluster_event_timeout"),
        (503, "unavailable", true, "unavailable"),
        (500, "odd", true, "odd"),
    ] {
        let fake = Fake::new().await.says("PUT", "/logs/_settings", status, error(kind)).await;
        told(&fake.act(fewer()).await.expect_err("refused"), unknown, words);
        assert_eq!(fake.changes().await, ["PUT /logs/_settings"], "sent once");
    }
}

#[tokio::test]
async fn another_index_of_that_name_is_left_alone() {
    let fake = Fake::new().await;
    let other = IndexId { uuid: "u2".to_owned(), ..index() };
    let outcome =
        fake.act(SearchAction::Replicas { index: other, from: 2, to: 1 }).await.expect("an outcome");
    assert_eq!(outcome.summary, "index logs is gone, or another one has its name: nothing was done");
    assert_eq!(fake.changes().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_alias_that_takes_the_name_of_an_index_meanwhile_is_told() {
    sources::tls::install_provider();
    let fake = Fake(MockServer::start().await);
    let settings = |name: &str, uuid: &str| json!({name: {"settings": {"index.uuid": uuid, "index.number_of_replicas": "2"}}});
    let one = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    let names =
        "index.uuid,index.blocks.read_only_allow_delete,index.number_of_replicas,index.auto_expand_replicas";
    let at = format!("/logs/_settings/{names}");
    let first = Mock::given(method("GET")).and(path(&at)).respond_with(one(settings("logs", "u1")));
    first.up_to_n_times(1).mount(&fake.0).await;
    Mock::given(method("GET"))
        .and(path(&at))
        .respond_with(one(settings("logs-2", "u2")))
        .mount(&fake.0)
        .await;
    let fake = fake.says("PUT", "/logs/_settings", 200, json!({"acknowledged": true})).await;
    let words = "index logs was removed meanwhile, or another one has its name";
    told(&fake.act(fewer()).await.expect_err("not known"), true, words);
    assert_eq!(fake.changes().await, ["PUT /logs/_settings"]);
}

#[tokio::test]
async fn what_cannot_be_looked_at_before_is_not_done() {
    sources::tls::install_provider();
    let fake = Fake(MockServer::start().await);
    Mock::given(any()).respond_with(ResponseTemplate::new(403)).mount(&fake.0).await;
    told(&fake.act(fewer()).await.expect_err("refused"), false, "403");
    assert_eq!(fake.changes().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_act_on_another_system_is_refused() {
    let fake = Fake::new().await;
    let act = stacktop::core::redis::RedisAction::Pause {
        queue: stacktop::core::redis::QueueRef { prefix: "bull".to_owned(), name: "mails".to_owned() },
    };
    let action = Action::Redis { target: TargetId::new("es"), act };
    let refused = fake.executor().execute(&Confirmed::by_a_person(action), &Stops::default().begin()).await;
    assert!(matches!(refused, Err(ActionError::Refused(_))), "{refused:?}");
}
