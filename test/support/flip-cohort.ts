import type { PacsRequest, XnatState } from "../peers/xnat/state.ts";

export function accessionsOf(studies: number): readonly string[] {
  return Array.from({ length: studies }, (_, index) => `ACC${index}`);
}

/** What became of a tenth of a cohort each: four are there, two and a half in the queue, one and a half under way, one failed, the last unknown. */
const SHARES = { successful: 0.4, queued: 0.25, processing: 0.15, failed: 0.1, queueFailed: 0.1 } as const;

/** Makes an XNAT know a project's cohort, in all states that a study can be in. */
export function fillCohort(state: XnatState, projectId: string, accessions: readonly string[]): void {
  const project = state.projects.get(projectId);
  const ends = [SHARES.successful, SHARES.queued, SHARES.processing, SHARES.failed].map(
    (_, at, shares) => accessions.length * shares.slice(0, at + 1).reduce((sum, share) => sum + share, 0),
  );
  const [landed = 0, queued = 0, issued = 0, failed = 0] = ends.map(Math.round);
  for (const [index, label] of accessions.entries()) {
    const facts = {
      xsiType: "xnat:ctSessionData",
      uid: "",
      date: "",
      insertDate: "",
      subject: "S",
      project: projectId,
    };
    const none = { scans: new Map(), resources: new Map(), assessors: new Map() };
    const row = (status: string): PacsRequest => requestOf(index, { projectId, label, status });
    if (index < landed) project?.experiments.set(`E${index}`, { id: `E${index}`, label, ...facts, ...none });
    else if (index < queued) state.queued.push({ ...row("QUEUED"), executedTime: undefined });
    else if (index < issued) state.executed.push(row("ISSUED"));
    else if (index < failed) state.executed.push(row("FAILED"));
  }
}

function requestOf(
  index: number,
  { projectId, label, status }: { readonly projectId: string; readonly label: string; readonly status: string },
): PacsRequest {
  const nowMs = Date.now();
  return {
    id: index + 1,
    created: nowMs,
    timestamp: nowMs,
    username: "somebody",
    pacsId: 1,
    xnatProject: projectId,
    studyInstanceUid: `1.2.826.0.1.3680043.10.1561.${index}`,
    seriesIds: [`1.2.826.0.1.3680043.10.1561.${index}.1`],
    relabelMap: { Subject: `S${index}`, Session: label },
    destinationAeTitle: "XNAT:8104",
    status,
    priority: 10,
    queuedTime: nowMs,
    accessionNumber: label,
    patientId: `P${index}`,
    studyDate: "20240101",
    errorMessage: undefined,
    retries: 0,
    executedTime: nowMs,
  };
}
