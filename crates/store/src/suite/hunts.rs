//! Runs of scheduled hunts.

use super::*;
use crate::hunts::{HuntClaim, HuntDone};

pub(super) async fn one_of_several_takes_a_run_and_a_failed_one_is_done_again(url: &str) {
    let store = store(url).await;
    let claim = |by: &str, now: i64| HuntClaim {
        id: "h".to_owned(),
        by: by.to_owned(),
        first: Timestamp(100),
        due: Timestamp(now - 50),
        now: Timestamp(now),
        held_until: Timestamp(now + 30),
    };
    let done = |by: &str, until: i64, failed: Option<(&str, i64)>| HuntDone {
        id: "h".to_owned(),
        by: by.to_owned(),
        until: Timestamp(until),
        at: Timestamp(until),
        took_us: 7,
        rows: 3,
        findings: u64::from(failed.is_none()),
        failed: failed.map(|(reason, again)| (reason.to_owned(), Timestamp(again))),
    };
    assert_eq!(store.claim_hunt(&claim("a", 149)).await.unwrap(), None, "it is not due");
    assert_eq!(store.claim_hunt(&claim("a", 150)).await.unwrap(), Some(Timestamp(100)));
    assert_eq!(store.claim_hunt(&claim("b", 151)).await.unwrap(), None, "somebody has it");
    assert_eq!(store.claim_hunt(&claim("b", 181)).await.unwrap(), Some(Timestamp(100)), "whoever had it is gone");
    assert!(!store.hunt_done(&done("a", 150, None)).await.unwrap(), "it is another's by now");
    assert!(store.hunt_done(&done("b", 150, Some(("away", 200)))).await.unwrap());
    assert_eq!(store.claim_hunt(&claim("a", 199)).await.unwrap(), None, "it is not tried again at once");
    assert_eq!(store.claim_hunt(&claim("a", 200)).await.unwrap(), Some(Timestamp(100)), "nothing was looked at");
    assert!(store.hunt_done(&done("a", 150, None)).await.unwrap());
    assert_eq!(
        store.claim_hunt(&claim("a", 200)).await.unwrap(),
        Some(Timestamp(150)),
        "the next begins where it ended"
    );
    let states = store.hunt_states().await.unwrap();
    let state = &states[0];
    assert_eq!((state.until, state.runs, state.failures, state.findings), (Timestamp(150), 1, 1, 1));
    assert_eq!((states.len(), state.last_rows, state.last_error.as_str()), (1, 3, ""));
}
