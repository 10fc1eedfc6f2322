import type { DestinationSettings, HttpDestinationSettings, Settings } from "../config/settings.ts";
import { searchDicomWeb } from "../network/dicomweb/search.ts";
import { openAssociation } from "../network/dimse/association.ts";
import type { HttpClient } from "../network/http-client/types.ts";
import { systemOf } from "../network/rest/orthanc/resources.ts";
import type { DestinationFacts } from "../operations/context.ts";
import { checkWritable } from "../operations/writable.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { connectionTo } from "./connections.ts";
import { httpClientOf } from "./open-destinations.ts";

/** Verification. PS3.4 A.4. */
const VERIFICATION_CONTEXT = { abstractSyntaxUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] };

/** Destinations as `doctor` asks them: without opening them, so that a verb beside a running service disturbs nothing. */
export function destinationFacts(settings: Settings): ReadonlyMap<string, DestinationFacts> {
  return new Map(
    settings.destinations.map((destination) => {
      const { name } = destination;
      const certificates = destination.kind === "dimse" ? certificateFacts(destination.address, destination) : {};
      return [name, { name, check: (signal) => checkDestination(settings, destination, signal), ...certificates }];
    }),
  );
}

async function checkDestination(
  settings: Settings,
  destination: DestinationSettings,
  signal: AbortSignal,
): Promise<void> {
  if (destination.kind === "folder") return await checkWritable(destination.path);
  if (destination.kind !== "dimse") return await checkHttp(destination, signal);
  await using association = await openAssociation({
    ...(await connectionTo(settings, destination)()),
    address: destination.address,
    callingAeTitle: settings.dicom.aeTitle,
    contexts: [VERIFICATION_CONTEXT],
    signal,
  });
  await association.echo(signal);
}

/** Whether it answers us what it holds. */
async function checkHttp(destination: HttpDestinationSettings, signal: AbortSignal): Promise<void> {
  await using client = await httpClientOf(destination);
  if (destination.kind === "orthanc") await systemOf(client, signal);
  else await countStudies(client, signal);
}

async function countStudies(client: HttpClient, signal: AbortSignal): Promise<void> {
  const any = { level: "STUDY", matching: [], including: [], maximumAnswers: 1, pageSize: 1 } as const;
  for await (const _ of searchDicomWeb(client, any, signal)) return;
}
