import type { JobChange } from "../records.ts";
import type { ArchiveVolume, KeptStudyReport, StudyReportStore } from "../study-reports.ts";
import { blob, integer, recordReader, text } from "./columns.ts";
import { jobNumber } from "./look.ts";
import type { Session } from "./session.ts";

const keptStudyReport = recordReader<KeptStudyReport>({ atMs: integer, packed: blob });

const archiveVolume = recordReader<ArchiveVolume>({
  archive: text,
  modality: text,
  instances: integer,
  sizeBytes: integer,
});

export async function studyReport(
  session: Session,
  job: string,
  which: Parameters<StudyReportStore["studyReport"]>[1],
): Promise<KeptStudyReport | undefined> {
  const jobNo = await jobNumber(session, job);
  const states = which === "last" ? ["made", "delivered"] : ["delivered"];
  for (const state of states) {
    const row = await session.get("studyReport", { jobNo, state });
    if (row !== undefined) return keptStudyReport(row);
  }
  return undefined;
}

export async function archiveVolumes(session: Session): Promise<readonly ArchiveVolume[]> {
  return (await session.all("archiveVolumes")).map(archiveVolume);
}

/** The reports' part of a change of a job. */
export async function keepReports(
  session: Session,
  jobNo: number,
  { report, volumes = [] }: Pick<JobChange, "report" | "volumes">,
  nowMs: number,
): Promise<void> {
  for (const volume of volumes) await session.run("addArchiveVolume", { jobNo, ...volume });
  if (report === undefined) return;
  if (report !== "delivered") await session.run("makeStudyReport", { jobNo, packed: report, nowMs });
  else if ((await session.run("deliverStudyReport", { jobNo, nowMs })) > 0)
    await session.run("forgetMadeStudyReport", { jobNo });
}
