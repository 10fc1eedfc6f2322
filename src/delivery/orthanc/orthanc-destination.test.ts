import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { startWebServer, type WebAnswer } from "../../../test/peers/dicomweb-server.ts";
import { deliveryOf, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { piecesSource } from "../../dicom/pieces-source.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { inspectInstance } from "../../network/instance-files/inspect.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { deliverStudy } from "../receipts.ts";
import { createOrthancDestination } from "./orthanc-destination.ts";

/** As Orthanc names its resources: a SHA-1 in five groups. */
const idOf = (uid: string): string => createHash("sha1").update(uid).digest("hex").match(/.{8}/g)?.join("-") ?? "";

type Behaviour = (uid: string, keep: () => void) => WebAnswer;

const json = (body: NonNullable<WebAnswer["body"]>): WebAnswer => ({
  headers: { "Content-Type": "application/json" },
  body,
});
const stored = (uid: string, status = "Success") => json({ ID: idOf(uid), Status: status });
const keeps: Behaviour = (uid, keep) => {
  keep();
  return stored(uid);
};

/** What Orthanc's REST interface answers of one study, and how often each instance came. */
async function startStore(behaviour: Behaviour) {
  const times = new Map<string, number>();
  const held = new Set<string>();
  const server = await startWebServer(async ({ path }, body) => {
    if (path === "/instances") {
      const { sopInstanceUid: uid } = await inspectInstance(piecesSource([await body()]));
      times.set(uid, (times.get(uid) ?? 0) + 1);
      return behaviour(uid, () => held.add(uid));
    }
    if (path === "/tools/find") {
      return json(held.size === 0 ? [] : [{ ID: idOf(STUDY), MainDicomTags: { StudyInstanceUID: STUDY } }]);
    }
    if (path.endsWith("/series")) {
      return json([{ ID: idOf(SERIES), MainDicomTags: { SeriesInstanceUID: SERIES }, Instances: [] }]);
    }
    const instances = [...held].map((uid) => ({
      ID: idOf(uid),
      ParentSeries: idOf(SERIES),
      MainDicomTags: { SOPInstanceUID: uid },
    }));
    return json(instances);
  });
  return { server, times, held };
}

async function deliver(url: string) {
  await using folder = await temporaryFolder();
  const client = openHttpClient({ baseUrl: url });
  await using destination = createOrthancDestination({ name: "rest", client, parallel: 2 });
  return await deliverStudy(destination, await deliveryOf(folder.path, 4), systemClock, neverAborted());
}

describe("an Orthanc as destination", () => {
  it("gets every instance once, however often the study is delivered", async () => {
    const { server, times } = await startStore(keeps);
    await using _server = server;
    expect(await deliver(server.url)).toMatchObject({ instances: 4, proof: "uids" });
    await deliver(server.url);
    expect([...times.values()]).toEqual([1, 1, 1, 1]);
  });

  it("that is cut off in the middle gets only what it lacks the next time", async () => {
    let left = 2;
    const { server, times, held } = await startStore((uid, keep) => {
      if (left === 0) throw new Error("cut");
      left -= 1;
      return keeps(uid, keep);
    });
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "HTTP_CONNECTION_LOST", class: "transient" });
    const before = [...held];
    left = 10;
    await deliver(server.url);
    for (const uid of before) expect(times.get(uid)).toBe(1);
    expect(held.size).toBe(4);
  });

  it("that holds an instance already has it", async () => {
    const { server } = await startStore((uid, keep) => {
      keep();
      return stored(uid, "AlreadyStored");
    });
    await using _server = server;
    expect(await deliver(server.url)).toMatchObject({ instances: 4 });
  });

  it("is not believed when it accepts and forgets", async () => {
    const { server } = await startStore((uid, keep) => (uid.endsWith("4") ? stored(uid) : keeps(uid, keep)));
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED", details: { lacking: 1 } });
  });

  it("whose filter keeps an instance out refuses it, and names it to programs only", async () => {
    const { server } = await startStore((uid, keep) =>
      uid.endsWith("1") ? stored(uid, "FilteredOut") : keeps(uid, keep),
    );
    await using _server = server;
    const error: unknown = await deliver(server.url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "DELIVERY_REFUSED", instances: ["2.25.3.1"] });
    expect(JSON.stringify(error)).not.toContain("2.25.3");
  });

  it.each<[string, WebAnswer, string]>([
    ["400", { status: 400 }, "HTTP_REFUSED"],
    ["507, its disk being full", { status: 507 }, "HTTP_SERVER_FAILED"],
    ["something of another shape", json({ ID: "../../1" }), "HTTP_JSON_INVALID"],
    ["a web page", { headers: { "Content-Type": "text/html" }, body: "<form>" }, "HTTP_CONTENT_UNEXPECTED"],
  ])("that answers %s is an error of its own", async (_, answer, code) => {
    const { server } = await startStore(() => answer);
    await using _server = server;
    await expect(deliver(server.url)).rejects.toMatchObject({ code });
  });
});
