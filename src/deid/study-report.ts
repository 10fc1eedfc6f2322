import type { NewRelease } from "../store/records.ts";
import { ENGINE } from "./engine-version.ts";
import type { InstanceKind } from "./instance-kind.ts";
import type { ActionName, InstanceOutcome, InstanceSummary } from "./outcome.ts";
import type { Profile } from "./profiles/profile.ts";
import type { SampleEntry } from "./study-sample.ts";
import type { StudyFinding, StudyVerdict } from "./verification/study-verification.ts";

/** The outcome of a study as interfaces.md names states. */
export type StudyReportOutcome = "delivered" | "excluded" | "quarantined";

export interface StudyReportReason {
  readonly code: string;
  readonly reason: string;
  /** The place that the reason names, such as "(0008,1030)" or "(0040,A730)/(0040,A160)". */
  readonly tag?: string;
  readonly count: number;
  /** Of those whose originals told what they are. */
  readonly kinds?: readonly (InstanceKind & { readonly count: number })[];
}

/** De-identification report of one study: tags, counts, codes; no value of any object. */
export interface StudyReportDocument {
  readonly project: string;
  readonly profile: { readonly name: string; readonly version: number; readonly hash: string };
  readonly keyId: string;
  readonly engine: string;
  readonly outcome: StudyReportOutcome;
  readonly counts: {
    readonly instances: number;
    readonly deidentified: number;
    readonly excluded: number;
    readonly rejected: number;
    /** Of the rejected: originals that could not be read. */
    readonly failed: number;
  };
  readonly actions: Readonly<Record<string, Readonly<Partial<Record<ActionName, number>>>>>;
  readonly unlisted: Readonly<Record<string, number>>;
  readonly private: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
  readonly options: readonly string[];
  /** What a person let it go with, after it was quarantined. */
  readonly release?: {
    readonly leftOut: number;
    readonly allowedTags: readonly string[];
    /** Identifiers that were found there, such as `name in (0008,1030)`, with the number of outputs. */
    readonly accepted: readonly { readonly reason: string; readonly count: number }[];
  };
  /** What the profile keeps against the confidentiality profile, and who allowed it. */
  readonly reviews: readonly { readonly tag: string; readonly review: string }[];
  /** Why instances were left out or rejected. */
  readonly reasons: readonly StudyReportReason[];
  readonly verify: {
    readonly hits: number;
    readonly bytes: number;
    readonly identifiers: number;
    /** Not the same in every run. */
    readonly ms?: number;
  };
  /** Attributes before and after, without values; of the first instance that has them. */
  readonly sample: readonly SampleEntry[];
}

export interface StudyReport {
  /** Counts one instance's outcome; each instance once. @param kind of its original, where it is known */
  add(outcome: InstanceOutcome, kind?: InstanceKind): void;
  /** Takes back an instance that was added as de-identified: its study gave it away. */
  revoke(finding: Pick<StudyFinding, "code" | "reason">, kind?: InstanceKind): void;
  /** What verification told of the study as a whole. */
  conclude(verdict: Pick<StudyVerdict, "notes" | "accepted" | "identifiers" | "durationMs">): void;
  document(): StudyReportDocument;
}

/** Attributes shown of a study. */
const SAMPLE_LIMIT = 100;

export function createStudyReport(of: {
  readonly project: string;
  readonly profile: Profile;
  readonly keyId: string;
  readonly release?: Pick<NewRelease, "allowTags"> | undefined;
}): StudyReport {
  const sums = createSums();
  const reasons = createReasons();
  const counts = { instances: 0, deidentified: 0, excluded: 0, rejected: 0, failed: 0 };
  let hits = 0;
  let accepted: ReadonlyMap<string, number> = new Map();
  let leftOut = 0;
  let searchedFor = 0;
  let verifyMs: number | undefined;

  const addReason = (code: string, reason: string, kind: InstanceKind | undefined): void => {
    if (code === "IDENTIFIER_FOUND") hits += 1;
    if (code === "INSTANCE_NOT_PARSABLE") counts.failed += 1;
    reasons.add(code, reason, kind);
  };

  const outcomeNow = (): StudyReportOutcome => {
    if (counts.rejected > 0 && (of.profile.onReject === "study" || counts.deidentified === 0)) return "quarantined";
    return counts.deidentified === 0 ? "excluded" : "delivered";
  };

  return {
    add(outcome, kind) {
      counts.instances += 1;
      counts[outcome.kind] += 1;
      if (outcome.kind === "excluded") addReason("EXCLUDED", outcome.reason, kind);
      if (outcome.kind === "excluded" && outcome.reason === "released-without") leftOut += 1;
      if (outcome.kind === "rejected") addReason(outcome.code, outcome.reason, kind);
      if (outcome.kind === "deidentified") sums.add(outcome.summary);
    },
    revoke({ code, reason }, kind) {
      counts.deidentified -= 1;
      counts.rejected += 1;
      addReason(code, reason, kind);
    },
    conclude({ notes, identifiers, durationMs, ...verdict }) {
      accepted = verdict.accepted;
      sums.note(notes);
      searchedFor += identifiers;
      if (durationMs !== undefined) verifyMs = Math.round(durationMs);
    },
    document() {
      const { verified, ...facts } = sums.document();
      return {
        project: of.project,
        profile: { name: of.profile.name, version: of.profile.version, hash: of.profile.hash },
        keyId: of.keyId,
        engine: ENGINE,
        outcome: outcomeNow(),
        counts: { ...counts },
        ...facts,
        ...(of.release === undefined ? {} : { release: releaseOf(of.release, leftOut, accepted) }),
        reviews: of.profile.reviews,
        reasons: reasons.document(),
        verify: {
          hits,
          bytes: verified.bytes,
          identifiers: verified.identifiers + searchedFor,
          ...(verifyMs === undefined ? {} : { ms: verifyMs }),
        },
      };
    },
  };
}

