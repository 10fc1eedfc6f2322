import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../../test/support/cli.ts";
import { startHttpServer } from "../../../../test/support/http-server.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { type ResponderOptions, startRad69Responder } from "../../../network/ihe/responder/responder.ts";
import { type Fault, missing, registryError } from "../../../network/ihe/testing/faults.ts";
import { someInstances, sourceOf } from "../../../network/ihe/testing/instances.ts";

const held = someInstances(2, 2);
const [first, second] = held;
if (first === undefined || second === undefined) throw new Error("no instances");
const poison = second;

const noWait = { nowMs: () => Date.now(), sleep: () => Promise.resolve() };

/** Runs the verb against a responder that holds the four; the list of wanted instances is `wanted.tsv`. */
async function retrieve(args: readonly string[], options: Partial<ResponderOptions> = {}, asked = held) {
  await using folder = await temporaryFolder();
  const sizes: number[] = [];
  await using responder = await startRad69Responder({
    source: sourceOf(held),
    ...options,
    async alter(plan, request) {
      sizes.push(request.documents.length);
      return (await options.alter?.(plan, request)) ?? plan;
    },
  });
  const list = asked.map((one) => [one.studyInstanceUid, one.seriesInstanceUid, one.sopInstanceUid].join("\t"));
  await writeFile(join(folder.path, "wanted.tsv"), list.join("\n"));
  const given = args.length > 0 && args.includes("--instance") ? args : ["--instances", "wanted.tsv", ...args];
  const world = { workingFolder: folder.path, clock: noWait };
  const result = await runCli(["dicom", "rad69", responder.url, "--out", "got", ...given], world);
  const files = await readdir(join(folder.path, "got")).catch((): string[] => []);
  for (const { sopInstanceUid, file } of held) {
    const name = `${sopInstanceUid}.dcm`;
    if (files.includes(name)) expect(file.equals(await readFile(join(folder.path, "got", name)))).toBe(true);
  }
  return { ...result, files: files.sort(), sizes };
}

const nameOf = ({ sopInstanceUid }: { readonly sopInstanceUid: string }): string => `${sopInstanceUid}.dcm`;

describe("dicom rad69", () => {
  it("retrieves a list of instances, one request for each series", async () => {
    const { exitCode, stdout, stderr, files, sizes } = await retrieve([]);
    expect({ exitCode, stderr, sizes }).toEqual({ exitCode: 0, stderr: "", sizes: [2, 2] });
    expect(stdout).toBe("4 of 4 instances retrieved, in 2 requests\n");
    expect(files).toEqual(held.map(nameOf).sort());
  });

  it.each([
    ["--single", [4]],
    ["--per-series --parallel 4", [2, 2]],
    ["--parallel 4", [1, 1, 1, 1]],
    ["--request plain", [2, 2]],
  ])("with %s asks for as many at once", async (flags, sizes) => {
    const result = await retrieve(flags.split(" "));
    expect({ exitCode: result.exitCode, sizes: result.sizes }).toEqual({ exitCode: 0, sizes });
  });

  it("retrieves the instances of one series that it is given", async () => {
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = first;
    const args = ["--study", studyInstanceUid, "--series", seriesInstanceUid, "--instance", sopInstanceUid];
    const { exitCode, files } = await retrieve(args);
    expect({ exitCode, files }).toEqual({ exitCode: 0, files: [nameOf(first)] });
  });

  it("accounts for every instance, keeps what came, and says 3", async () => {
    const error = registryError("XDSDocumentUniqueIdError", poison.sopInstanceUid);
    const alter: Fault = (plan) =>
      plan.documents.some(({ documentUniqueId }) => documentUniqueId === poison.sopInstanceUid)
        ? missing(poison.sopInstanceUid, [error])(plan)
        : plan;
    const { exitCode, stdout, files } = await retrieve(["--json"], { alter });
    const document: unknown = JSON.parse(stdout);
    expect(exitCode).toBe(3);
    expect(files).toEqual(
      held
        .filter((one) => one !== poison)
        .map(nameOf)
        .sort(),
    );
    expect(document).toMatchObject({ requested: 4, delivered: 3, failed: 1, ignored: 0, requests: 2 });
    expect(document).toMatchObject({
      instances: expect.arrayContaining([
        { sopInstanceUid: first.sopInstanceUid, state: "delivered", file: nameOf(first), sizeBytes: first.file.length },
        expect.objectContaining({
          sopInstanceUid: poison.sopInstanceUid,
          state: "failed",
          code: "RAD69_DOCUMENT_MISSING",
          errors: [error],
        }),
      ]),
    });
    for (const code of ["XDSDocumentUniqueIdError", "RAD69_DOCUMENT_MISSING"]) {
      expect((await retrieve(["--ignore", code], { alter })).exitCode).toBe(0);
    }
    expect((await retrieve([], { alter })).stdout).toContain("1 failed: The imaging document source does not hold");
  });

  it("says 1 when nothing came, and names no instance to people", async () => {
    const refused: Fault = (plan) => ({ ...plan, httpStatus: 401, contentType: "text/html", framing: "plain" });
    const { exitCode, stdout, stderr, files, sizes } = await retrieve([], { alter: refused });
    expect({ exitCode, files, count: sizes.length }).toEqual({ exitCode: 1, files: [], count: 1 });
    expect(stdout).toContain("4 failed: The peer does not accept our credentials. [HTTP_UNAUTHORISED]");
    expect(stdout + stderr).not.toContain(first.studyInstanceUid);
  });

  it("asks as often as it may", async () => {
    const busy: Fault = (plan) => ({ ...plan, httpStatus: 503, contentType: "text/plain", framing: "plain" });
    expect((await retrieve(["--single", "--attempts", "2"], { alter: busy })).sizes).toEqual([4, 4]);
  });

  it("sends a token, and a password of a user", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "secret"), "open sesame\n", { mode: 0o600 });
    const seen: (string | undefined)[] = [];
    await using server = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    const wanted = ["--study", "1.2", "--series", "1.3", "--instance", "1.4", "--out", "got"];
    for (const flags of [
      ["--token-file", "secret"],
      ["--user", "alice", "--password-file", "secret"],
    ]) {
      await runCli(["dicom", "rad69", server.url, ...wanted, ...flags], { workingFolder: folder.path });
    }
    expect(seen).toEqual(["Bearer open sesame", "Basic YWxpY2U6b3BlbiBzZXNhbWU="]);
  });

  it.each([
    ["no instances", ["http://127.0.0.1:9", "--out", "x"]],
    [
      "a UID with path characters",
      ["http://127.0.0.1:9", "--out", "x", "--study", "1.2", "--series", "1.3", "--instance", "../1"],
    ],
    ["a list that is not there", ["http://127.0.0.1:9", "--out", "x", "--instances", "/nowhere"]],
    ["no URL", ["vitrea:2525", "--out", "x", "--study", "1.2", "--series", "1.3", "--instance", "1.4"]],
    [
      "a user without password",
      ["http://127.0.0.1:9", "--out", "x", "--study", "1", "--series", "1", "--instance", "1", "--user", "a"],
    ],
  ])("with %s is wrong usage", async (_, args) => {
    expect(await runCli(["dicom", "rad69", ...args])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("asks for nothing when nothing is listed", async () => {
    expect(await retrieve([], {}, [])).toMatchObject({ exitCode: 0, sizes: [] });
  });
});
