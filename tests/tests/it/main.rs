//! The program from outside: command line, replay, service. Everything runs in temporary folders and on free ports.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures of a run stand in its output")]

mod accounts;
mod archive;
mod backtests;
mod backup;
mod bad_input;
mod bucket;
mod clients;
mod command_line;
mod doctor;
mod embedded_upkeep;
mod ending;
mod formats;
mod frozen;
mod full_disk;
mod goes_on;
mod grpc;
mod guessing;
mod hunts;
mod indicators;
mod kafka_access;
mod kafka_kill;
mod kill;
mod late_store;
mod live_kill;
mod mission;
mod new_user;
mod node;
mod one_deed;
mod oracle;
mod otlp;
mod outage;
mod program;
mod pull;
mod push;
mod reading;
mod records;
mod reload;
mod relp;
mod replay;
mod runbook;
mod scheduled;
mod scram;
mod secrets;
mod service;
mod shipper;
mod signals;
mod tls;
mod traces;
mod upgrade;
mod watching;
mod wired;
