import type { End, FailureKind } from "./kinds.ts";

type Told = Omit<FailureKind, "name" | "end">;

const KILLED = "killed (SIGKILL) in the middle, started again later";
const STOPPED = "stopped (SIGSTOP) in the middle, continued later";
/** Of rows that show what the setting does. */
export const IMPATIENT_SECONDS = 10;
const STOPPED_SHORTLY = `${STOPPED}; \`answerTimeoutSeconds: ${IMPATIENT_SECONDS}\``;
const MOVING = "archive asked by C-MOVE";
const GETTING = "archive asked by C-GET";
const WADO = "archive asked by WADO-RS";
const ORTHANC_ARCHIVE = "archive asked by Orthanc's REST API";
const DCMQRSCP_MOVE = "archive of dcmtk (dcmqrscp) asked by C-MOVE";
const DCMQRSCP_GET = "archive of dcmtk (dcmqrscp) asked by C-GET";
const STORING = "destination of C-STORE";
const STOW = "destination of STOW-RS";
const ORTHANC_STORE = "destination of Orthanc's REST API";
const S3 = "object store as destination";
const SFTP = "SFTP server as destination";
const GATEWAY = "the gateway";
const POSTGRES = "PostgreSQL, where the gateway keeps its store";
const RABBITMQ = "RabbitMQ, from which messages of PIXL come";

/** What happens to programs, disks and clocks. Each ends with the study delivered. */
const MACHINES = {
  "archive killed, C-MOVE": { where: MOVING, what: KILLED, seen: "ASSOCIATION_ABORTED" },
  "archive killed, C-GET": { where: GETTING, what: KILLED, seen: "ASSOCIATION_ABORTED" },
  "archive killed, WADO-RS": { where: WADO, what: KILLED, seen: "HTTP_CONNECTION_LOST" },
  "archive stopped, C-MOVE": { where: MOVING, what: STOPPED, seen: "TIMED_OUT" },
  "archive stopped, C-GET": { where: GETTING, what: STOPPED, seen: "TIMED_OUT" },
  "archive stopped, WADO-RS": { where: WADO, what: STOPPED, seen: "HTTP_HEADERS_TIMED_OUT" },
  "archive stopped, WADO-RS, 10 s": {
    where: WADO,
    what: STOPPED_SHORTLY,
    seen: "HTTP_HEADERS_TIMED_OUT",
  },
  "archive killed, Orthanc": { where: ORTHANC_ARCHIVE, what: KILLED, seen: "HTTP_CONNECTION_LOST" },
  "archive stopped, Orthanc": { where: ORTHANC_ARCHIVE, what: STOPPED, seen: "HTTP_HEADERS_TIMED_OUT" },
  "dcmqrscp killed, C-MOVE": { where: DCMQRSCP_MOVE, what: KILLED, seen: "ASSOCIATION_ABORTED" },
  "dcmqrscp killed, C-GET": { where: DCMQRSCP_GET, what: KILLED, seen: "ASSOCIATION_ABORTED" },
  "dcmqrscp stopped, C-MOVE": { where: DCMQRSCP_MOVE, what: STOPPED, seen: "TIMED_OUT" },
  "dcmqrscp stopped, C-GET": { where: DCMQRSCP_GET, what: STOPPED, seen: "TIMED_OUT" },
  "destination killed, C-STORE": { where: STORING, what: KILLED, seen: "ASSOCIATION_ABORTED" },
  "destination killed, STOW-RS": { where: STOW, what: KILLED, seen: "HTTP_CONNECTION_LOST" },
  "destination killed, Orthanc": { where: ORTHANC_STORE, what: KILLED, seen: "HTTP_CONNECTION_LOST" },
  "destination killed, S3": { where: S3, what: KILLED, seen: "DELIVERY_INTERRUPTED" },
  "destination killed, SFTP": { where: SFTP, what: KILLED, seen: "DELIVERY_INTERRUPTED" },
  "destination stopped, C-STORE": { where: STORING, what: STOPPED, seen: "TIMED_OUT" },
  "destination stopped, STOW-RS": { where: STOW, what: STOPPED, seen: "HTTP_HEADERS_TIMED_OUT" },
  "destination stopped, STOW-RS, 10 s": {
    where: STOW,
    what: STOPPED_SHORTLY,
    seen: "HTTP_HEADERS_TIMED_OUT",
  },
  "destination stopped, Orthanc": { where: ORTHANC_STORE, what: STOPPED, seen: "HTTP_HEADERS_TIMED_OUT" },
  "destination stopped, S3": { where: S3, what: STOPPED, seen: "DELIVERY_INTERRUPTED" },
  "destination stopped, SFTP": { where: SFTP, what: STOPPED, seen: "DELIVERY_INTERRUPTED" },
  "gateway killed, fetching": {
    where: GATEWAY,
    what: "killed (SIGKILL) while it fetches, started again",
    seen: undefined,
  },
  "gateway killed, delivering": {
    where: GATEWAY,
    what: "killed (SIGKILL) while it delivers by C-STORE, started again",
    seen: undefined,
  },
  "gateway stopped": { where: GATEWAY, what: "stopped (SIGSTOP) for five seconds while it fetches", seen: undefined },
  "clock an hour ahead": { where: GATEWAY, what: "its clock jumps an hour ahead while it fetches", seen: undefined },
  "clock an hour back": { where: GATEWAY, what: "its clock jumps an hour back while it fetches", seen: undefined },
  "staging full": { where: "disk of staging", what: "full; then there is room", seen: "STAGING_FULL" },
  "outbox full": {
    where: "disk of the outbox alone, where de-identified copies await delivery",
    what: "full; then there is room",
    seen: "OUTBOX_FULL",
  },
  "folder full": {
    where: "folder destination",
    what: "its disk is full; then there is room",
    seen: "DESTINATION_FULL",
  },
  "folder read-only": {
    where: "folder destination",
    what: "its disk can only be read; then written again",
    seen: "DESTINATION_UNAVAILABLE",
  },
  "store full": {
    where: "disk of the home, with the store and staging",
    what: "full; then there is room. Studies stand still; who asks for a change is told",
    seen: "STORE_FULL",
  },
  "postgres refused": {
    where: POSTGRES,
    what: "all connections are reset, and those to come",
    seen: "STORE_UNAVAILABLE",
  },
  "postgres cut": { where: POSTGRES, what: "all connections are closed, and those to come", seen: "STORE_UNAVAILABLE" },
  "postgres stalled": {
    where: POSTGRES,
    what: "all connections fall silent, and those to come",
    seen: "STORE_UNAVAILABLE",
  },
  "postgres half-open": {
    where: POSTGRES,
    what: "the other end is gone, and nobody says so",
    seen: "STORE_UNAVAILABLE",
  },
  "postgres killed": { where: POSTGRES, what: KILLED, seen: "STORE_UNAVAILABLE" },
  "postgres stopped": { where: POSTGRES, what: STOPPED, seen: "STORE_UNAVAILABLE" },
} as const satisfies Readonly<Record<string, Told>>;

