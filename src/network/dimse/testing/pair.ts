import { sampleCt } from "../../../../test/peers/sample-objects.ts";
import { parseAeTitle } from "../../../dicom/ae-title.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../../dicom/dictionary/transfer-syntaxes.ts";
import { openAssociation } from "../association.ts";
import { startDimseServer } from "../server.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, VERIFICATION_SOP_CLASS } from "../service-classes.ts";
import type { AssociationOptions, DimseServer, DimseServerOptions } from "../service-types.ts";

export const transferSyntaxUids = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
const archiveTitle = parseAeTitle("ARCHIVE");
export const ours = parseAeTitle("RADFERRY");

const { find, move, get } = QUERY_RETRIEVE_SOP_CLASSES["study-root"];
const queryContexts = [VERIFICATION_SOP_CLASS, find, move, get].map((abstractSyntaxUid) => ({
  abstractSyntaxUid,
  transferSyntaxUids,
}));

/** Three images of one series. */
export const objects = [1, 2, 3].map((instance) => sampleCt(1, 1, instance));
export const ct = objects[0]?.sopClassUid ?? "";

/** Our own provider on a port of its own. */
export function serve(options: Partial<DimseServerOptions>): Promise<DimseServer> {
  return startDimseServer({ host: "127.0.0.1", port: 0, aeTitle: archiveTitle, handlers: {}, ...options });
}

/** Our own user of it. */
export function open(server: Pick<DimseServer, "port">, options: Partial<AssociationOptions> = {}) {
  const address = { aeTitle: archiveTitle, host: "127.0.0.1", port: server.port };
  return openAssociation({ address, callingAeTitle: ours, contexts: queryContexts, ...options });
}
