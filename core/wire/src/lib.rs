//! The types that travel between the Countersign app and its server, by version of the protocol.