export type MachineName = keyof typeof MACHINES;

const SEEN_IN_LOG = { where: RABBITMQ, seen: "PIXL_BROKER_UNAVAILABLE" } as const;

/** Messages stay with the broker; a study may be handed over once more. */
const BROKER = {
  "rabbitmq refused": { ...SEEN_IN_LOG, what: "all connections are reset, and those to come" },
  "rabbitmq cut": { ...SEEN_IN_LOG, what: "all connections are closed, and those to come" },
  "rabbitmq stalled": { ...SEEN_IN_LOG, what: "all connections fall silent, and those to come" },
  "rabbitmq half-open": { ...SEEN_IN_LOG, what: "the other end is gone, and nobody says so" },
  "rabbitmq killed": { ...SEEN_IN_LOG, what: KILLED },
  "rabbitmq stopped": { ...SEEN_IN_LOG, what: STOPPED },
} as const satisfies Readonly<Record<string, Told>>;

export type BrokerName = keyof typeof BROKER;

function kindsOf<Name extends string>(told: Readonly<Record<Name, Told>>): readonly (FailureKind & { name: Name })[] {
  const end: End = "delivered";
  return (Object.entries(told) as [Name, Told][]).map(([name, each]) => ({ name, ...each, end }));
}

export const MACHINE_KINDS = kindsOf<MachineName>(MACHINES);
export const BROKER_KINDS = kindsOf<BrokerName>(BROKER);
