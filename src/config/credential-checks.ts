import type { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import {
  type CertificateFile,
  readCertificateFile,
  readKeyFile,
  readPasswordFile,
  readSecretText,
  readTokenFile,
} from "./credential-files.ts";
import { readEnvironmentFile } from "./environment-file.ts";
import { FACE_NAMES } from "./manifest-compat.ts";
import { valuesAt } from "./not-supported.ts";

const TLS_GROUPS: readonly YamlPath[] = [
  ["dicom", "tls"],
  ["node", "tls"],
  ["http", "tls"],
  ["archives", "*", "tls"],
  ["destinations", "*", "tls"],
];
const USER_GROUPS: readonly YamlPath[] = [
  ["dicom", "users", "*"],
  ["archives", "*", "user"],
  ["destinations", "*", "user"],
];
/** Peers that speak HTTP have theirs beside their URL. */
const HTTP_PEERS: readonly YamlPath[] = [
  ["staging", "shared"],
  ["archives", "*"],
  ["destinations", "*"],
];
/** What logs in only together. */
const PAIRS = [
  ["username", "passwordFile"],
  ["clientCertificateFile", "clientKeyFile"],
] as const;
/** Others name both, or log in with a key. */
const MAY_LOG_IN: ReadonlySet<unknown> = new Set(["dicomweb", "orthanc", "rad69", "xnat-dqr"]);
const OIDC: YamlPath = ["http", "oidc"];
/** Each a `.env` file. */
const FACES: readonly YamlPath[] = FACE_NAMES.map((name) => ["compat", name]);
/** Of destinations by SFTP and S3. */
const OTHER_SECRETS = ["passphraseFile", "secretAccessKeyFile"];
const KEY_LIMIT_BYTES = 64 * 1_024;
const AUTHORITIES = ["authoritiesFile", "clientAuthoritiesFile"];

/** Opens every certificate, key and password that the settings name. @param baseFolder relative paths count from it */
export async function checkCredentials(
  values: unknown,
  baseFolder: string,
  nowMs: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const read = async <T>(
    group: readonly [YamlPath, unknown],
    name: string,
    reader: (path: string) => Promise<T>,
  ): Promise<T | undefined> => {
    const [path, value] = group;
    const file = memberAt(value, name);
    if (typeof file !== "string" || file.trim() === "") return undefined;
    try {
      return await reader(resolve(baseFolder, file.trim()));
    } catch (thrown) {
      findings.push({ path: [...path, name], code: toGatewayError(thrown).code });
      return undefined;
    }
  };
  const current = async (path: string): Promise<CertificateFile> => {
    const file = await readCertificateFile(path);
    const code = dateProblem(file.certificates[0], nowMs);
    if (code !== undefined) throw new GatewayError(code, { path });
    return file;
  };

  const pair = async (group: readonly [YamlPath, unknown], certificateName: string, keyName: string) => {
    const certificate = await read(group, certificateName, current);
    const key = await read(group, keyName, readKeyFile);
    if (certificate === undefined || key === undefined || certificate.certificates[0].checkPrivateKey(key.key)) return;
    findings.push({ path: [...group[0], keyName], code: "CERTIFICATE_KEY_MISMATCH" });
  };

  for (const group of TLS_GROUPS.flatMap((pattern) => [...valuesAt(values, pattern)])) {
    for (const name of AUTHORITIES) await read(group, name, readCertificateFile);
    await pair(group, "certificateFile", "keyFile");
  }
  for (const group of HTTP_PEERS.flatMap((pattern) => [...valuesAt(values, pattern)])) {
    await read(group, "tokenFile", readTokenFile);
    await read(group, "passwordFile", readPasswordFile);
    await read(group, "authoritiesFile", readCertificateFile);
    await pair(group, "clientCertificateFile", "clientKeyFile");
    findings.push(...halvesOf(group));
    for (const name of OTHER_SECRETS) await read(group, name, readPasswordFile);
    await read(group, "privateKeyFile", (path) => readSecretText(path, KEY_LIMIT_BYTES));
  }
  for (const group of valuesAt(values, OIDC)) {
    await read(group, "clientSecretFile", readPasswordFile);
    await read(group, "authoritiesFile", readCertificateFile);
  }
  for (const group of USER_GROUPS.flatMap((pattern) => [...valuesAt(values, pattern)]))
    await read(group, "passwordFile", readPasswordFile);
  for (const group of FACES.flatMap((pattern) => [...valuesAt(values, pattern)]))
    await read(group, "environmentFile", readEnvironmentFile);
  return findings;
}

/** One half alone would be left out in silence, and the peer asked as nobody. */
function halvesOf([path, value]: readonly [YamlPath, unknown]): readonly Finding[] {
  const has = (name: string): boolean => (memberAt(value, name) ?? undefined) !== undefined;
  return PAIRS.filter(([name]) => name !== "username" || MAY_LOG_IN.has(memberAt(value, "kind"))).flatMap(
    ([first, second]): readonly Finding[] => {
      if (has(first) === has(second)) return [];
      const [given, missing] = has(first) ? [first, second] : [second, first];
      const message = `${given} means nothing without ${missing}.`;
      return [{ path: [...path, missing], code: "SETTING_MISSING", message }];
    },
  );
}

function memberAt(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function dateProblem({ validFromDate, validToDate }: X509Certificate, nowMs: number): ErrorCode | undefined {
  if (nowMs > validToDate.getTime()) return "CERTIFICATE_EXPIRED";
  return nowMs < validFromDate.getTime() ? "CERTIFICATE_NOT_YET_VALID" : undefined;
}
