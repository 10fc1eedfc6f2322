import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataElement } from "../../src/dicom/data-set.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticInstance, type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { ROOT } from "../tidy/repository.ts";
import { type ApiSite, openApiSite } from "./api.ts";
import { followEvents } from "./event-stream.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A site after some work: a study that was delivered, one in quarantine, and some that no archive has. */
export interface StudySite extends AsyncDisposable {
  readonly api: ApiSite;
  /** Ids of its study jobs. */
  readonly delivered: string;
  readonly quarantined: string;
  /** In two projects, two in the first. */
  readonly lost: readonly string[];
  /** Of the delivered study, as the hospital has it. */
  readonly studyInstanceUid: string;
  /** What names its patient. */
  readonly identifiers: readonly string[];
}

const BURNED_IN = textElement(tagOf(0x00280301), "YES");
const LOST = ["1.2.826.0.1.3680043.10.1.1", "1.2.826.0.1.3680043.10.1.2"];
const KEYS = { lung: "1", heart: "2" } as const;

/** The second instance shows something in its pixels; the third holds the patient's name in a lookup table. */
function troublesome(study: SyntheticStudy): SyntheticStudy {
  const family = study.instances[0]?.dataSet.get(tagOf(0x00100010))?.value;
  if (family?.kind !== "bytes") throw new Error("the patient has no name");
  const [name = ""] = Buffer.from(family.bytes).toString("latin1").split("^");
  const planted = element(tagOf(0x00283006), "OW", Buffer.from(`..${name}..`.padEnd(32, ".")));
  const changes: readonly (readonly DataElement[])[] = [[], [BURNED_IN], [planted]];
  return { ...study, instances: study.instances.map((instance, index) => changed(instance, changes[index] ?? [])) };
}

function changed(instance: SyntheticInstance, elements: readonly DataElement[]): SyntheticInstance {
  const dataSet = dataSetOf([...instance.dataSet.values(), ...elements]);
  return { ...instance, dataSet, bytes: Buffer.from(encodeDataSet(dataSet, instance.transferSyntaxUid)) };
}

export async function openStudySite(): Promise<StudySite> {
  execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const good = syntheticStudy({ seed: 91, modality: "CT", rows: 64, columns: 64, instancesPerSeries: 4 });
  const bad = troublesome(syntheticStudy({ seed: 92, modality: "CT", rows: 16, columns: 16, instancesPerSeries: 4 }));
  const port = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${port}`];
  const archive = opened.use(await startPracticeArchive({ studies: [good, bad], destinations }));
  for (const [name, digit] of Object.entries(KEYS))
    await writeFile(join(folder, `${name}.key`), `${digit.repeat(64)}\n`, { mode: 0o600 });
  const project = { archives: ["practice"], destinations: ["research-store"], profile: "basic" };
  const settings = {
    dicom: { port },
    archives: [{ name: "practice", kind: "dimse", address: archive.address, retrieve: "move" }],
    destinations: [{ name: "research-store", kind: "folder", path: join(folder, "store") }],
    projects: Object.keys(KEYS).map((name) => ({ name, ...project, keyFile: join(folder, `${name}.key`) })),
  };
  const api = opened.use(await openApiSite({ settings }));
  const [delivered = "", quarantined = "", ...lost] = await worked(api, "lung", [
    good.studyInstanceUid,
    bad.studyInstanceUid,
    ...LOST,
  ]);
  const more = await worked(api, "heart", LOST.slice(0, 1));
  const closing = opened.move();
  return {
    api,
    delivered,
    quarantined,
    lost: [...lost, ...more],
    studyInstanceUid: good.studyInstanceUid,
    identifiers: good.identifiers,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const DONE: ReadonlySet<unknown> = new Set(["delivered", "quarantined", "not-found"]);

/** Submits studies and waits until each is done; their ids in the order of the rows. */
async function worked(api: ApiSite, project: string, uids: readonly string[]): Promise<readonly string[]> {
  await using events = await followEvents(api.url, api.admin);
  await events.until(({ event }) => event === "overview");
  const headers = { "content-type": "text/csv" };
  const body = `study_instance_uid\n${uids.join("\n")}\n`;
  const { json } = await api.call("POST", `/cohorts?project=${project}`, { body, headers });
  const { cohort } = json as { readonly cohort: string };
  const done = new Set<unknown>();
  await events.until(({ event, data }) => {
    if (event === "study" && DONE.has(data.state)) done.add(data.id);
    return done.size === uids.length;
  });
  const { items } = (await api.call("GET", `/studies?cohort=${cohort}`)).json as {
    readonly items: readonly { readonly id: string }[];
  };
  return items.map(({ id }) => id);
}
