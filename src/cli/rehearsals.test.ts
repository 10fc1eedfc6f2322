import { expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";
import { programVerbs } from "../../test/support/program-verbs.ts";
import { CHANGING, verbsOf } from "./rehearsals.ts";

/** Verbs that look. What is asked for may go into a file that is named for it, and that somebody looked may be written down. */
const READING: ReadonlySet<string> = new Set([
  ...["cohort plan", "cohort status", "cohort check", "cohort evidence", "cohort export", "cohort list"],
  ...["cohort standing list", "cohort standing show"],
  ...["study list", "study show", "study failures", "study report", "intake list"],
  ...["archive list", "archive echo", "archive find", "project list", "project show"],
  ...["linkage lookup", "linkage export", "audit tail", "audit verify", "evidence verify"],
  ...["token list", "node list", "notification list", "config check", "config sample", "config schema", "doctor"],
  ...["dicom dump", "dicom echo", "dicom find", "dicom get", "dicom qido", "dicom wado", "dicom rad69"],
  ...["deid run", "deid preview", "deid verify", "deid explain", "deid lint", "deid diff"],
  ...["deid import-pixl", "deid import-ctp-lookup"],
  ...["scanner list", "scanner token list", "scanner task list", "scanner task show", "scanner sequence list"],
  ...["scanner result list", "scanner result fetch", "scanner result verify"],
  ...["completion", "complete"],
]);

const ANOTHER_SYSTEM = "another system's verb, with the options that it has there";
const ONE_PEER = "sends what it is told to the one peer that it is told, and keeps nothing here";
const UNTIL_STOPPED = "goes on until it is stopped";

/** Verbs that do something and are not rehearsed, each with the reason. */
const NOT_REHEARSED: Readonly<Record<string, string>> = {
  serve: UNTIL_STOPPED,
  "dicom store": ONE_PEER,
  "dicom commit": ONE_PEER,
  "dicom move": ONE_PEER,
  "dicom stow": ONE_PEER,
  "dicom receive": UNTIL_STOPPED,
  upload: ONE_PEER,
  "scanner simulate": UNTIL_STOPPED,
};
const OTHER_SYSTEMS = /^(?:flip|pixl|scanhub|compat) /;

const verbs = [...verbsOf(programVerbs())];

function reasonOf(path: string): string | undefined {
  return NOT_REHEARSED[path] ?? (OTHER_SYSTEMS.test(path) ? ANOTHER_SYSTEM : undefined);
}

it("knows of every verb whether it changes something", () => {
  const unknown = verbs
    .map(([path]) => path)
    .filter((path) => {
      const ways = [CHANGING[path] !== undefined, READING.has(path), reasonOf(path) !== undefined];
      return ways.filter(Boolean).length !== 1;
    });
  expect(unknown).toEqual([]);
  const there = new Set(verbs.map(([path]) => path));
  const listed = [...Object.keys(CHANGING), ...READING, ...Object.keys(NOT_REHEARSED)];
  expect(listed.filter((path) => !there.has(path))).toEqual([]);
});

it("has --dry-run at every verb that changes something, and at no other", () => {
  const withOption = verbs.filter(([, verb]) => verb.options.some(({ long }) => long === "--dry-run"));
  expect(withOption.map(([path]) => path).sort()).toEqual(Object.keys(CHANGING).sort());
});

it("says in the help what a rehearsal tells", async () => {
  const { stdout } = await runCli(["cohort", "cancel", "--help"]);
  expect(stdout).toContain("change nothing: tell how many studies would be cancelled");
});
