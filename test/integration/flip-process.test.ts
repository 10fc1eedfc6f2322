import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, vi } from "vitest";
import { startDataAccess } from "../peers/data-access-api.ts";
import { ENCODED_QUERY, KEY_HEADERS } from "../peers/flip-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { startXnat } from "../peers/xnat/start-xnat.ts";
import { ROOT } from "../tidy/repository.ts";

const run = promisify(execFile);

const STUDIES = ["ACC1", "ACC2", "ACC3"].map((accessionNumber, index) =>
  syntheticStudy({ seed: 6_800 + index, modality: "CT", rows: 4, columns: 4, accessionNumber }),
);

interface Face {
  readonly child: ChildProcess;
  readonly url: string;
  stderr(): string;
}

async function startFace(environment: NodeJS.ProcessEnv): Promise<Face> {
  const args = ["compat", "flip", "--host", "127.0.0.1", "--port", "0", "--json"];
  const child = spawn(join(ROOT, "bin/radferry"), args, { env: { ...process.env, ...environment } });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += String(chunk);
    if (stdout.trimEnd().endsWith("}")) break;
  }
  const { httpPort } = JSON.parse(stdout);
  return { child, url: `http://127.0.0.1:${httpPort}`, stderr: () => stderr };
}

it("goes on after kill -9 with the retrieval it answered for, and ends in order with 0 (W9)", async () => {
  await using xnat = await startXnat({ studies: STUDIES, projects: ["trial"], workEveryMs: 0 });
  await using dataAccess = await startDataAccess(["ACC1", "ACC2", "ACC3"]);
  const home = await mkdtemp(join(tmpdir(), "flip-process-"));
  const environment = {
    XNAT_URL: xnat.url,
    XNAT_PORT: "8104",
    XNAT_SERVICE_USER: xnat.username,
    XNAT_SERVICE_PASSWORD: xnat.password,
    DATA_ACCESS_API_URL: dataAccess.url,
    BASE_IMAGES_DOWNLOAD_DIR: join(home, "images"),
    AES_KEY_BASE64: Buffer.alloc(32, 1).toString("base64"),
    TRUST_INTERNAL_SERVICE_KEY: KEY_HEADERS["X-Trust-Internal-Service-Key"],
    RADFERRY_HOME: join(home, "state"),
  };
  const first = await startFace(environment);
  const children = [first.child];
  try {
    // It is killed while it waits for the PACS.
    xnat.switches.drops = (_, path) => {
      if (path.endsWith("/query/studies")) xnat.switches.delayMs = 1_000;
      return false;
    };
    const path = `/retrieval/reimport_imaging_project_studies/trial?encoded_query=${ENCODED_QUERY}`;
    const answer = await fetch(`${first.url}${path}`, { method: "PUT", headers: KEY_HEADERS });
    expect(answer.status).toBe(202);
    await vi.waitFor(() => expect(xnat.requests).toContain("POST /xapi/dqr/query/studies"), { timeout: 10_000 });
    first.child.kill("SIGKILL");
    await once(first.child, "close");
    xnat.switches.drops = () => false;
    xnat.switches.delayMs = 0;
    expect(xnat.state.queued).toEqual([]);

    const second = await startFace(environment);
    children.push(second.child);
    const queued = () => xnat.state.queued.map(({ accessionNumber }) => accessionNumber);
    await vi.waitFor(() => expect(queued()).toEqual(["ACC1", "ACC2", "ACC3"]), { timeout: 20_000 });

    // What the page on FLIP shows, as a program of its own.
    const [, example = ""] = /^```ts\n(.*?)^```$/ms.exec(await readFile(join(ROOT, "docs/flip.md"), "utf8")) ?? [];
    await mkdir(join(home, "node_modules"));
    await symlink(ROOT, join(home, "node_modules", "radferry"));
    await writeFile(join(home, "example.ts"), example);
    const env = { ...process.env, ...environment };
    expect((await run(process.execPath, ["example.ts"], { cwd: home, env })).stdout).toBe("true 0 0 0 3 0\n");

    second.child.kill("SIGTERM");
    expect((await once(second.child, "close"))[0]).toBe(0);
    expect(second.stderr()).not.toMatch(/ACC\d|SELECT|correct horse/);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(home, { recursive: true, force: true });
  }
});
