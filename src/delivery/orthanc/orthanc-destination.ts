import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { InstanceError } from "../../network/instance-files/instance-error.ts";
import { heldInstances } from "../../network/rest/orthanc/held-instances.ts";
import { storeInOrthanc } from "../../network/rest/orthanc/resources.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { Destination } from "../destination.ts";
import { readCopy } from "../reading/study-reading.ts";
import { orthancRemoval } from "./orthanc-removal.ts";

export interface OrthancDestinationOptions {
  readonly name: string;
  /** Closed with the destination. */
  readonly client: HttpClient;
  /** Instances sent at once. */
  readonly parallel: number;
}

/** Orthanc's own REST interface, confirmed by what it lists of the study. */
export function createOrthancDestination({ name, client, parallel }: OrthancDestinationOptions): Destination {
  return {
    name,
    kind: "orthanc",
    proof: "uids",
    async held({ studyInstanceUid, files }, signal) {
      const held = new Set((await heldInstances(client, studyInstanceUid, signal)).map((each) => each.sopInstanceUid));
      return new Set(files.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => held.has(uid)));
    },
    async send(delivery, files, signal) {
      await concurrently(files, parallel, async (file) => {
        const { sopInstanceUid, sizeBytes } = file;
        const { Status: status } = await storeInOrthanc(client, () => readCopy(delivery, file), signal, sizeBytes);
        // A filter of the site's own keeps it out: sending again would not help.
        if (status === "FilteredOut") {
          const refusal = new GatewayError("DELIVERY_REFUSED", { destination: name });
          throw new InstanceError(refusal, [sopInstanceUid]);
        }
      });
    },
    // It has no place for a report: that stays with the gateway's own account.
    async conclude() {},
    removal: orthancRemoval(client),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
