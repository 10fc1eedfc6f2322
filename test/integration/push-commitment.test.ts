import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { STORAGE_COMMITMENT_SOP_CLASS } from "../../src/network/dimse/service-classes.ts";
import type { CommitmentResult } from "../../src/network/dimse/service-types.ts";
import { freePort } from "../peers/free-port.ts";
import { introduceModality, startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { findPythonPeers, requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { outgoingSample, sampleCt } from "../peers/sample-objects.ts";
import { openPushSite } from "../support/push-site.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { makeSite, PROJECT } from "../support/site.ts";

const hasOrthanc = requirePeer("Orthanc");
const python = requirePythonPeers() ? findPythonPeers() : undefined;
const RULES = [
  { name: "trial", callingAeTitles: ["ORTHANC"], project: "trial" },
  { name: "other", modalities: ["MR"], project: "other" },
];

async function jsonOf(url: string, body?: unknown): Promise<Record<string, unknown>> {
  const asked = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return (await (await fetch(url, asked)).json()) as Record<string, unknown>;
}

describe("a gateway that is asked for storage commitment", () => {
  it.skipIf(!hasOrthanc)("commits to what Orthanc sent, over an association of its own", async () => {
    await using orthanc = await startOrthanc({ aeTitle: "ORTHANC" });
    await using site = await openPushSite({ rules: RULES, commitTo: [`ORTHANC@127.0.0.1:${orthanc.port}`] });
    await introduceModality(orthanc, "gateway", { aeTitle: "RADFERRY", port: site.dicomPort });
    const url = `http://127.0.0.1:${orthanc.httpPort}`;
    const { instances } = ctStudy(301);
    const ids: unknown[] = [];
    for (const { file } of instances) {
      const answer = await fetch(`${url}/instances`, { method: "POST", body: new Uint8Array(file) });
      ids.push(((await answer.json()) as { readonly ID: string }).ID);
    }
    await jsonOf(`${url}/modalities/gateway/store`, { Resources: ids.slice(1), Synchronous: true });
    const wanted = instances.map(({ sopClassUid, sopInstanceUid }) => ({
      SOPClassUID: sopClassUid,
      SOPInstanceUID: sopInstanceUid,
    }));
    const asked = await jsonOf(`${url}/modalities/gateway/storage-commitment`, { DicomInstances: wanted });
    const report = (): Promise<Record<string, unknown>> => jsonOf(url + String(asked.Path));
    await expect.poll(async () => (await report()).Status, { timeout: 15_000 }).toBe("Failure");
    const { Success: committed, Failures: failed } = await report();
    expect(committed).toHaveLength(instances.length - 1);
    expect(failed).toMatchObject([{ SOPInstanceUID: instances[0]?.sopInstanceUid, FailureReason: 0x0112 }]);
    await jsonOf(`${url}/modalities/gateway/store`, { Resources: ids, Synchronous: true });
    const again = await jsonOf(`${url}/modalities/gateway/storage-commitment`, { DicomInstances: wanted });
    await expect.poll(async () => (await jsonOf(url + String(again.Path))).Status, { timeout: 15_000 }).toBe("Success");
  });

  it.skipIf(python === undefined)("answers others over the association that asks", async () => {
    await using site = await openPushSite({ rules: RULES });
    const [first] = ctStudy(302).instances;
    if (first === undefined) throw new Error("no instance");
    const body = Buffer.concat([Buffer.from("--B\r\n\r\n"), first.file, Buffer.from("\r\n--B--")]);
    const headers = { "content-type": "multipart/related; boundary=B" };
    await site.api.call("POST", "//dicomweb/studies", { body, headers });
    const script = join(import.meta.dirname, "..", "peers", "pynetdicom-commit.py");
    const references = [first.sopClassUid, first.sopInstanceUid, "1.2.3.4"];
    const args = [script, String(site.dicomPort), "CT9", "RADFERRY", ...references];
    const { output } = await runProgram(python ?? "", args, site.folder);
    expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toEqual({
      status: 0x0000,
      event: 2,
      same: true,
      committed: [first.sopInstanceUid],
      failed: [0x0112],
    });
  });

  it("tells the sender after its next start when it is killed before it could", async () => {
    const [dicomPort, senderPort] = [await freePort(), await freePort()];
    const rules = [{ name: "all", project: PROJECT }];
    await using site = await makeSite({
      dicomPort,
      archives: [],
      intake: { quietSeconds: 3_600, rules, commitTo: [`CT1@127.0.0.1:${senderPort}`] },
    });
    // Takes the connection that is to bring the result, and says nothing.
    const silent = createServer().listen(senderPort, "127.0.0.1");
    const connected = once(silent, "connection");
    const instance = sampleCt(1, 1, 1);
    const transferSyntaxUids = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
    const sender = parseAeTitle("CT1");
    const sent = [{ sopClassUid: instance.sopClassUid, sopInstanceUid: instance.sopInstanceUid }];
    {
      await using service = await site.serve();
      await using association = await openAssociation({
        address: { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port: dicomPort },
        callingAeTitle: sender,
        contexts: [STORAGE_COMMITMENT_SOP_CLASS, instance.sopClassUid].map((abstractSyntaxUid) => ({
          abstractSyntaxUid,
          transferSyntaxUids,
        })),
      });
      expect(await association.store(outgoingSample(instance))).toEqual({ status: 0x0000 });
      expect(await association.requestCommitment({ transactionUid: "1.2.3", instances: sent })).toEqual({
        status: 0x0000,
      });
      const [socket] = await connected;
      await service.kill();
      socket.destroy();
    }
    silent.close();
    await once(silent, "close");
    const told = Promise.withResolvers<CommitmentResult>();
    const commitmentResult = (result: CommitmentResult): boolean => {
      told.resolve(result);
      return true;
    };
    await using _sender = await startDimseServer({
      ...{ host: "127.0.0.1", port: senderPort, aeTitle: sender },
      handlers: { commitmentResult },
    });
    await using _service = await site.serve();
    expect(await told.promise).toEqual({ transactionUid: "1.2.3", committed: sent, failed: [] });
  }, 60_000);
});
