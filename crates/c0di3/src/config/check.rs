//! From settings as written to settings as meant. A wrong one is reported with its key, and the reading goes on.

use std::sync::Arc;
use std::time::Duration;

use archive::{Hiding, PlaceSettings, Privacy, PrivateField};
use event::{Severity, Thresholds};

use super::analyzer::check_analyzer;
use super::file::{
    AgentSections, ArchiveSection, ConfigFile, FormatEntry, HealthSection, InputSection, JudgingSections,
    WebhooksSection,
};
use super::meant::{
    AccessConfig, AgentConfig, ArchiveConfig, Config, CorrelationConfig, DiskLimits, InputConfig, LogConfig,
    NotifyConfig, RulesConfig, StoreConfig,
};
use super::problems::Problems;
use super::tls::check_tls;
use super::traces::check_traces;
use super::value::{check_store_url, filled, filled_path};

/// Every setting, or everything that is wrong.
pub(super) fn check(file: ConfigFile) -> Result<Config, Vec<String>> {
    let mut problems = Problems::default();
    let ConfigFile { sources, judging, keeping, agent } = &file;
    let lateness_us = problems.span("correlation.lateness", &judging.correlation.lateness);
    let fold_gap_us = problems.span("correlation.fold_gap", &judging.correlation.fold_gap);
    let listen = problems.address("api.listen", &agent.api.listen);
    let health_listen = problems.address("api.health_listen", &agent.api.health_listen);
    problems.check("input.timezone", parse::Clock::new(&sources.input.timezone, None));
    problems.check("store.url", check_store_url(&keeping.store.url));
    check_cache(&keeping.cache.url, &mut problems);
    if judging.correlation.groups_max == 0 {
        problems.keep("correlation.groups_max", "must be above 0");
    }
    let archive = check_archive(&keeping.archive, &mut problems);
    let analyzer = check_analyzer(sources, &mut problems);
    let join = check_join(&file, &mut problems);
    let settle_us = problems.span("notify.settle", &agent.notify.settle);
    let endpoints = check_endpoints(&agent.webhooks, &mut problems);
    let llm = check_llm(agent, &mut problems);
    let token_memory = problems.duration("auth.memory", &agent.auth.memory);
    let rules = check_rules(&file, &mut problems);
    let thresholds = check_thresholds(judging, &mut problems);
    let assets = check_assets(judging, &mut problems);
    let input = check_input(&file, &mut problems);
    let log = check_log(agent, &mut problems);
    let disk = check_disk(&agent.health, &mut problems);
    let tls = check_tls(&file, &mut problems);
    let proxies = agent.api.trusted_proxies.iter();
    let trusted_proxies =
        proxies.filter_map(|network| problems.check("api.trusted_proxies", network.parse())).collect();
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let commit_interval = Duration::from_millis(keeping.store.commit_interval_ms);
    let (groups_max, tokens) = (judging.correlation.groups_max, agent.auth.tokens);
    let analyzer_url = filled(agent.agent.analyzer_url.trim_end_matches('/'));
    let analyzer_ca = filled_path(&agent.agent.analyzer_ca);
    let ours = tls.files.iter().map(|files| files.certificate.clone());
    let certificates = ours.chain(agent.health.certificates.clone()).collect();
    let (cache_url, link) = (filled(&keeping.cache.url), filled(agent.notify.link.trim_end_matches('/')));
    Ok(Config {
        store: StoreConfig { url: keeping.store.url.clone(), commit_interval, join, archive },
        input,
        rules,
        correlation: CorrelationConfig { lateness_us, fold_gap_us, groups_max, thresholds, assets },
        analyzer,
        agent: AgentConfig { listen, health_listen, analyzer_url, analyzer_ca, cache_url, llm, certificates },
        notify: NotifyConfig { link, settle_us, endpoints },
        access: AccessConfig { tokens, token_memory, trusted_proxies, tls },
        disk,
        log,
        path: None,
        file,
    })
}

