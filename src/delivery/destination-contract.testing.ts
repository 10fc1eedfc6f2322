import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { deliveryOf, OTHER_ORIGINAL } from "../../test/support/small-delivery.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { textElement } from "../dicom/values.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import type { Destination, StudyDelivery } from "./destination.ts";
import { refusesAttachments, takesAttachments } from "./destination-attachments.testing.ts";
import type { Inspect } from "./inspection/inspection.ts";
import { countingFiles, readAll } from "./reading/counting-files.testing.ts";
import { createSharedReading } from "./reading/shared-reading.ts";
import type { StagedCopy } from "./reading/staged-copy.ts";
import { deliverStudy, takenInOrder } from "./receipts.ts";
import { removeStudy } from "./removal/removal.ts";

/** A destination with a look behind it. */
export interface DestinationScene extends AsyncDisposable {
  readonly destination: Destination;
  /** On this machine, for files to deliver. */
  readonly folder: string;
  /** The bytes of every instance that is there whole under its name, by SOP Instance UID. */
  instances(): Promise<ReadonlyMap<string, Buffer>>;
  /** Files that lie beside the instances of a study, by their names in its folder; absent: it takes none. */
  attached?(): Promise<ReadonlyMap<string, Buffer>>;
  /** Everything that was delivered is gone. */
  wipe(): Promise<void>;
  /** The part of a file that the destination keeps as it was; absent: all of it. */
  kept?(file: Buffer): Buffer;
  /** How a cohort's check looks at it; absent: by its list of instances, as other tests see. */
  readonly inspect?: Inspect;
  /** Ends a cut; absent where nothing was cut. */
  mend?(): void;
  /** Cuts the connections once so many more bytes of ours have passed, until mended; absent where there is none to cut. */
  cutAfter?(bytes: number): void;
}

export interface SceneOptions {
  /** So many bytes of the gateway's pass on one connection before it is cut, until mended. */
  readonly cutAfterBytes?: number;
}

const signal = neverAborted();
const LONG_TEXT = textElement(tags.ImageComments, "x".repeat(10_000));
const CUT_AFTER_BYTES = 20_000;

interface ContractOptions {
  /** It is reached over a connection. */
  readonly canBeCut: boolean;
  /** It is asked for more than UIDs and sizes. @default true */
  readonly seesChanges?: boolean;
  /** Scenes have an inspector. @default true */
  readonly isInspected?: boolean;
  /** It takes back what was delivered. @default true */
  readonly canRemove?: boolean;
  /** It takes what a processing hook makes beside DICOM. */
  readonly takesFiles: boolean;
}

async function contentOf(scene: DestinationScene, path = ""): Promise<Buffer> {
  const file = await readFile(path);
  return scene.kept?.(file) ?? file;
}

function deliver({ destination }: DestinationScene, delivery: StudyDelivery) {
  return deliverStudy(destination, delivery, systemClock, signal);
}

