import { describe, expect, it } from "vitest";
import { startWebServer, type WebAnswer, type WebRequest } from "../../../test/peers/dicomweb-server.ts";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { piecesSource } from "../../dicom/pieces-source.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { inspectInstance } from "../../network/instance-files/inspect.ts";
import { readMultipart } from "../../network/multipart/reader.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemRandom } from "../../units/random.ts";
import { deliverStudy } from "../receipts.ts";
import { createStowDestination } from "./stow-destination.ts";

const FIRST = "2.25.3.1";

/** The UIDs of what comes in a request. */
async function uidsOf({ headers }: WebRequest, body: Buffer): Promise<readonly string[]> {
  const uids: string[] = [];
  const pieces = async function* () {
    yield body;
  };
  const boundary = /boundary=(.*)$/.exec(headers["content-type"] ?? "")?.[1];
  for await (const part of readMultipart(pieces(), { boundary })) {
    const bytes: Uint8Array[] = [];
    await part.pipe((more) => void bytes.push(...more));
    uids.push((await inspectInstance(piecesSource(bytes))).sopInstanceUid);
  }
  return uids;
}

const items = (uids: readonly string[], reason?: number) =>
  uids.map((uid) => ({
    "00081155": { vr: "UI", Value: [uid] },
    ...(reason === undefined ? {} : { "00081197": { vr: "US", Value: [reason] } }),
  }));

/** What a service does with a request that has come: it may keep what it likes. */
type Behaviour = (uids: readonly string[], keep: (uids: readonly string[]) => void) => WebAnswer;

const keepsAll: Behaviour = (uids, keep) => {
  keep(uids);
  return { body: { "00081199": { vr: "SQ", Value: items(uids) } } };
};

const refuses =
  (reason: number): Behaviour =>
  (uids, keep) => {
    const others = uids.filter((uid) => uid !== FIRST);
    keep(others);
    const failed = { "00081198": { vr: "SQ", Value: items([FIRST], reason) } };
    return { status: 202, body: { ...failed, "00081199": { vr: "SQ", Value: items(others) } } };
  };

/** A store that behaves as it is told, and counts how often each instance came. */
async function startStore(behaviour: () => Behaviour, studyListed?: string) {
  const times = new Map<string, number>();
  const held = new Set<string>();
  const keep = (uids: readonly string[]): void => {
    for (const uid of uids) held.add(uid);
  };
  const server = await startWebServer(async (request, body) => {
    if (request.method === "GET") {
      const offset = Number(request.query.get("offset") ?? 0);
      const ofStudy = studyListed === undefined ? {} : { "0020000D": { vr: "UI", Value: [studyListed] } };
      return {
        body: [...held].slice(offset).map((uid) => ({ ...ofStudy, "00080018": { vr: "UI", Value: [uid] } })),
      };
    }
    const uids = await uidsOf(request, await body());
    for (const uid of uids) times.set(uid, (times.get(uid) ?? 0) + 1);
    return behaviour()(uids, keep);
  });
  return { server, times, held, keep };
}

async function deliver(url: string, count = 4) {
  await using folder = await temporaryFolder();
  const client = openHttpClient({ baseUrl: url });
  await using destination = createStowDestination({ name: "stow", client, random: systemRandom });
  return await deliverStudy(destination, await deliveryOf(folder.path, count), systemClock, neverAborted());
}

