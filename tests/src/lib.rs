//! The kit that journeys share.
