import type { Evidence } from "./evidence.ts";

/** An output as its study's checks see it. */
export interface StudyMember {
  readonly outputPath: string;
  readonly original: { readonly studyInstanceUid: string; readonly seriesInstanceUid: string };
  readonly evidence: Omit<Evidence, "pieces">;
}

interface StudyChecks {
  readonly failures: readonly { readonly outputPath: string; readonly reason: string }[];
  readonly notes: ReadonlyMap<string, number>;
}

/** What is the same in every output of one original study. */
const COMMON: readonly (readonly [string, (member: StudyMember) => string | number | undefined])[] = [
  ["study-pseudonym-differs", ({ evidence }) => evidence.pseudonym],
  ["study-date-shift-differs", ({ evidence }) => evidence.shiftDays],
  ["study-uid-differs", ({ evidence }) => evidence.studyInstanceUid],
];

/** What must hold between the outputs of a run; all outputs of a study fail together, as none can be told to be the wrong one. */
export function checkStudy(members: readonly StudyMember[]): StudyChecks {
  const failures: { outputPath: string; reason: string }[] = [];
  const fail = (failed: readonly StudyMember[], reason: string): void => {
    for (const { outputPath } of failed) failures.push({ outputPath, reason });
  };
  for (const study of groupBy(members, ({ original }) => original.studyInstanceUid).values()) {
    for (const [reason, fact] of COMMON) {
      if (new Set(study.map(fact).filter((value) => value !== undefined)).size > 1) fail(study, reason);
    }
  }
  for (const series of groupBy(members, ({ original }) => original.seriesInstanceUid).values()) {
    if (groupBy(series, ({ evidence }) => evidence.seriesInstanceUid).size > 1) fail(series, "series-uid-differs");
  }
  for (const series of groupBy(members, ({ evidence }) => evidence.seriesInstanceUid).values()) {
    if (groupBy(series, ({ original }) => original.seriesInstanceUid).size > 1) fail(series, "series-uid-shared");
  }
  const instances = groupBy(members, ({ evidence }) => evidence.sopInstanceUid);
  for (const repeated of instances.values()) fail(repeated.slice(1), "sop-instance-uid-repeated");
  return { failures, notes: notesOf(members, instances) };
}

function notesOf(
  members: readonly StudyMember[],
  delivered: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, number> {
  let dangling = 0;
  // A structure set names its study in Referenced SOP Instance UID too. PS3.3 C.8.8.5.
  const studies = new Set(members.map(({ evidence }) => evidence.studyInstanceUid));
  for (const { evidence } of members) {
    for (const uid of evidence.references) if (!delivered.has(uid) && !studies.has(uid)) dangling += 1;
  }
  return new Map(dangling === 0 ? [] : [["reference-not-delivered", dangling]]);
}

function groupBy<T>(members: readonly T[], key: (member: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const member of members) {
    const group = groups.get(key(member));
    if (group === undefined) groups.set(key(member), [member]);
    else group.push(member);
  }
  return groups;
}
