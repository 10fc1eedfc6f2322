import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { introduceModality, startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { findPythonPeers, requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { openPushSite } from "../support/push-site.ts";
import { ctStudy } from "../support/rehearsal.ts";

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
});
