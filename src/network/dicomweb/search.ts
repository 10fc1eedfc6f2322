import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { formatTagHex } from "../../dicom/tag.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../http-client/http-error.ts";
import { readJson } from "../http-client/read-body.ts";
import type { HttpClient } from "../http-client/types.ts";
import { dataSetOfMatch } from "./lenient-json.ts";
import { type QueryLevel, type SearchScope, searchPath } from "./resource.ts";

export interface Search extends SearchScope {
  /** Matching keys. PS3.18 8.3.4.1. */
  readonly matching: readonly (readonly [tag: Tag, value: string])[];
  /** Attributes to return beside those that always are. */
  readonly including: readonly Tag[];
  readonly maximumAnswers: number;
  /** Asked for at a time. @default 500 */
  readonly pageSize?: number;
  /** The server matches names and spellings loosely, where it can. */
  readonly fuzzy?: boolean;
}

const USUAL_PAGE_SIZE = 500;
const MAXIMUM_PAGES = 100_000;
const UID_OF_LEVEL: { readonly [L in QueryLevel]: Tag } = {
  STUDY: tags.StudyInstanceUID,
  SERIES: tags.SeriesInstanceUID,
  IMAGE: tags.SOPInstanceUID,
};

/**
 * QIDO-RS, page by page as answers are taken. PS3.18 10.6. Servers that heed no offset answer the same page again: it is noticed, and
 * what repeats is left out.
 * @throws GatewayError FIND_LIMIT_REACHED when more would come than was wanted (`by: us`) or the server says that it holds answers back
 * (`by: peer`); HttpError
 */
export async function* searchDicomWeb(
  client: HttpClient,
  search: Search,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  const { pageSize = USUAL_PAGE_SIZE, maximumAnswers } = search;
  const seen = new Set<string>();
  for (let page = 0; page < MAXIMUM_PAGES; page += 1) {
    const { matches, isCut } = await onePage(client, search, page * pageSize, pageSize, signal);
    const fresh = matches.filter((match) => isFresh(match, search.level, seen));
    for (const match of fresh) {
      if (seen.size > maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
      yield match;
    }
    if (matches.length < pageSize || fresh.length === 0) {
      if (isCut) throw new GatewayError("FIND_LIMIT_REACHED", { by: "peer" });
      return;
    }
  }
}

/** A match without its UID cannot be told from another: it counts by its position. */
function isFresh(match: DataSet, level: QueryLevel, seen: Set<string>): boolean {
  const uid = uidOf(match, UID_OF_LEVEL[level]) ?? `#${seen.size}`;
  if (seen.has(uid)) return false;
  seen.add(uid);
  return true;
}

interface Page {
  readonly matches: readonly DataSet[];
  readonly isCut: boolean;
}

async function onePage(
  client: HttpClient,
  search: Search,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Page> {
  const response = await client.request({
    path: searchPath(search),
    query: queryOf(search, offset, limit),
    headers: { Accept: "application/dicom+json" },
    // A study that is not there has nothing within it.
    accepts: (status) => status === 200 || status === 204 || status === 206 || status === 404,
    signal,
  });
  await using answer = response;
  // A server may end a list with what it would have to hold back. PS3.18 8.3.4.4.
  const isCut = /^299\b/.test(answer.headers.get("warning") ?? "");
  if (answer.status === 204 || answer.status === 404) return { matches: [], isCut };
  const json = await readJson(answer);
  if (json === undefined) return { matches: [], isCut };
  if (!Array.isArray(json)) throw new HttpError("HTTP_JSON_INVALID", { what: "no list" });
  return { matches: json.map(dataSetOfMatch), isCut };
}

function* queryOf(
  { matching, including, fuzzy }: Search,
  offset: number,
  limit: number,
): Generator<readonly [string, string]> {
  for (const [tag, value] of matching) yield [formatTagHex(tag), value];
  for (const tag of including) yield ["includefield", formatTagHex(tag)];
  if (fuzzy === true) yield ["fuzzymatching", "true"];
  yield ["limit", `${limit}`];
  if (offset > 0) yield ["offset", `${offset}`];
}
