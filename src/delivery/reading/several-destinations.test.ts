import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startCountingStore } from "../../../test/support/counting-store.ts";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textElement } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import { createDimseDestination } from "../dimse/dimse-destination.ts";
import { localFiles } from "../files/local-files.ts";
import { instancesBelow } from "../files/look-behind.testing.ts";
import { createZipDestination } from "../files/zip-destination.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import { createFolderDestination } from "../folder/folder-destination.ts";
import { deliverStudy, takenInOrder } from "../receipts.ts";
import { countingFiles } from "./counting-files.testing.ts";
import { createSharedReading } from "./shared-reading.ts";

const signal = neverAborted();
const FILES = 12;

/** A folder, a folder of zips, and a store that is sent to by C-STORE. */
async function openSite() {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await temporaryFolder());
  const target = stack.use(await temporaryFolder());
  const store = stack.use(await startCountingStore(0));
  const [files, zips] = [join(target.path, "files"), join(target.path, "zips")];
  const zip = {
    server: localFiles(destinationFolder({ name: "zips", path: target.path })),
    path: zips,
    temporaryFolder: join(source.path, "temporary"),
  };
  const destinations: readonly Destination[] = [
    stack.use(await createFolderDestination({ name: "files", path: files })),
    stack.use(await createZipDestination({ name: "zips", kind: "folder", proof: "digest", ...zip })),
    stack.use(
      createDimseDestination({
        ...{ name: "viewer", address: parseDicomAddress(store.address), callingAeTitle: parseAeTitle("RADFERRY") },
        logger: silentLogger,
      }),
    ),
  ];
  const delivery = await deliveryOf(source.path, FILES, [textElement(tags.ImageComments, "x".repeat(10_000))]);
  const kept = stack.move();
  return { store, files, zips, destinations, delivery, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Side by side, as a job does. Returns how each went, and what was opened for all of them. */
async function deliverTo(destinations: readonly Destination[], delivery: StudyDelivery) {
  const counted = countingFiles();
  await using sharing = createSharedReading(takenInOrder(delivery), signal, { open: counted.open });
  const ends = await Promise.allSettled(
    destinations.map(async (destination) => {
      using reading = sharing.join();
      return await deliverStudy(destination, { ...delivery, reading }, systemClock, signal);
    }),
  );
  return { ends: ends.map(({ status }) => status), counted };
}

it("opens each file once for three destinations that get the study at the same time", async () => {
  await using site = await openSite();
  const { ends, counted } = await deliverTo(site.destinations, site.delivery);
  expect(ends).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  expect(counted.opened).toHaveLength(FILES);
  expect(counted.readBytes).toBe(site.delivery.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  expect((await instancesBelow(site.files)).size).toBe(FILES);
  expect(await instancesBelow(site.zips)).toEqual(await instancesBelow(site.files));
  expect([...site.store.timesStored.values()]).toEqual(Array.from({ length: FILES }, () => 1));
});

it("sends the whole study to the others where one fails, and to that one alone the next time", async () => {
  await using site = await openSite();
  const [files, ...others] = site.destinations;
  if (files === undefined) throw new Error("no destination");
  const failing: Destination = {
    ...files,
    async send(delivery, [first]) {
      if (first !== undefined) for await (const _ of delivery.reading?.read(first) ?? []) break;
      throw new Error("full");
    },
  };
  const first = await deliverTo([failing, ...others], site.delivery);
  expect(first.ends).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(first.counted.opened.length).toBeLessThanOrEqual(FILES + 1);
  const second = await deliverTo(site.destinations, site.delivery);
  expect(second.ends).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  expect(second.counted.opened).toHaveLength(FILES);
  expect([...site.store.timesStored.values()]).toEqual(Array.from({ length: FILES }, () => 1));
});

it("reads for each what it lacks", async () => {
  await using site = await openSite();
  await deliverTo(site.destinations, site.delivery);
  await rm(join(site.files, "trial"), { recursive: true });
  const { ends, counted } = await deliverTo(site.destinations, site.delivery);
  expect(ends).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  expect(counted.opened).toHaveLength(FILES);
  expect((await instancesBelow(site.files)).size).toBe(FILES);
});
