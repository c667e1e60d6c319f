//! The closed names of what servers do for a measurement: what was done, how, and what came of it. What they mean in full is in
//! [the page on measurements](../../../docs/methodology/perf.md).

kad::named! {
    /// How a server publishes and looks up.
    pub enum Strategy: serde {
        /// As a client of Amino does by default: a lookup, then all of the closest at once.
        Default = "default",
        /// Records are given out while the lookup goes on, to who is likely to be among the closest.
        OptProv = "optprov",
        /// Every peer is known by a crawl, so that the closest are asked without a lookup.
        FullRt = "fullrt",
        /// Keys are published region by region.
        Sweep = "sweep",
        /// An indexer is told, and asked.
        Indexer = "indexer",
    }
}

kad::named! {
    /// Which connections a server has when an operation begins.
    pub enum ConnectionPolicy: serde {
        /// Connections and table as they are.
        Warm = "warm",
        /// All connections were closed; the table was kept.
        Cold = "cold",
        /// None: a peer that is new for each operation.
        Fresh = "fresh",
    }
}

kad::named! {
    /// What a server was to do.
    pub enum OperationKind: serde {
        /// Publish a record.
        Provide = "provide",
        /// Find who provides what was published.
        Retrieve = "retrieve",
        /// Find who provides what nobody does.
        Negative = "negative",
        /// Find what is being published, again and again until it is found.
        Findable = "findable",
    }
}

kad::named! {
    /// What came of it.
    pub enum OperationOutcome: serde {
        /// It was published, or found.
        Done = "done",
        /// All were asked, and nobody provides it.
        NotFound = "not_found",
        /// It failed.
        Failed = "failed",
        /// Its time was over.
        TimedOut = "timed_out",
        /// It was given up by us.
        Cancelled = "cancelled",
        /// The server may not do it: what it is about is on a list.
        Denied = "denied",
        /// The server could not be reached.
        Unreachable = "unreachable",
        /// The server was not ready.
        Unready = "unready",
        /// The server's answer could not be understood.
        BadAnswer = "bad_answer",
    }
}

kad::named! {
    /// What a request of an operation was for.
    pub enum RequestPurpose: serde {
        /// To look for somebody or something.
        Find = "find",
        /// To give a peer the record.
        Give = "give",
        /// To hear whether a peer has the record that it was given.
        ReadBack = "read_back",
    }
}
