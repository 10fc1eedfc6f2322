import { lookupElement } from "../dicom/dictionary/dictionary.ts";
import { tagOf } from "../dicom/tag.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { DeidReportDocument } from "./insight-operations.ts";
import { type KeptReport, keptReportOf } from "./study-reports.ts";

const TAG = /^\(([0-9A-F]{4}),([0-9A-F]{4})\)$/;

/** See `InsightOperations.studyReport`. */
export async function studyReport({ store }: OperationsContext, id: string): Promise<DeidReportDocument> {
  const [kept, report, thumbnail] = await Promise.all([
    store.studyReport(id, "last"),
    keptReportOf(store, id, "last"),
    store.thumbnail(id),
  ]);
  if (kept === undefined || report === undefined) throw new GatewayError("STUDY_REPORT_NOT_KEPT", { job: id });
  return { id, at: isoTime(kept.atMs), hasThumbnail: thumbnail !== undefined, ...describeReport(report) };
}

function describeReport(report: KeptReport): Omit<DeidReportDocument, "id" | "at" | "hasThumbnail"> {
  const { outcome, profile, keyId, engine, counts, notes, options, reviews, reasons, release } = report;
  const { hits, bytes, identifiers } = report.verify;
  return {
    outcome,
    profile,
    keyId,
    engine,
    counts,
    actions: totals(Object.values(report.actions)),
    elements: Object.entries(report.actions).map(([tag, actions]) => ({ tag, keyword: keywordOf(tag), actions })),
    unlisted: Object.entries(report.unlisted).map(([tag, count]) => ({ tag, keyword: keywordOf(tag), count })),
    private: report.private,
    notes,
    options,
    reviews,
    reasons,
    verification: { hits, bytes, identifiers },
    ...(release === undefined ? {} : { release }),
  };
}

function totals(actions: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const each of actions)
    for (const [action, count] of Object.entries(each)) sums[action] = (sums[action] ?? 0) + count;
  return sums;
}

/** Empty where the standard has none. */
function keywordOf(tag: string): string {
  const [, group, element] = TAG.exec(tag) ?? [];
  if (group === undefined || element === undefined) return "";
  return lookupElement(tagOf(Number.parseInt(group + element, 16)))?.keyword ?? "";
}

/** See `InsightOperations.studyThumbnail`. */
export async function studyThumbnail({ store }: OperationsContext, id: string): Promise<Uint8Array> {
  const png = await store.thumbnail(id);
  if (png === undefined) throw new GatewayError("STUDY_THUMBNAIL_NOT_KEPT", { job: id });
  return png;
}
