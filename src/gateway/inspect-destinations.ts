import type { Settings } from "../config/settings.ts";
import { listInstances } from "../delivery/dimse/list-instances.ts";
import { folderInspector } from "../delivery/folder/inspect-folder.ts";
import { type Inspect, inspectionByUids } from "../delivery/inspection/inspection.ts";
import { listedInstances } from "../delivery/stow/stow-destination.ts";
import { openAssociation } from "../network/dimse/association.ts";
import { heldInstances } from "../network/rest/orthanc/held-instances.ts";
import { connectionTo } from "./connections.ts";
import { httpClientOf } from "./open-destinations.ts";

type DestinationSettings = Settings["destinations"][number];

/** Study Root Query/Retrieve Information Model - FIND. PS3.4 C.6.2. */
const FIND_CONTEXT = {
  abstractSyntaxUid: "1.2.840.10008.5.1.4.1.2.2.1",
  transferSyntaxUids: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"],
};

/** How each destination that can be looked at by itself is; over connections of their own, opened when somebody looks. */
export function destinationInspectors(settings: Settings): ReadonlyMap<string, Inspect> {
  const inspectors = new Map<string, Inspect>();
  for (const destination of settings.destinations) {
    const inspect = inspectorOf(settings, destination);
    if (inspect !== undefined) inspectors.set(destination.name, inspect);
  }
  return inspectors;
}

/** Undefined where files are known only by copies of ours, which are gone. */
function inspectorOf(settings: Settings, destination: DestinationSettings): Inspect | undefined {
  switch (destination.kind) {
    case "folder":
      return destination.layout === "files" ? folderInspector(destination) : undefined;
    case "dimse":
      return async (study, signal) => {
        await using association = await openAssociation({
          ...(await connectionTo(settings, destination)()),
          address: destination.address,
          callingAeTitle: settings.dicom.aeTitle,
          contexts: [FIND_CONTEXT],
          signal,
        });
        return inspectionByUids(await listInstances(association, study, signal));
      };
    case "dicomweb":
      return async ({ studyInstanceUid }, signal) => {
        await using client = await httpClientOf(destination);
        return inspectionByUids(await listedInstances(client, studyInstanceUid, signal));
      };
    case "orthanc":
      return async ({ studyInstanceUid }, signal) => {
        await using client = await httpClientOf(destination);
        const held = await heldInstances(client, studyInstanceUid, signal);
        return inspectionByUids(new Set(held.map(({ sopInstanceUid }) => sopInstanceUid)));
      };
    default:
      return undefined;
  }
}
