import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import type { Clock } from "../../../units/clock.ts";
import { seededRandom } from "../../../units/random.ts";
import { openHttpClient } from "../../http-client/http-client.ts";
import type { HttpClientOptions } from "../../http-client/types.ts";
import { openInstanceFolder } from "../../instance-files/instance-folder.ts";
import { createRad69Client, type Rad69ClientOptions } from "../client.ts";
import type { InstanceReference } from "../request.ts";
import { type ResponderOptions, startRad69Responder } from "../responder/responder.ts";
import { type RetrieveOptions, retrieveInstances } from "../retrieve.ts";
import { sourceOf } from "./instances.ts";

/** Sleeping takes no time. */
const instantClock: Clock = { nowMs: () => 0, sleep: async (_, signal) => signal?.throwIfAborted() };

type Instances = Parameters<typeof sourceOf>[0];

export interface Rehearsal {
  /** What the source holds. */
  readonly held: Instances;
  /** What is asked for; absent: all of it. */
  readonly asked?: readonly InstanceReference[] | undefined;
  readonly responder?: Partial<ResponderOptions> | undefined;
  readonly http?: Partial<HttpClientOptions> | undefined;
  readonly client?: Partial<Rad69ClientOptions> | undefined;
  readonly retrieve?: RetrieveOptions<string> | undefined;
  readonly clock?: Clock | undefined;
}

/** A retrieval from a responder into a folder, and what there was to see. Waiting takes no time. */
export async function rehearse(rehearsal: Rehearsal) {
  const { held, asked = held, responder, http, client, clock = instantClock } = rehearsal;
  await using folder = await temporaryFolder();
  /** UIDs of every request, in order. */
  const requests: (readonly string[])[] = [];
  await using running = await startRad69Responder({
    source: sourceOf(held),
    random: seededRandom(2),
    ...responder,
    async alter(plan, request) {
      requests.push(request.documents.map(({ documentUniqueId }) => documentUniqueId));
      return (await responder?.alter?.(plan, request)) ?? plan;
    },
  });
  await using opened = openHttpClient({ baseUrl: running.url, ...http });
  const rad69 = createRad69Client({ http: opened, url: running.url, clock, random: seededRandom(3), ...client });
  const store = await openInstanceFolder(folder.path, clock);
  const { outcomes, ...counts } = await retrieveInstances(rad69, asked, store, { attempts: 1, ...rehearsal.retrieve });
  const files = (await readdir(folder.path)).sort();
  const wrong: string[] = [];
  for (const { sopInstanceUid, file } of held) {
    const name = `${sopInstanceUid}.dcm`;
    if (files.includes(name) && !file.equals(await readFile(join(folder.path, name)))) wrong.push(name);
  }
  const delivered = [...outcomes].filter(([, { state }]) => state === "delivered").map(([uid]) => uid);
  const codes = [...outcomes.values()].flatMap((one) => (one.state === "failed" ? [one.error.code] : []));
  return {
    outcomes,
    ...counts,
    asked: requests,
    files,
    /** Files whose bytes are not those of the source: there must be none. */
    wrong,
    delivered,
    codes,
  };
}
