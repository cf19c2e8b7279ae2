//! Core through its public doors.