fn check_archive(section: &ArchiveSection, problems: &mut Problems) -> ArchiveConfig {
    let age_max_us = problems.span("archive.age_max", &section.age_max);
    if section.bytes_max == 0 || age_max_us == 0 {
        problems.keep("archive.bytes_max, archive.age_max", "must be above 0; an empty archive.folder keeps no events");
    }
    let reached = PlaceSettings {
        folder: String::new(),
        endpoint: section.endpoint.clone(),
        region: section.region.clone(),
        access_key_id: section.access_key_id.clone(),
        secret_access_key: section.secret_access_key.clone(),
        session_token: section.session_token.clone(),
        allow_http: section.allow_http,
        ca_file: section.ca_file.clone(),
    };
    let place = filled(&section.folder).map(|folder| reached.at(&folder));
    problems.check("archive.folder", place.as_ref().map_or(Ok(()), PlaceSettings::check));
    let privacy = check_privacy(section, problems);
    ArchiveConfig { place, reached, hunts: section.hunts.clone(), privacy, bytes_max: section.bytes_max, age_max_us }
}

fn check_privacy(section: &ArchiveSection, problems: &mut Problems) -> Privacy {
    let mut fields = Vec::new();
    for entry in &section.private_fields {
        let how = match entry.how.as_str() {
            "drop" => Hiding::Drop,
            "hash" => Hiding::Hash,
            other => {
                problems.keep("archive.private_fields", format!("`{other}` is not one of drop, hash"));
                continue;
            }
        };
        let dataset = filled(&entry.dataset).filter(|dataset| dataset != "*");
        fields.push(PrivateField { dataset, field: entry.field.clone(), how });
    }
    let privacy = Privacy::new(&section.secret_parameters, fields, &section.hash_key);
    problems.check("archive.private_fields", privacy).unwrap_or_default()
}

fn check_disk(health: &HealthSection, problems: &mut Problems) -> DiskLimits {
    let HealthSection { disk_warn_percent: warn, disk_fail_percent: fail, .. } = *health;
    if !(0 < warn && warn <= fail && fail <= 100) {
        let reason = "must be whole shares in percent, from 1 to 100, the first no more than the second";
        problems.keep("health.disk_warn_percent, health.disk_fail_percent", reason);
    }
    DiskLimits { warn: f64::from(warn), fail: f64::from(fail) }
}

fn check_cache(url: &str, problems: &mut Problems) {
    if !url.is_empty() && !url.starts_with("redis://") {
        let shown = store::without_password(url);
        problems.keep("cache.url", format!("`{shown}` is no cache that this version knows: use redis://HOST:PORT/"));
    }
}

fn check_input(file: &ConfigFile, problems: &mut Problems) -> InputConfig {
    let (input, enrich) = (&file.sources.input, &file.sources.enrich);
    let internal = enrich.internal.iter();
    let proxies = input.trusted_proxies.iter();
    let formats = check_formats(input, problems);
    InputConfig {
        format: input.format.clone(),
        formats,
        trusted_proxies: proxies
            .filter_map(|network| problems.check("input.trusted_proxies", network.parse()))
            .collect(),
        timezone: input.timezone.clone(),
        shapes: input.shapes.clone(),
        country: enrich.country.clone(),
        network: enrich.network.clone(),
        agents: enrich.agents,
        internal: internal.filter_map(|network| problems.check("enrich.internal", network.parse())).collect(),
    }
}

/// The operator's own formats, and whether the one that is asked for is known.
fn check_formats(input: &InputSection, problems: &mut Problems) -> Arc<parse::UserFormats> {
    let definitions: Vec<_> = input.formats.iter().map(FormatEntry::definition).collect();
    let formats = parse::UserFormats::compile(&definitions).unwrap_or_else(|wrong| {
        for problem in &wrong {
            problems.keep("input.formats", problem);
        }
        parse::UserFormats::default()
    });
    // A format whose definition is wrong is told once.
    if !input.formats.iter().any(|format| format.name == input.format) {
        problems.check("input.format", parse::FormatChoice::named(&input.format, &formats));
    }
    Arc::new(formats)
}

fn check_rules(file: &ConfigFile, problems: &mut Problems) -> RulesConfig {
    let (rules, logsource) = (&file.judging.rules, &file.sources.input.logsource);
    if !(1..=patterns::PARANOIA_MAX).contains(&rules.paranoia) {
        problems.keep("rules.paranoia", format!("must be from 1 to {}", patterns::PARANOIA_MAX));
    }
    RulesConfig {
        paths: rules.paths.clone(),
        default: rules.default,
        placeholders: rules.placeholders.clone(),
        taxonomy: rules.taxonomy.clone(),
        exceptions: rules.exceptions.clone(),
        indicators: rules.indicators.clone(),
        paranoia: rules.paranoia,
        watch: problems.optional_duration("rules.watch", &rules.watch),
        logsource: filled(logsource).and_then(|text| problems.check("input.logsource", text.parse())),
    }
}

