import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import { readJson, readText } from "../../network/http-client/read-body.ts";
import type { HttpClient, HttpResponse } from "../../network/http-client/types.ts";
import type { Logger } from "../../units/logger.ts";
import { type Envelopes, isEnvelope } from "./envelope.ts";
import { CohortRefusedError } from "./errors.ts";
import { cleanAccessions, queryDigest } from "./hygiene.ts";

const accessionAnswer = z.object({ accession_ids: z.array(z.unknown()) });
const refusalAnswer = z.object({ detail: z.string() });
const MAXIMUM_REFUSAL_BYTES = 64 * 1024;

export interface DataAccess {
  /**
   * The accession numbers of a project's cohort: distinct, none that would match more than one study.
   * @param projectId is sealed before it is sent
   * @throws CohortRefusedError; GatewayError FLIP_ACCESSIONS_INVALID and those of the exchange
   */
  accessions(projectId: string, query: string, signal: AbortSignal): Promise<readonly string[]>;
}

export interface DataAccessOptions {
  /** Its base URL is that of the API. */
  readonly http: HttpClient;
  readonly serviceKey: { readonly header: string; readonly value: string };
  readonly envelopes: Envelopes;
  readonly logger: Logger;
}

export function createDataAccess({ http, serviceKey, envelopes, logger }: DataAccessOptions): DataAccess {
  return {
    async accessions(projectId, query, signal) {
      const sealed = envelopes.seal(projectId, "project_id");
      await using response = await http.request({
        method: "POST",
        path: "cohort/accession-ids",
        headers: { "Content-Type": "application/json", [serviceKey.header]: serviceKey.value },
        body: JSON.stringify({ encrypted_project_id: sealed, query }),
        accepts: (status) => status === 200 || status === 403,
        signal,
      });
      if (response.status === 403) throw new CohortRefusedError(await detailOf(response));
      const answer = accessionAnswer.safeParse(await readJson(response));
      if (!answer.success) throw new GatewayError("FLIP_ACCESSIONS_INVALID");
      const opened = answer.data.accession_ids.map((value) => openedAccession(value, envelopes));
      const { accessions, dropped, repeated } = cleanAccessions(opened);
      const of = { query: queryDigest(query), accessions: accessions.length };
      if (dropped > 0)
        logger.warn("accession numbers were dropped: blank, no text, or with wildcards", { ...of, count: dropped });
      if (repeated > 0) logger.info("accession numbers came more than once", { ...of, count: repeated });
      return accessions;
    },
  };
}

/** Its own words, when they are where they belong. */
async function detailOf(response: HttpResponse): Promise<string> {
  try {
    return refusalAnswer.parse(JSON.parse(await readText(response, MAXIMUM_REFUSAL_BYTES))).detail;
  } catch {
    return "";
  }
}

const CONTEXTS = ["accession_id", "project_id", ""] as const;

/** An accession number may come sealed. What does not open is nobody's accession number. */
function openedAccession(value: unknown, envelopes: Envelopes): unknown {
  if (typeof value !== "string" || !isEnvelope(value)) return value;
  for (const context of CONTEXTS) {
    try {
      return envelopes.open(value, context);
    } catch {
      // Sealed for another purpose, perhaps.
    }
  }
  return undefined;
}
