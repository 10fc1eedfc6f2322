import type { ErrorEntry } from "../error-class.ts";

/** Codes of the durable store, sorted. */
export const storeCodes = {
  BACKUP_FILE_EXISTS: {
    class: "permanent",
    summary: "There is a file at the backup's place already.",
    remedy: "Name another file; none is overwritten.",
  },
  BACKUP_FILE_UNREADABLE: {
    class: "permanent",
    summary: "The backup cannot be read.",
    remedy: "Check its path and its owner.",
  },
  BACKUP_HOME_NOT_EMPTY: {
    class: "permanent",
    summary: "A backup is put into an empty home only, and there is something in this one.",
    remedy:
      "Stop the service, move what is in the home elsewhere, and keep it until the restored one has shown that it works.",
  },
  BACKUP_NOT_WHOLE: {
    class: "permanent",
    summary: "The file is a store of Radferry, but no whole backup of one.",
    remedy:
      "Take a file that radferry db backup wrote to its end; the database of a running home cannot be copied as a file.",
  },
  BACKUP_UNFINISHED: {
    class: "permanent",
    summary: "A backup to this file is under way, or was cut short: what it wrote so far lies beside it.",
    remedy:
      "Wait for a backup that runs. If none does, remove the file of the same name that ends in .part, then try again.",
  },
  COHORT_NOT_FOUND: {
    class: "permanent",
    summary: "There is no cohort of this id.",
    remedy: "Check the id against radferry cohort list.",
  },
  JOB_NOT_FOUND: {
    class: "permanent",
    summary: "There is no study job of this id.",
    remedy:
      "Check the id against radferry study list. A job whose study turned out to be another job's was joined to that one.",
  },
  STORE_ACCESS_DENIED: {
    class: "permanent",
    summary: "The database server does not let the gateway in, or not at its database.",
    remedy: "Check user, password and database in the file that urlFile names, and that the user owns its schema.",
  },
  STORE_BACKUP_ELSEWHERE: {
    class: "permanent",
    summary: "A store on PostgreSQL is copied by the tools of PostgreSQL.",
    remedy: "Use pg_dump, or base backups with the archive of the write-ahead log; docs/postgresql.md tells how.",
  },
  STORE_CLOCK_DIFFERS: {
    class: "permanent",
    summary: "The clock of this machine and that of the database differ by more than ten seconds.",
    remedy: "Keep both machines on time (NTP). What gateways share goes by the database's clock meanwhile.",
  },
  STORE_DAMAGED: {
    class: "permanent",
    summary: "The store's database file is damaged.",
    remedy: "Stop the gateway, keep a copy of the file, check the disk, and restore the database from its backup.",
  },
  STORE_FULL: {
    class: "transient",
    summary: "The store cannot write: the disk that holds it is full.",
    remedy: "Free space on the disk of the gateway's home; work goes on by itself.",
  },
  STORE_HALF_MOVED: {
    class: "permanent",
    summary: "The database holds part of a store that is being moved to it.",
    remedy:
      "Finish it with radferry db migrate --from sqlite --to postgres, from the same home and with the same version; or empty the schema and begin again.",
  },
  STORE_MOVE_DIFFERS: {
    class: "permanent",
    summary: "What arrived in the database is not what the embedded store holds.",
    remedy: "The embedded store is as it was. Empty the schema, let nothing else write to it, and begin again.",
  },
  STORE_MOVE_UNSET: {
    class: "permanent",
    summary: "The settings do not name the database that the store is to be moved to.",
    remedy:
      "Write store: { kind: postgres, urlFile } into the settings; the embedded store of the home is moved there.",
  },
  STORE_NOT_EMPTY: {
    class: "permanent",
    summary: "The database that a store is to be moved to holds a store already.",
    remedy: "Name an empty schema; two stores cannot be joined.",
  },
  STORE_NOT_OURS: {
    class: "permanent",
    summary: "The file that should be the store is not a database of Radferry.",
    remedy: "Check home in the settings; move the file away if it does not belong there.",
  },
  STORE_READ_ONLY: {
    class: "transient",
    summary: "The database takes no writes at the moment.",
    remedy:
      "Check default_transaction_read_only, and that the URL leads to the primary and not to a replica; work goes on by itself.",
  },
  STORE_SCHEMA_NEWER: {
    class: "permanent",
    summary: "The store was written by a newer version of Radferry.",
    remedy: "Use that version or a later one, or restore the database from before the update.",
  },
  STORE_SCHEMA_OLDER: {
    class: "permanent",
    summary: "The embedded store was written by an older version of Radferry.",
    remedy: "With store: { kind: sqlite } in the settings run radferry db migrate, then move it.",
  },
  STORE_SERVER_UNSUPPORTED: {
    class: "permanent",
    summary: "The database server is another product than PostgreSQL, or too old.",
    remedy: "Use PostgreSQL 13 or later.",
  },
  STORE_UNAVAILABLE: {
    class: "transient",
    summary: "The store cannot be read or written at the moment.",
    remedy:
      "Check that the gateway's home exists, belongs to the gateway's user and is on a disk that works; it is retried.",
  },
  STORE_UPGRADE_BLOCKED: {
    class: "permanent",
    summary:
      "Gateways of the version before are at work on the database, and would not go on as they should after this update.",
    remedy:
      "Stop the gateways that radferry node list shows, then start those of the new version. One that was killed counts as at work for half a minute.",
  },
  STORE_URL_INVALID: {
    class: "permanent",
    summary: "The URL of the database cannot be used.",
    remedy:
      "Write postgres://user:password@host:port/database into the file that urlFile names, with sslmode=verify-full, or disable.",
  },
} as const satisfies Record<string, ErrorEntry>;
