import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const MINUTES_MS = 60_000;
const PACKED = ["bin", "src", "scripts", "package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"];

/** What a program of somebody else's does with the package; the compiler has to agree with every line. */
const CONSUMER = `
import { type ErrorCode, GatewayError, parseStudyInstanceUid } from "radferry";
import { openArchive } from "radferry/archive";
import { createDeidentifier, loadProfile } from "radferry/deid";
import { createFolderDestination, type Destination } from "radferry/delivery";
import { type DataSet, dataSetOf, textElement, textOf, tagOf } from "radferry/dicom";
import { searchDicomWeb } from "radferry/dicomweb";
import { openAssociation } from "radferry/dimse";
import { createFlipImaging, type ImportStatus, PathTraversalError } from "radferry/flip";
import { deserialise, type Message, serialise } from "radferry/pixl";
import { Rad69, XdsMissingDocumentError } from "radferry/rad69";
import { getTask, ScanHubError, TASK_URI } from "radferry/scanhub";

const message: Message = {
  mrn: "111",
  accessionNumber: "123",
  studyUid: "1.2.3",
  seriesUid: "",
  studyDate: "2022-11-22",
  procedureOccurrenceId: 234,
  projectName: "test project",
  extractGeneratedTimestamp: "2023-12-07T14:08:00+00:00",
};
const bytes: Uint8Array = serialise(message, { deserialisable: true });
const read = deserialise(bytes);
const refused: unknown = await getTask("no-id", "token").catch((thrown: unknown) => thrown);
const code: ErrorCode | undefined = refused instanceof GatewayError ? refused.code : undefined;
const functions = [openArchive, createDeidentifier, createFolderDestination, searchDicomWeb, openAssociation, createFlipImaging, Rad69];
const study: DataSet = dataSetOf([textElement(tagOf(0x00100020), "P1")]);
export type Held = readonly [Destination, ImportStatus];
console.log(
  JSON.stringify({
    mrn: read.mrn,
    code,
    isScanHubs: refused instanceof ScanHubError,
    uid: parseStudyInstanceUid("1.2.840.1"),
    patient: textOf(study, tagOf(0x00100020)),
    profile: loadProfile("basic").name,
    kinds: [...functions, PathTraversalError, XdsMissingDocumentError].map((value) => typeof value),
    uri: TASK_URI,
  }),
);
`;

it(
  "is packed, installs into an empty folder, runs there by its name and is a library with types",
  async () => {
    await using folder = await temporaryFolder();
    const source = join(folder.path, "source");
    const site = join(folder.path, "site");
    await mkdir(source);
    await mkdir(site);
    // Packing changes the manifest for as long as it takes: not the one that others read meanwhile.
    for (const name of PACKED) await cp(join(ROOT, name), join(source, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
    const packed = await run("npm", ["pack", "--json", "--pack-destination", folder.path], { cwd: source });
    const [{ filename = "", files = [] } = {}] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[")));
    const paths: readonly string[] = files.map(({ path }: { readonly path: string }) => path);
    expect(paths.filter((path) => /\.test\.|testing|^src|\.tsx?$/.test(path.replace(/\.d\.ts$/, "")))).toEqual([]);
    expect(await readFile(join(source, "package.json"), "utf8")).toBe(
      await readFile(join(ROOT, "package.json"), "utf8"),
    );

    await writeFile(join(site, "package.json"), '{"name":"site","private":true,"type":"module"}');
    const offline = ["--prefer-offline", "--no-audit", "--no-fund"];
    await run("npm", ["install", ...offline, join(folder.path, filename)], { cwd: site });
    const environment = { ...process.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` };
    const version = await run("npx", ["--no-install", "radferry", "--version"], { cwd: site, env: environment });
    expect(version.stdout.trim()).toBe(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")).version);

    await writeFile(join(site, "consumer.ts"), CONSUMER);
    await symlink(join(ROOT, "node_modules/@types"), join(site, "node_modules/@types")).catch(() => undefined);
    const compile = [
      "--target",
      "esnext",
      "--module",
      "nodenext",
      "--strict",
      "--types",
      "node",
      "--skipLibCheck",
      "false",
    ];
    const compiler = join(ROOT, "node_modules/.bin/tsc");
    const complaints = await run(compiler, [...compile, "consumer.ts"], { cwd: site }).then(
      () => "",
      ({ stdout }: { readonly stdout: string }) => stdout,
    );
    expect(complaints).toBe("");
    const { stdout } = await run(process.execPath, ["consumer.js"], { cwd: site });
    expect(JSON.parse(stdout)).toEqual({
      mrn: "111",
      code: "SCANHUB_ID_INVALID",
      isScanHubs: true,
      uid: "1.2.840.1",
      patient: "P1",
      profile: "basic",
      kinds: Array.from({ length: 9 }, () => "function"),
      uri: "http://exam-manager:8000/api/v1/exam/task",
    });
  },
  3 * MINUTES_MS,
);
