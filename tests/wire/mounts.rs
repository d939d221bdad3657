//! The sandbox mounted on wiremock: another server in front of the same
//! simulator, which keeps what came over the wire.

use std::collections::BTreeMap;

use planthread_kit::{Clock as _, SystemClock};
use planthread_support::OnWiremock;
use wiremock::{Mock, MockServer, matchers::any};

use crate::rig::{Rig, benches};

async fn mounted(faults: &[&str]) -> (MockServer, Rig) {
    let server = MockServer::start().await;
    let first = &benches()[0];
    let (simulator, watch) = Rig::sandbox(first, faults);
    let mount = OnWiremock::new(simulator.clone(), || SystemClock::new().now());
    Mock::given(any()).respond_with(mount).mount(&server).await;
    let rig = Rig::at(first, &server.uri(), simulator, watch);
    (server, rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_carries_its_token_and_a_transaction_is_committed_once() {
    let (server, rig) = mounted(&[]).await;
    let cells = rig.cells();
    rig.land(&cells, "wiremock").await;
    rig.assert_once(&cells, "wiremock");
    let mut commits = BTreeMap::<String, usize>::new();
    for request in server.received_requests().await.unwrap() {
        let headers = &request.headers;
        assert!(headers.contains_key("authorization"), "{}", request.url);
        if request.method == "POST" {
            assert!(headers.contains_key("x-csrf-token"), "{}", request.url);
            assert!(headers.contains_key("cookie"), "a token without its cookies is refused");
        }
        if request.url.path().ends_with("/commit") {
            *commits.entry(request.url.query().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(commits.len(), 1, "{commits:?}");
    assert!(commits.values().all(|times| *times == 1), "{commits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_stage_is_never_sent_again_into_its_transaction() {
    let (server, rig) = mounted(&["502-after:POST@2"]).await;
    let cells = rig.cells();
    rig.land(&cells, "a lost stage").await;
    rig.assert_once(&cells, "a lost stage");
    let mut bodies = BTreeMap::<Vec<u8>, usize>::new();
    let mut transactions = BTreeMap::<String, usize>::new();
    for request in server.received_requests().await.unwrap() {
        if request.url.path().ends_with("/PTDEMOTrans") {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let id = body["Transactionid"].as_str().unwrap().to_owned();
            *transactions.entry(id).or_default() += 1;
            *bodies.entry(request.body).or_default() += 1;
        }
    }
    assert_eq!(transactions.len(), 2, "the second attempt has its own: {transactions:?}");
    assert!(bodies.values().all(|times| *times == 1), "the same rows with the same id twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_waits_are_kept_on_this_server_too() {
    let (_server, rig) = mounted(&["429=1:POST@1", "503=1:getExportResult@1"]).await;
    let cells = rig.cells();
    rig.land(&cells, "busy").await;
    rig.assert_once(&cells, "busy");
}
