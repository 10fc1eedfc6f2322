/** Something to be told over a channel, kept until it is. */
export interface KeptNotice {
  readonly id: string;
  readonly channel: string;
  /** JSON of whoever writes and reads it; no identifier of a patient is in it. */
  readonly body: string;
}

export interface NewNotice {
  readonly channel: string;
  readonly body: string;
  /** Not before. */
  readonly dueAtMs: number;
}

/** How far was looked, or what was told last, by a name of the looker's own. */
export interface NoticeMark {
  readonly name: string;
  /** Undefined: it is forgotten. */
  readonly value: string | undefined;
}

export interface NoticeBatch {
  readonly notices: readonly NewNotice[];
  readonly marks: readonly NoticeMark[];
  /** So many wait for a channel at most: what comes then is counted, not kept. */
  readonly maximumWaiting: number;
}

export interface ClaimedNotices {
  /** In the order they came. */
  readonly notices: readonly KeptNotice[];
  /** How many more there would have been. */
  readonly dropped: number;
}

export interface NoticeQueue {
  readonly channel: string;
  readonly waiting: number;
  readonly oldestAtMs: number;
}

/** The part of the store that keeps notifications: what is in it is sent at least once, whatever happens to the process. */
export interface NoticeStore {
  /** Notices and marks are on disk together, or neither. Answers how many were not kept, by channel. */
  addNotices(batch: NoticeBatch, nowMs: number): Promise<ReadonlyMap<string, number>>;
  noticeMarks(): Promise<readonly NoticeMark[]>;
  /** Takes what is due of a channel; it is due again when the lease ends. */
  claimNotices(
    channel: string,
    term: { readonly leaseMs: number; readonly limit: number },
    nowMs: number,
  ): Promise<ClaimedNotices>;
  /** They were told, with the number that was not kept. */
  forgetNotices(channel: string, told: { readonly ids: readonly string[]; readonly dropped: number }): Promise<void>;
  /** They are due then. */
  postponeNotices(ids: readonly string[], dueAtMs: number): Promise<void>;
  /** At start: what a process that died had taken is due again. */
  releaseNotices(): Promise<number>;
  /** What is older, or of channels that are not there any more. Returns how many. */
  expireNotices(keep: { readonly channels: readonly string[]; readonly createdAfterMs: number }): Promise<number>;
  noticeQueues(): Promise<readonly NoticeQueue[]>;
}
