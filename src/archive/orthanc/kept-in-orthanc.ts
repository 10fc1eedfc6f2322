import { STATUS } from "../../network/dimse/status.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { withHeadersTimeout } from "../../network/http-client/with-headers-timeout.ts";
import { echoModality } from "../../network/rest/orthanc/modalities.ts";
import type { Clock } from "../../units/clock.ts";
import type { Archive } from "../archive.ts";
import { findStudies, listStudy } from "../dimse/query-study.ts";
import { fetchIntoOrthanc, searchedByOrthanc } from "./behind-orthanc.ts";

export interface KeptInOrthancOptions {
  readonly name: string;
  /** The Orthanc that fetches and keeps. Not closed with the archive. */
  readonly client: HttpClient;
  /** What the Orthanc calls the archive. */
  readonly modality: string;
  /** What the archive calls the Orthanc. */
  readonly targetAet: string;
  /** Retrievals at once. */
  readonly associations: number;
  readonly timeouts: {
    /** Of a search for studies. */
    readonly searchMs: number;
    /** Of a search within one. */
    readonly listMs: number;
  };
  readonly clock: Clock;
}

/** An archive that an Orthanc knows as a modality, and whose studies are to be kept in that Orthanc: nothing of them comes to us. */
export function createKeptInOrthanc(options: KeptInOrthancOptions): Archive {
  const { name, client, modality, targetAet, associations, timeouts, clock } = options;
  const within = (headersMs: number) => ({ client: withHeadersTimeout(client, headersMs), modality, targetAet, clock });
  const [searching, listing] = [within(timeouts.searchMs), within(timeouts.listMs)];
  return {
    name,
    kind: "orthanc",
    capabilities: { search: "itself", retrieves: "instance", connects: "archive" },
    associations,
    echo: (signal) => echoModality(searching.client, modality, signal),
    findStudies: (query, signal) => findStudies(searchedByOrthanc(searching), query, signal),
    find: (identifier, maximumAnswers, signal) =>
      searchedByOrthanc(searching).find({ model: "study-root", identifier, maximumAnswers }, signal),
    listStudy: (study, signal) => listStudy(searchedByOrthanc(listing), study, signal),
    async retrieve(request, signal) {
      await fetchIntoOrthanc(searching, request, NOTHING_HELD, signal);
      return { status: STATUS.success, completed: undefined, failed: undefined };
    },
    // It would be kept.
    rehearseRetrieval: () => Promise.resolve({ kind: "nothing-to-try" }),
    async [Symbol.asyncDispose]() {},
  };
}

/** Who asks names what is missing. */
const NOTHING_HELD: ReadonlySet<never> = new Set();
