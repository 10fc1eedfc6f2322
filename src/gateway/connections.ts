import { credentialsOf, type PeerSecurity } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import type { Connection, ConnectionSource } from "../network/dimse/connection.ts";

/** How an archive or a destination is connected to. */
export function connectionTo(
  { dicom }: Settings,
  peer: PeerSecurity,
  onViolation?: Connection["onViolation"],
): ConnectionSource {
  const credentials = credentialsOf(peer);
  const { maximumPduLength } = dicom;
  return async () => ({
    ...(await credentials()),
    maximumPduLength,
    ...(onViolation === undefined ? {} : { onViolation }),
  });
}
