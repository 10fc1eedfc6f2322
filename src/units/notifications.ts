/** `at once`: a message of its own, while there are not too many; `digest`: collected, and told together. */
type Urgency = "at once" | "digest";

interface NoticeEntry {
  readonly when: string;
  readonly urgency: Urgency;
  /** What it tells besides event, time and project; placeholders of templates are called so. None of it is an identifier of a patient. */
  readonly fields: readonly string[];
}

const COUNTS = ["total", "delivered", "excluded", "notFound", "held", "quarantined", "failed", "cancelled"] as const;

/** What people can be told of without asking. docs/notifications.md lists them. */
export const NOTICE_EVENTS = {
  "archive-back": { when: "an archive answers again, or is resumed", urgency: "at once", fields: ["archive"] },
  "archive-down": {
    when: "an archive failed so often that it is left alone for a while",
    urgency: "at once",
    fields: ["archive", "code"],
  },
  "archive-paused": { when: "somebody pauses an archive", urgency: "at once", fields: ["archive"] },
  "audit-trail-broken": {
    when: "the audit trail is not as it was written; it is verified at start and once a day",
    urgency: "at once",
    fields: ["records", "findings", "code"],
  },
  "cohort-done": {
    when: "the last study of a cohort came to its end",
    urgency: "at once",
    fields: ["cohort", "project", ...COUNTS],
  },
  "intake-held": {
    when: "more studies that were sent unasked wait for a person: no rule says whose they are, or several do",
    urgency: "digest",
    fields: ["studies"],
  },
  "service-started": { when: "the service begins to work", urgency: "at once", fields: ["node", "version", "ended"] },
  "service-stopped": { when: "the service ends in order", urgency: "at once", fields: ["node", "version"] },
  "staging-enough": {
    when: "staging has room again",
    urgency: "at once",
    fields: ["node", "freeGigabytes", "reserveGigabytes"],
  },
  "staging-low": {
    when: "staging has less room than its reserve: retrieval pauses",
    urgency: "at once",
    fields: ["node", "freeGigabytes", "reserveGigabytes", "code"],
  },
  "standing-run-failed": {
    when: "a run of a standing cohort failed, or could not ask for everything",
    urgency: "at once",
    fields: ["standing", "project", "run", "state", "code"],
  },
  "study-failed": { when: "a study fails for good", urgency: "digest", fields: ["job", "project", "code"] },
  "study-quarantined": {
    when: "a study waits for a person: its de-identification could not be proven",
    urgency: "digest",
    fields: ["job", "project", "code"],
  },
} as const satisfies Record<string, NoticeEntry>;
export type NoticeEvent = keyof typeof NOTICE_EVENTS;
export const NOTICE_EVENT_NAMES = Object.keys(NOTICE_EVENTS) as readonly NoticeEvent[];

/** Something that happened. None of it may be an identifier of a patient: jobs and cohorts go by the ids that the gateway made up. */
export interface Notice {
  readonly event: NoticeEvent;
  readonly atMs: number;
  /** Absent: a matter of the whole site. */
  readonly project?: string;
  /** By the fields of the event. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** One thing to be said over a channel. */
export interface ChannelMessage {
  /** The same while the same notices are tried again. */
  readonly id: string;
  /** `digest`: of several; `test`: somebody tries whether it arrives. */
  readonly event: NoticeEvent | "digest" | "test";
  readonly atMs: number;
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly notices: readonly (Notice & { readonly id: string })[];
  /** Notices that it stands for; more than are listed when there are very many. */
  readonly count: number;
}

/** A way to reach people or programs. */
export interface Channel {
  readonly name: string;
  readonly kind: "mail" | "webhook";
  /** Resolves when the other side has taken it. @throws GatewayError; the reason of the signal */
  send(message: ChannelMessage, signal: AbortSignal): Promise<void>;
  /** Whether it could be sent now; nothing is. @throws GatewayError */
  check(signal: AbortSignal): Promise<void>;
}

/** Which notices a channel is for. */
export interface Subscription {
  readonly channel: string;
  readonly events: readonly NoticeEvent[];
  /** Undefined: of every project. */
  readonly projects?: readonly string[] | undefined;
}

/** A matter of the whole site is for everybody who wants its event. */
export function isFor({ events, projects }: Subscription, { event, project }: Notice): boolean {
  return events.includes(event) && (projects === undefined || project === undefined || projects.includes(project));
}
