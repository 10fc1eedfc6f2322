import type { JobState } from "../api/documents.ts";
import type { ArchiveLamp } from "../api/live.ts";

/** What a colour says; the word beside it says it too. */
export type Tone = "good" | "busy" | "calm" | "warn" | "bad";

export function Badge({
  tone,
  children,
  title,
}: {
  readonly tone: Tone;
  readonly children: string;
  readonly title?: string | undefined;
}) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}

const STATE_TONES: Readonly<Record<JobState, Tone>> = {
  queued: "calm",
  waiting: "calm",
  running: "busy",
  held: "warn",
  quarantined: "warn",
  "not-found": "bad",
  excluded: "calm",
  cancelled: "calm",
  failed: "bad",
  delivered: "good",
};

export const JOB_STATES: readonly JobState[] = [
  "queued",
  "waiting",
  "running",
  "delivered",
  "excluded",
  "held",
  "quarantined",
  "not-found",
  "failed",
  "cancelled",
];

export function toneOf(state: JobState): Tone {
  return STATE_TONES[state];
}

/** The state of a study job, with its stage while it runs. */
export function StateBadge({ state, stage }: { readonly state: JobState; readonly stage?: string | undefined }) {
  return <Badge tone={toneOf(state)}>{state === "running" && stage ? stage : state}</Badge>;
}

const LAMP_TONES: Readonly<Record<ArchiveLamp["state"], Tone>> = {
  open: "good",
  closed: "calm",
  paused: "warn",
  resting: "bad",
};

export function LampBadge({ state }: { readonly state: ArchiveLamp["state"] }) {
  return <Badge tone={LAMP_TONES[state]}>{state}</Badge>;
}

/** Whether a text, of an address for one, names a state. */
export function isState(text: string | null): text is JobState {
  return JOB_STATES.some((state) => state === text);
}
