import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { deliveryOf, OTHER_ORIGINAL, PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textElement } from "../../dicom/values.ts";
import { zipStream } from "../../network/zip/zip-stream.ts";
import type { AttachedFile } from "../../staging/attached-file.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import type { StudyDelivery } from "../destination.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import { deliverStudy } from "../receipts.ts";
import { localFiles } from "./local-files.ts";
import { listZip } from "./study-zip.ts";
import { createZipDestination } from "./zip-destination.ts";

const signal = neverAborted();

/** A folder that gets zips, each known by its directory. */
async function site() {
  const folder = await temporaryFolder();
  const place = join(folder.path, "zips");
  const server = localFiles(destinationFolder({ name: "zips", path: folder.path }));
  const temporaryPlace = join(folder.path, "temporary");
  const options = { kind: "folder", proof: "digest", server, path: place, temporaryFolder: temporaryPlace } as const;
  const destination = await createZipDestination({ name: "zips", ...options });
  const zip = join(place, "trial", `${STUDY}.zip`);
  return {
    zip,
    copies: folder.path,
    destination,
    deliver: (delivery: StudyDelivery) => deliverStudy(destination, delivery, systemClock, signal),
    async names(): Promise<readonly string[]> {
      await using session = await server.open(signal);
      const names = (await listZip(session, zip))?.entries?.map(({ name }) => name) ?? [];
      return names.map((name) => name.replace(`${PSEUDONYM}/${STUDY}/`, ""));
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const saying = (comment: string) => [textElement(tags.PatientComments, comment)];

it("gets a study again that comes out in other bytes of the same length", async () => {
  await using at = await site();
  await at.deliver(await deliveryOf(at.copies, 2, saying("one")));
  const other = await deliveryOf(at.copies, 2, saying("two"));
  expect((await at.destination.held(other, signal)).size).toBe(0);
  await at.deliver(other);
  expect((await readFile(at.zip, "latin1")).match(/one|two/g)).toEqual(["two", "two"]);
});

it("passes on nothing damaged of another original that its zip holds", async () => {
  await using at = await site();
  await at.deliver(await deliveryOf(at.copies, 1, saying("one")));
  const damaged = (await readFile(at.zip, "latin1")).replace("one", "two");
  await writeFile(at.zip, damaged, "latin1");
  const other = await deliveryOf(at.copies, 1, [], OTHER_ORIGINAL);
  await expect(at.deliver(other)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED" });
  expect(await readFile(at.zip, "latin1")).toBe(damaged);
});

it("holds of what a hook made of the same instances what it made last, and nothing of before", async () => {
  await using at = await site();
  const delivery = await deliveryOf(at.copies, 1);
  const attach = async (...names: readonly string[]): Promise<readonly AttachedFile[]> => {
    const path = join(at.copies, "made.txt");
    await writeFile(path, "made");
    const sha256 = createHash("sha256").update("made").digest("hex");
    return names.map((name) => ({ name: `processed/${name}`, path, sizeBytes: 4, sha256 }));
  };
  await at.deliver({ ...delivery, attached: await attach("abc/one.txt", "def/of-others.txt") });
  await at.deliver({ ...delivery, attached: await attach("abc/two.txt") });
  const image = `${SERIES}/2.25.3.1.dcm`;
  expect(await at.names()).toEqual([image, "processed/abc/two.txt", "processed/def/of-others.txt"]);
});

it("leaves a zip as it is in which somebody put something that no delivery has", async () => {
  await using at = await site();
  const delivery = await deliveryOf(at.copies, 1);
  await at.deliver(delivery);
  const notes = join(at.copies, "notes.txt");
  await writeFile(notes, "somebody's");
  const entry = { name: `${PSEUDONYM}/${STUDY}/notes.txt`, path: notes, sizeBytes: 10 };
  await writeFile(at.zip, zipStream([entry]));
  await expect(at.deliver(delivery)).rejects.toMatchObject({ code: "DELIVERY_CONFLICT" });
  const { removal } = at.destination;
  expect(await removal?.remains(delivery, signal)).toEqual({ ours: 0, others: 1 });
  await removal?.remove(delivery, signal);
  expect(await at.names()).toEqual(["notes.txt"]);
});
