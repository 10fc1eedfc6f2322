import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadProfile } from "../../src/deid/profiles/load-profile.ts";
import { startOrthanc } from "../../test/peers/orthanc.ts";
import { runProgram } from "../../test/peers/process.ts";
import type { PlantedSet } from "../../test/quality/planted-set.ts";
import { deidentifyPlanted, researchWithMasks, writePlanted } from "../../test/quality/radferry.ts";
import type { Outputs } from "../../test/quality/score.ts";
import { benchPeer } from "../processes.ts";

/** One that de-identifies the whole set. */
export interface QualityContender {
  readonly name: string;
  /** Undefined: it is there. */
  readonly program?: string;
  run(set: PlantedSet, folder: string): Promise<Outputs>;
}

/**
 * Packages from the Python package index with an environment of their own, as they need other versions than the rest:
 * `python3 -m venv FOLDER && FOLDER/bin/pip install dicognito==0.19.0 dicom-anonymizer==2.1.0 deid==0.4.13`.
 */
const PACKAGES_FOLDER = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "radferry", "deid-peers");
const PACKAGES = ["dicognito", "dicom-anonymizer", "deid"] as const;

/** The one that is held to the goals first. */
export const QUALITY_CONTENDERS: readonly QualityContender[] = [
  {
    name: "radferry research, masks for its devices",
    run: async (set, folder) =>
      (await deidentifyPlanted(set, folder, await researchWithMasks(join(folder, "profile")))).outputs,
  },
  { name: "radferry research", run: (set, folder) => shipped("research", set, folder) },
  { name: "radferry basic", run: (set, folder) => shipped("basic", set, folder) },
  { name: "Orthanc /anonymize", program: "Orthanc", run: orthanc },
  { name: "gdcmanon, basic profile", program: "gdcmanon", run: gdcmanon },
  ...PACKAGES.map((name): QualityContender => {
    const python = join(PACKAGES_FOLDER, "bin", "python");
    return { name, program: python, run: (set, folder) => pythonPackage(python, name, set, folder) };
  }),
];

async function shipped(profile: string, set: PlantedSet, folder: string): Promise<Outputs> {
  return (await deidentifyPlanted(set, folder, loadProfile(profile))).outputs;
}

async function pythonPackage(python: string, tool: string, set: PlantedSet, folder: string): Promise<Outputs> {
  const input = await writePlanted(set, join(folder, "in"));
  const output = join(folder, "out");
  const { exitCode } = await runProgram(
    python,
    ["-W", "ignore", benchPeer("deidentify.py"), tool, input, output],
    folder,
  );
  if (exitCode !== 0) throw new Error(`${tool} ended with ${exitCode}`);
  return underSameNames(set, output);
}

/** It stops at the first file it cannot do: those are found one by one and left out, so that all others share one run and its UIDs. */
async function gdcmanon(set: PlantedSet, folder: string): Promise<Outputs> {
  const input = await writePlanted(set, join(folder, "in"));
  const output = join(folder, "out");
  const certificate = join(folder, "certificate.pem");
  const openssl = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=quality"];
  await runProgram("openssl", [...openssl, "-keyout", join(folder, "key.pem"), "-out", certificate], folder);
  const profile = ["-e", "-c", certificate];
  for (const { name } of set.files) {
    const path = join(input, name);
    const { exitCode } = await runProgram("gdcmanon", [...profile, path, join(folder, "alone.dcm")], folder);
    if (exitCode !== 0) await rm(path);
  }
  const { exitCode } = await runProgram(
    "gdcmanon",
    [...profile, "-i", input, "-o", output, "-r", "--continue"],
    folder,
  );
  if (exitCode !== 0) throw new Error(`gdcmanon ended with ${exitCode}`);
  return underSameNames(set, output);
}

function underSameNames(set: PlantedSet, folder: string): Outputs {
  const there = set.files.filter(({ name }) => existsSync(join(folder, name)));
  return { paths: new Map(there.map(({ name }) => [name, join(folder, name)])) };
}

/** Patient by patient, so that the UIDs of a patient's studies agree. */
async function orthanc(set: PlantedSet, folder: string): Promise<Outputs> {
  await mkdir(folder, { recursive: true });
  await using server = await startOrthanc({ aeTitle: "QUALITY" });
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}${path}`, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response;
  };
  const nameOf = new Map<string, string>();
  const patients = new Set<string>();
  for (const { name, bytes } of set.files) {
    const stored = await ask("/instances", { method: "POST", body: new Uint8Array(bytes) }).catch(() => undefined);
    if (stored === undefined) continue;
    const { ID, ParentPatient } = await textsOf(stored);
    nameOf.set(ID ?? "", name);
    patients.add(ParentPatient ?? "");
  }
  const paths = new Map<string, string>();
  for (const patient of patients) {
    const anonymized = await ask(`/patients/${patient}/anonymize`, { method: "POST", body: "{}" });
    const { ID = "" } = await textsOf(anonymized);
    const instances: unknown = await (await ask(`/patients/${ID}/instances`)).json();
    for (const instance of Array.isArray(instances) ? instances : []) {
      const id = String(Object(instance).ID);
      const name = nameOf.get(await (await ask(`/instances/${id}/metadata/AnonymizedFrom`)).text());
      if (name === undefined) continue;
      const path = join(folder, name);
      await writeFile(path, Buffer.from(await (await ask(`/instances/${id}/file`)).arrayBuffer()));
      paths.set(name, path);
    }
  }
  return { paths };
}

/** The texts of a JSON object. */
async function textsOf(response: Response): Promise<Readonly<Record<string, string>>> {
  const document: unknown = await response.json();
  return Object.fromEntries(Object.entries(Object(document)).map(([key, value]) => [key, String(value)]));
}
