import { type DeliveredStudyReport, reportedFiles } from "../../staging/study-folder-report.ts";
import type { Receipt, StudyDelivery } from "../destination.ts";

/** The de-identification report, the receipt, and the hash of each file; no identifier. */
export function deliveryReport(delivery: StudyDelivery, receipt: Receipt): DeliveredStudyReport {
  const { confirmedAtMs, ...facts } = receipt;
  return {
    ...delivery.report,
    pseudonym: delivery.pseudonym,
    studyInstanceUid: delivery.studyInstanceUid,
    receipt: { ...facts, confirmedAt: new Date(confirmedAtMs).toISOString() },
    files: reportedFiles(delivery.files),
  };
}
