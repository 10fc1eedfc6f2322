import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import type { Logger } from "../../units/logger.ts";
import { notFound } from "./errors.ts";
import { unexpectedStatus, type Xnat } from "./xnat.ts";
import { parseAnswer, textOrEmpty } from "./xnat-answer.ts";

/** DQR leaves out what is blank in the PACS: no field but the UID can be relied on. */

export const pacsStudy = z.object({
  studyInstanceUid: z.string(),
  studyDescription: textOrEmpty,
  accessionNumber: textOrEmpty,
  studyDate: textOrEmpty,
  modalitiesInStudy: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  referringPhysicianName: textOrEmpty,
  patient: z
    .object({ id: textOrEmpty, name: textOrEmpty, sex: textOrEmpty })
    .nullish()
    .transform((value) => value ?? { id: "", name: "", sex: "" }),
});
export type PacsStudy = z.infer<typeof pacsStudy>;

export const pacsStatus = z.object({
  pacsId: z.int(),
  successful: z.boolean(),
  pingTime: z.int(),
  created: z.int(),
  enabled: z.boolean(),
  timestamp: z.int(),
  id: z.int(),
  disabled: z.int(),
});

const registrations = z.array(z.object({ id: z.coerce.number() }));

/** Which PACS XNAT draws from: known once it was asked for, for XNAT numbers registrations for good. */
export interface PacsChoice {
  id(xnat: Xnat, signal: AbortSignal): Promise<number>;
}

/** @param fallback when XNAT lists none, or cannot be asked */
export function createPacsChoice(fallback: number, logger: Logger): PacsChoice {
  let known: number | undefined;
  return {
    async id(xnat, signal) {
      if (known !== undefined) return known;
      const answer = await xnat.json({ path: "xapi/pacs", signal }).catch((thrown: unknown) => {
        signal.throwIfAborted();
        logger.error("xnat could not be asked for its pacs; the configured one is used", {
          code: thrown instanceof GatewayError ? thrown.code : "INTERNAL",
        });
        return undefined;
      });
      const listed = registrations.safeParse(answer ?? []);
      const [first, ...others] = listed.success ? listed.data : [];
      if (first === undefined) {
        if (answer !== undefined) logger.error("xnat lists no pacs; the configured one is used");
        return fallback;
      }
      if (others.length > 0)
        logger.warn("xnat lists several pacs; the first one is used", { count: others.length + 1 });
      known = first.id;
      return known;
    },
  };
}

/** @throws HttpError 404 when XNAT has no such PACS; GatewayError of the exchange */
export async function pingPacs(xnat: Xnat, pacsId: number, signal: AbortSignal): Promise<z.infer<typeof pacsStatus>> {
  const { status, text } = await xnat.ask({ path: xnatPath("xapi", "pacs", `${pacsId}`, "status"), signal });
  if (status === 404) throw notFound(`PACS with ID '${pacsId}' not found.`);
  if (status !== 200) throw unexpectedStatus(status);
  return parseAnswer(pacsStatus, text, status);
}

/** @throws GatewayError FLIP_PACS_UNAVAILABLE, and as `pingPacs` */
export async function checkPacs(xnat: Xnat, pacsId: number, signal: AbortSignal): Promise<void> {
  const { successful, enabled } = await pingPacs(xnat, pacsId, signal);
  if (!successful || !enabled) throw new GatewayError("FLIP_PACS_UNAVAILABLE", { successful, enabled });
}

/** Studies under an accession number, as the PACS matches: it may fold letter case. */
export async function queryAccession(
  xnat: Xnat,
  pacsId: number,
  accessionNumber: string,
  signal: AbortSignal,
): Promise<readonly PacsStudy[]> {
  const answer = await xnat.json({
    method: "POST",
    path: "xapi/dqr/query/studies",
    json: { accessionNumber, pacsId, modality: "" },
    signal,
  });
  if (answer === undefined) return [];
  const studies = z.array(pacsStudy).safeParse(answer);
  if (!studies.success) throw new TransportError("HTTP_JSON_INVALID", { what: "shape" });
  return studies.data;
}

/** An accession number that leads to several studies: a person has to choose. Which they are is for the caller alone. */
export class AmbiguousAccessionError extends GatewayError {
  override readonly name = "AmbiguousAccessionError";
  readonly candidates: readonly PacsStudy[];

  constructor(candidates: readonly PacsStudy[]) {
    super("FLIP_ACCESSION_AMBIGUOUS", { studies: candidates.length });
    this.candidates = candidates;
  }
}

/** Studies under exactly this accession number, each once. */
export function candidatesOf(accession: string, studies: readonly PacsStudy[]): readonly PacsStudy[] {
  const exact = studies.filter(({ accessionNumber }) => accessionNumber === accession);
  return [...new Map(exact.toReversed().map((study) => [study.studyInstanceUid, study])).values()].toReversed();
}

/** The one study under exactly this accession number. @throws GatewayError FLIP_ACCESSION_NOT_FOUND, AmbiguousAccessionError */
export function chooseStudy(accession: string, studies: readonly PacsStudy[]): PacsStudy {
  const candidates = candidatesOf(accession, studies);
  const [study, ...others] = candidates;
  if (study === undefined) throw new GatewayError("FLIP_ACCESSION_NOT_FOUND", { studies: studies.length });
  if (others.length > 0) throw new AmbiguousAccessionError(candidates);
  return study;
}
