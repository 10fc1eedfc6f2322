import { ENGINE } from "./engine-version.ts";
import type { ActionName, InstanceOutcome } from "./outcome.ts";
import type { Profile } from "./profiles/profile.ts";

/** The outcome of a study as interfaces.md names states. */
export type StudyReportOutcome = "delivered" | "excluded" | "quarantined";

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
  };
  readonly actions: Readonly<Record<string, Readonly<Partial<Record<ActionName, number>>>>>;
  readonly unlisted: Readonly<Record<string, number>>;
  readonly private: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
  readonly options: readonly string[];
  /** Why instances were left out or rejected. */
  readonly reasons: readonly { readonly code: string; readonly reason: string; readonly count: number }[];
  readonly verify: { readonly hits: number; readonly bytes: number; readonly identifiers: number };
}

export interface StudyReport {
  /** Counts one instance's outcome; each instance once. */
  add(outcome: InstanceOutcome): void;
  document(): StudyReportDocument;
}

export function createStudyReport(of: {
  readonly project: string;
  readonly profile: Profile;
  readonly keyId: string;
}): StudyReport {
  const actions = new Map<string, Partial<Record<ActionName, number>>>();
  const unlisted = new Map<string, number>();
  const privateElements = new Map<string, number>();
  const notes = new Map<string, number>();
  const options = new Set<string>();
  const reasons = new Map<string, { code: string; reason: string; count: number }>();
  const counts = { instances: 0, deidentified: 0, excluded: 0, rejected: 0 };
  const verify = { hits: 0, bytes: 0, identifiers: 0 };

  const addReason = (code: string, reason: string): void => {
    const entry = reasons.get(`${code} ${reason}`) ?? { code, reason, count: 0 };
    entry.count += 1;
    reasons.set(`${code} ${reason}`, entry);
  };

  const addOutcome = (outcome: InstanceOutcome): void => {
    counts.instances += 1;
    counts[outcome.kind] += 1;
    if (outcome.kind === "excluded") {
      addReason("EXCLUDED", outcome.reason);
      return;
    }
    if (outcome.kind === "rejected") {
      if (outcome.code === "IDENTIFIER_FOUND") verify.hits += 1;
      addReason(outcome.code, outcome.reason);
      return;
    }
    const { summary } = outcome;
    for (const [tag, byAction] of summary.actions) addActions(actions, tag, byAction);
    addCounts(unlisted, summary.unlisted);
    addCounts(privateElements, summary.privateElements);
    addCounts(notes, summary.notes);
    for (const option of summary.options) options.add(option);
    verify.bytes += summary.verify.sizeBytes;
    verify.identifiers += summary.verify.identifiers;
  };

  const outcomeNow = (): StudyReportOutcome => {
    if (counts.rejected > 0 && (of.profile.onReject === "study" || counts.deidentified === 0)) return "quarantined";
    return counts.deidentified === 0 ? "excluded" : "delivered";
  };

  return {
    add: addOutcome,
    document: () => ({
      project: of.project,
      profile: { name: of.profile.name, version: of.profile.version, hash: of.profile.hash },
      keyId: of.keyId,
      engine: ENGINE,
      outcome: outcomeNow(),
      counts: { ...counts },
      actions: sorted(actions),
      unlisted: sorted(unlisted),
      private: sorted(privateElements),
      notes: sorted(notes),
      options: [...options].sort(),
      reasons: [...reasons.values()].sort((a, b) => compare(a.code + a.reason, b.code + b.reason)),
      verify: { ...verify },
    }),
  };
}

function addActions(
  into: Map<string, Partial<Record<ActionName, number>>>,
  tag: string,
  byAction: Readonly<Partial<Record<ActionName, number>>>,
): void {
  const entry = into.get(tag) ?? {};
  for (const [action, count] of Object.entries(byAction) as [ActionName, number][]) {
    entry[action] = (entry[action] ?? 0) + count;
  }
  into.set(tag, entry);
}

function addCounts(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => compare(a, b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
