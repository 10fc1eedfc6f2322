import { resolve } from "node:path";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { Finding } from "../units/file-problems.ts";
import { isLoopback } from "../units/loopback.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { readCertificateFile, readPasswordFile } from "./credential-files.ts";
import type { LooseSettings } from "./loose-settings.ts";
import { valuesAt } from "./not-supported.ts";
import { loadTemplates, TemplatesError } from "./template-files.ts";

const CHANNEL: YamlPath = ["notifications", "*"];

/** What is right one by one and wrong together. */
export function checkNotifications(values: unknown, { projects }: LooseSettings): readonly Finding[] {
  const channels = [...valuesAt(values, CHANNEL)];
  const names = channels.map(([, channel]) => textOf(channel, "name"));
  const projectNames = projects.map(({ name }) => name);
  const unknown = [...valuesAt(values, [...CHANNEL, "projects", "*"])].flatMap(([path, value]) =>
    typeof value === "string" && !projectNames.includes(value)
      ? [{ path, code: "SETTING_REFERENCE_UNKNOWN" as const, message: "There is no project of this name." }]
      : [],
  );
  return [
    ...channels.flatMap(([path, channel], index) => checkChannel(path, channel, names.slice(0, index))),
    ...unknown,
  ];
}

function checkChannel(
  path: YamlPath,
  channel: unknown,
  namesBefore: readonly (string | undefined)[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const invalid = (name: string, message: string): void =>
    void findings.push({ path: [...path, name], code: "SETTING_INVALID", message });
  const text = (name: string): string | undefined => textOf(channel, name);
  if (text("name") !== undefined && namesBefore.includes(text("name"))) {
    const message = "Another channel has this name already.";
    findings.push({ path: [...path, "name"], code: "SETTING_DUPLICATE", message });
  }
  const url = URL.parse(text("url") ?? "");
  if (url?.protocol === "http:" && !isLoopback(url.hostname))
    invalid("url", "It must begin with https://, but on this machine alone.");
  if ((text("username") === undefined) !== (text("passwordFile") === undefined))
    invalid(text("username") === undefined ? "passwordFile" : "username", "User and password file go together.");
  if (text("username") !== undefined && text("tls") === "none" && !isLoopback(text("host") ?? ""))
    invalid("tls", "A password must not go in the clear to another machine.");
  return findings;
}

/** Opens the files of every channel. @param baseFolder relative paths count from it */
export async function checkNotificationFiles(values: unknown, baseFolder: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [path, channel] of valuesAt(values, CHANNEL)) {
    for (const [name, read] of Object.entries(READERS)) {
      const file = textOf(channel, name)?.trim();
      if (file === undefined || file === "") continue;
      const failure = await read(resolve(baseFolder, file)).then(() => undefined, asFailure);
      if (failure !== undefined) findings.push(...findingsOf([...path, name], failure));
    }
  }
  return findings;
}

const READERS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  passwordFile: readPasswordFile,
  secretFile: readPasswordFile,
  authoritiesFile: readCertificateFile,
  templatesFile: loadTemplates,
};

function asFailure(thrown: unknown): unknown {
  return thrown;
}

function findingsOf(path: YamlPath, failure: unknown): readonly Finding[] {
  const { code } = toGatewayError(failure);
  if (!(failure instanceof TemplatesError)) return [{ path, code }];
  return failure.problems.map(({ template, problem }) => ({
    path,
    code,
    message: template === "" ? `Templates: ${problem}.` : `Template ${template}: ${problem}.`,
  }));
}

function textOf(channel: unknown, name: string): string | undefined {
  const value: unknown = typeof channel === "object" && channel !== null ? Reflect.get(channel, name) : undefined;
  return typeof value === "string" ? value : undefined;
}
