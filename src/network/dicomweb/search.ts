import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { formatTagHex } from "../../dicom/tag.ts";
import { uidOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError } from "../http-client/http-error.ts";
import { readJson } from "../http-client/read-body.ts";
import type { HttpClient, HttpResponse } from "../http-client/types.ts";
import { dataSetOfMatch } from "./lenient-json.ts";
import { type QueryLevel, type SearchScope, searchPath } from "./resource.ts";

export interface Search extends SearchScope {
  /** Matching keys. PS3.18 8.3.4.1. */
  readonly matching: readonly (readonly [tag: Tag, value: string])[];
  /** Attributes to return beside those that always are. */
  readonly including: readonly Tag[];
  readonly maximumAnswers: number;
  /** Asked for at a time. @default 200, the most that some servers take */
  readonly pageSize?: number;
  /** The server matches names and spellings loosely, where it can. */
  readonly fuzzy?: boolean;
}

const USUAL_PAGE_SIZE = 200;
const MAXIMUM_PAGES = 100_000;
const UID_OF_LEVEL: { readonly [L in QueryLevel]: Tag } = {
  STUDY: tags.StudyInstanceUID,
  SERIES: tags.SeriesInstanceUID,
  IMAGE: tags.SOPInstanceUID,
};

/**
 * QIDO-RS, page by page as answers are taken. PS3.18 10.6. Servers that heed no offset answer the same page again: it is noticed,
 * what repeats is left out, and what a full page may lack is asked for at once. Servers that give less at once than they were asked for, and say that there is more, are asked for it.
 * @throws GatewayError FIND_LIMIT_REACHED when more would come than was wanted (`by: us`) or the server holds answers back and does not
 * give them when asked (`by: peer`); HttpError
 */
export async function* searchDicomWeb(
  client: HttpClient,
  search: Search,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  const { maximumAnswers } = search;
  const most = maximumAnswers + 1;
  let limit = Math.min(search.pageSize ?? USUAL_PAGE_SIZE, most);
  const seen = new Set<string>();
  let given = 0;
  let offset = 0;
  for (let page = 0; page < MAXIMUM_PAGES; page += 1) {
    const { matches, maybeMore } = await onePage(client, search, offset, limit, signal);
    offset += matches.length;
    const fresh = matches.filter((match) => isFresh(match, search.level, seen));
    for (const match of fresh) {
      if (given === maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
      given += 1;
      yield match;
    }
    if (fresh.length > 0 && (maybeMore || matches.length >= limit)) continue;
    // The same again: no offset brings what is held back.
    if (matches.length > 0 && maybeMore) throw new GatewayError("FIND_LIMIT_REACHED", { by: "peer" });
    if (matches.length !== limit || limit === most) return;
    // A full page again: a server that heeds the limit alone has the rest.
    limit = most;
    offset = 0;
  }
}

/** A match without its UID cannot be told from another: it counts by its position. */
function isFresh(match: DataSet, level: QueryLevel, seen: Set<string>): boolean {
  const uid = uidOf(match, UID_OF_LEVEL[level]) ?? `#${seen.size}`;
  if (seen.has(uid)) return false;
  seen.add(uid);
  return true;
}

/** 206: part of the list only, of older editions. PS3.18-2016a 6.7.1.2. */
const ANSWERED: ReadonlySet<number> = new Set([200, 204, 206]);

/** Of what there is to warn, the number tells nothing: the next page shows whether there is more. PS3.18 8.3.4.2, 8.3.4.4. */
const MAY_BE_MORE = /\b299\b/;

interface Page {
  readonly matches: readonly DataSet[];
  readonly maybeMore: boolean;
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
    // A study that is not there has nothing within it; at the root it is the base URL that leads nowhere.
    accepts: (status) => ANSWERED.has(status) || (status === 404 && search.studyInstanceUid !== undefined),
    signal,
  });
  await using answer = response;
  const maybeMore = answer.status === 206 || MAY_BE_MORE.test(answer.headers.get("warning") ?? "");
  if (answer.status === 204 || answer.status === 404) return { matches: [], maybeMore };
  const json = await readJson(answer);
  if (json === undefined && !hasKnownEnd(answer)) throw new HttpError("HTTP_CONNECTION_LOST", { what: "cut short" });
  if (json === undefined) return { matches: [], maybeMore };
  if (!Array.isArray(json)) throw new HttpError("HTTP_JSON_INVALID", { what: "no list" });
  return { matches: json.map(dataSetOfMatch), maybeMore };
}

/** A body that ends with its connection may have been cut: with nothing in it, it does not say that nothing was found. RFC 9112 8. */
function hasKnownEnd({ headers }: HttpResponse): boolean {
  return headers.has("content-length") || headers.has("transfer-encoding");
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
