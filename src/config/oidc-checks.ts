import type { Finding } from "../units/file-problems.ts";
import { isLoopback } from "../units/loopback.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import type { LooseSettings } from "./loose-settings.ts";
import { valuesAt } from "./not-supported.ts";

const GROUP: YamlPath = ["http", "oidc"];
const NEEDS_TLS = ["issuer", "redirectBaseUrl"];

/** Passwords and codes go over both URLs; projects must be there. */
export function checkOidc(values: unknown, { projects }: LooseSettings): readonly Finding[] {
  const inTheClear = NEEDS_TLS.flatMap((name) =>
    [...valuesAt(values, [...GROUP, name])].flatMap(([path, value]) =>
      typeof value === "string" && isInTheClear(value)
        ? [
            {
              path,
              code: "SETTING_INVALID" as const,
              message: "It must begin with https://, but on this machine alone.",
            },
          ]
        : [],
    ),
  );
  const names = projects.map(({ name }) => name);
  const unknown = [...valuesAt(values, [...GROUP, "roles", "*", "projects", "*"])].flatMap(([path, value]) =>
    typeof value === "string" && !names.includes(value)
      ? [{ path, code: "SETTING_REFERENCE_UNKNOWN" as const, message: "There is no project of this name." }]
      : [],
  );
  return [...inTheClear, ...unknown];
}

function isInTheClear(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "http:" && !isLoopback(url.hostname);
}
