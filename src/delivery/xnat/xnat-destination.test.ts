import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PracticeXnat, startXnat } from "../../../test/peers/xnat/start-xnat.ts";
import { type Experiment, storedFile } from "../../../test/peers/xnat/state.ts";
import type { XnatSwitches } from "../../../test/peers/xnat/switches.ts";
import { smallObject } from "../../../test/support/small-object.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textElement } from "../../dicom/values.ts";
import { encodeFileMeta } from "../../dicom/writer.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { type DeidentifiedFile, declareDeidentified, parsePseudonym } from "../../staging/deidentified-file.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import type { StudyDelivery } from "../destination.ts";
import { deliverStudy } from "../receipts.ts";
import { removeStudy } from "../removal/removal.ts";
import { xnatInspector } from "./inspect-xnat.ts";
import { labelsOf } from "./labels.ts";
import type { XnatDestinationOptions } from "./place.ts";
import { createXnatDestination } from "./xnat-destination.ts";

const STUDY = parseStudyInstanceUid("2.25.1");
const PSEUDONYM = parsePseudonym("P-0001");
const signal = neverAborted();
const UPLOADS = ["dicom-zip", "gradual-dicom"] as const;

async function fileAt(folder: string, number: number, comment: string): Promise<DeidentifiedFile> {
  const series = `2.25.2.${number % 2}`;
  const instance = `2.25.3.${number}`;
  const more = [textElement(tags.SeriesNumber, `${number % 2}`), textElement(tags.ImageComments, comment)];
  const { bytes, ...facts } = smallObject({ study: STUDY, series, instance }, more);
  const content = Buffer.concat([encodeFileMeta(facts), bytes]);
  const path = join(folder, `${number}.dcm`);
  await writeFile(path, content);
  return declareDeidentified({
    ...facts,
    path,
    pseudonym: PSEUDONYM,
    studyInstanceUid: STUDY,
    seriesInstanceUid: parseSeriesInstanceUid(series),
    sopInstanceUid: parseSopInstanceUid(instance),
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
}

/** A study of four instances in two series, and an XNAT to take it. */
async function scene(options: Partial<XnatDestinationOptions> = {}, switches: Partial<XnatSwitches> = {}) {
  const opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const xnat = opened.use(await startXnat({ projects: ["trial"], workEveryMs: 0 }));
  Object.assign(xnat.switches, switches);
  const credentials = { username: xnat.username, password: () => Promise.resolve(xnat.password) };
  const destination = opened.use(
    createXnatDestination({
      name: "research",
      client: openXnatClient({ baseUrl: xnat.url, credentials }),
      into: "archive",
      upload: "dicom-zip",
      overwrite: "append",
      confirm: "digest",
      parallel: 2,
      ...options,
    }),
  );
  const inspect = xnatInspector({ client: async () => openXnatClient({ baseUrl: xnat.url, credentials }) });
  const deliveryOf = async (count: number, comment = ""): Promise<StudyDelivery> => ({
    project: "trial",
    pseudonym: PSEUDONYM,
    studyInstanceUid: STUDY,
    files: await Promise.all(Array.from({ length: count }, (_, index) => fileAt(path, index + 1, comment))),
    report: { profile: "basic" },
  });
  return {
    xnat,
    destination,
    inspect,
    deliveryOf,
    deliver: (delivery: StudyDelivery) => deliverStudy(destination, delivery, systemClock, signal),
    imports: () => xnat.requests.filter((line) => line.includes("/services/import")).length,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function sessionsOf({ state }: PracticeXnat): readonly Experiment[] {
  return [...(state.projects.get("trial")?.experiments.values() ?? [])];
}

function filesOf(session: Experiment | undefined): number {
  return [...(session?.scans.values() ?? [])].reduce(
    (sum, scan) => sum + (scan.resources.get("DICOM")?.files.size ?? 0),
    0,
  );
}

describe.each(UPLOADS)("an XNAT as destination, by %s", (upload) => {
  it("holds the study under labels made from the pseudonym, with its report, and gets nothing twice", async () => {
    await using site = await scene({ upload });
    const delivery = await site.deliveryOf(4);
    expect(await site.deliver(delivery)).toMatchObject({ instances: 4, proof: "digest" });
    const [session] = sessionsOf(site.xnat);
    expect(session).toMatchObject({ label: labelsOf(delivery).session, subject: "P-0001", uid: STUDY });
    expect(filesOf(session)).toBe(4);
    const report = session?.resources.get("RADFERRY")?.files.get("radferry-report.json")?.bytes?.toString() ?? "";
    expect(JSON.parse(report)).toMatchObject({ profile: "basic", receipt: { instances: 4 } });
    const imports = site.imports();
    await site.deliver(delivery);
    expect(site.imports()).toBe(imports);
    expect(site.xnat.state.prearchive).toEqual([]);
  });

  it("is not believed when it takes everything and forgets it", async () => {
    await using site = await scene({ upload }, { forgetsImports: true });
    await expect(site.deliver(await site.deliveryOf(2))).rejects.toMatchObject({
      code: "DELIVERY_UNCONFIRMED",
      class: "ambiguous",
    });
  });

  it("that is cut off in the middle gets only what it lacks the next time", async () => {
    await using site = await scene({ upload, parallel: 1 });
    const delivery = await site.deliveryOf(4);
    // A zip comes whole or not at all; of single instances two come before the line breaks.
    const arrived = upload === "dicom-zip" ? 0 : 2;
    site.xnat.switches.drops = (_, path) => path.endsWith("/services/import") && site.imports() > arrived;
    await expect(site.deliver(delivery)).rejects.toMatchObject({ class: "transient" });
    expect(sessionsOf(site.xnat)).toEqual([]);
    const before = site.imports();
    site.xnat.switches.drops = () => false;
    await site.deliver(delivery);
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(4);
    expect(site.imports() - before).toBe(upload === "dicom-zip" ? 1 : 4 - arrived);
  });

  it("holds one session of two studies that became one, though both come at once", async () => {
    await using site = await scene({ upload });
    const whole = await site.deliveryOf(4);
    const seriesOf = (uid: string): StudyDelivery => ({
      ...whole,
      files: whole.files.filter(({ seriesInstanceUid }) => seriesInstanceUid === uid),
    });
    await Promise.all(["2.25.2.0", "2.25.2.1"].map((uid) => site.deliver(seriesOf(uid))));
    expect(sessionsOf(site.xnat).map((session) => [session.scans.size, filesOf(session)])).toEqual([[2, 4]]);
    const report = sessionsOf(site.xnat)[0]?.resources.get("RADFERRY")?.files.get("radferry-report.json");
    expect(JSON.parse(report?.bytes?.toString() ?? "")).toMatchObject({
      studies: [{ receipt: { instances: 2 } }, { receipt: { instances: 2 } }],
      files: { length: 4 },
    });
  });

  it("gets only what is new of a study that has grown", async () => {
    await using site = await scene({ upload });
    await site.deliver(await site.deliveryOf(2));
    await site.deliver(await site.deliveryOf(4));
    expect(sessionsOf(site.xnat)).toHaveLength(1);
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(4);
  });

  it("keeps the study in the prearchive when that is wanted, and still knows it when a person has archived it", async () => {
    await using site = await scene({ upload, into: "prearchive" });
    const delivery = await site.deliveryOf(3);
    expect(await site.deliver(delivery)).toMatchObject({ instances: 3 });
    expect(sessionsOf(site.xnat)).toEqual([]);
    expect(site.xnat.state.prearchive).toMatchObject([{ project: "trial", subject: "P-0001", tag: STUDY }]);
    expect((await site.destination.held(delivery, signal)).size).toBe(3);
  });
});

describe("an XNAT as destination", () => {
  it("gets a long study in several zips, and after a cut only those that are missing", async () => {
    await using site = await scene({ zipFiles: 2 });
    const delivery = await site.deliveryOf(5);
    site.xnat.switches.drops = (_, path) => path.endsWith("/services/import") && site.imports() === 2;
    await expect(site.deliver(delivery)).rejects.toMatchObject({ class: "transient" });
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(2);
    await site.deliver(delivery);
    expect(site.imports()).toBe(4);
    expect([sessionsOf(site.xnat).length, filesOf(sessionsOf(site.xnat)[0])]).toEqual([1, 5]);
  });

  it("leaves a session of its label alone where sessions may not be added to", async () => {
    await using site = await scene({ overwrite: "none" });
    await site.deliver(await site.deliveryOf(2));
    await expect(site.deliver(await site.deliveryOf(4))).rejects.toMatchObject({ code: "XNAT_SESSION_TAKEN" });
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(2);
  });

  it("replaces what it delivered before, where sessions may be replaced", async () => {
    await using site = await scene({ overwrite: "delete" });
    await site.deliver(await site.deliveryOf(3));
    await site.deliver(await site.deliveryOf(3, "another profile"));
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(3);
  });

  it("holds all of a study that has grown, and of one of several zips, where sessions are replaced", async () => {
    await using site = await scene({ overwrite: "delete", zipFiles: 2 });
    await site.deliver(await site.deliveryOf(3));
    const before = site.imports();
    await site.deliver(await site.deliveryOf(4));
    // All four, in two zips, though three are there.
    expect([filesOf(sessionsOf(site.xnat)[0]), site.imports() - before]).toEqual([4, 2]);
    await site.deliver(await site.deliveryOf(5, "another profile"));
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(5);
  });

  it("adds nothing to another study that has its label, and takes none of it for its own", async () => {
    await using site = await scene();
    const delivery = await site.deliveryOf(2);
    await site.deliver(delivery);
    Object.assign(sessionsOf(site.xnat)[0] ?? {}, { uid: "2.25.99" });
    const imports = site.imports();
    await expect(site.deliver(await site.deliveryOf(4))).rejects.toMatchObject({ code: "XNAT_SESSION_TAKEN" });
    expect(site.imports()).toBe(imports);
    const end = await removeStudy(site, delivery, signal);
    expect(end).toEqual({ kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 1 });
    expect(sessionsOf(site.xnat)).toHaveLength(1);
    await using waiting = await scene({ into: "prearchive" });
    await waiting.deliver(delivery);
    Object.assign(waiting.xnat.state.prearchive[0] ?? {}, { tag: "2.25.99" });
    expect((await waiting.destination.held(delivery, signal)).size).toBe(0);
  });

  it("does not take changed contents for its own, unless UIDs are proof enough", async () => {
    await using strict = await scene();
    await strict.deliver(await strict.deliveryOf(2));
    const changed = await strict.deliveryOf(2, "changed");
    expect((await strict.destination.held(changed, signal)).size).toBe(0);
    await using lenient = await scene({ confirm: "uids" }, { anonymises: true });
    expect(await lenient.deliver(await lenient.deliveryOf(3))).toMatchObject({ proof: "uids" });
  });

  it("replaces an instance that comes out differently, by its data set", async () => {
    await using site = await scene({ confirm: "digest" });
    await site.deliver(await site.deliveryOf(2));
    const changed = await site.deliveryOf(2, "changed");
    expect(await site.deliver(changed)).toMatchObject({ proof: "digest" });
    expect(filesOf(sessionsOf(site.xnat)[0])).toBe(2);
  });

  it("knows by their sums what lies there unchanged, and reads no image back", async () => {
    await using site = await scene({}, { rewritesMeta: false });
    await site.deliver(await site.deliveryOf(4));
    expect(site.xnat.requests.filter((line) => /^GET .*\/scans\/.*\/files\/\S/.test(line))).toEqual([]);
  });

  it.each(["uids", "digest"] as const)(
    "does not take an instance that was cut short for one, by %s",
    async (confirm) => {
      await using site = await scene({ confirm });
      const delivery = await site.deliveryOf(3);
      await site.deliver(delivery);
      const files = sessionsOf(site.xnat)[0]?.scans.get("1")?.resources.get("DICOM")?.files ?? new Map();
      const [name, { bytes }] = [...files][0] ?? [];
      files.set(name, storedFile(bytes.subarray(0, -100)));
      expect((await site.destination.held(delivery, signal)).size).toBe(2);
      await site.deliver(delivery);
      expect(files.get(name)?.sizeBytes).toBe(bytes.length);
    },
  );

  it("opens files whose names do not tell their UID", async () => {
    await using site = await scene({ confirm: "uids", upload: "gradual-dicom" });
    const delivery = await site.deliveryOf(3);
    await site.deliver(delivery);
    const names = [...(sessionsOf(site.xnat)[0]?.scans.get("1")?.resources.get("DICOM")?.files.keys() ?? [])];
    expect(names.every((name) => name.startsWith(`${STUDY}-1-`))).toBe(true);
    expect((await site.destination.held(delivery, signal)).size).toBe(3);
  });

  it("reads files back where the site keeps no sums", async () => {
    await using site = await scene({}, { digests: false });
    const delivery = await site.deliveryOf(3);
    await site.deliver(delivery);
    const files = sessionsOf(site.xnat)[0]?.scans.get("1")?.resources.get("DICOM")?.files ?? new Map();
    const [name, file] = [...files][0] ?? [];
    files.set(name, { ...file, bytes: Buffer.alloc(file?.sizeBytes ?? 0) });
    expect((await site.destination.held(delivery, signal)).size).toBe(2);
  });

  it("names a session that is stuck in the prearchive, and sends nothing over it", async () => {
    await using site = await scene({ into: "prearchive" });
    const delivery = await site.deliveryOf(2);
    await site.deliver(delivery);
    const [stuck] = site.xnat.state.prearchive;
    if (stuck !== undefined) stuck.status = "CONFLICT";
    const credentials = { username: site.xnat.username, password: () => Promise.resolve(site.xnat.password) };
    await using archive = createXnatDestination({
      name: "archive",
      client: openXnatClient({ baseUrl: site.xnat.url, credentials }),
      into: "archive",
      upload: "dicom-zip",
      overwrite: "append",
      confirm: "digest",
      parallel: 1,
    });
    const imports = site.imports();
    await expect(deliverStudy(archive, delivery, systemClock, signal)).rejects.toMatchObject({
      code: "XNAT_SESSION_IN_PREARCHIVE",
      details: { status: "CONFLICT" },
    });
    expect(site.imports()).toBe(imports);
  });

  it("does not let studies fall into Unassigned when the project is missing", async () => {
    await using site = await scene({ project: "elsewhere" });
    await expect(site.deliver(await site.deliveryOf(1))).rejects.toMatchObject({ code: "XNAT_PROJECT_MISSING" });
    expect(site.imports()).toBe(0);
  });

  it("goes on when its login ends in the middle", async () => {
    await using site = await scene({ upload: "gradual-dicom", parallel: 1 });
    const delivery = await site.deliveryOf(4);
    await site.destination.held(delivery, signal);
    site.xnat.logins.expire();
    expect(await site.deliver(delivery)).toMatchObject({ instances: 4 });
    expect(site.xnat.logins.made).toBe(2);
  });
});

it("shows the check of a cohort which instances the session holds, with headers of XNAT's own, and which are gone", async () => {
  await using site = await scene();
  const delivery = await site.deliveryOf(4);
  await site.deliver(delivery);
  const standings = async () => {
    const { standing } = await site.inspect(delivery, signal);
    return delivery.files.map(standing);
  };
  expect(await standings()).toEqual(["listed", "listed", "listed", "listed"]);
  const [session] = sessionsOf(site.xnat);
  for (const scan of session?.scans.values() ?? []) scan.resources.get("DICOM")?.files.clear();
  expect(await standings()).toEqual(["absent", "absent", "absent", "absent"]);
});
