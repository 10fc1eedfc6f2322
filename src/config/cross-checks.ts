import { join, sep } from "node:path";
import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { checkHookDestinations } from "./hook-checks.ts";
import type { LooseSettings } from "./loose-settings.ts";

/** What is right one by one and wrong together. */
export function crossCheck(settings: LooseSettings): readonly Finding[] {
  return [
    ...checkDuplicates(settings),
    ...checkReferences(settings),
    ...checkNumbers(settings),
    ...checkNode(settings),
    ...checkFolders(settings),
    ...checkHookDestinations(settings),
  ];
}

type Texts = readonly (string | undefined)[];

function checkDuplicates({ archives, destinations, projects, intake }: LooseSettings): readonly Finding[] {
  const named = (
    list: readonly { readonly name?: string | undefined }[],
    key: string,
    what: string,
  ): readonly Finding[] =>
    duplicates(
      list.map(({ name }) => name),
      (index) => [key, index, "name"],
      `Another ${what} has this name already.`,
    );
  return [
    ...named(archives, "archives", "archive"),
    ...named(destinations, "destinations", "destination"),
    ...named(projects, "projects", "project"),
    ...duplicates(
      intake.rules.map(({ name }) => name),
      (index) => ["intake", "rules", index, "name"],
      "Another rule has this name already.",
    ),
    ...duplicates(
      projects.map(({ keyFile }) => keyFile),
      (index) => ["projects", index, "keyFile"],
      "Another project has this key: their pseudonyms could be linked.",
    ),
    ...duplicates(
      destinations.map(({ path }) => path),
      (index) => ["destinations", index, "path"],
      "Another destination writes to this folder already.",
    ),
  ];
}

function duplicates(values: Texts, pathOf: (index: number) => YamlPath, message: string): readonly Finding[] {
  return values.flatMap((value, index) =>
    value === undefined || values.indexOf(value) === index
      ? []
      : [{ path: pathOf(index), code: "SETTING_DUPLICATE" as const, message }],
  );
}

function checkReferences({ archives, destinations, projects, intake }: LooseSettings): readonly Finding[] {
  const archiveNames = archives.map(({ name }) => name);
  const destinationNames = destinations.map(({ name }) => name);
  const searchable = archives.flatMap(({ name, kind }) => (kind === "rad69" ? [] : [name]));
  const searched = archives.flatMap(({ kind, search }, index) =>
    kind === "rad69" && search !== undefined && !searchable.includes(search)
      ? [
          {
            path: ["archives", index, "search"],
            code: "SETTING_REFERENCE_UNKNOWN" as const,
            message: "There is no archive of this name that can be searched.",
          },
        ]
      : [],
  );
  const used = projects.flatMap((project, index) => [
    ...unknownNames(project.archives, archiveNames, ["projects", index, "archives"], "archive"),
    ...unknownNames(project.destinations, destinationNames, ["projects", index, "destinations"], "destination"),
  ]);
  const fed = new Set([...intake.rules.map(({ project }) => project), undefined]);
  const starving = projects.flatMap(({ name, archives: own }, index) =>
    own.length > 0 || fed.has(name)
      ? []
      : [
          {
            path: ["projects", index, "archives"],
            code: "SETTING_INVALID" as const,
            message: "It has no archive, and no rule of the intake is for it.",
          },
        ],
  );
  const projectNames = projects.map(({ name }) => name);
  const sorted = intake.rules.flatMap(({ project, archive }, index) => [
    ...unknownName(project, projectNames, ["intake", "rules", index, "project"], "project"),
    ...unknownName(archive, archiveNames, ["intake", "rules", index, "archive"], "archive"),
  ]);
  return [...searched, ...used, ...starving, ...sorted];
}

function unknownName(used: string | undefined, configured: Texts, path: YamlPath, what: string): readonly Finding[] {
  if (used === undefined || configured.includes(used)) return [];
  return [{ path, code: "SETTING_REFERENCE_UNKNOWN", message: `There is no ${what} of this name.` }];
}

function unknownNames(used: Texts, configured: Texts, path: YamlPath, what: string): readonly Finding[] {
  const names = configured.filter((name) => name !== undefined);
  const message = `There is no ${what} of this name.`;
  const remedy = names.length === 0 ? `No ${what} is configured.` : `Configured are: ${names.join(", ")}.`;
  const unknown = used.flatMap((name, index) =>
    name === undefined || names.includes(name)
      ? []
      : [{ path: [...path, index], code: "SETTING_REFERENCE_UNKNOWN" as const, message, remedy }],
  );
  return [...unknown, ...duplicates(used, (index) => [...path, index], `The project names this ${what} twice.`)];
}

const PORT_REMEDY = "Choose another port, or set dicom.tls.only if nothing is to listen without TLS.";

function checkNumbers({ retry, dicom, archives }: LooseSettings): readonly Finding[] {
  const findings: Finding[] = [];
  const { firstDelaySeconds: first, maximumDelaySeconds: maximum } = retry;
  if (first !== undefined && maximum !== undefined && maximum < first) {
    const message = "The longest delay is shorter than the first.";
    findings.push({ path: ["retry", "maximumDelaySeconds"], code: "SETTING_INVALID", message });
  }
  const someArchiveSends = archives.some(({ kind, retrieve }) => kind === "dimse" && retrieve !== "get");
  const { port, tls } = dicom;
  const reached =
    tls.only === true ? { port: tls.port, path: ["dicom", "tls", "port"] } : { port, path: ["dicom", "port"] };
  if (reached.port === 0 && someArchiveSends) {
    const message = "Archives that send to our listener must know its port: it cannot be any free one.";
    findings.push({ path: reached.path, code: "SETTING_INVALID", message });
  }
  if (tls.only !== true && tls.port !== undefined && tls.port !== 0 && tls.port === port) {
    const message = "The listeners with and without TLS need a port each.";
    findings.push({ path: ["dicom", "tls", "port"], code: "SETTING_INVALID", message, remedy: PORT_REMEDY });
  }
  return findings;
}

function checkNode({ node, dicom }: LooseSettings): readonly Finding[] {
  if (node.tls === undefined || dicom.tls.certificateFile !== undefined) return [];
  const message = "Gateways speak TLS to each other where their listeners do: there is no dicom.tls.";
  return [{ path: ["node", "tls"], code: "SETTING_INVALID", message }];
}

/** What a gateway keeps below its home and clears by itself of what no study needs. */
const OWN_FOLDERS = ["archives", "ftps", "hooks", "keys", "outbox", "searches", "sftp", "uploads", "zip"] as const;

function checkFolders({ home, staging, destinations }: LooseSettings): readonly Finding[] {
  const message =
    "De-identified studies may not share a folder with home, what the gateway keeps there, or staging, which hold identifiable ones.";
  const stagingPath = staging.path ?? home;
  const own = [stagingPath, ...OWN_FOLDERS.map((name) => join(home, name))];
  return destinations.flatMap(({ path }, index) =>
    path !== undefined && (contains(path, home) || contains(path, stagingPath) || own.some((of) => contains(of, path)))
      ? [{ path: ["destinations", index, "path"], code: "SETTING_INVALID" as const, message }]
      : [],
  );
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
