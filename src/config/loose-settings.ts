import { join, resolve } from "node:path";
import { z } from "zod";
import { isProfilePath } from "../deid/profiles/profile-path.ts";

const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
const texts = z.array(text).catch([]);
const number = z.number().optional().catch(undefined);

const loosely = <T extends z.ZodRawShape>(shape: T) =>
  z.preprocess((value) => (isRecord(value) ? value : {}), z.object(shape));
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : []), z.array(item));

const pseudonyms = loosely({
  mode: text,
  hashKeyFile: text,
  projectSaltFile: text,
  localSaltFile: text,
  lookupFile: text,
  mergePatients: flag,
});

const hook = z.object({
  command: texts,
  outputs: text,
  filesTo: z.array(text).optional().catch(undefined),
  network: text,
  maximumMemoryMegabytes: number,
  maximumCpuSeconds: number,
});

const loose = loosely({
  home: z.string().catch("/var/lib/radferry"),
  node: loosely({ tls: z.unknown().optional() }),
  dicom: loosely({ port: number, tls: loosely({ port: number, only: flag, certificateFile: text }) }),
  retry: loosely({ firstDelaySeconds: number, maximumDelaySeconds: number }),
  staging: loosely({ path: text }),
  intake: loosely({ rules: listOf(loosely({ name: text, project: text, archive: text })) }),
  archives: listOf(loosely({ name: text, kind: text, retrieve: text, search: text })),
  destinations: listOf(loosely({ name: text, kind: text, path: text })),
  projects: listOf(
    loosely({
      name: text,
      archives: texts,
      destinations: texts,
      profile: text,
      keyFile: text,
      linkageKeyFile: text,
      optOut: texts,
      pseudonyms,
      hook: z.preprocess((value) => (isRecord(value) ? value : undefined), hook.optional()),
    }),
  ),
});

/** The parts that refer to one another or to files, read as far as they can be read: one wrong value must not hide the next. */
export type LooseSettings = z.output<typeof loose>;

/** @param baseFolder absolute; paths in the answer are absolute. */
export function readLoosely(values: unknown, baseFolder: string): LooseSettings {
  const absolute = (path: string): string => resolve(baseFolder, path);
  const absoluteIfAny = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : absolute(path);
  const read = loose.parse(values);
  const home = absolute(read.home);
  return {
    ...read,
    home,
    staging: { path: absoluteIfAny(read.staging.path) ?? join(home, "staging") },
    destinations: read.destinations.map((destination) => ({ ...destination, path: absoluteIfAny(destination.path) })),
    projects: read.projects.map((project) => ({
      ...project,
      profile:
        project.profile !== undefined && isProfilePath(project.profile) ? absolute(project.profile) : project.profile,
      keyFile: absoluteIfAny(project.keyFile),
      linkageKeyFile: absoluteIfAny(project.linkageKeyFile),
      optOut: project.optOut.map(absoluteIfAny),
      ...(project.hook === undefined
        ? {}
        : {
            hook: {
              ...project.hook,
              command: project.hook.command.map((part, at) => (at === 0 ? absoluteIfAny(part) : part)),
            },
          }),
      pseudonyms: {
        ...project.pseudonyms,
        hashKeyFile: absoluteIfAny(project.pseudonyms.hashKeyFile),
        projectSaltFile: absoluteIfAny(project.pseudonyms.projectSaltFile),
        localSaltFile: absoluteIfAny(project.pseudonyms.localSaltFile),
        lookupFile: absoluteIfAny(project.pseudonyms.lookupFile),
      },
    })),
  };
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
