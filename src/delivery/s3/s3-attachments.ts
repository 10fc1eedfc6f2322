import { GatewayError } from "../../errors/gateway-error.ts";
import { openObjectStore, type S3Server } from "../../network/s3/s3-client.ts";
import type { AttachmentTaker } from "../destination.ts";
import { studyFolderOf } from "../files/layout.ts";
import { sha256Read } from "../files/read-back.ts";
import { readCopy } from "../reading/study-reading.ts";

interface BucketToAttachTo {
  readonly name: string;
  readonly server: () => Promise<S3Server>;
  readonly prefix: string;
  /** The key of the mark of what was put here. */
  readonly mark: string;
  interrupted(destination: string): (thrown: unknown) => never;
}

/** Objects beside the instances of a study; each is fetched back and compared, whatever sums the store names. */
export function s3Attachments(bucket: BucketToAttachTo): AttachmentTaker {
  return {
    async held(delivery, signal) {
      using store = openObjectStore(await bucket.server());
      const study = studyFolderOf(bucket.prefix, delivery);
      const found = new Set<string>();
      for (const { name, sizeBytes, sha256 } of delivery.attached ?? []) {
        const key = `${study}/${name}`;
        if ((await store.facts(key, signal))?.sizeBytes !== sizeBytes) continue;
        const isSame = (await sha256Read((sink) => store.get({ key, mostBytes: sizeBytes }, sink, signal))) === sha256;
        if (isSame) found.add(name);
      }
      return found;
    },
    async send(delivery, files, signal) {
      using store = openObjectStore(await bucket.server());
      const study = studyFolderOf(bucket.prefix, delivery);
      for (const file of files) {
        const { name, sizeBytes, sha256 } = file;
        const key = `${study}/${name}`;
        const there = await store.facts(key, signal);
        if (there !== undefined && there.metadata[bucket.mark] === undefined)
          throw new GatewayError("DELIVERY_CONFLICT", { destination: bucket.name, path: name });
        const facts = {
          sizeBytes,
          sha256,
          contentType: "application/octet-stream",
          metadata: { [bucket.mark]: sha256 },
        };
        const content = { read: () => readCopy(delivery, file) };
        await store.put({ key, content, ...facts }, signal).catch(bucket.interrupted(bucket.name));
      }
    },
  };
}
