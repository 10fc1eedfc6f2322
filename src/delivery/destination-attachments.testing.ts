import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf } from "../../test/support/small-delivery.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { AttachedFile } from "../staging/attached-file.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import type { Destination, StudyDelivery } from "./destination.ts";
import type { OpenScene } from "./destination-contract.testing.ts";
import { deliverStudy } from "./receipts.ts";
import { removeStudy } from "./removal/removal.ts";

const signal = neverAborted();

/** A report, a volume of some size, and one that says by being there that all went well. */
const CONTENTS: Readonly<Record<string, Buffer>> = {
  "processed/a1/quality.json": Buffer.from('{"snr": 31.5}'),
  "processed/a1/nifti/volume.nii.gz": Buffer.alloc(150_000, "volume"),
  "processed/a1/done": Buffer.alloc(0),
};

async function attachedTo(
  folder: string,
  delivery: StudyDelivery,
  contents: Readonly<Record<string, Buffer>> = CONTENTS,
): Promise<StudyDelivery> {
  const attached: AttachedFile[] = [];
  for (const [name, bytes] of Object.entries(contents)) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const path = join(folder, "hook", sha256, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    attached.push({ name, path, sizeBytes: bytes.length, sha256 });
  }
  // As the report of a study has them that a hook worked on.
  const files = attached.map(({ name, sha256, sizeBytes }) => ({ path: name, sha256, sizeBytes }));
  return { ...delivery, attached, report: { ...delivery.report, processing: { contract: 1, replaced: 0, files } } };
}

function deliver(destination: Destination, delivery: StudyDelivery) {
  return deliverStudy(destination, delivery, systemClock, signal);
}

const expected = new Map(Object.entries(CONTENTS));

/** What holds of every destination that takes files beside the instances of a study. */
export function takesAttachments(open: OpenScene, canBeCut: boolean): void {
  it("gets what a processing hook made beside the instances, whole and under its names, and is sent none of it again", async () => {
    await using scene = await open({});
    const { destination } = scene;
    const delivery = await attachedTo(scene.folder, await deliveryOf(scene.folder, 2));
    expect(await deliver(destination, delivery)).toMatchObject({ instances: 2, attached: 3 });
    expect(await scene.attached?.()).toEqual(expected);
    expect((await scene.instances()).size).toBe(2);
    const sendsNothing = () => Promise.reject(new Error("sent again"));
    const silent: Destination = {
      ...destination,
      send: sendsNothing,
      attachments: { held: async () => new Set(), ...destination.attachments, send: sendsNothing },
    };
    expect(await deliver(silent, delivery)).toMatchObject({ instances: 2, attached: 3 });
  });

  it("gets what a hook made of a study that lies there already, and of one that it makes otherwise", async () => {
    await using scene = await open({});
    const { destination, folder } = scene;
    const delivery = await deliveryOf(folder, 2);
    await deliver(destination, delivery);
    await deliver(destination, await attachedTo(folder, delivery));
    expect(await scene.attached?.()).toEqual(expected);
    const changed = { ...CONTENTS, "processed/a1/quality.json": Buffer.from('{"snr": 28.25}') };
    await deliver(destination, await attachedTo(folder, delivery, changed));
    expect(await scene.attached?.()).toEqual(new Map(Object.entries(changed)));
    expect((await scene.instances()).size).toBe(2);
  });

  losesNothing(open, canBeCut);
}

function losesNothing(open: OpenScene, canBeCut: boolean): void {
  it("is not believed when it accepts such files and forgets", async () => {
    await using scene = await open({});
    const { destination, folder } = scene;
    const delivery = await deliveryOf(folder, 1);
    await deliver(destination, delivery);
    const { attachments } = destination;
    if (attachments === undefined) throw new Error("it takes no files");
    const send: typeof attachments.send = async (...args) => {
      await attachments.send(...args);
      await scene.wipe();
    };
    const forgetful: Destination = { ...destination, attachments: { ...attachments, send } };
    const withFiles = await attachedTo(folder, delivery);
    await expect(deliver(forgetful, withFiles)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED" });
    await deliver(destination, withFiles);
    expect(await scene.attached?.()).toEqual(expected);
  });

  it("takes such files back with the study", async () => {
    await using scene = await open({});
    const { destination, folder } = scene;
    const delivery = await attachedTo(folder, await deliveryOf(folder, 2));
    await deliver(destination, delivery);
    expect(await removeStudy({ destination }, delivery, signal)).toEqual({ kind: "removed" });
    expect(await scene.attached?.()).toEqual(new Map());
    expect((await scene.instances()).size).toBe(0);
  });

  it.skipIf(!canBeCut)("that is cut while it gets such files shows none that is not whole", async () => {
    await using scene = await open({});
    const { destination, folder } = scene;
    const delivery = await deliveryOf(folder, 1);
    await deliver(destination, delivery);
    const withFiles = await attachedTo(folder, delivery);
    for (const bytes of CUTS_BYTES) {
      scene.cutAfter?.(bytes);
      const end = await deliver(destination, withFiles).catch(toGatewayError);
      if (bytes === CUTS_BYTES[0]) expect(end).toMatchObject({ class: expect.stringMatching(/ambiguous|transient/) });
      for (const [name, content] of (await scene.attached?.()) ?? []) expect(content).toEqual(CONTENTS[name]);
    }
    scene.mend?.();
    expect(await deliver(destination, withFiles)).toMatchObject({ attached: 3 });
    expect(await scene.attached?.()).toEqual(expected);
  });
}

/** Bytes of ours after which a delivery is cut: at the beginning, and within the largest file. */
const CUTS_BYTES = [100, 40_000];

/** What holds of the others. */
export function refusesAttachments(open: OpenScene): void {
  it("is sent no files beside DICOM: a project with a hook that makes some names others for them", async () => {
    await using scene = await open({});
    const delivery = await attachedTo(scene.folder, await deliveryOf(scene.folder, 1));
    await expect(deliver(scene.destination, delivery)).rejects.toMatchObject({ code: "HOOK_FILES_NOT_TAKEN" });
  });
}
