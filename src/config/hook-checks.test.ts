import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tryHook } from "../pipeline/hook/try-hook.ts";
import { checkHooks } from "./hook-checks.ts";
import { readLoosely } from "./loose-settings.ts";

const DESTINATIONS = `
destinations:
  - { name: files, kind: folder, path: ./files }
  - { name: viewer, kind: dimse, address: VIEWER@127.0.0.1:104 }
`;

/** What `config check` says of a project that delivers to a folder and to a viewer, with this hook. */
async function problemsWith(hook: string, makeProgram = true): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "hooks"));
  const program = join(folder.path, "hooks", "report.sh");
  if (makeProgram) await writeFile(program, "#!/bin/sh\nexit 0\n");
  if (makeProgram) await chmod(program, 0o755);
  const world = { workingFolder: folder.path };
  await runCli(["project", "new-key", "trial.key"], world);
  const project = `name: trial, archives: [pacs], destinations: [files, viewer], profile: research, keyFile: trial.key`;
  await writeFile(
    join(folder.path, "radferry.yaml"),
    `home: ./home
archives: [{ name: pacs, kind: dimse, address: PACS@127.0.0.1:104, retrieve: get }]
${DESTINATIONS}
projects: [{ ${project}, hook: { command: ["${program}"], network: allowed, ${hook} } }]
`,
  );
  const { stdout } = await runCli(["config", "check"], world);
  return [...stdout.matchAll(/^ *(projects\[\S+) \(.*\[([A-Z_]+)\]$/gm)].map(([, path, code]) => `${path} ${code}`);
}

it.each([
  [
    "that makes files, with a destination that takes none",
    "outputs: both",
    ["projects[0].destinations[1] HOOK_FILES_NOT_TAKEN"],
  ],
  [
    "whose files are to go where none are taken",
    "filesTo: [viewer]",
    ["projects[0].hook.filesTo[0] HOOK_FILES_NOT_TAKEN"],
  ],
  ["whose files go to a stranger", "filesTo: [lake]", ["projects[0].hook.filesTo[0] SETTING_REFERENCE_UNKNOWN"]],
  ["whose files go where they are taken", "filesTo: [files]", []],
  ["that makes images alone", "outputs: instances", []],
])("config check of a hook %s", async (_, hook, problems) => {
  expect(await problemsWith(hook)).toEqual(problems);
});

it("config check names a program that is not there", async () => {
  expect(await problemsWith("outputs: instances", false)).toEqual([
    "projects[0].hook.command[0] HOOK_PROGRAM_UNUSABLE",
  ]);
});

it("names a hook that this machine cannot keep from the network", async () => {
  const settings = readLoosely({ projects: [{}, { hook: { command: ["/bin/sh"], network: "none" } }] }, "/");
  const found = await checkHooks(settings, (hook) => tryHook(hook, async () => undefined));
  expect(found).toEqual([{ path: ["projects", 1, "hook", "network"], code: "HOOK_NOT_ISOLATED" }]);
});

it.each([
  ["a folder", "/"],
  ["a file that nobody may run", "/etc/passwd"],
])("takes %s for no program", async (_, program) => {
  await expect(tryHook({ program, network: "allowed" })).rejects.toMatchObject({ code: "HOOK_PROGRAM_UNUSABLE" });
});
