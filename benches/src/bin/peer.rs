//! Our engine beside `rsigma` on the same rules and events: `peer PROGRAM RSIGMA RULES_DIR…`. First whether both find the
//! same, rule by rule, over events made of what the rules look for and over process creations; then how fast they are, and
//! what more rules cost. Both run as programs; loading is measured apart and taken off.
#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use benches::corpus::Random;
use benches::peer::{Bench, load, rule_files};
use benches::windows;

const SPEED_EVENTS: u64 = 200_000;
const AGREE_EVENTS: u64 = 20_000;
const EVENTS_FOR_EACH_RULE: u64 = 60;
/// Rules of the small set, when the cost of more rules is measured.
const FEW_RULES: usize = 100;
/// What the process creations are. Our program tells it from their channel; `rsigma` is told.
const ROUTING: [&str; 3] =
    ["--logsource-routing", "--event-logsource", "product=windows,service=sysmon,category=process_creation"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [program, peer, folders @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: peer PROGRAM RSIGMA RULES_DIR…");
    };
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| rule_files(folder, &mut files))?;
    let (loaded, files) = load(&files)?;
    let mut bench = Bench::new(program, peer)?;
    let rules = bench.copy("rules", &files)?;
    let titles: BTreeMap<String, String> =
        loaded.set.heads().map(|head| (head.id.clone(), head.title.clone())).collect();
    println!("{} rules in {} files", loaded.set.rules.len(), files.len());

    let mut random = Random::new(7);
    let crafted = loaded.set.rules.iter().flat_map(|rule| std::iter::repeat_n(rule, EVENTS_FOR_EACH_RULE as usize));
    let crafted: Vec<String> =
        crafted.enumerate().map(|(at, rule)| windows::for_rule(rule, &mut random, at as u64)).collect();
    println!("agreement over {} events made of what the rules look for, judged by all rules", crafted.len());
    let crafted = bench.write("crafted.json", crafted.into_iter())?;
    bench.agree(&rules, &crafted, "n", &titles)?;

    bench.peer_options = ROUTING.map(str::to_owned).to_vec();
    let mut events = (0..SPEED_EVENTS).map(|number| windows::process_creation(&mut random, number));
    let agree = bench.write("agree.json", events.by_ref().take(AGREE_EVENTS as usize))?;
    println!("agreement over {AGREE_EVENTS} process creations, judged by the rules for them");
    bench.agree(&rules, &agree, "EventRecordID", &titles)?;
    let few: Vec<PathBuf> = files.iter().step_by(files.len().div_ceil(FEW_RULES)).cloned().collect();
    let few = (bench.copy("few", &few)?, few.len());
    speed(&mut bench, &rules, &few, &mut random)
}

fn speed(bench: &mut Bench, rules: &Path, few: &(PathBuf, usize), random: &mut Random) -> anyhow::Result<()> {
    let events =
        bench.write("speed.json", (0..SPEED_EVENTS).map(|number| windows::process_creation(random, number)))?;
    let one = bench.write("one.json", std::iter::once(windows::process_creation(random, 0)))?;
    // Without their channel nothing tells what they are: every rule judges them.
    let unnamed = |line: String| line.replacen("\"Channel\"", "\"Chan\"", 1);
    let plain =
        bench.write("plain.json", (0..SPEED_EVENTS).map(|at| unnamed(windows::process_creation(random, at))))?;
    let plain_one = bench.write("plain_one.json", std::iter::once(unnamed(windows::process_creation(random, 0))))?;
    let size = fs::metadata(&events)?.len() / SPEED_EVENTS;
    let rate = |seconds: f64| SPEED_EVENTS as f64 / seconds;
    println!("speed over {SPEED_EVENTS} process creations of {size} bytes, one thread, loading taken off:");
    let cases = [("the rules for them", &events, &one, &ROUTING[..]), ("all rules", &plain, &plain_one, &[])];
    for (judges, events, one, options) in cases {
        bench.peer_options = options.iter().map(|option| (*option).to_owned()).collect();
        let (ours, load) = Bench::net_seconds(|events| bench.ours(rules, events, "json"), events, one)?;
        let (theirs, their_load) = Bench::net_seconds(|events| bench.theirs(rules, events), events, one)?;
        println!(
            "  judged by {judges}: ours {:.0} events/s (loading {load:.2} s), rsigma {:.0} (loading {their_load:.2} s): {:.1} times (target 5)",
            rate(ours),
            rate(theirs),
            theirs / ours
        );
        let (ours_few, _) = Bench::net_seconds(|events| bench.ours(&few.0, events, "json"), events, one)?;
        let (theirs_few, _) = Bench::net_seconds(|events| bench.theirs(&few.0, events), events, one)?;
        println!(
            "    with {} rules: ours {:.0} events/s, rsigma {:.0}; all rules keep {:.0} % of it (target 50), rsigma's {:.0} %",
            few.1,
            rate(ours_few),
            rate(theirs_few),
            100.0 * ours_few / ours,
            100.0 * theirs_few / theirs
        );
    }
    Ok(())
}