describe("a DICOMweb service as destination", () => {
  it("gets every instance once, however often the study is delivered", async () => {
    const store = await startStore(() => keepsAll);
    await using server = store.server;
    expect(await deliver(server.url)).toMatchObject({ instances: 4, proof: "uids" });
    expect(await deliver(server.url)).toMatchObject({ instances: 4 });
    expect([...store.times.values()]).toEqual([1, 1, 1, 1]);
  });

  it("gets only what it does not hold", async () => {
    const store = await startStore(() => keepsAll);
    await using server = store.server;
    store.keep([FIRST]);
    await deliver(server.url);
    expect([...store.times.keys()].sort()).toEqual(["2.25.3.2", "2.25.3.3", "2.25.3.4"]);
  });

  it("that is cut off in the middle gets only what it lacks the next time", async () => {
    let isMended = false;
    const cuts: Behaviour = (uids, keep) => {
      keep(uids.slice(0, 2));
      throw new Error("cut");
    };
    const store = await startStore(() => (isMended ? keepsAll : cuts));
    await using server = store.server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "HTTP_CONNECTION_LOST", class: "transient" });
    isMended = true;
    await deliver(server.url);
    expect([...store.times]).toEqual([
      ["2.25.3.1", 1],
      ["2.25.3.2", 1],
      ["2.25.3.3", 2],
      ["2.25.3.4", 2],
    ]);
  });

  it("is asked what it holds when it says nothing of what came", async () => {
    const silent: Behaviour = (uids, keep) => {
      keep(uids);
      return { status: 200 };
    };
    const { server } = await startStore(() => silent);
    await using _server = server;
    expect(await deliver(server.url)).toMatchObject({ instances: 4 });
  });

  it.each<[string, Behaviour]>([
    ["everything", (uids) => ({ body: { "00081199": { vr: "SQ", Value: items(uids) } } })],
    ["one", (uids, keep) => keepsAll(uids, (all) => keep(all.slice(1)))],
  ])("is not believed when it accepts and forgets %s", async (_, behaviour) => {
    const { server } = await startStore(() => behaviour);
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous" });
  });

  it.each([
    [0xa700, "DELIVERY_REFUSED_FOR_NOW", "transient"],
    [0xa7ff, "DELIVERY_REFUSED_FOR_NOW", "transient"],
    [0xa900, "DELIVERY_REFUSED", "permanent"],
    [0xc122, "DELIVERY_REFUSED", "permanent"],
    [0x0110, "DELIVERY_REFUSED", "permanent"],
    [0x0122, "DELIVERY_REFUSED", "permanent"],
  ])(
    "that gives %i as its reason is a case of %s, which names the instance to programs only",
    async (reason, code, errorClass) => {
      const { server } = await startStore(() => refuses(reason));
      await using _server = server;
      const error: unknown = await deliver(server.url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, class: errorClass, instances: [FIRST], details: { failed: 1 } });
      expect(JSON.stringify(error)).not.toContain(FIRST);
    },
  );

  it("that refuses one instance for now and another for good is not tried again", async () => {
    const failed = [...items([FIRST], 0xa700), ...items(["2.25.3.2"], 0xa900)];
    const { server } = await startStore(() => () => ({
      status: 202,
      body: { "00081198": { vr: "SQ", Value: failed } },
    }));
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "DELIVERY_REFUSED", details: { failed: 2 } });
  });

  it("that refuses an instance and gives no reason has not taken it", async () => {
    const failed = { "00081198": { vr: "SQ", Value: items([FIRST]) } };
    const { server } = await startStore(() => () => ({ status: 202, body: failed }));
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "DELIVERY_REFUSED", details: { failed: 1 } });
  });

  it("that says it has an instance already is believed when it lists it", async () => {
    const hasIt: Behaviour = (uids, keep) => {
      keep(uids);
      return refuses(0x0111)(uids, keep);
    };
    const { server } = await startStore(() => hasIt);
    await using _server = server;
    expect(await deliver(server.url)).toMatchObject({ instances: 4 });
  });

  it("that lists what it got in another study has not confirmed it", async () => {
    const store = await startStore(() => keepsAll, "2.25.999");
    await using server = store.server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED" });
  });

  it("that finds a request too large gets smaller ones", async () => {
    const most2: Behaviour = (uids, keep) => (uids.length > 2 ? { status: 413 } : keepsAll(uids, keep));
    const store = await startStore(() => most2);
    await using server = store.server;
    expect(await deliver(server.url, 5)).toMatchObject({ instances: 5 });
    expect(store.server.requests.filter(({ method }) => method === "POST").length).toBe(5);
  });

  it("that finds every instance too large is not asked for ever", async () => {
    const { server } = await startStore(() => () => ({ status: 413 }));
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "HTTP_REFUSED", status: 413 });
    expect(server.requests.filter(({ method }) => method === "POST").length).toBe(3);
  });

  it("that asks to be left alone says for how long", async () => {
    const { server } = await startStore(() => () => ({ status: 503, headers: { "Retry-After": "90" } }));
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "HTTP_UNAVAILABLE", retryAfterMs: 90_000 });
  });
});