/** Tags and those around them, as `formatTag` writes them: a reason ends with its place. */
const PLACE = /\([0-9A-F]{4},[0-9A-F]{4}\)(?:\/\([0-9A-F]{4},[0-9A-F]{4}\))*$/;

function placeIn(reason: string): { readonly tag?: string } {
  const [tag] = PLACE.exec(reason) ?? [];
  return tag === undefined ? {} : { tag };
}

interface Counted {
  readonly code: string;
  readonly reason: string;
  count: number;
  readonly kinds: Map<string, InstanceKind & { count: number }>;
}

/** Why instances stayed behind, and what they are. */
function createReasons() {
  const reasons = new Map<string, Counted>();
  return {
    add(code: string, reason: string, kind: InstanceKind | undefined): void {
      const entry = reasons.get(`${code} ${reason}`) ?? { code, reason, count: 0, kinds: new Map() };
      entry.count += 1;
      reasons.set(`${code} ${reason}`, entry);
      if (kind === undefined) return;
      const key = `${kind.sopClass} ${kind.modality}`;
      entry.kinds.set(key, { ...kind, count: (entry.kinds.get(key)?.count ?? 0) + 1 });
    },
    document(): readonly StudyReportReason[] {
      const sorted = [...reasons.values()].sort((a, b) => compare(a.code + a.reason, b.code + b.reason));
      return sorted.map(({ kinds, ...entry }) => ({
        ...entry,
        ...placeIn(entry.reason),
        ...(kinds.size === 0 ? {} : { kinds: [...kinds].sort(([a], [b]) => compare(a, b)).map(([, kind]) => kind) }),
      }));
    },
  };
}

function releaseOf(
  { allowTags }: Pick<NewRelease, "allowTags">,
  leftOut: number,
  accepted: ReadonlyMap<string, number>,
): NonNullable<StudyReportDocument["release"]> {
  const found = [...accepted].map(([reason, count]) => ({ reason, count }));
  return { leftOut, allowedTags: allowTags, accepted: found.sort((a, b) => compare(a.reason, b.reason)) };
}

interface Sums {
  add(summary: InstanceSummary): void;
  note(notes: ReadonlyMap<string, number>): void;
  document(): Pick<StudyReportDocument, "actions" | "unlisted" | "private" | "notes" | "options" | "sample"> & {
    readonly verified: { readonly bytes: number; readonly identifiers: number };
  };
}

/** Summaries that wait to be added up. */
const SHARED_LIMIT = 64;

/**
 * What the instances' summaries come to. Most instances of a study share theirs, the same object, as `createSummaryMemory` makes them: these are
 * counted, and added up together.
 */
function createSums(): Sums {
  const shared = new Map<InstanceSummary["actions"], { readonly summary: InstanceSummary; times: number }>();
  const actions = new Map<string, Partial<Record<ActionName, number>>>();
  const unlisted = new Map<string, number>();
  const privateElements = new Map<string, number>();
  const notes = new Map<string, number>();
  const options = new Set<string>();
  const sample = new Map<string, SampleEntry>();
  const verified = { bytes: 0, identifiers: 0 };
  const addUp = (): void => {
    for (const { summary, times } of shared.values()) {
      for (const [tag, byAction] of summary.actions) addActions(actions, tag, byAction, times);
      addCounts(unlisted, summary.unlisted, times);
      addCounts(privateElements, summary.privateElements, times);
      addCounts(notes, summary.notes, times);
    }
    shared.clear();
  };
  return {
    add(summary) {
      verified.bytes += summary.verify.sizeBytes;
      verified.identifiers += summary.verify.identifiers;
      const known = shared.get(summary.actions);
      if (known !== undefined) {
        known.times += 1;
        return;
      }
      if (shared.size >= SHARED_LIMIT) addUp();
      shared.set(summary.actions, { summary, times: 1 });
      for (const option of summary.options) options.add(option);
      for (const entry of summary.sample) {
        if (sample.size < SAMPLE_LIMIT && !sample.has(entry.tag)) sample.set(entry.tag, entry);
      }
    },
    note: (more) => addCounts(notes, more),
    document() {
      addUp();
      return {
        actions: sorted(actions),
        unlisted: sorted(unlisted),
        private: sorted(privateElements),
        notes: sorted(notes),
        options: [...options].sort(),
        sample: [...sample.values()].sort((a, b) => compare(a.tag, b.tag)),
        verified: { ...verified },
      };
    },
  };
}

function addActions(
  into: Map<string, Partial<Record<ActionName, number>>>,
  tag: string,
  byAction: Readonly<Partial<Record<ActionName, number>>>,
  times: number,
): void {
  const entry = into.get(tag) ?? {};
  for (const [action, count] of Object.entries(byAction) as [ActionName, number][]) {
    entry[action] = (entry[action] ?? 0) + count * times;
  }
  into.set(tag, entry);
}

function addCounts(into: Map<string, number>, from: ReadonlyMap<string, number>, times = 1): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count * times);
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => compare(a, b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
