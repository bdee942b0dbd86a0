//! One deed is one finding: rules that match one line are named in the finding of the strongest, and find it.

use serde_json::Value;

use crate::program::{Run, Sandbox};
use crate::service::Service;

/// A request that is an injection of SQL, by a tool that says its name; then the tool alone.
const LOG: &str = "\
198.51.100.77 - - [23/Nov/2026:10:00:00 +0000] \"GET /shop?id=7%27%20UNION%20SELECT%20name,pass%20FROM%20accounts--%20- HTTP/1.1\" 200 512 \"-\" \"sqlmap/1.8 (https://sqlmap.org)\"
198.51.100.78 - - [23/Nov/2026:10:00:01 +0000] \"GET /shop?id=7 HTTP/1.1\" 200 512 \"-\" \"sqlmap/1.8 (https://sqlmap.org)\"
";
const TOOL: &str = "Attack tool by its user agent";
const INJECTION: &str = "SQL injection in a request";

fn about<'a>(findings: &'a [Value], address: &str) -> Vec<&'a Value> {
    findings.iter().filter(|finding| finding["entities"]["source.ip"][0] == address).collect()
}

/// Titles that a finding names beside its own, with their events.
fn also(finding: &Value) -> Vec<(String, u64)> {
    let others = finding["also"].as_array().cloned().unwrap_or_default();
    others
        .iter()
        .map(|other| (other["rule.title"].as_str().unwrap().to_owned(), other["count"].as_u64().unwrap()))
        .collect()
}

fn out(run: &Run) -> &str {
    assert_eq!(run.code, Some(0), "{}", run.err);
    &run.out
}

#[test]
fn a_line_that_two_rules_match_is_one_finding_which_both_rules_find() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("access.log", LOG);
    let run = sandbox.run(&["replay", "--store", "sqlite:x.db", &path]);
    out(&run);
    let printed = run.lines();
    let [both] = about(&printed, "198.51.100.77")[..] else { panic!("{printed:?}") };
    assert_eq!((both["rule.title"].as_str(), also(both)), (Some(INJECTION), vec![(TOOL.to_owned(), 1)]));
    assert!(both["reason"].as_str().unwrap().contains(&format!("; also: {TOOL} (1)")), "{both}");
    let [tool] = about(&printed, "198.51.100.78")[..] else { panic!("{printed:?}") };
    assert_eq!(
        (tool["rule.title"].as_str(), tool.get("also")),
        (Some(TOOL), None),
        "it leads where nobody is stronger"
    );

    let table = sandbox.run(&["replay", "--store", "none", "--out", "table", &path]);
    assert!(out(&table).contains(&format!("{INJECTION} + {TOOL}")), "{}", table.out);
    let report = sandbox.run(&["replay", "--store", "none", "--out", "report", &path]);
    assert!(out(&report).contains(&format!("also      {TOOL} (1)")), "{}", report.out);

    let service = Service::start(&sandbox, "sqlite:x.db");
    let of_rule = |rule: &str| -> Vec<Value> {
        let page = service.get_json(&format!("/api/v1/findings?rule={}", rule.replace(' ', "%20")));
        page["data"].as_array().unwrap().clone()
    };
    let tool_id = tool["rule.id"].as_str().unwrap();
    for rule in [TOOL, tool_id] {
        let found = of_rule(rule);
        assert_eq!(found.len(), 2, "{rule}: {found:?}");
        let [named] = about(&found, "198.51.100.77")[..] else { panic!("{found:?}") };
        assert_eq!((named["rule.title"].as_str(), also(named)), (Some(INJECTION), vec![(TOOL.to_owned(), 1)]));
    }
    assert_eq!(of_rule(INJECTION).len(), 1);
    let entity = service.get_json("/api/v1/entities/source.ip/198.51.100.77");
    let rules: Vec<_> = entity["rules"].as_array().unwrap().iter().map(|rule| rule["rule.title"].clone()).collect();
    assert!(rules.contains(&TOOL.into()) && rules.contains(&INJECTION.into()), "{rules:?}");
    let mut check = sandbox.command(&["db", "check"]);
    let checked = crate::program::finish({
        check.env("C0DI3_STORE_URL", "sqlite:x.db");
        check
    });
    assert!(out(&checked).contains("\"problems\":0"), "{}", checked.out);
}
