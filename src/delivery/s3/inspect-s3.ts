import { openObjectStore } from "../../network/s3/s3-client.ts";
import { concurrently } from "../../units/concurrently.ts";
import { inspectionOf, standingOf } from "../files/inspect-files.ts";
import { fileNameOf, studyFolderOf } from "../files/layout.ts";
import { sha256Read } from "../files/read-back.ts";
import type { Inspect, Standing } from "../inspection/inspection.ts";
import type { S3DestinationOptions } from "./s3-destination.ts";

const PARALLEL_OBJECTS = 4;

/** By the sums that the store names, or by fetching all back where that is how deliveries are proven. @throws GatewayError S3_… from the function it answers */
export function s3Inspector({ server, prefix, proof }: Omit<S3DestinationOptions, "name">): Inspect {
  return async (study, signal) => {
    using store = openObjectStore(await server());
    const folder = studyFolderOf(prefix, study);
    const found = new Map<string, Standing>();
    let isCompared = true;
    await concurrently(study.files, PARALLEL_OBJECTS, async (file) => {
      const key = `${folder}/${fileNameOf(file)}`;
      const facts = await store.facts(key, signal);
      const named = facts?.sha256;
      const fetched = { key, mostBytes: facts?.sizeBytes ?? 0 };
      const whole = proof === "sha256" ? () => sha256Read((sink) => store.get(fetched, sink, signal)) : undefined;
      const sum = whole ?? (named === undefined ? undefined : () => Promise.resolve(named));
      isCompared &&= sum !== undefined || facts === undefined;
      found.set(file.sopInstanceUid, await standingOf(file, facts?.sizeBytes, sum));
    });
    return inspectionOf(found, isCompared);
  };
}
