import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { valuesAt } from "./not-supported.ts";

/** Groups that protect something: with nothing behind the name they would be taken as left out, which is the opposite of what was meant. */
const PROTECTIVE: readonly { readonly path: YamlPath; readonly remedy: string }[] = [
  { path: ["dicom", "tls"], remedy: "Name certificateFile and keyFile, or remove tls." },
  { path: ["node", "tls"], remedy: "Name what differs from dicom.tls, or remove tls." },
  { path: ["dicom", "peers"], remedy: "List who may connect, or remove peers: then anybody may." },
  { path: ["dicom", "users"], remedy: "List who may connect, or remove users: then nobody is asked." },
  { path: ["archives", "*", "tls"], remedy: "Write tls: true, or remove tls." },
  { path: ["archives", "*", "user"], remedy: "Name username, or remove user." },
  { path: ["destinations", "*", "tls"], remedy: "Write tls: true, or remove tls." },
  { path: ["destinations", "*", "user"], remedy: "Name username, or remove user." },
];

/** @param values as written in the file */
export function findBlankGroups(values: unknown): readonly Finding[] {
  return PROTECTIVE.flatMap(({ path, remedy }) =>
    [...valuesAt(values, path)]
      .filter(([, value]) => value === null)
      .map(([at]) => ({ path: at, code: "SETTING_MISSING" as const, message: "Nothing stands behind it.", remedy })),
  );
}
