import { landedById, refuseShell, shortSeries } from "../../archive/xnat-dqr/landed.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { querySeries } from "../../network/rest/xnat/dqr.ts";
import { findSession } from "../../network/rest/xnat/sessions.ts";
import { concurrently } from "../../units/concurrently.ts";
import { labelOfAccession } from "./hygiene.ts";
import type { RetrievalServices } from "./retrieval.ts";
import type { Xnat } from "./xnat.ts";

/** Whether what XNAT has of a study is all that the PACS has of it. */
export interface Completeness {
  readonly accession: string;
  /** `empty`: the catalogue names files that are not there. `unknown`: the PACS counts nothing, or somebody would not say. */
  readonly verdict: "complete" | "partial" | "empty" | "unknown";
  /** Instances that the PACS counts, where it counts all series. */
  readonly expected?: number;
  readonly found?: number;
  readonly code?: ErrorCode;
}

/** A label alone says nothing of what is behind it: each session is compared with the PACS, several at once. In the order of the list. */
export async function checkCompleteness(
  services: RetrievalServices,
  { xnat, projectId, signal }: { readonly xnat: Xnat; readonly projectId: string; readonly signal: AbortSignal },
  accessions: readonly string[],
): Promise<readonly Completeness[]> {
  const found: Completeness[] = [];
  const pacsId = await services.pacs.id(xnat, signal);
  await concurrently(accessions.entries(), services.settings.pacsQueries.atOnce, async ([index, accession]) => {
    signal.throwIfAborted();
    found[index] = await checkOne(accession, { xnat, projectId, pacsId, signal }).catch((thrown: unknown) => {
      signal.throwIfAborted();
      const { code } = toGatewayError(thrown);
      return { accession, verdict: code === "XNAT_SESSION_EMPTY" ? "empty" : "unknown", code };
    });
  });
  return found;
}

interface Place {
  readonly xnat: Xnat;
  readonly projectId: string;
  readonly pacsId: number;
  readonly signal: AbortSignal;
}

async function checkOne(accession: string, { xnat, projectId, pacsId, signal }: Place): Promise<Completeness> {
  const { http } = xnat;
  const session =
    (await findSession(http, projectId, accession, signal)) ??
    (await findSession(http, projectId, labelOfAccession(accession), signal));
  if (session?.uid === undefined) return { accession, verdict: "unknown" };
  const landed = await landedById(http, session.id, signal);
  await refuseShell(http, landed, signal);
  const series = await querySeries(http, { pacsId, studyInstanceUid: session.uid }, signal);
  const wanted = new Map(series.map((each) => [each.seriesInstanceUid, each.numberOfRelatedInstances ?? undefined]));
  const files = landed.series.reduce((sum, each) => sum + each.files.length, 0);
  const counts = [...wanted.values()].filter((count) => count !== undefined);
  const isCounted = wanted.size > 0 && counts.length === wanted.size;
  const facts = {
    accession,
    found: files,
    ...(isCounted ? { expected: counts.reduce((sum, count) => sum + count, 0) } : {}),
  };
  if (shortSeries(landed, wanted).length > 0) return { ...facts, verdict: "partial" };
  return { ...facts, verdict: isCounted ? "complete" : "unknown" };
}
