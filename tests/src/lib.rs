//! The program as a whole: the tests of this member start it as a process and talk to it as a user would.
