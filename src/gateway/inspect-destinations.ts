import type { Settings } from "../config/settings.ts";
import type { FtpsDestinationSettings, SftpDestinationSettings } from "../config/settings-destinations.ts";
import { listInstances } from "../delivery/dimse/list-instances.ts";
import { treeInspector, zipInspector } from "../delivery/files/inspect-files.ts";
import { localFiles } from "../delivery/files/local-files.ts";
import { destinationFolder } from "../delivery/folder/destination-folder.ts";
import { folderInspector } from "../delivery/folder/inspect-folder.ts";
import { type Inspect, inspectionByUids } from "../delivery/inspection/inspection.ts";
import { listedInstances } from "../delivery/stow/stow-destination.ts";
import { xnatInspector } from "../delivery/xnat/inspect-xnat.ts";
import { openAssociation } from "../network/dimse/association.ts";
import { heldInstances } from "../network/rest/orthanc/held-instances.ts";
import { connectionTo } from "./connections.ts";
import { ftpsServerOf, httpClientOf, s3ServerOf, sftpServerOf } from "./open-destinations.ts";
import { xnatClientOf } from "./xnat-client.ts";

type DestinationSettings = Settings["destinations"][number];

/** Study Root Query/Retrieve Information Model - FIND. PS3.4 C.6.2. */
const FIND_CONTEXT = {
  abstractSyntaxUid: "1.2.840.10008.5.1.4.1.2.2.1",
  transferSyntaxUids: ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"],
};

/** How each destination is looked at by itself; over connections of their own, opened when somebody looks. */
export function destinationInspectors(settings: Settings): ReadonlyMap<string, Inspect> {
  return new Map(settings.destinations.map((each) => [each.name, inspectorOf(settings, each)]));
}

function inspectorOf(settings: Settings, destination: DestinationSettings): Inspect {
  switch (destination.kind) {
    case "folder":
      return destination.layout === "files"
        ? folderInspector(destination)
        : zipInspector(
            { server: localFiles(destinationFolder(destination)), path: destination.path, readsBack: true },
            settings.home,
          );
    case "ftps":
    case "sftp":
      return remoteInspector(settings, destination);
    case "s3":
      return async (study, signal) => {
        const { s3Inspector } = await import("../delivery/s3/inspect-s3.ts");
        const { prefix, readBack } = destination;
        const proof = readBack === "whole" ? "sha256" : "digest";
        return await s3Inspector({ server: s3ServerOf(destination), prefix, proof })(study, signal);
      };
    case "xnat":
      return xnatInspector({ client: () => xnatClientOf(destination), project: destination.project });
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
  }
}

/** Zips are fetched to the home for as long as they are looked at. */
function remoteInspector({ home }: Settings, destination: FtpsDestinationSettings | SftpDestinationSettings): Inspect {
  const place = { path: destination.folder, readsBack: destination.readBack === "whole" };
  return async (study, signal) => {
    if (destination.kind === "ftps") {
      const { ftpsFiles } = await import("../delivery/ftps/ftps-destination.ts");
      return await zipInspector({ ...place, server: ftpsFiles(ftpsServerOf(destination)) }, home)(study, signal);
    }
    const { sftpFiles } = await import("../delivery/sftp/sftp-destination.ts");
    const whole = { ...place, server: sftpFiles(sftpServerOf(destination)) };
    return await (destination.layout === "files" ? treeInspector(whole) : zipInspector(whole, home))(study, signal);
  };
}
