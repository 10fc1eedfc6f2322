interface MetricEntry {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Names from the settings and words of the program: never what tells a patient or a study. */
  readonly labels: readonly string[];
  /** Upper ends of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600] as const;
const SHORT_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 30] as const;

/** Every metric, in base units, under the prefix `radferry_`. docs/metrics.md is generated from this table. */
export const METRICS = {
  archive_state: {
    kind: "gauge",
    help: "1 for the state that an archive is in: open, closed, paused or resting.",
    labels: ["archive", "state"],
  },
  archive_window_open: { kind: "gauge", help: "1 while an archive's window is open.", labels: ["archive"] },
  associations_active: {
    kind: "gauge",
    help: "Connections that an archive is asked over at the moment.",
    labels: ["archive"],
  },
  build_info: { kind: "gauge", help: "Always 1.", labels: ["version"] },
  deliveries_total: {
    kind: "counter",
    help: "Times that instances were sent to a destination; outcome: sent, or the class of the error.",
    labels: ["destination", "outcome"],
  },
  delivery_bytes_total: {
    kind: "counter",
    help: "Bytes of instances that a destination took.",
    labels: ["destination"],
  },
  delivery_duration_seconds: {
    kind: "histogram",
    help: "How long a destination took to take a study's instances.",
    labels: ["destination"],
    buckets: SECONDS,
  },
  event_streams: { kind: "gauge", help: "Pages and programs that follow the events.", labels: [] },
  http_request_duration_seconds: {
    kind: "histogram",
    help: "How long the API took to answer.",
    labels: ["route"],
    buckets: SHORT_SECONDS,
  },
  http_requests_total: {
    kind: "counter",
    help: "Requests to the API, by the route's name and the answer's status; cut: the connection ended before the answer was whole, as the client hung up or was too slow, or left the event stream.",
    labels: ["route", "status"],
  },
  instances_received_bytes_total: { kind: "counter", help: "Bytes of instances that came into staging.", labels: [] },
  instances_received_total: { kind: "counter", help: "Instances that came into staging whole.", labels: [] },
  intake_oldest_seconds: {
    kind: "gauge",
    help: "Since the first instance of the study that waits longest of those sent to us; state: open, for more of it, or held, for a person.",
    labels: ["state"],
  },
  intake_studies: {
    kind: "gauge",
    help: "Studies sent to us that wait; state: open, for more of them, or held, for a person.",
    labels: ["state"],
  },
  node_alive: {
    kind: "gauge",
    help: "Whether a gateway on the same database gave a sign of life within half a minute; none where the store is one gateway's own.",
    labels: ["node"],
  },
  node_silent_seconds: {
    kind: "gauge",
    help: "Since the last sign of life of a gateway on the same database.",
    labels: ["node"],
  },
  notifications_total: {
    kind: "counter",
    help: "Messages over a channel; outcome: sent, or the class of the error; dropped: notices that had no room.",
    labels: ["channel", "outcome"],
  },
  oldest_queued_seconds: {
    kind: "gauge",
    help: "Age of the oldest study that is queued or waits, since it was first asked for: one that is tried again or waits for a start that was set counts from then; 0 when none does.",
    labels: [],
  },
  process_cpu_seconds_total: { kind: "counter", help: "Processor time of this process.", labels: [] },
  process_resident_memory_bytes: { kind: "gauge", help: "Resident memory of this process.", labels: [] },
  queue_depth: { kind: "gauge", help: "Studies that are not done, by the stage they are in.", labels: ["stage"] },
  retrievals_total: {
    kind: "counter",
    help: "Retrievals asked of an archive; outcome: answered, or the class of the error.",
    labels: ["archive", "outcome"],
  },
  retrieve_duration_seconds: {
    kind: "histogram",
    help: "How long an archive took to carry a retrieval out.",
    labels: ["archive"],
    buckets: SECONDS,
  },
  scan_files_stuck: {
    kind: "gauge",
    help: "Files of scanners that are whole, could not be published, and are tried no more before a person releases them or the service starts again.",
    labels: [],
  },
  scan_files_waiting: {
    kind: "gauge",
    help: "Files of scanners that are whole and not published: for longer than a minute, as the exam-manager, the store or the lake does not answer.",
    labels: [],
  },
  shared_staging_bytes_total: {
    kind: "counter",
    help: "Bytes of de-identified copies that went to the shared store or came from it; direction: put or fetched.",
    labels: ["direction"],
  },
  shared_staging_failures_total: {
    kind: "counter",
    help: "Questions that the shared store did not answer as it should; action: put, get, list or remove.",
    labels: ["action"],
  },
  staging_bytes: { kind: "gauge", help: "Bytes in staging, looked at every few minutes.", labels: [] },
  staging_free_bytes: { kind: "gauge", help: "Free room on staging's disk.", labels: [] },
  staging_studies_removed_total: {
    kind: "counter",
    help: "Studies removed from staging that nobody needed; reason: age, or room while the disk is below its reserve.",
    labels: ["reason"],
  },
  store_writable: {
    kind: "gauge",
    help: "Whether the store can be written; all work stands still while it cannot.",
    labels: [],
  },
  studies: { kind: "gauge", help: "Studies by project and state.", labels: ["project", "state"] },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;
export type MetricsOf<Kind extends MetricEntry["kind"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in (typeof METRICS)[Name]["labels"][number]]: string;
};

/** The port; `observe/` makes the real one. */
export interface Metrics {
  /** Adds to a counter or a gauge. */
  add<Name extends MetricsOf<"counter" | "gauge">>(name: Name, by: number, labels: LabelsOf<Name>): void;
  set<Name extends MetricsOf<"gauge">>(name: Name, value: number, labels: LabelsOf<Name>): void;
  observe<Name extends MetricsOf<"histogram">>(name: Name, value: number, labels: LabelsOf<Name>): void;
}
