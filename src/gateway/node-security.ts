import { credentialsOf } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import type { ConnectionSource } from "../network/dimse/connection.ts";

/**
 * How gateways with one AE title connect to each other: by TLS wherever they listen by TLS, so that no image goes in the clear between them,
 * with the listener's certificate and its authorities unless `node.tls` names others; as the first of `dicom.users`, where those are asked for.
 */
export function nodeConnection({ node, dicom }: Pick<Settings, "node" | "dicom">): ConnectionSource {
  const [user] = dicom.users;
  if (dicom.tls === undefined) return credentialsOf({ user });
  const { certificateFile, keyFile, clientAuthoritiesFile } = dicom.tls.files;
  return credentialsOf({
    user,
    tls: {
      authoritiesFile: node.tls?.authoritiesFile ?? clientAuthoritiesFile,
      certificateFile: node.tls?.certificateFile ?? certificateFile,
      keyFile: node.tls?.keyFile ?? keyFile,
      serverName: node.tls?.serverName,
    },
  });
}
