import { afterAll, describe, expect, it } from "vitest";
import { openScannerSite, PULSEQ } from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());
const { exam, request } = site;

describe("sequences", () => {
  it("come back as they were, in JSON and byte for byte (A19)", async () => {
    const id = await site.addSequence();
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    const answer = await request("GET", `${exam}/sequence/${id}`);
    expect(answer.body).toMatchObject({
      _id: id,
      name: "gre",
      seq_file: PULSEQ.toString("utf8"),
      seq_file_extension: ".seq",
      tags: ["a"],
      xml_file: null,
    });
    const file = await request("GET", `${exam}/sequence/${id}/file?name=gre`);
    expect([file.headers.get("content-disposition"), file.body]).toEqual([
      "attachment; filename=gre.seq",
      PULSEQ.toString("utf8"),
    ]);
  });

  it("that are no text go as base64, and say so", async () => {
    const bytes = Buffer.concat([PULSEQ, Buffer.from([0xff, 0xfe, 0x00])]);
    const id = await site.addSequence(bytes);
    const answer = await request("GET", `${exam}/sequence/${id}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { seq_file_encoding: "base64", seq_file: bytes.toString("base64") },
    });
  });

  it("are refused when they are no Pulseq file though they say so, or empty", async () => {
    for (const file of [Buffer.from("hello"), Buffer.alloc(0)]) expect(await site.addSequence(file)).toBeUndefined();
  });

  it("need no more than a name, and are saved under the usual one when none is asked for", async () => {
    const form = new FormData();
    form.set("seq_file", new File([Uint8Array.from(PULSEQ)], "gre.seq"));
    form.set("xml_file", new File(["<ismrmrdHeader/>"], "gre.xml"));
    form.set("name", "gre");
    const headers = { authorization: `Bearer ${site.token}` };
    const answer = await fetch(`${exam}/sequence`, { method: "POST", body: form, headers });
    const sequence = (await answer.json()) as { readonly _id: string };
    expect([answer.status, answer.headers.get("content-type")]).toEqual([201, "application/json"]);
    expect(sequence).toMatchObject({ name: "gre", description: "", sequence_type: "", tags: [] });
    const url = `${exam}/sequence/${sequence._id}`;
    for (const [what, name] of [
      ["file", "sequence.seq"],
      ["header", "header.xml"],
    ]) {
      const { status, headers } = await request("GET", `${url}/${what}`);
      expect([status, headers.get("content-disposition")]).toEqual([200, `attachment; filename=${name}`]);
    }
  });

  it("are listed with their text, which ScanHub's pages show from there", async () => {
    const id = await site.addSequence();
    expect((await request("GET", `${exam}/sequences/all`)).body).toContainEqual(
      expect.objectContaining({ _id: id, seq_file: PULSEQ.toString("utf8") }),
    );
  });

  it("are listed, changed and deleted", async () => {
    const id = await site.addSequence();
    const url = `${exam}/sequence/${id}`;
    expect((await request("PUT", url, { body: { name: "", description: "new" } })).body).toMatchObject({
      name: "gre",
      description: "new",
    });
    expect((await request("GET", `${exam}/sequences/all`)).body).toContainEqual(expect.objectContaining({ _id: id }));
    expect(await request("GET", `${url}/header?name=x`)).toMatchObject({
      status: 404,
      body: { detail: "No MRD header available" },
    });
    expect((await request("DELETE", url)).status).toBe(202);
    expect(await request("DELETE", url)).toMatchObject({ status: 404, body: { detail: "MRI sequence not found" } });
  });
});
