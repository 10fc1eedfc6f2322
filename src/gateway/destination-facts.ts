import type { DestinationSettings, Settings } from "../config/settings.ts";
import { openAssociation } from "../network/dimse/association.ts";
import type { DestinationFacts } from "../operations/context.ts";
import { checkWritable } from "../operations/writable.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { connectionTo } from "./connections.ts";

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
  await using association = await openAssociation({
    ...(await connectionTo(settings, destination)()),
    address: destination.address,
    callingAeTitle: settings.dicom.aeTitle,
    contexts: [VERIFICATION_CONTEXT],
    signal,
  });
  await association.echo(signal);
}
