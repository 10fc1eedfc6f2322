import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import { readJson, readText } from "../../../network/http-client/read-body.ts";
import type { HttpRequest } from "../../../network/http-client/types.ts";

const PATH = "token-bucket-refresh-rate";
const TIMEOUTS = { connectMs: 10_000, headersMs: 10_000, idleMs: 10_000 } as const;
const LONGEST_ANSWER_BYTES = 65_536;
const rateShape = z.object({ rate: z.number() });

/** An imaging API or export API: the original's, or ours. */
export interface RateApi {
  /** `http://host:port` */
  readonly url: string;
  readonly signal?: AbortSignal;
}

/** Messages a second; 0 is a pause. @throws HttpError; GatewayError PIXL_API_REFUSED */
export async function getRefreshRate({ url, signal }: RateApi): Promise<number> {
  await using client = openHttpClient({ baseUrl: url, timeouts: TIMEOUTS });
  await using response = await client.request({ ...exactly200, path: PATH, signal });
  if (response.status !== 200) throw new GatewayError("PIXL_API_REFUSED", { status: response.status });
  const answer = rateShape.safeParse(await readJson(response));
  if (!answer.success) throw new GatewayError("PIXL_API_REFUSED", { status: response.status });
  return answer.data.rate;
}

/** @throws HttpError; GatewayError PIXL_API_REFUSED for any answer but 200, as PIXL's command line has it */
export async function setRefreshRate(rate: number, { url, signal }: RateApi): Promise<void> {
  await using client = openHttpClient({ baseUrl: url, timeouts: TIMEOUTS });
  await using response = await client.request({
    ...exactly200,
    method: "POST",
    path: PATH,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ rate }),
    signal,
  });
  await readText(response, LONGEST_ANSWER_BYTES);
  if (response.status !== 200) throw new GatewayError("PIXL_API_REFUSED", { status: response.status });
}

/** Every status is looked at here. */
const exactly200: Pick<HttpRequest, "accepts"> = { accepts: () => true };