/** What holds of every destination. */
export function destinationContract(
  open: (options: SceneOptions) => Promise<DestinationScene>,
  { canBeCut, seesChanges = true, isInspected = true, canRemove = true, takesFiles }: ContractOptions,
): void {
  it("gets every instance whole, and is read back", async () => {
    await using scene = await open({});
    const delivery = await deliveryOf(scene.folder, 5);
    const { name, proof } = scene.destination;
    expect(await deliver(scene, delivery)).toMatchObject({ destination: name, instances: 5, proof });
    const files = delivery.files.map(
      async ({ path, sopInstanceUid }) => [sopInstanceUid, await contentOf(scene, path)] as const,
    );
    expect(await scene.instances()).toEqual(new Map(await Promise.all(files)));
  });

  it("is sent nothing that it holds", async () => {
    await using scene = await open({});
    const delivery = await deliveryOf(scene.folder, 2);
    await deliver(scene, delivery);
    const { destination } = scene;
    const silent = { ...destination, send: () => Promise.reject(new Error("sent again")) };
    expect(await deliverStudy(silent, delivery, systemClock, signal)).toMatchObject({ instances: 2 });
  });

  it.skipIf(!seesChanges)("gets the study again when it comes out differently", async () => {
    await using scene = await open({});
    await deliver(scene, await deliveryOf(scene.folder, 2));
    const changed = await deliveryOf(scene.folder, 2, [textElement(tags.ImageComments, "new profile")]);
    await deliver(scene, changed);
    const [first] = changed.files;
    expect((await scene.instances()).get("2.25.3.1")).toEqual(await contentOf(scene, first?.path));
  });

  readsWithOthers(open);
  holdsWhatIsHard(open, isInspected);
  if (takesFiles) takesAttachments(open, canBeCut);
  else refusesAttachments(open);
  if (canRemove) takesBack(open, canBeCut);
  else leavesRemovalToPeople(open);
  it.skipIf(!canBeCut)(
    "that is cut in the middle shows nothing that is not whole, and gets the rest the next time",
    async () => {
      await using scene = await open({ cutAfterBytes: CUT_AFTER_BYTES });
      const delivery = await deliveryOf(scene.folder, 5, [LONG_TEXT]);
      await expect(deliver(scene, delivery)).rejects.toMatchObject({
        class: expect.stringMatching(/ambiguous|transient/),
      });
      for (const [uid, bytes] of await scene.instances()) {
        const file = delivery.files.find(({ sopInstanceUid }) => sopInstanceUid === uid);
        expect(bytes).toEqual(await contentOf(scene, file?.path));
      }
      scene.mend?.();
      expect(await deliver(scene, delivery)).toMatchObject({ instances: 5 });
      expect((await scene.instances()).size).toBe(5);
    },
  );
}

function readsWithOthers(open: OpenScene): void {
  it("gets every instance whole where another destination reads with it, each file being opened once for both", async () => {
    await using scene = await open({});
    const delivery = await deliveryOf(scene.folder, 5);
    const copies = takenInOrder(delivery);
    const counted = countingFiles();
    await using sharing = createSharedReading(copies, signal, { open: counted.open });
    const reading = sharing.join();
    const asked: string[] = [];
    const read = (copy: StagedCopy) => {
      asked.push(copy.path);
      return reading.read(copy);
    };
    const [receipt] = await Promise.all([
      deliver(scene, { ...delivery, reading: { ...reading, read } }),
      readAll(sharing.join(), copies),
    ]);
    expect(receipt).toMatchObject({ instances: 5 });
    expect(asked.sort()).toEqual(copies.map(({ path }) => path));
    expect(counted.opened).toEqual(asked);
    const files = copies.map(async ({ path }) => await contentOf(scene, path));
    expect([...(await scene.instances()).entries()].sort().map(([, bytes]) => bytes)).toEqual(await Promise.all(files));
  });
}

function holdsWhatIsHard(open: (options: SceneOptions) => Promise<DestinationScene>, isInspected: boolean): void {
  it("holds both of two studies that became one", async () => {
    await using scene = await open({});
    const one = await deliveryOf(scene.folder, 2);
    const other = await deliveryOf(scene.folder, 2, [], OTHER_ORIGINAL);
    await Promise.all([deliver(scene, one), deliver(scene, other)]);
    expect([...(await scene.instances()).keys()].sort()).toEqual(["2.25.3.1", "2.25.3.2", "2.25.4.1", "2.25.4.2"]);
    expect((await scene.destination.held(one, signal)).size).toBe(2);
  });

  it("is not believed when it accepts and forgets, and gets all of it the next time", async () => {
    await using scene = await open({});
    const { destination } = scene;
    const forgetful: Destination = {
      ...destination,
      async send(...args) {
        await destination.send(...args);
        await scene.wipe();
      },
    };
    const delivery = await deliveryOf(scene.folder, 2);
    const refused = deliverStudy(forgetful, delivery, systemClock, signal);
    await expect(refused).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous" });
    await deliver(scene, delivery);
    expect((await scene.instances()).size).toBe(2);
  });

  it("does nothing for who has gone away", async () => {
    await using scene = await open({});
    const delivery = await deliveryOf(scene.folder, 1);
    const refused = scene.destination.send(delivery, delivery.files, AbortSignal.abort(new Error("gone away")));
    await expect(refused).rejects.toThrow();
    expect((await scene.instances()).size).toBe(0);
  });

  it.skipIf(!isInspected)(
    "shows the check of a cohort what stands, what is gone, and what was delivered otherwise",
    async () => {
      await using scene = await open({});
      const { inspect, folder } = scene;
      if (inspect === undefined) throw new Error("the scene has no inspector");
      const delivery = await deliveryOf(folder, 2);
      await deliver(scene, delivery);
      const standings = async (study: StudyDelivery) => {
        const { standing } = await inspect(study, signal);
        return study.files.map(standing);
      };
      const [first] = await standings(delivery);
      expect(await standings(delivery)).toEqual([first, first]);
      expect(first).toMatch(/^(?:same|listed)$/);
      const other = await deliveryOf(folder, 2, [textElement(tags.ImageComments, "longer than before")]);
      expect(await standings(other)).toEqual(["differs", "differs"]);
      await scene.wipe();
      expect(await standings(delivery)).toEqual(["absent", "absent"]);
    },
  );
}

