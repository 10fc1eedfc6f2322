import type { DeliveredStudy } from "../delivery/inspection/inspection.ts";
import { removeStudy } from "../delivery/removal/removal.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import { parsePseudonym } from "../staging/deidentified-file.ts";
import type { WithdrawnCopy } from "../store/withdrawals.ts";
import { abortAfter } from "../units/abort.ts";
import { deliveredStudyOf } from "./check/delivered-study.ts";
import type { OperationsContext } from "./context.ts";
import { keptReportOf } from "./study-reports.ts";

type CopyContext = Pick<OperationsContext, "store" | "destinations" | "inspectors" | "removals">;
type CopyEnd = Pick<WithdrawnCopy, "state" | "code">;

/** A large study is listed, removed file by file, and listed again. */
const TIMEOUT_MS = 3_600_000;
/** More studies than this have no pseudonym in common. */
const MOST_LINKS = 10_000;

/** Removes one copy and says what came of it; what trying again cannot change is left to a person. @throws the signal's reason; errors of the store */
export async function removeCopy(
  context: CopyContext,
  project: string,
  copy: WithdrawnCopy,
  signal: AbortSignal,
): Promise<CopyEnd> {
  const { destination: name } = copy;
  if (!context.destinations.has(name)) return { state: "person", code: "DESTINATION_NOT_CHECKABLE" };
  if (await isShared(context, project, copy)) return { state: "person", code: "REMOVAL_STUDY_SHARED" };
  const study = await studyOf(context, project, copy);
  const removal = context.removals.get(name);
  const destination = { name, ...(removal === undefined ? {} : { removal }) };
  using limited = abortAfter(TIMEOUT_MS, signal);
  try {
    const end = await removeStudy({ destination, inspect: context.inspectors.get(name) }, study, limited);
    return end.kind === "person" ? { state: "person", code: end.code } : { state: end.kind, code: undefined };
  } catch (thrown) {
    signal.throwIfAborted();
    const { class: kind, code } = toGatewayError(thrown);
    return { state: kind === "permanent" ? "person" : "failed", code };
  }
}

/** Whether another patient became the same study, as tables of pseudonyms may have it. */
async function isShared({ store }: CopyContext, project: string, { pseudonym, pseudoStudyInstanceUid }: WithdrawnCopy) {
  const links = await store.listLinks(project, { pseudonym }, { after: 0, limit: MOST_LINKS });
  const same = links.filter((link) => link.pseudoStudyInstanceUid === pseudoStudyInstanceUid);
  return new Set(same.flatMap(({ patientDigest }) => patientDigest ?? [])).size > 1;
}

/** With the files that its report lists, where that is of this very copy. */
async function studyOf(
  { store }: CopyContext,
  project: string,
  { job, pseudonym, pseudoStudyInstanceUid }: WithdrawnCopy,
): Promise<DeliveredStudy> {
  for (const which of ["delivered", "last"] as const) {
    const report = await keptReportOf(store, job, which);
    const study = report && deliveredStudyOf(report);
    if (study?.pseudonym === pseudonym && study.studyInstanceUid === pseudoStudyInstanceUid)
      return { ...study, project };
  }
  const studyInstanceUid = parseStudyInstanceUid(pseudoStudyInstanceUid);
  return { project, pseudonym: parsePseudonym(pseudonym), studyInstanceUid, files: [] };
}
