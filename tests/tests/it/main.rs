//! The program from outside: command line, replay, service. Everything runs in temporary folders and on free ports.

mod bad_input;
mod command_line;
mod kill;
mod program;
mod replay;
mod service;