export type OpenScene = (options: SceneOptions) => Promise<DestinationScene>;

/** Bytes of ours after which a removal is cut: within the first request, and later. */
const REMOVAL_CUTS_BYTES = [100, 1_500, 4_000];

function takesBack(open: OpenScene, canBeCut: boolean): void {
  it("takes a study back, all that became one, and does it again without harm", async () => {
    await using scene = await open({});
    const { destination } = scene;
    const one = await deliveryOf(scene.folder, 3);
    const other = await deliveryOf(scene.folder, 2, [], OTHER_ORIGINAL);
    for (const delivery of [one, other]) await deliver(scene, delivery);
    const both = { ...one, files: [...one.files, ...other.files] };
    expect(await removeStudy({ destination }, both, signal)).toEqual({ kind: "removed" });
    expect((await scene.instances()).size).toBe(0);
    expect(await removeStudy({ destination }, both, signal)).toEqual({ kind: "absent" });
    expect(await deliver(scene, one)).toMatchObject({ instances: 3 });
  });

  it("is not believed when it says that it removed what it keeps", async () => {
    await using scene = await open({});
    const { destination } = scene;
    const delivery = await deliveryOf(scene.folder, 2);
    await deliver(scene, delivery);
    const { removal } = destination;
    if (removal === undefined) throw new Error("it has no removal");
    const lying: Destination = { ...destination, removal: { ...removal, remove: async () => undefined } };
    await expect(removeStudy({ destination: lying }, delivery, signal)).rejects.toMatchObject({
      code: "REMOVAL_UNCONFIRMED",
      class: "ambiguous",
    });
    expect((await scene.instances()).size).toBe(2);
  });

  it.skipIf(!canBeCut)("that is cut while it removes is finished the next time", async () => {
    await using scene = await open({});
    const { destination } = scene;
    const delivery = await deliveryOf(scene.folder, 5);
    await deliver(scene, delivery);
    for (const bytes of REMOVAL_CUTS_BYTES) {
      scene.cutAfter?.(bytes);
      const end = await removeStudy({ destination }, delivery, signal).catch(toGatewayError);
      if (end instanceof GatewayError) expect(end.class).toMatch(/ambiguous|transient/);
      else expect(end.kind).toMatch(/removed|absent/);
      if (bytes === REMOVAL_CUTS_BYTES[0]) expect(end).toBeInstanceOf(GatewayError);
    }
    scene.mend?.();
    expect(await removeStudy({ destination }, delivery, signal)).toEqual({
      kind: expect.stringMatching(/removed|absent/),
    });
    expect((await scene.instances()).size).toBe(0);
  });
}

function leavesRemovalToPeople(open: OpenScene): void {
  it("leaves it to a person to remove a study, and sees when it is done", async () => {
    await using scene = await open({});
    const { destination, inspect } = scene;
    const delivery = await deliveryOf(scene.folder, 2);
    await deliver(scene, delivery);
    const ask = () => removeStudy({ destination, inspect }, delivery, signal);
    expect(await ask()).toEqual({ kind: "person", code: "REMOVAL_NOT_OFFERED", left: 2 });
    await scene.wipe();
    expect(await ask()).toEqual({ kind: "absent" });
    expect(await removeStudy({ destination }, delivery, signal)).toMatchObject({ kind: "person" });
  });
}
