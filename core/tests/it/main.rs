//! Core through its public doors.

mod codes;
