import type { ErrorCode } from "../errors/registry.ts";
import type { LeasedOutcome } from "./leased-work.ts";

/** `waiting` and `running` are not done; `failed` needs a person. */
export type InboxState = "waiting" | "running" | "done" | "failed";

/** What a broker or an HTTP request handed over, kept until it is worked off. */
export interface InboxMessage {
  readonly id: string;
  /** The queue it came from, or counts as come from. */
  readonly queue: string;
  /** As received. Identifiable. */
  readonly body: Uint8Array;
  /** The highest goes first. */
  readonly priority: number;
  readonly state: InboxState;
  /** Why it waits or failed. */
  readonly code: ErrorCode | undefined;
  /** JSON of the face's own: what was reached so far; counts and codes only. */
  readonly progress: string | undefined;
  /** Due tries so far; a crash does not count. */
  readonly attempts: number;
  readonly waitingUntilMs: number | undefined;
  readonly receivedAtMs: number;
  readonly finishedAtMs: number | undefined;
}

export type NewInboxMessage = Pick<InboxMessage, "queue" | "body" | "priority">;

/** Writes hold only while the token is the message's. */
export interface InboxLease {
  readonly messageId: string;
  readonly token: string;
}

export interface ClaimedInboxMessage {
  readonly lease: InboxLease;
  readonly message: InboxMessage;
}

export type InboxOutcome = LeasedOutcome;

export interface InboxFilter {
  readonly queue: string;
  readonly state: InboxState;
  readonly limit: number;
}

/** Messages that are not worked on any more, in the order in which they came. */
export interface FinishedInboxPage {
  readonly queue: string;
  readonly state: "done" | "failed";
  /** The number of the last one of the page before; 0: from the first. */
  readonly after: number;
  readonly limit: number;
}

export interface FinishedInboxMessage extends Pick<InboxMessage, "body"> {
  readonly number: number;
}

export interface InboxRetention {
  readonly queue: string;
  readonly finishedBeforeMs: number;
  /** How many that are done, and how many that failed, are kept at most. */
  readonly maximumKept: number;
}

/** The part of the store that keeps what brokers hand over: once a method resolves, the broker may forget. */
export interface InboxStore {
  /** The same content of the same queue that is not done is joined, at the higher priority: a broker delivers again what it got no answer for. */
  addInboxMessage(
    message: NewInboxMessage,
    nowMs: number,
  ): Promise<{ readonly id: string; readonly isJoined: boolean }>;
  /** Takes the most urgent due message of a queue, among equals the one that came first; messages whose lease ended are due again. */
  claimInboxMessage(
    queue: string,
    leaseMs: number,
    nowMs: number,
    node?: string,
  ): Promise<ClaimedInboxMessage | undefined>;
  /** False when the lease is no longer the message's: the worker stops. */
  renewInboxMessage(lease: InboxLease, leaseMs: number, nowMs: number, progress?: string): Promise<boolean>;
  settleInboxMessage(lease: InboxLease, outcome: InboxOutcome, nowMs: number): Promise<boolean>;
  /** At start: leases of workers that died with this home are given back. Returns how many. */
  releaseInboxMessages(nowMs: number, node?: string): Promise<number>;
  /** How many of a queue are not done. */
  unfinishedInboxMessages(queue: string): Promise<number>;
  /** When a message of the queue can be claimed next: when one that waits is due, or the lease of one that is worked on ends. */
  nextInboxDueAtMs(queue: string): Promise<number | undefined>;
  /** Deletes what is done or failed and older, or beyond the number kept of each; at most a thousand of each at a time. Returns how many. */
  forgetInboxMessages(retention: InboxRetention): Promise<number>;
  finishedInboxMessages(page: FinishedInboxPage): Promise<readonly FinishedInboxMessage[]>;
  /** By their numbers; one that is not finished stays. */
  removeInboxMessages(numbers: readonly number[]): Promise<void>;
  /** The newest first. */
  listInboxMessages(filter: InboxFilter): Promise<readonly InboxMessage[]>;
}
