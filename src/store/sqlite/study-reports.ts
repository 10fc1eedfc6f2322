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

export function studyReport(
  session: Session,
  job: string,
  which: Parameters<StudyReportStore["studyReport"]>[1],
): KeptStudyReport | undefined {
  const jobNo = jobNumber(session, job);
  const states = which === "last" ? ["made", "delivered"] : ["delivered"];
  const row = states.map((state) => session.get("studyReport", { jobNo, state })).find((each) => each !== undefined);
  return row === undefined ? undefined : keptStudyReport(row);
}

export function archiveVolumes(session: Session): readonly ArchiveVolume[] {
  return session.all("archiveVolumes").map(archiveVolume);
}

/** The reports' part of a change of a job. */
export function keepReports(
  session: Session,
  jobNo: number,
  { report, volumes = [] }: Pick<JobChange, "report" | "volumes">,
  nowMs: number,
): void {
  for (const volume of volumes) session.run("addArchiveVolume", { jobNo, ...volume });
  if (report === undefined) return;
  if (report !== "delivered") session.run("makeStudyReport", { jobNo, packed: report, nowMs });
  else if (session.run("deliverStudyReport", { jobNo, nowMs }) > 0) session.run("forgetMadeStudyReport", { jobNo });
}