fn check_assets(judging: &JudgingSections, problems: &mut Problems) -> correlate::Assets {
    let most = correlate::ASSET_WEIGHT_MAX;
    let assets = &judging.score.assets;
    for entry in assets {
        if entry.host.is_empty() || !(-most..=most).contains(&entry.weight) {
            problems.keep("score.assets", format!("each needs a host, and a weight from -{most} to {most}"));
        }
    }
    correlate::Assets::new(assets.iter().map(|entry| (entry.host.as_str(), entry.weight)))
}

fn check_thresholds(judging: &JudgingSections, problems: &mut Problems) -> Thresholds {
    let score = &judging.score;
    let Thresholds { p0, p1, p2 } = Thresholds { p0: score.p0, p1: score.p1, p2: score.p2 };
    if p0 > 100 || p0 <= p1 || p1 <= p2 {
        problems.keep("score.p0, score.p1, score.p2", "must fall from at most 100");
    }
    Thresholds { p0, p1, p2 }
}

fn check_log(agent: &AgentSections, problems: &mut Problems) -> LogConfig {
    let log = &agent.log;
    let traces = check_traces(&agent.traces, problems);
    let level = log.level.parse().unwrap_or_else(|_| {
        problems.keep("log.level", format!("`{}` is not one of error, warn, info, debug, trace", log.level));
        tracing::Level::INFO
    });
    if !matches!(log.format.as_str(), "text" | "json") {
        problems.keep("log.format", format!("`{}` is not one of text, json", log.format));
    }
    let folder = Some(log.folder.clone()).filter(|folder| !folder.as_os_str().is_empty());
    let (rotate_bytes, rotate_files) = (log.rotate_bytes, log.rotate_files);
    let heap_profiles = log.heap_profiles;
    LogConfig {
        level,
        json: log.format == "json",
        folder,
        stderr: log.stderr,
        rotate_bytes,
        rotate_files,
        heap_profiles,
        traces,
    }
}

fn check_join(file: &ConfigFile, problems: &mut Problems) -> store::JoinPolicy {
    let incidents = &file.keeping.incidents;
    let gap_us = problems.span("incidents.gap", &incidents.gap);
    let opens_from = incidents.opens_from.parse().unwrap_or_else(|_| {
        problems.keep("incidents.opens_from", format!("`{}` is not one of P0, P1, P2, P3", incidents.opens_from));
        Severity::P2
    });
    let notify_age_us = Some(problems.span("notify.age", &file.agent.notify.age));
    store::JoinPolicy { gap_us, opens_from, notify_age_us }
}

fn check_llm(agent: &AgentSections, problems: &mut Problems) -> Option<notify::llm::LlmOptions> {
    let llm = &agent.llm;
    let timeout = problems.duration("llm.timeout", &llm.timeout);
    let url = filled(&llm.url)?;
    let (model, api_key, constrain) = (llm.model.clone(), filled(&llm.api_key).map(Into::into), llm.constrain);
    Some(notify::llm::LlmOptions { url, model, api_key, timeout, constrain })
}

fn check_endpoints(section: &WebhooksSection, problems: &mut Problems) -> Vec<notify::Endpoint> {
    let mut endpoints: Vec<notify::Endpoint> = Vec::new();
    for entry in &section.endpoints {
        let key = format!("webhooks.endpoints, {}", if entry.name.is_empty() { "(no name)" } else { &entry.name });
        if entry.name.is_empty() || endpoints.iter().any(|known| known.name == entry.name) {
            problems.keep(&key, "every receiver needs a name of its own");
        }
        let url = problems.check(&key, notify::endpoint::url(&entry.url, entry.allow_http));
        let format = problems.check(&key, entry.format.parse());
        let secrets = problems.check(&key, notify::endpoint::secrets(&entry.secret));
        let least = entry.severity.parse().map_err(|_| format!("`{}` is not one of P0, P1, P2, P3", entry.severity));
        let least = problems.check(&key, least);
        let allow: Vec<_> = entry.allow.iter().filter_map(|network| problems.check(&key, network.parse())).collect();
        if let (Some(url), Some(format), Some(secrets), Some(least)) = (url, format, secrets, least) {
            let (name, allow_http) = (entry.name.clone(), entry.allow_http);
            endpoints.push(notify::Endpoint { name, url, format, secrets, least, allow, allow_http });
        }
    }
    endpoints
}
