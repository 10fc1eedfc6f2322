/** Gateways that share the store, and what they may do so often at once; a permit lapses with its time. */
export const NODES = `
  CREATE TABLE nodes (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, roles TEXT NOT NULL, address TEXT, started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE permits (
    resource TEXT NOT NULL, holder TEXT NOT NULL, node TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (resource, holder)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX permits_of_node ON permits (node);`;
